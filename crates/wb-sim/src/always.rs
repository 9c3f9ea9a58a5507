//! What holds at any time, looked at after every step in the files of whoever it touched.
//!
//! The oracle is the ledger and plain SQL. It calls none of the code that it judges.

use std::path::Path;

use wb_node::plan::disagreement;
use wb_node::query::peers::peers;

use crate::error::SimError;
use crate::files::bytes_of;
use crate::ledger::{Leaves, Live, Sealed, marks_in, member_of};
use crate::look::{Head, HeldFeed, Look};
use crate::member::Exchange;
use crate::play::Touched;
use crate::world::World;

/// Requests a session may take beside one for each thing that came: an answer that leads nowhere must
/// not keep a node asking.
const ROUND_TRIPS_MAX: u64 = 40;
/// Bytes of a member's or hub's file: worlds are small, and what is not wanted must not pile up.
const FILE_BYTES_MAX: usize = 8 * 1_024 * 1_024;

impl World {
    /// Looks at whoever a step touched.
    pub fn check_touched(&mut self, touched: &Touched) -> Result<(), SimError> {
        for member in &touched.members {
            self.note_head(*member)?;
        }
        self.keep_tapes();
        for hub in 0..self.hubs.len() {
            for body in self.hubs[hub].tongue.take_heard() {
                self.check_travels(&body, "what a hub was told");
            }
        }
        for member in &touched.members {
            self.check_member(*member)?;
        }
        for hub in &touched.hubs {
            self.check_hub(*hub)?;
        }
        Ok(())
    }

    /// Notes what a member sealed, and that it is what its ledger says.
    pub fn note_head(&mut self, number: usize) -> Result<(), SimError> {
        let member = &self.members[number];
        let look = self.look(&member.file())?;
        let head = look.head(&member.id)?;
        if let Some(head) = head {
            self.note_sealed(number, head);
        }
        Ok(())
    }

    /// Notes a head that a member had.
    pub fn note_sealed(&mut self, number: usize, head: Head) {
        if self.seals.get(&head.hash).is_some() {
            return;
        }
        self.check_sealed(number, &head.live);
        let (by, seq, live) = (number, head.seq, head.live);
        self.seals.note(head.hash, Sealed { by, seq, live });
        self.members[number].sealed();
    }

    /// What was sealed is what is marked, and nothing else.
    fn check_sealed(&mut self, number: usize, live: &Live) {
        let member = &self.members[number];
        // What it was told by its own history is not in the ledger of the copy.
        if member.is_settled {
            return;
        }
        let mut wrong = Vec::new();
        for (id, written) in &member.ledger.written {
            let line = live.get(&id.as_bytes()[..]);
            let has_mark = line
                .and_then(|line| line.line.as_ref())
                .is_some_and(|line| marks_in(line).contains(&written.mark));
            let is_right = match member.ledger.leaves(id, member.id) {
                Leaves::Yes => has_mark,
                Leaves::No => line.is_none(),
                Leaves::IfParentShows => line.is_none() || has_mark,
            };
            if !is_right {
                wrong.push(format!("{id} ({:?}, {})", written.what, written.scope));
            }
        }
        if !wrong.is_empty() {
            let name = member.name.clone();
            self.fail(
                "what is sealed is what is marked",
                format!("{name} sealed otherwise than marked: {}", wrong.join(", ")),
            );
        }
        if member_is_suspect(self, number) {
            let name = self.members[number].name.clone();
            self.fail("a suspect node seals nothing", format!("{name} sealed"));
        }
    }

    /// Texts that travel were sealed by their author.
    pub fn check_travels(&mut self, bytes: &[u8], what: &str) {
        let marks = marks_in(bytes);
        for mark in marks {
            if self.seals.left(&mark) {
                continue;
            }
            self.fail(
                "nothing leaves unless marked",
                format!("{what} holds {mark}, which was never sealed"),
            );
        }
    }

