//! Rows that others may name, each with a time that can stand in for theirs.

use std::collections::BTreeMap;

use wb_core::time::Timestamp;

use super::cells::Cells;
use super::problem::{Consequence, What};
use super::{LegacyRequest, LegacyUser, times};

/// Rows of one table by id.
pub(super) struct Known {
    table: &'static str,
    times: BTreeMap<i64, Timestamp>,
}

impl Known {
    /// The users.
    pub(super) fn of(users: &[LegacyUser]) -> Self {
        let times = users
            .iter()
            .map(|user| (user.id, user.created_at))
            .collect();
        Self {
            table: "users",
            times,
        }
    }

    /// The requests.
    pub(super) fn requests(requests: &[LegacyRequest]) -> Self {
        let times = requests
            .iter()
            .map(|request| (request.id, request.created_at))
            .collect();
        Self {
            table: "help_requests",
            times,
        }
    }

    /// When the row was made; for no row, the time that stands in for all.
    pub(super) fn time(&self, id: Option<i64>) -> Timestamp {
        let time = id.and_then(|id| self.times.get(&id).copied());
        time.unwrap_or_else(times::fallback)
    }

    /// The row that a column names, or what to say of it.
    pub(super) fn find(&self, cells: &Cells<'_>, column: &'static str) -> Result<i64, What> {
        let id = cells
            .number(column)
            .filter(|id| self.times.contains_key(id));
        let to_table = self.table;
        id.ok_or_else(|| What::Dangling {
            column,
            to_table,
            to: cells.shown(column),
        })
    }

    /// The author that a column names; an unknown or missing one is reported.
    pub(super) fn author(&self, cells: &mut Cells<'_>, column: &'static str) -> Option<i64> {
        let what = match self.find(cells, column) {
            Ok(id) => return Some(id),
            Err(_) if cells.is_absent(column) => return None,
            Err(_) if cells.is_null(column) => What::NoAuthor { column },
            Err(what) => what,
        };
        cells.problem(what, Consequence::KeptWithoutAuthor);
        None
    }
}
