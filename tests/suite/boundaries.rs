//! The last moments before a deadline: what is on its way, who is let in, and whose clock counts.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sealbid::instance::Pass;
use sealbid::kernel::time::Timestamp;
use sealbid::ledger::Context;
use sealbid::limits;
use sealbid::rules::editions::Category;
use sealbid::worker::scheduler;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Person, with_matter};
use crate::support::steps::proven;
use crate::support::story::LotStory;
use crate::support::world::World;

const AMOUNTS: [&str; 3] = ["900000.00", "910000.00", "920000.00"];
/// The last moment at which the closing waits for anything, in seconds after the deadline.
const LATEST: i64 = 65;

fn noticed(world: &World) -> LotStory<'_> {
    world.lot(Category::Construction).noticed().with_bids(&AMOUNTS)
}

/// Waits for what another thread or the server does.
#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A submission that is sent piece by piece.
struct Slow {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Slow {
    /// Sends the head, and of the body all but the last byte.
    fn begin(world: &World, person: &Person<'_>, path: &str, body: &Value) -> Self {
        let mut slow = Self::head(world, person, path, body.to_string().into_bytes());
        let last = slow.rest.len() - 1;
        slow.stream.write_all(&slow.rest[..last]).expect("sent");
        slow.rest.drain(..last);
        slow
    }

    /// Sends the head alone.
    fn head(world: &World, person: &Person<'_>, path: &str, body: Vec<u8>) -> Self {
        let address = world.base().strip_prefix("http://").expect("an address");
        let mut stream = TcpStream::connect(address).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            person.token(),
            uuid::Uuid::new_v4(),
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        Self { stream, rest: body }
    }

    /// Sends what is left and returns status and body of the answer.
    fn finish(mut self) -> (u16, Value) {
        self.stream.write_all(&self.rest).expect("sent");
        self.answer()
    }

    /// The answer to what was sent so far.
    fn answer(&mut self) -> (u16, Value) {
        let mut answer = Vec::new();
        self.stream.read_to_end(&mut answer).expect("answered");
        let text = String::from_utf8_lossy(&answer);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let json = text.find('{').map(|at| &text[at..=text.rfind('}').expect("an object ends")]);
        (status, json.map(|json| serde_json::from_str(json).expect("JSON")).unwrap_or_default())
    }
}

on_both!(the_closing_waits_for_a_header_in_flight_but_not_for_ever, |world| {
    let lots = [noticed(world), noticed(world)];
    let deadline = lots[1].deadline();
    world.set_clock(deadline.plus_millis(-1));
    let flight = world.app().instance.begin();
    for seconds in [5, LATEST - 1] {
        world.advance_to(deadline.plus_seconds(seconds));
        assert_eq!(lots[1].state(), "noticed", "{seconds} s after the deadline");
    }
    world.advance_to(deadline.plus_seconds(LATEST).plus_millis(-1));
    assert_eq!(lots[1].state(), "noticed");
    world.advance_to(deadline.plus_seconds(LATEST));
    assert_eq!(lots[1].state(), "opening", "whatever is still on its way is not waited for any longer");
    drop(flight);
    assert!(lots.iter().all(|lot| lot.state() == "opening"));
});

on_both!(the_box_closes_as_soon_as_nothing_from_before_the_deadline_is_in_flight, |world| {
    let lot = noticed(world);
    let deadline = lot.deadline();
    world.set_clock(deadline.plus_millis(-1));
    let before = world.app().instance.begin();
    world.set_clock(deadline);
    let after = world.app().instance.begin();
    world.advance_to(deadline.plus_seconds(10));
    assert_eq!(lot.state(), "noticed");
    drop(before);
    world.settle();
    assert_eq!(lot.state(), "opening", "what began at the deadline cannot be in time: nobody waits for it");
    drop(after);
});

on_both!(a_body_whose_last_byte_comes_at_the_deadline_is_late_however_early_it_began, |world| {
    let lot = noticed(world);
    let deadline = lot.deadline();
    let ((early, _), (late, _)) = (lot.uploaded_bid(4, 1, "930000.00"), lot.uploaded_bid(5, 1, "940000.00"));
    world.set_clock(deadline.plus_millis(-2));
    let slow =
        [(4, &early), (5, &late)].map(|(n, body)| Slow::begin(world, &world.bidder(n), &lot.path("/bids"), body));
    until("both are in flight", || world.app().instance.flights().any_before(deadline));
    let [in_time, too_late] = slow;
    world.set_clock(deadline.plus_millis(-1));
    let (status, act) = in_time.finish();
    assert_eq!((status, &act["received_at"]), (201, &json!(deadline.plus_millis(-1).to_string())), "{act}");
    world.advance_to(deadline.plus_seconds(20));
    assert_eq!(lot.state(), "noticed", "the other is on its way: it might have been in time");
    let (status, problem) = too_late.finish();
    assert_eq!((status, &problem["code"]), (409, &json!("bid-late")), "{problem}");
    until("its flight ends", || !world.app().instance.flights().any_before(deadline));
    world.settle();
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("opening", 4));
});

