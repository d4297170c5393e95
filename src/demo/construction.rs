//! Construction procurements with real bids, side by side through the same days.

use serde::Deserialize;
use serde_json::{Value, json};

use super::bidding::{self, Sent};
use super::cast::Cast;
use super::data::Contract;
use super::platform::Platform;
use super::report::Report;
use super::{DemoError, During, Result, opening, say};
use crate::client::ClientError;
use crate::kernel::money::{Currency, Money};
use crate::kernel::time::Timestamp;

/// Threads that play: the machine has at least two cores.
const THREADS: usize = 2;
/// A day in milliseconds.
pub const DAY: i64 = 24 * 60 * 60 * 1000;
/// Days from the notice to the deadline; 20 are the least.
const DAYS_TO_DEADLINE: i64 = 21;
/// After the deadline a box closes once headers on the way have had their time.
pub const SETTLED_MS: i64 = 90_000;

/// A bid of the data whose amounts could be read.
struct Offer {
    /// Its place in the contract.
    index: usize,
    price: Money,
    /// The price that counts, where the data says one.
    evaluated: Option<Money>,
    sent: Option<Sent>,
}

/// A contract being played.
pub struct Play {
    contract: Contract,
    /// The name of each bidder in this run, by place.
    names: Vec<String>,
    offers: Vec<Offer>,
    currency: Option<Currency>,
    lot: String,
    deadline: Option<Timestamp>,
    publicity_ends: Option<Timestamp>,
    report: Report,
}

/// A bid in the platform's evaluation.
#[derive(Deserialize)]
struct EvaluatedBid {
    bid_id: String,
    rank: Option<u32>,
    code: Option<String>,
    counted_price: Option<Money>,
}

#[derive(Deserialize)]
struct Evaluation {
    bids: Vec<EvaluatedBid>,
    recommended: Option<String>,
}

/// Plays all contracts, day by day. What goes wrong with one of them ends that one.
pub fn play_all(platform: &Platform, cast: &Cast, mut plays: Vec<Play>) -> Result<Vec<Report>> {
    let alone = plays.len() == 1;
    each(&mut plays, |play| play.read());
    each(&mut plays, |play| play.publish(platform, cast));
    say(format!("{} construction lot(s) are registered, reviewed by the centre and published, with documents. The next day bidders register, are confirmed, fetch the documents, seal on their own side and submit.", plays.len()));
    platform.move_to(platform.now().plus_millis(DAY))?;
    each(&mut plays, |play| play.submit(platform, cast));
    if alone {
        each(&mut plays, |play| play.nothing_shows(cast));
    }
    let deadline = plays.iter().filter_map(|play| play.deadline).max().unwrap_or_else(|| platform.now());
    platform.move_to(deadline)?;
    if alone {
        each(&mut plays, |play| play.come_late(platform, cast));
    }
    platform.move_to(deadline.plus_millis(SETTLED_MS))?;
    say("The deadline has passed: the boxes are closed and their envelopes unsealed; the centre reads them out, the initiator confirms and judges.");
    each(&mut plays, |play| play.open_and_evaluate(cast));
    let publicity = plays.iter().filter_map(|play| play.publicity_ends).max().unwrap_or_else(|| platform.now());
    platform.move_to(publicity.plus_millis(DAY))?;
    each(&mut plays, |play| play.award(cast));
    platform.settle()?;
    say("The publicity of the candidates is over; the contracts are awarded, the results published, the bidders told.");
    Ok(plays.into_iter().map(|play| play.report).collect())
}

/// Takes every play that is not over one step further, a few at a time.
fn each(plays: &mut [Play], step: impl Fn(&mut Play) -> Result<()> + Sync) {
    let share = plays.len().div_ceil(THREADS).max(1);
    std::thread::scope(|scope| {
        for part in plays.chunks_mut(share) {
            let step = &step;
            scope.spawn(move || {
                for play in part.iter_mut().filter(|play| !play.report.is_over()) {
                    if let Err(error) = step(play) {
                        play.report.fail(&error);
                    }
                }
            });
        }
    });
}

impl Play {
    /// A contract before its first day.
    pub fn new(contract: Contract) -> Self {
        let mut names: Vec<String> = Vec::new();
        for bid in &contract.bids {
            // One organisation has one bid: a name that comes twice stands for two bidders.
            let again = names.iter().filter(|name| **name == bid.bidder || name.starts_with(&format!("{} #", bid.bidder))).count();
            names.push(if again == 0 { bid.bidder.clone() } else { format!("{} #{}", bid.bidder, again + 1) });
        }
        let report = Report::new(&contract);
        let lot = String::new();
        Self { contract, names, offers: Vec::new(), currency: None, lot, deadline: None, publicity_ends: None, report }
    }

