//! The ceremony of a bundle: every message verified, and the key sets computed again.

use serde_json::Value;

use super::{Result, key, refuted};
use crate::seal::ceremony::{Accept, Commit, Message, Round1, Round2, Signed, SignedDraft, Transcript};
use crate::seal::keys::VerifyingKey;
use crate::seal::keyset::KeySet;

/// The key sets that follow from a ceremony in which everybody signed the same.
pub(super) fn key_sets_of(place: &str, value: &Value) -> Result<Vec<KeySet>> {
    let draft = SignedDraft::from_value(&value["draft"]).map_err(|error| refuted(place, error))?;
    draft.verify(&key(place, &value["tenderer"])?).map_err(|error| refuted(place, error))?;
    let members = value["members"].as_array().ok_or_else(|| refuted(place, "members are missing"))?;
    let keys = members.iter().map(|member| key(place, member)).collect::<Result<Vec<_>>>()?;
    let said = |step: &str| value["messages"][step].as_array().cloned().unwrap_or_default();
    let mut transcript = Transcript::new(draft.draft().clone());
    for signed in read::<Commit>(place, &draft, &keys, &said("commit"))? {
        transcript.commit(signed).map_err(|error| refuted(place, error))?;
    }
    for signed in read::<Round1>(place, &draft, &keys, &said("round1"))? {
        transcript.round1(signed).map_err(|error| refuted(place, error))?;
    }
    for signed in read::<Round2>(place, &draft, &keys, &said("round2"))? {
        transcript.round2(signed).map_err(|error| refuted(place, error))?;
    }
    let sets = transcript.key_sets().map_err(|error| refuted(place, error))?;
    let digest = transcript.digest().map_err(|error| refuted(place, error))?;
    let accepts = read::<Accept>(place, &draft, &keys, &said("accept"))?;
    for (i, signed) in draft.draft().indices().zip(&accepts) {
        let accept = signed.message();
        if accept.head.member != i || *accept != Accept::new(accept.head, digest, &sets) {
            return Err(refuted(place, format!("member {i} did not accept this ceremony")));
        }
    }
    if accepts.len() != draft.draft().members.len() {
        return Err(refuted(place, "not every member accepted"));
    }
    Ok(sets)
}

fn read<M: Message>(
    place: &str,
    draft: &SignedDraft,
    keys: &[VerifyingKey],
    values: &[Value],
) -> Result<Vec<Signed<M>>> {
    let one = |value: &Value| {
        let signed = Signed::<M>::from_value(value).map_err(|error| refuted(place, error))?;
        let member = usize::from(signed.message().head().member);
        let key = member.checked_sub(1).and_then(|at| keys.get(at));
        let key = key.ok_or_else(|| refuted(place, "a message of nobody"))?;
        signed.verify(draft.draft(), &draft.id(), key).map_err(|error| refuted(place, error))?;
        Ok(signed)
    };
    values.iter().map(one).collect()
}
