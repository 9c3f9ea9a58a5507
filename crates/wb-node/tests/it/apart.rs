//! Reading on a thread of its own: the place where feeds are kept sees what it sees with one thread.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use wb_core::bundle::{Driver, FeedOutcome, Memory, Sink};
use wb_core::feed::{Delta, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::{IdentityLog, Merge};
use wb_node::NodeError;
use wb_node::import::apart::{Across, Unread, apart};

/// Keeps feeds in memory and writes down what it is called for and what it answers; one call may fail.
#[derive(Default)]
struct Watched {
    memory: Memory,
    calls: Vec<String>,
    fails_at: Option<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum Failed {
    Here(usize),
    Reading(String),
}

impl From<NodeError> for Failed {
    fn from(error: NodeError) -> Self {
        Self::Reading(error.to_string())
    }
}

impl Watched {
    fn failing(fails_at: usize) -> Self {
        Self {
            fails_at: Some(fails_at),
            ..Self::default()
        }
    }

    fn note(&mut self, call: String) -> Result<(), Failed> {
        let number = self.calls.len();
        self.calls.push(call);
        if self.fails_at == Some(number) {
            return Err(Failed::Here(number));
        }
        Ok(())
    }
}

fn sure<T>(kept: Result<T, Infallible>) -> T {
    let Ok(kept) = kept;
    kept
}

fn shown(item: &Item<'_>) -> String {
    let text = item
        .line
        .as_ref()
        .map(|line| (line.hash, line.body().to_owned()));
    format!("{:?} {text:?}", item.entry)
}

impl Sink for Watched {
    type Error = Failed;

    fn begin_section(&mut self) -> Result<(), Failed> {
        self.note("begin".to_owned())
    }

    fn keep_section(&mut self) -> Result<(), Failed> {
        self.note("keep".to_owned())
    }

    fn undo_section(&mut self) -> Result<(), Failed> {
        self.note("undo".to_owned())
    }

    fn known_identity(&mut self, id: &InstanceId) -> Result<Option<IdentityLog>, Failed> {
        let known = sure(self.memory.known_identity(id));
        self.note(format!("known {id} {}", known.is_some()))?;
        Ok(known)
    }

    fn identity(&mut self, log: IdentityLog) -> Result<(Merge, IdentityLog), Failed> {
        let id = log.id();
        let (merge, log) = sure(self.memory.identity(log));
        self.note(format!("identity {id} {}", merge.as_str()))?;
        Ok((merge, log))
    }

    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<Result<SnapshotOutcome, Refusal>, Failed> {
        let placed = sure(self.memory.place(snapshot, identity));
        self.note(format!("place {:?} {placed:?}", snapshot.totals()))?;
        Ok(placed)
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), Failed> {
        sure(self.memory.item(item));
        self.note(format!("item {}", shown(item)))
    }

    fn fill(&mut self, item: &Item<'_>) -> Result<(), Failed> {
        self.note(format!("fill {}", shown(item)))
    }

    fn retracted(&mut self, pairs: &[(RecordId, u64)]) -> Result<(), Failed> {
        sure(self.memory.retracted(pairs));
        self.note(format!("retracted {pairs:?}"))
    }

    fn finish(&mut self, snapshot: &SnapshotReader) -> Result<Result<(), Refusal>, Failed> {
        let finished = sure(self.memory.finish(snapshot));
        let live = snapshot.state().live;
        self.note(format!("finish {finished:?} {live:?}"))?;
        Ok(finished)
    }

    fn delta(&mut self, delta: &Delta<'_>) -> Result<Outcome, Failed> {
        let outcome = sure(self.memory.delta(delta));
        let items: Vec<String> = delta.items.iter().map(shown).collect();
        self.note(format!(
            "delta {} {items:?} {}",
            delta.hash,
            outcome.as_str()
        ))?;
        Ok(outcome)
    }
}

/// The lines of every bundle of the vectors, good and bad, by its name.
fn bundles() -> Vec<(String, Vec<String>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/vectors/bundles");
    let files = std::fs::read_dir(folder)
        .expect("vectors")
        .map(|entry| entry.expect("a file").path());
    let mut bundles: Vec<(String, Vec<String>)> = files
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a vector file");
            let vector: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
            let lines = vector["lines"].as_array().expect("lines").iter();
            let lines = lines.map(|line| line.as_str().expect("a text").to_owned());
            (path.display().to_string(), lines.collect())
        })
        .collect();
    bundles.sort();
    assert!(bundles.len() > 20, "the vectors are here");
    bundles
}

