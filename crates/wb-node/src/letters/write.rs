//! Queueing a letter, and taking one back. What waits is words and an act; it is signed and sealed when it is given.

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::leave::OwnersAct;
use wb_core::letter::LetterBody;
use wb_core::time::Timestamp;
use wb_store::{LetterIn, LetterOut, NewLetter, Private};

use super::prepare::{LASTS_MS, answer};
use crate::error::{NodeError, Result};
use crate::node::Node;

/// What is told, to whom, and by whose act.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    /// For whom.
    pub to: InstanceId,
    /// What it belongs to.
    pub thread: RecordId,
    /// What it is.
    pub kind: &'a str,
    /// Its exact words.
    pub body: &'a str,
    /// Of whom it is; none of the instance.
    pub owner: Option<RecordId>,
    /// The request it is about.
    pub request: Option<RecordRef>,
    /// What its owner said yes to.
    pub act: Option<OwnersAct>,
}

/// Keeps what a member said yes to, until it can be given. It takes the place of what was told in the thread before.
pub(crate) fn tell(
    node: &Node,
    owner: RecordId,
    to: InstanceId,
    thread: RecordId,
    body: &LetterBody,
    now: Timestamp,
) -> Result<()> {
    let private = node.store.private();
    private.together(|private| tell_within(private, owner, to, thread, body, now))
}

/// The same within [`Private::together`].
pub(crate) fn tell_within(
    private: &Private,
    owner: RecordId,
    to: InstanceId,
    thread: RecordId,
    body: &LetterBody,
    now: Timestamp,
) -> Result<()> {
    put_body(private, Some(owner), to, thread, body, now)
}

/// Keeps a letter until it can be given, with the next number of its thread. Called within [`Private::together`].
pub(crate) fn put(private: &Private, words: &Words<'_>, now: Timestamp) -> Result<()> {
    let before = private.letter_out(&words.to, &words.thread, false)?;
    private.put_letter(&NewLetter {
        recipient: words.to,
        thread: words.thread,
        is_receipt: false,
        n: before.map_or(1, |before| before.n + 1),
        kind: words.kind,
        body: words.body,
        owner: words.owner,
        request: words.request,
        act: words.act,
        at: now,
        expires: now.plus_ms(LASTS_MS),
    })?;
    Ok(())
}

/// Tells what the instance itself says, and needs nobody's act for. Called within [`Private::together`].
pub(crate) fn put_of_instance(
    private: &Private,
    to: InstanceId,
    thread: RecordId,
    body: &LetterBody,
    now: Timestamp,
) -> Result<()> {
    put_body(private, None, to, thread, body, now)
}

/// Keeps what an owner said yes to, or what the instance itself says.
fn put_body(
    private: &Private,
    owner: Option<RecordId>,
    to: InstanceId,
    thread: RecordId,
    body: &LetterBody,
    now: Timestamp,
) -> Result<()> {
    let (raw, kind) = (body.to_raw(), body.kind());
    let words = Words {
        to,
        thread,
        kind: kind.as_str(),
        body: raw.get(),
        owner,
        request: body.request().copied(),
        act: owner.map(|owner| OwnersAct::to_say(owner, to, &raw)),
    };
    put(private, &words, now)
}

/// Asks whoever was told something in a thread to erase it. What nobody can have is thrown away.
pub(crate) fn take_back(node: &Node, thread: &RecordId, now: Timestamp) -> Result<()> {
    if node.store.private().letters_of_thread(thread)?.is_empty() {
        return Ok(());
    }
    node.store.private().together(|private| {
        for letter in private.letters_of_thread(thread)? {
            ask_to_erase(private, &letter, letter.owner, now)?;
        }
        Ok::<_, NodeError>(())
    })
}

/// The same for everything that a member told, whose account goes: nobody's name stays with it. Called within
/// [`Private::together`].
pub(crate) fn take_back_of(private: &Private, owner: &RecordId, now: Timestamp) -> Result<()> {
    for letter in private.letters_out()? {
        if letter.owner.as_ref() == Some(owner) {
            ask_to_erase(private, &letter, None, now)?;
        }
    }
    Ok(())
}

/// Asks for one letter back, in the name of its owner or of nobody. Called within [`Private::together`].
pub(crate) fn ask_to_erase(
    private: &Private,
    letter: &LetterOut,
    owner: Option<RecordId>,
    now: Timestamp,
) -> Result<()> {
    if letter.is_receipt {
        return Ok(());
    }
    if letter.sealed.is_none() && letter.n == 1 {
        return Ok(private.drop_letter(letter.no)?);
    }
    let (raw, kind) = (LetterBody::Erase.to_raw(), LetterBody::Erase.kind());
    let is_asked = letter.kind == kind.as_str();
    if is_asked && letter.owner == owner {
        return Ok(());
    }
    let request: Option<RecordRef> = letter.request.filter(|_| owner.is_some());
    let words = Words {
        to: letter.recipient,
        thread: letter.thread,
        kind: kind.as_str(),
        body: raw.get(),
        owner,
        request,
        act: None,
    };
    put(private, &words, now)
}

/// Forgets the ways to reach others that were sent to the author of these requests, which go; whoever sent them is told.
/// Called within [`Private::together`].
pub(crate) fn forget_contacts(
    private: &Private,
    requests: &[RecordId],
    now: Timestamp,
) -> Result<()> {
    for request in requests {
        for letter in private.letters_about(request)? {
            if letter.kind == "contact" && letter.state == "arrived" {
                forget_words(private, letter, now)?;
            }
        }
    }
    Ok(())
}

/// Keeps of a letter that it came, and says that its words are gone.
pub(super) fn forget_words(private: &Private, letter: LetterIn, now: Timestamp) -> Result<()> {
    let letter = LetterIn {
        state: "erased".to_owned(),
        ..letter
    };
    // The receipt is of the words, so it is written while they are there.
    let answered = answer(private, letter, now)?;
    private.put_letter_in(&LetterIn {
        line: Vec::new(),
        ..answered
    })?;
    Ok(())
}
