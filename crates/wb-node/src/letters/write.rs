//! Queueing a letter, and taking one back. What waits is words and an act; it is signed and sealed when it is given.

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::leave::OwnersAct;
use wb_core::letter::LetterBody;
use wb_core::time::Timestamp;
use wb_store::{LetterIn, LetterOut, NewLetter, Private};

use super::prepare::LASTS_MS;
use crate::error::{NodeError, Result};
use crate::node::Node;

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

/// The same, called within [`Private::together`].
pub(crate) fn tell_within(
    private: &Private,
    owner: RecordId,
    to: InstanceId,
    thread: RecordId,
    body: &LetterBody,
    now: Timestamp,
) -> Result<()> {
    let raw = body.to_raw();
    let kind = body.kind();
    let before = private.letter_out(&to, &thread, false)?;
    private.put_letter(&NewLetter {
        recipient: to,
        thread,
        is_receipt: false,
        n: before.map_or(1, |before| before.n + 1),
        kind: kind.as_str(),
        body: raw.get(),
        owner: Some(owner),
        request: body.request().copied(),
        act: Some(OwnersAct::to_say(owner, to, &raw)),
        at: now,
        expires: now.plus_ms(LASTS_MS),
    })?;
    Ok(())
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

fn ask_to_erase(
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
    let is_asked = letter.kind == LetterBody::Erase.kind().as_str();
    if is_asked && letter.owner == owner {
        return Ok(());
    }
    let request: Option<RecordRef> = letter.request.filter(|_| owner.is_some());
    private.put_letter(&NewLetter {
        recipient: letter.recipient,
        thread: letter.thread,
        is_receipt: false,
        n: letter.n + 1,
        kind: LetterBody::Erase.kind().as_str(),
        body: LetterBody::Erase.to_raw().get(),
        owner,
        request,
        act: None,
        at: now,
        expires: now.plus_ms(LASTS_MS),
    })?;
    Ok(())
}

/// Forgets the ways to reach others that were sent to the author of these requests, whose account goes. Called within
/// [`Private::together`].
pub(crate) fn forget_contacts(private: &Private, requests: &[RecordId]) -> Result<()> {
    for request in requests {
        for letter in private.letters_about(request)? {
            if letter.kind == "contact" && letter.state == "arrived" {
                private.put_letter_in(&LetterIn {
                    line: Vec::new(),
                    state: "erased".to_owned(),
                    owes: false,
                    ..letter
                })?;
            }
        }
    }
    Ok(())
}
