//! Ceremonies over HTTP: step by step, and who is named when something is wrong.

use sealbid::rules::editions::Category;
use sealbid::seal::ceremony::{Backup, Dealer, Round2, SignedDraft};
use sealbid::seal::keyset::Member;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::custody::Custody;
use crate::support::story::LotStory;
use crate::support::world::World;

fn lot(world: &World) -> LotStory<'_> {
    world.lot(Category::Construction).terms(&json!({ "key_mode": "custodians" })).registered()
}

on_both!(a_draft_that_does_not_fit_its_lot_or_its_custodians_is_refused, |world| {
    let (lot, custody) = (lot(world), Custody::enrolled(world));
    let soon = world.now().plus_seconds(60);
    let refused = |why: &str, draft| {
        let problem = custody.begin(&lot, draft).refused(422, "ceremony-draft-invalid");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{why}: {problem}");
    };
    refused("opens_not_before", custody.draft(&lot, 3, world.now(), custody.members()));
    let one_house: Vec<Member> = custody
        .members()
        .into_iter()
        .map(|member| Member { org: custody.members()[0].org.clone(), ..member })
        .collect();
    refused("no institution", custody.draft(&lot, 3, soon, one_house));
    // With all five needed, the absence of one would lose every bid.
    refused("no institution", custody.draft(&lot, 5, soon, custody.members()));
    let mut exchanged = custody.members();
    let kem = exchanged[0].kem;
    exchanged[0].kem = exchanged[1].kem;
    exchanged[1].kem = kem;
    refused("kem", custody.draft(&lot, 3, soon, exchanged));
    let mut other = self::lot(world);
    other.id.clone_from(&lot.project);
    refused("tender and lot", custody.draft(&other, 3, soon, custody.members()));
    let signed = custody.usual_draft(&lot).sign(&world.bidder(1).signing_key()).expect("random numbers");
    let body = json!({ "draft": signed.jws() });
    world.initiator().post(lot.path("/ceremonies"), &body).refused(422, "signing-key-not-active");
    world.person("initiator2").post(lot.path("/ceremonies"), &body).refused(404, "not-found");
    custody.begin(&lot, custody.usual_draft(&lot)).ok();
    custody.begin(&lot, custody.usual_draft(&lot)).refused_by(409, "ceremony-exists", "PF-04");
});

on_both!(nobody_skips_a_step_speaks_twice_or_for_another, |world| {
    let (lot, custody) = (lot(world), Custody::enrolled(world));
    let view = custody.begin(&lot, custody.usual_draft(&lot)).ok();
    let id = view["id"].as_str().expect("an id").to_owned();
    let draft = SignedDraft::from_value(&view["draft"]).expect("a draft").draft().clone();
    let mine = world.person("custodian1").get("/v1/ceremonies/mine").ok();
    assert_eq!(mine["items"][0]["id"], view["id"]);
    let (_, commit, round1) = Dealer::begin(&draft, 1).expect("random numbers");
    custody.say(&id, 1, round1.clone()).refused_by(409, "state-forbids", "PF-01");
    let signed = custody.signed(1, commit.clone());
    custody.send(&id, 2, &signed, &[]).refused_by(403, "not-a-member", "PF-04");
    custody.send(&id, 1, &custody.signed(2, commit.clone()), &[]).refused(422, "ceremony-message-invalid");
    custody.send(&id, 1, &signed, &[]).ok();
    custody.send(&id, 1, &signed, &[]).ok();
    let (_, other, _) = Dealer::begin(&draft, 1).expect("random numbers");
    custody.say(&id, 1, other).refused_by(409, "ceremony-message-differs", "PF-04");
    for i in 2..=5 {
        let (_, commit, _) = Dealer::begin(&draft, i).expect("random numbers");
        custody.say(&id, i, commit).ok();
    }
    assert_eq!(custody.view(&id)["state"], "round1");
    // What was committed to is what is shown.
    let (_, _, replayed) = Dealer::begin(&draft, 1).expect("random numbers");
    let problem = custody.say(&id, 1, replayed).refused(422, "ceremony-message-invalid");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("not_committed")), "{problem}");
    custody.say(&id, 1, round1).ok();
    assert_eq!(custody.view(&id)["waiting_for"], json!([2, 3, 4, 5]));
    world
        .initiator()
        .post(format!("/v1/ceremonies/{id}/actions/abandon"), &json!({ "reason": " " }))
        .refused(422, "reason-missing");
    let ended =
        world.centre().post(format!("/v1/ceremonies/{id}/actions/abandon"), &json!({ "reason": "One is ill" })).ok();
    assert_eq!((&ended["state"], &ended["cause"]), (&json!("aborted"), &json!("abandoned")));
    custody.begin(&lot, custody.usual_draft(&lot)).ok();
});

