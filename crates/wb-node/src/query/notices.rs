//! What a member is told on every page of their browsers: browsers that ask to be let in, and that were.

use wb_core::id::{Hash, RecordRef};
use wb_core::time::Timestamp;
use wb_store::Account;

use super::offers::waiting;
use super::request_status;
use crate::command::retire::{Retirement, retirement};
use crate::command::share_all::asked;
use crate::error::Result;
use crate::letters::{INVITE_TOLD, LETTER_LOST};
use crate::node::Node;
use crate::offers::{OFFER, author_of, title};

/// Something told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeView {
    /// A browser asks to be let in under the member's handle.
    Asks {
        /// The browser.
        session: Hash,
        /// It in words.
        label: String,
        /// Since when.
        at: Timestamp,
    },
    /// A browser was let in.
    LetIn {
        /// Names the notice.
        notice_no: i64,
        /// What happened, in words.
        detail: String,
        /// When.
        at: Timestamp,
        /// The browser, while it is in.
        session: Option<Hash>,
    },
    /// Something that the member sent did not arrive.
    Lost {
        /// Names the notice.
        notice_no: i64,
        /// What happened, in words.
        detail: String,
        /// Since when that is known.
        at: Timestamp,
    },
    /// Something came of an offer of help.
    Offer {
        /// Names the notice.
        notice_no: i64,
        /// What happened, in words.
        detail: String,
        /// When.
        at: Timestamp,
    },
    /// Something about an invitation that was used at another community.
    Invite {
        /// Names the notice.
        notice_no: i64,
        /// What happened, in words.
        detail: String,
        /// Since when that is known.
        at: Timestamp,
    },
    /// Offers of help wait for an answer of the member.
    Offers {
        /// How many.
        waiting: usize,
    },
    /// Home and helpers say different things about a request of the member.
    Contested {
        /// The request.
        request: RecordRef,
        /// Its title.
        title: String,
    },
    /// The member is asked to share something more widely.
    Agree {
        /// How many records.
        records: usize,
    },
    /// This instance closes, or is closed.
    Closes {
        /// From when on; what is here stays to be read.
        at: Timestamp,
        /// Whether it is closed already.
        is_closed: bool,
    },
}

/// What is told to one of a member's browsers.
///
/// # Errors
/// What the store reports.
pub fn notices(node: &Node, account: &Account, browser: &Hash) -> Result<Vec<NoticeView>> {
    let private = node.store.private();
    let browsers = private.sessions_waiting(Some(&account.handle), node.now())?;
    let asks = browsers.into_iter().map(|row| NoticeView::Asks {
        session: row.session,
        label: row.label,
        at: row.created_at,
    });
    let told = private.notices(&account.user, browser)?;
    let let_in = told.into_iter().map(|row| match row.what.as_str() {
        LETTER_LOST => NoticeView::Lost {
            notice_no: row.notice_no,
            detail: row.detail,
            at: row.at,
        },
        OFFER => NoticeView::Offer {
            notice_no: row.notice_no,
            detail: row.detail,
            at: row.at,
        },
        INVITE_TOLD => NoticeView::Invite {
            notice_no: row.notice_no,
            detail: row.detail,
            at: row.at,
        },
        _ => NoticeView::LetIn {
            notice_no: row.notice_no,
            detail: row.detail,
            at: row.at,
            session: row.session,
        },
    });
    let mut notices: Vec<NoticeView> = asks.chain(let_in).collect();
    let waiting = waiting(node, &account.user)?;
    if waiting > 0 {
        notices.push(NoticeView::Offers { waiting });
    }
    notices.extend(contested(node, account)?);
    let records = asked(node, &account.user)?.len();
    if records > 0 {
        notices.push(NoticeView::Agree { records });
    }
    match retirement(node)? {
        Retirement::Open => {}
        Retirement::Announced(at) => notices.push(NoticeView::Closes {
            at,
            is_closed: false,
        }),
        Retirement::Retired(at) => notices.push(NoticeView::Closes {
            at,
            is_closed: true,
        }),
    }
    Ok(notices)
}

/// Requests of a member that are contested, of those that this node noticed.
fn contested(node: &Node, account: &Account) -> Result<Vec<NoticeView>> {
    let mut contested = Vec::new();
    for contest in node.store.contests()? {
        let request = RecordRef {
            origin: node.own_id(),
            id: contest.request,
        };
        let author = author_of(node, &request)?.map(|(author, _)| author);
        if author == Some(account.user) && request_status(node, &request)?.contested {
            let title = title(node, &request)?.unwrap_or_default();
            contested.push(NoticeView::Contested { request, title });
        }
    }
    Ok(contested)
}
