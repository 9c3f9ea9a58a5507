//! The lies that a hub can tell: each changes one answer, as bytes or as a value. What comes out is what a
//! hub with its own key could send; whether it is believed is for the nodes to say.

use wb_core::bundle::Writer;
use wb_core::entry::Entry;
use wb_core::id::Hash;
use wb_core::line::Line;
use wb_core::sync::{ChangesSection, Heads, PageSection};

use crate::chance::Chance;

/// Bodies kept to be told again; more would only take memory.
const OLD_MAX: usize = 16;

/// A lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// One delta is left out, and the cursor passes over it.
    WithholdDelta,
    /// Nothing is given, and the cursor passes over it.
    WithholdPage,
    /// The cursor passes over what has not arrived.
    FastForward,
    /// An old answer comes again.
    Freeze,
    /// A line is left out.
    DropLine,
    /// Two lines change places.
    SwapLines,
    /// A line comes twice.
    RepeatLine,
    /// A record comes without its words.
    Stub,
    /// A record comes with the words of another.
    Swap,
    /// Lines of another feed stand among those of this one.
    Graft,
    /// A byte is another.
    FlipByte,
    /// The pages of a snapshot end before the last.
    DropLastPage,
    /// A head is announced that nobody sealed.
    FalseHead,
    /// A head is announced that was one before.
    OldHead,
}

impl Lie {
    /// Every lie.
    pub const ALL: &[Self] = &[
        Self::WithholdDelta,
        Self::WithholdPage,
        Self::FastForward,
        Self::Freeze,
        Self::DropLine,
        Self::SwapLines,
        Self::RepeatLine,
        Self::Stub,
        Self::Swap,
        Self::Graft,
        Self::FlipByte,
        Self::DropLastPage,
        Self::FalseHead,
        Self::OldHead,
    ];

    /// Its name in the table of faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::WithholdDelta => "hub withholds a delta",
            Self::WithholdPage => "hub withholds a page",
            Self::FastForward => "hub winds the cursor on",
            Self::Freeze => "hub gives an old answer",
            Self::DropLine => "hub leaves a line out",
            Self::SwapLines => "hub swaps lines",
            Self::RepeatLine => "hub repeats a line",
            Self::Stub => "hub gives a stub without cause",
            Self::Swap => "hub swaps the words of records",
            Self::Graft => "hub grafts another feed",
            Self::FlipByte => "hub flips a byte",
            Self::DropLastPage => "hub drops the last page",
            Self::FalseHead => "hub announces a false head",
            Self::OldHead => "hub announces an old head",
        }
    }
}

/// What is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Its first line is about the page.
    Changes,
    /// Its first line is about the page.
    Snapshot,
    /// Its last line is about the page.
    Lines,
}

/// What a liar remembers, to tell it again.
#[derive(Debug, Default)]
pub struct Memory {
    bodies: Vec<(Answer, Vec<u8>)>,
    heads: Vec<Heads>,
}

impl Memory {
    /// Remembers a true answer.
    pub fn keep(&mut self, answer: Answer, body: &[u8]) {
        if self.bodies.len() == OLD_MAX {
            self.bodies.remove(0);
        }
        self.bodies.push((answer, body.to_vec()));
    }

    /// Remembers true heads.
    pub fn keep_heads(&mut self, heads: &Heads) {
        if self.heads.len() == OLD_MAX {
            self.heads.remove(0);
        }
        self.heads.push(heads.clone());
    }
}

/// A body as lines without LF.
struct Lines {
    lines: Vec<Vec<u8>>,
    /// Those that are of feeds, and not about the page.
    from: usize,
    to: usize,
}

impl Lines {
    fn read(answer: Answer, body: &[u8]) -> Self {
        let lines = body.split(|byte| *byte == b'\n');
        let lines: Vec<Vec<u8>> = lines
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        let (from, to) = match answer {
            Answer::Changes | Answer::Snapshot => (1.min(lines.len()), lines.len()),
            Answer::Lines => (0, lines.len().saturating_sub(1)),
        };
        Self { lines, from, to }
    }

    fn write(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for line in &self.lines {
            body.extend_from_slice(line);
            body.push(b'\n');
        }
        body
    }

    /// A place among the lines of feeds that fits.
    fn pick(&self, chance: &mut Chance, fits: impl Fn(&[u8]) -> bool) -> Option<usize> {
        let places = (self.from..self.to).filter(|place| fits(&self.lines[*place]));
        let places: Vec<usize> = places.collect();
        (!places.is_empty()).then(|| *chance.pick(&places))
    }
}

fn is_record(line: &[u8]) -> bool {
    Line::read(line).is_ok()
}

fn is_header(line: &[u8]) -> bool {
    line.starts_with(b"{\"signature\":")
}

fn is_section(line: &[u8]) -> bool {
    line.starts_with(b"{\"section\":")
}

