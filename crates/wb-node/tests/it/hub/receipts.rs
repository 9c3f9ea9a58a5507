//! Taking back, with receipts: who has it, who erased it, and that the text is gone from every file.

use std::path::{Path, PathBuf};

use wb_core::entry::Reason;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::limits::NUMBER_MAX;
use wb_core::receipt::{Receipt, Stand};
use wb_core::scope::{FeedScope, Scope};
use wb_core::sync::Policy;
use wb_hub::HubStore as _;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, bundle_import};
use wb_node::command::publish::publish_retracts;
use wb_node::command::record_retract::record_retract;
use wb_node::command::sync::{SyncInput, erase_kept};
use wb_node::query::who::{HolderView, MoveView, who};
use wb_node::{Node, entropy};

use super::hostile_answers::HubKey;
use super::keys::{Owner, rotate};
use super::stand_in::StandIn;
use super::world::{BOTH_WAYS, HubUp, Member, key, titles};

/// What stands in the record that is taken back, and nowhere else.
const CANARY: &str = "quince-8841-marmalade";

/// The move that counts for a record in the public feed of its home.
fn last_move(member: &Member, record: &RecordRef) -> MoveView {
    let moves = who(&member.node, record).expect("an own record").moves;
    let mut public = moves
        .into_iter()
        .filter(|last| last.scope == FeedScope::Public);
    public.next().expect("it left once")
}

/// Everybody known to carry it, as `name: state`.
fn holders(member: &Member, record: &RecordRef) -> Vec<String> {
    let holders = last_move(member, record).holders.into_iter();
    let text = |holder: HolderView| format!("{}: {}", holder.name, holder.state.as_str());
    holders.map(text).collect()
}

fn retract(member: &mut Member, record: &RecordRef, reason: Reason) {
    let actor = member.actor();
    record_retract(&member.node, &actor, record, reason).expect("its own");
    let sealed = publish_retracts(&mut member.node, &actor).expect("it seals");
    assert_eq!((sealed.puts, sealed.retracts), (0, 1));
}

/// Every file below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Files below a folder in which the text stands, by nothing but their bytes.
fn with_text(dir: &Path) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(path).expect("a file");
        bytes
            .windows(CANARY.len())
            .any(|part| part == CANARY.as_bytes())
    };
    files(dir).into_iter().filter(holds).collect()
}

fn nowhere(members: &[&Member]) {
    for member in members {
        let found = with_text(member.home().dir());
        assert!(
            found.is_empty(),
            "{} has it in {found:?}",
            member.node.name()
        );
    }
}

/// North at a hub, followed by South and East, with one request that everybody has.
fn street() -> (HubUp, Member, Member, Member, RecordRef) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    let (mut south, mut east) = (Member::found("South"), Member::found("East"));
    for member in [&mut north, &mut south, &mut east] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    east.follow_all(&hub, &[north.id()]);
    north.ask("A saw", Scope::Public);
    let record = north.ask(CANARY, Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    for follower in [&mut south, &mut east] {
        assert_eq!(follower.sync(&hub).end, None);
        assert!(titles(follower).contains(&CANARY.to_owned()));
    }
    assert_eq!(north.sync(&hub).end, None);
    (hub, north, south, east, record)
}

