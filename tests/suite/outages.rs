//! The outage rule: when the platform was down right before a deadline, a person decides whether the box is closed.

use actix_web::web::Data;
use sealbid::app::App;
use sealbid::features::instances::queries::was_out;
use sealbid::kernel::time::Timestamp;
use sealbid::keys::Keys;
use sealbid::rules::editions::Category;
use sealbid::worker::{pulse, scheduler};
use serde_json::{Value, json};

use crate::on_both_with_keys;
use crate::support::api::with_matter;
use crate::support::story::LotStory;
use crate::support::world::World;

const AMOUNTS: [&str; 3] = ["900000.00", "910000.00", "920000.00"];
const MINUTE: i64 = 60;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// The platform after it was started again: another process, on the same database.
struct Restarted(Data<App>);

impl Restarted {
    fn of(world: &World) -> Self {
        let first = world.app();
        let keys = Keys::load(&first.config.keys.dir).expect("the same keys");
        Self(Data::new(App::open(first.config.clone(), world.clock().clone(), keys).expect("it opens")))
    }

    /// Does what is due; the scheduler's round begins with a heartbeat.
    fn round(&self) {
        while run(scheduler::round(&self.0)).expect("a round") > 0 {}
    }
}

impl Drop for Restarted {
    fn drop(&mut self) {
        self.0.ledger.stop();
    }
}

fn noticed(world: &World) -> LotStory<'_> {
    world.lot(Category::Construction).noticed().with_bids(&AMOUNTS)
}

fn entries(world: &World, kind: &str) -> Vec<Value> {
    let found = world.inspector().get(with_matter(&format!("/v1/inspection/entries?kind={kind}"))).ok();
    let ids = found["items"].as_array().expect("entries").iter().map(|entry| entry["entry_id"].clone());
    let one = |id: &str| world.inspector().get(with_matter(&format!("/v1/inspection/entries/{id}"))).ok();
    ids.map(|id| one(id.as_str().expect("an id"))).collect()
}

/// Down from `from` until `until`, in seconds after the deadline; what became of the lot.
fn after_outage<'w>(world: &'w World, from: i64, until: i64) -> (LotStory<'w>, Timestamp) {
    let lot = noticed(world);
    let deadline = lot.deadline();
    out(world, deadline, from, until);
    (lot, deadline)
}

fn out(world: &World, deadline: Timestamp, from: i64, until: i64) {
    world.set_clock(deadline.plus_seconds(from));
    world.pass_unattended(deadline.plus_seconds(until));
    let again = Restarted::of(world);
    again.round();
    world.advance_to(deadline.plus_seconds(until.max(10)));
}

on_both_with_keys!(down_across_the_deadline_nothing_opens_and_somebody_goes_on_with_a_reason, |world| {
    let lot = noticed(world);
    let (late, _) = lot.uploaded_bid(4, 1, "930000.00");
    let deadline = lot.deadline();
    out(world, deadline, -5 * MINUTE, 20 * MINUTE);
    let view = lot.view();
    assert_eq!(
        (view["state"].as_str(), view["holds"][0]["kind"].as_str()),
        (Some("noticed"), Some("incident")),
        "{view}"
    );
    assert_eq!(lot.notices(), ["invitation", "suspension"]);
    lot.submit(4, &late).refused_by(409, "bid-late", "ENG-14");
    lot.act(&world.centre(), "release", &json!({ "kind": "incident", "reason": " " })).refused(422, "body-invalid");
    lot.act(&world.inspector(), "release", &json!({ "kind": "incident", "reason": "x" })).refused_by(
        422,
        "hold-not-yours",
        "PF-09",
    );
    let reason = json!({ "kind": "incident", "reason": "Every bidder who fetched the documents has bid" });
    lot.act(&world.centre(), "release", &reason).ok();
    world.settle();
    assert_eq!((lot.state().as_str(), lot.deadline()), ("opening", deadline), "decided once, it is not asked again");
    let lot = lot.opened();
    // The clock stood still meanwhile, and notices of one instant have no order.
    let mut notices = lot.notices();
    notices.sort();
    assert_eq!(notices, ["invitation", "opening_record", "resumption", "suspension"]);
    let outages = entries(world, "platform.outage");
    assert_eq!(outages.len(), 1, "{outages:?}");
    let said = outages[0].to_string();
    for at in [deadline.plus_seconds(-5 * MINUTE), deadline.plus_seconds(20 * MINUTE)] {
        assert!(said.contains(&at.to_string()), "{said}");
    }
});

