//! What a browser that stays open is told: whether it is in, what arrived, and how many wait.

use wb_core::id::Hash;
use wb_store::{AccountState, Role};

use crate::error::Result;
use crate::node::Node;

/// Exchanges that are looked through for the last that brought something.
const RUNS_LOOKED_AT: u64 = 20;

/// Where a browser stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowserStanding {
    /// Its session is over.
    Ended,
    /// It waits to be let in.
    Waits,
    /// It was let in, and gets its new secret when it asks next.
    LetIn,
    /// It is in, and its account waits for a steward.
    AccountWaits,
    /// It is in, with this role.
    In(Role),
}

/// What is new for everybody who is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// The last exchange that changed something here; 0 before there was one.
    pub arrived: i64,
    /// People and browsers that wait for a steward.
    pub waiting: u64,
}

/// Where a browser stands. Looking does not count as using it: a page that is left open must not keep a
/// session for ever.
///
/// # Errors
/// What the store reports.
pub fn browser_standing(node: &Node, session: &Hash) -> Result<BrowserStanding> {
    let private = node.store.private();
    let Some(row) = private.session(session, node.now())? else {
        return Ok(BrowserStanding::Ended);
    };
    let Some(user) = row.user else {
        return Ok(BrowserStanding::Waits);
    };
    if !row.renewed {
        return Ok(BrowserStanding::LetIn);
    }
    let account = private.account_of(&user)?;
    Ok(
        account.map_or(BrowserStanding::Ended, |account| match account.state {
            AccountState::Approved => BrowserStanding::In(account.role),
            AccountState::Pending => BrowserStanding::AccountWaits,
            AccountState::Gone => BrowserStanding::Ended,
        }),
    )
}

/// What is new.
///
/// # Errors
/// What the store reports.
pub fn news(node: &Node) -> Result<News> {
    let runs = node.store.runs(RUNS_LOOKED_AT, None)?;
    let brought = runs.iter().find(|run| {
        let counts = &run.counts;
        counts.pulled_new + counts.pulled_changed + counts.pulled_gone > 0
    });
    let private = node.store.private();
    let accounts = private.accounts()?;
    let pending = accounts
        .iter()
        .filter(|account| account.state == AccountState::Pending);
    let browsers = private.count_waiting(node.now())?;
    Ok(News {
        arrived: brought.map_or(0, |run| run.run_no),
        waiting: pending.count() as u64 + browsers,
    })
}
