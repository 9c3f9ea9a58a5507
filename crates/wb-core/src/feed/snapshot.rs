//! Snapshots: a feed at its head without its history (spec: snapshots).
//!
//! [`SnapshotReader`] takes the lines one by one and holds 16 bytes a record and 32 for each header that
//! the signed head counts, so that a feed of any size can be read; the caller stores items inside a transaction that it drops when
//! [`SnapshotReader::finish`] refuses. [`SnapshotWriter`] makes the lines that are not records.

use serde::{Deserialize, Serialize};

use super::accept::{Early, Outcome, Refusal, check_key};
use super::delta::Item;
use super::header::Header;
use super::place::{self, Placement};
use super::state::{FeedState, FeedView, Live, LiveSum, Opening};
use crate::entry::Op;
use crate::hash;
use crate::id::{Hash, InstanceId, RecordId};
use crate::identity::IdentityLog;
use crate::json;
use crate::limits::{CHUNK_ITEMS_MAX, NUMBER_MAX};
use crate::line::SCHEMA_VERSIONS;
use crate::live::LiveHash;
use crate::rule::Rule;
use crate::scope::FeedScope;

/// How a line of body hashes begins.
const CHAIN_START: &[u8] = b"{\"chain\":";

/// How a line of retracted pairs begins.
const RETRACTED_START: &[u8] = b"{\"retracted\":";

/// What a snapshot announces, first, so that progress can reach 100 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: FeedScope,
    /// Body hashes that follow.
    pub headers: u64,
    /// Items that follow.
    pub live: u64,
    /// Retracted pairs that follow.
    pub retracted: u64,
}

/// What came of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotOutcome {
    /// It replaces what is held.
    Take,
    /// Nothing new.
    Duplicate,
    /// It contradicts what is held: evidence.
    Fork,
    /// Its log is closed by the one held.
    Closed,
    /// A recovery made its head void.
    Void,
    /// It waits for an identity entry.
    Early,
    /// The identity log is forked.
    Held,
}

impl SnapshotOutcome {
    /// The name in the spec.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Duplicate => "duplicate",
            Self::Fork => "fork",
            Self::Closed => "closed",
            Self::Void => "void",
            Self::Early => "early",
            Self::Held => "held",
        }
    }
}

/// What a line of a snapshot brought.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The head or the first header; verified.
    Header,
    /// Part of the chain. Once [`SnapshotReader::is_placed`], the outcome is known.
    Chain,
    /// A live record, or its stub.
    Item(Box<Item<'a>>),
    /// Records retracted and not live.
    Retracted(Vec<(RecordId, u64)>),
}

/// Reads a snapshot line by line.
#[derive(Debug)]
pub struct SnapshotReader {
    totals: Totals,
    head: Option<ReadHeader>,
    first: Option<ReadHeader>,
    chain: Chain,
    /// What is live, once all items have come; until then without what is added up elsewhere.
    live: LiveHash,
    elsewhere: Option<Box<dyn LiveSum>>,
    items: u64,
    /// Ids of the items, rising; the retracted list is held against them.
    ids: Vec<RecordId>,
    retracted: u64,
    last_retracted: Option<RecordId>,
    retracted_live: bool,
    /// Whether the head stands above the last head of a `rotate`.
    above_rotate: bool,
    /// Whether the first header does: then the log was opened by a key that was rotated away.
    opened_above_rotate: bool,
    early: Option<SnapshotOutcome>,
    placed: Option<SnapshotOutcome>,
}

#[derive(Debug, Clone)]
struct ReadHeader {
    header: Header,
    line: Vec<u8>,
    body_hash: Hash,
    hash: Hash,
}

#[derive(Deserialize)]
struct Section {
    section: String,
    schema_version: u32,
    #[serde(flatten)]
    totals: Totals,
}

#[derive(Serialize, Deserialize)]
struct ChainLine {
    chain: Vec<Hash>,
}

/// The headers read so far, by their hashes.
#[derive(Debug, Clone, Default)]
struct Chain {
    /// Body hashes from seq 0; not kept when the snapshot cannot be taken, because then nobody signed
    /// how many there are.
    bodies: Vec<Hash>,
    headers: u64,
    first_body: Option<Hash>,
    last_hash: Option<Hash>,
}

