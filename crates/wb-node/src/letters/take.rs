//! Taking a letter: the outside, the seal, the inside, and what it says, each by its rules. The highest number of a
//! thread wins, so what comes twice, late or out of order changes nothing.

use serde::Deserialize;
use wb_core::hash;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::leave::Life;
use wb_core::letter::{Letter, LetterBody, Mail, Receipt, ReceiptState};
use wb_core::limits::{LETTER_AGAIN_MS, LETTERS_KEPT_MAX, NUMBER_MAX};
use wb_core::ndjson::split_first;
use wb_core::rule::Rule;
use wb_core::time::Timestamp;
use wb_store::{LetterIn, LetterOut, NewLetter, Private, Standing};

use super::prepare::LASTS_MS;
use super::write::forget_words;
use crate::error::Result;
use crate::node::Node;
use crate::offers::{Folded, fold};
use crate::sealed::open;

/// Milliseconds after which a letter that comes once more is answered once more: its sender gives it again once a day,
/// and whoever else carries it does so any number of times.
const RECEIPT_AGAIN_MS: i64 = LETTER_AGAIN_MS / 2;

/// What came of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It says something that was not here.
    New,
    /// It, or a later one, came before; or nobody here wants to hear of who wrote it.
    Known,
    /// It stays where it is: who wrote it is not accepted here.
    Left(InstanceId),
    /// As [`Taken::Left`], and whoever carries it may have made up who wrote it: nobody here can tell.
    LeftUnproved(InstanceId),
    /// It stays where it is: so many of whoever wrote it are kept here already.
    Full(InstanceId),
    /// It stays where it is: it names a key that is not known here yet, or what came before it is not done.
    Waits,
    /// It breaks a rule, and nothing of it counts.
    Refused(Rule),
}

/// Takes a letter in a transaction of its own.
///
/// # Errors
/// What the store reports; then it is as if it had not come.
pub(crate) fn take(node: &Node, line: &[u8], body: &[u8]) -> Result<Taken> {
    let now = node.now();
    let mail = match Mail::read(line) {
        Ok((mail, _)) => mail,
        Err(rule) => return Ok(Taken::Refused(rule)),
    };
    let origin = mail.outside().origin;
    if origin == node.own_id() || mail.recipient() != node.own_id() {
        return Ok(Taken::Refused(Rule::NotInAudience));
    }
    match node.store.standing(&origin)? {
        Some(standing) if standing.is_accepted() => {}
        // Who is refused here fills nothing, neither here nor where it waits.
        Some(Standing::Blocked) => return Ok(Taken::Known),
        _ => return left(node, line, body, now),
    }
    let Some(log) = node.store.identity_log(&origin)? else {
        return Ok(Taken::Waits);
    };
    if log.entry(&mail.outside().identity).is_none() {
        // Its key may be one that comes with the next pull.
        return Ok(Taken::Waits);
    }
    let mail = match Mail::verify(line, body, &log, now) {
        Ok(mail) => mail,
        Err(rule) => return Ok(Taken::Refused(rule)),
    };
    let secrets = node.store.private().sealing_secrets()?;
    let plain = match open(body, &secrets) {
        Ok(plain) => plain,
        Err(rule) => return Ok(Taken::Refused(rule)),
    };
    let letter = match Letter::open(&plain, &mail, &log, &node.own_id()) {
        Ok(letter) => letter,
        Err(rule) => return Ok(Taken::Refused(rule)),
    };
    let says = match letter.read_body() {
        Ok(says) => says,
        Err(rule) => return Ok(Taken::Refused(rule)),
    };
    let (line, _) = split_first(&plain);
    let held = node
        .store
        .private()
        .letter_in(&letter.origin, &letter.thread)?;
    let hides = match &says {
        Some(LetterBody::Erase) => held.is_some_and(|held| held.has_words()),
        Some(LetterBody::Decline(_) | LetterBody::Closed(_) | LetterBody::Done(_)) => true,
        _ => false,
    };
    if hides {
        // Words that were taken back must not stay behind in the files, nor contacts that are hidden again: they are
        // emptied once all that came is taken.
        node.store.note_erasing()?;
    }
    let taken = node.store.private().together(|private| match &says {
        Some(LetterBody::Receipt(receipt)) => take_receipt(private, &letter, receipt, now),
        says => keep(node, private, &letter, says.as_ref(), line, now),
    })?;
    Ok(taken)
}

/// Whose a letter is that stays where it is.
fn left(node: &Node, line: &[u8], body: &[u8], now: Timestamp) -> Result<Taken> {
    let origin = match Mail::read(line) {
        Ok((mail, _)) => mail.outside().origin,
        Err(rule) => return Ok(Taken::Refused(rule)),
    };
    let log = node.store.identity_log(&origin)?;
    let is_proved = log.is_some_and(|log| Mail::verify(line, body, &log, now).is_ok());
    Ok(match is_proved {
        true => Taken::Left(origin),
        false => Taken::LeftUnproved(origin),
    })
}