on_both!(a_header_received_in_time_that_waits_longer_than_the_settle_time_is_in_the_box, |world| {
    let lot = noticed(world);
    let deadline = lot.deadline();
    let (body, _) = lot.uploaded_bid(4, 1, "930000.00");
    world.set_clock(deadline.plus_millis(-1));
    // The writer of bids is held up, so that whatever comes in waits.
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let held = {
        let (ledger, gate, now) = (world.app().ledger.clone(), gate.clone(), world.now());
        std::thread::spawn(move || {
            let work = move |_: &mut sealbid::ledger::Tx<'_>| {
                let mut open = gate.0.lock().expect("whole");
                while !*open {
                    open = gate.1.wait(open).expect("whole");
                }
                Ok(())
            };
            run(ledger.commit_beside(Context::system(now, "held up").for_bids(None), work)).expect("done")
        })
    };
    std::thread::sleep(Duration::from_millis(200));
    let act = std::thread::scope(|scope| {
        let sent = scope.spawn(|| lot.submit(4, &body));
        until("it is in flight", || world.app().instance.flights().any_before(deadline));
        // Its last byte is in before the clock moves on.
        std::thread::sleep(Duration::from_millis(300));
        world.clock().set(deadline.plus_seconds(20));
        *gate.0.lock().expect("whole") = true;
        gate.1.notify_all();
        sent.join().expect("answered").ok()
    });
    held.join().expect("done");
    let (received, recorded) = (act["received_at"].as_str(), act["recorded_at"].as_str());
    assert_eq!(received, Some(deadline.plus_millis(-1).to_string().as_str()));
    assert_eq!(recorded, Some(deadline.plus_seconds(20).to_string().as_str()), "long after the deadline");
    world.settle();
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("opening", 4));
});

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// Takes every place in the bids' queue.
fn all_places(world: &World) -> Vec<Pass> {
    let here = &world.app().instance;
    let taken = (0..limits::QUEUE_BIDS).map(|n| here.admit(&format!("org-{n}"), here.begin()).expect("a place"));
    taken.collect()
}

on_both!(without_a_place_in_the_queue_a_bid_is_sent_away_before_its_body_is_read, |world| {
    let lot = noticed(world);
    let (body, _) = lot.uploaded_bid(4, 1, "930000.00");
    let taken = all_places(world);
    let (status, problem) = Slow::head(world, &world.bidder(4), &lot.path("/bids"), vec![b' '; 5_000]).answer();
    assert_eq!((status, &problem["code"], &problem["retry"]), (503, &json!("busy"), &json!("same_request")));
    let answer = lot.submit(4, &body);
    assert_eq!(answer.header("retry-after"), Some("2"));
    answer.refused(503, "busy");
    // Reading, and every other act, goes on.
    lot.act(&world.initiator(), "clarify", &json!({ "lines": ["Nothing new"], "affects_bid": false })).ok();
    drop(taken);
    let (body, _) = lot.uploaded_bid(4, 1, "930000.00");
    lot.submit(4, &body).ok();
});