impl Chain {
    fn push(&mut self, body_hash: Hash, keep: bool) {
        self.headers += 1;
        self.first_body.get_or_insert(body_hash);
        self.last_hash = Some(hash::header(self.last_hash.as_ref(), &body_hash));
        if keep {
            self.bodies.push(body_hash);
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Retracted {
    retracted: Vec<(RecordId, u64)>,
}

impl SnapshotReader {
    /// Starts with the first line.
    ///
    /// # Errors
    /// A strict JSON rule, or `wrong_count` when the totals are malformed.
    pub fn start(line: &[u8]) -> Result<Self, Refusal> {
        let text = json::check(line).map_err(Refusal::of_header)?;
        let section: Option<Section> = serde_json::from_str(text).ok();
        let section = section.filter(|s| {
            s.section == "snapshot"
                && SCHEMA_VERSIONS.contains(&s.schema_version)
                && s.totals.headers > 0
        });
        let totals = section.ok_or(Refusal::of_header(Rule::WrongCount))?.totals;
        Ok(Self {
            totals,
            head: None,
            first: None,
            chain: Chain::default(),
            live: LiveHash::default(),
            elsewhere: None,
            items: 0,
            ids: Vec::new(),
            retracted: 0,
            last_retracted: None,
            retracted_live: false,
            above_rotate: false,
            opened_above_rotate: false,
            early: None,
            placed: None,
        })
    }

    /// Has what is live added up elsewhere; said before the first item.
    pub fn add_up_by(&mut self, elsewhere: Option<Box<dyn LiveSum>>) {
        self.elsewhere = elsewhere;
    }

    /// What was announced.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Whether every announced line has come.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.chain_is_complete()
            && self.items == self.totals.live
            && self.retracted == self.totals.retracted
    }

    fn chain_is_complete(&self) -> bool {
        self.first.is_some() && self.chain.headers == self.totals.headers
    }

    /// Whether head and chain are there and the snapshot can be placed.
    #[must_use]
    pub fn is_placed(&self) -> bool {
        self.chain_is_complete()
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// The rule broken, and for an item which one.
    pub fn push<'a>(
        &mut self,
        line: &'a [u8],
        identity: Option<&IdentityLog>,
    ) -> Result<Progress<'a>, Refusal> {
        if self.head.is_none() {
            let (head, above) = self.read_header(line, identity)?;
            if self.totals.headers != head.header.seq + 1 {
                return Err(Refusal::of_header(Rule::WrongChain));
            }
            if head.header.seq == 0 {
                self.first = Some(head.clone());
                self.opened_above_rotate = above;
            }
            self.head = Some(head);
            self.above_rotate = above;
            return Ok(Progress::Header);
        }
        if self.first.is_none() {
            let (first, above) = self.read_first(line, identity)?;
            self.first = Some(first);
            self.opened_above_rotate = above;
            return Ok(Progress::Header);
        }
        if !self.chain_is_complete() {
            self.read_chain(line)?;
            return Ok(Progress::Chain);
        }
        if self.items < self.totals.live {
            if line.starts_with(RETRACTED_START) {
                return Err(Refusal::of_header(Rule::WrongCount));
            }
            return self
                .read_item(line)
                .map(|item| Progress::Item(Box::new(item)));
        }
        self.read_retracted(line).map(Progress::Retracted)
    }

    /// Steps 1 to 5 for one of both headers; also whether it is above the last head of a `rotate`.
    fn read_header(
        &mut self,
        line: &[u8],
        identity: Option<&IdentityLog>,
    ) -> Result<(ReadHeader, bool), Refusal> {
        let (header, unverified) = Header::read(line).map_err(Refusal::of_header)?;
        if header.origin != self.totals.origin {
            return Err(Refusal::of_header(Rule::LineOrigin));
        }
        if header.scope != self.totals.scope {
            return Err(Refusal::of_header(Rule::LineScope));
        }
        let body_hash = Header::body_hash(unverified.payload());
        let hash = hash::header(header.prev.as_ref(), &body_hash);
        let mut above_rotate = false;
        match check_key(&header, &hash, &unverified, identity) {
            Ok(above) => above_rotate = above,
            Err(Outcome::Refused(refusal)) => return Err(refusal),
            Err(Outcome::Void) => {
                self.early.get_or_insert(SnapshotOutcome::Void);
            }
            Err(Outcome::Early(Early::Identity)) => {
                self.early.get_or_insert(SnapshotOutcome::Early);
            }
            Err(other) => unreachable!("checking a key cannot lead to {}", other.as_str()),
        }
        let read = ReadHeader {
            header,
            line: line.to_vec(),
            body_hash,
            hash,
        };
        Ok((read, above_rotate))
    }

    fn read_first(
        &mut self,
        line: &[u8],
        identity: Option<&IdentityLog>,
    ) -> Result<(ReadHeader, bool), Refusal> {
        let (first, above) = self.read_header(line, identity).map_err(|refusal| {
            let elsewhere = matches!(refusal.rule, Rule::LineOrigin | Rule::LineScope);
            let rule = if elsewhere {
                Rule::WrongChain
            } else {
                refusal.rule
            };
            Refusal::of_header(rule)
        })?;
        let head = &self
            .head
            .as_ref()
            .expect("the head comes before the first header")
            .header;
        let fits = first.header.seq == 0
            && first.header.log == head.log
            && first.header.generation == head.generation;
        if fits {
            Ok((first, above))
        } else {
            Err(Refusal::of_header(Rule::WrongChain))
        }
    }

    fn read_chain(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let text = json::check(line).map_err(Refusal::of_header)?;
        let Ok(ChainLine { chain: bodies }) = serde_json::from_str(text) else {
            // A line of another form: the chain ends here, before the head.
            let rule = if line.starts_with(CHAIN_START) {
                Rule::WrongCount
            } else {
                Rule::WrongChain
            };
            return Err(Refusal::of_header(rule));
        };
        let total = self.chain.headers + bodies.len() as u64;
        if bodies.is_empty() || bodies.len() > CHUNK_ITEMS_MAX || total > self.totals.headers {
            return Err(Refusal::of_header(Rule::WrongCount));
        }
        let keep = self.early.is_none();
        for body_hash in bodies {
            self.chain.push(body_hash, keep);
        }
        if self.chain_is_complete() && !self.chain_is_proved() {
            return Err(Refusal::of_header(Rule::WrongChain));
        }
        Ok(())
    }

    /// Whether the body hashes lead from the first header to the head.
    fn chain_is_proved(&self) -> bool {
        let (Some(head), Some(first)) = (&self.head, &self.first) else {
            return false;
        };
        self.chain.first_body == Some(first.body_hash) && self.chain.last_hash == Some(head.hash)
    }

    fn read_item<'a>(&mut self, bytes: &'a [u8]) -> Result<Item<'a>, Refusal> {
        let index = usize::try_from(self.items).ok();
        let refuse = |rule| Refusal { rule, item: index };
        let head = &self
            .head
            .as_ref()
            .expect("items come after the head")
            .header;
        let item = Item::read(bytes, head).map_err(refuse)?;
        let is_alone = item.line.is_none();
        if matches!(item.entry.op, Op::Retract { .. }) || (is_alone && item.entry.drops.is_some()) {
            return Err(refuse(Rule::EntryMalformed));
        }
        if self.ids.last().is_some_and(|last| item.entry.id <= *last) {
            return Err(refuse(Rule::WrongOrder));
        }
        self.ids.push(item.entry.id);
        let live = Live::of(&item.entry).expect("it puts");
        self.add_up(item.entry.id, live);
        Ok(item)
    }

    fn add_up(&mut self, id: RecordId, live: Live) {
        self.items += 1;
        let Some(elsewhere) = &mut self.elsewhere else {
            self.live.add(&live.element(&id));
            return;
        };
        elsewhere.add(id, live);
        if self.items == self.totals.live {
            self.live = elsewhere.sum();
            self.elsewhere = None;
        }
    }

    fn read_retracted(&mut self, line: &[u8]) -> Result<Vec<(RecordId, u64)>, Refusal> {
        let text = json::check(line).map_err(Refusal::of_header)?;
        let chunk: Retracted =
            serde_json::from_str(text).map_err(|_| Refusal::of_header(Rule::WrongCount))?;
        let pairs = chunk.retracted;
        self.retracted += pairs.len() as u64;
        if pairs.is_empty()
            || pairs.len() > CHUNK_ITEMS_MAX
            || self.retracted > self.totals.retracted
        {
            return Err(Refusal::of_header(Rule::WrongCount));
        }
        for (id, rev) in &pairs {
            if self.last_retracted.is_some_and(|last| *id <= last) {
                return Err(Refusal::of_header(Rule::WrongOrder));
            }
            if !(1..=NUMBER_MAX).contains(rev) {
                return Err(Refusal::of_header(Rule::WrongCount));
            }
            self.last_retracted = Some(*id);
            self.retracted_live |= self.ids.binary_search(id).is_ok();
        }
        Ok(pairs)
    }

    /// A copy that says all that this one does of head, chain and whole, and reads no line any more: the ids of the
    /// items, which are nearly all of it, stay here.
    #[must_use]
    pub fn without_items(&self) -> Self {
        Self {
            totals: self.totals,
            head: self.head.clone(),
            first: self.first.clone(),
            chain: self.chain.clone(),
            live: self.live.clone(),
            elsewhere: None,
            ids: Vec::new(),
            early: self.early.clone(),
            placed: self.placed.clone(),
            ..*self
        }
    }

    /// Says what the snapshot means to a feed; call it once [`SnapshotReader::is_placed`].
    ///
    /// # Errors
    /// What the view reports; inside, `wrong_generation`, `above_last_head` or `identity_decreases`.
    ///
    /// # Panics
    /// When head and chain have not come yet.
    pub fn place<V: FeedView>(
        &mut self,
        identity: Option<&IdentityLog>,
        state: Option<&FeedState>,
        view: &V,
    ) -> Result<Result<SnapshotOutcome, Refusal>, V::Error> {
        let head = self
            .head
            .as_ref()
            .expect("a snapshot is placed after its chain");
        let first = self
            .first
            .as_ref()
            .expect("a snapshot is placed after its chain");
        let placed = if let Some(early) = &self.early {
            early.clone()
        } else {
            let placed = match state {
                Some(state) if state.log == head.header.log => {
                    if state.opening.generation != head.header.generation {
                        return Ok(Err(Refusal::of_header(Rule::WrongGeneration)));
                    }
                    self.place_in_log(&head.header, state, view)?
                }
                _ => {
                    let opening = Opening::of(&first.header);
                    let has_rival = view.has_rival(&head.header.log, &opening)?;
                    match place::other_log(&opening, has_rival, state) {
                        Some(Placement::Closed) => SnapshotOutcome::Closed,
                        Some(_) => SnapshotOutcome::Fork,
                        None => SnapshotOutcome::Take,
                    }
                }
            };
            // Who is in the log took its first header before the rotate was known, as with deltas.
            let is_in_log = state.is_some_and(|state| state.log == head.header.log);
            let above = self.above_rotate || (self.opened_above_rotate && !is_in_log);
            if placed != SnapshotOutcome::Duplicate && above {
                return Ok(Err(Refusal::of_header(Rule::AboveLastHead)));
            }
            let identity_forked = identity.is_some_and(IdentityLog::is_forked);
            match placed {
                SnapshotOutcome::Take if identity_forked => SnapshotOutcome::Held,
                SnapshotOutcome::Take if steps_back(&head.header, &first.header, state) => {
                    return Ok(Err(Refusal::of_header(Rule::IdentityDecreases)));
                }
                placed => placed,
            }
        };
        self.placed = Some(placed.clone());
        Ok(Ok(placed))
    }

    fn place_in_log<V: FeedView>(
        &self,
        head: &Header,
        state: &FeedState,
        view: &V,
    ) -> Result<SnapshotOutcome, V::Error> {
        let hash_at = |seq: u64| {
            usize::try_from(seq)
                .ok()
                .and_then(|i| self.chain().nth(i))
                .map(|(_, hash)| hash)
        };
        if head.seq <= state.seq {
            let known = view.header_hash(head.seq)?;
            let agrees = known.is_none_or(|known| Some(known) == hash_at(head.seq));
            return Ok(if agrees {
                SnapshotOutcome::Duplicate
            } else {
                SnapshotOutcome::Fork
            });
        }
        if hash_at(state.seq) != Some(state.hash) {
            return Ok(SnapshotOutcome::Fork);
        }
        // Who took the delta at this place would hold it, so the snapshot is held alike.
        Ok(if state.forked {
            SnapshotOutcome::Held
        } else {
            SnapshotOutcome::Take
        })
    }

    /// Checks the whole.
    ///
    /// # Errors
    /// `wrong_count`, `wrong_live` or `retracted_live`.
    pub fn finish(&self) -> Result<(), Refusal> {
        if !self.is_complete() {
            return Err(Refusal::of_header(Rule::WrongCount));
        }
        let head = &self
            .head
            .as_ref()
            .expect("a complete snapshot has a head")
            .header;
        if self.items != head.live_n || self.live.digest() != head.live {
            return Err(Refusal::of_header(Rule::WrongLive));
        }
        if self.retracted_live {
            return Err(Refusal::of_header(Rule::RetractedLive));
        }
        Ok(())
    }

    /// The state that taking the snapshot leads to.
    ///
    /// # Panics
    /// Before [`SnapshotReader::finish`] said yes.
    #[must_use]
    pub fn state(&self) -> FeedState {
        let head = self.head.as_ref().expect("finished");
        let first = self.first.as_ref().expect("finished");
        FeedState {
            log: head.header.log,
            opening: Opening::of(&first.header),
            seq: head.header.seq,
            hash: head.hash,
            position: head.header.position(),
            live: self.live.clone(),
            live_n: self.items,
            forked: false,
        }
    }

    /// The head: what it says, its signed line and its hash.
    #[must_use]
    pub fn head(&self) -> Option<(&Header, &[u8], Hash)> {
        self.head
            .as_ref()
            .map(|head| (&head.header, head.line.as_slice(), head.hash))
    }

    /// The signed line of the first header of the log.
    #[must_use]
    pub fn first(&self) -> Option<&[u8]> {
        self.first.as_ref().map(|first| first.line.as_slice())
    }

    /// Body hash and header hash of each header of the log, from seq 0; nothing when the snapshot is
    /// early or void.
    pub fn chain(&self) -> impl Iterator<Item = (Hash, Hash)> {
        self.chain.bodies.iter().scan(None, |prev, body_hash| {
            let hash = hash::header(prev.as_ref(), body_hash);
            *prev = Some(hash);
            Some((*body_hash, hash))
        })
    }
}

