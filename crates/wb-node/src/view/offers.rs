//! Offers of help, as they are told to people and programs.

use serde::Serialize;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::time::Timestamp;

use super::LetterState;

/// Ways to reach somebody, as they chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaysView {
    /// The name.
    pub name: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A number.
    pub phone: Option<String>,
    /// Anything else.
    pub text: Option<String>,
}

/// An offer of help, as one of its two sides sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfferView {
    /// Version of this form.
    pub schema_version: u32,
    /// Names the offer at its origin.
    pub id: RecordId,
    /// The instance of who offers.
    pub origin: InstanceId,
    /// `made` or `received`.
    pub way: &'static str,
    /// The request.
    pub request: RecordRef,
    /// Its title; null where it is not shown here any more.
    pub title: Option<String>,
    /// The other instance's name; that of this one where both sides are here.
    pub with: String,
    /// Who the other side is, as far as they say.
    pub who: String,
    /// What was said along with it.
    pub text: Option<String>,
    /// `offered`, `over`, `lost`, `accepted`, `declined`, `closed`, `taken_back` or `done`.
    pub state: &'static str,
    /// The same in words, with where it is.
    pub sentence: String,
    /// Whether it waits for whoever asks.
    pub waits: bool,
    /// Whether thanks can still be given.
    pub can_thank: bool,
    /// Of help that was agreed on with an own request that is over: when it ends by itself; else null.
    pub ends_at: Option<Timestamp>,
    /// How to reach the other side, while both agree; null until it is here.
    pub contact: Option<WaysView>,
    /// What the other side sees, or is to see once it accepts.
    pub own_contact: Option<WaysView>,
    /// A kind word with a refusal.
    pub answer: Option<String>,
    /// Thanks from the other side.
    pub thanks: Option<String>,
    /// Thanks to the other side.
    pub own_thanks: Option<String>,
    /// Where the last letter about it to the other instance is; null where both sides are here.
    pub letter: Option<LetterState>,
    /// When it was offered.
    pub at: Timestamp,
    /// When it stood otherwise last.
    pub changed_at: Timestamp,
}
