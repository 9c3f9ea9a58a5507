//! What every store of a hub promises, as one suite for any of them.
//!
//! [`suite`] asks nothing of a store but its trait. Another database is held against it with a test of a
//! few lines (see `sqlite.rs`): make an empty store, run the suite.

use std::collections::BTreeSet;

use wb_core::bundle::{Driver, Memory, Writer};
use wb_core::feed::SnapshotWriter;
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::letter::Mail;
use wb_core::limits::LETTERS_PER_PAIR_MAX;
use wb_core::line::Line;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{
    AgainSection, Arrival, ChangesSection, Cursor, FollowList, PageSection, Policy, Pushed,
    Standing, Standings, Visibility, VouchesAsk,
};
use wb_core::time::Timestamp;
use wb_hub::{
    Decision, HubStore, KeepingLetter, LetterRefused, LinesPage, MemberRow, PageRefused,
    PushRefused, RegisterRefused, Registering, SnapshotAsk,
};

use super::origin::{Do, Origin, Sealed, now};

/// Bytes after which the pages of a store under test end: a few lines, so that there are several.
pub const PAGE_BYTES: usize = 1_200;

/// Runs everything, each part on a store of its own. `make` gives an empty store whose pages end after
/// [`PAGE_BYTES`]; each that it gives has a relay log of its own.
pub async fn suite<S: HubStore>(make: impl Fn() -> S) {
    registering(make()).await;
    deciding(make()).await;
    the_directory(make()).await;
    follow_lists(make()).await;
    arrivals(make()).await;
    cursors_of_elsewhere(make(), make()).await;
    pushes_that_count_for_nothing(make()).await;
    pushes_again_and_late(make()).await;
    pushes_by_snapshot(make()).await;
    pages_of_changes(make()).await;
    snapshots_while_the_feed_moves_on(make()).await;
    lines(make()).await;
    vouches_one_by_one(make()).await;
    forgetting(make()).await;
    suspended_and_back(make()).await;
    letters(make()).await;
    members_for_the_operator(make()).await;
    everything_at_once(make()).await;
}

/// Some seconds after [`now`].
pub fn later(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(now().unix_ms() + 1_000 * seconds).expect("a time")
}

pub fn registration(origin: &Origin) -> Registering {
    Registering {
        identity: origin.identity.clone(),
        name: origin.id().short(),
        card: origin.card(),
        visibility: Visibility::Public,
        code: None,
        counter: 1,
    }
}

pub async fn register<S: HubStore>(store: &S, origin: &Origin) -> Standings {
    let registered = store.register(registration(origin), Policy::Open, now());
    registered.await.expect("a store").expect("it is newer")
}

/// Members that follow everybody.
pub async fn with_members<S: HubStore>(store: &S, members: &[&Origin]) {
    for member in members {
        register(store, member).await;
        let list = FollowList {
            counter: 1,
            all: true,
            ..FollowList::default()
        };
        put_follows(store, member, list)
            .await
            .expect("a newer list");
    }
}

pub async fn put_follows<S: HubStore>(
    store: &S,
    member: &Origin,
    list: FollowList,
) -> Result<Hash, u64> {
    let put = store.put_follows(member.id(), list).await;
    put.expect("a store").map(|follows| follows.hash)
}

/// The body of a push.
pub fn body(origin: &Origin, deltas: &[&Sealed]) -> Vec<u8> {
    let items = deltas.iter().map(|delta| delta.items.len() as u64).sum();
    let mut lines = vec![Writer::deltas(
        origin.id(),
        FeedScope::Public,
        deltas.len() as u64,
        items,
    )];
    lines.extend(deltas.iter().flat_map(|delta| delta.lines()));
    let mut body = lines.join(&b'\n');
    body.push(b'\n');
    body
}

pub async fn push<S: HubStore>(
    store: &S,
    origin: &Origin,
    deltas: &[&Sealed],
) -> Result<Pushed, PushRefused> {
    let pushed = store.push(origin.id(), body(origin, deltas), now()).await;
    pushed.expect("a store")
}

/// Seals a delta and pushes it.
pub async fn publish<S: HubStore>(store: &S, origin: &mut Origin, what: &[Do]) {
    let delta = origin.seal(what);
    let pushed = push(store, origin, &[&delta]).await.expect("it counts");
    assert_eq!(outcomes(&pushed), ["append"]);
    assert_eq!(pushed.own, [origin.held()]);
}

fn outcomes(pushed: &Pushed) -> Vec<&str> {
    let feeds = pushed.feeds.iter();
    feeds.map(|feed| feed.outcome.as_str()).collect()
}

pub async fn cursor<S: HubStore>(store: &S, member: &Origin) -> Cursor {
    let heads = store.heads(member.id(), None, now()).await;
    heads.expect("a store").cursor
}

/// The cursor before the first arrival.
pub async fn start<S: HubStore>(store: &S, member: &Origin) -> Cursor {
    Cursor::new(cursor(store, member).await.log, 0, &Hash([0; 32]))
}

/// Every page of changes after a cursor: what they tell, their lines, where they end.
pub struct All {
    pub told: Vec<String>,
    lines: Vec<Vec<u8>>,
    pub cursor: Cursor,
    pages: usize,
}

