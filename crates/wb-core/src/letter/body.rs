//! What letters say, one type a kind (spec: letters, kinds).
//!
//! A later step adds a kind here; until a program knows it, a letter of it is kept unread.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Redeem, Redeemed};
use crate::id::{Hash, RecordRef};
use crate::json::{object_only, present};
use crate::kinds::{BadText, check_name, check_text};
use crate::limits::{CONTACT_CHARS_MAX, NUMBER_MAX, OFFER_CHARS_MAX, REPLY_CHARS_MAX};
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

/// How to reach somebody, as its owner chose: for the author of a request, or for who helps with one.
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

/// Help with a request, offered to its author alone. Ways to reach who offers are not in it: they go once it was
/// accepted, and not before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Offer {
    /// The request.
    pub request: RecordRef,
    /// The name of who offers, where they say it.
    #[serde(deserialize_with = "present")]
    pub name: Option<String>,
    /// What they say along with it.
    #[serde(deserialize_with = "present")]
    pub text: Option<String>,
}

/// That an offer is not taken up, kindly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Decline {
    /// The request.
    pub request: RecordRef,
    /// A kind word.
    #[serde(deserialize_with = "present")]
    pub text: Option<String>,
}

/// That nobody is there any more to answer an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Closed {
    /// The request.
    pub request: RecordRef,
}

/// That the help which was agreed on is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Done {
    /// The request.
    pub request: RecordRef,
    /// A word of thanks.
    #[serde(deserialize_with = "present")]
    pub thanks: Option<String>,
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

object_only!(Reply, Contact, Offer, Decline, Closed, Done, Erase, Receipt);

/// What a letter of a known kind says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetterBody {
    /// An answer.
    Reply(Reply),
    /// How to reach somebody.
    Contact(Contact),
    /// Help, offered.
    Offer(Offer),
    /// That an offer is accepted, with how to reach who asked.
    Accept(Contact),
    /// How to reach who offered, once that was accepted.
    Contacts(Contact),
    /// That an offer is not taken up.
    Decline(Decline),
    /// That nobody can answer an offer any more.
    Closed(Closed),
    /// That help was given, or is over.
    Done(Done),
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
    /// The word of what is sent once an offer was accepted.
    pub const CONTACTS: &'static str = "contacts";
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
            Self::Offer(_) => "offer",
            Self::Accept(_) => "accept",
            Self::Contacts(_) => Self::CONTACTS,
            Self::Decline(_) => "decline",
            Self::Closed(_) => "closed",
            Self::Done(_) => "done",
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
            Self::Contact(contact) | Self::Accept(contact) | Self::Contacts(contact) => {
                serde_json::value::to_raw_value(contact)
            }
            Self::Offer(offer) => serde_json::value::to_raw_value(offer),
            Self::Decline(decline) => serde_json::value::to_raw_value(decline),
            Self::Closed(closed) => serde_json::value::to_raw_value(closed),
            Self::Done(done) => serde_json::value::to_raw_value(done),
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
            "offer" => Self::Offer(of(body)?),
            "accept" => Self::Accept(of(body)?),
            Self::CONTACTS => Self::Contacts(of(body)?),
            "decline" => Self::Decline(of(body)?),
            "closed" => Self::Closed(of(body)?),
            "done" => Self::Done(of(body)?),
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
            Self::Contact(contact) | Self::Accept(contact) | Self::Contacts(contact) => {
                Some(&contact.request)
            }
            Self::Offer(offer) => Some(&offer.request),
            Self::Decline(decline) => Some(&decline.request),
            Self::Closed(closed) => Some(&closed.request),
            Self::Done(done) => Some(&done.request),
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
        let word = |text: &Option<String>| match text {
            Some(text) => {
                within(text, OFFER_CHARS_MAX)?;
                check_words(text)
            }
            None => Ok(()),
        };
        match self {
            Self::Reply(reply) => {
                name(&reply.name)?;
                check_words(&reply.text).map_err(|bad| ("text", bad))
            }
            Self::Offer(offer) => {
                name(&offer.name)?;
                word(&offer.text).map_err(|bad| ("text", bad))
            }
            Self::Decline(decline) => word(&decline.text).map_err(|bad| ("text", bad)),
            Self::Done(done) => word(&done.thanks).map_err(|bad| ("thanks", bad)),
            Self::Contact(contact) | Self::Accept(contact) | Self::Contacts(contact) => {
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
            Self::Closed(_)
            | Self::Redeem(_)
            | Self::Redeemed(_)
            | Self::Erase
            | Self::Receipt(_) => Ok(()),
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
