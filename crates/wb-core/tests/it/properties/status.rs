//! Where a request stands over random histories of two to five instances (spec: status): whoever holds the same feeds of
//! home and helpers shows the same, in whatever order and how often each event came, whatever else is held, and however
//! counters lie. One word of home ends every contest. A second reading of the page, which shares nothing with the first,
//! agrees.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, Helper, Status, To};
use wb_core::limits::{HEARD_MAX, NUMBER_MAX};
use wb_core::status::{Said, Voice};

use crate::histories::rng::Rng;

const HISTORIES: u64 = 100_000;
/// Of so many histories one has more helpers than one word of home can hear.
const CROWDED_ONE_IN: usize = 100;

/// An event as the second reading takes it: words and numbers alone.
#[derive(Debug, Clone)]
struct Event {
    writer: usize,
    to: &'static str,
    n: u64,
    after: Option<[u8; 32]>,
    heard: Vec<(usize, u64)>,
    hash: [u8; 32],
}

#[derive(Debug)]
struct History {
    /// The instances that home, number 0, names.
    helpers: Vec<usize>,
    events: Vec<Event>,
}

const WORDS: [&str; 3] = ["open", "completed", "cancelled"];

fn hash(rng: &mut Rng) -> [u8; 32] {
    let mut hash = [0; 32];
    // Few first bytes: ties of counters are decided far behind them as well.
    hash[0] = u8::try_from(rng.below(3)).expect("a digit");
    hash[1..9].copy_from_slice(&rng.next().to_be_bytes());
    hash
}

fn draw(seed: u64) -> History {
    let mut rng = Rng::new(seed);
    let others = if rng.below(CROWDED_ONE_IN) == 0 {
        HEARD_MAX + 1 + rng.below(4)
    } else {
        1 + rng.below(4)
    };
    // Most are named; who is not makes claims.
    let helpers: Vec<usize> = (1..=others).filter(|_| rng.chance(75)).collect();
    let byzantine: Vec<bool> = (0..=others).map(|_| rng.chance(15)).collect();
    let mut events: Vec<Event> = Vec::new();
    // What each has seen of whom: the latest event of home, and the number that home has heard.
    let mut seen: Vec<Option<[u8; 32]>> = vec![None; others + 1];
    let mut heard: BTreeMap<usize, u64> = BTreeMap::new();
    for _ in 0..=rng.below(if others > 5 { 40 } else { 14 }) {
        let writer = rng.below(others + 1);
        let last = events.iter().filter(|event| event.writer == writer);
        let mut n = last.map(|event| event.n).max().unwrap_or(0) + 1;
        if writer != 0 && byzantine[writer] && rng.chance(50) {
            n = *rng.pick(&[1, 1, n.saturating_sub(1).max(1), NUMBER_MAX]);
        }
        let mut event = Event {
            writer,
            to: WORDS[rng.below(if writer == 0 { 3 } else { 2 })],
            n: n.min(NUMBER_MAX),
            after: None,
            heard: Vec::new(),
            hash: hash(&mut rng),
        };
        if writer == 0 {
            event.heard = heard
                .iter()
                .map(|(of, n)| (*of, *n))
                .take(HEARD_MAX)
                .collect();
        } else {
            event.after = seen[writer];
            if byzantine[writer] && rng.chance(30) {
                event.after = Some(hash(&mut rng));
            }
        }
        events.push(event);
        // Each hears of the others now and then, and never all at one time.
        for (other, seen) in seen.iter_mut().enumerate().skip(1) {
            if rng.chance(40) {
                let of_home = events.iter().filter(|event| event.writer == 0);
                *seen = of_home.max_by_key(|event| event.n).map(|event| event.hash);
            }
            let of_other = events.iter().filter(|event| event.writer == other);
            if rng.chance(40)
                && let Some(n) = of_other.map(|event| event.n).max()
            {
                heard.insert(other, n);
            }
        }
    }
    History { helpers, events }
}

/// The page, read a second time: what is shown, and whether it is contested.
fn naive(history: &History) -> (&'static str, bool) {
    let latest = |writer: usize| {
        let mut said: Vec<&Event> = history.events.iter().collect();
        said.retain(|event| event.writer == writer);
        said.sort_by_key(|event| (event.n, event.hash));
        said.pop()
    };
    let home = latest(0);
    let (h, h_hash) = match home {
        Some(event) => (event.to, Some(event.hash)),
        None => ("open", None),
    };
    let mut words = Vec::new();
    let mut one_does_not_answer = false;
    let mut helpers = history.helpers.clone();
    helpers.sort_unstable();
    helpers.truncate(15);
    for helper in helpers {
        let Some(said) = latest(helper) else { continue };
        let mut known = 0;
        for (of, n) in home.map_or(&[][..], |event| &event.heard) {
            if *of == helper {
                known = *n;
            }
        }
        if said.n > known {
            words.push(said.to);
            one_does_not_answer |= said.after != h_hash;
        }
    }
    let all_same = words.windows(2).all(|two| two[0] == two[1]);
    match (words.first(), all_same, one_does_not_answer) {
        (None, ..) => (h, false),
        (Some(word), true, false) => (*word, false),
        (Some(word), true, true) => (h, *word != h),
        (Some(_), false, false) => ("open", true),
        (Some(_), false, true) => (h, true),
    }
}