async fn page<S: HubStore>(
    store: &S,
    member: &Origin,
    since: Cursor,
) -> Result<(ChangesSection, Vec<Vec<u8>>), PageRefused> {
    let page = store.changes(member.id(), since, now()).await;
    let page = page.expect("a store")?;
    let mut lines = split(&page.body);
    let section = ChangesSection::read(&lines.remove(0)).expect("a first line");
    assert_eq!(page.has_news, !lines.is_empty());
    Ok((section, lines))
}

pub async fn changes<S: HubStore>(store: &S, member: &Origin, since: Cursor) -> All {
    let mut all = All {
        told: Vec::new(),
        lines: Vec::new(),
        cursor: since,
        pages: 0,
    };
    loop {
        let (section, lines) = page(store, member, all.cursor)
            .await
            .expect("a good cursor");
        all.told.extend(lines.iter().filter_map(|line| told(line)));
        all.lines.extend(lines);
        all.pages += 1;
        assert!(!section.more || section.cursor.n > all.cursor.n);
        all.cursor = section.cursor;
        if !section.more {
            return all;
        }
    }
}

fn split(body: &[u8]) -> Vec<Vec<u8>> {
    let lines = body.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(<[u8]>::to_vec).collect()
}

/// A section line in short: what, of whom, how much.
fn told(line: &[u8]) -> Option<String> {
    if !line.starts_with(b"{\"section\"") {
        return None;
    }
    let line: serde_json::Value = serde_json::from_slice(line).expect("a section");
    let origin = line["origin"].as_str().or(line["head"]["origin"].as_str());
    let origin: InstanceId = origin.expect("an origin").parse().expect("an id");
    let section = line["section"].as_str().expect("a word");
    let count = match section {
        "identity" => &line["entries"],
        "deltas" => &line["deltas"],
        _ => &line["head"]["seq"],
    };
    Some(format!("{section} {} {count}", origin.short()))
}

/// What comes of sections, verified as a follower does.
fn verify(memory: &mut Memory, lines: &[Vec<u8>]) -> Vec<&'static str> {
    let mut driver = Driver::sections();
    for line in lines
        .iter()
        .filter(|line| !line.starts_with(AgainSection::START))
    {
        let Ok(()) = driver.push(line, memory);
    }
    assert_eq!(driver.finish(), Ok(()));
    driver.feeds().iter().map(|feed| feed.outcome).collect()
}

pub async fn decide<S: HubStore>(store: &S, origin: &Origin, decision: Decision) {
    let decided = store.decide(origin.id(), decision, now()).await;
    assert!(decided.expect("a store"));
}

pub async fn standing<S: HubStore>(store: &S, origin: &Origin, at: Timestamp) -> Option<Standing> {
    let standings = store.standing(origin.id(), at).await.expect("a store");
    standings.map(|standings| standings.standing)
}

async fn registering<S: HubStore>(store: S) {
    store.check().await.expect("it can be written");
    let (north, south) = (Origin::new(1), Origin::new(2));
    assert_eq!(store.identity(north.id()).await.expect("a store"), None);
    assert_eq!(standing(&store, &north, now()).await, None);
    assert_eq!(register(&store, &north).await.standing, Standing::Member);
    let held = store.identity(north.id()).await.expect("a store");
    assert_eq!(held.as_ref(), Some(&north.identity));
    let waiting = store.register(registration(&south), Policy::Approval, now());
    assert_eq!(
        waiting.await.expect("a store").expect("it counts").standing,
        Standing::Waiting
    );

    // Again it changes the standing of nobody, whatever the policy is by then.
    let again = store.register(registration(&south), Policy::Open, now());
    assert_eq!(
        again.await.expect("a store").expect("it counts").standing,
        Standing::Waiting
    );
    let again = store.register(registration(&north), Policy::Approval, now());
    assert_eq!(
        again.await.expect("a store").expect("it counts").standing,
        Standing::Member
    );
    let arrived = cursor(&store, &north).await;
    assert_eq!(arrived.n, 1, "who waits has not arrived, and nobody twice");

    // The registration with the highest counter is the one that counts; an older one is told which.
    for (name, listed, counter, taken) in [("Late", false, 9, true), ("Early", true, 5, false)] {
        let registering = Registering {
            name: name.to_owned(),
            visibility: Visibility::of_listed(listed),
            code: None,
            counter,
            ..registration(&north)
        };
        let registered = store.register(registering, Policy::Open, now()).await;
        let registered = registered.expect("a store").map(|_| ());
        assert_eq!(
            registered,
            if taken {
                Ok(())
            } else {
                Err(RegisterRefused::Stale(9))
            }
        );
    }
    let row = store.member(north.id(), now()).await.expect("a store");
    let row = row.expect("it is registered");
    assert_eq!((row.name.as_str(), row.listed), ("Late", false));
    assert_eq!(cursor(&store, &north).await, arrived);
}

