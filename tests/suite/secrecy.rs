//! What is sealed before the opening lies nowhere and shows nowhere: not in the database, the blobs, the log, the mail or
//! an answer; and what does lie there tells neither names nor moments.

use std::collections::BTreeSet;

use diesel::prelude::*;
use sealbid::db::schema::{audit_entry, bids, followers, idempotency, outbox, refusals, uploads};
use sealbid::features::uploads::model::UploadRow;
use sealbid::http::permissions::OPERATIONS;
use sealbid::rules::editions::Category;
use sealbid::seal::envelope::Part;
use sealbid::seal::ids::Ident;
use sealbid::seal::manifest::{Binding, Manifest};
use sealbid::seal::part_writer::{describe, write_part};
use sealbid::seal::sealing::seal_payload;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::api::{Answer, Person};
use crate::support::logs;
use crate::support::looks::{self, Places};
use crate::support::stored::{files, forms, found_in, latin, tables};
use crate::support::story::{LotStory, SEALED_CHUNK, jws, upload};
use crate::support::world::World;

const PRICES: [&str; 3] = ["871234.51", "862345.62", "853456.73"];
const REPLACED: &str = "844567.84";
const REFUSED: &str = "835678.95";
const RESERVE: &str = "126789.16";
const PLAN_FILE: &str = "canary-file-name-of-a-bidder.txt";
const PLAN: &str = "canary-construction-plan-of-a-bidder";

/// A box with everything in it: bids, documents, a replacement, a withdrawal, a refusal, a question; the answers to it.
struct Filled<'w> {
    story: LotStory<'w>,
    places: Places,
    own: Vec<Answer>,
}

/// The archive of a bidder's documents.
fn documents(story: &LotStory<'_>, bidder: &Person<'_>) -> Vec<u8> {
    let ident = |text: &str| Ident::parse(text, "id").expect("an id");
    let binding = Binding {
        tender: ident(&story.project),
        lot: ident(&story.id),
        bidder: ident(&bidder.member.org_id),
        part: Part::Documents,
    };
    let file = describe(PLAN_FILE, PLAN.as_bytes()).expect("in memory");
    let mut archive = Vec::new();
    let manifest = Manifest::new(binding, vec![file]).expect("a manifest");
    write_part(&mut archive, &manifest, |_| Ok(PLAN.as_bytes())).expect("in memory");
    archive
}

/// A bid of two parts: its price, and documents.
fn bid_with_documents(story: &LotStory<'_>, world: &World, n: usize, amount: &str) -> Value {
    let bidder = world.bidder(n);
    let (price, sealed) = story.seal_price(&bidder, Part::Price, amount);
    upload(&bidder, &story.id, "bid", &sealed, SEALED_CHUNK);
    let mut sealed = Vec::new();
    let documents = seal_payload(documents(story, &bidder).as_slice(), &mut sealed, 1).expect("sealed");
    upload(&bidder, &story.id, "bid", &sealed, SEALED_CHUNK);
    let envelopes =
        [story.header(&bidder, Part::Price, 1, &price), story.header(&bidder, Part::Documents, 1, &documents)];
    json!({ "envelopes": envelopes.iter().map(jws).collect::<Vec<_>>(), "notify": true })
}