/// Keeps what a letter says, or that it is of a later version.
fn keep(
    node: &Node,
    private: &Private,
    letter: &Letter,
    says: Option<&LetterBody>,
    line: &[u8],
    now: Timestamp,
) -> Result<Taken> {
    let held = private.letter_in(&letter.origin, &letter.thread)?;
    if let Some(held) = &held
        && held.n >= letter.n
    {
        // Its sender has no receipt, or lost it. Whoever carries it gives it any number of times.
        let told = private.letter_out(&letter.origin, &letter.thread, true)?;
        let is_told = told.is_some_and(|told| told.at > now.plus_ms(-RECEIPT_AGAIN_MS));
        if !is_told && !held.owes && held.state != "erasing" {
            private.put_letter_in(&LetterIn {
                owes: true,
                ..held.clone()
            })?;
        }
        return Ok(Taken::Known);
    }
    if held.as_ref().is_some_and(|held| held.state == "erasing") {
        // What was asked before comes first.
        return Ok(Taken::Waits);
    }
    if held.is_none() && private.letters_of(&letter.origin)? >= LETTERS_KEPT_MAX {
        return Ok(Taken::Full(letter.origin));
    }
    if let Some(says) = says
        && fold(node, private, letter, says, now)? == Folded::Nothing
    {
        return Ok(Taken::Known);
    }
    let request = match says {
        Some(says) => says.request().copied(),
        // A version that knows the kind finds it under the request.
        None => serde_json::from_str::<About>(letter.body.get())
            .ok()
            .map(|about| about.request),
    };
    let request = request.filter(|request| request.origin == node.own_id());
    let own = request.map(|request| request.id);
    let published = held.as_ref().and_then(|held| held.published);
    let state = match says {
        Some(LetterBody::Erase) if published.is_some() => "erasing",
        Some(LetterBody::Erase) => "erased",
        _ => held
            .as_ref()
            .filter(|held| held.state == "published")
            .map_or("arrived", |_| "published"),
    };
    let came = LetterIn {
        origin: letter.origin,
        thread: letter.thread,
        n: letter.n,
        kind: letter.kind.to_string(),
        line: line.to_vec(),
        request: own.or(held.as_ref().and_then(|held| held.request)),
        at: now,
        published,
        state: state.to_owned(),
        receipt_n: held.map_or(0, |held| held.receipt_n),
        owes: state != "erasing",
    };
    if matches!(says, Some(LetterBody::Contact(_))) && !has_author(node, came.request.as_ref())? {
        // Nobody is there any more to read it.
        forget_words(private, came, now)?;
    } else {
        private.put_letter_in(&came)?;
    }
    Ok(Taken::New)
}

/// What a letter of an unknown kind may be about.
#[derive(Deserialize)]
struct About {
    request: RecordRef,
}

/// Whether an own request is there with somebody who wrote it.
fn has_author(node: &Node, request: Option<&RecordId>) -> Result<bool> {
    let Some(request) = request else {
        return Ok(true);
    };
    let record = node.store.local(request)?;
    Ok(record.is_none_or(|record| record.author.is_some() && record.life != Life::Deleted))
}

/// Takes what a receiver says of a letter of ours.
fn take_receipt(
    private: &Private,
    letter: &Letter,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<Taken> {
    let Some(out) = private.letter_out(&letter.origin, &letter.thread, false)? else {
        return Ok(Taken::Known);
    };
    let before = out.receipt.as_ref().map_or(0, |(n, ..)| *n);
    if letter.n <= before {
        return Ok(Taken::Known);
    }
    let is_of_this = receipt.n == out.n && receipt.sha256 == hash::sha256(out.body.as_bytes());
    let is_above = receipt.n > out.n && receipt.n < NUMBER_MAX;
    if !is_of_this && !is_above {
        // Of what was told before this, or of other words.
        return Ok(Taken::Known);
    }
    let asks_to_erase = out.kind == LetterBody::Erase.kind().as_str();
    if is_above && asks_to_erase && receipt.state != ReceiptState::Erased {
        // A newer copy of this folder told more in this thread: what is asked now has to be above it.
        tell_above(private, &out, receipt.n, now)?;
    } else {
        // What that copy told last stands: words that it may have taken back are not sent again.
        let state = receipt.state.as_str();
        private.note_receipt(out.no, (letter.n, receipt.n), state, now)?;
    }
    Ok(Taken::New)
}

fn tell_above(private: &Private, out: &LetterOut, n: u64, now: Timestamp) -> Result<()> {
    private.put_letter(&NewLetter {
        recipient: out.recipient,
        thread: out.thread,
        is_receipt: false,
        n: n + 1,
        kind: &out.kind,
        body: &out.body,
        owner: out.owner,
        request: out.request,
        act: out.act,
        at: out.at,
        expires: now.plus_ms(LASTS_MS),
    })?;
    Ok(())
}

impl Taken {
    /// Whether it stays where it is.
    pub(crate) fn stays(self) -> bool {
        matches!(
            self,
            Self::Left(_) | Self::LeftUnproved(_) | Self::Full(_) | Self::Waits
        )
    }

    /// Who wrote one that stays where it is, as far as its outside says.
    pub(crate) fn origin(self) -> Option<InstanceId> {
        match self {
            Self::Left(origin) | Self::LeftUnproved(origin) | Self::Full(origin) => Some(origin),
            _ => None,
        }
    }

    /// Who wrote one that stays where it is, where its outside proves that.
    pub(crate) fn proved_origin(self) -> Option<InstanceId> {
        match self {
            Self::Left(origin) | Self::Full(origin) => Some(origin),
            _ => None,
        }
    }
}
