//! What letters say, one type a kind (spec: letters, kinds).
//!
//! A later step adds a kind here; until a program knows it, a letter of it is kept unread.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Redeem, Redeemed};
use crate::id::{Hash, RecordRef};
use crate::json::{object_only, present};
use crate::kinds::{BadText, check_name, check_text};
use crate::limits::{CONTACT_CHARS_MAX, NUMBER_MAX, REPLY_CHARS_MAX};
use crate::rule::Rule;
use crate::scope::Kind;

/// An answer to what its recipient shared with its own audience only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Reply {
    /// What it answers.
    pub request: RecordRef,
    /// The name of who writes, where they say it.
    #[serde(deserialize_with = "present")]
    pub name: Option<String>,
    /// What they say.
    pub text: String,
}

/// How to reach somebody, as its owner chose, for the author of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Contact {
    /// The request it is about.
    pub request: RecordRef,
    /// Whose it is.
    #[serde(deserialize_with = "present")]
    pub name: Option<String>,
    /// An e-mail address.
    #[serde(deserialize_with = "present")]
    pub email: Option<String>,
    /// A number.
    #[serde(deserialize_with = "present")]
    pub phone: Option<String>,
    /// Anything else.
    #[serde(deserialize_with = "present")]
    pub text: Option<String>,
}

/// Nothing: what came before it in the thread is to be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
struct Erase {}

/// What became of a thread where it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptState {
    /// It is there.
    Arrived,
    /// Somebody there showed it to others.
    Published,
    /// It is gone there.
    Erased,
}

impl ReceiptState {
    /// The word in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Published => "published",
            Self::Erased => "erased",
        }
    }
}

/// What the receiver of a letter says that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Receipt {
    /// The highest number held of the thread.
    pub n: u64,
    /// SHA-256 of the exact bytes of that letter's body.
    pub sha256: Hash,
    /// What became of it.
    pub state: ReceiptState,
}

object_only!(Reply, Contact, Erase, Receipt);

/// What a letter of a known kind says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetterBody {
    /// An answer.
    Reply(Reply),
    /// How to reach somebody.
    Contact(Contact),
    /// That somebody came by an invite of its recipient.
    Redeem(Redeem),
    /// Whether that was counted.
    Redeemed(Redeemed),
    /// That the thread is to be erased.
    Erase,
    /// What the receiver has.
    Receipt(Receipt),
}

impl LetterBody {
    /// The word of a receipt: receipts count for themselves.
    pub const RECEIPT: &'static str = "receipt";
    /// The word of a redemption.
    pub const REDEEM: &'static str = "redeem";
    /// The word of its answer.
    pub const REDEEMED: &'static str = "redeemed";

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let word = match self {
            Self::Reply(_) => "reply",
            Self::Contact(_) => "contact",
            Self::Redeem(_) => Self::REDEEM,
            Self::Redeemed(_) => Self::REDEEMED,
            Self::Erase => "erase",
            Self::Receipt(_) => Self::RECEIPT,
        };
        word.parse().expect("the words of the spec are kinds")
    }

    /// Its exact bytes.
    #[must_use]
    pub fn to_raw(&self) -> Box<RawValue> {
        let raw = match self {
            Self::Reply(reply) => serde_json::value::to_raw_value(reply),
            Self::Contact(contact) => serde_json::value::to_raw_value(contact),
            Self::Redeem(redeem) => serde_json::value::to_raw_value(redeem),
            Self::Redeemed(redeemed) => serde_json::value::to_raw_value(redeemed),
            Self::Erase => serde_json::value::to_raw_value(&Erase {}),
            Self::Receipt(receipt) => serde_json::value::to_raw_value(receipt),
        };
        raw.expect("a body has string keys and serialises")
    }

    /// Reads a body; none of a kind or version that is not known here.
    ///
    /// # Errors
    /// `letter_body`.
    pub fn read(kind: &Kind, schema_version: u32, body: &str) -> Result<Option<Self>, Rule> {
        fn of<'b, T: Deserialize<'b>>(body: &'b str) -> Result<T, Rule> {
            serde_json::from_str(body).map_err(|_| Rule::LetterBody)
        }
        if schema_version > 1 {
            return Ok(None);
        }
        let read = match kind.as_str() {
            "reply" => Self::Reply(of(body)?),
            "contact" => Self::Contact(of(body)?),
            Self::REDEEM => Self::Redeem(of(body)?),
            Self::REDEEMED => Self::Redeemed(of(body)?),
            "erase" => of::<Erase>(body).map(|_| Self::Erase)?,
            Self::RECEIPT => Self::Receipt(of(body)?),
            _ => return Ok(None),
        };
        match read.check() {
            Ok(()) => Ok(Some(read)),
            Err(_) => Err(Rule::LetterBody),
        }
    }

    /// The request, or invite, it is about.
    #[must_use]
    pub fn request(&self) -> Option<&RecordRef> {
        match self {
            Self::Reply(reply) => Some(&reply.request),
            Self::Contact(contact) => Some(&contact.request),
            Self::Redeem(redeem) => Some(&redeem.invite),
            Self::Redeemed(_) | Self::Erase | Self::Receipt(_) => None,
        }
    }

    /// What is wrong with it; the field, and why.
    ///
    /// # Errors
    /// The first text that cannot stand in a letter.
    pub fn check(&self) -> Result<(), (&'static str, BadText)> {
        let name = |name: &Option<String>| match name {
            Some(name) => check_name(name).map_err(|bad| ("name", bad)),
            None => Ok(()),
        };
        match self {
            Self::Reply(reply) => {
                name(&reply.name)?;
                check_words(&reply.text).map_err(|bad| ("text", bad))
            }
            Self::Contact(contact) => {
                name(&contact.name)?;
                for (field, value) in [("email", &contact.email), ("phone", &contact.phone)] {
                    if let Some(value) = value {
                        check_way(value).map_err(|bad| (field, bad))?;
                    }
                }
                match &contact.text {
                    Some(text) => check_words(text).map_err(|bad| ("text", bad)),
                    None if contact.email.is_none() && contact.phone.is_none() => {
                        Err(("contact", BadText::Empty))
                    }
                    None => Ok(()),
                }
            }
            Self::Receipt(receipt) if !(1..=NUMBER_MAX).contains(&receipt.n) => {
                Err(("n", BadText::Empty))
            }
            Self::Redeem(_) | Self::Redeemed(_) | Self::Erase | Self::Receipt(_) => Ok(()),
        }
    }
}

/// A text of a letter: not empty, and short enough to be published with a name before it.
fn check_words(text: &str) -> Result<(), BadText> {
    check_text(text)?;
    within(text, REPLY_CHARS_MAX)?;
    if text.trim().is_empty() {
        return Err(BadText::Empty);
    }
    Ok(())
}

/// A way to reach somebody, on one line.
fn check_way(text: &str) -> Result<(), BadText> {
    within(text, CONTACT_CHARS_MAX)?;
    if text.trim().is_empty() {
        return Err(BadText::Empty);
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(BadText::Control(u32::from(c))),
        None => Ok(()),
    }
}

fn within(text: &str, max: usize) -> Result<(), BadText> {
    match text.chars().count() {
        chars if chars > max => Err(BadText::TooLong { chars, max }),
        _ => Ok(()),
    }
}

/// The comment that a reply becomes where it is published: it is the home's record, so the text says whose words
/// these are.
#[must_use]
pub fn published_text(name: Option<&str>, community: &str, text: &str) -> String {
    let name = name.unwrap_or("A member");
    format!("{name} at {community} wrote:\n\n{text}")
}
