//! Witnesses of the log: some are down, one lies, one remembers more than the platform does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use sealbid::clock::SystemClock;
use sealbid::faults::Faults;
use sealbid::log::publisher::{Means, Ticked};
use sealbid::log::signer::file::FileSigner;
use sealbid::log::{Log, Settings};
use sealbid::seal::keys::{Algorithm, SigningKey};
use sealbid::tlog::note::{Kind, Verifier};
use sealbid::witness::Witness;
use sealbid::witness::key::WitnessKey;
use sealbid::witness::state::States;

use crate::on_both;
use crate::support::loglab::{check_whole, head, is_halted, note, restore_old};
use crate::support::world::World;

/// A witness in a thread of its own.
struct Running {
    name: String,
    vkey: String,
    address: SocketAddr,
    handle: ServerHandle,
    _dir: tempfile::TempDir,
}

impl Running {
    fn start(name: &str, log: &Verifier) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let key = SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
        let key = WitnessKey::new(key, &format!("{name}.example/w")).expect("a key");
        let states = States::open(dir.path()).expect("made");
        let witness = Witness::open(key, vec![log.clone()], states, Arc::new(SystemClock)).expect("opened");
        let vkey = witness.verifier().to_string();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (tell, told) = std::sync::mpsc::channel();
        let witness = actix_web::web::Data::new(witness);
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = sealbid::witness::server::start(witness, listener).expect("started");
                tell.send(server.handle()).expect("the test waits");
                server.await.expect("ends well");
            });
        });
        Self { name: name.to_owned(), vkey, address, handle: told.recv().expect("started"), _dir: dir }
    }

    fn line(&self) -> String {
        format!("witness {} {} http://{}\n", self.name, self.vkey, self.address)
    }

    /// Its line, with an address where nobody answers.
    fn line_of_one_that_is_away(&self) -> String {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        format!("witness {} {} http://127.0.0.1:{port}\n", self.name, self.vkey)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// The world's log, as it is grown under a policy.
fn log(world: &World, witnesses: &str, quorum: &str) -> Log {
    let settings = world.app().log.settings().clone();
    let signer = FileSigner::open(&world.dir().join("signer"), &settings.origin).expect("opened");
    let settings = Settings { witnesses: Some(format!("{witnesses}{quorum}")), ..settings };
    Log::open(settings, world.app().config.audit.dir.clone(), Box::new(signer)).expect("opened")
}

fn tick(world: &World, log: &Log) -> Result<Ticked, sealbid::ledger::Error> {
    let app = world.app();
    log.tick(&Means { ledger: &app.ledger, reader: &app.reader, faults: &Faults::default(), clock: &SystemClock })
}

const TWO_OF_THREE: &str = "group g 2 a b c\nquorum g\n";

on_both!(a_checkpoint_is_published_with_enough_witnesses_and_not_with_fewer, |world| {
    world.settle();
    let key = world.app().log.signer().verifier().clone();
    let [a, b, c] = ["a", "b", "c"].map(|name| Running::start(name, &key));
    let all = log(world, &format!("{}{}{}", a.line(), b.line(), c.line()), TWO_OF_THREE);
    note(world, "all");
    let published = |ticked| match ticked {
        Ok(Ticked::Published(size)) => size,
        other => panic!("{other:?}"),
    };
    published(tick(world, &all));
    let cosigned = |log: &Log| {
        let (_, text) = log.directory().checkpoint().expect("read").expect("published");
        log.policy().check(&text).expect("the quorum is met").witnesses.len()
    };
    assert_eq!(cosigned(&all), 3);

    let one_away = log(world, &format!("{}{}{}", a.line(), b.line(), c.line_of_one_that_is_away()), TWO_OF_THREE);
    note(world, "one away");
    published(tick(world, &one_away));
    assert_eq!(cosigned(&one_away), 2);

    let two = format!("{}{}{}", a.line(), b.line_of_one_that_is_away(), c.line_of_one_that_is_away());
    let two_away = log(world, &two, TWO_OF_THREE);
    let before = head(world).published_size;
    for name in ["first", "second", "third"] {
        note(world, &format!("two away, {name}"));
        assert_eq!(tick(world, &two_away).expect("a tick"), Ticked::Unwitnessed);
    }
    assert_eq!(head(world).published_size, before, "nothing is published");
    assert!(head(world).size > before && is_halted(world).is_none(), "and everything is accepted and signed");
    // Back again, they catch up in one checkpoint.
    let size = published(tick(world, &log(world, &format!("{}{}{}", a.line(), b.line(), c.line()), TWO_OF_THREE)));
    assert_eq!(i64::try_from(size).expect("a size"), head(world).size);
    check_whole(world.app());
});

/// Answers every question with the same lines.
fn liar(lines: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().take(10) {
            let Ok(mut stream) = stream else { continue };
            let mut buffer = [0; 8192];
            let _ = stream.read(&mut buffer);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", lines.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(lines.as_bytes()));
        }
    });
    address
}

on_both!(a_forged_cosignature_and_one_of_an_unknown_key_count_for_nothing, |world| {
    world.settle();
    let key = world.app().log.signer().verifier().clone();
    let a = Running::start("a", &key);
    let forger = SigningKey::generate(Algorithm::EdDsa).expect("random numbers");
    let forger = Verifier::new("b.example/w", Kind::Cosignature, &forger.verifying_key().to_bytes()).expect("a key");
    let unknown = Verifier::new("z.example/w", Kind::Cosignature, &[9; 32]).expect("a key");
    let lies = [forger.line(&[7; 72]), unknown.line(&[7; 72]), "nonsense\n".to_owned(), String::new()];
    for (n, lines) in lies.into_iter().enumerate() {
        note(world, &format!("lie-{n}"));
        let b = format!("witness b {forger} http://{}\n", liar(lines));
        let both = log(world, &format!("{}{b}", a.line()), "group g all a b\nquorum g\n");
        assert_eq!(tick(world, &both).expect("a tick"), Ticked::Unwitnessed);
        let any = log(world, &format!("{}{b}", a.line()), "group g any a b\nquorum g\n");
        assert!(matches!(tick(world, &any).expect("a tick"), Ticked::Published(_)), "one that is honest is enough");
    }
    assert_eq!(is_halted(world), None);
});

on_both!(a_witness_remembers_what_database_signer_and_files_have_forgotten, |world| {
    note(world, "kept");
    world.settle();
    let key = world.app().log.signer().verifier().clone();
    let a = Running::start("a", &key);
    let witnessed = || log(world, &a.line(), "quorum a\n");
    tick(world, &witnessed()).expect("a tick");
    let (old, state) = (head(world), std::fs::read(world.dir().join("signer/state")).expect("read"));
    let dir = world.app().config.audit.dir.clone();
    let files: Vec<_> = ["checkpoint"].map(|name| (name, std::fs::read(dir.join(name)).expect("read"))).into();
    note(world, "forgotten");
    assert!(matches!(tick(world, &witnessed()).expect("a tick"), Ticked::Published(_)));
    // Everything that the platform has is put back.
    restore_old(world, &old);
    std::fs::write(world.dir().join("signer/state"), state).expect("written");
    for (name, bytes) in files {
        std::fs::write(dir.join(name), bytes).expect("written");
    }
    let error = tick(world, &witnessed()).expect_err("it stands still").to_string();
    assert!(error.contains("rollback suspected") && error.contains("witness a"), "{error}");
    assert!(is_halted(world).is_some());
});
