//! Where a client stands in what arrived at a hub (spec: sync, arrivals and the cursor).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash;
use crate::id::{Hash, InstanceId, LogId};

/// Bytes of the running hash that a cursor carries: enough that two histories of one length differ.
const RUNNING_BYTES: usize = 8;

/// What can arrive at a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// An identity log is new or longer.
    Identity,
    /// A delta was appended.
    Delta,
    /// A feed moved by snapshot, or is served again after it was not.
    Again,
}

impl Arrival {
    /// Its byte in the running hash.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Identity => 0,
            Self::Delta => 1,
            Self::Again => 2,
        }
    }

    /// The running hash after this arrival.
    #[must_use]
    pub fn running(self, before: &Hash, origin: &InstanceId, hash: &Hash) -> Hash {
        hash::arrival(before, self.byte(), origin, hash)
    }
}

/// A place in the arrivals of one hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The hub's relay log.
    pub log: LogId,
    /// How many arrivals the client has.
    pub n: u64,
    /// First bytes of the running hash after them.
    pub running: [u8; RUNNING_BYTES],
}

impl Cursor {
    /// The place after `n` arrivals with this running hash; zeros before the first.
    #[must_use]
    pub fn new(log: LogId, n: u64, running: &Hash) -> Self {
        let mut first = [0; RUNNING_BYTES];
        first.copy_from_slice(&running.0[..RUNNING_BYTES]);
        Self {
            log,
            n,
            running: first,
        }
    }

    /// Whether the cursor names the same history as a running hash.
    #[must_use]
    pub fn agrees(&self, running: &Hash) -> bool {
        self.running == running.0[..RUNNING_BYTES]
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = data_encoding::HEXLOWER.encode(&self.running);
        write!(f, "{}.{}.{running}", self.log, self.n)
    }
}

/// A text is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor (relay log, number and running hash, with points between)")]
pub struct ParseCursorError;

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let mut parts = text.split('.');
        let (Some(log), Some(n), Some(running), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ParseCursorError);
        };
        let digits = !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit());
        let one_form = digits && (n == "0" || !n.starts_with('0'));
        let mut first = [0; RUNNING_BYTES];
        let decoded = running.len() == 2 * RUNNING_BYTES
            && data_encoding::HEXLOWER
                .decode_mut(running.as_bytes(), &mut first)
                .is_ok();
        if !one_form || !decoded {
            return Err(ParseCursorError);
        }
        Ok(Self {
            log: log.parse().map_err(|_| ParseCursorError)?,
            n: n.parse().map_err(|_| ParseCursorError)?,
            running: first,
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_form() {
        let cursor = Cursor::new(LogId([7; 16]), 42, &Hash([9; 32]));
        let text = cursor.to_string();
        assert_eq!(text.parse(), Ok(cursor));
        assert!(cursor.agrees(&Hash([9; 32])) && !cursor.agrees(&Hash([8; 32])));
        for wrong in [
            text.to_uppercase().replace('9', "A"),
            text.replace(".42.", ".042."),
            text.replace(".42.", ".+42."),
            format!("{text}."),
            text[..text.len() - 1].to_owned(),
        ] {
            assert_eq!(wrong.parse::<Cursor>(), Err(ParseCursorError), "{wrong}");
        }
    }
}
