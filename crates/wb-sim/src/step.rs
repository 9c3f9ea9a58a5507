//! What can happen in a simulation, one step at a time.

use std::fmt;

use wb_core::id::RecordId;
use wb_core::id::RecordRef;
use wb_core::scope::Scope;

use crate::lie::Lie;
use crate::rogue::Wrong;
use crate::wire::Break;

/// One step. Members and hubs are numbers.
#[derive(Debug, Clone)]
pub enum Step {
    /// A member asks for help.
    Ask(usize, Scope),
    /// A member changes the words of a request of its own.
    Edit(usize, RecordId),
    /// A member completes a request of its own.
    Complete(usize, RecordId),
    /// A member comments on a request, of its own or of another.
    Comment(usize, RecordRef, Scope),
    /// A member lets a record go further, or less far.
    Share(usize, RecordId, Scope),
    /// A member takes a record back.
    Unshare(usize, RecordId),
    /// A member seals what is marked, and sends it nowhere.
    Publish(usize),
    /// Members sync, all at the same time; meanwhile a hub may be cut off.
    Sync(Vec<Visit>, Option<HubCrash>),
    /// A member follows another.
    Follow(usize, usize),
    /// A member follows another no longer.
    Unfollow(usize, usize),
    /// A bundle goes from one member to another; with a want file, when it says what it has.
    Stick {
        from: usize,
        to: usize,
        by_want: bool,
    },
    /// Time passes.
    Wait(u64),
    /// The clock of a member is set so many milliseconds ahead, or behind.
    MemberClock(usize, i64),
    /// The clock of a hub is.
    HubClock(usize, i64),
    /// A hub forgets what arrived longer ago than so many milliseconds.
    Forget(usize, i64),
    /// The file of a hub is copied.
    HubCopy(usize),
    /// A hub goes on with the older copy.
    HubRestore(usize),
    /// The databases of a member are copied.
    MemberCopy(usize),
    /// A member goes on with the older copy.
    MemberRestore(usize),
    /// A member and a hub do not reach each other, or do again.
    Cut(usize, usize, bool),
    /// A hub begins to lie, or is honest again.
    Lie(usize, Option<Lie>),
    /// All files of a member begin to act at a second place.
    Clone(usize),
    /// A member puts another key in the place of its own.
    Rotate(usize),
    /// A member whose key somebody else has takes it back.
    Recover(usize),
    /// A member's key signs a wrong delta, which goes to a hub.
    Rogue(usize, usize, Wrong),
    /// Somebody sends again what a member sent before: the tape of that number.
    Replay(usize),
}

/// A member that syncs.
#[derive(Debug, Clone)]
pub struct Visit {
    pub member: usize,
    pub hubs: Vec<usize>,
    /// Members that it calls as their peer.
    pub peers: Vec<usize>,
    pub pull: bool,
    pub push: bool,
    /// What befalls its first connection.
    pub breaks: Option<Break>,
    /// Its process ends once it was woken so often.
    pub crash: Option<u64>,
    /// It comes back with the older copy of its databases then.
    pub restores: bool,
}

/// A hub that is cut off some time after a sync began.
#[derive(Debug, Clone, Copy)]
pub struct HubCrash {
    pub hub: usize,
    pub after_ms: u64,
}

/// Members and hubs as people count them.
fn no(number: usize) -> usize {
    number + 1
}

