//! Taking back the own history: from a hub, or from a stream of sections that a direct peer or a bundle brings.
//!
//! The own feed is verified by the same rules as any other. The longest valid chain wins; of a branch that
//! contradicts it the records are kept, so that they can be published again.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use wb_core::entry::{Entry, Op, Reason};
use wb_core::feed::Header;
use wb_core::hash;
use wb_core::id::{InstanceId, RecordId};
use wb_core::line::Line;
use wb_core::ndjson::lines;
use wb_core::scope::FeedScope;
use wb_core::sync::Cause;
use wb_core::want::Held;
use wb_net::HubClient;

use super::apply::{Applied, Sections, Taking, Tally};
use super::fetch::{Fetch, fetch};
use super::push::is_void;
use super::source::Source;
use super::{SyncEnd, bad_answer};
use crate::error::Result as NodeResult;
use crate::node::Node;

/// What stands on a branch that contradicts what is held: another copy published it.
#[derive(Debug, Clone, Default)]
pub struct Branch {
    /// The lines live there.
    pub lines: Vec<Vec<u8>>,
    /// What was taken back there: up to which revision, and why, where that is known.
    pub retracts: Vec<(RecordId, u64, Option<Reason>)>,
    /// The heads of it that came, and verified.
    pub heads: Vec<Held>,
}

impl Branch {
    fn extend(&mut self, other: Self) {
        self.lines.extend(other.lines);
        self.retracts.extend(other.retracts);
        self.heads.extend(other.heads);
    }
}

/// What came back of the own feed from one place.
#[derive(Debug, Clone, Default)]
pub struct OwnBack {
    /// Whether anything came that was not here.
    pub came: bool,
    /// What came beside what is held.
    pub branch: Branch,
}

impl OwnBack {
    /// Adds what came with another section.
    pub fn extend(&mut self, other: Self) {
        self.came |= other.came;
        self.branch.extend(other.branch);
    }

    /// What a stream meant: `is_beside` where its sections of the own feed were held beside what is here.
    #[must_use]
    pub(crate) fn of(came: bool, is_beside: bool, gathered: Gathered) -> Self {
        Self {
            came: came || is_beside,
            branch: if is_beside {
                gathered.into_branch()
            } else {
                Branch::default()
            },
        }
    }
}

/// Reads the sections of the own public feed out of a stream as it goes by: what is live at its end, and what
/// was taken back. It counts only where the stream verified.
#[derive(Debug)]
pub(crate) struct Gathered {
    own: InstanceId,
    is_in_own: bool,
    records: BTreeMap<RecordId, Stands>,
    heads: Vec<Held>,
}

/// How a record stands on a branch.
#[derive(Debug)]
enum Stands {
    Live(Vec<u8>),
    TakenBack(u64, Option<Reason>),
}

#[derive(Deserialize)]
struct SectionOf {
    #[serde(default)]
    origin: Option<InstanceId>,
    #[serde(default)]
    scope: Option<FeedScope>,
}

#[derive(Deserialize)]
struct RetractedLine {
    retracted: Vec<(RecordId, u64)>,
}

impl Gathered {
    pub(crate) fn new(own: InstanceId) -> Self {
        Self {
            own,
            is_in_own: false,
            records: BTreeMap::new(),
            heads: Vec::new(),
        }
    }

    fn into_branch(self) -> Branch {
        let mut branch = Branch {
            heads: self.heads,
            ..Branch::default()
        };
        for (id, stands) in self.records {
            match stands {
                Stands::Live(line) => branch.lines.push(line),
                Stands::TakenBack(rev, reason) => branch.retracts.push((id, rev, reason)),
            }
        }
        branch
    }

    /// Looks at the next line.
    pub(crate) fn push(&mut self, line: &[u8]) {
        if line.starts_with(b"{\"section\":") {
            let section: Option<SectionOf> = serde_json::from_slice(line).ok();
            self.is_in_own = section.is_some_and(|of| {
                of.origin == Some(self.own) && of.scope == Some(FeedScope::Public)
            });
            return;
        }
        if !self.is_in_own {
            return;
        }
        if Entry::starts(line) {
            if let Ok(entry) = Entry::read(line)
                && let Op::Retract { reason } = entry.op
            {
                let stands = Stands::TakenBack(entry.rev, Some(reason));
                self.records.insert(entry.id, stands);
            }
        } else if line.starts_with(b"{\"retracted\":") {
            if let Ok(of) = serde_json::from_slice::<RetractedLine>(line) {
                for (id, rev) in of.retracted {
                    self.records.insert(id, Stands::TakenBack(rev, None));
                }
            }
        } else if let Ok(record) = Line::read(line)
            && record.origin == self.own
        {
            let stands = Stands::Live(line.to_vec());
            self.records.insert(record.id, stands);
        } else if let Ok((header, unverified)) = Header::read(line)
            && header.origin == self.own
        {
            let body = Header::body_hash(unverified.payload());
            self.heads.push(Held {
                origin: header.origin,
                scope: header.scope,
                log: header.log,
                generation: header.generation,
                seq: header.seq,
                hash: hash::header(header.prev.as_ref(), &body),
            });
        }
    }
}

