//! Sealing the letters that wait, each through `may_tell`, and the receipts that are owed; telling whose letter did
//! not arrive.

use serde_json::value::RawValue;
use wb_core::hash;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::leave::{
    About, Account, Helping, OwnersAct, Teller, Telling, Untelling, Untold, may_tell,
};
use wb_core::letter::{Letter, LetterBody, Mail, Receipt, ReceiptState};
use wb_core::limits::ENVELOPE_DAYS;
use wb_core::scope::{Kind, Scope};
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_store::{AccountState, Filter, LetterIn, LetterOut, NewLetter, Private, SealedLetter};

use crate::command::retire::{Retirement, retirement};
use crate::error::Result;
use crate::levels::is_accepted;
use crate::node::Node;
use crate::query::letters::name_of;
use crate::sealed::keys::{key_of, own_key};
use crate::sealed::seal;

/// Milliseconds that a letter lasts.
pub(crate) const LASTS_MS: i64 = ENVELOPE_DAYS * 24 * 60 * 60 * 1_000;

/// What a notice about a letter that did not arrive is about.
pub(crate) const LETTER_LOST: &str = "letter lost";

/// Seals what waits, in one transaction of the private file. Returns how many letters were sealed.
///
/// # Errors
/// What the store reports, or that the signing key cannot be used. Nothing changes then.
pub(crate) fn prepare(node: &Node, now: Timestamp) -> Result<u64> {
    let private = node.store.private();
    if private.letters_owing()?.is_empty() && private.letters_out()?.is_empty() {
        return Ok(0);
    }
    private.together(|private| {
        private.tidy_letters(now)?;
        owe_receipts(node, private, now)?;
        let (mut sealed, mut signer) = (0, None);
        let newest = node.identity().newest().hash;
        for letter in private.letters_out()? {
            let is_done = letter.receipt.is_some() || letter.lost_at.is_some();
            // Whoever does not get a receipt gives the letter again, and is answered anew. One that an earlier key signed
            // nobody takes any more.
            let is_newest = letter.sealed.as_ref().is_some_and(|(by, _)| *by == newest);
            if is_done || letter.is_receipt && !letter.kept_at.is_empty() && is_newest {
                continue;
            }
            if letter.expires <= now {
                tell_lost(node, private, &letter, now)?;
                continue;
            }
            sealed += u64::from(seal_one(node, private, &letter, &mut signer, now)?);
        }
        Ok(sealed)
    })
}

/// Whether something may be told, before anybody is asked to say yes to it.
///
/// # Errors
/// What the store reports; inside, why not.
pub(crate) fn would_tell(
    node: &Node,
    owner: RecordId,
    to: InstanceId,
    body: &LetterBody,
    now: Timestamp,
) -> Result<std::result::Result<(), Untold>> {
    would_tell_in(node, owner, to, Helping::Nothing, body, now)
}

/// The same of what is said of help, where the other side said something of it before.
///
/// # Errors
/// As [`would_tell`].
pub(crate) fn would_tell_in(
    node: &Node,
    owner: RecordId,
    to: InstanceId,
    helping: Helping,
    body: &LetterBody,
    now: Timestamp,
) -> Result<std::result::Result<(), Untold>> {
    let (raw, kind) = (body.to_raw(), body.kind());
    let told = may_tell(&Untelling {
        own: node.own_id(),
        to,
        thread: owner,
        n: 1,
        kind: &kind,
        body: &raw,
        of: teller(node, Some(&owner))?,
        act: Some(OwnersAct::to_say(owner, to, &raw)),
        about: about(node, body.request())?,
        helping,
        at: now,
        expires: now,
    });
    Ok(told.map(|_| ()))
}

/// Why a letter is not sealed anew.
const NEW_KEY: &str = "new_key";

/// Writes the receipts that are owed, each in the place of the one before.
fn owe_receipts(node: &Node, private: &Private, now: Timestamp) -> Result<()> {
    for letter in private.letters_owing()? {
        // That words are gone is said once they are, from the files too.
        let is_early = letter.state == "erased" && node.store.has_to_empty_logs()?;
        if !is_early && is_accepted(node, &letter.origin)? {
            let answered = answer(private, letter, now)?;
            private.put_letter_in(&answered)?;
        }
    }
    Ok(())
}

/// Writes the receipt of what is held of a thread. Returns what is to be kept of it then.
pub(super) fn answer(private: &Private, letter: LetterIn, now: Timestamp) -> Result<LetterIn> {
    let answered = LetterIn {
        receipt_n: letter.receipt_n + 1,
        owes: false,
        ..letter
    };
    if let Ok(held) = Letter::kept(&answered.line) {
        let body = LetterBody::Receipt(Receipt {
            n: answered.n,
            sha256: hash::sha256(held.body.get().as_bytes()),
            state: match answered.state.as_str() {
                "published" => ReceiptState::Published,
                "erased" => ReceiptState::Erased,
                _ => ReceiptState::Arrived,
            },
        });
        private.put_letter(&NewLetter {
            recipient: answered.origin,
            thread: answered.thread,
            is_receipt: true,
            n: answered.receipt_n,
            kind: LetterBody::RECEIPT,
            body: body.to_raw().get(),
            owner: None,
            request: None,
            act: None,
            at: now,
            expires: now.plus_ms(LASTS_MS),
        })?;
    }
    Ok(answered)
}

/// Tells whoever a letter is of that it did not arrive.
fn tell_lost(node: &Node, private: &Private, letter: &LetterOut, now: Timestamp) -> Result<()> {
    private.letter_lost(letter.no, now)?;
    if let Some(owner) = &letter.owner {
        let name = name_of(node, &letter.recipient)?;
        let detail = if letter.kind == LetterBody::Erase.kind().as_str() {
            format!(
                "{name} did not say within {ENVELOPE_DAYS} days that it erased what you took back; it may have it still"
            )
        } else {
            format!("{name} did not say within {ENVELOPE_DAYS} days that what you sent arrived")
        };
        private.put_notice(owner, now, LETTER_LOST, &detail, None)?;
    }
    Ok(())
}

