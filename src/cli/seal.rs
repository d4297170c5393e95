//! `sealbid seal`: a bid from files on this machine to a receipt on this machine.
//!
//! What breaks off goes on when the command is run again: an upload where it stopped, a submission whose answer was lost
//! under its old key. Contents that did not change are neither sealed nor sent again. What the server's disk has lost of the
//! bid in the box is sent again, from the ciphertext that is kept here.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::bid_file::{BidFile, KeptPart, Submission};
use super::{Failed, ask, keys};
use crate::client::sealer::{Sealer, check_receipt, envelope_json};
use crate::client::{Client, ClientError, Submitted};
use crate::clock::{Clock, SystemClock};
use crate::kernel::digest::sha256;
use crate::kernel::time::Timestamp;
use crate::rules::envelopes::Round;
use crate::seal::envelope::{Part, SignedEnvelope};
use crate::seal::keys::{SigningKey, VerifyingKey};
use crate::seal::keyset::KeySet;
use crate::seal::manifest::{BidJson, FileEntry};
use crate::seal::part_writer::describe;
use crate::tlog::note;

/// Arguments of `seal`. The access token is taken from SEALBID_TOKEN; or sign in with --login, the password being taken
/// from SEALBID_PASSWORD or from a line on standard input.
#[derive(Args)]
pub struct SealArgs {
    /// The server, such as https://bids.example.cn.
    #[arg(long, env = "SEALBID_SERVER", value_name = "URL")]
    server: String,
    /// The lot.
    #[arg(long)]
    lot: String,
    /// Your signing key, registered for your organisation.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Sign in as this user. Without it the access token is taken from SEALBID_TOKEN.
    #[arg(long)]
    login: Option<String>,
    /// The price, with exactly the currency's decimals. Without it the price sealed last is kept.
    #[arg(long, requires = "currency")]
    amount: Option<String>,
    /// Its currency.
    #[arg(long, requires = "amount")]
    currency: Option<String>,
    /// How many days the bid stays valid.
    #[arg(long, requires = "amount", value_name = "DAYS")]
    validity_days: Option<u32>,
    /// A remark.
    #[arg(long, requires = "amount")]
    note: Option<String>,
    /// A file or a whole directory of the documents; may be repeated. Without it the documents sealed last are kept.
    #[arg(long = "file", value_name = "PATH")]
    files: Vec<PathBuf>,
    /// The platform's verifier key, from a source that you trust. Without it the server's own word is taken.
    #[arg(long, value_name = "VERIFIER")]
    verifier: Option<String>,
    /// Where this bid is remembered between two runs; holds secrets. Unless said: LOT.bid.json here.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Where the receipt goes. Unless said: LOT.receipt-REVISION.json here.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Run every check of the submission, but do not submit.
    #[arg(long)]
    check: bool,
    /// Decrypt the bid in the box with its own key: during the opening, where the lot's key mode is `bidder` or `dual`. With two
    /// envelopes once in each round: what the round opens is decrypted, and the price not before the first envelope.
    #[arg(long, conflicts_with_all = ["amount", "files", "check"])]
    decrypt: bool,
}

/// What a run works with.
struct Run<'a> {
    args: &'a SealArgs,
    client: Client,
    key: SigningKey,
    verifier: String,
    sealer: Sealer,
    file: BidFile,
}

/// Seals and submits.
///
/// # Errors
/// See [`Failed`]; run it again to go on.
pub fn run(args: &SealArgs) -> Result<(), Failed> {
    let key = keys::read(&args.key)?;
    let client = ask::sign_in(&args.server, args.login.as_deref())?;
    let bidder = client.me().map_err(Failed::tried)?.org_id;
    let (verifier, platform) = platform_key(&client, args.verifier.as_deref())?;
    let sealer = Sealer::prepare(&client, &args.lot, &bidder, &platform).map_err(Failed::tried)?;
    let state = args.state.clone().unwrap_or_else(|| format!("{}.bid.json", args.lot).into());
    let mut file = BidFile::open(&state, &args.server, &args.lot)?;
    let sealer = sealer.with_own(file.own_keys()?);
    // Before anything is sealed to them: a bid whose key is lost does not open.
    if file.keep_own_keys(sealer.own_keys()) {
        file.save()?;
    }
    let mut run = Run { args, client, key, verifier, sealer, file };
    if args.decrypt {
        return run.decrypt();
    }
    run.finish_earlier()?;
    run.restore()?;
    run.seal()?;
    run.upload()?;
    run.submit()
}