#[test]
fn a_follower_that_was_away_is_named_returns_erases_and_the_receipts_become_complete() {
    let (hub, mut north, mut south, mut east, record) = street();
    assert_eq!(
        holders(&north, &record),
        ["Harbour: holds", "East: holds", "South: holds"]
    );
    assert!(
        !with_text(south.home().dir()).is_empty(),
        "the search finds what is there"
    );

    retract(&mut north, &record, Reason::Erase);
    assert_eq!(
        holders(&north, &record),
        ["Harbour: pending", "East: pending", "South: pending"]
    );
    // East is away.
    north.sync(&hub);
    south.sync(&hub);
    north.sync(&hub);
    assert_eq!(
        holders(&north, &record),
        ["Harbour: erased", "East: pending", "South: erased"]
    );
    let last = last_move(&north, &record);
    assert!(!last.is_complete());
    assert!(
        last.summary().starts_with("2 of 3 say that they erased it"),
        "{}",
        last.summary()
    );
    nowhere(&[&north, &south]);
    assert!(
        !hub.bytes()
            .windows(CANARY.len())
            .any(|part| part == CANARY.as_bytes())
    );
    assert!(!with_text(east.home().dir()).is_empty());

    east.sync(&hub);
    north.sync(&hub);
    assert_eq!(
        holders(&north, &record),
        ["Harbour: erased", "East: erased", "South: erased"]
    );
    assert!(last_move(&north, &record).is_complete());
    nowhere(&[&north, &south, &east]);
    for member in [&north, &south, &east] {
        assert_eq!(titles(member), ["A saw"]);
    }
    // Nothing is said twice, and nothing is asked for that did not change.
    for member in [&mut east, &mut south, &mut north] {
        member.sync(&hub);
        assert_eq!(member.sync(&hub).round_trips, 1);
    }
}

#[test]
fn scope_and_mistake_keep_the_text_at_home_and_nowhere_else() {
    for reason in [Reason::Scope, Reason::Mistake] {
        let (hub, mut north, mut south, mut east, record) = street();
        retract(&mut north, &record, reason);
        for member in [&mut north, &mut south, &mut east] {
            member.sync(&hub);
        }
        north.sync(&hub);
        nowhere(&[&south, &east]);
        assert!(titles(&north).contains(&CANARY.to_owned()));
        let told = north
            .node
            .store()
            .last_retract(&record.id)
            .expect("a store");
        assert_eq!(told.expect("it was taken back").reason, Some(reason));
        assert!(last_move(&north, &record).is_complete());
    }
}

#[test]
fn an_old_bundle_and_an_old_hub_do_not_bring_it_back() {
    let (mut hub, mut north, mut south, mut east, record) = street();
    let dir = tempfile::tempdir().expect("a folder");
    let old = dir.path().join("old.wbb");
    let input = BundleExport {
        file: &old,
        want: None,
        zstd_level: None,
    };
    let actor = north.actor();
    bundle_export(&mut north.node, &actor, &input, &mut |_, _| {}).expect("a bundle");
    let hub_before = hub.copy();
    retract(&mut north, &record, Reason::Erase);
    for member in [&mut north, &mut south, &mut east] {
        member.sync(&hub);
    }
    north.sync(&hub);
    nowhere(&[&north, &south, &east]);

    // The bundle that was made before.
    for follower in [&mut south, &mut east] {
        let actor = follower.actor();
        let input = BundleImport {
            dry_run: false,
            accept: true,
            partial: false,
            lists: true,
        };
        bundle_import(&mut follower.node, &actor, &old, input, &mut |_| {}).expect("it is read");
        assert_eq!(titles(follower), ["A saw"]);
    }
    nowhere(&[&south, &east]);

    // The hub as it was before.
    hub.restore(&hub_before);
    south.sync(&hub);
    east.sync(&hub);
    nowhere(&[&south, &east]);
    // A newcomer may get it there, until its origin comes.
    north.sync(&hub);
    assert!(
        !hub.bytes()
            .windows(CANARY.len())
            .any(|part| part == CANARY.as_bytes())
    );
    for member in [&mut south, &mut east, &mut north] {
        member.sync(&hub);
    }
    assert!(
        last_move(&north, &record).is_complete(),
        "{:?}",
        holders(&north, &record)
    );
    nowhere(&[&north, &south, &east]);
}

