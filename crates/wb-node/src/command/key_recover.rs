//! `wb key recover`: takes the instance back with the words on the sheet.
//!
//! First everything that was signed in this instance's name is gathered, from here and from hubs, so that
//! its owner can say which publication was the last good one. Then one transaction writes the `recover`
//! entry, voids what came after, lists it, and lets the next sealing open a new log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wb_core::feed::{Delta, Header};
use wb_core::hash;
use wb_core::id::{Hash, LogId, PublicKey};
use wb_core::identity::{Entry, Heads, IdentityLog, LastHead, Merge, Position, Recovery, recover};
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_core::words::{RecoveryWords, WORDS};
use wb_store::{NewLog, Standing, Write};

use super::key_rotate::{check_admin, check_unchanged, hubs, trusted_head, warn};
use crate::backup::recipient_of;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::keys::{Behind, History, KeyLock, SignedDelta, fetch_history, proving_log};
use crate::node::{Actor, Node};
use crate::query::peers::label;
use crate::sync::turn::settle_turns;
use crate::sync::{SyncEnd, connect};

/// Why the next sealing opens a new log.
const WHY_NEW_LOG: &str = "the key was recovered";

/// One publication in the name of this instance.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The log.
    pub log: LogId,
    /// Its generation.
    pub generation: u64,
    /// Number in it.
    pub seq: u64,
    /// Hash of its header.
    pub hash: Hash,
    /// When it was sealed, as it says.
    pub at: Timestamp,
    /// Revisions put.
    pub puts: u64,
    /// Records taken back.
    pub retracts: u64,
    /// The identity entry that signs it.
    pub identity: Hash,
    /// Where that stands.
    pub position: Position,
    /// Whether it is held here.
    pub is_here: bool,
    /// On which computer it was sealed, where that was in this folder; empty where it was not noted.
    pub machine: Option<String>,
    /// Hubs that hold it.
    pub hubs: Vec<String>,
}

/// Everything that was signed in the name of this instance, as far as it can be found.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// The publications, the newest first.
    pub publications: Vec<Publication>,
    /// Keys that signed in this instance's name and are not in the log here: when, and what they did.
    pub other_keys: Vec<Entry>,
    /// Hubs that were asked.
    pub asked: Vec<String>,
    /// Hubs that could not be asked, and why.
    pub unasked: Vec<(String, String)>,
    deltas: BTreeMap<Hash, SignedDelta>,
    entries: Vec<Vec<u8>>,
}

/// Gathers what is here and what hubs hold.
///
/// # Errors
/// What stands in the way here; a hub that does not answer is named in the answer.
pub async fn gather(node: &mut Node) -> Result<Gathered> {
    node.refresh()?;
    let mut gathered = Gathered::default();
    for delta in node.store.own_deltas()? {
        if delta.scope != FeedScope::Public {
            continue;
        }
        gathered.publications.push(Publication {
            log: delta.log,
            generation: delta.generation,
            seq: delta.seq,
            hash: delta.hash,
            at: delta.at,
            puts: delta.puts,
            retracts: delta.retracts,
            identity: delta.identity,
            position: delta.position,
            is_here: true,
            machine: delta.machine,
            hubs: Vec::new(),
        });
    }
    for peer in hubs(node)? {
        let name = label(&peer.name, &peer.id);
        let fetched = match connect(node, &peer) {
            Ok(mut hub) => fetch_history(node.identity(), &mut hub).await,
            Err(error) => Err(SyncEnd::Local(error)),
        };
        match fetched {
            Ok(history) => {
                gathered.take(history, &name);
                gathered.asked.push(name);
            }
            Err(SyncEnd::Peer(cause, _)) => {
                gathered.unasked.push((name.clone(), cause.about(&name)));
            }
            Err(SyncEnd::Local(error)) => gathered.unasked.push((name, error.to_string())),
            Err(SyncEnd::NotFetched) => {}
        }
    }
    let proving = proving_log(node.identity(), &gathered.entries);
    gathered.other_keys = proving.beside().to_vec();
    let order = |one: &Publication| (one.position, one.generation, one.seq, one.at);
    gathered.publications.sort_by_key(order);
    gathered.publications.reverse();
    Ok(gathered)
}

