//! Where a pull has its answers from: from the hub, or from what was fetched of it before.
//!
//! A rehearsal runs in a transaction that other commands wait for, so it must not wait for a hub. It has only
//! what was fetched; where an answer is missing, the transaction is dropped, what is missing is fetched, and the
//! rehearsal begins anew. Answers wait in a file without a name, as the pages of a snapshot do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use wb_core::id::{InstanceId, RecordId};
use wb_core::limits::BUNDLE_BYTES_MAX;
use wb_core::ndjson::split_first;
use wb_core::scope::{FeedScope, Kind};
use wb_core::signed::payload;
use wb_core::sync::{
    Cause, ChangesSection, Cursor, FollowList, Heads, PeerCause, Problem, read_message,
};
use wb_net::signed::CallError;
use wb_net::{HubClient, SnapshotPage};

use super::fetch::{Fetch, fetch};
use super::fill::lines_page;
use super::pull::concerns_one_feed;
use super::{OnProgress, SyncEnd, bad_answer};
use crate::error::{NodeError, Result};
use crate::node::Node;

/// How often a rehearsal may lack something; more means that the hub leads it in circles.
const ROUNDS_MAX: u32 = 100;

/// What has to be fetched before a rehearsal can go on.
#[derive(Debug)]
pub(super) enum Want {
    /// That the follow list was taken.
    PutFollows,
    /// Heads, from this origin on.
    Heads(Option<InstanceId>),
    /// Changes since here.
    Changes(Cursor),
    /// A snapshot, with lines of some kinds.
    Snapshot((InstanceId, FeedScope), Option<BTreeSet<Kind>>),
    /// Lines of some kinds.
    Lines((InstanceId, FeedScope), Option<BTreeSet<Kind>>),
}

/// Why a question has no answer.
pub(super) enum Unanswered {
    /// It was refused.
    Refused(Box<Problem>),
    /// Anything else.
    End(SyncEnd),
}

impl Unanswered {
    /// The cause of a refusal.
    pub fn refusal(&self) -> Option<Cause> {
        match self {
            Self::Refused(problem) => problem.cause(),
            Self::End(_) => None,
        }
    }
}

impl From<CallError> for Unanswered {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(problem) => Self::Refused(problem),
            error => Self::End(error.into()),
        }
    }
}

impl From<NodeError> for Unanswered {
    fn from(error: NodeError) -> Self {
        Self::End(error.into())
    }
}

impl From<Unanswered> for SyncEnd {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Refused(problem) => CallError::Refused(problem).into(),
            Unanswered::End(end) => end,
        }
    }
}

