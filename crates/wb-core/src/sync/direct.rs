//! What two nodes say to each other without a hub (spec: peers).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{Hash, Token};
use crate::identity::{IdentityError, IdentityLog};
use crate::json::{self, object_only, text_only};
use crate::rule::Rule;

/// A wish to be paired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Pairing {
    /// 1.
    pub schema_version: u32,
    /// The sender's identity log: signed lines.
    pub identity: Vec<String>,
    /// Its name.
    pub name: String,
    /// Where it is reached; none where nobody reaches it.
    pub address: Option<String>,
    /// The token of the link; none where it asks without one.
    pub token: Option<Token>,
}

impl Pairing {
    /// The identity log in it.
    ///
    /// # Errors
    /// The entry and the rule it breaks.
    pub fn identity(&self) -> Result<IdentityLog, IdentityError> {
        IdentityLog::verify(None, &self.identity)
    }
}

/// Where a pair stands, as the other side says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum PairStanding {
    /// A person there has to confirm.
    Waiting,
    /// Both agreed.
    Paired,
}

/// The answer to a wish to be paired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PairStandings {
    /// 1.
    pub schema_version: u32,
    /// Where it stands.
    pub standing: PairStanding,
    /// The name of who answers.
    pub name: String,
}

text_only!(PairStanding);
object_only!(Pairing, PairStandings);

/// Where an exchange goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// After a delta of the recipient's feed; what came is a whole bundle.
    Deltas {
        /// Its number.
        seq: u64,
        /// Its header hash.
        hash: Hash,
    },
    /// At a line of the bundle that is being given in parts.
    Lines {
        /// The head of the recipient's feed, by which the bundle is told from a later one.
        head: Hash,
        /// Lines that came.
        line: u64,
    },
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deltas { seq, hash } => write!(f, "deltas:{seq}.{hash}"),
            Self::Lines { head, line } => write!(f, "lines:{head}.{line}"),
        }
    }
}

impl FromStr for Next {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (what, rest) = text.split_once(':').ok_or(())?;
        let (first, second) = rest.split_once('.').ok_or(())?;
        let next = match what {
            "deltas" => Self::Deltas {
                seq: first.parse().map_err(|_| ())?,
                hash: second.parse().map_err(|_| ())?,
            },
            "lines" => Self::Lines {
                head: first.parse().map_err(|_| ())?,
                line: second.parse().map_err(|_| ())?,
            },
            _ => return Err(()),
        };
        // One place has one name.
        (next.to_string() == text).then_some(next).ok_or(())
    }
}

/// The first line of the answer to an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeSection {
    section: String,
    /// 1.
    pub schema_version: u32,
    /// The name of who answers.
    pub name: String,
    /// Where to go on; none where this is all.
    #[serde(deserialize_with = "json::present")]
    pub next: Option<String>,
    /// Sealed envelopes that wait for whoever asks; absent where none does.
    #[serde(default, skip_serializing_if = "super::messages::is_none_waiting")]
    pub envelopes: u64,
    /// Letters that wait for whoever asks; absent where none does.
    #[serde(default, skip_serializing_if = "super::messages::is_none_waiting")]
    pub letters: u64,
}

impl ExchangeSection {
    /// How its line begins.
    const SECTION: &str = "exchange";

    /// The line of an answer.
    #[must_use]
    pub fn line(name: &str, next: Option<Next>, envelopes: u64, letters: u64) -> Vec<u8> {
        crate::signed::payload(&Self {
            section: Self::SECTION.to_owned(),
            schema_version: 1,
            name: name.to_owned(),
            next: next.map(|next| next.to_string()),
            envelopes,
            letters,
        })
    }

    /// Reads the line; gives also where to go on.
    ///
    /// # Errors
    /// `unknown_section` for anything else.
    pub fn read(line: &[u8]) -> Result<(Self, Option<Next>), Rule> {
        json::check(line)?;
        let section: Self = serde_json::from_slice(line).map_err(|_| Rule::UnknownSection)?;
        let is_known = section.section == Self::SECTION && section.schema_version == 1;
        let next = section.next.as_deref().map(str::parse).transpose();
        match next {
            Ok(next) if is_known => Ok((section, next)),
            _ => Err(Rule::UnknownSection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_exchange_goes_on_is_read_back_and_has_one_form() {
        let hash = Hash([7; 32]);
        for next in [
            Next::Deltas { seq: 0, hash },
            Next::Lines {
                head: hash,
                line: 8_000,
            },
        ] {
            assert_eq!(next.to_string().parse(), Ok(next));
            let line = ExchangeSection::line("Elm", Some(next), 0, 0);
            let (section, read) = ExchangeSection::read(&line).expect("its own form");
            assert_eq!((section.name.as_str(), read), ("Elm", Some(next)));
        }
        for wrong in ["", "deltas:0", "deltas:+1.07", "lines:0.1", "more:1.2"] {
            assert_eq!(wrong.parse::<Next>(), Err(()), "{wrong}");
        }
        let plus = format!("deltas:+1.{hash}");
        assert_eq!(plus.parse::<Next>(), Err(()));
        let line = ExchangeSection::line("Elm", None, 2, 1);
        let later = String::from_utf8(line).expect("text").replace(":1,", ":2,");
        assert_eq!(
            ExchangeSection::read(later.as_bytes()),
            Err(Rule::UnknownSection)
        );
    }
}