#[test]
fn a_follower_restored_from_an_older_copy_erases_again_and_counts_above_what_it_said_before() {
    let (hub, mut north, mut south, mut east, record) = street();
    let before = south.copy();
    retract(&mut north, &record, Reason::Erase);
    for member in [&mut north, &mut south, &mut east] {
        member.sync(&hub);
    }
    north.sync(&hub);
    assert!(last_move(&north, &record).is_complete());
    // Its databases alone are older: it says the count that it counted before, and goes above what is held.
    south.reopen_with(|home| {
        for name in ["wb.db", "wb.db-wal", "wb.db-shm"] {
            let _ = std::fs::remove_file(home.join(name));
            if before.path().join(name).exists() {
                std::fs::copy(before.path().join(name), home.join(name)).expect("a copy");
            }
        }
    });
    assert!(!with_text(south.home().dir()).is_empty());
    south.sync(&hub);
    nowhere(&[&south]);
    north.sync(&hub);
    assert!(
        last_move(&north, &record).is_complete(),
        "{:?}",
        holders(&north, &record)
    );
    let again = south.sync(&hub);
    assert_eq!(
        (again.end, again.round_trips),
        (None, 1),
        "it was said, and is not said again"
    );
}

#[test]
fn a_receipt_that_its_follower_did_not_sign_with_its_newest_key_counts_for_nothing() {
    let (hub, mut north, mut south, mut east, record) = street();
    retract(&mut north, &record, Reason::Erase);
    north.sync(&hub);
    let head = north.head(north.id()).expect("its feed");
    let stand = Stand {
        erased_to: Some(head.seq),
        live: wb_core::id::Hash([0; 32]),
        stubs: Vec::new(),
        head,
    };
    // A hub that makes one up: the log is South's, the key is East's.
    let made_up = Receipt::new(south.node.identity(), &stand, 1_000, entropy::now());
    let line = made_up.sign(&key(&east.node).1);
    let put = hub
        .store()
        .put_receipts(vec![(made_up, line)], entropy::now());
    north.block_on(put).expect("a store");
    north.sync(&hub);
    assert!(holders(&north, &record).contains(&"South: pending".to_owned()));
    // South comes, and its word counts under what the hub took for a later one.
    south.sync(&hub);
    north.sync(&hub);
    assert!(holders(&north, &record).contains(&"South: erased".to_owned()));

    // A key that was followed by another says nothing any more.
    north.follow_all(&hub, &[east.id()]);
    east.sync(&hub);
    north.sync(&hub);
    assert!(holders(&north, &record).contains(&"East: erased".to_owned()));
    rotate(&mut east).expect("it has another key");
    let input = SyncInput {
        pull: false,
        ..BOTH_WAYS
    };
    assert_eq!(east.sync_as(&hub, input).end, None);
    north.sync(&hub);
    assert!(
        holders(&north, &record).contains(&"East: pending".to_owned()),
        "{:?}",
        holders(&north, &record)
    );
    east.sync(&hub);
    north.sync(&hub);
    assert!(holders(&north, &record).contains(&"East: erased".to_owned()));
}

#[test]
fn who_takes_no_text_of_a_kind_is_told_as_taking_stubs_and_who_gave_no_receipt_is_counted() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    let (mut south, mut east) = (Member::found("South"), Member::found("East"));
    for member in [&mut north, &mut south, &mut east] {
        member.register(&hub);
    }
    let kinds = ["user".parse().expect("a kind")];
    let opened = Node::open(&south.home()).expect("it opens");
    south.node = opened.asking_for(Some(kinds.into()));
    south.follow_all(&hub, &[north.id()]);
    east.follow_all(&hub, &[north.id()]);
    let record = north.ask(CANARY, Scope::Public);
    north.sync(&hub);
    south.sync(&hub);
    // East follows, and never came.
    let list = east.peer(&hub).follows;
    east.with_client(&hub, async |client, _| client.put_follows(&list).await)
        .expect("a hub");
    north.sync(&hub);
    assert_eq!(holders(&north, &record), ["Harbour: holds", "South: stubs"]);
    let last = last_move(&north, &record);
    assert_eq!(last.nameless, [("Harbour".to_owned(), 1)]);
    nowhere(&[&south]);
}

