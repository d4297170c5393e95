//! Opaque page cursors: a place in a list, encrypted and authenticated, so that it tells nothing and cannot be forged.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::keys::Keys;
use crate::ledger::{Error, Result};
use crate::refusals;

/// A place: an instant in epoch milliseconds and an id.
pub type Place = (i64, String);

/// Hides a place of the list `list`.
///
/// # Errors
/// When the system gives no random numbers.
pub fn seal(keys: &Keys, list: &str, place: &Place) -> Result<String> {
    let text = format!("{} {}", place.0, place.1);
    let wrapped = keys.wrap(text.as_bytes(), &about(list)).map_err(|error| Error::internal(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(wrapped))
}

/// Reads a cursor of the list `list`.
///
/// # Errors
/// 400 when it is not ours, or of another list.
pub fn open(keys: &Keys, list: &str, text: &str) -> Result<Place> {
    let read = || {
        let wrapped = URL_SAFE_NO_PAD.decode(text).ok()?;
        let plain = keys.unwrap(&wrapped, &about(list)).ok()?;
        let plain = String::from_utf8(plain.expose().clone()).ok()?;
        let (at, id) = plain.split_once(' ')?;
        Some((at.parse().ok()?, id.to_owned()))
    };
    read().ok_or_else(|| refusals::cursor_invalid().into())
}

/// The cursor after a page, where the page is full.
///
/// # Errors
/// When the system gives no random numbers.
pub fn next(keys: &Keys, list: &str, found: usize, size: i64, last: Option<Place>) -> Result<Option<String>> {
    let full = i64::try_from(found).is_ok_and(|found| found >= size);
    match last {
        Some(place) if full => Ok(Some(seal(keys, list, &place)?)),
        _ => Ok(None),
    }
}

fn about(list: &str) -> String {
    format!("sealbid/1 cursor {list}")
}
