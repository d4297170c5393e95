//! Construction procurements with real bids, side by side through the same days.

use serde_json::{Value, json};

use super::bidding;
use super::cast::{Cast, MATTER};
use super::comparison::{self, Evaluation, Offer};
use super::data::Contract;
use super::report::{Report, ReportedBid};
use super::{DemoError, During, Result, custody, opening, say};
use crate::client::ClientError;
use crate::kernel::money::{Currency, Money};
use crate::kernel::time::Timestamp;
use crate::stage::{Platform, parallel};

/// A day in milliseconds.
pub const DAY: i64 = 24 * 60 * 60 * 1000;
/// Days from the notice to the deadline; 20 are the least.
const DAYS_TO_DEADLINE: i64 = 21;
/// After the deadline a box closes once headers on the way have had their time.
pub const SETTLED_MS: i64 = 90_000;

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
    recommended: Option<String>,
    report: Report,
}

/// Plays all contracts, day by day. What goes wrong with one of them ends that one.
pub fn play_all(platform: &Platform, cast: &Cast, mut plays: Vec<Play>) -> Result<Vec<Report>> {
    let alone = plays.len() == 1;
    each(&mut plays, |play| play.read());
    each(&mut plays, |play| play.publish(platform, cast));
    say(format!(
        "{} construction lot(s) are registered, reviewed by the centre and published, with documents. The next day bidders register, are confirmed, fetch the documents, seal on their own side and submit.",
        plays.len()
    ));
    platform.move_to(platform.now().plus_millis(DAY))?;
    cast.invite(platform, plays.iter().flat_map(Play::bidders))?;
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
    say(
        "The deadline has passed: the boxes are closed and their envelopes unsealed; the centre reads them out, the initiator confirms and judges.",
    );
    each(&mut plays, |play| play.decrypt(platform, cast));
    platform.settle()?;
    each(&mut plays, |play| play.open_and_evaluate(cast));
    if alone {
        each(&mut plays, |play| play.verify(platform, cast));
    }
    let publicity = plays.iter().filter_map(|play| play.publicity_ends).max().unwrap_or_else(|| platform.now());
    platform.move_to(publicity.plus_millis(DAY))?;
    each(&mut plays, |play| play.award(cast));
    platform.settle()?;
    say("The publicity of the candidates is over; the contracts are awarded, the results published, the bidders told.");
    Ok(plays.into_iter().map(|play| play.report).collect())
}

/// Takes every play that is not over one step further, several at a time.
fn each(plays: &mut [Play], step: impl Fn(&mut Play) -> Result<()> + Sync) {
    parallel::each(plays, |play| {
        if !play.report.is_over()
            && let Err(error) = step(play)
        {
            play.report.fail(&error);
        }
    });
}

impl Play {
    /// A contract before its first day.
    pub fn new(contract: Contract) -> Self {
        let mut names: Vec<String> = Vec::new();
        for bid in &contract.bids {
            // One organisation has one bid: a name that comes twice stands for two bidders.
            let again = names
                .iter()
                .filter(|name| **name == bid.bidder || name.starts_with(&format!("{} #", bid.bidder)))
                .count();
            names.push(if again == 0 { bid.bidder.clone() } else { format!("{} #{}", bid.bidder, again + 1) });
        }
        let report = Report::new(&contract);
        Self {
            contract,
            names,
            offers: Vec::new(),
            currency: None,
            lot: String::new(),
            deadline: None,
            publicity_ends: None,
            recommended: None,
            report,
        }
    }

    /// The names of those who will bid.
    fn bidders(&self) -> impl Iterator<Item = String> {
        let names = if self.report.is_over() { &[] } else { self.names.as_slice() };
        names.iter().cloned()
    }

