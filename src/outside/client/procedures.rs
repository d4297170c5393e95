//! Calls about projects, lots and their acts.

use serde::Serialize;
use serde_json::{Value, json};

use super::error::Result;
use super::http::{Client, new_key};
use super::upload::UploadFor;
use super::wire::{KeySetAnswer, Lot, Made};
use crate::kernel::digest::Digest;
use crate::rules::envelopes::Round;
use crate::seal::limits::CHUNK_BYTES;
use crate::seal::merkle::MerkleTree;

impl Client {
    /// Registers a project.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn register_project(&self, project: &Value) -> Result<Made> {
        self.post("/v1/projects", project)
    }

    /// Registers a lot of a project.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn register_lot(&self, project: &str, category: &str, title: &str, terms: &Value) -> Result<Lot> {
        self.post("/v1/lots", &json!({ "project_id": project, "category": category, "title": title, "terms": terms }))
    }

    /// A lot.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn lot(&self, lot: &str) -> Result<Lot> {
        self.get(&format!("/v1/lots/{lot}"))
    }

    /// Does `action` with a lot, such as `publish`, saying `body`.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn do_with_lot(&self, lot: &str, action: &str, body: &impl Serialize) -> Result<Lot> {
        self.post(&format!("/v1/lots/{lot}/actions/{action}"), body)
    }

    /// Does `action` with a lot where nothing more is to be said, such as `submit` or `accept`.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn act_with_lot(&self, lot: &str, action: &str) -> Result<Lot> {
        self.act(&format!("/v1/lots/{lot}/actions/{action}"))
    }

    /// Attaches a document to a lot: uploads it and names it.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn attach_document(&self, lot: &str, name: &str, media_type: &str, content: &[u8]) -> Result<Made> {
        let what = UploadFor {
            lot,
            purpose: "document",
            size_bytes: content.len() as u64,
            root: &document_root(content),
            key: &new_key(),
        };
        let upload = self.upload(&what, &mut std::io::Cursor::new(content), &|_| {})?;
        self.post(
            &format!("/v1/lots/{lot}/documents"),
            &json!({ "upload_id": upload, "name": name, "media_type": media_type }),
        )
    }

    /// What bids of a lot are sealed to, as far as they open in `round`; its signature is not checked here.
    ///
    /// # Errors
    /// See [`super::ClientError`].
    pub fn key_set(&self, lot: &str, round: Round) -> Result<KeySetAnswer> {
        self.get(&format!("/v1/lots/{lot}/key-set?round={}", round.name()))
    }
}

/// The Merkle root over a document's chunks.
fn document_root(content: &[u8]) -> Digest {
    let mut tree = MerkleTree::new();
    content.chunks(CHUNK_BYTES).for_each(|chunk| tree.push_chunk(chunk));
    tree.root()
}