async fn deciding<S: HubStore>(store: S) {
    let north = Origin::new(1);
    let unknown = store.decide(north.id(), Decision::Approve, now()).await;
    assert!(!unknown.expect("a store"), "nobody is there");
    let waiting = store.register(registration(&north), Policy::Approval, now());
    waiting.await.expect("a store").expect("it is the first");
    decide(&store, &north, Decision::Approve).await;
    assert_eq!(
        standing(&store, &north, now()).await,
        Some(Standing::Member)
    );
    let suspend = Decision::Suspend {
        reason: "too much noise".to_owned(),
        until: Some(later(60)),
    };
    decide(&store, &north, suspend).await;
    let held = store
        .standing(north.id(), later(59))
        .await
        .expect("a store");
    let held = held.expect("it is registered");
    assert_eq!(held.standing, Standing::Suspended);
    assert_eq!(held.reason.as_deref(), Some("too much noise"));
    assert_eq!(held.until, Some(later(60)));
    // When it is over it is over, whether or not somebody noted that.
    assert_eq!(
        standing(&store, &north, later(60)).await,
        Some(Standing::Member)
    );
    assert_eq!(store.end_suspensions(later(59)).await.expect("a store"), 0);
    assert_eq!(store.end_suspensions(later(61)).await.expect("a store"), 1);
    assert_eq!(store.end_suspensions(later(61)).await.expect("a store"), 0);
    assert_eq!(
        standing(&store, &north, now()).await,
        Some(Standing::Member)
    );
}