    /// The texts of others in a file were sealed by their author.
    fn check_bytes(&mut self, file: &Path, own: Option<usize>, name: &str) {
        let bytes = bytes_of(file);
        if bytes.len() > FILE_BYTES_MAX {
            self.fail(
                "sizes are bounded",
                format!("a file of {name} has {} bytes", bytes.len()),
            );
        }
        for mark in marks_in(&bytes) {
            let by = member_of(&mark).and_then(|by| self.members.get(by));
            // A twin has the files of both.
            let is_own = by
                .zip(own)
                .is_some_and(|(by, own)| by.id == self.members[own].id);
            if !is_own && !self.seals.left(&mark) {
                self.fail(
                    "nothing leaves unless marked",
                    format!("a file of {name} holds {mark}, which was never sealed"),
                );
            }
        }
    }

    /// Looks at a member's files.
    fn check_member(&mut self, number: usize) -> Result<(), SimError> {
        let file = self.members[number].file();
        let look = self.look(&file)?;
        self.check_own(number, &look)?;
        let name = self.members[number].name.clone();
        for feed in look.feeds()? {
            if feed.origin != self.members[number].id.as_bytes() {
                self.check_feed(&look, &feed, &name, true)?;
            }
        }
        self.check_shown(&look, &name)?;
        self.check_held(&look, &name)?;
        self.check_plan(number)?;
        self.check_bytes(&file, Some(number), &name);
        Ok(())
    }

    /// What a member would publish, from what changed, is what it would publish from everything.
    fn check_plan(&mut self, number: usize) -> Result<(), SimError> {
        let member = &self.members[number];
        let node = member.node();
        if let Some(differs) = disagreement(node, node.now())? {
            let name = member.name.clone();
            self.fail(
                "a plan from what changed is the plan of everything",
                format!("{name}: {differs}"),
            );
        }
        Ok(())
    }

    /// Looks at a hub's file.
    fn check_hub(&mut self, number: usize) -> Result<(), SimError> {
        let file = self.hubs[number].file();
        let name = self.hubs[number].name.clone();
        let look = self.look(&file)?;
        for feed in look.feeds()? {
            self.check_feed(&look, &feed, &name, false)?;
        }
        self.check_held(&look, &name)?;
        self.check_bytes(&file, None, &name);
        for report in self.hubs[number].take_reports() {
            self.fail("a hub has nothing to report", format!("{name}: {report}"));
        }
        Ok(())
    }

    /// What a member wrote is as it wrote it, whatever came from outside.
    fn check_own(&mut self, number: usize, look: &Look) -> Result<(), SimError> {
        let member = &self.members[number];
        let mut wrong = Vec::new();
        if member.is_settled {
            return Ok(());
        }
        for (id, written) in &member.ledger.written {
            let is_right = look.local(id.as_bytes())?.is_some_and(|(scope, body)| {
                scope == written.scope.as_str() && body.contains(&written.mark)
            });
            if !is_right {
                wrong.push(id.to_string());
            }
        }
        let count = usize::try_from(look.local_count()?).unwrap_or(0);
        if count != member.ledger.written.len() {
            wrong.push(format!("{count} records"));
        }
        if !wrong.is_empty() {
            let name = member.name.clone();
            self.fail(
                "own records are never changed from outside",
                format!("{name}: {} are not as they were written", wrong.join(", ")),
            );
        }
        Ok(())
    }

    /// A feed is held as it was sealed at that head: nothing more, nothing less, nothing else. A line may
    /// be missing while a follower waits for it; at a hub none may.
    fn check_feed(
        &mut self,
        look: &Look,
        feed: &HeldFeed,
        name: &str,
        may_miss: bool,
    ) -> Result<(), SimError> {
        let Some(head) = &feed.head else {
            return Ok(());
        };
        let origin = self.name_of(&feed.origin);
        let Some(sealed) = self.seals.get(head) else {
            self.fail(
                "a feed is what its origin sealed",
                format!("{name} holds a head of {origin} that {origin} did not seal"),
            );
            return Ok(());
        };
        let is_its_own = feed.origin == self.members[sealed.by].id.as_bytes();
        let live = look.live(&feed.origin)?;
        let may_miss = may_miss || self.is_two_faced(&feed.origin);
        let mut wrong = differences(&sealed.live, &live, may_miss);
        if !is_its_own {
            wrong.push("a head of another".to_owned());
        }
        if Some(sealed.seq) != feed.seq {
            wrong.push(format!("delta {} is called {:?}", sealed.seq, feed.seq));
        }
        if !wrong.is_empty() {
            self.fail(
                "a feed is what its origin sealed",
                format!("{name} holds of {origin}: {}", wrong.join(", ")),
            );
        }
        Ok(())
    }