/// Where answers come from.
pub(super) enum Source<'h> {
    /// From the hub.
    Hub(&'h mut HubClient),
    /// From the hub, and they are kept.
    Fetching(&'h mut HubClient, &'h mut Fetched),
    /// From what was kept.
    Fetched(&'h mut Fetched),
}

type Answered = std::result::Result<Vec<u8>, Unanswered>;

impl Source<'_> {
    async fn ask(
        &mut self,
        question: impl FnOnce() -> String,
        call: impl AsyncFnOnce(&mut HubClient) -> std::result::Result<Vec<u8>, CallError>,
    ) -> Answered {
        match self {
            Self::Hub(hub) => Ok(call(hub).await?),
            Self::Fetching(hub, fetched) => {
                let answered = call(hub).await;
                fetched.keep(question(), answered)
            }
            Self::Fetched(fetched) => fetched.take(&question()),
        }
    }

    /// Sends the follow list.
    pub async fn put_follows(&mut self, list: &FollowList) -> std::result::Result<(), Unanswered> {
        let question = || format!("follows {}", list.hash());
        let call = async |hub: &mut HubClient| hub.put_follows(list).await.map(|_| Vec::new());
        self.ask(question, call).await.map(|_| ())
    }

    /// Reads a page of heads.
    pub async fn heads(
        &mut self,
        after: Option<InstanceId>,
    ) -> std::result::Result<Heads, SyncEnd> {
        if let Self::Hub(hub) = self {
            return Ok(hub.heads(after).await?);
        }
        let question = || format!("heads {after:?}");
        let call = async |hub: &mut HubClient| hub.heads(after).await.map(|heads| payload(&heads));
        let body = self.ask(question, call).await?;
        read_message(&body).map_err(bad_answer)
    }

    /// Reads changes.
    pub async fn changes(
        &mut self,
        since: &Cursor,
        wait: Duration,
        kinds: Option<&BTreeSet<Kind>>,
    ) -> Answered {
        let question = || format!("changes {since}");
        self.ask(question, async |hub: &mut HubClient| {
            hub.changes(since, wait, kinds).await
        })
        .await
    }

    /// Reads a page of a snapshot.
    pub async fn snapshot(
        &mut self,
        origin: InstanceId,
        scope: FeedScope,
        page: &SnapshotPage<'_>,
    ) -> Answered {
        let question = || format!("snapshot {origin} {scope} {:?} {:?}", page.head, page.after);
        let call = async |hub: &mut HubClient| hub.snapshot(origin, scope, page).await;
        self.ask(question, call).await
    }

    /// Reads a page of lines.
    pub async fn lines(
        &mut self,
        origin: InstanceId,
        scope: FeedScope,
        after: Option<RecordId>,
        kinds: Option<&BTreeSet<Kind>>,
    ) -> Answered {
        let question = || format!("lines {origin} {scope} {after:?}");
        let call = async |hub: &mut HubClient| hub.lines(origin, scope, after, kinds).await;
        self.ask(question, call).await
    }
}

/// What came of a question: where the answer lies, or why there is none.
#[derive(Debug)]
enum Kept {
    Body { start: u64, len: u64 },
    Refused(Box<Problem>),
    Failed(PeerCause, String),
}

/// Answers that were fetched for a rehearsal.
#[derive(Debug)]
pub struct Fetched {
    file: File,
    dir: PathBuf,
    end: u64,
    /// By question, in the order of asking: the same may be asked twice, and answered otherwise.
    answers: BTreeMap<String, Vec<Kept>>,
    /// How many answers to each question were given in this round.
    given: BTreeMap<String, usize>,
    rounds: u32,
}

