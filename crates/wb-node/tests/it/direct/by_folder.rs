//! Two nodes with a folder between them: a stick that goes back and forth.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wb_core::entry::Reason;
use wb_core::pairing::{NO_TOKEN, safety_words};
use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, Phase};
use wb_node::command::bundle_verify::bundle_verify;
use wb_node::command::peer_add::{look_into, peer_add_folder};
use wb_node::command::publish::publish_retracts;
use wb_node::command::record_retract::record_retract;
use wb_node::query::peers::peer_view;
use wb_node::query::sync_log;
use wb_node::query::who::{HolderState, who};

use super::street::{BOTH_WAYS, House, contains, titles};

struct Stick(TempDir);

impl Stick {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn bundle(&self, from: &House, to: &House) -> PathBuf {
        self.path()
            .join(format!("{}-for-{}.wbb", from.id(), to.id()))
    }

    fn want(&self, of: &House) -> PathBuf {
        self.path().join(format!("{}.want", of.id()))
    }

    fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.path()).expect("a folder");
        let mut names: Vec<String> = files
            .map(|file| {
                file.expect("a file")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

fn add(house: &mut House, stick: &Stick) -> bool {
    let actor = house.actor();
    let found = look_into(&house.node, &actor, stick.path(), None).expect("a folder");
    let Some(one) = found else { return false };
    peer_add_folder(&mut house.node, &actor, stick.path(), &one).expect("it pairs");
    true
}

fn paired() -> (House, House, Stick) {
    let (mut elm, mut oak, stick) = (House::quiet("Elm"), House::quiet("Oak"), Stick::new());
    assert!(!add(&mut elm, &stick), "nobody else was here");
    assert!(add(&mut oak, &stick));
    assert!(add(&mut elm, &stick));
    (elm, oak, stick)
}

#[test]
fn a_stick_carries_both_ways_and_its_want_is_the_receipt() {
    let (mut elm, mut oak, stick) = paired();
    let words = safety_words(elm.id(), oak.id(), &NO_TOKEN);
    assert_eq!(elm.pair(oak.id()).map(|pair| pair.words), Some(words));
    elm.ask("Soup", Scope::Public);
    elm.ask("NEVER-LEAVES", Scope::Private);
    oak.ask("A ladder", Scope::Public);

    assert_eq!(elm.sync(oak.id()).end, None);
    bundle_verify(&stick.bundle(&elm, &oak), &mut |_| {}).expect("it is a bundle like any");
    assert_eq!(oak.sync(elm.id()).end, None);
    oak.assert_has(&elm);
    // Elm knows by the stick alone that Oak has it.
    let view = peer_view(&elm.node, &elm.peer(oak.id())).expect("a peer");
    assert_eq!(view.confirmed.records, 0);
    assert_eq!(elm.sync(oak.id()).end, None);
    elm.assert_has(&oak);
    let view = peer_view(&elm.node, &elm.peer(oak.id())).expect("a peer");
    assert_eq!(
        (view.confirmed.records, view.confirmed.lacks_deltas),
        (2, 0)
    );
    // Nothing is left for who lacks nothing; the last receipt is on its way.
    assert!(!stick.bundle(&elm, &oak).exists());
    assert_eq!(oak.sync(elm.id()).end, None);
    assert!(!stick.bundle(&oak, &elm).exists());
    assert_eq!(stick.names().len(), 2, "{:?}", stick.names());

    // Only what is new goes then, and what is taken back.
    let chairs = elm.ask("Chairs", Scope::Public);
    let synced = elm.sync(oak.id());
    assert_eq!((synced.pushed.deltas, synced.pushed.records), (1, 1));
    oak.sync(elm.id());
    elm.take_back(&chairs);
    elm.sync(oak.id());
    oak.sync(elm.id());
    oak.show(elm.id());
    assert_eq!(titles(&oak), ["A ladder", "Soup"]);
    assert!(!contains(&oak.bytes(), "NEVER-LEAVES"));
    for name in stick.names() {
        let bytes = std::fs::read(stick.path().join(name)).expect("a file");
        assert!(!contains(&bytes, "NEVER-LEAVES"));
    }
    let runs = sync_log::runs(&oak.node, 10, None).expect("a log");
    assert!(runs.iter().all(|run| run.road == "folder"));
    oak.assert_sound();
}

#[test]
fn a_stick_that_is_pulled_out_or_spoiled_costs_nothing_that_is_here() {
    let (mut elm, mut oak, stick) = paired();
    elm.ask("Soup", Scope::Public);
    elm.sync(oak.id());
    let whole = std::fs::read(stick.bundle(&elm, &oak)).expect("a bundle");
    // Half a file, an empty one, one of somebody else under this name, and noise.
    let mut foreign = House::quiet("Eve");
    foreign.ask("Noise", Scope::Public);
    let other = Stick::new();
    add(&mut foreign, &other);
    add(&mut oak, &other);
    add(&mut foreign, &other);
    foreign.sync(oak.id());
    let of_eve = std::fs::read(other.bundle(&foreign, &oak)).expect("a bundle");
    for damaged in [&whole[..whole.len() / 2], b"", &of_eve, b"\xff\xfe noise"] {
        std::fs::write(stick.bundle(&elm, &oak), damaged).expect("a file");
        let synced = oak.sync(elm.id());
        assert_eq!(synced.end.map(|end| end.0), Some(PeerCause::BadAnswer));
        assert_eq!((oak.head(elm.id()), oak.head(foreign.id())), (None, None));
    }
    // A want that is damaged, and files that are no business of ours.
    std::fs::write(stick.want(&elm), b"half a wan").expect("a file");
    for name in ["notes.txt", "x.want", ".elm.part"] {
        std::fs::write(stick.path().join(name), b"x").expect("a file");
    }
    let cause = oak.sync(elm.id()).end.map(|end| end.0);
    assert_eq!(cause, Some(PeerCause::BadAnswer));
    // Its owner writes both anew, and all is well.
    elm.sync(oak.id());
    assert_eq!(oak.sync(elm.id()).end, None);
    oak.assert_has(&elm);

    let away = stick.path().with_extension("away");
    std::fs::rename(stick.path(), &away).expect("the stick goes");
    let ended = oak.sync(elm.id());
    assert_eq!(ended.end.map(|end| end.0), Some(PeerCause::FolderMissing));
    assert_eq!(ended.state.phase(), Phase::Failing);
    std::fs::rename(&away, stick.path()).expect("it comes back");
    assert_eq!(oak.sync(elm.id()).end, None);
    oak.assert_sound();
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_passed_over() {
    let (mut elm, mut oak, stick) = paired();
    elm.ask("Soup", Scope::Public);
    elm.sync(oak.id());
    // A link that leads out of the folder, in the place of a bundle.
    let outside = elm.folder().join("outside.wbb");
    std::fs::rename(stick.bundle(&elm, &oak), &outside).expect("it is moved");
    std::os::unix::fs::symlink(&outside, stick.bundle(&elm, &oak)).expect("a link");
    assert_eq!(oak.sync(elm.id()).end, None);
    assert_eq!(oak.head(elm.id()), None, "nothing was read through it");
}

#[cfg(unix)]
#[test]
fn what_lies_in_the_place_of_the_own_want_is_neither_followed_nor_read_without_end() {
    let (mut elm, oak, stick) = paired();
    let own = stick.want(&elm);
    std::fs::remove_file(&own).expect("it was left there");
    std::os::unix::fs::symlink("/dev/zero", &own).expect("a link");
    assert_eq!(elm.sync(oak.id()).end, None);
    let found = std::fs::symlink_metadata(&own).expect("it is there");
    assert!(found.is_file());
}

#[test]
fn a_preview_of_a_folder_leaves_it_as_it_is() {
    let (mut elm, mut oak, stick) = paired();
    elm.ask("Soup", Scope::Public);
    elm.sync(oak.id());
    oak.ask("A ladder", Scope::Public);
    let before = stick.names();
    let preview = oak.sync_as(
        elm.id(),
        wb_node::command::sync::SyncInput {
            dry_run: true,
            ..BOTH_WAYS
        },
    );
    assert_eq!((preview.end, preview.changed.len()), (None, 2));
    assert_eq!(preview.plan.map(|plan| plan.puts.len()), Some(2));
    assert_eq!((stick.names(), oak.head(elm.id())), (before, None));
}

#[test]
fn a_bundle_that_waits_on_the_stick_goes_with_what_is_taken_back_and_the_want_says_that_it_is_erased()
 {
    let (mut elm, mut oak, stick) = paired();
    for _ in 0..2 {
        elm.sync(oak.id());
        oak.sync(elm.id());
    }
    let ladder = elm.ask("A ladder for Friday", Scope::Public);
    elm.sync(oak.id());
    assert!(stick.bundle(&elm, &oak).exists());
    let state = |elm: &House| {
        let moves = who(&elm.node, &ladder).expect("an own record").moves;
        let holder = moves[0].holders.first().expect("Oak").clone();
        (holder.name, holder.state)
    };
    assert_eq!(state(&elm), ("Oak".to_owned(), HolderState::Pending));
    let actor = elm.actor();
    record_retract(&elm.node, &actor, &ladder, Reason::Erase).expect("its own");
    publish_retracts(&mut elm.node, &actor).expect("it seals");
    assert!(
        !stick.bundle(&elm, &oak).exists(),
        "nobody reads it there any more"
    );
    // What is left next holds the retraction alone.
    elm.sync(oak.id());
    oak.sync(elm.id());
    assert_eq!(titles(&oak), Vec::<String>::new());
    assert!(!contains(&oak.bytes(), "A ladder for Friday"));
    elm.sync(oak.id());
    assert_eq!(state(&elm), ("Oak".to_owned(), HolderState::Erased));
}