    /// What is shown of another is live there, and was not taken back as far as is known here.
    fn check_shown(&mut self, look: &Look, name: &str) -> Result<(), SimError> {
        for (origin, id) in look.shown_though_taken_back()? {
            let origin = self.name_of(&origin);
            self.fail(
                "what is taken back is not shown",
                format!("{name} shows {} of {origin}", hex(&id)),
            );
        }
        for shown in look.shown()? {
            let sealed_by = |mark: &String| member_of(mark).and_then(|by| self.members.get(by));
            let foreign = marks_in(shown.body.as_bytes()).into_iter().find(|mark| {
                sealed_by(mark).is_none_or(|by| shown.origin != by.id.as_bytes())
                    || !self.seals.left(mark)
            });
            if let Some(mark) = foreign {
                let origin = self.name_of(&shown.origin);
                self.fail(
                    "nothing shows but what its author let go",
                    format!("{name} shows {mark} as a {} of {origin}", shown.kind),
                );
            }
        }
        Ok(())
    }

    /// Honest deltas are never refused.
    fn check_held(&mut self, look: &Look, name: &str) -> Result<(), SimError> {
        for held in look.held()? {
            let origin = self.name_of(&held.origin);
            let is_honest =
                self.member_of(&held.origin).is_some() && !self.is_two_faced(&held.origin);
            // What a liar changed on the way is refused, and so it should be.
            let is_changed = self.hubs.iter().any(|hub| hub.lies);
            if is_honest && !is_changed && held.outcome != "early" {
                self.fail(
                    "honest deltas are never refused",
                    format!(
                        "{name} holds delta {} of {origin} as {} {}",
                        held.seq,
                        held.outcome,
                        held.rule.unwrap_or_default()
                    ),
                );
            }
        }
        Ok(())
    }

    /// How a sync ended is what its operator reads of that hub.
    pub fn check_state(&mut self, number: usize, exchange: &Exchange) -> Result<(), SimError> {
        let Some((cause, _)) = &exchange.end else {
            return Ok(());
        };
        let member = &self.members[number];
        let views = member.machine.run(|| peers(member.node()))?;
        let view = views.iter().find(|view| view.id == exchange.hub);
        let said = view.map_or("", |view| view.cause);
        if said != cause.as_str() {
            let what = format!(
                "{}: {said} is said, and it was {}",
                member.name,
                cause.as_str()
            );
            self.fail("what is wrong is told", what);
        }
        Ok(())
    }

    /// A sync takes no more requests than there is to ask.
    pub fn check_exchange(&mut self, member: usize, exchange: &Exchange) {
        let synced = &exchange.synced;
        let moved = synced.tally.deltas + synced.pushed.deltas + synced.tally.filled;
        let feeds = self.members.len() as u64 * 4;
        if synced.round_trips > ROUND_TRIPS_MAX + moved + feeds {
            let name = self.members[member].name.clone();
            self.fail(
                "sizes are bounded",
                format!("{name} took {} requests for one sync", synced.round_trips),
            );
        }
    }
}

fn member_is_suspect(world: &World, number: usize) -> bool {
    world.members[number].is_suspect
}

/// How what is live differs from what should be.
fn differences(should: &Live, is: &Live, may_miss: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, line) in should {
        match is.get(id) {
            None => wrong.push(format!("{} is missing", hex(id))),
            Some(other) if other.rev != line.rev || other.line_hash != line.line_hash => {
                wrong.push(format!("{} is another line", hex(id)));
            }
            Some(other) if other.line.is_none() && !may_miss => {
                wrong.push(format!("the words of {} are missing", hex(id)));
            }
            Some(other) if other.line.is_some() && other.line != line.line => {
                wrong.push(format!("the words of {} are others", hex(id)));
            }
            Some(_) => {}
        }
    }
    for id in is.keys().filter(|id| !should.contains_key(*id)) {
        wrong.push(format!("{} should not be there", hex(id)));
    }
    wrong
}

/// The start of an id, enough to find it in a list of steps.
pub fn hex(id: &[u8]) -> String {
    let mut text: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    if text.len() == 32 {
        for at in [20, 16, 12, 8] {
            text.insert(at, '-');
        }
    }
    text
}