/// Drives lines a second time through the same sink: what came is a duplicate then, and its items fill.
fn twice(lines: &[String]) -> impl Iterator<Item = (bool, &String)> {
    let pass = |is_second: bool| lines.iter().map(move |line| (is_second, line));
    pass(false).chain(pass(true))
}

type Done = (Vec<FeedOutcome>, Option<String>);

fn read<S: Sink>(
    lines: &[String],
    make: fn() -> Driver,
    sink: &mut S,
) -> Result<Vec<Done>, S::Error> {
    let (mut drivers, mut was_second) = (vec![make()], false);
    for (is_second, line) in twice(lines) {
        if is_second && !was_second {
            drivers.last_mut().expect("one").cut_off(sink)?;
            drivers.push(make());
            was_second = true;
        }
        drivers
            .last_mut()
            .expect("one")
            .push(line.as_bytes(), sink)?;
    }
    drivers.last_mut().expect("one").cut_off(sink)?;
    let done = drivers.iter().map(|driver| {
        let ended = driver.finish().err().map(|error| error.to_string());
        (driver.feeds().to_vec(), ended)
    });
    Ok(done.collect())
}

#[test]
fn a_sink_is_called_for_the_same_in_the_same_order_as_with_one_thread() {
    let (mut items, mut fills) = (0, 0);
    for (name, lines) in bundles() {
        for make in [Driver::default, Driver::partial] {
            let (mut one, mut other) = (Watched::default(), Watched::default());
            let expected = read(&lines, make, &mut one).expect("a sink that never fails");
            let done: Result<_, Failed> = apart(&mut other, &mut |_| {}, |across| {
                Ok(read(&lines, make, across)?)
            });
            assert_eq!(done, Ok(expected), "{name}");
            assert_eq!(other.calls, one.calls, "{name}");
            assert_eq!(other.memory.kinds(), one.memory.kinds(), "{name}");
            let count = |what: &str| {
                one.calls
                    .iter()
                    .filter(|call| call.starts_with(what))
                    .count()
            };
            items += count("item ");
            fills += count("fill ");
        }
    }
    assert!(items > 20 && fills > 5, "{items} items, {fills} fills");
}

#[test]
fn what_a_sink_fails_with_ends_the_reading_at_whatever_call() {
    let (name, lines) = bundles()
        .into_iter()
        .find(|(name, _)| name.ends_with("two_origins.json"))
        .expect("a good bundle");
    let mut whole = Watched::default();
    read(&lines, Driver::default, &mut whole).expect("a sink that never fails");
    for number in 0..whole.calls.len() {
        let mut sink = Watched::failing(number);
        let done: Result<Vec<Done>, Failed> = apart(&mut sink, &mut |_| {}, |across| {
            Ok(read(&lines, Driver::default, across)?)
        });
        assert_eq!(done, Err(Failed::Here(number)), "{name}");
        // Nothing is asked of it any more.
        assert_eq!(sink.calls, whole.calls[..=number]);
    }
}

#[test]
fn what_reading_fails_with_is_told_after_what_was_read_is_kept() {
    let mut sink = Watched::default();
    let torn = NodeError::TooLarge {
        path: PathBuf::from("large.wbb"),
        what: "it has no end",
    };
    let expected = torn.to_string();
    let done: Result<(), Failed> = apart(&mut sink, &mut |_| {}, |across| {
        across.begin_section()?;
        Err(Unread::Failed(torn))
    });
    assert_eq!(done, Err(Failed::Reading(expected)));
    assert_eq!(sink.calls, ["begin"]);
}

#[test]
fn progress_is_told_on_this_thread_and_a_panic_comes_through() {
    let (mut sink, mut told) = (Watched::default(), Vec::new());
    let here = std::thread::current().id();
    let done: Result<(), Failed> = apart(
        &mut sink,
        &mut |lines| {
            assert_eq!(std::thread::current().id(), here);
            told.push(lines);
        },
        |across| {
            for lines in [3, 7] {
                across.note_lines(lines);
                across.begin_section()?;
            }
            Ok(())
        },
    );
    assert_eq!((done, told), (Ok(()), vec![3, 7]));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let read = |_: &mut Across<Failed>| -> Result<(), Unread> { panic!("while reading") };
        apart::<_, (), Failed>(&mut sink, &mut |_| {}, read)
    }));
    assert!(panicked.is_err());
}