fn filled(world: &World) -> Filled<'_> {
    let story = world.lot(Category::Construction).noticed();
    let document =
        world.nobody("GET", story.path("/documents")).send().ok()["items"][0]["id"].as_str().expect("an id").to_owned();
    let mut own = Vec::new();
    for n in 1..=3 {
        own.push(world.bidder(n).get(format!("/v1/documents/{document}/content")));
    }
    let asked = world
        .bidder(2)
        .post(story.path("/questions"), &json!({ "kind": "question", "text": "Is transport included?" }));
    let question = asked.json()["id"].as_str().expect("an id").to_owned();
    let first = bid_with_documents(&story, world, 1, PRICES[0]);
    let act = story.submit(1, &first).ok();
    for (n, price) in [(2, PRICES[1]), (3, PRICES[2])] {
        let (mut body, _) = story.uploaded_bid(n, 1, price);
        body["notify"] = json!(true);
        own.push(story.submit(n, &body));
    }
    let stale = story.uploaded_bid(2, 3, REFUSED).0;
    own.push(story.bid(2, 2, REPLACED));
    own.push(story.withdraw(3));
    story
        .act(&world.initiator(), "clarify", &json!({ "lines": ["Transport is included."], "affects_bid": false }))
        .ok();
    own.push(story.submit(2, &stale));
    world.initiator().post(format!("/v1/questions/{question}/actions/answer"), &json!({ "answer": "Yes." })).ok();
    world.settle();
    let found = world.app().reader.read_blocking(|conn| {
        let mail = outbox::table.filter(outbox::sealed.eq(true)).select(outbox::id).first::<String>(conn)?;
        let rows = uploads::table.filter(uploads::purpose.eq("bid")).select(UploadRow::as_select()).load(conn)?;
        Ok((mail, rows))
    });
    let (mail, rows) = found.expect("read");
    let text = |field: &str| act[field].as_str().expect("text").to_owned();
    let places = Places {
        lot: story.id.clone(),
        project: story.project.clone(),
        document,
        question,
        org: world.bidder(1).member.org_id.clone(),
        upload: rows[0].id.clone(),
        bid: text("bid_id"),
        entry: text("entry_id"),
        mail,
    };
    for n in 1..=3 {
        own.push(world.bidder(n).get(story.path("/bids/mine")));
    }
    own.push(world.bidder(1).get(format!("/v1/receipts/{}", places.entry)));
    own.push(world.bidder(1).get(format!("/v1/bids/{}/payloads/price", places.bid)));
    Filled { story, places, own }
}

/// All that can be read of a platform: what is stored, what lies on disk, what was logged.
fn all_of(world: &World) -> Vec<(String, String)> {
    let mut places: Vec<(String, String)> =
        tables(world).into_iter().map(|(table, rows)| (format!("table {table}"), rows.join("\n"))).collect();
    places.extend(files(world.dir()).into_iter().map(|(path, bytes)| (path.display().to_string(), latin(&bytes))));
    places
}

#[track_caller]
fn assert_nowhere(places: &[(String, String)], secrets: &[&str]) {
    for secret in secrets {
        for (place, text) in places {
            assert_eq!(found_in(text, secret), None, "{secret} is in {place}");
        }
        for form in forms(secret) {
            assert_eq!(logs::lines_with(&form), Vec::<String>::new(), "{secret} is in the log");
        }
    }
}

on_both!(prices_and_contents_lie_nowhere_and_show_nowhere_before_the_opening, |world| {
    let Filled { story, places, own } = filled(world);
    let reserve = world.lot(Category::LandUse).terms(&json!({ "reserve": "announced" })).registered();
    reserve.act(&world.initiator(), "publish", &reserve.schedule()).ok();
    reserve.seal_reserve(1, RESERVE).ok();
    let mut shown: Vec<(String, String)> =
        own.iter().map(|answer| (answer.asked.clone(), answer_text(answer))).collect();
    for seen in looks::look(world, &places, true).iter().chain(&looks::attempts(world, &places)) {
        shown.push((format!("{} by {}", seen.answer.asked, seen.who), answer_text(&seen.answer)));
    }
    let mut everything = all_of(world);
    assert!(everything.iter().any(|(_, text)| found_in(text, &places.bid).is_some()), "what is stored can be found");
    everything.extend(shown);
    let whole = PRICES.map(|price| price.replace('.', ""));
    let mut secrets = vec![REPLACED, REFUSED, RESERVE, PLAN, PLAN_FILE];
    secrets.extend(PRICES);
    secrets.extend(whole.iter().map(String::as_str));
    assert_nowhere(&everything, &secrets);
    // A third bid, so that the box opens; then they do lie there, and the search finds them.
    story.bid(4, 1, "899999.99").ok();
    let story = story.opened();
    let opened = all_of(world);
    for price in [PRICES[0], REPLACED] {
        assert!(opened.iter().any(|(_, text)| found_in(text, price).is_some()), "{price} is found once it is read out");
    }
    assert_nowhere(&opened, &[REFUSED, PRICES[2], RESERVE]);
    assert!(story.record().to_string().contains(REPLACED));
});

