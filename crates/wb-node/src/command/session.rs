//! Browsers: asking to be let in, letting in, ending. The same for the pages and `wb session`.
//!
//! A browser that asks waits, and shows a code. Somebody who is in already types that code: the
//! member's own other browser, a steward, or for an admin another admin. So nobody is let in by a
//! click on a question that somebody else caused. Whoever asks under a handle that nobody has is
//! answered just the same.

use wb_core::hash;
use wb_core::id::{Hash, RecordId};
use wb_core::kinds::check_name;
use wb_core::time::Timestamp;
use wb_store::{Account, AccountState, AuditRow, Private, Role, SessionRow};
use zeroize::Zeroizing;

use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::secret;

/// Days a session lasts that is not used.
pub const SESSION_DAYS: i64 = 60;
/// Hours a browser waits.
pub const WAITING_HOURS: i64 = 24;
/// Browsers that may wait for one handle: who knows a handle cannot bury its owner in questions.
pub const WAITING_PER_HANDLE_MAX: usize = 3;
/// Browsers that may wait at all; protects the file.
pub const WAITING_MAX: usize = 1_000;
/// Characters of a browser's description that are kept.
const LABEL_CHARS_MAX: usize = 80;
/// Letters and digits that are not taken for each other.
const CODE_LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Letters of a code: a billion of them, of which three are right at a time.
const CODE_LENGTH: usize = 6;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Why a browser is not let in to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAsked {
    /// As many as may wait for one handle do.
    HandleFull,
    /// As many as may wait at all do.
    Full,
}

/// A browser asks to be let in under a handle, whether or not somebody has it.
///
/// # Errors
/// That nobody can have this handle, or what the store reports.
pub fn session_ask(
    node: &Node,
    handle: &str,
    label: &str,
) -> Result<std::result::Result<Zeroizing<String>, NotAsked>> {
    // What nobody can have is not kept for a day: it may be as long as a form.
    check_name(handle).map_err(NodeError::text("handle"))?;
    let now = node.now();
    let private = node.store.private();
    private.together(|private| {
        private.forget_ended(now)?;
        if private.sessions_waiting(Some(handle), now)?.len() >= WAITING_PER_HANDLE_MAX {
            return Ok(Err(NotAsked::HandleFull));
        }
        if private.count_waiting(now)? >= WAITING_MAX as u64 {
            return Ok(Err(NotAsked::Full));
        }
        let secret = secret::fresh();
        private.put_session(&SessionRow {
            session: secret::name(&secret),
            handle: handle.to_owned(),
            user: None,
            label: short(label),
            created_at: now,
            seen_at: now,
            ends_at: now.plus_ms(WAITING_HOURS * HOUR_MS),
            approved_by: None,
            renewed: false,
        })?;
        Ok(Ok(secret))
    })
}

/// Lets a browser in at once: the one that founded, that joined by an invite, or that used a link.
///
/// # Errors
/// What the store reports.
pub fn session_begin(node: &Node, account: &Account, label: &str) -> Result<Zeroizing<String>> {
    let now = node.now();
    let private = node.store.private();
    private.together(|private| begin(private, account, label, now))
}

/// The same within a transaction.
pub(super) fn begin(
    private: &Private,
    account: &Account,
    label: &str,
    now: Timestamp,
) -> Result<Zeroizing<String>> {
    let secret = secret::fresh();
    let row = SessionRow {
        session: secret::name(&secret),
        handle: account.handle.clone(),
        user: Some(account.user),
        label: short(label),
        created_at: now,
        seen_at: now,
        ends_at: now.plus_ms(SESSION_DAYS * DAY_MS),
        approved_by: None,
        renewed: true,
    };
    private.put_session(&row)?;
    private.audit(&noted(
        now,
        account.user,
        "session begin",
        account.user,
        &row.label,
    ))?;
    Ok(secret)
}

