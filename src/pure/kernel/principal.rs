//! Who signs in: a person, or the software of an organisation.
//!
//! Promise: what acts has an id of one of these two kinds, so that the record tells people and software apart.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kernel::id::{ClientId, InvalidId, UserId};

/// Who acts after signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalId {
    /// A person.
    Person(UserId),
    /// Software that an organisation has registered.
    Software(ClientId),
}

impl PrincipalId {
    /// Reads an id of either kind.
    ///
    /// # Errors
    /// For anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        ClientId::parse(text).map(Self::Software).or_else(|_| UserId::parse(text).map(Self::Person))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Person(id) => id.as_str(),
            Self::Software(id) => id.as_str(),
        }
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<UserId> for PrincipalId {
    fn from(id: UserId) -> Self {
        Self::Person(id)
    }
}

impl Serialize for PrincipalId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PrincipalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_software_read_back_as_themselves_and_nothing_else_does() {
        let uuid = "0192f0c1-7a3b-7c4d-8e5f-0123456789ab";
        for kind in ["usr", "cli"] {
            let text = format!("{kind}-{uuid}");
            let id = PrincipalId::parse(&text).expect("well formed");
            assert_eq!(matches!(id, PrincipalId::Software(_)), kind == "cli");
            let json = serde_json::to_string(&id).expect("text");
            assert_eq!(serde_json::from_str::<PrincipalId>(&json).expect("reads back"), id);
            assert_eq!(id.to_string(), text);
        }
        assert!(PrincipalId::parse(&format!("org-{uuid}")).is_err());
    }
}
