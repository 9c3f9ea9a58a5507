//! One import while it runs, within both transactions: what every table needs.

use std::collections::BTreeMap;

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::Body;
use wb_core::limits::LINE_BYTES_MAX;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::legacy::Dump;
use wb_store::{Account, AccountState, LocalRecord, Private, Write};

use super::ids::{Ids, Known};
use super::problem::{Done, Found, Problem, Trouble};
use super::report::{Outcome, Report};
use super::sharing::PublicRow;
use super::{comments, invites, requests, users, vouches};
use crate::command::init::local;
use crate::error::Result;

/// Bytes of a body that still fits into a line with everything around it.
const BODY_BYTES_MAX: usize = LINE_BYTES_MAX - 4_096;
/// Rows between two words about how far it is.
const PROGRESS_ROWS: u64 = 256;

/// One import while it runs.
pub(super) struct Import<'a> {
    pub own: InstanceId,
    pub write: &'a Write<'a>,
    pub private: &'a Private,
    pub ids: Ids<'a>,
    pub report: Report,
    /// Accounts here, by user record; grows with the import.
    pub accounts: BTreeMap<RecordId, Account>,
    /// Users of the file by number: those that are somebody here.
    pub users: BTreeMap<i64, RecordId>,
    /// Requests of the file by number, drafts too.
    pub requests: BTreeMap<i64, RecordId>,
    public: Vec<PublicRow>,
    progress: &'a mut dyn FnMut(u64, u64),
    done: u64,
    total: u64,
}

/// A row of the file as a record.
pub(super) struct Moved {
    pub table: &'static str,
    /// What names the row in a problem.
    pub row: String,
    pub known: Known,
    pub record: LocalRecord,
    /// The scope in the file.
    pub scope: Scope,
    /// Why the record is kept private although the row need not be.
    pub kept: Option<Found>,
    /// When the row was last changed, where the file says.
    pub updated_at: Option<Timestamp>,
}

impl<'a> Import<'a> {
    pub(super) fn new(
        own: InstanceId,
        write: &'a Write<'a>,
        private: &'a Private,
        dump: &Dump,
        progress: &'a mut dyn FnMut(u64, u64),
    ) -> Result<Self> {
        let total = dump.users.len()
            + dump.requests.len()
            + dump.comments.len()
            + dump.invites.len()
            + dump.vouches.len();
        let accounts = private.accounts()?.into_iter();
        Ok(Self {
            own,
            write,
            private,
            ids: Ids::new(private, dump.source.0),
            report: Report::new(dump),
            accounts: accounts.map(|account| (account.user, account)).collect(),
            users: BTreeMap::new(),
            requests: BTreeMap::new(),
            public: Vec::new(),
            progress,
            done: 0,
            total: total as u64,
        })
    }

    /// Moves everything, what others refer to first.
    pub(super) fn run(&mut self, dump: &Dump) -> Result<()> {
        users::bring(self, &dump.users)?;
        requests::bring(self, &dump.requests)?;
        comments::bring(self, &dump.comments)?;
        invites::bring(self, &dump.invites)?;
        vouches::bring(self, &dump.vouches)?;
        (self.progress)(self.total, self.total);
        Ok(())
    }

    /// What was done, and the rows that are public in the file.
    pub(super) fn finish(self) -> (Report, Vec<PublicRow>) {
        (self.report, self.public)
    }

    /// Says now and then how far it is; called once a row.
    pub(super) fn step(&mut self) {
        if self.done.is_multiple_of(PROGRESS_ROWS) {
            (self.progress)(self.done, self.total);
        }
        self.done += 1;
    }

    /// The user record of a number in the file.
    pub(super) fn user(&self, number: Option<i64>) -> Option<RecordId> {
        self.users.get(&number?).copied()
    }

    /// A record of this instance as another names it.
    pub(super) fn reference(&self, id: RecordId) -> RecordRef {
        RecordRef {
            origin: self.own,
            id,
        }
    }