/// The platform's verifier key and the key in it: the given one, or what the server says of itself.
fn platform_key(client: &Client, given: Option<&str>) -> Result<(String, VerifyingKey), Failed> {
    match given {
        Some(verifier) => {
            let bytes =
                note::public_key(verifier).ok_or_else(|| Failed::Usage("--verifier: not a verifier key".into()))?;
            let key = VerifyingKey::from_bytes(crate::seal::keys::Algorithm::EdDsa, &bytes);
            Ok((verifier.to_owned(), key.map_err(|_| Failed::Usage("--verifier: not a verifier key".into()))?))
        }
        None => {
            let said = client.platform_key().map_err(Failed::tried)?;
            eprintln!(
                "warning: the platform's key is taken from the server itself; compare it with one from elsewhere: {}",
                said.verifier
            );
            Ok((said.verifier.clone(), said.key().map_err(Failed::tried)?))
        }
    }
}

impl Run<'_> {
    /// Sends a submission again whose answer never came: it counts once.
    fn finish_earlier(&mut self) -> Result<(), Failed> {
        let Some(submission) = self.file.submission.take_if(|submission| !submission.answered) else { return Ok(()) };
        match self.client.submit_bid(&self.args.lot, &submission.envelopes, &submission.own_keys, &submission.key) {
            Ok(answer) => {
                eprintln!("the submission whose answer was lost is on record");
                self.keep_receipt(&answer, &submission.envelopes)?;
                self.file.submission = Some(Submission { answered: true, ..submission });
                self.file.save()
            }
            Err(error @ ClientError::Line(_)) => {
                self.file.submission = Some(submission);
                Err(Failed::tried(error))
            }
            // It was refused: what is wanted now decides what happens next.
            Err(error) => {
                eprintln!("the earlier submission was not taken: {error}");
                self.file.save()
            }
        }
    }

    /// Sends again what the platform's disk has lost of the bid in the box. Where that is not possible it is said, and stops
    /// nothing.
    fn restore(&self) -> Result<(), Failed> {
        let bid = self.client.own_bid(&self.args.lot).map_err(Failed::tried)?;
        for lost in bid.iter().flat_map(|bid| &bid.needs_restoration) {
            let kept = self.file.part(&lost.part).and_then(|part| part.ciphertext.as_ref());
            let restored = match kept.map(|path| (path, File::open(path))) {
                Some((_, Ok(mut source))) => {
                    self.client.restore(&lost.upload_id, &mut source).map_err(|error| error.to_string())
                }
                Some((path, Err(error))) => Err(format!("{}: {error}", path.display())),
                None => Err("its ciphertext is not on this machine".to_owned()),
            };
            match restored {
                Ok(()) => eprintln!("the server's copy of {} was damaged; what it had lost was sent again", lost.part),
                Err(why) => eprintln!("warning: the server's copy of {} is damaged, and not mended: {why}", lost.part),
            }
        }
        Ok(())
    }

    fn seal(&mut self) -> Result<(), Failed> {
        if let (Some(amount), Some(currency)) = (&self.args.amount, &self.args.currency) {
            let bid = BidJson {
                amount: amount.clone(),
                currency: currency.clone(),
                validity_days: self.args.validity_days,
                note: self.args.note.clone(),
            };
            self.seal_price(&bid)?;
        }
        if !self.args.files.is_empty() {
            self.seal_documents()?;
        }
        if self.sealer.needs_escrow() {
            self.seal_escrow()?;
        }
        match self.file.part(Part::Price.name()) {
            Some(_) => Ok(()),
            None => Err(Failed::Usage("give --amount and --currency: there is no sealed price yet".into())),
        }
    }

    fn seal_price(&mut self, bid: &BidJson) -> Result<(), Failed> {
        let content = sha256(&bid.to_bytes());
        if self.file.part(Part::Price.name()).is_some_and(|part| part.content == content) {
            return Ok(());
        }
        let (payload, ciphertext) = self.sealer.seal_price(Part::Price, bid).map_err(Failed::tried)?;
        let path = self.file.beside("price.sealed");
        fs::write(&path, ciphertext).map_err(|error| Failed::file(&path, error))?;
        self.file.replace(KeptPart::new(Part::Price.name(), content, &payload, path, crate::client::new_key()));
        self.file.save()
    }

    /// The bid's own key, for the custodians, in case that this machine does not come to decrypt.
    fn seal_escrow(&mut self) -> Result<(), Failed> {
        let kid = self.sealer.own(Round::First).map(|own| own.key_set().kid.to_string()).unwrap_or_default();
        let content = sha256(kid.as_bytes());
        if self.file.part(Part::Escrow.name()).is_some_and(|part| part.content == content) {
            return Ok(());
        }
        let (payload, ciphertext) = self.sealer.seal_escrow().map_err(Failed::tried)?;
        let path = self.file.beside("escrow.sealed");
        fs::write(&path, ciphertext).map_err(|error| Failed::file(&path, error))?;
        self.file.replace(KeptPart::new(Part::Escrow.name(), content, &payload, path, crate::client::new_key()));
        self.file.save()
    }

    fn seal_documents(&mut self) -> Result<(), Failed> {
        let found = collect(&self.args.files)?;
        let bar =
            progress("reading", found.iter().map(|(_, path)| fs::metadata(path).map_or(0, |data| data.len())).sum());
        let mut files: Vec<FileEntry> = Vec::new();
        for (name, path) in &found {
            let file = File::open(path).map_err(|error| Failed::file(path, error))?;
            files.push(describe(name, bar.wrap_read(file)).map_err(|error| Failed::file(path, error))?);
        }
        bar.finish_and_clear();
        let content = sha256(serde_json::to_string(&files).map_err(Failed::tried)?.as_bytes());
        if self.file.part(Part::Documents.name()).is_some_and(|part| part.content == content) {
            return Ok(());
        }
        let path = self.file.beside("documents.sealed");
        let out = File::create(&path).map_err(|error| Failed::file(&path, error))?;
        let bar = progress("sealing", files.iter().map(|file| file.len).sum());
        let open = |entry: &FileEntry| {
            let source = found.iter().find(|(name, _)| *name == entry.path).map(|(_, path)| path);
            Ok(bar.wrap_read(File::open(source.ok_or_else(|| std::io::Error::other("not among the files"))?)?))
        };
        let payload = self.sealer.seal_documents(files, open, BufWriter::new(out)).map_err(Failed::tried)?;
        bar.finish_and_clear();
        self.file.replace(KeptPart::new(Part::Documents.name(), content, &payload, path, crate::client::new_key()));
        self.file.save()
    }

    fn upload(&mut self) -> Result<(), Failed> {
        for index in 0..self.file.parts.len() {
            let part = &self.file.parts[index];
            let Some(path) = part.ciphertext.clone().filter(|_| !part.uploaded) else { continue };
            let mut source = File::open(&path).map_err(|error| Failed::file(&path, error))?;
            let bar = progress(&format!("uploading {}", part.part), part.size_bytes);
            let (payload, kind) = (part.payload(), Part::parse(&part.part).map_err(Failed::tried)?);
            let uploaded = self
                .sealer
                .upload(&self.client, kind, &payload, &mut source, &part.upload_key, &|there| bar.set_position(there));
            bar.finish_and_clear();
            uploaded.map_err(|error| {
                Failed::tried(format!("{error}\nRun the same command again: it goes on where it stopped."))
            })?;
            self.file.parts[index].uploaded = true;
            self.file.save()?;
        }
        Ok(())
    }

    fn submit(&mut self) -> Result<(), Failed> {
        let last = self.client.own_bid(&self.args.lot).map_err(Failed::tried)?;
        let in_force =
            last.as_ref().is_some_and(|bid| bid.state.as_deref() == Some("submitted") && !bid.needs_confirmation);
        if in_force && self.file.submission.as_ref().is_some_and(|submission| submission.answered) {
            eprintln!("nothing has changed: the bid in the box is this one");
            return Ok(());
        }
        let rev = last.and_then(|bid| bid.rev).map_or(1, |rev| rev.saturating_add(1));
        let mut envelopes = Vec::new();
        for part in &self.file.parts {
            let kind = Part::parse(&part.part).map_err(Failed::tried)?;
            let header =
                self.sealer.header(&self.key, kind, &part.payload(), rev, SystemClock.now()).map_err(Failed::tried)?;
            envelopes.push(envelope_json(&header).map_err(Failed::tried)?);
        }
        let own_keys = self.sealer.own_keys_json(&self.key).map_err(Failed::tried)?;
        if self.args.check {
            self.client.check_bid(&self.args.lot, &envelopes, &own_keys).map_err(Failed::tried)?;
            eprintln!("every check holds; nothing was submitted");
            return Ok(());
        }
        let key = crate::client::new_key();
        let (sent, own) = (envelopes.clone(), own_keys.clone());
        self.file.submission = Some(Submission { envelopes: sent, own_keys: own, key: key.clone(), answered: false });
        self.file.save()?;
        let answer = match self.client.submit_bid(&self.args.lot, &envelopes, &own_keys, &key) {
            Ok(answer) => answer,
            Err(ClientError::Problem(problem)) => {
                self.keep_refusal(problem.refusal.as_ref())?;
                self.file.submission = None;
                self.file.save()?;
                return Err(Failed::tried(problem));
            }
            Err(error) => {
                return Err(Failed::tried(format!("{error}\nRun the same command again: the bid counts once.")));
            }
        };
        let kept = self.keep_receipt(&answer, &envelopes)?;
        self.file.submission = Some(Submission { envelopes, own_keys, key, answered: true });
        self.file.save()?;
        println!("{}", json!({ "bid_id": answer.bid_id, "rev": answer.rev, "state": answer.state, "receipt": kept }));
        eprintln!(
            "the bid is in the box, and the receipt holds; keep {}, {} and, until the opening, the sealed files here: if the \
             server loses some of them, the same command sends it again",
            kept.display(),
            self.args.key.display()
        );
        Ok(())
    }

    /// Gives the bidder's share of the decryption of the bid that was submitted last, of what the present round opens.
    fn decrypt(&mut self) -> Result<(), Failed> {
        let usage = |why: &str| Failed::Usage(format!("--decrypt: {why}"));
        let submission = self.file.submission.as_ref().ok_or_else(|| usage("this file knows of no submitted bid"))?;
        let envelopes: Vec<SignedEnvelope> = submission
            .envelopes
            .iter()
            .map(|value| SignedEnvelope::from_value(value).map_err(Failed::tried))
            .collect::<Result<_, _>>()?;
        let round = self.client.opening_round(&self.args.lot).map_err(Failed::tried)?;
        if let Some(own) = self.sealer.own(round) {
            is_due(own.key_set(), SystemClock.now()).map_err(|why| usage(&why))?;
        }
        let list = self.sealer.own_partials(round, &envelopes, &self.key).map_err(Failed::tried)?;
        // Which round it is, the server says. Whoever has given nothing for the first was not judged by it, and a server that asks
        // for a price so early asks too early.
        if !self.file.answers(round) {
            return Err(usage("the price is asked for, and this file knows of no answer for the first envelope"));
        }
        self.file.save()?;
        let answer = self.client.give_partials(&self.args.lot, &list).map_err(Failed::tried)?;
        println!("{answer}");
        eprintln!("your share of the decryption was taken: {}", round.title().en);
        Ok(())
    }

    /// Checks a receipt against the platform's key and what was sent, and stores it.
    fn keep_receipt(&self, answer: &Submitted, envelopes: &[Value]) -> Result<PathBuf, Failed> {
        let named = || format!("{}.receipt-{}.json", self.args.lot, answer.rev).into();
        let path = self.args.receipt.clone().unwrap_or_else(named);
        store(&path, &answer.receipt)?;
        check_receipt(&answer.receipt, &self.verifier, envelopes).map_err(|why| {
            Failed::tried(format!(
                "the answer's receipt does not hold ({why}); it is in {}: ask the trading centre at once",
                path.display()
            ))
        })?;
        Ok(path)
    }

    fn keep_refusal(&self, refusal: Option<&Value>) -> Result<(), Failed> {
        let Some(refusal) = refusal else { return Ok(()) };
        let path: PathBuf = format!("{}.refusal.json", self.args.lot).into();
        store(&path, refusal)?;
        eprintln!("the refusal is on record; its signed receipt is in {}", path.display());
        Ok(())
    }
}

