//! A mail server that is down for a day.

use std::collections::BTreeMap;
use std::net::TcpListener;

use diesel::prelude::*;
use sealbid::db::schema::outbox;
use sealbid::drill::sink::Sink;
use sealbid::rules::editions::Category;
use sealbid::worker::mailer;

use crate::support::world::World;

const HOUR_MS: i64 = 60 * 60 * 1000;

fn deliver(world: &World) -> u32 {
    let round = mailer::round(world.app());
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(round)
        .expect("a round")
}

/// Every message: id, recipient, state.
fn stored(world: &World) -> Vec<(String, String, String)> {
    world
        .app()
        .reader
        .read_blocking(|conn| Ok(outbox::table.select((outbox::id, outbox::recipient, outbox::state)).load(conn)?))
        .expect("read")
}

#[test]
fn after_a_day_without_a_mail_server_every_message_arrives_once() {
    // A port on which nobody listens yet.
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let world = World::sqlite_with(|config| {
        config.mail.transport = "smtp".into();
        config.mail.smtp_host = "127.0.0.1".into();
        config.mail.smtp_port = port;
        config.mail.smtp_security = "none".into();
    });
    let story = world.lot(Category::Construction).noticed();
    let began = world.now();
    let mut attempts = 0;
    while world.now() < began.plus_millis(25 * HOUR_MS) {
        attempts += deliver(&world);
        world.set_clock(world.now().plus_millis(HOUR_MS / 2));
    }
    let messages = stored(&world);
    assert!(messages.iter().all(|(_, _, state)| state == "waiting"), "{messages:?}");
    let each = usize::try_from(attempts).expect("few") / messages.len();
    assert!((24..=50).contains(&each), "about once an hour, and never given up: {each}");
    // What falls due meanwhile waits behind them.
    story.act(&world.initiator(), "clarify", &serde_json::json!({ "lines": ["A point"], "affects_bid": false })).ok();
    let sink = Sink::start_at(port).expect("the mail server is back");
    world.set_clock(world.now().plus_millis(HOUR_MS));
    while deliver(&world) > 0 {}
    let messages = stored(&world);
    let arrived = sink.deliveries();
    assert_eq!(arrived.len(), messages.len());
    for (id, recipient, state) in messages {
        assert_eq!(state, "sent");
        let taken: &BTreeMap<_, _> = &arrived;
        assert_eq!(taken[&id].len(), 1, "once");
        assert_eq!(taken[&id][0].to, [recipient]);
    }
}
