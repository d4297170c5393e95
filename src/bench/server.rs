//! `sealbid serve` as a process of its own, on what a platform in this process has left.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{BenchError, Result, memory};
use crate::config::Config;

/// How long a server may take to be ready before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two questions whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(2);

/// Writes the configuration of a platform as a file; returns where.
///
/// # Errors
/// The file system's.
pub fn write_config(config: &Config, directory: &Path) -> Result<PathBuf> {
    let text = format!(
        "[server]\nbind = \"{}\"\npublic_url = \"{}\"\n[database]\nurl = \"{}\"\n[storage]\nblobs = \"{}\"\n\
         [keys]\ndir = \"{}\"\n[mail]\ndir = \"{}\"\n[audit]\ndir = \"{}\"\nsigner = \"{}\"\n[log]\nfilter = \"warn\"\n",
        config.server.bind,
        config.server.public_url,
        config.database.url,
        config.storage.blobs.display(),
        config.keys.dir.display(),
        config.mail.dir.display(),
        config.audit.dir.display(),
        config.audit.signer,
    );
    let path = directory.join("sealbid.toml");
    std::fs::write(&path, text).map_err(BenchError::of)?;
    Ok(path)
}

/// A running server; it ends when this is dropped.
pub struct Server(Child, Instant);

impl Server {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(config: &Path) -> Result<Self> {
        let program = std::env::current_exe().map_err(BenchError::of)?;
        let began = Instant::now();
        let child = Command::new(program)
            .args(["serve", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(BenchError::of)?;
        Ok(Self(child, began))
    }

    /// Waits until it is ready and returns how long that took from its start.
    ///
    /// # Errors
    /// When it ends, or takes too long.
    pub fn wait(&mut self, url: &str) -> Result<Duration> {
        let agent = ureq::Agent::new_with_defaults();
        let ready = format!("{url}/health/ready");
        while agent.get(&ready).call().is_err() {
            if let Some(status) = self.0.try_wait().map_err(BenchError::of)? {
                return Err(BenchError(format!("the server did not get ready: {status}")));
            }
            if self.1.elapsed() > PATIENCE {
                return Err(BenchError("the server did not get ready".into()));
            }
            std::thread::sleep(ASK_EVERY);
        }
        Ok(self.1.elapsed())
    }

    /// The most memory that it had at a time, in MB; `None` where the system does not tell.
    pub fn peak_mb(&self) -> Option<f64> {
        memory::peak_mb(self.0.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