/// More than fifty, and more than a fifth.
const MANY: usize = 51;

/// Takes everything of a member back that says the canary.
fn retract_all(member: &mut Member, records: &[RecordRef]) {
    let actor = member.actor();
    for record in records {
        record_retract(&member.node, &actor, record, Reason::Erase).expect("its own");
    }
    publish_retracts(&mut member.node, &actor).expect("it seals");
}

fn ask_many(member: &mut Member) -> Vec<RecordRef> {
    let ask = |n| member.ask(&format!("{CANARY} {n}"), Scope::Public);
    (0..MANY).map(ask).collect()
}

/// Lets the time be over for which lines are kept.
fn let_pass(member: &Member) {
    let file = rusqlite::Connection::open(member.home().main()).expect("a database");
    let kept = file.execute("UPDATE kept_lines SET until = 0", []);
    assert_eq!(kept, Ok(MANY), "as many as were taken back are kept");
}

#[test]
fn much_that_is_taken_back_at_once_is_hidden_and_erased_after_72_hours() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    let asked = ask_many(&mut north);
    for member in [&mut north, &mut south] {
        member.sync(&hub);
    }
    retract_all(&mut north, &asked);
    north.sync(&hub);
    // A hub keeps nothing: everybody could ask it.
    assert!(
        !hub.bytes()
            .windows(CANARY.len())
            .any(|part| part == CANARY.as_bytes())
    );
    south.sync(&hub);
    assert_eq!(titles(&south), Vec::<String>::new(), "hidden at once");
    assert!(!with_text(south.home().dir()).is_empty(), "kept for now");
    north.sync(&hub);
    let last = last_move(&north, &asked[0]);
    let at_south = last.holders.iter().find(|holder| holder.name == "South");
    let at_south = at_south.expect("it gave a receipt");
    assert_eq!(at_south.state, wb_node::query::who::HolderState::Hidden);
    assert_eq!(at_south.state.as_str(), "pending");
    assert!(!last.is_complete());

    let_pass(&south);
    south.sync(&hub);
    nowhere(&[&north, &south]);
    north.sync(&hub);
    assert!(
        last_move(&north, &asked[0]).is_complete(),
        "{:?}",
        holders(&north, &asked[0])
    );
}

#[test]
fn what_a_thief_takes_back_comes_back_with_a_recovery_also_where_nobody_gives_the_lines_again() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Owner::found("North"), Member::found("South"));
    for member in [&mut north.member, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.member.id()]);
    let asked = ask_many(&mut north.member);
    for member in [&mut north.member, &mut south] {
        member.sync(&hub);
    }
    let shown = titles(&south);
    assert_eq!(shown.len(), MANY);
    let mut thief = north.member.twin();
    retract_all(&mut thief, &asked);
    thief.sync(&hub);
    south.sync(&hub);
    assert_eq!(titles(&south), Vec::<String>::new());

    // From now on South asks for no text of requests: what it shows afterwards, it had.
    let kinds = ["user".parse().expect("a kind")];
    let opened = Node::open(&south.home()).expect("it opens");
    south.node = opened.asking_for(Some(kinds.into()));
    north.recover().expect("it recovers");
    assert_eq!(north.member.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), shown);
    south.assert_sound();
}