fn store(path: &Path, value: &Value) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(value).map_err(Failed::tried)?;
    fs::write(path, text + "\n").map_err(|error| Failed::file(path, error))
}

/// The files under the given paths, with the names they get in the bid, in the order of these names.
fn collect(paths: &[PathBuf]) -> Result<Vec<(String, PathBuf)>, Failed> {
    let mut found = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| Failed::Usage(format!("{}: no name", path.display())))?;
        walk(path, name, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn walk(path: &Path, name: &str, found: &mut Vec<(String, PathBuf)>) -> Result<(), Failed> {
    let failed = |error: std::io::Error| Failed::file(path, error);
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        found.push((name.to_owned(), path.to_owned()));
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let file_name = entry.file_name();
        let inner = file_name.to_str().ok_or_else(|| Failed::file(&entry.path(), "the name is not text"))?;
        walk(&entry.path(), &format!("{name}/{inner}"), found)?;
    }
    Ok(())
}

fn progress(what: &str, bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:24} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    let bar = ProgressBar::new(bytes).with_message(what.to_owned());
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

/// Whether a key may be used by this machine's own clock. The key itself says when: a server that asks earlier gets nothing.
fn is_due(own: &KeySet, now: Timestamp) -> Result<(), String> {
    let (opens, now) = (own.opens_not_before.as_str(), now.to_string());
    if opens <= now.as_str() {
        return Ok(());
    }
    Err(format!("this bid opens at {opens}, and by this machine's clock it is {now}: nothing was given"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::ids::{Ident, UtcMillis};
    use crate::seal::keyset::{KeySetKind, KeySetSubject, KeyShare, Profile};

    #[test]
    fn a_directory_is_taken_whole_under_its_own_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().join("bid");
        fs::create_dir_all(root.join("b")).expect("made");
        for name in ["b/2.txt", "a.txt"] {
            fs::write(root.join(name), name).expect("written");
        }
        let found = collect(&[root]).expect("readable");
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bid/a.txt", "bid/b/2.txt"]);
    }

    #[test]
    fn a_key_is_not_used_before_its_time_whatever_a_server_asks() {
        let ident = |text| Ident::parse(text, "id").expect("an id");
        let opens_not_before = UtcMillis::parse("2026-12-24T01:00:00.000Z", "opens").expect("a time");
        let (tender, group) = (ident("prj-1"), ident("lot-1"));
        let subject = KeySetSubject { tender, group, opens_not_before, profile: Profile::Strict };
        let own = KeyShare::generate(KeySetKind::Bidder, subject).expect("random numbers");
        let at = |text: &str| is_due(own.key_set(), text.parse().expect("a time"));
        assert_eq!(at("2026-12-24T01:00:00.000Z"), Ok(()));
        let early = at("2026-12-24T00:59:59.999Z").expect_err("too early");
        assert!(early.contains("2026-12-24T01:00:00.000Z") && early.contains("00:59:59.999"), "{early}");
    }
}
