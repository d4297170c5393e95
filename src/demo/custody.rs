//! Custodians of the demonstration: five people of five institutions, each a process of `sealbid custodian` with a state file of
//! its own, one of whom stays away from the opening; and at the end the opening, checked as a stranger would.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use clap::ValueEnum;

use super::bidding::Sent;
use super::cast::{Cast, PASSWORD, Player};
use super::{DemoError, During, Result, say};
use crate::client::Client;
use crate::kernel::time::Timestamp;
use crate::rules::envelopes::Round;
use crate::rules::facts::KeyMode;
use crate::seal::ceremony::{Draft, Group};
use crate::seal::ids::{Ident, UtcMillis};
use crate::seal::keyset::Profile;
use crate::stage::Platform;

/// How many of them there are, and how many open.
const MEMBERS: usize = 5;
const THRESHOLD: u8 = 3;
/// Who stays away from the opening.
const ABSENT: usize = 2;
/// The passphrase of the state files: they are gone in a moment.
const PASSPHRASE: &str = "demonstration only";

/// To whom the bids of the construction contracts are sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// To a key of the platform.
    #[default]
    Platform,
    /// To five custodians, of whom three open.
    Custodians,
    /// To the custodians and to a key of each bidder.
    Dual,
}

impl Mode {
    /// As the notice says it.
    pub const fn key_mode(self) -> KeyMode {
        match self {
            Self::Platform => KeyMode::Platform,
            Self::Custodians => KeyMode::Custodians,
            Self::Dual => KeyMode::Dual,
        }
    }
}

/// The custodians, each with a directory of its own.
pub struct Custody {
    desks: Vec<PathBuf>,
}

impl Custody {
    /// Lets each of them set up its tool. They are users of the platform already.
    pub fn assemble(platform: &Platform, logins: &[String]) -> Result<Self> {
        let mut desks = Vec::new();
        for login in logins {
            let desk = platform.directory().join("custodians").join(login);
            std::fs::create_dir_all(&desk).map_err(|error| DemoError::Data(format!("{}: {error}", desk.display())))?;
            let url = platform.url().to_string();
            ended(login, start(&desk, &["init", "--server", &url, "--login", login])?)?;
            desks.push(desk);
        }
        say(format!(
            "{} custodians of as many institutions have made their keys, each with `sealbid custodian`.",
            desks.len()
        ));
        Ok(Self { desks })
    }

    /// The logins of those who are to be custodians.
    pub fn logins() -> Vec<String> {
        (1..=MEMBERS).map(|n| format!("custodian{n}")).collect()
    }

    /// Lets them make the key of a lot that opens at `opens`, and rehearse.
    pub fn make_key(&self, initiator: &Player, lot: &str, project: &str, opens: Timestamp) -> Result<()> {
        let known = initiator.client.custodians().during("the custodians")?;
        let members = known.iter().zip(1..).map(|(custodian, i)| custodian.member(i));
        let members = members.collect::<std::result::Result<Vec<_>, _>>();
        let members = members.map_err(|error| DemoError::Data(error.to_string()))?;
        let opens_not_before =
            UtcMillis::parse(opens.to_string(), "opens").map_err(|error| DemoError::Data(error.to_string()))?;
        let group = Group { group: ident(lot)?, opens_not_before };
        let draft = Draft::new(ident(project)?, ident(lot)?, vec![group], Profile::Strict, THRESHOLD, members)
            .and_then(|draft| draft.sign(&initiator.key))
            .map_err(|error| DemoError::Data(error.to_string()))?;
        initiator.client.begin_ceremony(lot, &draft).during("beginning the ceremony")?;
        self.all(&["join", "--wait", "--yes"], None)?;
        self.all(&["rehearse"], None)?;
        say(format!(
            "In a ceremony they made a key that none of them holds: {THRESHOLD} of {MEMBERS} open. Each has shown that its share works."
        ));
        Ok(())
    }

    /// Lets them answer the opening of a lot; one stays away.
    pub fn open(&self, lot: &str) -> Result<()> {
        self.all(&["open", "--lot", lot, "--wait"], Some(ABSENT))?;
        say(format!(
            "{} custodians have given their shares for the box; custodian{} is absent.",
            MEMBERS - 1,
            ABSENT + 1
        ));
        Ok(())
    }

    /// Runs a command at every desk at once.
    fn all(&self, arguments: &[&str], absent: Option<usize>) -> Result<()> {
        let present = self.desks.iter().enumerate().filter(|(at, _)| Some(*at) != absent);
        let running = present.map(|(_, desk)| Ok((desk, start(desk, arguments)?))).collect::<Result<Vec<_>>>()?;
        for (desk, child) in running {
            ended(&desk.display().to_string(), child)?;
        }
        Ok(())
    }
}

/// Bidders who hold a key of their own give their share.
pub fn decrypt(player: &Player, lot: &str, sent: &Sent) -> Result<()> {
    let Some((sealer, envelopes)) = &sent.own else { return Ok(()) };
    let during = || format!("{} decrypts its bid", player.name);
    let list = sealer.own_partials(Round::First, envelopes, &player.key).during(during())?;
    player.client.give_partials(lot, &list).map(drop).during(during())
}

/// Fetches the bundle of an opening, keeps it, and checks it with the program that strangers have.
pub fn verify(platform: &Platform, cast: &Cast, client: &Client, lot: &str) -> Result<()> {
    let text = client.get_text(&format!("/v1/lots/{lot}/opening-bundle"), "*/*").during("the opening's bundle")?;
    let file = platform.directory().join(format!("opening-{lot}.ndjson"));
    std::fs::write(&file, text).map_err(|error| DemoError::Data(format!("{}: {error}", file.display())))?;
    let log = platform.app().log.signer().verifier().to_string();
    let arguments = ["--vkey".to_owned(), cast.verifier.clone(), "--vkey".to_owned(), log];
    let program = std::env::current_exe().map_err(|error| DemoError::Data(error.to_string()))?;
    let output = Command::new(program)
        .args(["verify", "opening"])
        .arg(&file)
        .args(&arguments)
        .output()
        .map_err(|error| DemoError::Data(error.to_string()))?;
    println!("\nverify opening {}", file.display());
    print!("{}", String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        return Err(DemoError::Differs(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    say(format!("The same elsewhere: sealbid verify opening {} {}", file.display(), quoted(&arguments)));
    Ok(())
}

fn quoted(arguments: &[String]) -> String {
    arguments
        .iter()
        .map(|one| if one.starts_with('-') { one.clone() } else { format!("'{one}'") })
        .collect::<Vec<_>>()
        .join(" ")
}

fn ident(text: &str) -> Result<Ident> {
    Ident::parse(text, "id").map_err(|error| DemoError::Data(format!("{text}: {error}")))
}

/// Starts a command of the custodians' tool at a desk.
fn start(desk: &PathBuf, arguments: &[&str]) -> Result<Child> {
    let program = std::env::current_exe().map_err(|error| DemoError::Data(error.to_string()))?;
    Command::new(program)
        .arg("custodian")
        .args(arguments)
        .current_dir(desk)
        .env("SEALBID_PASSPHRASE", PASSPHRASE)
        .env("SEALBID_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| DemoError::Data(error.to_string()))
}

fn ended(who: &str, child: Child) -> Result<()> {
    let output = child.wait_with_output().map_err(|error| DemoError::Data(format!("{who}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(DemoError::Differs(format!("{who}: {}", String::from_utf8_lossy(&output.stderr))))
}