fn instance(n: usize) -> InstanceId {
    let mut bytes = [0; 32];
    bytes[0] = u8::try_from(n).expect("few instances");
    InstanceId(bytes)
}

fn request() -> RecordRef {
    let id: RecordId = "01890a5d-ac96-774b-bcce-b302099a8057"
        .parse()
        .expect("an id");
    RecordRef {
        origin: instance(0),
        id,
    }
}

fn body(event: &Event) -> Body {
    let to = match event.to {
        "open" => To::Open,
        "completed" => To::Completed,
        _ => To::Cancelled,
    };
    let heard = event.heard.iter().map(|(of, n)| (instance(*of), *n));
    Body::Status(Status {
        request: request(),
        to,
        n: event.n,
        note: None,
        heard: (event.writer == 0).then(|| heard.collect()),
        after: event.after.map(Hash),
    })
}

/// What one follower folds: its own order, some events twice, and of claims only those whose feeds it carries.
fn follow(history: &History, rng: &mut Rng) -> Said {
    let mut arrivals: Vec<&Event> = history.events.iter().collect();
    let carried: BTreeSet<usize> = (1..20).filter(|_| rng.chance(50)).collect();
    arrivals.retain(|event| {
        let counts = event.writer == 0 || history.helpers.contains(&event.writer);
        counts || carried.contains(&event.writer)
    });
    let again: Vec<&Event> = arrivals
        .iter()
        .copied()
        .filter(|_| rng.chance(20))
        .collect();
    arrivals.extend(again);
    rng.shuffle(&mut arrivals);
    let mut said = Said::default();
    let named_at = rng.below(arrivals.len() + 1);
    for place in 0..=arrivals.len() {
        if place == named_at {
            for helper in &history.helpers {
                let named = Body::Helper(Helper {
                    request: request().id,
                    instance: instance(*helper),
                });
                said.add(instance(0), instance(0), named, Hash([0; 32]));
            }
        }
        if let Some(event) = arrivals.get(place) {
            said.add(
                instance(0),
                instance(event.writer),
                body(event),
                Hash(event.hash),
            );
        }
    }
    said
}

#[test]
fn equal_feeds_of_home_and_helpers_show_the_same_and_one_word_settles() {
    let (mut contested, mut values) = (0, BTreeSet::new());
    for seed in 0..HISTORIES {
        let history = draw(seed);
        let mut rng = Rng::new(seed ^ 0xdead_beef);
        let said = follow(&history, &mut rng);
        let shown = said.shown();
        let expected = naive(&history);
        let text = || format!("seed {seed}: {history:#?}");
        let read = (shown.value.as_str(), shown.contested);
        assert_eq!(read, expected, "the second reading differs; {}", text());
        let other = follow(&history, &mut rng).shown();
        assert_eq!(other, shown, "another follower; {}", text());
        // Nobody is asked to settle what is not said by anybody.
        let pending = said.words(instance(0)).into_iter();
        let pending = pending.filter(|word| word.is_pending).count();
        assert!(!shown.contested || pending > 0, "{}", text());
        // Home says what is shown, and has heard everybody: in one event that every reader takes.
        let heard = said.heard();
        let n = said.standing().map_or(0, |event| event.n) + 1;
        let settles = Event {
            writer: 0,
            to: expected.0,
            n,
            after: None,
            heard: Vec::new(),
            hash: hash(&mut rng),
        };
        let Body::Status(mut event) = body(&settles) else {
            unreachable!("it is a status")
        };
        event.heard = Some(heard);
        let event = Body::Status(event);
        assert!(event.check(instance(0)).is_ok(), "{}", text());
        let mut settled = follow(&history, &mut rng);
        settled.add(instance(0), instance(0), event, Hash(settles.hash));
        let settled = settled.shown();
        assert_eq!(
            (settled.value, settled.contested),
            (shown.value, false),
            "{}",
            text()
        );
        contested += u64::from(shown.contested);
        values.insert(read);
    }
    // The histories are worth something: much is contested, and every outcome comes up.
    assert!(contested > HISTORIES / 10, "{contested} are contested");
    assert_eq!(values.len(), 6, "{values:?}");
}

#[test]
fn what_home_heard_once_stays_heard_where_the_line_is_gone() {
    let helper = instance(1);
    let mut said = Said::default();
    let named = Body::Helper(Helper {
        request: request().id,
        instance: helper,
    });
    said.add(instance(0), instance(0), named, Hash([0; 32]));
    let mut event = Event {
        writer: 0,
        to: "open",
        n: 4,
        after: None,
        heard: vec![(1, 7), (2, 3)],
        hash: [1; 32],
    };
    said.add(instance(0), instance(0), body(&event), Hash(event.hash));
    // The line of the helper's seventh event is not here; an older one is.
    event = Event {
        writer: 1,
        to: "completed",
        n: 5,
        after: None,
        heard: Vec::new(),
        hash: [2; 32],
    };
    said.add(instance(0), helper, body(&event), Hash(event.hash));
    let heard = said.heard();
    assert_eq!(heard.get(&helper), Some(&7));
    assert_eq!(heard.get(&instance(2)), Some(&3), "it may be named again");
    let words = said.words(instance(0));
    let spoken = words.iter().find(|word| word.voice == Voice::Helper);
    assert!(spoken.is_some_and(|word| !word.is_pending));
}