/// The code that a browser shows while it waits.
///
/// # Errors
/// What the store reports.
pub fn session_code(node: &Node, session: &Hash) -> Result<String> {
    let secret = Zeroizing::new(node.store.private().secret("node")?);
    let digest = hash::sha256(&[b"wb session code\0", &secret[..], session.as_bytes()].concat());
    let letters = digest.as_bytes().iter().take(CODE_LENGTH);
    Ok(letters
        .map(|byte| char::from(CODE_LETTERS[usize::from(byte % 32)]))
        .collect())
}

/// Lets in the browser that waits under a handle and shows a code.
///
/// # Errors
/// That no such browser waits, or that the actor may not let it in. Which of both is told only to who
/// may.
pub fn session_approve(node: &Node, actor: &Actor, handle: &str, code: &str) -> Result<SessionRow> {
    let account = may_decide(node, actor, handle)?;
    let waiting = waiting_with(node, handle, code)?;
    let now = node.now();
    node.store.private().together(|private| {
        if !private.approve_session(&waiting.session, &account.user, &actor.user)? {
            return Err(not_waiting(handle));
        }
        for draft in private.waiting_drafts(&waiting.session)? {
            private.put_draft(&wb_store::Draft {
                id: draft.id,
                author: Some(account.user),
                scope: wb_core::scope::Scope::Private,
                title: draft.title,
                description: draft.description,
                created_at: draft.at,
                at: draft.at,
            })?;
        }
        let by = if actor.user == account.user {
            "from another browser of yours".to_owned()
        } else {
            format!("by {}", actor.handle)
        };
        tell_let_in(
            private,
            &account,
            &waiting.session,
            &waiting.label,
            &by,
            now,
        )?;
        let act = "session approve";
        Ok(private.audit(&noted(now, actor.user, act, account.user, &waiting.label))?)
    })?;
    Ok(waiting)
}

/// Sends a browser away that waits.
///
/// # Errors
/// As for letting it in.
pub fn session_deny(node: &Node, actor: &Actor, handle: &str, code: &str) -> Result<SessionRow> {
    let account = may_decide(node, actor, handle)?;
    let waiting = waiting_with(node, handle, code)?;
    let now = node.now();
    node.store.private().together(|private| {
        private.end_session(&waiting.session)?;
        let act = "session deny";
        private.audit(&noted(now, actor.user, act, account.user, &waiting.label))
    })?;
    Ok(waiting)
}

/// Sends a browser away that waits under the actor's own handle. It needs no code: nobody is let in by it.
///
/// # Errors
/// That no such browser waits there.
pub fn session_refuse(node: &Node, actor: &Actor, session: &Hash) -> Result<SessionRow> {
    let now = node.now();
    let waiting = node
        .store
        .private()
        .sessions_waiting(Some(&actor.handle), now)?;
    let found = waiting.into_iter().find(|row| row.session == *session);
    let row = found.ok_or_else(|| NodeError::unknown("waiting browser", session.to_string()))?;
    node.store.private().end_session(session)?;
    node.audit(now, actor, "session deny", &actor.user, &row.label)?;
    Ok(row)
}

/// Puts away what a browser's owner was told. A browser cannot put away what is about itself.
///
/// # Errors
/// That there is no such notice for this browser.
pub fn notice_see(node: &Node, actor: &Actor, browser: &Hash, notice_no: i64) -> Result<()> {
    let private = node.store.private();
    if private.see_notice(notice_no, &actor.user, browser, node.now())? {
        Ok(())
    } else {
        Err(NodeError::unknown("notice", notice_no.to_string()))
    }
}

/// Word of notices about a browser that was let in.
pub(crate) const LET_IN: &str = "let in";

/// Tells an account's other browsers that one was let in.
pub(crate) fn tell_let_in(
    private: &Private,
    account: &Account,
    session: &Hash,
    label: &str,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    let detail = format!("{label} was let in {by}");
    Ok(private.put_notice(&account.user, now, LET_IN, &detail, Some(session))?)
}

/// Gives a browser that was let in its new secret. None where it still waits, or has one.
///
/// # Errors
/// What the store reports.
pub fn session_renew(node: &Node, session: &Hash) -> Result<Option<Zeroizing<String>>> {
    let secret = secret::fresh();
    let ends_at = node.now().plus_ms(SESSION_DAYS * DAY_MS);
    let renewed = node
        .store
        .private()
        .renew_session(session, &secret::name(&secret), ends_at)?;
    Ok(renewed.then_some(secret))
}