/// A delta that waits for one before it keeps its lines until it is applied, so they were there for as long as it
/// waited, whatever its origin took back meanwhile.
#[test]
fn what_is_taken_back_goes_from_deltas_that_wait_as_well() {
    let (hub, mut north, mut south, _east, record) = street();
    let file = rusqlite::Connection::open(south.home().main()).expect("a database");
    let waits = file.execute(
        "INSERT INTO held (origin, scope, outcome, rule, hash, log, seq, header, items, at, digest)
         SELECT i.id, f.scope, 'early', 'gap', x.line_hash, l.log, 99, x.line_hash, x.line, 0, x.line_hash
         FROM feed_lines x JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
         JOIN logs l ON l.log_no = f.log_no WHERE x.id = ?1 AND x.line IS NOT NULL",
        [record.id.as_bytes()],
    );
    assert_eq!(waits, Ok(1));
    // Two more: one of which the line is noted, and one of which another is, so that it is not read at all.
    for (seq, id) in [(98, record.id.as_bytes()), (97, &[7; 16])] {
        let more = file.execute(
            "INSERT INTO held (origin, scope, outcome, rule, hash, log, seq, header, items, at, digest)
             SELECT origin, scope, outcome, rule, hash, log, ?1, header,
               CASE ?1 WHEN 97 THEN CAST(replace(CAST(items AS TEXT), 'quince', 'medlar') AS BLOB) ELSE items END, at,
               randomblob(32) FROM held WHERE seq = 99",
            [seq],
        );
        assert_eq!(more, Ok(1));
        for (id, rev) in [(&id[..], 1), (&[0; 32], 0)] {
            let noted = file.execute(
                "INSERT INTO held_lines (id, rev, held_no) SELECT ?2, ?3, held_no FROM held WHERE seq = ?1",
                rusqlite::params![seq, id, rev],
            );
            assert_eq!(noted, Ok(1));
        }
    }
    retract(&mut north, &record, Reason::Erase);
    north.sync(&hub);
    south.sync(&hub);
    let items = |seq: i64| -> Vec<u8> {
        let sql = "SELECT items FROM held WHERE seq = ?1";
        file.query_row(sql, [seq], |row| row.get(0))
            .unwrap_or_default()
    };
    let is_entry = |items: Vec<u8>| items.starts_with(b"{\"op\":\"put\"");
    assert!(
        is_entry(items(99)) || is_entry(items(98)),
        "its entry stands alone"
    );
    assert!(!is_entry(items(97)) && !items(97).is_empty());
    let gone = file.execute("DELETE FROM held WHERE seq = 97", []);
    assert_eq!(gone, Ok(1));
    let noted: i64 = file
        .query_row(
            "SELECT count(*) FROM held_lines WHERE id = x'07070707070707070707070707070707'",
            [],
            |row| row.get(0),
        )
        .expect("a table");
    assert_eq!(noted, 0, "what was noted goes with it");
    drop(file);
    nowhere(&[&south]);
}

/// One answer of a hub that says a count near the highest there is ended what a follower says at all hubs: its next
/// count was no number any more, and honest hubs refused the whole body.
#[test]
fn a_hub_that_says_the_highest_count_ends_no_receipts_elsewhere() {
    let (hub, mut north, mut south, _east, record) = street();
    retract(&mut north, &record, Reason::Erase);
    north.sync(&hub);
    let hub_key = HubKey(key(hub.node()));
    let (to, origin) = (hub.socket(), north.id());
    let lies = StandIn::start(move |asked| {
        if asked.target() != "/sync/v1/receipts" {
            return asked.hand_on(to);
        }
        let n = NUMBER_MAX - 1;
        let stale = format!(
            r#"{{"schema_version":1,"stale":[{{"origin":"{origin}","scope":"public","n":{n}}}]}}"#
        );
        let json = "content-type: application/json\r\n";
        hub_key.answer(asked, 200, json, stale.as_bytes())
    });
    south.edit_peer(&hub, |peer| peer.address = lies.address());
    assert_eq!(south.sync(&hub).end, None);
    south.edit_peer(&hub, |peer| peer.address = hub.address());
    assert!(counted(&south, origin) < 100, "{}", counted(&south, origin));
    // What is new is said at the honest hub, and taken.
    north.ask("A plane", Scope::Public);
    north.sync(&hub);
    assert_eq!(south.sync(&hub).end, None);
    north.sync(&hub);
    assert!(
        holders(&north, &record).contains(&"South: erased".to_owned()),
        "{:?}",
        holders(&north, &record)
    );
}

