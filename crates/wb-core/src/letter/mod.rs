//! What one instance tells another and nobody else (spec: letters).
//!
//! [`Mail`] is the outside, which anybody who carries a letter can check. [`Letter`] is what came out of it, and
//! [`LetterBody`] what it says. Nothing here makes a letter: only [`may_tell`](crate::leave::may_tell) does.

mod body;
mod inside;
mod mail;
mod redeem;

pub use body::{
    Closed, Contact, Decline, Done, LetterBody, Offer, Receipt, ReceiptState, Reply, published_text,
};
pub use inside::Letter;
pub use mail::Mail;
pub use redeem::{Redeem, RedeemRefusal, Redeemed};

pub(crate) use inside::{Composing, compose};
