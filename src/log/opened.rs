//! Opened entries as lines of JSON, in the form of `docs/log-format.md`: of each part its salt and text, or its digest.

use serde_json::{Value, json};

use crate::kernel::encoding::{base64url, hex};
use crate::ledger::audit::EntryRow;

/// The line of an entry with its part `p` opened; its part `c` where `restricted`, and its part `i` where salt and text are given.
pub fn line(row: &EntryRow, index: u64, restricted: bool, personal: Option<(&[u8], &str)>) -> Value {
    let mut line = json!({
        "index": index,
        "s_p": base64url(&row.s_p),
        "p": base64url(row.part_p.as_bytes()),
    });
    if restricted {
        line["s_c"] = base64url(&row.s_c).into();
        line["c"] = base64url(row.part_c.as_bytes()).into();
    } else {
        line["h_c"] = hex(&row.h_c).into();
    }
    match personal {
        Some((salt, text)) => {
            line["s_i"] = base64url(salt).into();
            line["i"] = base64url(text.as_bytes()).into();
        }
        None => line["h_i"] = hex(&row.h_i).into(),
    }
    line
}