/// Takes sections of the own feed, as they come from a direct peer or anywhere else. Those of other instances
/// may be among them and are taken as always.
///
/// # Errors
/// What is wrong with the bytes or with the store; nothing of them counts then.
pub fn take_own_back<'l>(
    node: &Node,
    sections: impl Iterator<Item = &'l [u8]>,
    run_no: Option<i64>,
) -> Result<OwnBack, SyncEnd> {
    let approved = BTreeSet::new();
    let write = node.store.write_in_sight()?;
    let taking = Taking {
        own: node.own_id(),
        now: node.now(),
        run_no,
        takes_own: true,
        approved: &approved,
    };
    let mut sink = taking.sink(&write);
    let mut read = Sections::default();
    let mut gathered = Gathered::new(node.own_id());
    for line in sections {
        read.push(line, &mut sink)?;
        gathered.push(line);
    }
    read.cut_off(&mut sink)?;
    let applied = read.end(&mut sink, &mut Tally::default())?;
    let back = back(node, &applied, gathered);
    write.commit()?;
    Ok(back)
}

fn back(node: &Node, applied: &Applied, gathered: Gathered) -> OwnBack {
    let is_beside = applied.is_beside((node.own_id(), FeedScope::Public));
    OwnBack::of(applied.own_came_back, is_beside, gathered)
}

/// Takes back what a hub holds of the own public feed, where it holds what is not here.
///
/// # Errors
/// Why it ended early, also that the head that it names did not come; what was taken until then counts.
pub async fn take_back(node: &Node, hub: &mut HubClient) -> Result<OwnBack, SyncEnd> {
    let (own, scope) = (node.own_id(), FeedScope::Public);
    let mut back = OwnBack::default();
    let heads = hub.heads(None).await?.own;
    let theirs = heads
        .into_iter()
        .find(|head| (head.origin, head.scope) == (own, scope));
    let Some(theirs) = theirs else {
        return Ok(back);
    };
    while !is_settled(node, &theirs)? {
        let held = node.store.served().head(&own, scope)?;
        let body = match hub.own(scope, held.as_ref()).await {
            Ok(body) => body,
            Err(error) => match error.refusal() {
                // Nothing leads from here to there but all of it; or a program before this call.
                Some(Cause::HeadGone | Cause::NotFound) => {
                    take_whole(node, hub, &mut back).await?;
                    break;
                }
                _ => return Err(error.into()),
            },
        };
        back.extend(take_own_back(node, lines(&body), None)?);
        if node.store.served().head(&own, scope)? == held {
            // What came did not lead on.
            take_whole(node, hub, &mut back).await?;
            break;
        }
    }
    check_came(node, &[theirs], &back)?;
    Ok(back)
}

/// Whether a head of the own feed that somebody names asks for nothing: it was here, or is settled, or a
/// recovery made it void.
fn is_settled(node: &Node, theirs: &Held) -> NodeResult<bool> {
    Ok(node.store.served().has_passed(theirs)? || is_void(node, theirs)?)
}

/// Makes sure that the heads that somebody names came, and are here or stand beside what is held.
///
/// # Errors
/// That one of them did not come: then nothing is settled there.
pub(crate) fn check_came(node: &Node, theirs: &[Held], back: &OwnBack) -> Result<(), SyncEnd> {
    for theirs in theirs.iter().filter(|held| held.origin == node.own_id()) {
        if !is_settled(node, theirs)? && !back.branch.heads.contains(theirs) {
            return Err(bad_answer(format!(
                "it names delta {} of this instance, and did not give it",
                theirs.seq
            )));
        }
    }
    Ok(())
}

/// Takes the own feed as a snapshot.
async fn take_whole(node: &Node, hub: &mut HubClient, back: &mut OwnBack) -> Result<(), SyncEnd> {
    let feed = (node.own_id(), FeedScope::Public);
    let fetched = fetch(&mut Source::Hub(hub), node, feed, None, |_| {}).await;
    let spool = match fetched {
        Ok(spool) => spool,
        Err(Fetch::NotFound) => return Ok(()),
        Err(Fetch::Gone) => return Err(bad_answer("the own feed moved while it was read")),
        Err(Fetch::End(end)) => return Err(end),
    };
    let mut gathered: Vec<Vec<u8>> = Vec::new();
    spool.each(|line| -> Result<(), SyncEnd> {
        gathered.push(line.to_vec());
        Ok(())
    })?;
    back.extend(take_own_back(
        node,
        gathered.iter().map(Vec::as_slice),
        None,
    )?);
    Ok(())
}