async fn the_directory<S: HubStore>(store: S) {
    let mut origins: Vec<Origin> = (1..=5).map(Origin::new).collect();
    origins.sort_by_key(Origin::id);
    for origin in &origins[..3] {
        register(&store, origin).await;
    }
    let unlisted = Registering {
        visibility: Visibility::Unlisted,
        code: None,
        ..registration(&origins[3])
    };
    let unlisted = store.register(unlisted, Policy::Open, now()).await;
    unlisted.expect("a store").expect("it counts");
    let waiting = store.register(registration(&origins[4]), Policy::Approval, now());
    waiting.await.expect("a store").expect("it counts");
    publish(
        &store,
        &mut origins[1],
        &[Do::Put(1), Do::Put(2), Do::Comment(3)],
    )
    .await;

    let (mut after, mut rows) = (None, Vec::new());
    loop {
        let page = store.directory(after, 2, now()).await.expect("a store");
        assert!(page.members.len() <= 2);
        rows.extend(page.members);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let listed: Vec<_> = origins[..3].iter().map(Origin::id).collect();
    assert_eq!(ids, listed);
    assert_eq!(rows[1].card.get(), origins[1].card());
    assert_eq!((rows[0].feeds.len(), rows[1].feeds.len()), (0, 1));
    let feed = &rows[1].feeds[0];
    assert_eq!((&feed.head, feed.live), (&origins[1].held(), 3));
    let counts: Vec<_> = feed
        .kinds
        .iter()
        .map(|(kind, n)| (kind.as_str(), *n))
        .collect();
    assert_eq!(counts, [("comment", 1), ("request", 2)]);
}

async fn follow_lists<S: HubStore>(store: S) {
    let (north, south) = (Origin::new(1), Origin::new(2));
    register(&store, &north).await;
    let mut list = FollowList {
        counter: 4,
        all: true,
        ..FollowList::default()
    };
    list.remove(south.id());
    let hash = list.hash();
    assert_eq!(put_follows(&store, &north, list.clone()).await, Ok(hash));
    assert_eq!(put_follows(&store, &north, list.clone()).await, Ok(hash));
    let mut other = list.clone();
    other.add(south.id());
    for counter in [0, 3, 4] {
        let stale = FollowList {
            counter,
            ..other.clone()
        };
        assert_eq!(put_follows(&store, &north, stale).await, Err(4));
    }
    let heads = store.heads(north.id(), None, now()).await.expect("a store");
    assert_eq!((heads.follows.counter, heads.follows.hash), (4, hash));
    let newer = FollowList {
        counter: 5,
        ..other
    };
    let hash = newer.hash();
    assert_eq!(put_follows(&store, &north, newer).await, Ok(hash));
}

async fn arrivals<S: HubStore>(store: S) {
    let (mut north, mut south, west) = (Origin::new(1), Origin::new(2), Origin::new(3));
    with_members(&store, &[&north, &south, &west]).await;
    let zero = start(&store, &west).await;
    let before = cursor(&store, &west).await;
    publish(&store, &mut north, &[Do::Put(1)]).await;
    publish(&store, &mut south, &[Do::Put(1)]).await;
    publish(&store, &mut north, &[Do::Put(2), Do::Put(3)]).await;
    publish(&store, &mut north, &[Do::Retract(2)]).await;

    // The running hash goes over every arrival, from zeros on.
    let (n, s, w) = (north.id(), south.id(), west.id());
    let at = cursor(&store, &west).await;
    assert_eq!((before.n, at.n), (3, 7));
    let running = [n, s, w].iter().fold(Hash([0; 32]), |before, id| {
        Arrival::Identity.running(&before, id, &Hash(id.0))
    });
    assert!(
        before.agrees(&running),
        "the id is the hash of the first entry"
    );

    let all = changes(&store, &west, zero).await;
    assert_eq!(all.cursor, at);
    let mut memory = Memory::default();
    let verified = verify(&mut memory, &all.lines);
    assert!(
        verified.iter().all(|outcome| *outcome == "append"),
        "{verified:?}"
    );
    assert!(all.told.iter().any(|told| told.starts_with("identity")));
    assert!(
        !all.told.iter().any(|told| told.contains(&w.short())),
        "its own"
    );
    // What was taken back comes as its entry alone.
    let text: Vec<_> = all
        .lines
        .iter()
        .map(|line| String::from_utf8_lossy(line))
        .collect();
    assert!(!text.iter().any(|line| line.contains("record 2 of")));
    assert!(text.iter().any(|line| line.contains("record 3 of")));

    // From where it stands there is nothing, and whom one does not follow moves the cursor all the same.
    let (section, rest) = page(&store, &west, at).await.expect("a good cursor");
    assert_eq!((section.cursor, section.more, rest.len()), (at, false, 0));
    let own = page(&store, &north, at).await.expect("a good cursor").0.own;
    assert_eq!(own, [north.held()]);
    let mut list = FollowList {
        counter: 2,
        ..FollowList::default()
    };
    list.add(s);
    put_follows(&store, &west, list)
        .await
        .expect("a newer list");
    let followed = changes(&store, &west, before).await;
    let expected = [
        format!("identity {} 1", s.short()),
        format!("deltas {} 1", s.short()),
    ];
    assert_eq!((followed.told, followed.cursor), (expected.to_vec(), at));
    let heads = store.heads(w, None, now()).await.expect("a store");
    let heads: Vec<_> = heads.feeds.into_iter().map(|feed| feed.head).collect();
    assert_eq!(heads, [south.held()]);
}

async fn cursors_of_elsewhere<S: HubStore>(store: S, other: S) {
    let (mut north, west) = (Origin::new(1), Origin::new(2));
    for store in [&store, &other] {
        with_members(store, &[&north, &west]).await;
    }
    publish(&store, &mut north, &[Do::Put(1)]).await;
    let good = cursor(&store, &west).await;
    let elsewhere = cursor(&other, &west).await;
    assert_ne!(good.log, elsewhere.log);
    let beyond = Cursor {
        n: good.n + 1,
        ..good
    };
    let of_another_history = Cursor {
        running: [7; 8],
        ..good
    };
    let unknown_log = Cursor {
        log: LogId([99; 16]),
        ..good
    };
    for wrong in [elsewhere, beyond, of_another_history, unknown_log] {
        let refused = page(&store, &west, wrong).await.err();
        assert_eq!(refused, Some(PageRefused::CursorUnknown), "{wrong}");
    }
    assert!(page(&store, &west, good).await.is_ok());
}

async fn pushes_that_count_for_nothing<S: HubStore>(store: S) {
    let (mut north, mut south) = (Origin::new(1), Origin::new(2));
    with_members(&store, &[&north, &south]).await;
    let arrived = cursor(&store, &south).await;
    let (ours, theirs) = (north.seal(&[Do::Put(1)]), south.seal(&[Do::Put(1)]));
    let both = [body(&north, &[&ours]), body(&south, &[&theirs])].concat();
    let mut cut = body(&north, &[&ours]);
    cut.truncate(cut.len() - 9);
    for (what, body) in [
        ("of another at its end", both),
        ("cut off", cut),
        ("no section at all", b"{\"hello\":1}\n".to_vec()),
    ] {
        let refused = store.push(north.id(), body, now()).await.expect("a store");
        match (what, refused.expect_err(what)) {
            ("of another at its end", PushRefused::NotYours(id)) => assert_eq!(id, south.id()),
            ("cut off" | "no section at all", PushRefused::Body(_)) => {}
            (what, refused) => panic!("{what}: {refused:?}"),
        }
        assert_eq!(cursor(&store, &south).await, arrived, "{what}");
    }
    // A delta whose line was changed costs its feed, by name.
    let mut changed = ours.clone();
    let text = String::from_utf8(changed.items[0].clone()).expect("a line of text");
    changed.items[0] = text.replace("record 1", "record 2").into_bytes();
    let pushed = push(&store, &north, &[&changed]).await.expect("an answer");
    assert_eq!(outcomes(&pushed), ["refused"]);
    assert!(pushed.feeds[0].rule.is_some() && pushed.own.is_empty());
    assert_eq!(cursor(&store, &south).await, arrived);
    let pushed = push(&store, &north, &[&ours]).await.expect("it counts");
    assert_eq!(outcomes(&pushed), ["append"]);
}

async fn pushes_again_and_late<S: HubStore>(store: S) {
    let (mut north, west) = (Origin::new(1), Origin::new(2));
    with_members(&store, &[&north, &west]).await;
    let zero = start(&store, &west).await;
    let deltas: Vec<Sealed> = (1..=4).map(|n| north.seal(&[Do::Put(n)])).collect();
    let first = push(&store, &north, &[&deltas[0]])
        .await
        .expect("it counts");
    assert_eq!(outcomes(&first), ["append"]);
    let n = cursor(&store, &west).await.n;
    // One that comes too early waits, and goes on when what it waits for has come.
    let early = push(&store, &north, &[&deltas[2]])
        .await
        .expect("an answer");
    assert_eq!(outcomes(&early), ["early"]);
    assert_eq!((early.own, cursor(&store, &west).await.n), (first.own, n));
    let filled = push(&store, &north, &[&deltas[1]])
        .await
        .expect("it counts");
    assert_eq!(filled.own[0].seq, 2);
    assert_eq!(cursor(&store, &west).await.n, n + 2);
    for again in [&deltas[0..1], &deltas[1..3], &deltas[0..3]] {
        let again: Vec<&Sealed> = again.iter().collect();
        let pushed = push(&store, &north, &again).await.expect("it counts");
        assert_eq!(outcomes(&pushed), ["duplicate"]);
        assert_eq!(cursor(&store, &west).await.n, n + 2, "nothing arrived");
    }
    let all: Vec<&Sealed> = deltas.iter().collect();
    let pushed = push(&store, &north, &all).await.expect("it counts");
    assert_eq!(pushed.own, [north.held()]);
    assert_eq!(cursor(&store, &west).await.n, n + 3);
    let mut memory = Memory::default();
    let told = changes(&store, &west, zero).await;
    let verified = verify(&mut memory, &told.lines);
    assert!(
        verified.iter().all(|outcome| *outcome == "append"),
        "{verified:?}"
    );
}

/// Where the hub holds what deltas do not lead on from, its origin pushes all of the feed.
async fn pushes_by_snapshot<S: HubStore>(store: S) {
    let (mut north, west) = (Origin::new(1), Origin::new(2));
    with_members(&store, &[&north, &west]).await;
    let since = cursor(&store, &west).await;
    let ours = north.seal(&[Do::Put(1)]);
    let totals = wb_core::feed::Totals {
        origin: north.id(),
        scope: FeedScope::Public,
        headers: 1,
        live: 1,
        retracted: 0,
    };
    let mut snapshot = SnapshotWriter::totals(&totals);
    snapshot.push(b'\n');
    snapshot.extend([&ours.header[..], b"\n"].concat());
    let hash = ours.read().body_hash;
    snapshot.extend([&SnapshotWriter::chain(&[hash])[..], b"\n"].concat());
    snapshot.extend([&ours.items[0][..], b"\n"].concat());
    let again = snapshot.clone();
    let pushed = store.push(north.id(), snapshot, now()).await;
    let pushed = pushed.expect("a store").expect("it counts");
    assert_eq!(outcomes(&pushed), ["take"]);
    assert_eq!(pushed.own, [north.held()]);
    let n = north.id().short();
    let told = changes(&store, &west, since).await;
    assert_eq!(told.told.last(), Some(&format!("again {n} 0")));
    let pushed = store.push(north.id(), again, now()).await;
    let pushed = pushed.expect("a store").expect("it counts");
    assert_eq!(outcomes(&pushed), ["duplicate"]);
    assert_eq!(cursor(&store, &west).await, told.cursor, "nothing arrived");
    // It goes on by deltas.
    publish(&store, &mut north, &[Do::Put(2)]).await;
}

async fn pages_of_changes<S: HubStore>(store: S) {
    let (mut north, west) = (Origin::new(1), Origin::new(2));
    with_members(&store, &[&north, &west]).await;
    let since = start(&store, &west).await;
    for n in 1..=12 {
        publish(&store, &mut north, &[Do::Put(n)]).await;
    }
    let all = changes(&store, &west, since).await;
    assert!(all.pages > 3, "{} pages of {PAGE_BYTES} bytes", all.pages);
    assert_eq!(all.cursor, cursor(&store, &west).await);
    let mut memory = Memory::default();
    let verified = verify(&mut memory, &all.lines);
    assert!(
        verified.iter().all(|outcome| *outcome == "append"),
        "{verified:?}"
    );
    assert_eq!(memory.kinds().values().sum::<u64>(), 12);
}

/// A page of a snapshot: its first line, and the rest.
pub async fn snapshot<S: HubStore>(
    store: &S,
    ask: SnapshotAsk,
) -> Result<(PageSection, Vec<Vec<u8>>), PageRefused> {
    let body = store.snapshot(ask, now()).await.expect("a store")?;
    let mut lines = split(&body);
    let section = PageSection::read(&lines.remove(0)).expect("a first line");
    Ok((section, lines))
}

pub fn first_page(origin: &Origin) -> SnapshotAsk {
    SnapshotAsk {
        origin: origin.id(),
        scope: FeedScope::Public,
        head: None,
        after: None,
        kinds: None,
    }
}

async fn snapshots_while_the_feed_moves_on<S: HubStore>(store: S) {
    let (mut north, west) = (Origin::new(1), Origin::new(2));
    with_members(&store, &[&north, &west]).await;
    let all: Vec<Do> = (1..=20).map(Do::Put).collect();
    publish(&store, &mut north, &all).await;
    publish(&store, &mut north, &[Do::Retract(20), Do::Comment(30)]).await;
    let (head, since) = (north.held().hash, cursor(&store, &west).await);

    let (mut ask, mut lines, mut pages) = (first_page(&north), Vec::new(), 0);
    loop {
        let (section, page) = snapshot(&store, ask.clone()).await.expect("a page");
        assert_eq!(section.head, head, "the head of the first page");
        lines.extend(page);
        pages += 1;
        // Of what was paged and of what was not, and something new.
        let (early, late) = (pages % 8 + 1, 19 - pages % 8);
        publish(
            &store,
            &mut north,
            &[Do::Put(early), Do::Put(late), Do::Put(100 + pages)],
        )
        .await;
        publish(&store, &mut north, &[Do::Retract(100 + pages)]).await;
        let Some(next) = section.next else { break };
        assert_ne!(ask.after.as_ref(), Some(&next));
        (ask.head, ask.after) = (Some(head), Some(next));
    }
    assert!(pages > 3, "{pages} pages of {PAGE_BYTES} bytes");
    let mut memory = Memory::default();
    assert_eq!(verify(&mut memory, &lines), ["take"]);
    // What came meanwhile leads on from there to where the feed stands.
    let meanwhile = changes(&store, &west, since).await;
    let verified = verify(&mut memory, &meanwhile.lines);
    assert!(
        verified.iter().all(|outcome| *outcome == "append"),
        "{verified:?}"
    );

    // Only some kinds with their lines: the digest is over all of them.
    let comment: Kind = "comment".parse().expect("a kind");
    let (mut ask, mut lines) = (first_page(&north), Vec::new());
    ask.kinds = Some(BTreeSet::from([comment]));
    loop {
        let (section, page) = snapshot(&store, ask.clone()).await.expect("a page");
        lines.extend(page);
        let Some(next) = section.next else { break };
        (ask.head, ask.after) = (Some(section.head), Some(next));
    }
    let records = lines.iter().filter_map(|line| Line::read(line).ok());
    assert_eq!(
        records
            .map(|line| line.kind.to_string())
            .collect::<Vec<_>>(),
        ["comment"]
    );
    assert_eq!(verify(&mut Memory::default(), &lines), ["take"]);

    let mut gone = first_page(&north);
    (gone.head, gone.after) = (Some(Hash([7; 32])), Some("chain:0".to_owned()));
    assert_eq!(
        snapshot(&store, gone.clone()).await.err(),
        Some(PageRefused::HeadGone)
    );
    (gone.head, gone.after) = (Some(head), Some("somewhere".to_owned()));
    assert_eq!(
        snapshot(&store, gone).await.err(),
        Some(PageRefused::BadToken)
    );
    let nothing = snapshot(&store, first_page(&west)).await.err();
    assert_eq!(
        nothing,
        Some(PageRefused::NotFound),
        "nothing was published"
    );
    let nobody = snapshot(&store, first_page(&Origin::new(9))).await.err();
    assert_eq!(nobody, Some(PageRefused::NotFound));
}

async fn lines<S: HubStore>(store: S) {
    let mut north = Origin::new(1);
    with_members(&store, &[&north]).await;
    let requests: Vec<Do> = (1..=12).map(Do::Put).collect();
    publish(&store, &mut north, &requests).await;
    publish(&store, &mut north, &[Do::Comment(20), Do::Retract(5)]).await;
    let request: Kind = "request".parse().expect("a kind");
    let mut ask = LinesPage {
        origin: north.id(),
        scope: FeedScope::Public,
        after: None,
        kinds: Some(BTreeSet::from([request])),
        newest: None,
        only: None,
    };
    let (mut ids, mut pages) = (Vec::new(), 0);
    loop {
        let body = store.lines(ask.clone(), now()).await.expect("a store");
        let mut lines = split(&body.expect("a page"));
        let section = lines.pop().expect("a last line");
        let section = PageSection::read(&section).expect("a page line last");
        assert_eq!(section.head, north.held().hash);
        ids.extend(
            lines
                .iter()
                .map(|line| Line::read(line).expect("a line").id),
        );
        pages += 1;
        let Some(next) = section.next else { break };
        ask.after = Some(next.parse().expect("an id"));
    }
    let live = (1..=12).filter(|n| *n != 5).map(|n| north.record(n));
    let mut live: Vec<_> = live.collect();
    live.sort_unstable();
    assert_eq!(ids, live);
    assert!(pages > 1);
    (ask.after, ask.newest) = (None, Some(2));
    let body = store.lines(ask.clone(), now()).await.expect("a store");
    let newest = split(&body.expect("a page"));
    let newest = newest.iter().filter_map(|line| Line::read(line).ok());
    let newest: Vec<_> = newest.map(|line| line.id).collect();
    assert_eq!(newest, [live[10], live[9]]);
    ask.origin = Origin::new(9).id();
    let nobody = store.lines(ask, now()).await.expect("a store");
    assert_eq!(nobody.err(), Some(PageRefused::NotFound));
}

async fn forgetting<S: HubStore>(store: S) {
    let (mut north, west) = (Origin::new(1), Origin::new(2));
    with_members(&store, &[&north, &west]).await;
    let old = start(&store, &west).await;
    publish(&store, &mut north, &[Do::Put(1), Do::Put(2)]).await;
    publish(&store, &mut north, &[Do::Put(1), Do::Retract(2)]).await;
    let kept = cursor(&store, &west).await;
    assert_eq!(
        store.forget_before(now()).await.expect("a store"),
        0,
        "nothing is older"
    );
    assert!(page(&store, &west, old).await.is_ok());
    assert_eq!(
        store.forget_before(later(1)).await.expect("a store"),
        kept.n
    );
    assert_eq!(
        store.forget_before(later(1)).await.expect("a store"),
        0,
        "nothing twice"
    );
    let refused = page(&store, &west, old).await.err();
    assert_eq!(refused, Some(PageRefused::CursorTooOld));
    // Who stood at the end goes on, and numbers go on where they were.
    publish(&store, &mut north, &[Do::Put(3)]).await;
    let all = changes(&store, &west, kept).await;
    assert_eq!((all.told.len(), all.cursor.n), (1, kept.n + 1));
    // Who did not takes a snapshot of what is live.
    let (mut ask, mut lines) = (first_page(&north), Vec::new());
    loop {
        let (section, page) = snapshot(&store, ask.clone()).await.expect("a page");
        lines.extend(page);
        let Some(next) = section.next else { break };
        (ask.head, ask.after) = (Some(section.head), Some(next));
    }
    let mut memory = Memory::default();
    assert_eq!(verify(&mut memory, &lines), ["take"]);
    assert_eq!(memory.kinds().values().sum::<u64>(), 2);
    let again = north.seal(&[Do::Put(4)]);
    let pushed = push(&store, &north, &[&again]).await.expect("it counts");
    assert_eq!(
        outcomes(&pushed),
        ["append"],
        "its origin goes on by deltas"
    );
}

/// Letters wait for their one recipient, so many of a pair and no more, until it has them or they are over.
async fn letters<S: HubStore>(store: S) {
    let (north, west, east) = (Origin::new(1), Origin::new(2), Origin::new(3));
    for member in [&north, &west] {
        register(&store, member).await;
    }
    let letter = |from: &Origin, to: &Origin, words: &str| KeepingLetter {
        mail: Mail::new(&from.identity, to.id(), later(60), words.as_bytes()),
        line: format!("of {words}").into_bytes(),
        body: words.as_bytes().to_vec(),
    };
    let keep = async |letter: KeepingLetter| store.keep_letter(letter).await.expect("a store");
    let waiting = async |who: &Origin, when: Timestamp| {
        let page = store.mail(who.id(), 0, when).await.expect("a store");
        page.envelopes.len()
    };
    assert_eq!(keep(letter(&north, &east, "nobody")).await, Ok(false));
    for n in 0..LETTERS_PER_PAIR_MAX {
        assert_eq!(keep(letter(&north, &west, &n.to_string())).await, Ok(true));
    }
    let more = keep(letter(&north, &west, "one more")).await;
    assert_eq!(more, Err(LetterRefused::Pair));
    // One that waits already is no further one, and the other way there is room.
    assert_eq!(keep(letter(&north, &west, "0")).await, Ok(true));
    assert_eq!(keep(letter(&west, &north, "back")).await, Ok(true));
    let all = usize::try_from(LETTERS_PER_PAIR_MAX).expect("few");
    assert_eq!(waiting(&west, now()).await, all);
    assert_eq!(
        (waiting(&north, now()).await, waiting(&east, now()).await),
        (1, 0)
    );
    assert_eq!(waiting(&west, later(61)).await, 0, "they are over");

    // Nobody takes what is for somebody else.
    let page = store.mail(west.id(), 0, now()).await.expect("a store");
    let hash = wb_core::hash::sha256(&page.envelopes[0].body.0);
    for (who, left) in [(&north, all), (&west, all - 1)] {
        let taken = store.mail_taken(who.id(), vec![hash]).await;
        taken.expect("a store");
        assert_eq!(waiting(&west, now()).await, left);
    }
    assert_eq!(keep(letter(&north, &west, "one more")).await, Ok(true));

    let suspend = Decision::Suspend {
        reason: "a flood".to_owned(),
        until: None,
    };
    decide(&store, &north, suspend).await;
    assert_eq!(waiting(&west, now()).await, 0);
    decide(&store, &north, Decision::Reinstate).await;
    assert_eq!(waiting(&west, now()).await, all);
}

async fn suspended_and_back<S: HubStore>(store: S) {
    let (mut north, west) = (Origin::new(1), Origin::new(2));
    with_members(&store, &[&north, &west]).await;
    publish(&store, &mut north, &[Do::Put(1)]).await;
    let before = cursor(&store, &west).await;
    let suspend = Decision::Suspend {
        reason: "noise".to_owned(),
        until: None,
    };
    decide(&store, &north, suspend).await;
    let heads = store.heads(west.id(), None, now()).await.expect("a store");
    assert_eq!(heads.feeds, []);
    let zero = start(&store, &west).await;
    assert_eq!(
        changes(&store, &west, zero).await.told,
        Vec::<String>::new()
    );
    let refused = snapshot(&store, first_page(&north)).await.err();
    assert_eq!(refused, Some(PageRefused::NotFound));
    let listed = store.directory(None, 9, now()).await.expect("a store");
    assert!(listed.members.iter().all(|row| row.id != north.id()));

    decide(&store, &north, Decision::Reinstate).await;
    let n = north.id().short();
    let again = changes(&store, &west, before).await;
    assert_eq!(
        again.told,
        [format!("identity {n} 1"), format!("again {n} 0")]
    );
    assert!(snapshot(&store, first_page(&north)).await.is_ok());
    // Once is enough.
    let at = cursor(&store, &west).await;
    decide(&store, &north, Decision::Reinstate).await;
    assert_eq!(cursor(&store, &west).await, at);
}

async fn members_for_the_operator<S: HubStore>(store: S) {
    let mut origins: Vec<Origin> = (1..=4).map(Origin::new).collect();
    origins.sort_by_key(Origin::id);
    with_members(&store, &origins.iter().take(3).collect::<Vec<_>>()).await;
    let waiting = store.register(registration(&origins[3]), Policy::Approval, now());
    waiting.await.expect("a store").expect("it counts");
    let ids = |rows: Vec<MemberRow>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let of = |standing, after, limit| store.members(standing, after, limit, now());
    let all: Vec<_> = origins.iter().map(Origin::id).collect();
    assert_eq!(ids(of(None, None, 9).await.expect("a store")), all);
    let page = of(None, Some(all[0]), 2).await.expect("a store");
    assert_eq!(ids(page), all[1..3]);
    let page = of(Some(Standing::Waiting), None, 9).await.expect("a store");
    assert_eq!(ids(page), all[3..]);

    // Asking for changes is one's word to have what came before.
    let since = cursor(&store, &origins[1]).await;
    page_of(&store, &origins[1], since).await;
    publish(&store, &mut origins[0], &[Do::Put(1)]).await;
    let row = store.member(all[1], now()).await.expect("a store");
    let row = row.expect("a member");
    assert_eq!((row.seen_n, row.pending, row.followers), (since.n, 1, 2));
    assert_eq!(row.seen_at, Some(now()));
    let at = cursor(&store, &origins[1]).await;
    page_of(&store, &origins[1], at).await;
    let row = store.member(all[1], now()).await.expect("a store");
    assert_eq!(row.expect("a member").pending, 0);
    let nobody = store.member(Origin::new(9).id(), now()).await;
    assert!(nobody.expect("a store").is_none());
}

async fn page_of<S: HubStore>(store: &S, member: &Origin, since: Cursor) {
    page(store, member, since).await.expect("a good cursor");
}

/// Members that push at once, while somebody reads: numbers without a gap, and every page a whole one.
async fn everything_at_once<S: HubStore>(store: S) {
    const EACH: u64 = 12;
    let west = Origin::new(9);
    let mut origins: Vec<Origin> = (1..=4).map(Origin::new).collect();
    with_members(&store, &[&west]).await;
    with_members(&store, &origins.iter().collect::<Vec<_>>()).await;
    let since = start(&store, &west).await;
    let arrived = cursor(&store, &west).await.n;
    let mut running = tokio::task::JoinSet::new();
    for origin in &mut origins {
        let (store, id) = (store.clone(), origin.id());
        let deltas: Vec<Sealed> = (1..=EACH).map(|n| origin.seal(&[Do::Put(n)])).collect();
        let bodies: Vec<Vec<u8>> = deltas.iter().map(|delta| body(origin, &[delta])).collect();
        running.spawn(async move {
            for body in bodies {
                let pushed = store.push(id, body, now()).await.expect("a store");
                assert_eq!(outcomes(&pushed.expect("it counts")), ["append"]);
            }
        });
    }
    let (mut memory, mut at) = (Memory::default(), since);
    let mut take = |all: &All| {
        let verified = verify(&mut memory, &all.lines);
        assert!(
            verified.iter().all(|outcome| *outcome == "append"),
            "{verified:?}"
        );
    };
    while !running.is_empty() {
        if let Some(ended) = running.try_join_next() {
            ended.expect("every push counts");
        }
        let all = changes(&store, &west, at).await;
        take(&all);
        at = all.cursor;
    }
    let rest = changes(&store, &west, at).await;
    take(&rest);
    assert_eq!(rest.cursor.n, arrived + 4 * EACH);
    assert_eq!(memory.kinds().values().sum::<u64>(), 4 * EACH);
}

/// Vouches are given one by one as the feeds say now, in pages, each with what signs it.
async fn vouches_one_by_one<S: HubStore>(store: S) {
    let mut origins: Vec<Origin> = (1..=3).map(Origin::new).collect();
    origins.sort_by_key(Origin::id);
    with_members(&store, &origins.iter().collect::<Vec<_>>()).await;
    let (stranger, other) = (Origin::new(8).id(), Origin::new(9).id());
    for origin in &mut origins {
        let vouch = |subject: InstanceId| {
            format!(
                "{{\"issuer\":\"{}\",\"subject\":\"{subject}\",\"level\":\"trusted\",\"basis\":\"We met\",\
                 \"issued_at\":\"2026-11-01T10:00:00.000Z\",\"expires_at\":\"2027-11-01T10:00:00.000Z\"}}",
                origin.id()
            )
        };
        let bodies = [(1, "vouch", vouch(other)), (2, "vouch", vouch(stranger))];
        let delta = origin.seal_bodies(&bodies);
        let pushed = push(&store, origin, &[&delta]).await.expect("it counts");
        assert_eq!(outcomes(&pushed), ["append"]);
    }
    let all = async |issuer: Option<InstanceId>, subject: Option<InstanceId>, at: Timestamp| {
        let mut ask = VouchesAsk {
            issuer,
            subject,
            after: None,
        };
        let mut said = Vec::new();
        loop {
            let page = store.vouches(ask, at).await.expect("a store");
            assert_eq!(page.unproved, 0);
            for vouch in &page.vouches {
                let verified = vouch.verify().expect("its issuer signed it");
                said.push((verified.vouch.issuer, verified.vouch.subject));
            }
            assert!(page.vouches.len() <= 1, "a page ends after so many bytes");
            ask.after = page.next;
            if page.next.is_none() {
                return said;
            }
        }
    };
    let ids: Vec<InstanceId> = origins.iter().map(Origin::id).collect();
    let for_stranger: Vec<_> = ids.iter().map(|id| (*id, stranger)).collect();
    assert_eq!(all(None, Some(stranger), now()).await, for_stranger);
    assert_eq!(all(Some(ids[0]), None, now()).await.len(), 2);
    assert_eq!(
        all(Some(ids[0]), Some(other), now()).await,
        [(ids[0], other)]
    );
    assert_eq!(all(Some(stranger), None, now()).await, []);

    // What is taken back is given to nobody, nor is anything of whom the hub suspended.
    publish(&store, &mut origins[0], &[Do::Retract(2)]).await;
    assert_eq!(all(None, Some(stranger), now()).await, for_stranger[1..]);
    let suspend = Decision::Suspend {
        reason: "a test".to_owned(),
        until: None,
    };
    decide(&store, &origins[1], suspend).await;
    assert_eq!(all(None, Some(stranger), now()).await, for_stranger[2..]);
}