/// The count under which a member said something of a feed last.
fn counted(member: &Member, origin: InstanceId) -> u64 {
    let store = member.node.store();
    store
        .receipts_counted(&origin, FeedScope::Public)
        .expect("a store")
}

#[test]
fn what_a_thief_counted_under_a_stolen_key_comes_before_the_first_word_of_the_next() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Owner::found("South"));
    for member in [&mut north, &mut south.member] {
        member.register(&hub);
    }
    south.member.follow_all(&hub, &[north.id()]);
    let record = north.ask(CANARY, Scope::Public);
    north.sync(&hub);
    south.member.sync(&hub);
    // With South's own key, and the highest number there is.
    let head = north.head(north.id()).expect("its feed");
    let stand = Stand {
        erased_to: None,
        live: wb_core::id::Hash([0; 32]),
        stubs: Vec::new(),
        head,
    };
    let (node, signer) = (&south.member.node, key(&south.member.node).1);
    let planted = Receipt::new(node.identity(), &stand, NUMBER_MAX, entropy::now());
    let line = planted.sign(&signer);
    let put = hub
        .store()
        .put_receipts(vec![(planted, line)], entropy::now());
    assert_eq!(north.block_on(put).expect("a store"), []);
    north.sync(&hub);
    assert_eq!(
        north.node.store().receipts().expect("a store")[0].n,
        NUMBER_MAX
    );

    south.recover().expect("it recovers");
    assert_eq!(south.member.sync(&hub).end, None);
    retract(&mut north, &record, Reason::Erase);
    north.sync(&hub);
    assert_eq!(south.member.sync(&hub).end, None);
    north.sync(&hub);
    assert!(
        holders(&north, &record).contains(&"South: erased".to_owned()),
        "{:?}",
        holders(&north, &record)
    );
}

#[test]
fn what_is_kept_for_72_hours_goes_also_where_nobody_syncs_any_more() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    let asked = ask_many(&mut north);
    for member in [&mut north, &mut south] {
        member.sync(&hub);
    }
    retract_all(&mut north, &asked);
    north.sync(&hub);
    south.sync(&hub);
    let_pass(&south);
    assert!(!with_text(south.home().dir()).is_empty());
    // A bundle is read, whatever is in it.
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("north.wbb");
    let input = BundleExport {
        file: &file,
        want: None,
        zstd_level: None,
    };
    let actor = north.actor();
    bundle_export(&mut north.node, &actor, &input, &mut |_, _| {}).expect("a bundle");
    let input = BundleImport {
        dry_run: false,
        accept: true,
        partial: false,
        lists: true,
    };
    let actor = south.actor();
    bundle_import(&mut south.node, &actor, &file, input, &mut |_| {}).expect("it is read");
    nowhere(&[&south]);
}

#[test]
fn what_is_erased_while_somebody_reads_is_told_to_be_in_the_log_and_goes_from_there_later() {
    let (_hub, north, _south, _east, record) = street();
    let reads = rusqlite::Connection::open(north.home().main()).expect("a database");
    reads
        .execute_batch("BEGIN; SELECT count(*) FROM local_records;")
        .expect("it reads");
    record_retract(&north.node, &north.actor(), &record, Reason::Erase).expect("its own");
    assert!(north.node.store().has_to_empty_logs().expect("a store"));
    drop(reads);
    // As with each sync, and while a program runs that syncs by itself.
    erase_kept(&north.node).expect("a store");
    assert!(!north.node.store().has_to_empty_logs().expect("a store"));
    let log = std::fs::metadata(north.home().dir().join("wb.db-wal"));
    assert!(log.map_or(0, |file| file.len()) < 20_000);
}