/// Whether an account may decide about browsers of a handle, and whose that is.
fn may_decide(node: &Node, actor: &Actor, handle: &str) -> Result<Account> {
    let account = node.store.private().account(handle)?;
    let is_own = account
        .as_ref()
        .is_some_and(|account| account.user == actor.user);
    if !is_own && !actor.is_steward() {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "let in somebody else's browser",
            why: "that needs a steward or an admin",
        });
    }
    let account = account
        .filter(|account| account.state != AccountState::Gone)
        .ok_or_else(|| NodeError::unknown("user", handle))?;
    if !is_own && account.role == Role::Admin && actor.role != Role::Admin {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "let in an admin's browser",
            why: "that needs an admin",
        });
    }
    Ok(account)
}

fn waiting_with(node: &Node, handle: &str, code: &str) -> Result<SessionRow> {
    let typed: String = code
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    for row in node
        .store
        .private()
        .sessions_waiting(Some(handle), node.now())?
    {
        if session_code(node, &row.session)? == typed {
            return Ok(row);
        }
    }
    Err(not_waiting(handle))
}

fn not_waiting(handle: &str) -> NodeError {
    NodeError::Refused(format!(
        "no browser with that code waits to be let in as {handle}; nothing was changed. \
         Compare the code that the new browser shows now"
    ))
}

fn short(label: &str) -> String {
    label.chars().take(LABEL_CHARS_MAX).collect()
}

/// Who uses a session; the account may be waiting itself.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The session.
    pub session: SessionRow,
    /// Its account; none while the browser waits.
    pub account: Option<Account>,
}

/// The browser of a session that lasts, noted as used now.
///
/// # Errors
/// What the store reports.
pub fn browser(node: &Node, session: &Hash) -> Result<Option<Browser>> {
    let (now, private) = (node.now(), node.store.private());
    let Some(row) = private.session(session, now)? else {
        return Ok(None);
    };
    let account = match row.user {
        Some(user) => private.account_of(&user)?,
        None => None,
    };
    if row.renewed && now.unix_ms() - row.seen_at.unix_ms() > HOUR_MS {
        private.note_session(session, now, now.plus_ms(SESSION_DAYS * DAY_MS))?;
    }
    Ok(Some(Browser {
        session: row,
        account,
    }))
}

/// Ends a session of one's own.
///
/// # Errors
/// That there is none.
pub fn session_end(node: &Node, user: &RecordId, session: &Hash) -> Result<()> {
    let own = node.store.private().session(session, node.now())?;
    match own {
        Some(row) if row.user == Some(*user) => end(node, *user, *user, &row),
        _ => Err(NodeError::unknown("session", session.to_string())),
    }
}

/// Ends a session of somebody: one's own, or as who may let in browsers of that handle.
///
/// # Errors
/// That there is none, or that the actor may not.
pub fn session_end_by(node: &Node, actor: &Actor, session: &Hash) -> Result<SessionRow> {
    let unknown = || NodeError::unknown("session", session.to_string());
    let row = node.store.private().session(session, node.now())?;
    let row = row.ok_or_else(unknown)?;
    let account = may_decide(node, actor, &row.handle)?;
    if row.user != Some(account.user) {
        return Err(unknown());
    }
    end(node, actor.user, account.user, &row)?;
    Ok(row)
}

fn end(node: &Node, actor: RecordId, owner: RecordId, row: &SessionRow) -> Result<()> {
    let now = node.now();
    node.store.private().together(|private| {
        private.end_session(&row.session)?;
        Ok(private.audit(&noted(now, actor, "session end", owner, &row.label))?)
    })
}

/// A line of the audit log about a browser, for the transaction that it tells of.
fn noted(now: Timestamp, actor: RecordId, act: &str, owner: RecordId, label: &str) -> AuditRow {
    AuditRow {
        at: now,
        actor: Some(actor),
        act: act.to_owned(),
        target: owner.to_string(),
        detail: label.to_owned(),
    }
}