fn answer_text(answer: &Answer) -> String {
    format!("{:?}\n{}", answer.headers, latin(&answer.body))
}

/// Everything by which a bidder is known.
fn names(world: &World, n: usize) -> Vec<String> {
    let member = world.bidder(n).member;
    let login = &member.login;
    vec![
        format!("{login} Ltd"),
        format!("Person {login}"),
        format!("{login}@example.org"),
        member.org_id.clone(),
        member.user_id.clone(),
    ]
}

/// Tables that may name organisations: who they are, what they themselves hold, and the box.
const NAMING: [&str; 16] = [
    "organisations",
    "users",
    "signing_keys",
    "user_secrets",
    "audit_entry",
    "audit_personal",
    "audit_name",
    "audit_search",
    "idempotency",
    "outbox",
    "uploads",
    "bids",
    "bid_envelopes",
    "refusals",
    "followers",
    "questions",
];

on_both!(bidders_are_named_in_no_place_that_is_not_theirs, |world| {
    let filled = filled(world);
    let seen = looks::look(world, &filled.places, false);
    for n in 1..=3 {
        let names = names(world, n);
        let member = world.bidder(n).member;
        for (table, rows) in tables(world).into_iter().filter(|(table, _)| !NAMING.contains(&table.as_str())) {
            assert_free(&format!("table {table}"), &rows.join("\n"), &names);
        }
        let mail = files(&world.app().config.mail.dir);
        assert!(mail.len() > 1, "there is mail");
        mail.iter().for_each(|(path, bytes)| assert_free(&path.display().to_string(), &latin(bytes), &names));
        let user = member.user_id.clone();
        let stored = world.app().reader.read_blocking(|conn| {
            let address = format!("{}@example.org", member.login);
            let mails = outbox::table.filter(outbox::recipient.ne(address)).select((
                outbox::subject,
                outbox::body,
                outbox::recipient,
            ));
            let answers = idempotency::table.filter(idempotency::principal.ne(&user)).select(idempotency::answer);
            let parts = audit_entry::table
                .filter(audit_entry::kind.ne_all(["organisation.registered", "user.created", "signing_key.registered"]))
                .select((audit_entry::kind, audit_entry::part_p));
            Ok((
                mails.load::<(String, String, String)>(conn)?,
                answers.load::<String>(conn)?,
                parts.load::<(String, String)>(conn)?,
            ))
        });
        let (mails, answers, parts) = stored.expect("read");
        assert!(!mails.is_empty() && !answers.is_empty() && parts.iter().any(|(kind, _)| kind == "bid.submitted"));
        mails.iter().for_each(|mail| assert_free("a mail to somebody else", &format!("{mail:?}"), &names));
        answers.iter().for_each(|answer| assert_free("a stored answer to somebody else", answer, &names));
        parts.iter().for_each(|(kind, part)| assert_free(&format!("part p of {kind}"), part, &names));
        for one in &seen {
            let path = one.answer.asked.as_str();
            // Who is registered is no secret to these; nothing there says who bids.
            if path.contains("/v1/organisations")
                || path.contains("/v1/users")
                || path.contains("/v1/inspection/entries")
            {
                continue;
            }
            assert_free(&format!("{path} by {}", one.who), &answer_text(&one.answer), &names);
        }
    }
});

#[track_caller]
fn assert_free(place: &str, text: &str, names: &[String]) {
    for name in names {
        assert_eq!(found_in(text, name), None, "{place} names {name}");
    }
}