/// Changes the body of an answer; none where this lie cannot be told with it.
pub fn lie(
    lie: Lie,
    answer: Answer,
    body: &[u8],
    memory: &Memory,
    chance: &mut Chance,
) -> Option<Vec<u8>> {
    let mut lines = Lines::read(answer, body);
    match lie {
        Lie::Freeze => return old_answer(answer, body, memory, chance),
        Lie::WithholdDelta => withhold_delta(answer, &mut lines, chance)?,
        Lie::WithholdPage => {
            let is_changes = answer == Answer::Changes && lines.lines.len() > 1;
            is_changes.then(|| lines.lines.truncate(1))?;
        }
        Lie::FastForward => fast_forward(answer, &mut lines, chance)?,
        Lie::DropLine => {
            let place = lines.pick(chance, |_| true)?;
            lines.lines.remove(place);
        }
        Lie::SwapLines => {
            let (one, other) = (lines.pick(chance, |_| true)?, lines.pick(chance, |_| true)?);
            (one != other).then(|| lines.lines.swap(one, other))?;
        }
        Lie::RepeatLine => {
            let place = lines.pick(chance, |_| true)?;
            let line = lines.lines[place].clone();
            lines.lines.insert(place, line);
        }
        Lie::Stub => {
            let place = lines.pick(chance, is_record)?;
            let entry = Entry::of_line(&Line::read(&lines.lines[place]).ok()?);
            lines.lines[place] = entry.to_bytes();
        }
        Lie::Swap => {
            let place = lines.pick(chance, is_record)?;
            let other = lines.pick(chance, is_record)?;
            (place != other).then(|| lines.lines[place] = lines.lines[other].clone())?;
        }
        Lie::Graft => graft(&mut lines, memory, chance)?,
        Lie::FlipByte => {
            let place = chance.place(lines.lines.len());
            let line = &mut lines.lines[place];
            let byte = chance.place(line.len());
            line[byte] ^= 1 << chance.below(7);
        }
        Lie::DropLastPage => {
            let page = PageSection::read(lines.lines.first()?).ok()?;
            (answer == Answer::Snapshot && page.next.is_some()).then_some(())?;
            lines.lines[0] = wb_core::signed::payload(&PageSection::new(page.head, None));
        }
        Lie::FalseHead | Lie::OldHead => return None,
    }
    let lied = lines.write();
    (lied != body).then_some(lied)
}

fn old_answer(
    answer: Answer,
    body: &[u8],
    memory: &Memory,
    chance: &mut Chance,
) -> Option<Vec<u8>> {
    let old = memory.bodies.iter();
    let old: Vec<&Vec<u8>> = old
        .filter(|(kind, old)| *kind == answer && old != body)
        .map(|(_, old)| old)
        .collect();
    (!old.is_empty()).then(|| (*chance.pick(&old)).clone())
}

/// Leaves a delta out, and counts as if it had never been.
fn withhold_delta(answer: Answer, lines: &mut Lines, chance: &mut Chance) -> Option<()> {
    if answer != Answer::Changes {
        return None;
    }
    let header = lines.pick(chance, is_header)?;
    let section = (0..header)
        .rev()
        .find(|place| is_section(&lines.lines[*place]))?;
    let end = (header + 1..lines.lines.len())
        .find(|place| is_header(&lines.lines[*place]) || is_section(&lines.lines[*place]))
        .unwrap_or(lines.lines.len());
    let totals: wb_core::bundle::DeltasTotals =
        serde_json::from_slice(&lines.lines[section]).ok()?;
    let items = (end - header - 1) as u64;
    let left = Writer::deltas(
        totals.origin,
        totals.scope,
        totals.deltas.checked_sub(1)?,
        totals.items.checked_sub(items)?,
    );
    lines.lines.drain(header..end);
    if totals.deltas == 1 {
        lines.lines.remove(section);
    } else {
        lines.lines[section] = left;
    }
    Some(())
}

fn fast_forward(answer: Answer, lines: &mut Lines, chance: &mut Chance) -> Option<()> {
    if answer != Answer::Changes {
        return None;
    }
    let mut section = ChangesSection::read(lines.lines.first()?).ok()?;
    section.cursor.n += 1 + chance.below(3);
    lines.lines[0] = wb_core::signed::payload(&section);
    Some(())
}

/// Puts lines of another answer among those of this one.
fn graft(lines: &mut Lines, memory: &Memory, chance: &mut Chance) -> Option<()> {
    let place = lines.pick(chance, |_| true)?;
    if memory.bodies.is_empty() {
        return None;
    }
    let (answer, body) = chance.pick(&memory.bodies);
    let other = Lines::read(*answer, body);
    let first = other.pick(chance, |_| true)?;
    let last = (first + 1 + chance.place(3)).min(other.to);
    let grafted = other.lines[first..last].to_vec();
    if chance.percent(50) {
        lines.lines.splice(place..place, grafted);
    } else {
        lines.lines.splice(place..=place, grafted);
    }
    Some(())
}

/// Changes heads; none where this lie cannot be told with them.
pub fn lie_in_heads(
    lie: Lie,
    heads: &Heads,
    memory: &Memory,
    chance: &mut Chance,
) -> Option<Heads> {
    let mut lied = heads.clone();
    match lie {
        Lie::FalseHead if !heads.feeds.is_empty() => {
            let place = chance.place(heads.feeds.len());
            let head = &mut lied.feeds[place].head;
            head.seq += chance.below(3);
            let mut hash = [0; 32];
            chance.fill(&mut hash);
            head.hash = Hash(hash);
        }
        Lie::OldHead => {
            let old = memory.heads.iter().flat_map(|heads| &heads.feeds);
            for feed in &mut lied.feeds {
                let of = (feed.head.origin, feed.head.scope);
                let old = old
                    .clone()
                    .find(|old| (old.head.origin, old.head.scope) == of);
                if let Some(old) = old {
                    *feed = old.clone();
                }
            }
        }
        Lie::WithholdDelta | Lie::WithholdPage if !heads.feeds.is_empty() => {
            let place = chance.place(heads.feeds.len());
            lied.feeds.remove(place);
        }
        Lie::FastForward => lied.cursor.n += 1 + chance.below(3),
        _ => return None,
    }
    (lied != *heads).then_some(lied)
}