/// Brings one letter to how it has to be sealed now. Returns whether it was sealed.
fn seal_one(
    node: &Node,
    private: &Private,
    letter: &LetterOut,
    signer: &mut Option<Signer>,
    now: Timestamp,
) -> Result<bool> {
    let key = match key_for(node, letter)? {
        Ok(key) => key,
        Err(why) => {
            private.block_letter(letter.no, why)?;
            return Ok(false);
        }
    };
    let telling = match telling(node, private, letter)? {
        Ok(telling) => telling,
        Err(why) => {
            private.block_letter(letter.no, why.as_str())?;
            return Ok(false);
        }
    };
    // What a member agreed to goes to the key that it was sealed to first: whoever names another one in the card may
    // not be whom it was for, and an honest receiver opens it with its former key as long as it is on its way.
    let sealed_to = letter.sealed.as_ref().map(|(_, key)| key);
    let is_of_somebody = letter.owner.is_some() && letter.kind != LetterBody::Erase.kind().as_str();
    if is_of_somebody && sealed_to.is_some_and(|to| *to != key) {
        if private.letter_sealed(letter.no)?.is_none()
            || letter
                .sealed
                .as_ref()
                .is_some_and(|(by, _)| *by != node.identity().newest().hash)
        {
            private.block_letter(letter.no, NEW_KEY)?;
        }
        return Ok(false);
    }
    let by = node.identity().newest().hash;
    let as_now = (by, key.clone());
    if letter.sealed.as_ref() == Some(&as_now) && private.letter_sealed(letter.no)?.is_some() {
        return Ok(false);
    }
    let signer = match signer {
        Some(signer) => signer,
        None => signer.insert(node.signer()?),
    };
    let plain = telling.plaintext(node.identity(), signer);
    let body = seal(&plain, &[key.clone(), own_key(&node.store, now)?])?;
    let mail = Mail::new(node.identity(), telling.to(), telling.expires(), &body);
    private.seal_letter(
        letter.no,
        &SealedLetter {
            line: &mail.sign(signer),
            body: &body,
            hash: hash::sha256(&body),
            by,
            to: &key,
        },
    )?;
    Ok(true)
}

/// The key that a letter is sealed to, or why it is to none.
fn key_for(node: &Node, letter: &LetterOut) -> Result<std::result::Result<String, &'static str>> {
    if !is_accepted(node, &letter.recipient)? {
        return Ok(Err("not_accepted"));
    }
    let Some(card) = key_of(&node.store, &letter.recipient)? else {
        return Ok(Err("no_key"));
    };
    let known = node.store.in_audience(&letter.recipient)?;
    if card.is_in_doubt(known.as_ref()) {
        return Ok(Err("key_in_doubt"));
    }
    Ok(Ok(card.key))
}

/// Asks the only door whether a letter may be told.
fn telling(
    node: &Node,
    private: &Private,
    letter: &LetterOut,
) -> Result<std::result::Result<Telling, Untold>> {
    let is_closed = matches!(retirement(node)?, Retirement::Retired(_));
    if is_closed && letter.owner.is_some() && letter.act.is_some() {
        return Ok(Err(Untold::AuthorGone));
    }
    let (Ok(kind), Ok(body)) = (
        letter.kind.parse::<Kind>(),
        RawValue::from_string(letter.body.clone()),
    ) else {
        return Ok(Err(Untold::BodyUnfit));
    };
    Ok(may_tell(&Untelling {
        own: node.own_id(),
        to: letter.recipient,
        thread: letter.thread,
        n: letter.n,
        kind: &kind,
        body: &body,
        of: teller(node, letter.owner.as_ref())?,
        act: letter.act,
        about: match letter.kind.as_str() {
            LetterBody::REDEEMED => asked(node, letter)?,
            _ => about(node, letter.request.as_ref())?,
        },
        helping: crate::offers::helping(node, private, &letter.recipient, &letter.thread)?,
        at: letter.at,
        expires: letter.expires,
    }))
}

fn teller(node: &Node, owner: Option<&RecordId>) -> Result<Teller> {
    let Some(owner) = owner else {
        return Ok(Teller::Instance);
    };
    let private = node.store.private();
    let redemption = private.redemption_of(owner)?;
    let is_provisional = redemption.is_some_and(|redemption| redemption.is_provisional());
    let state = private
        .account_of(owner)?
        .map_or(Account::Gone, |account| match account.state {
            AccountState::Approved if is_provisional => Account::Provisional,
            AccountState::Approved => Account::Approved,
            AccountState::Pending => Account::Pending,
            AccountState::Gone => Account::Gone,
        });
    Ok(Teller::Member(*owner, state))
}

/// Whether the recipient of an answer asked in its thread.
fn asked(node: &Node, letter: &LetterOut) -> Result<About> {
    let decided = node.store.private();
    let decided = decided.invite_use(&letter.recipient, &letter.thread)?;
    Ok(decided.map_or(About::Nothing, |_| About::Asked))
}

fn about(node: &Node, request: Option<&RecordRef>) -> Result<About> {
    let Some(request) = request else {
        return Ok(About::Nothing);
    };
    let filter = Filter {
        origin: Some(request.origin),
        id: Some(request.id),
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?;
    let row = rows.iter().find(|row| row.kind.as_str() == "request");
    Ok(row.map_or(About::Unknown, |row| About::Shared {
        trusted: row.scope == Scope::TrustedPeers,
    }))
}
