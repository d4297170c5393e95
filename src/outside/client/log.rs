//! A log that is read over the network.

use std::io;

use super::http::Client;
use crate::limits;
use crate::verify::report::{Failure, Result as Checked};
use crate::verify::source::Source;

/// A log at an address of its own, such as `https://bids.example.cn/audit/main`.
pub struct RemoteLog(Client);

impl Source for RemoteLog {
    fn read(&self, path: &str, _: usize) -> io::Result<Option<Vec<u8>>> {
        self.0.get_file(&format!("/{path}")).map_err(io::Error::other)
    }
}

impl RemoteLog {
    /// The log that lies where `client` asks.
    pub const fn new(client: Client) -> Self {
        Self(client)
    }

    /// The address of one of its files.
    pub fn place(&self, path: &str) -> String {
        format!("{}/{path}", self.0.base())
    }

    /// A small file as text; undecided where it cannot be had.
    ///
    /// # Errors
    /// Undecided.
    pub fn text(&self, path: &str) -> Checked<String> {
        let place = self.place(path);
        let missing = |what: &dyn std::fmt::Display| {
            Failure::undecided(place.clone(), format!("无法取得:{what}"), format!("it cannot be had: {what}"))
        };
        let bytes = self.read(path, 0).map_err(|error| missing(&error))?.ok_or_else(|| missing(&"status 404"))?;
        if bytes.len() as u64 > limits::VERIFY_TEXT_BYTES {
            return Err(missing(&"larger than any such file is"));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