on_both!(a_few_slow_lines_of_one_organisation_leave_room_for_everybody_else, |world| {
    let lot = noticed(world);
    let ((own, _), (other, _)) = (lot.uploaded_bid(4, 1, "930000.00"), lot.uploaded_bid(5, 1, "940000.00"));
    let far = lot.deadline();
    let slow: Vec<Slow> =
        (0..limits::BODIES_PER_ORG).map(|_| Slow::begin(world, &world.bidder(4), &lot.path("/bids"), &own)).collect();
    let org = &world.bidder(4).member.org_id;
    until("their bodies are being read", || world.app().instance.bodies_of(org) == limits::BODIES_PER_ORG);
    let refused = lot.submit(4, &own);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.refused(429, "bodies-in-flight")["retry"], "same_request");
    lot.submit(5, &other).ok();
    drop(slow);
    until("the lines are given up", || !world.app().instance.flights().any_before(far));
    lot.submit(4, &own).ok();
});

on_both!(whoever_is_not_signed_in_takes_no_place_and_keeps_nothing_open, |world| {
    let lot = noticed(world);
    world.nobody("POST", lot.path("/bids")).key("k").json(&json!({})).send().refused(401, "not-signed-in");
    lot.world.initiator().post(lot.path("/bids"), &json!({})).refused(403, "role-forbidden");
    assert!(!world.app().instance.flights().any_before(Timestamp::from_millis(i64::MAX)));
});

on_both!(a_receipt_and_a_refusal_say_which_server_received_the_header_and_how_its_clock_stood, |world| {
    let lot = noticed(world);
    let (body, _) = lot.uploaded_bid(4, 1, "930000.00");
    let (late, _) = lot.uploaded_bid(5, 1, "940000.00");
    let act = lot.submit(4, &body).ok();
    world.set_clock(lot.deadline());
    let problem = lot.submit(5, &late).refused_by(409, "bid-late", "ENG-14");
    for recorded in [proven(world, &act), proven(world, &problem["refusal"])] {
        assert_eq!(recorded["data"]["instance"], world.app().instance.id());
        assert_eq!(recorded["data"]["clock_offset_ms"], 0);
    }
    assert_eq!((&act["instance"], &act["clock_offset_ms"]), (&json!(world.app().instance.id()), &json!(0)));
});

#[test]
fn a_clock_that_is_set_back_lets_no_late_bid_in_and_one_set_forward_closes_nothing() {
    let world = World::sqlite();
    let lot = noticed(&world);
    let ((early, _), (late, _)) = (lot.uploaded_bid(4, 1, "930000.00"), lot.uploaded_bid(5, 1, "940000.00"));
    let deadline = lot.deadline();
    world.set_clock(deadline.plus_seconds(-60));
    world.clock().jump(deadline.plus_seconds(3_600));
    lot.submit(4, &early).refused(503, "clock-off");
    world.nobody("GET", "/health/ready").send().refused(503, "clock-off");
    assert_eq!(run(scheduler::round(world.app())).expect("a round"), 0);
    assert_eq!(lot.state(), "noticed", "nothing closes by a clock that was set");
    assert_eq!(world.app().clock.now(), deadline.plus_seconds(-60));
    world.clock().jump(deadline.plus_seconds(-60));
    world.beat();
    lot.submit(4, &early).ok();

    world.set_clock(deadline.plus_seconds(1));
    world.clock().jump(deadline.plus_seconds(-3_600));
    for _ in 0..3 {
        lot.submit(5, &late).refused(503, "clock-off");
        world.beat();
    }
    assert!(world.app().clock.now() >= deadline, "the time never goes back");
    // The clock is right again: what came late is late.
    world.clock().jump(deadline.plus_seconds(2));
    world.beat();
    world.beat();
    lot.submit(5, &late).refused_by(409, "bid-late", "ENG-14");
    world.advance_to(deadline.plus_seconds(10));
    assert_eq!((lot.state().as_str(), lot.unsealed()), ("opening", 4));
    let entries = world.inspector().get(with_matter("/v1/inspection/entries?kind=platform.clock")).ok();
    let turns: Vec<Value> = entries["items"].as_array().expect("entries").iter().map(|e| e["kind"].clone()).collect();
    assert!(turns.len() >= 2 && turns.iter().all(|kind| kind == "platform.clock"), "{entries}");
}