    /// Reads the amounts; a bid whose amount cannot be carried is refused by name, and the rest is played.
    fn read(&mut self) -> Result<()> {
        let unreadable = |what: &str, why: String| DemoError::Data(format!("{what}: {why}"));
        let code = self.contract.evaluation_currency().ok_or_else(|| unreadable("evaluated prices", "in several currencies".into()))?;
        let currency = Currency::parse(code).map_err(|error| unreadable(code, error.to_string()))?;
        let opening = Currency::parse(&self.contract.currency).map_err(|error| unreadable(&self.contract.currency, error.to_string()))?;
        self.currency = Some(currency);
        for (index, bid) in self.contract.bids.iter().enumerate() {
            let price = bid.opening_price.as_deref().ok_or_else(|| "no opening price".to_owned());
            let price = price.and_then(|text| Money::parse_import(text, opening).map_err(|error| format!("{text}: {error}")));
            let evaluated = match &bid.evaluated_price {
                Some(text) if !bid.is_rejected() => Money::parse_import(text, currency).map(Some).map_err(|error| format!("{text}: {error}")),
                _ => Ok(None),
            };
            match (price, evaluated) {
                (Ok(price), Ok(evaluated)) => self.offers.push(Offer { index, price, evaluated, sent: None }),
                (Err(why), _) | (_, Err(why)) => {
                    self.report.refused(&format!("reading the bid of {}", bid.bidder), "amount", why.clone());
                    self.report.mistake(format!("the bid of {} cannot be played: {why}", bid.bidder));
                }
            }
        }
        Ok(())
    }

    fn currency(&self) -> Result<Currency> {
        self.currency.ok_or_else(|| DemoError::Data("no currency".into()))
    }

    /// A disclosed ceiling well above all bids: the data names none, and the edition demands one.
    fn ceiling(&self) -> Result<Money> {
        let currency = self.currency()?;
        let amounts = self.offers.iter().flat_map(|offer| [Some(offer.price), offer.evaluated]).flatten();
        let highest = amounts.filter(|money| money.currency() == currency).map(Money::minor).max().unwrap_or(1);
        Ok(Money::from_minor(highest.saturating_mul(2).max(1), currency))
    }

    /// From registration to the notice.
    fn publish(&mut self, platform: &Platform, cast: &Cast) -> Result<()> {
        let client = &cast.initiator.client;
        let number = &self.contract.contract;
        let place = self.contract.country.as_deref().unwrap_or("unknown");
        let title = format!("{number} ({place})");
        let project = json!({ "code": number, "name": title, "description": "A procurement out of published data.", "approval_number": number });
        let project = client.register_project(&project).during("registering the project")?;
        let terms = json!({
            "description": "Played with the bids that were published; ceiling and dates are invented.",
            "currency": self.currency()?, "approval_number": number, "no_dispute_declared": true, "ceiling": self.ceiling()?,
        });
        let lot = client.register_lot(&project.id, "construction", &title, &terms).during("registering the lot")?.id;
        let text = format!("Tender documents of {title}\n招标文件\n");
        client.attach_document(&lot, "tender.txt", "text/plain", text.as_bytes()).during("attaching the documents")?;
        client.act_with_lot(&lot, "submit").during("submitting the lot to the centre")?;
        cast.centre.act_with_lot(&lot, "accept").during("the centre's review")?;
        let now = platform.now();
        let deadline = now.plus_millis(DAYS_TO_DEADLINE * DAY);
        let schedule = json!({ "doc_issue_start_at": now, "doc_issue_end_at": now.plus_millis(7 * DAY), "deadline_at": deadline, "opens_at": deadline });
        client.do_with_lot(&lot, "publish", &schedule).during("publishing the notice")?;
        (self.lot, self.deadline) = (lot, Some(deadline));
        Ok(())
    }

    /// Every bidder, in the order of the data.
    fn submit(&mut self, platform: &Platform, cast: &Cast) -> Result<()> {
        for offer in &mut self.offers {
            let player = cast.bidder(platform, &self.names[offer.index])?;
            fetch_documents(&player.client, &self.lot)?;
            platform.tick();
            offer.sent = Some(bidding::bid(platform, cast, &player, &self.lot, offer.price)?);
        }
        Ok(())
    }