    /// Reads the amounts; a bid whose amount cannot be carried is refused by name, and the rest is played.
    fn read(&mut self) -> Result<()> {
        let known = |code: &str| Currency::parse(code).map_err(|error| DemoError::Data(format!("{code}: {error}")));
        let several = || DemoError::Data("the evaluated prices are in several currencies".into());
        let currency = known(self.contract.evaluation_currency().ok_or_else(several)?)?;
        let opening = known(&self.contract.currency)?;
        self.currency = Some(currency);
        let mut unreadable = Vec::new();
        for (index, bid) in self.contract.bids.iter().enumerate() {
            let price = bid.opening_price.as_deref().ok_or_else(|| "no opening price".to_owned());
            let price =
                price.and_then(|text| Money::parse_import(text, opening).map_err(|error| format!("{text}: {error}")));
            let evaluated = match &bid.evaluated_price {
                Some(text) if !bid.is_rejected() => {
                    Money::parse_import(text, currency).map(Some).map_err(|error| format!("{text}: {error}"))
                }
                _ => Ok(None),
            };
            let price = price.and_then(|price| {
                if price.is_positive() { Ok(price) } else { Err("a price is more than nothing".into()) }
            });
            match (price, evaluated) {
                (Ok(price), Ok(evaluated)) => {
                    self.offers.push(Offer { index, price, evaluated, sent: None, read: None })
                }
                (Err(why), _) | (_, Err(why)) => unreadable.push((index, why)),
            }
        }
        unreadable.into_iter().for_each(|(index, why)| self.leave_out(index, why));
        Ok(())
    }

