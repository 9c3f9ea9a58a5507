//! A small world: communities, hubs, the network between them, and what was seen so far.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::time::Instant;
use wb_core::id::InstanceId;

use crate::chance::Chance;
use crate::coverage::Coverage;
use crate::error::{SimError, files};
use crate::hub::SimHub;
use crate::ledger::Seals;
use crate::liar::Tongue;
use crate::look::Look;
use crate::machine::Machine;
use crate::member::Member;
use crate::network::Net;
use crate::scheduler::Mood;
use crate::wire::Tape;

/// Fewest and most communities.
const MEMBERS_MIN: usize = 3;
const MEMBERS_MAX: usize = 20;
/// A world has one more member in so many of 100 cases, again and again.
const ONE_MORE_PERCENT: u64 = 40;
/// Streams of chance that hang on the seed, each by its number.
const OF_WORLD: u64 = 1;
const OF_HUBS: u64 = 1_000;
const OF_MEMBERS: u64 = 2_000;
const OF_TONGUES: u64 = 3_000;
const OF_PAIRS: u64 = 4_000;
/// Worlds with peers, and how many pairs at most.
const PAIRS_PERCENT: u64 = 50;
const PAIRS_MAX: usize = 3;

/// Something that should not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The check that noticed, a short name.
    pub check: &'static str,
    /// What it saw.
    pub what: String,
}

/// A world.
pub struct World {
    pub chance: Chance,
    pub net: Arc<Net>,
    pub hubs: Vec<SimHub>,
    pub members: Vec<Member>,
    /// Members of whom the first calls the second as its peer.
    pub pairs: Vec<(usize, usize)>,
    pub seals: Seals,
    pub coverage: Coverage,
    pub failures: Vec<Failure>,
    pub mood: Mood,
    /// Hubs that are gone for good.
    pub gone: BTreeSet<usize>,
    /// Members, and hubs and peers with whom nothing goes any more because a key was retired.
    pub shut_out: BTreeSet<(usize, InstanceId)>,
    /// What was sent, to be sent again.
    pub tapes: Vec<Tape>,
    /// Texts written so far.
    pub marks: u64,
    looks: RefCell<BTreeMap<PathBuf, Rc<Look>>>,
    begin: Instant,
    root: Chance,
    dir: TempDir,
}

/// A folder on memory where there is one: the disk is not what is simulated.
fn folder() -> Result<TempDir, SimError> {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let mut builder = tempfile::Builder::new();
    let dir = builder.prefix("wb-sim-").tempdir_in(&parent);
    dir.map_err(files(&parent))
}

fn count_members(chance: &mut Chance) -> usize {
    let mut count = MEMBERS_MIN;
    while count < MEMBERS_MAX && chance.percent(ONE_MORE_PERCENT) {
        count += 1;
    }
    count
}

impl World {
    /// Makes the world of a seed: everybody is founded, registered at some hubs, and follows.
    pub async fn found(seed: u64) -> Result<Self, SimError> {
        let root = Chance::new(seed);
        let mut chance = root.fork(OF_WORLD);
        let begin = Instant::now();
        let dir = folder()?;
        let net = Arc::new(Net::default());
        let (hub_count, member_count) = (
            *chance.weighed(&[(60, 1), (30, 2), (10, 3)]),
            count_members(&mut chance),
        );
        let mut hubs = Vec::new();
        for number in 0..hub_count {
            let machine = Machine::new(begin, root.fork(OF_HUBS + number as u64));
            let tongue = Tongue::new(root.fork(OF_TONGUES + number as u64));
            let net = Arc::clone(&net);
            hubs.push(SimHub::found(number, dir.path(), net, machine, tongue)?);
        }
        let mut members = Vec::new();
        for number in 0..member_count {
            let machine = Machine::new(begin, root.fork(OF_MEMBERS + number as u64));
            members.push(Member::found(number, dir.path(), &net, machine)?);
        }
        let mood = Mood::draw(&mut chance);
        let mut world = Self {
            chance,
            net,
            hubs,
            members,
            pairs: Vec::new(),
            seals: Seals::default(),
            coverage: Coverage::default(),
            failures: Vec::new(),
            mood,
            gone: BTreeSet::new(),
            shut_out: BTreeSet::new(),
            tapes: Vec::new(),
            marks: 0,
            looks: RefCell::default(),
            begin,
            root,
            dir,
        };
        world.meet().await?;
        world.pair_some().await?;
        Ok(world)
    }