/// Lines of the platform's own log.
fn platform_lines(text: &str) -> Vec<String> {
    logs::lines_with(text).into_iter().filter(|line| line.contains(" sealbid::")).collect()
}

on_both!(a_sealed_route_leaves_the_request_id_and_the_duration_in_the_log_and_nothing_else, |world| {
    let Filled { places, own, .. } = filled(world);
    let sealed: BTreeSet<&str> = OPERATIONS.iter().filter(|row| row.sealed).map(|row| row.path).collect();
    let mut answers = own;
    for pattern in sealed {
        for method in ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"] {
            // Reading questions is nobody's secret, nor how many custodians have given their shares.
            let open = ["/v1/lots/{lot}/questions", "/v1/lots/{lot}/partials"];
            if open.contains(&pattern) && method == "GET" {
                continue;
            }
            for who in ["bidder1", "bidder8", "initiator1"] {
                answers.push(world.person(who).request(method, places.fill(pattern)).key("log").send());
            }
            answers.push(world.nobody(method, places.fill(pattern)).send());
        }
    }
    for answer in &answers {
        let id = answer.header("request-id").expect("an id");
        let lines = platform_lines(id);
        assert_eq!(lines.len(), 1, "{}: {lines:?}", answer.asked);
        let (_, said) = lines[0].split_once("sealbid::http::middleware: ").unwrap_or_else(|| panic!("{}", lines[0]));
        let (start, duration) = said.split_once(" duration_ms=").unwrap_or_else(|| panic!("{said}"));
        assert_eq!(start, format!("request request.id={id}"), "{}", answer.asked);
        assert!(duration.bytes().all(|byte| byte.is_ascii_digit()), "{}: {said}", answer.asked);
    }
    for secret in [&places.bid, &places.upload, &places.entry, &places.mail] {
        assert_eq!(platform_lines(secret), Vec::<String>::new());
    }
    let open = world.nobody("GET", format!("/v1/lots/{}", places.lot)).send();
    let lines = platform_lines(open.header("request-id").expect("an id"));
    assert!(
        lines[0].contains(&places.lot) && lines[0].contains("status=200"),
        "elsewhere the log says what was asked: {lines:?}"
    );
    // What bidders ask for is not named either, whoever asks: else its number would tell how many there are.
    for (who, path) in [("bidder1", ""), ("initiator1", ""), ("bidder1", "/key-set"), ("centre", "/timeline")] {
        let asked = world.person(who).get(format!("/v1/lots/{}{path}", places.lot));
        let lines = platform_lines(asked.header("request-id").expect("an id"));
        assert!(lines.len() == 1 && !lines[0].contains(&places.lot) && !lines[0].contains("status"), "{lines:?}");
    }
});

on_both!(no_id_of_what_is_sealed_tells_its_moment, |world| {
    let Filled { places, own, .. } = filled(world);
    let ids = world.app().reader.read_blocking(|conn| {
        let mut ids: Vec<String> = bids::table.select(bids::id).load(conn)?;
        assert_eq!(ids.len(), 3);
        ids.extend(refusals::table.select(refusals::id).load::<String>(conn)?);
        ids.extend(uploads::table.filter(uploads::purpose.eq("bid")).select(uploads::id).load::<String>(conn)?);
        ids.extend(followers::table.select(followers::id).load::<String>(conn)?);
        ids.extend(outbox::table.select(outbox::id).load::<String>(conn)?);
        ids.extend(audit_entry::table.select(audit_entry::entry_id).load::<String>(conn)?);
        Ok(ids)
    });
    let ids = ids.expect("read");
    for prefix in ["bid-", "rfl-", "upl-", "fet-", "msg-", "ent-"] {
        assert!(ids.iter().any(|id| id.starts_with(prefix)), "no {prefix}");
    }
    ids.iter().for_each(|id| assert!(is_random(id), "{id} tells a time"));
    // And in what leaves the server: of all ids that an owner is told, only those of public things have a time.
    let public = ["lot-", "prj-", "org-", "usr-", "key-", "doc-", "qst-", "kst-", "ntc-"];
    for answer in &own {
        let text = answer.text();
        for id in text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .filter(|word| word.len() == 40 && word.as_bytes()[3] == b'-')
        {
            assert!(
                is_random(id) || public.iter().any(|prefix| id.starts_with(prefix)),
                "{}: {id} tells a time",
                answer.asked
            );
        }
    }
    assert!(is_random(&places.entry));
});