impl Gathered {
    fn take(&mut self, history: History, name: &str) {
        for entry in history.entries {
            if !self.entries.contains(&entry) {
                self.entries.push(entry);
            }
        }
        for delta in history.deltas {
            let known = self
                .publications
                .iter_mut()
                .find(|one| one.hash == delta.hash);
            if let Some(known) = known {
                known.hubs.push(name.to_owned());
            } else {
                let is_put = |item: &&Vec<u8>| !item.starts_with(br#"{"op":"retract""#);
                let puts = delta.items.iter().filter(is_put).count() as u64;
                self.publications.push(Publication {
                    log: delta.header.log,
                    generation: delta.header.generation,
                    seq: delta.header.seq,
                    hash: delta.hash,
                    at: delta.header.at,
                    puts,
                    retracts: delta.items.len() as u64 - puts,
                    identity: delta.header.identity,
                    position: delta.header.position(),
                    is_here: false,
                    machine: None,
                    hubs: vec![name.to_owned()],
                });
            }
            self.deltas.entry(delta.hash).or_insert(delta);
        }
    }

    /// The publication that was probably the last good one: the newest that was sealed in this folder.
    #[must_use]
    pub fn suggested(&self) -> Option<&Publication> {
        self.publications.iter().find(|one| one.machine.is_some())
    }
}

/// What is decided.
#[derive(Debug)]
pub struct Recover<'a> {
    /// The words on the sheet.
    pub words: &'a RecoveryWords,
    /// The words from here on; whoever asked for this has them on paper.
    pub new_words: &'a RecoveryWords,
    /// The last good publication; none when nothing that was published was good.
    pub last_good: Option<Hash>,
    /// What was gathered.
    pub gathered: &'a Gathered,
    /// What the next key is put behind.
    pub behind: Behind,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct RecoveredKey {
    /// The new entry of the identity log.
    pub entry: Hash,
    /// Where it stands.
    pub position: Position,
    /// The key that signs from here on.
    pub key: PublicKey,
    /// Publications that are void now.
    pub void: u64,
    /// Records in them that wait for a decision in the inbox.
    pub listed: u64,
    /// Whether everything is put again; else the new log goes on from the last good publication.
    pub afresh: bool,
    /// What did not come to its end after the key was recovered, and what to do about it.
    pub warnings: Vec<String>,
}

/// Makes sure that words are those of this instance, before anything else is asked.
///
/// # Errors
/// That they are not.
pub fn check_words(node: &Node, words: &RecoveryWords) -> Result<()> {
    let commitment = hash::recovery_commitment(&words.recovery_signer().public_key());
    if commitment == node.identity().newest().recovery {
        return Ok(());
    }
    Err(NodeError::Refused(
        "these are not the recovery words of this instance; nothing was changed. After a recovery only the new sheet counts"
            .to_owned(),
    ))
}

/// Puts new words on a sheet in a new file, before anything is signed.
///
/// # Errors
/// That the file exists, or what the disk reports.
pub fn write_new_sheet(node: &Node, path: &Path, words: &RecoveryWords) -> Result<()> {
    super::init::write_sheet(path, node.name(), node.identity(), words)
}

/// The words on a sheet, as it was written or as somebody typed them.
///
/// # Errors
/// That there are none.
pub fn words_on(sheet: &str) -> Result<RecoveryWords> {
    let by_line = sheet
        .lines()
        .find_map(|line| RecoveryWords::parse(line).ok());
    match by_line {
        Some(words) => Ok(words),
        None => Ok(RecoveryWords::parse(sheet)?),
    }
}

/// Two different places among the words that are asked back, from 1.
#[must_use]
pub fn two_places() -> [usize; 2] {
    let count = WORDS as u64;
    let place = |chance: u64, of: u64| usize::try_from(chance % of).unwrap_or(0);
    let first = place(entropy::chance(), count);
    let other = place(entropy::chance(), count - 1);
    let second = if other >= first { other + 1 } else { other };
    [first.min(second) + 1, first.max(second) + 1]
}

/// Fresh words.
#[must_use]
pub fn fresh_words() -> RecoveryWords {
    RecoveryWords::from_entropy(entropy::bytes())
}

/// Recovers the key.
///
/// # Errors
/// Wrong words, a publication that is not known or not held here, or what stands in the way. Nothing is
/// changed then.
pub fn key_recover(node: &mut Node, actor: &Actor, input: &Recover<'_>) -> Result<RecoveredKey> {
    check_admin(actor, "recover the key")?;
    node.refresh()?;
    check_words(node, input.words)?;
    if let Some(other) = input
        .gathered
        .other_keys
        .iter()
        .find(|entry| entry.is_recover())
    {
        return Err(NodeError::Refused(format!(
            "these words were used before, on {}: a second recovery with them is followed by nobody; nothing was changed. \
             If that recovery was yours, use the folder it was made in; if not, whoever made it has the words",
            other.at
        )));
    }
    let (from, heads) = place(node, input)?;
    let lock = KeyLock::take(node.store.home())?;
    let _sync = super::sync::lock(node)?;
    let next = lock.write_next(&node.store, &entropy::bytes(), &input.behind)?;
    let words = input.words.recovery_signer();
    let now = node.now();
    let recovery = Recovery {
        words: &words,
        signing_key: next.public_key(),
        recovery: hash::recovery_commitment(&input.new_words.recovery_signer().public_key()),
        heads,
        at: now,
    };
    let made = recover(node.identity(), &from, &recovery)
        .ok_or_else(|| NodeError::Refused("the entry to continue from is gone".to_owned()))
        .and_then(|log| {
            log.map_err(|error| NodeError::Refused(format!("the key was not recovered: {error}")))
        })
        .and_then(|log| commit(node, input, &log, now));
    let mut warnings = Vec::new();
    let (void, afresh) = match made {
        Ok(done) => {
            warn(&mut warnings, lock.finish(&input.behind));
            done
        }
        // What failed may have come after the entry was in the log.
        Err(error) if lock.undo(&node.store, &next.public_key(), &input.behind)? => {
            warn(&mut warnings, Err(error));
            (0, false)
        }
        Err(error) => return Err(error),
    };
    node.read_identity()?;
    let entry = node.identity().newest();
    let mut recovered = RecoveredKey {
        entry: entry.hash,
        position: entry.position,
        key: entry.signing_key,
        void,
        listed: 0,
        afresh,
        warnings,
    };
    follow_up(node, actor, input, &mut recovered);
    Ok(recovered)
}

/// What goes with a recovery that is committed. Nothing of it can take it back, so what fails is a warning.
fn follow_up(node: &mut Node, actor: &Actor, input: &Recover<'_>, done: &mut RecoveredKey) {
    let now = node.now();
    match node.store.void_publications() {
        Ok(void) => done.listed = void.len() as u64,
        Err(error) => warn(&mut done.warnings, Err(error.into())),
    }
    // Backups made from here on open with the words that count from here on.
    let of = node.identity().newest().recovery;
    let kept = node
        .store
        .private()
        .put_backup_recipient(&recipient_of(input.new_words), &of);
    if let Err(error) = kept {
        done.warnings.push(format!(
            "the key of backups could not be noted ({error}): run `wb backup` with `--words-file` and the new sheet once"
        ));
    }
    // Whoever had the folder had the sealing key: the next publication brings a card with another.
    let sealing = crate::sealed::keys::new_key(&node.store, now).map(drop);
    warn(&mut done.warnings, sealing);
    // Whoever has a copy of this folder took turns as this one did: hubs are told which one goes on.
    warn(&mut done.warnings, settle_turns(node));
    warn(&mut done.warnings, super::restore::free(node, now));
    let detail = format!("{} publications are void", done.void);
    let noted = node.audit(now, actor, "key recover", &node.own_id(), detail);
    warn(&mut done.warnings, noted);
}

/// The entry to continue from, and where the keys before stop.
fn place(node: &Node, input: &Recover<'_>) -> Result<(Hash, Heads)> {
    let entries = node.identity().entries();
    let base = entries.iter().rev().find(|entry| entry.is_recover());
    let base = base.unwrap_or(&entries[0]);
    let Some(last_good) = input.last_good else {
        return Ok((base.hash, Heads::default()));
    };
    let known = input.gathered.publications.iter();
    let chosen = known
        .clone()
        .find(|one| one.hash == last_good)
        .ok_or_else(|| NodeError::unknown("publication", last_good.to_string()))?;
    if !chosen.is_here {
        return Err(NodeError::Refused(format!(
            "publication {} of {} is not in this folder, so its records could not be published again; nothing was changed. \
             Use the newest copy of this folder, or bring its history back first",
            chosen.seq, chosen.at
        )));
    }
    let signed = entries.iter().find(|entry| entry.hash == chosen.identity);
    let signed = signed.ok_or_else(|| {
        NodeError::Refused(
            "that publication was signed by a key that is not in the identity log of this folder; nothing was changed"
                .to_owned(),
        )
    })?;
    let from = if signed.position >= base.position {
        signed
    } else {
        base
    };
    let heads = Heads {
        public: Some(LastHead {
            log: chosen.log,
            generation: chosen.generation,
            seq: chosen.seq,
            hash: chosen.hash,
        }),
        trusted_peers: trusted_head(&node.store, &node.own_id())?,
    };
    Ok((from.hash, heads))
}

/// One transaction: the log, what it voids, and that a new log is due.
fn commit(
    node: &Node,
    input: &Recover<'_>,
    log: &IdentityLog,
    now: Timestamp,
) -> Result<(u64, bool)> {
    let own = node.own_id();
    let write = node.store.write_in_sight()?;
    check_unchanged(&node.store, node.identity())?;
    let head = node.store.served().head(&own, FeedScope::Public)?;
    // The branches of other keys first: what was signed there is void by name then.
    let proving = proving_log(node.identity(), &input.gathered.entries);
    for entry in proving.beside() {
        if let Some(branch) = branch_to(&proving, entry) {
            write.put_identity(&branch, Standing::Own, now)?;
        }
    }
    match write.put_identity(log, Standing::Own, now)? {
        Merge::Extend | Merge::Replace => {}
        other => {
            return Err(NodeError::Refused(format!(
                "the key was not recovered: the longer log is `{}`; nothing was changed",
                other.as_str()
            )));
        }
    }
    write.list_void_here()?;
    let held = write.identity_log(&own)?.unwrap_or_else(|| log.clone());
    let mut void: BTreeSet<Hash> = BTreeSet::new();
    for one in &input.gathered.publications {
        let placed = wb_core::identity::Placed {
            position: one.position,
            scope: FeedScope::Public,
            log: one.log,
            generation: one.generation,
            seq: one.seq,
            hash: one.hash,
        };
        if held.is_void(&one.identity, &placed) {
            void.insert(one.hash);
        }
    }
    for delta in input.gathered.deltas.values() {
        take_back(&write, &held, delta, input)?;
    }
    let is_head = head.map(|head| head.hash) == input.last_good;
    let opens = if is_head {
        NewLog::Follow
    } else {
        NewLog::Afresh
    };
    write.due_new_log(FeedScope::Public, opens, WHY_NEW_LOG, now)?;
    // Nobody is asked what somebody else sealed there: all of it is given anew, to the keys of now.
    write.due_new_log(FeedScope::TrustedPeers, NewLog::Afresh, WHY_NEW_LOG, now)?;
    write.seal_anew()?;
    // Another copy that was seen had the key before; this one goes on with the new one.
    write.forget_own_copies()?;
    write.commit()?;
    Ok((void.len() as u64, opens == NewLog::Afresh))
}

/// A delta from elsewhere: listed where it is void, and outdone where it stands below the last good one.
fn take_back(
    write: &Write<'_>,
    log: &IdentityLog,
    delta: &SignedDelta,
    input: &Recover<'_>,
) -> Result<()> {
    let is_void = log.is_void(&delta.header.identity, &delta.header.placed(delta.hash));
    let known = input.gathered.publications.iter();
    let is_here = known
        .clone()
        .any(|one| one.hash == delta.hash && one.is_here);
    if is_here {
        return Ok(());
    }
    let read = Delta::read(&delta.line, &delta.items)
        .map_err(|refusal| NodeError::Refused(format!("a delta of this instance {refusal}")))?;
    if is_void {
        write.list_void(&read)?;
        return Ok(());
    }
    outdo(write, delta, &read)
}

/// A delta that is not void and not held here: what it touched is published once more above it, and whoever stands
/// at it is given the feed as a whole.
fn outdo(write: &Write<'_>, delta: &SignedDelta, read: &Delta<'_>) -> Result<()> {
    for item in &read.items {
        write.put_again_above(&item.entry.id, item.entry.rev)?;
    }
    Ok(write.note_passed(&delta.head())?)
}

/// The log that ends with an entry of a branch.
pub(crate) fn branch_to(log: &IdentityLog, entry: &Entry) -> Option<IdentityLog> {
    let mut chain = vec![entry.line.clone()];
    let mut prev = entry.prev;
    while let Some(hash) = prev {
        let before = log.entry(&hash)?;
        chain.push(before.line.clone());
        prev = before.prev;
    }
    chain.reverse();
    IdentityLog::verify(Some(log.id()), &chain).ok()
}

/// After a recovery: lists what a hub holds in this instance's name that is void, and outdoes what stands beside
/// what is held here, not above the last good publication.
///
/// # Errors
/// What the store reports.
pub(crate) fn list_void_at(node: &Node, history: &History) -> Result<u64> {
    let write = node.store.write_in_sight()?;
    let log = node.identity();
    let mut count = 0;
    // Of a branch whose entries came with it, the entries are void because they are not in the log.
    let is_void_here = |header: &Header, hash: Hash| {
        log.entry(&header.identity).is_none() || log.is_void(&header.identity, &header.placed(hash))
    };
    // The hub took the feed as a whole there, so what was published with it is not known one by one.
    for (header, hash) in &history.heads {
        if is_void_here(header, *hash) {
            write.name_void(hash)?;
        }
    }
    for delta in &history.deltas {
        let is_void = is_void_here(&delta.header, delta.hash);
        if is_void && !node.store.is_void_own(&delta.hash)? {
            let read = Delta::read(&delta.line, &delta.items).map_err(|refusal| {
                NodeError::Refused(format!("a delta of this instance {refusal}"))
            })?;
            write.list_void(&read)?;
            count += 1;
        } else if !is_void && is_beside(node, delta)? {
            let read = Delta::read(&delta.line, &delta.items).map_err(|refusal| {
                NodeError::Refused(format!("a delta of this instance {refusal}"))
            })?;
            outdo(&write, delta, &read)?;
        }
    }
    write.commit()?;
    Ok(count)
}

/// Whether a delta contradicts what is held here: it has a place up to that of the last good publication, which is
/// here with all that led there, and it is none of those.
fn is_beside(node: &Node, delta: &SignedDelta) -> Result<bool> {
    let mut entries = node.identity().entries().iter().rev();
    let recovery = entries.find(|entry| entry.is_recover());
    let Some(last) = recovery.and_then(|entry| entry.heads()?.public) else {
        return Ok(false);
    };
    let theirs = delta.head();
    if theirs.log != last.log || theirs.seq > last.seq {
        return Ok(false);
    }
    let served = node.store.served();
    let last_good = Held {
        log: last.log,
        generation: last.generation,
        seq: last.seq,
        hash: last.hash,
        ..theirs.clone()
    };
    Ok(served.has_passed(&last_good)? && !served.has_passed(&theirs)?)
}