on_both_with_keys!(after_an_outage_the_initiator_extends_and_whoever_was_shut_out_bids, |world| {
    let (lot, deadline) = after_outage(world, -MINUTE, MINUTE);
    let new = deadline.plus_seconds(24 * 60 * MINUTE);
    let extended = json!({ "kind": "incident", "reason": "The platform was down", "new_deadline_at": new });
    lot.act(&world.initiator(), "release", &extended).ok();
    assert_eq!(lot.deadline(), new);
    lot.bid(4, 1, "930000.00").ok();
    world.advance_to(new.plus_seconds(10));
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("opening", 4), "before the new deadline the platform was up");
});

on_both_with_keys!(an_outage_counts_when_any_part_of_it_lies_in_the_last_half_hour, |world| {
    let held = |lot: &LotStory<'_>| lot.view()["holds"][0]["kind"] == "incident";
    let (lot, _) = after_outage(world, -40 * MINUTE, -30 * MINUTE);
    assert!(!held(&lot) && lot.state() == "opening", "over when the half hour began");
    let (lot, _) = after_outage(world, -40 * MINUTE, -30 * MINUTE + 1);
    assert!(held(&lot), "a second of it lies in the half hour");
    let (lot, _) = after_outage(world, 0, 40 * MINUTE);
    assert!(!held(&lot) && lot.state() == "opening", "the platform was up until the deadline");
    let (lot, _) = after_outage(world, -5, 5);
    assert!(!held(&lot) && lot.state() == "opening", "a restart of ten seconds is no outage");
    let (lot, _) = after_outage(world, -5, 6);
    assert!(held(&lot), "one of eleven is");
});

on_both_with_keys!(while_another_server_is_ready_there_is_no_outage, |world| {
    let lot = noticed(world);
    let deadline = lot.deadline();
    world.set_clock(deadline.plus_seconds(-MINUTE));
    for seconds in (-MINUTE..=MINUTE).step_by(30) {
        // One server stays; the others come and go.
        world.pass_unattended(deadline.plus_seconds(seconds));
        world.beat();
        Restarted::of(world).round();
    }
    world.advance_to(deadline.plus_seconds(66));
    assert_eq!((lot.state().as_str(), entries(world, "platform.outage").len()), ("opening", 0));
});

on_both_with_keys!(a_start_a_stop_and_changed_settings_are_on_record_without_secrets, |world| {
    let first = Restarted::of(world);
    run(pulse::start(&first.0)).expect("started");
    run(pulse::stop(&first.0)).expect("stopped");
    world.tick();
    let keys = Keys::load(&world.app().config.keys.dir).expect("the same keys");
    let mut config = world.app().config.clone();
    config.mail.smtp_password = "hush-hush".into();
    config.server.workers = 7;
    let second = Restarted(Data::new(App::open(config, world.clock().clone(), keys).expect("it opens")));
    run(pulse::start(&second.0)).expect("started");
    assert_eq!(entries(world, "platform.started").len(), 2);
    assert_eq!(entries(world, "platform.stopped").len(), 1);
    let configured = entries(world, "platform.configured");
    assert_eq!(configured.len(), 1);
    let said = configured[0].to_string();
    assert!(said.contains("mail.smtp_password") && said.contains("server.workers"), "{said}");
    let all = [entries(world, "platform.started"), configured].concat();
    assert!(all.iter().all(|entry| !entry.to_string().contains("hush-hush")));
    let out = world.app().reader.read_blocking(|conn| was_out(conn, Timestamp::from_millis(0), world.now()));
    assert!(!out.expect("read"), "an orderly restart is no outage");
});