    /// Before the opening nobody can see that there are bids, the inspector included.
    fn nothing_shows(&self, cast: &Cast) -> Result<()> {
        let entries: Value = cast.inspector.get(&format!("/v1/inspection/entries?lot={}&limit=100", self.lot)).during("the inspector looks")?;
        let kinds: Vec<&str> = entries["items"].as_array().into_iter().flatten().filter_map(|entry| entry["kind"].as_str()).collect();
        if let Some(seen) = kinds.iter().find(|kind| kind.starts_with("bid.") || **kind == "document.fetched") {
            return Err(DemoError::Differs(format!("an entry of kind {seen} is visible before the opening")));
        }
        say(format!("{} bids are in the box. The inspector sees {} entries of the lot, and none of them tells of a bid.", self.offers.len(), kinds.len()));
        Ok(())
    }

    /// At the very millisecond of the deadline a new header is late, and its refusal is signed.
    fn come_late(&self, platform: &Platform, cast: &Cast) -> Result<()> {
        let Some((offer, sent)) = self.offers.iter().find_map(|offer| offer.sent.as_ref().map(|sent| (offer, sent))) else { return Ok(()) };
        let player = cast.bidder(platform, &self.names[offer.index])?;
        match bidding::try_again(platform, cast, &player, &self.lot, sent)? {
            Err(ClientError::Problem(problem)) if problem.refusal.is_some() => {
                let rule = problem.rule.as_ref().map_or(String::new(), |rule| format!(", {}", rule.id));
                say(format!("At the deadline {} tries to change its price: refused ({}{rule}), with a signed refusal to keep.", player.name, problem.code));
                Ok(())
            }
            Err(error) => Err(DemoError::Differs(format!("a late header was not refused on record: {error}"))),
            Ok(()) => Err(DemoError::Differs("a late header was accepted".into())),
        }
    }

    /// The session, the judgements, the report and the candidates.
    fn open_and_evaluate(&mut self, cast: &Cast) -> Result<()> {
        let client = &cast.initiator.client;
        let lot = client.lot(&self.lot).during("the lot after its deadline")?;
        if lot.state == "unsuccessful" {
            for offer in &self.offers {
                self.report.bid(&self.contract.bids[offer.index].bidder, "unopened", None, None, None);
            }
            let cause = lot.cause.unwrap_or_default();
            self.report.end("opening the box", &cause, "too few bids were received: the box stays closed for good (ENG-16)".into());
            return Ok(());
        }
        let session = opening::hold(cast, &self.lot)?;
        let mut opened = Vec::new();
        for offer in &self.offers {
            let read = offer.sent.as_ref().and_then(|sent| session.bids.iter().find(|read| read.bid_id == sent.bid_id));
            let name = &self.contract.bids[offer.index].bidder;
            match read {
                Some(read) if read.outcome == "opened" && read.price == Some(offer.price) => opened.push(offer),
                Some(read) => self.report.mistake(format!("{name} sealed {} and {:?} was read out ({})", offer.price, read.price, read.outcome)),
                None => self.report.mistake(format!("the bid of {name} was not read out")),
            }
        }
        for offer in &opened {
            self.judge(cast, offer)?;
        }
        let lines = json!({ "lines": ["Judged as published; the source does not say why bids were rejected."] });
        client.do_with_lot(&self.lot, "complete-evaluation", &lines).during("filing the report")?;
        let lot = client.do_with_lot(&self.lot, "publish-candidates", &json!({ "lines": [] })).during("publishing the candidates")?;
        self.publicity_ends = lot.publicity_ends_at;
        let evaluation: Evaluation = client.get(&format!("/v1/lots/{}/evaluation", self.lot)).during("the evaluation")?;
        self.compare(&session.bids, &evaluation);
        Ok(())
    }

    fn judge(&self, cast: &Cast, offer: &Offer) -> Result<()> {
        let bid = &self.contract.bids[offer.index];
        let Some(sent) = &offer.sent else { return Ok(()) };
        let judgement = if bid.is_rejected() {
            json!({ "decision": "rejected", "code": "not_responsive", "reason": "Rejected, as published." })
        } else if let Some(evaluated) = offer.evaluated.filter(|evaluated| *evaluated != offer.price) {
            json!({ "decision": "responsive", "evaluated_price": evaluated, "reason": "The evaluated price, as published." })
        } else {
            json!({ "decision": "responsive" })
        };
        let path = format!("/v1/bids/{}/actions/evaluate", sent.bid_id);
        cast.initiator.client.post::<Value>(&path, &judgement).map(drop).during(format!("judging the bid of {}", bid.bidder))
    }

