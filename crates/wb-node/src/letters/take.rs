//! Taking a letter: the outside, the seal, the inside, and what it says, each by its rules. The highest number of a
//! thread wins, so what comes twice, late or out of order changes nothing.

use wb_core::hash;
use wb_core::id::InstanceId;
use wb_core::letter::{Letter, LetterBody, Mail, Receipt, ReceiptState};
use wb_core::limits::NUMBER_MAX;
use wb_core::ndjson::split_first;
use wb_core::rule::Rule;
use wb_core::time::Timestamp;
use wb_store::{LetterIn, LetterOut, NewLetter, Private, Standing};

use super::prepare::LASTS_MS;
use crate::error::Result;
use crate::node::Node;
use crate::sealed::open;

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
    /// It stays where it is: it names a key that is not known here yet.
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
        Some(Standing::Approved) => {}
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
    let taken = node.store.private().together(|private| match &says {
        Some(LetterBody::Receipt(receipt)) => take_receipt(private, &letter, receipt, now),
        says => keep(node, private, &letter, says.as_ref(), line, now),
    })?;
    if taken == Taken::New && says == Some(LetterBody::Erase) {
        // Words that were taken back must not stay behind in the log file.
        node.store.empty_logs()?;
    }
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
        // Its sender has no receipt, or lost it.
        private.put_letter_in(&LetterIn {
            owes: held.state != "erasing",
            ..held.clone()
        })?;
        return Ok(Taken::Known);
    }
    let own = says
        .and_then(LetterBody::request)
        .filter(|request| request.origin == node.own_id())
        .map(|request| request.id);
    let published = held.as_ref().and_then(|held| held.published);
    let state = match says {
        Some(LetterBody::Erase) if published.is_some() => "erasing",
        Some(LetterBody::Erase) => "erased",
        _ => held
            .as_ref()
            .filter(|held| held.state == "published")
            .map_or("arrived", |_| "published"),
    };
    private.put_letter_in(&LetterIn {
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
    })?;
    Ok(Taken::New)
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
        matches!(self, Self::Left(_) | Self::LeftUnproved(_) | Self::Waits)
    }

    /// Who wrote one that stays where it is, as far as its outside says.
    pub(crate) fn origin(self) -> Option<InstanceId> {
        match self {
            Self::Left(origin) | Self::LeftUnproved(origin) => Some(origin),
            _ => None,
        }
    }

    /// Who wrote one that stays where it is, where its outside proves that.
    pub(crate) fn proved_origin(self) -> Option<InstanceId> {
        match self {
            Self::Left(origin) => Some(origin),
            _ => None,
        }
    }
}