/// Member 1 deals member 2 what belongs to member 3: sealed and proven in order, and wrong.
fn deal_wrongly(custody: &Custody<'_>, id: &str, dealers: &[Dealer]) {
    let transcript = custody.transcript(id);
    for (i, dealer) in (1_u8..).zip(dealers) {
        let round2: Round2 = match i {
            1 => dealer.deal_with(&transcript, |to, value| if to == 2 { [7; 32] } else { value }).expect("dealt"),
            _ => dealer.deal(&transcript).expect("dealt"),
        };
        custody.say(id, i, round2).ok();
    }
}

on_both!(a_wrong_share_ends_the_ceremony_and_names_its_dealer, |world| {
    let (lot, custody) = (lot(world), Custody::enrolled(world));
    let (id, dealers) = custody.shown(&lot);
    deal_wrongly(&custody, &id, &dealers);
    let complaint = Custody::complaint(&dealers[1], &custody.transcript(&id));
    let ended = custody.say(&id, 2, complaint).ok();
    assert_eq!(
        (&ended["state"], &ended["culprit"], &ended["cause"]),
        (&json!("aborted"), &json!(1), &json!("wrong_share_dealt"))
    );
    lot.act(&world.initiator(), "publish", &lot.schedule()).refused_by(422, "key-set-missing", "PF-04");
});

on_both!(a_false_complaint_names_who_complains, |world| {
    let (lot, custody) = (lot(world), Custody::enrolled(world));
    let (id, dealers) = custody.dealt(&lot);
    let complaint = dealers[1].complain_about(&custody.transcript(&id), 1).expect("random numbers");
    let ended = custody.say(&id, 2, complaint).ok();
    assert_eq!(
        (&ended["state"], &ended["culprit"], &ended["cause"]),
        (&json!("aborted"), &json!(2), &json!("false_complaint"))
    );
});

on_both!(who_has_seen_another_transcript_ends_the_ceremony, |world| {
    let (lot, custody) = (lot(world), Custody::enrolled(world));
    let (id, dealers) = custody.dealt(&lot);
    let transcript = custody.transcript(&id);
    let finished = dealers[0].finish(&transcript).expect("nobody is at fault");
    let mut accept = finished.accept.clone();
    accept.transcript = sealbid::kernel::digest::sha256(b"what a dishonest platform showed");
    let ended = custody.accept(&id, 1, &finished.shares[0], accept).ok();
    assert_eq!((&ended["state"], &ended["cause"]), (&json!("aborted"), &json!("transcripts_differ")));
    assert_eq!(ended["key_sets"], json!([]));
});

on_both!(a_member_gets_its_own_share_back_and_nobody_elses, |world| {
    let (lot, custody) = (lot(world), Custody::enrolled(world));
    let held = custody.held(&lot);
    let path = format!("/v1/ceremonies/{}/backups/mine", held.id);
    let own = world.person("custodian2").get(&*path).ok();
    assert_eq!(own["member"], 2);
    let backup = Backup::parse(own["backups"][0].to_string().as_bytes()).expect("a backup");
    let set = held.shares[1].key_set().clone();
    let digest = custody.transcript(&held.id).draft().id();
    let share = backup.open(&digest, set, 2, &custody.kems[1]).expect("its own key opens it");
    assert_eq!(share.private_bytes().expose(), held.shares[1].private_bytes().expose());
    world.initiator().get(&*path).refused(403, "role-forbidden");
    let public = custody.view(&held.id).to_string();
    assert!(!public.contains(own["backups"][0]["ct"].as_str().expect("text")), "backups are not published");
});

on_both!(a_ceremony_whose_time_runs_out_says_who_was_silent, |world| {
    let (lot, custody) = (lot(world), Custody::enrolled(world));
    let (id, dealers) = custody.shown(&lot);
    let transcript = custody.transcript(&id);
    custody.say(&id, 1, dealers[0].deal(&transcript).expect("dealt")).ok();
    world.advance_to(world.now().plus_seconds(8 * 24 * 60 * 60));
    let view = custody.view(&id);
    assert_eq!((&view["state"], &view["cause"]), (&json!("expired"), &json!("expired")));
    custody.say(&id, 2, dealers[1].deal(&transcript).expect("dealt")).refused_by(409, "state-forbids", "PF-01");
    let all: Value = world.nobody("GET", lot.path("/ceremonies")).send().ok();
    assert_eq!(all["items"][0]["id"], view["id"]);
});