    /// What the platform made of the bids against what the published prices make of them.
    fn compare(&mut self, read: &[opening::ReadOut], evaluation: &Evaluation) {
        let of = |id: &str| self.offers.iter().find(|offer| offer.sent.as_ref().is_some_and(|sent| sent.bid_id == id));
        let name = |id: &str| of(id).map(|offer| self.contract.bids[offer.index].bidder.clone()).unwrap_or_default();
        let mut ranked: Vec<&EvaluatedBid> = evaluation.bids.iter().filter(|bid| bid.rank.is_some()).collect();
        ranked.sort_by_key(|bid| bid.rank);
        let names: Vec<String> = ranked.iter().map(|bid| name(&bid.bid_id)).collect();
        let mut expected: Vec<&Offer> = self.offers.iter().filter(|offer| !self.contract.bids[offer.index].is_rejected()).collect();
        // Bids were submitted in the order of the data: between equal prices the earlier one stands first.
        expected.sort_by_key(|offer| (offer.evaluated.unwrap_or(offer.price).minor(), offer.index));
        let expected: Vec<String> = expected.iter().map(|offer| self.contract.bids[offer.index].bidder.clone()).collect();
        let recommended = evaluation.recommended.as_deref().map(name);
        let first_price = ranked.first().and_then(|bid| bid.counted_price);
        let tied = ranked.iter().filter(|bid| bid.counted_price == first_price).count() > 1;
        let rows: Vec<_> = self
            .offers
            .iter()
            .filter_map(|offer| {
                let id = &offer.sent.as_ref()?.bid_id;
                let judged = evaluation.bids.iter().find(|bid| bid.bid_id == *id);
                let outcome = read.iter().find(|read| read.bid_id == *id)?;
                let counted = judged.and_then(|bid| bid.counted_price).map(|money| money.to_string());
                Some((name(id), outcome.clone(), judged.and_then(|bid| bid.code.clone()), counted))
            })
            .collect();
        for (name, outcome, code, counted) in rows {
            self.report.bid(&name, &outcome.outcome, outcome.price, code, counted);
        }
        if names != expected {
            self.report.mistake(format!("the ranking is {names:?}, and the published prices make it {expected:?}"));
        }
        if recommended.as_ref() != names.first() {
            self.report.mistake(format!("recommended is {recommended:?}, and not the first of the ranking"));
        }
        if tied {
            self.report.remark("the first place is tied: the earlier submission stands first".into());
        }
        self.report.ranked(names);
        self.compare_award(tied);
    }

    fn compare_award(&mut self, tied: bool) {
        let (ours, theirs) = (self.report.recommended().map(str::to_owned), self.contract.awardee().map(str::to_owned));
        match (self.contract.awarded_is_lowest_evaluated, ours == theirs) {
            (_, true) => self.report.remark("the historical award is the platform's".into()),
            (Some(true), false) if tied => self.report.remark("the historical award went to another bid of the same price".into()),
            (Some(true), false) => self.report.mistake(format!("the award went to {theirs:?}, and the platform recommends {ours:?}")),
            (Some(false) | None, false) => {
                self.report.remark("the historical award differs: it did not go to the lowest evaluated bid".into());
            }
        }
    }

    /// The award to the first of the ranking, and the result.
    fn award(&mut self, cast: &Cast) -> Result<()> {
        let client = &cast.initiator.client;
        let first = self.report.recommended().and_then(|name| self.offers.iter().find(|offer| self.contract.bids[offer.index].bidder == name));
        let Some(sent) = first.and_then(|offer| offer.sent.as_ref()) else { return Ok(()) };
        let lot = client.do_with_lot(&self.lot, "award", &json!({ "bid_id": sent.bid_id })).during("the award")?;
        if lot.award.as_ref().is_none_or(|award| award.rank != 1 || award.bid_id != sent.bid_id) {
            self.report.mistake(format!("the award is {:?}", lot.award));
        }
        client.do_with_lot(&self.lot, "publish-result", &json!({ "lines": [] })).during("publishing the result")?;
        Ok(())
    }
}

/// Fetches the documents of a lot, as every bidder does.
pub fn fetch_documents(client: &crate::client::Client, lot: &str) -> Result<()> {
    let page: Value = client.get(&format!("/v1/lots/{lot}/documents")).during("the list of documents")?;
    for document in page["items"].as_array().into_iter().flatten() {
        let id = document["id"].as_str().unwrap_or_default();
        client.get_text(&format!("/v1/documents/{id}/content"), "*/*").during("fetching a document")?;
    }
    Ok(())
}
