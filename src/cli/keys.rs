//! `sealbid key`: a bidder's or initiator's signing key, made and kept on its own machine.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::Failed;
use crate::client::key_proof;
use crate::seal::keys::{Algorithm, SigningKey};

/// `sealbid key …`
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a signing key. An existing file is never written over.
    New(NewArgs),
    /// Make the proof that this key is in your hands: the body of POST /v1/signing-keys.
    Proof(ProofArgs),
    /// Show the public half.
    Show(ShowArgs),
}

/// Arguments of `key new`.
#[derive(Args)]
pub struct NewArgs {
    /// Which algorithm.
    #[arg(long, value_enum, default_value_t = Alg::Eddsa)]
    alg: Alg,
    /// Where to write it: PKCS#8 in PEM, readable by you alone.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Arguments of `key proof`.
#[derive(Args)]
pub struct ProofArgs {
    /// The key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Your user id, as GET /v1/me shows it.
    #[arg(long, value_name = "USER")]
    user: String,
}

/// Arguments of `key show`.
#[derive(Args)]
pub struct ShowArgs {
    /// The key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Alg {
    /// Ed25519.
    Eddsa,
    /// P-256.
    Es256,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written.
pub fn run(command: KeyCommand) -> Result<(), Failed> {
    match command {
        KeyCommand::New(args) => {
            let algorithm = match args.alg {
                Alg::Eddsa => Algorithm::EdDsa,
                Alg::Es256 => Algorithm::Es256,
            };
            let key = SigningKey::generate(algorithm).map_err(Failed::tried)?;
            write_new(&args.out, key.to_pem().expose().as_bytes())?;
            println!("{}", public(&key));
            eprintln!(
                "{} is made; keep a copy in a safe place: without it a sent bid can neither be changed nor withdrawn",
                args.out.display()
            );
        }
        KeyCommand::Proof(args) => println!("{}", key_proof(&read(&args.key)?, &args.user).map_err(Failed::tried)?),
        KeyCommand::Show(args) => println!("{}", public(&read(&args.key)?)),
    }
    Ok(())
}

fn public(key: &SigningKey) -> serde_json::Value {
    let public = key.verifying_key();
    serde_json::json!({ "kid": public.key_id(), "alg": public.algorithm().name(), "public_key": public.to_base64url() })
}

/// Reads a key file that nobody else can read.
///
/// # Errors
/// When it is open to others, unreadable, or no key.
pub fn read(path: &Path) -> Result<SigningKey, Failed> {
    let mode = fs::metadata(path).map_err(|error| Failed::file(path, error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Failed::file(path, "can be read by others than its owner: chmod 600 it"));
    }
    let text = crate::kernel::secret::Secret::new(fs::read_to_string(path).map_err(|error| Failed::file(path, error))?);
    SigningKey::from_pem(text.expose()).map_err(|error| Failed::file(path, error))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failed> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|error| Failed::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_closed_to_others_and_never_written_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key.pem");
        let make = |alg| run(KeyCommand::New(NewArgs { alg, out: path.clone() }));
        make(Alg::Es256).expect("made");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        let kept = read(&path).expect("a key").verifying_key().key_id();
        assert!(make(Alg::Eddsa).is_err());
        assert_eq!(read(&path).expect("a key").verifying_key().key_id(), kept);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
        assert!(read(&path).expect_err("open to a group").to_string().contains("chmod 600"));
    }
}