    /// A bid that cannot be played. Where it was rejected anyway the ranking is not the worse for it.
    fn leave_out(&mut self, index: usize, why: String) {
        let bid = &self.contract.bids[index];
        if !bid.is_rejected() {
            self.report.mistake(format!("the bid of {} cannot be played: {why}", bid.bidder));
        }
        self.report.refused(&format!("reading the bid of {}", bid.bidder), "amount", why);
        self.report.bid(ReportedBid::without_price(&bid.bidder, "unreadable"));
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
            "key_mode": cast.mode.key_mode(),
        });
        let lot = client.register_lot(&project.id, "construction", &title, &terms).during("registering the lot")?.id;
        let text = format!("Tender documents of {title}\n招标文件\n");
        client.attach_document(&lot, "tender.txt", "text/plain", text.as_bytes()).during("attaching the documents")?;
        client.act_with_lot(&lot, "submit").during("submitting the lot to the centre")?;
        cast.centre.act_with_lot(&lot, "accept").during("the centre's review")?;
        let now = platform.now();
        let deadline = now.plus_millis(DAYS_TO_DEADLINE * DAY);
        if let Some(custody) = &cast.custody {
            custody.make_key(&cast.initiator, &lot, &project.id, deadline)?;
        }
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
        let entries: Value = cast
            .inspector
            .get(&format!("/v1/inspection/entries?matter={MATTER}&lot={}&limit=100", self.lot))
            .during("the inspector looks")?;
        let kinds: Vec<&str> =
            entries["items"].as_array().into_iter().flatten().filter_map(|entry| entry["kind"].as_str()).collect();
        if let Some(seen) = kinds.iter().find(|kind| kind.starts_with("bid.") || **kind == "document.fetched") {
            return Err(DemoError::Differs(format!("an entry of kind {seen} is visible before the opening")));
        }
        say(format!(
            "{} bids are in the box. The inspector sees {} entries of the lot, and none of them tells of a bid.",
            self.offers.len(),
            kinds.len()
        ));
        Ok(())
    }

    /// At the very millisecond of the deadline a new header is late, and its refusal is signed.
    fn come_late(&self, platform: &Platform, cast: &Cast) -> Result<()> {
        let Some((offer, sent)) = self.offers.iter().find_map(|offer| offer.sent.as_ref().map(|sent| (offer, sent)))
        else {
            return Ok(());
        };
        let player = cast.bidder(platform, &self.names[offer.index])?;
        match bidding::try_again(platform, cast, &player, &self.lot, sent)? {
            Err(ClientError::Problem(problem)) if problem.refusal.is_some() => {
                let rule = problem.rule.as_ref().map_or(String::new(), |rule| format!(", {}", rule.id));
                say(format!(
                    "At the deadline {} tries to change its price: refused ({}{rule}), with a signed refusal to keep.",
                    player.name, problem.code
                ));
                Ok(())
            }
            Err(error) => Err(DemoError::Differs(format!("a late header was not refused on record: {error}"))),
            Ok(()) => Err(DemoError::Differs("a late header was accepted".into())),
        }
    }

    /// Where the platform holds no key: custodians, and bidders with keys of their own, give their shares.
    fn decrypt(&mut self, platform: &Platform, cast: &Cast) -> Result<()> {
        let Some(custody) = &cast.custody else { return Ok(()) };
        if cast.initiator.client.lot(&self.lot).during("the lot after its deadline")?.state != "opening" {
            return Ok(());
        }
        for offer in &self.offers {
            let Some(sent) = &offer.sent else { continue };
            custody::decrypt(&*cast.bidder(platform, &self.names[offer.index])?, &self.lot, sent)?;
        }
        custody.open(&self.lot)
    }

    /// The opening, as a stranger checks it.
    fn verify(&self, platform: &Platform, cast: &Cast) -> Result<()> {
        custody::verify(platform, cast, &cast.centre, &self.lot)
    }

    /// The session, the judgements, the report and the candidates.
    fn open_and_evaluate(&mut self, cast: &Cast) -> Result<()> {
        let client = &cast.initiator.client;
        let lot = client.lot(&self.lot).during("the lot after its deadline")?;
        if lot.state == "unsuccessful" {
            for offer in &self.offers {
                self.report.bid(ReportedBid::without_price(&self.contract.bids[offer.index].bidder, "unopened"));
            }
            let cause = lot.cause.unwrap_or_default();
            self.report.end(
                "opening the box",
                &cause,
                "too few bids were received: the box stays closed for good (ENG-16)".into(),
            );
            return Ok(());
        }
        let session = opening::hold(cast, &self.lot)?;
        for offer in &mut self.offers {
            offer.read = session.bids.iter().find(|read| Some(read.bid_id.as_str()) == offer.bid_id()).cloned();
        }
        for offer in self.offers.iter().filter(|offer| offer.came_out()) {
            self.judge(cast, offer)?;
        }
        let somebody =
            self.offers.iter().any(|offer| offer.came_out() && !self.contract.bids[offer.index].is_rejected());
        if somebody {
            let lines = json!({ "lines": ["Judged as published; the source does not say why bids were rejected."] });
            client.do_with_lot(&self.lot, "complete-evaluation", &lines).during("filing the report")?;
            let lot = client
                .do_with_lot(&self.lot, "publish-candidates", &json!({ "lines": [] }))
                .during("publishing the candidates")?;
            self.publicity_ends = lot.publicity_ends_at;
        } else {
            let said = json!({ "cause": "all_rejected", "reason": "Every bid was rejected, as published." });
            client.do_with_lot(&self.lot, "declare-unsuccessful", &said).during("ending the lot")?;
        }
        let evaluation: Evaluation =
            client.get(&format!("/v1/lots/{}/evaluation", self.lot)).during("the evaluation")?;
        comparison::compare(&self.contract, &self.offers, &evaluation, &mut self.report);
        if !somebody {
            self.report.end(
                "the evaluation",
                "all_rejected",
                "every bid was rejected, as published: the lot ends without an award".into(),
            );
        }
        self.recommended = evaluation.recommended;
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
        cast.initiator
            .client
            .post::<Value>(&path, &judgement)
            .map(drop)
            .during(format!("judging the bid of {}", bid.bidder))
    }

    /// The award to the first of the ranking, and the result.
    fn award(&mut self, cast: &Cast) -> Result<()> {
        let client = &cast.initiator.client;
        let first = self.recommended.as_ref().ok_or_else(|| DemoError::Differs("nobody is recommended".into()))?;
        let lot = client.do_with_lot(&self.lot, "award", &json!({ "bid_id": first })).during("the award")?;
        if lot.award.as_ref().is_none_or(|award| award.rank != 1 || award.bid_id != *first) {
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