/// Whether a key that was rotated away signed after a later one: the head in its log, or the first header
/// after the head that it follows. Whoever follows by deltas refused it, so a snapshot must not lead past it.
fn steps_back(head: &Header, first: &Header, state: Option<&FeedState>) -> bool {
    let stands_back = |state: &FeedState| {
        if state.log == head.log {
            return head.position() < state.position;
        }
        let follows_it = first.follows.is_some_and(|follows| {
            (follows.log, follows.seq, follows.hash) == (state.log, state.seq, state.hash)
        });
        follows_it && first.position() < state.position
    };
    head.position() < first.position() || state.is_some_and(stands_back)
}

/// Makes the lines of a snapshot that are not headers or records.
#[derive(Debug)]
pub struct SnapshotWriter;

impl SnapshotWriter {
    /// The first line.
    #[must_use]
    pub fn totals(totals: &Totals) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line<'a> {
            section: &'static str,
            schema_version: u32,
            #[serde(flatten)]
            totals: &'a Totals,
        }
        crate::signed::payload(&Line {
            section: "snapshot",
            schema_version: 1,
            totals,
        })
    }

    /// A `chain` line of at most [`CHUNK_ITEMS_MAX`] body hashes.
    #[must_use]
    pub fn chain(body_hashes: &[Hash]) -> Vec<u8> {
        crate::signed::payload(&ChainLine {
            chain: body_hashes.to_vec(),
        })
    }

    /// A `retracted` line of at most [`CHUNK_ITEMS_MAX`] pairs.
    #[must_use]
    pub fn retracted(pairs: &[(RecordId, u64)]) -> Vec<u8> {
        crate::signed::payload(&Retracted {
            retracted: pairs.to_vec(),
        })
    }
}