/// Whether an id is `xxx-` and a UUID of version 4.
fn is_random(id: &str) -> bool {
    id.len() == 40 && id.as_bytes()[4 + 14] == b'4'
}

/// The mail directory, names of messages aside.
fn mail_files(world: &World) -> Vec<(String, Vec<u8>)> {
    let level = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        if name.starts_with("msg-") { "a message".to_owned() } else { name }
    };
    let mut found: Vec<_> =
        files(&world.app().config.mail.dir).into_iter().map(|(path, bytes)| (level(path), bytes)).collect();
    found.iter_mut().filter(|(name, _)| name == "a message").for_each(|(_, bytes)| bytes.clear());
    found.sort();
    found
}

on_both!(sealed_messages_leave_no_trace_in_files_and_lists, |world| {
    world.settle();
    assert_eq!(mail_files(world).len(), 1, "the notice is there before any message");
    let story = world.lot(Category::Construction).noticed();
    world.settle();
    let (files_before, list) = (mail_files(world), "/v1/mails?limit=100");
    let before = world.admin().get(list).ok();
    let (mut body, _) = story.uploaded_bid(1, 1, PRICES[0]);
    body["notify"] = json!(true);
    story.submit(1, &body).ok();
    world.settle();
    assert_eq!(mail_files(world), files_before);
    assert_eq!(world.admin().get(list).ok(), before);
    let sealed = world.app().reader.read_blocking(|conn| {
        Ok(outbox::table.filter(outbox::sealed.eq(true)).select(outbox::id).load::<String>(conn)?)
    });
    let sealed = sealed.expect("read");
    assert_eq!(sealed.len(), 1, "there is one");
    world.admin().act(format!("/v1/mails/{}/actions/retry", sealed[0])).refused(404, "not-found");
    for n in 2..=3 {
        story.bid(n, 1, PRICES[n - 1]).ok();
    }
    story.opened();
    let after = world.admin().get(list).ok();
    let listed = after["items"]
        .as_array()
        .expect("items")
        .iter()
        .find(|item| item["id"] == sealed[0].as_str())
        .expect("listed once opened")
        .clone();
    assert_eq!((listed["recipient"].clone(), listed["state"].as_str()), (Value::Null, Some("withheld")));
});

#[test]
fn a_sealed_message_that_cannot_be_sent_is_not_in_the_log() {
    let world = World::sqlite_with(|config| {
        config.mail.transport = "smtp".into();
        config.mail.smtp_host = "127.0.0.1".into();
        // The discard port: nothing listens there.
        config.mail.smtp_port = 9;
        config.mail.smtp_security = "none".into();
    });
    let story = world.lot(Category::Construction).noticed();
    let (mut body, _) = story.uploaded_bid(1, 1, PRICES[0]);
    body["notify"] = json!(true);
    story.submit(1, &body).ok();
    world.settle();
    let rows = world.app().reader.read_blocking(|conn| {
        Ok(outbox::table
            .select((outbox::id, outbox::sealed, outbox::last_error))
            .load::<(String, bool, Option<String>)>(conn)?)
    });
    let rows = rows.expect("read");
    assert!(rows.iter().any(|(_, sealed, _)| *sealed) && rows.iter().any(|(_, sealed, _)| !sealed));
    for (id, sealed, error) in rows {
        assert!(error.is_some(), "nothing could be sent");
        assert_eq!(platform_lines(&id).is_empty(), sealed, "{:?}", platform_lines(&id));
    }
}