impl Fetched {
    /// Nothing yet.
    ///
    /// # Errors
    /// What the disk reports.
    pub fn new(dir: &Path) -> Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(dir).map_err(NodeError::file(dir))?,
            dir: dir.to_owned(),
            end: 0,
            answers: BTreeMap::new(),
            given: BTreeMap::new(),
            rounds: 0,
        })
    }

    /// A rehearsal begins, with the first answer to each question.
    pub(super) fn begin(&mut self) {
        self.given.clear();
    }

    fn keep(
        &mut self,
        question: String,
        answered: std::result::Result<Vec<u8>, CallError>,
    ) -> Answered {
        let answered = answered.map_err(Unanswered::from);
        let kept = match &answered {
            Ok(body) => self.put(body)?,
            Err(Unanswered::Refused(problem)) => Kept::Refused(problem.clone()),
            Err(Unanswered::End(SyncEnd::Peer(cause, detail))) => {
                Kept::Failed(*cause, detail.clone())
            }
            Err(Unanswered::End(_)) => return answered,
        };
        self.answers.entry(question).or_default().push(kept);
        answered
    }

    fn put(&mut self, body: &[u8]) -> Result<Kept> {
        let len = body.len() as u64;
        if self.end.saturating_add(len) > BUNDLE_BYTES_MAX {
            return Err(NodeError::TooLarge {
                path: self.dir.clone(),
                what: "what the hub offers goes on beyond 64 GiB; nothing of it was taken",
            });
        }
        let start = self.end;
        let mut write = || -> std::io::Result<()> {
            self.file.seek(SeekFrom::Start(start))?;
            self.file.write_all(body)
        };
        write().map_err(NodeError::file(&self.dir))?;
        self.end += len;
        Ok(Kept::Body { start, len })
    }

    fn take(&mut self, question: &str) -> Answered {
        let given = self.given.entry(question.to_owned()).or_default();
        let kept = self.answers.get(question).and_then(|all| all.get(*given));
        let Some(kept) = kept else {
            return Err(Unanswered::End(SyncEnd::NotFetched));
        };
        *given += 1;
        let (start, len) = match kept {
            Kept::Body { start, len } => (*start, *len),
            Kept::Refused(problem) => return Err(Unanswered::Refused(problem.clone())),
            Kept::Failed(cause, detail) => {
                return Err(Unanswered::End(SyncEnd::Peer(*cause, detail.clone())));
            }
        };
        let mut body = Vec::new();
        let mut read = || -> std::io::Result<usize> {
            self.file.seek(SeekFrom::Start(start))?;
            (&self.file).take(len).read_to_end(&mut body)
        };
        read().map_err(NodeError::file(&self.dir))?;
        Ok(body)
    }

    /// Fetches what a rehearsal lacked. Nothing is locked meanwhile. What goes wrong with the hub is kept like
    /// any answer: the rehearsal meets it in its place.
    ///
    /// # Errors
    /// What is wrong here, or that it does not lead to an end.
    pub(super) async fn fetch(
        &mut self,
        node: &Node,
        hub: &mut HubClient,
        follows: &FollowList,
        wants: Vec<Want>,
        progress: OnProgress<'_>,
    ) -> std::result::Result<(), SyncEnd> {
        self.rounds += 1;
        if self.rounds > ROUNDS_MAX {
            return Err(bad_answer("what it answers does not lead to an end"));
        }
        let mut source = Source::Fetching(hub, self);
        for want in wants {
            match fetch_one(&mut source, node, follows, want, progress).await {
                Err(SyncEnd::Peer(cause, _)) if !concerns_one_feed(cause) => break,
                Ok(()) | Err(SyncEnd::Peer(..)) => {}
                Err(end) => return Err(end),
            }
        }
        Ok(())
    }
}

async fn fetch_one(
    source: &mut Source<'_>,
    node: &Node,
    follows: &FollowList,
    want: Want,
    progress: OnProgress<'_>,
) -> std::result::Result<(), SyncEnd> {
    match want {
        Want::PutFollows => Ok(source.put_follows(follows).await?),
        Want::Heads(mut after) => loop {
            let page = source.heads(after).await?;
            let goes_on = page
                .next
                .filter(|next| after.is_none_or(|after| after < *next));
            if goes_on.is_none() {
                return Ok(());
            }
            after = goes_on;
        },
        Want::Changes(mut since) => loop {
            let asked = source.changes(&since, Duration::ZERO, node.kinds());
            let body = asked.await?;
            let (first, rest) = split_first(&body);
            // What is not of the right form is told where it is read.
            let Ok(section) = ChangesSection::read(first) else {
                return Ok(());
            };
            if !section.more || rest.is_empty() || section.cursor.n <= since.n {
                return Ok(());
            }
            since = section.cursor;
        },
        Want::Snapshot(feed, kinds) => {
            let lines = |lines| progress(lines, lines);
            match fetch(source, node, feed, kinds.as_ref(), lines).await {
                Ok(_) | Err(Fetch::Gone | Fetch::NotFound) => Ok(()),
                Err(Fetch::End(end)) => Err(end),
            }
        }
        Want::Lines(feed, kinds) => {
            let mut after = None;
            loop {
                let page = lines_page(source, feed, after, kinds.as_ref()).await?;
                after = page.and_then(|page| page.next);
                if after.is_none() {
                    return Ok(());
                }
            }
        }
    }
}