    /// Makes the record of a row, as far as it may go: without an author nowhere, because it would
    /// leave as written by the instance; not while it cannot stand in a shared record.
    pub(super) fn record(
        &self,
        id: RecordId,
        body: &Body,
        author: Option<RecordId>,
        (scope, too_long): (Scope, bool),
        (created_at, at): (Timestamp, Timestamp),
    ) -> (LocalRecord, Option<Found>) {
        let mut record = local(id, body, author, scope, self.own, at);
        record.created_at = created_at;
        let kept = if author.is_none() {
            record.ceiling = Scope::Private;
            Some(Found::NoAuthor)
        } else if too_long || record.body.len() > BODY_BYTES_MAX {
            Some(Found::TooLong)
        } else {
            let why = body.check(self.own).err().map(|why| why.to_string());
            why.map(|why| Found::BadText { why })
        };
        if kept.is_some() {
            record.scope = Scope::Private;
        }
        (record, kept)
    }

    /// Writes the record of a row unless it is here already; what was changed here wins. Tells
    /// whether it was written.
    pub(super) fn settle(&mut self, moved: Moved) -> Result<bool> {
        self.note_public(&moved);
        let here = match moved.known {
            Known::New(_) => None,
            _ => self.write.local(&moved.record.id)?,
        };
        let is_written = match here {
            None if self.is_erased(&moved.record) => false,
            None => {
                self.write.put_local(&moved.record)?;
                if let (Scope::Public, Some(kept)) = (moved.scope, moved.kept) {
                    self.trouble(moved.table, moved.row, kept, Done::KeptPrivate);
                }
                true
            }
            Some(record) => {
                self.compare(&moved, record)?;
                false
            }
        };
        let outcome = if is_written {
            Outcome::New
        } else {
            Outcome::Here
        };
        self.report.count(moved.table, outcome, 1);
        Ok(is_written)
    }

    /// Whether the account behind a record that is not here was erased here.
    fn is_erased(&self, record: &LocalRecord) -> bool {
        let account = record.author.and_then(|author| self.accounts.get(&author));
        account.is_some_and(|account| account.state == AccountState::Gone)
    }

    /// Looks at a record that is here for what changed in the file since.
    fn compare(&mut self, moved: &Moved, mut record: LocalRecord) -> Result<()> {
        let (table, row) = (moved.table, moved.row.clone());
        if moved.updated_at.is_some_and(|at| at > record.at) {
            self.trouble(table, row.clone(), Found::ChangedSince, Done::NotTaken);
        }
        if moved.scope != Scope::Private || record.scope == Scope::Private {
            return Ok(());
        }
        // Nobody changed it here since it came, so only its owner in the old program can have meant it.
        let is_untouched = record.edit == 1;
        let done = if is_untouched {
            record.scope = Scope::Private;
            record.edit += 1;
            self.write.put_local(&record)?;
            self.report.narrowed_now += 1;
            Done::MadePrivate
        } else {
            Done::NotTaken
        };
        self.trouble(table, row, Found::PrivateThere, done);
        Ok(())
    }

    fn note_public(&mut self, moved: &Moved) {
        let why = moved.kept.as_ref().map(|kept| match kept {
            Found::NoAuthor => "no_author",
            Found::TooLong => "too_long",
            _ => "bad_text",
        });
        if moved.scope == Scope::Public
            && let Some(kind) = kind_of(moved.table)
        {
            let id = Some(moved.record.id);
            self.public.push(PublicRow { kind, id, why });
        }
    }

    /// Notes a public row that is no record, or one that goes with a row.
    pub(super) fn note(
        &mut self,
        kind: &'static str,
        id: Option<RecordId>,
        why: Option<&'static str>,
    ) {
        self.public.push(PublicRow { kind, id, why });
    }

    /// Leaves a row behind because an earlier import brought another of its number.
    pub(super) fn leave_another(&mut self, table: &'static str, row: String, scope: Scope) {
        self.trouble(table, row, Found::AnotherRow, Done::LeftBehind);
        let why = "an earlier import brought another row of the same number";
        self.report.leave(table, why);
        if let (Scope::Public, Some(kind)) = (scope, kind_of(table)) {
            self.note(kind, None, None);
        }
    }

    /// Reports something odd.
    pub(super) fn trouble(&mut self, table: &'static str, row: String, what: Found, done: Done) {
        let consequence = done;
        self.report.problems.push(Problem::Import(Trouble {
            table,
            row,
            what,
            consequence,
        }));
    }
}

/// The kind of the rows of a table that has scopes.
fn kind_of(table: &str) -> Option<&'static str> {
    match table {
        "users" => Some("user"),
        "help_requests" => Some("request"),
        "request_comments" => Some("comment"),
        "invite_tokens" => Some("invite"),
        _ => None,
    }
}