fn ahead(ms: i64) -> String {
    if ms == 0 {
        "right".to_owned()
    } else if ms > 0 {
        format!("{} s ahead", ms / 1_000)
    } else {
        format!("{} s behind", -ms / 1_000)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(member, scope) => write!(f, "node {} asks ({scope})", no(*member)),
            Self::Edit(member, id) => write!(f, "node {} edits {id}", no(*member)),
            Self::Complete(member, id) => write!(f, "node {} completes {id}", no(*member)),
            Self::Comment(member, on, scope) => {
                write!(f, "node {} comments on {} ({scope})", no(*member), on.id)
            }
            Self::Share(member, id, scope) => {
                write!(f, "node {} shares {id} ({scope})", no(*member))
            }
            Self::Unshare(member, id) => write!(f, "node {} takes {id} back", no(*member)),
            Self::Publish(member) => write!(f, "node {} publishes", no(*member)),
            Self::Sync(visits, crash) => {
                let visits: Vec<String> = visits.iter().map(ToString::to_string).collect();
                write!(f, "{}", visits.join("; "))?;
                match crash {
                    Some(HubCrash { hub, after_ms }) => {
                        write!(f, "; hub {} is cut off after {after_ms} ms", no(*hub))
                    }
                    None => Ok(()),
                }
            }
            Self::Follow(member, other) => {
                write!(f, "node {} follows node {}", no(*member), no(*other))
            }
            Self::Unfollow(member, other) => {
                write!(f, "node {} unfollows node {}", no(*member), no(*other))
            }
            Self::Stick { from, to, by_want } => {
                let by = if *by_want { " as it wants" } else { "" };
                write!(f, "a stick from node {} to node {}{by}", no(*from), no(*to))
            }
            Self::Wait(ms) => write!(f, "{} s pass", ms / 1_000),
            Self::MemberClock(member, ms) => {
                write!(f, "the clock of node {} is {}", no(*member), ahead(*ms))
            }
            Self::HubClock(hub, ms) => write!(f, "the clock of hub {} is {}", no(*hub), ahead(*ms)),
            Self::Forget(hub, ms) => {
                write!(
                    f,
                    "hub {} forgets what is older than {} s",
                    no(*hub),
                    ms / 1_000
                )
            }
            Self::HubCopy(hub) => write!(f, "hub {} is copied", no(*hub)),
            Self::HubRestore(hub) => write!(f, "hub {} goes on with its copy", no(*hub)),
            Self::MemberCopy(member) => write!(f, "node {} is copied", no(*member)),
            Self::MemberRestore(member) => write!(f, "node {} goes on with its copy", no(*member)),
            Self::Cut(member, hub, true) => {
                write!(f, "node {} does not reach hub {}", no(*member), no(*hub))
            }
            Self::Cut(member, hub, false) => {
                write!(f, "node {} reaches hub {} again", no(*member), no(*hub))
            }
            Self::Lie(hub, Some(lie)) => write!(f, "hub {} lies: {}", no(*hub), lie.name()),
            Self::Lie(hub, None) => write!(f, "hub {} is honest again", no(*hub)),
            Self::Clone(member) => write!(f, "node {} is cloned, key and all", no(*member)),
            Self::Rotate(member) => write!(f, "node {} changes its key", no(*member)),
            Self::Recover(member) => write!(f, "node {} takes its key back", no(*member)),
            Self::Rogue(member, hub, wrong) => {
                let (member, hub) = (no(*member), no(*hub));
                write!(
                    f,
                    "with the key of node {member}, to hub {hub}: {}",
                    wrong.name()
                )
            }
            Self::Replay(tape) => write!(f, "what was sent before is sent again (tape {tape})"),
        }
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hubs: Vec<String> = self.hubs.iter().map(|hub| no(*hub).to_string()).collect();
        write!(f, "node {} ", no(self.member))?;
        f.write_str(match (self.pull, self.push) {
            (true, true) => "syncs",
            (true, false) => "pulls",
            _ => "pushes",
        })?;
        write!(f, " with hub {}", hubs.join(", "))?;
        for peer in &self.peers {
            write!(f, ", and with node {}", no(*peer))?;
        }
        match self.breaks {
            Some(Break::Refused) => f.write_str(" (not let in)")?,
            Some(Break::SentBytes(bytes)) => write!(f, " (lost after {bytes} bytes out)")?,
            Some(Break::ReceivedBytes(bytes)) => write!(f, " (lost after {bytes} bytes in)")?,
            Some(Break::Answer(number)) => write!(f, " (answer {} lost)", no_of(number))?,
            Some(Break::LateMs(ms, _)) => write!(f, " (answers up to {ms} ms late)")?,
            None => {}
        }
        if let Some(polls) = self.crash {
            write!(f, " (ends after {polls} wakings)")?;
        }
        if self.restores {
            f.write_str(" (and comes back with its copy)")?;
        }
        Ok(())
    }
}

fn no_of(number: u64) -> u64 {
    number + 1
}
