//! Letters: what is told to one other instance, and what one tells this one (spec: letters).
//!
//! What is of a person is queued here only by that person's act, and leaves through `may_tell` alone, which is asked
//! again each time it is sealed. The form of letters and every rule are those of `wb-core`.

mod exchange;
mod prepare;
mod redeem;
pub(crate) mod serve;
mod settle;
mod take;
mod write;

pub(crate) use exchange::{Exchanged, give, take_waiting};
pub(crate) use prepare::{LETTER_LOST, prepare, would_tell, would_tell_in};
pub(crate) use redeem::INVITE_TOLD;
pub(crate) use settle::{erase_published, settle};
pub(crate) use take::take;
pub(crate) use write::{
    Words, ask_to_erase, forget_contacts, put, put_of_instance, take_back, take_back_of, tell,
    tell_within,
};