    /// Everybody registers at one hub at least, and follows most of the others.
    async fn meet(&mut self) -> Result<(), SimError> {
        let ids: Vec<InstanceId> = self.members.iter().map(|member| member.id).collect();
        for member in &mut self.members {
            let mut hubs: Vec<usize> = (0..self.hubs.len()).collect();
            self.chance.shuffle(&mut hubs);
            hubs.truncate(1 + self.chance.place(self.hubs.len()));
            hubs.sort_unstable();
            for hub in hubs {
                let hub = &self.hubs[hub];
                member.register(hub).await?;
                member.starts_at(hub.id());
                let mut others: Vec<InstanceId> = ids.clone();
                others.retain(|id| *id != member.id && self.chance.percent(90));
                member.accept(hub.id(), &others)?;
            }
        }
        Ok(())
    }

    /// In some worlds some members are peers of others as well.
    async fn pair_some(&mut self) -> Result<(), SimError> {
        let mut chance = self.root.fork(OF_PAIRS);
        if !chance.percent(PAIRS_PERCENT) {
            return Ok(());
        }
        for _ in 0..1 + chance.place(PAIRS_MAX) {
            let (from, to) = (
                chance.place(self.members.len()),
                chance.place(self.members.len()),
            );
            let is_there = |pair: &(usize, usize)| *pair == (from, to) || *pair == (to, from);
            if from == to || self.pairs.iter().any(is_there) {
                continue;
            }
            self.members[to].open_door(&self.net, to);
            let link = self.members[to].invite(to)?;
            self.members[from].accept_link(&link).await?;
            let id = self.members[from].id;
            self.members[to].confirm(id)?;
            self.pairs.push((from, to));
        }
        Ok(())
    }

    /// The members that a member calls as its peers. A twin has what the one it was made of has.
    pub fn peers_of(&self, member: usize) -> impl Iterator<Item = usize> + '_ {
        let id = self.members[member].id;
        let pairs = self.pairs.iter();
        let own = pairs.filter(move |(from, _)| self.members[*from].id == id);
        own.map(|(_, to)| *to)
    }

    /// Whether two members are peers, whoever calls.
    pub fn are_peers(&self, one: usize, other: usize) -> bool {
        let mut pairs = self.pairs.iter();
        pairs.any(|pair| *pair == (one, other) || *pair == (other, one))
    }

    /// A second copy of a member begins to act, with the same key.
    pub fn clone_member(&mut self, number: usize) -> Result<(), SimError> {
        let stream = OF_MEMBERS + self.members.len() as u64;
        let machine = Machine::new(self.begin, self.root.fork(stream));
        let twin = self.members.len();
        let net = Arc::clone(&self.net);
        let cloned = self.members[number].cloned(twin, self.dir.path(), &net, machine)?;
        self.members.push(cloned);
        Ok(())
    }

    /// Whether somebody with this key has signed what contradicts itself.
    pub fn is_two_faced(&self, id: &[u8]) -> bool {
        let mut members = self.members.iter();
        members.any(|member| member.id.as_bytes() == id && member.is_two_faced)
    }

    /// Where files are put that go from one to another.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A number that no other text has.
    pub fn next_mark(&mut self) -> u64 {
        self.marks += 1;
        self.marks
    }

    /// A file to look at. What was opened once stays open: opening costs more than looking.
    pub fn look(&self, file: &Path) -> Result<Rc<Look>, SimError> {
        if let Some(look) = self.looks.borrow().get(file) {
            return Ok(Rc::clone(look));
        }
        let look = Rc::new(Look::open(file)?);
        let mut looks = self.looks.borrow_mut();
        looks.insert(file.to_owned(), Rc::clone(&look));
        Ok(look)
    }

    /// Another file takes the place of one that was looked at.
    pub fn forget_look(&self, file: &Path) {
        self.looks.borrow_mut().remove(file);
    }

    pub fn fail(&mut self, check: &'static str, what: impl Into<String>) {
        self.failures.push(Failure {
            check,
            what: what.into(),
        });
    }

    /// A hub by its id.
    pub fn hub_of(&self, id: InstanceId) -> Option<&SimHub> {
        self.hubs.iter().find(|hub| hub.id() == id)
    }

    /// The member that an instance is.
    pub fn member_of(&self, id: &[u8]) -> Option<&Member> {
        let mut members = self.members.iter();
        members.find(|member| member.id.as_bytes() == id)
    }

    /// The name of an instance, for people.
    pub fn name_of(&self, id: &[u8]) -> String {
        match self.member_of(id) {
            Some(member) => member.name.clone(),
            None => id
                .iter()
                .take(4)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        }
    }
}
