//! Backup files: each refusal of the specification, by a file that breaks only that rule; and what is made is
//! read back before it has its name.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wb_core::backup::{Manifest, PartName};
use wb_core::id::{Hash, InstanceId};
use wb_core::limits::BACKUP_PART_BYTES_MAX;
use wb_core::words::RecoveryWords;
use wb_node::backup::{Lock, Secret, needs_passphrase, parts, recipient_of, words_in, write};
use wb_node::command::backup::{BackupInput, Step, backup, keep_recipient, usual_lock};
use wb_node::command::init::{Init, init};
use wb_node::command::key_recover::{Recover, fresh_words, gather, key_recover};
use wb_node::command::restore_file::{check_file, restore_file};
use wb_node::keys::Behind;
use wb_node::view::RestoredView;
use wb_node::{Actor, ErrorKind, Node, NodeError};
use wb_store::{GuardStanding, Home};
use zeroize::Zeroizing;

/// What every backup has.
const NEEDED: [PartName; 4] = [
    PartName::Identity,
    PartName::Main,
    PartName::Private,
    PartName::Key,
];

/// An instance, and folders beside it.
struct World {
    dir: TempDir,
    node: Node,
    actor: Actor,
    words: Zeroizing<String>,
}

fn go(_: Step, _: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn passphrase(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let input = Init {
            name: "North",
            admin: "alice",
            words_file: None,
        };
        let founded = init(&Home::new(dir.path().join("north")), &input).expect("an empty folder");
        let actor = founded.node.actor(None).expect("a founder");
        Self {
            actor,
            node: founded.node,
            words: founded.words,
            dir,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn words(&self) -> Secret {
        Secret::Words(RecoveryWords::parse(&self.words).expect("good words"))
    }

    fn backup(&self, name: &str, lock: Lock) -> PathBuf {
        let to = self.path(name);
        let input = BackupInput {
            to: &to,
            lock,
            hub: true,
            scheduled: false,
        };
        backup(&self.node, &self.actor, &input, &mut go).expect("a backup");
        to
    }

    fn usual(&self, name: &str) -> PathBuf {
        self.backup(name, usual_lock(self.node.store()).expect("a key"))
    }

    fn restore(&self, file: &Path, to: &str) -> Result<RestoredView, NodeError> {
        restore_file(
            &Home::new(self.path(to)),
            file,
            &self.words(),
            false,
            &mut go,
        )
    }

    /// Writes a backup of the parts that a good one has, with some of them and of its manifest changed.
    fn written(&self, name: &str, change: impl FnOnce(&mut Manifest, &Path)) -> PathBuf {
        let home = Home::new(self.path("unpacked"));
        let restored = self
            .restore(&self.usual("good.wbk"), "unpacked")
            .expect("restored");
        let identity = self.node.identity().entries().iter();
        let lines: Vec<u8> = identity
            .flat_map(|entry| [&entry.line[..], b"\n"].concat())
            .collect();
        std::fs::write(home.part(PartName::Identity), lines).expect("a log");
        let names: Vec<PartName> = PartName::ALL
            .into_iter()
            .filter(|name| home.part(*name).exists())
            .collect();
        let mut manifest = Manifest {
            instance: restored.id,
            name: restored.name,
            made_at: restored.made_at,
            software: restored.software,
            formats: std::collections::BTreeMap::default(),
            parts: Vec::new(),
        };
        change(&mut manifest, home.dir());
        if manifest.parts.is_empty() {
            manifest.parts = parts(&names, &|name| home.part(name)).expect("files");
        }
        let to = self.path(name);
        let lock = usual_lock(self.node.store()).expect("a key");
        let mut going = |_| ControlFlow::Continue(());
        let place = |name| home.part(name);
        let written = write(&to, manifest, &place, &lock, &mut going).expect("a file");
        std::fs::copy(written.path(), &to).expect("a copy that nobody checked");
        to
    }
}

fn parts_in(dir: &Path) -> Vec<wb_core::backup::Part> {
    parts(&NEEDED, &|name| dir.join(name.as_str())).expect("files")
}

/// Bytes that nothing makes smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = Vec::new();
    while noise.len() < bytes {
        noise.extend(wb_core::hash::sha256(&noise.len().to_be_bytes()).0);
    }
    noise
}

/// The name of the refusal.
#[track_caller]
fn code<T: std::fmt::Debug>(result: Result<T, NodeError>) -> &'static str {
    match result {
        Err(NodeError::Backup { source, .. }) => source.code(),
        other => panic!("a refusal of a backup, not {other:?}"),
    }
}

#[test]
fn what_is_backed_up_comes_back_without_a_guard() {
    let world = World::new();
    for (to, lock, secret) in [
        (
            "a",
            usual_lock(world.node.store()).expect("a key"),
            world.words(),
        ),
        (
            "b",
            Lock::Passphrase(passphrase("long enough")),
            Secret::Passphrase(passphrase("long enough")),
        ),
    ] {
        let file = world.backup(&format!("{to}.wbk"), lock);
        let home = Home::new(world.path(to));
        let restored = restore_file(&home, &file, &secret, false, &mut go).expect("restored");
        assert_eq!(restored.id, world.node.own_id());
        let node = Node::open(&home).expect("an instance");
        assert_eq!(node.store().guard(), GuardStanding::Suspect);
        assert!(!home.guard().exists());
        assert_eq!(node.name(), "North");
    }
}

#[test]
fn every_flipped_byte_and_every_cut_is_noticed() {
    let world = World::new();
    let good = world.usual("good.wbk");
    let bytes = std::fs::read(&good).expect("a file");
    let bad = world.path("bad.wbk");
    let secret = world.words();
    let mut codes = std::collections::BTreeMap::new();
    // Every byte of the header, and enough of what is behind it to meet each layer.
    let header = bytes
        .windows(4)
        .position(|four| four == b"\n---")
        .expect("an age header");
    let behind = (header + 100..bytes.len()).step_by(11);
    for at in (0..header + 100).chain(behind) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        std::fs::write(&bad, flipped).expect("a file");
        let refused = code(check_file(&bad, &secret, &mut go));
        *codes.entry(refused).or_insert(0) += 1;
    }
    assert!(codes["damaged"] > (bytes.len() - header) / 12, "{codes:?}");
    for length in (0..bytes.len()).step_by(101) {
        std::fs::write(&bad, &bytes[..length]).expect("a file");
        let refused = check_file(&bad, &secret, &mut go);
        let kind = refused.as_ref().map_err(NodeError::kind).err();
        assert_eq!(kind, Some(ErrorKind::Verification), "{length}");
    }
    for more in [&b"x"[..], &bytes] {
        std::fs::write(&bad, [&bytes, more].concat()).expect("a file");
        assert_eq!(code(check_file(&bad, &secret, &mut go)), "damaged");
    }
    std::fs::write(&bad, &bytes).expect("a file");
    check_file(&bad, &secret, &mut go).expect("the good one is good");
}

#[test]
fn the_wrong_secret_is_told_from_a_damaged_file() {
    let world = World::new();
    let by_words = world.usual("words.wbk");
    let by_passphrase = world.backup(
        "passphrase.wbk",
        Lock::Passphrase(passphrase("long enough")),
    );
    assert!(!needs_passphrase(&by_words).expect("a backup"));
    assert!(needs_passphrase(&by_passphrase).expect("a backup"));
    let other = RecoveryWords::from_entropy(Zeroizing::new([7; 16]));
    for (file, secret) in [
        (&by_words, Secret::Words(other)),
        (&by_words, Secret::Passphrase(passphrase("long enough"))),
        (
            &by_passphrase,
            Secret::Passphrase(passphrase("long enougH")),
        ),
        (&by_passphrase, world.words()),
    ] {
        assert_eq!(code(check_file(file, &secret, &mut go)), "wrong_secret");
    }
    std::fs::write(world.path("text.wbk"), "PK\u{3}\u{4} something else").expect("a file");
    let refused = check_file(&world.path("text.wbk"), &world.words(), &mut go);
    assert_eq!(code(refused), "not_a_backup");
}

#[test]
fn a_file_that_was_made_with_care_is_refused_by_name() {
    type Change = fn(&mut Manifest, &Path);
    let north: [(&str, &str, Change); 6] = [
        ("larger than any part", "malformed", |manifest, dir| {
            manifest.parts = parts_in(dir);
            manifest.parts[1].bytes = BACKUP_PART_BYTES_MAX + 1;
        }),
        ("no room", "no_room", |manifest, dir| {
            manifest.parts = parts_in(dir);
            manifest.parts[1].bytes = BACKUP_PART_BYTES_MAX;
            manifest.parts[2].bytes = BACKUP_PART_BYTES_MAX;
        }),
        ("shorter than it is", "damaged", |manifest, dir| {
            manifest.parts = parts_in(dir);
            manifest.parts[3].bytes -= 1;
        }),
        ("another hash", "damaged", |manifest, dir| {
            manifest.parts = parts_in(dir);
            manifest.parts[2].sha256 = Hash([7; 32]);
        }),
        ("another key", "not_one_instance", |_, dir| {
            std::fs::write(dir.join("signing.key"), "07".repeat(32)).expect("a key");
        }),
        ("another instance", "not_one_instance", |manifest, _| {
            manifest.instance = InstanceId([7; 32]);
        }),
    ];
    for (what, expected, change) in north {
        let world = World::new();
        let file = world.written("made.wbk", change);
        assert_eq!(code(world.restore(&file, "target")), expected, "{what}");
        let left = std::fs::read_dir(world.path("target")).map_or(0, |names| {
            let names = names.map(|entry| entry.expect("a file").file_name());
            names.filter(|name| name != "in-use.lock").count()
        });
        assert_eq!(left, 0, "{what}: nothing is left of it");
    }
    // The same, and nothing changed.
    let world = World::new();
    let file = world.written("made.wbk", |_, _| {});
    world
        .restore(&file, "target")
        .expect("it is as good as any");
}

#[test]
fn another_instance_is_not_replaced() {
    let (north, south) = (World::new(), World::new());
    let file = north.usual("north.wbk");
    let home = south.node.store().home().clone();
    let before = std::fs::read(home.signing_key()).expect("a key");
    let refused = restore_file(&home, &file, &north.words(), true, &mut go);
    assert_eq!(code(refused), "other_instance");
    assert_eq!(std::fs::read(home.signing_key()).expect("a key"), before);
    Node::open(&home).expect("it is what it was");
}

#[test]
fn what_was_not_read_back_as_it_was_written_gets_no_name() {
    let world = World::new();
    let home = world.node.store().home();
    let place = |name: PartName| match name {
        PartName::Identity => home.config(),
        name => home.part(name),
    };
    // Several chunks of age, so that what is behind the first is damaged and the manifest is not.
    std::fs::write(home.config(), noise(300_000)).expect("a file");
    let manifest = Manifest {
        instance: world.node.own_id(),
        name: "North".to_owned(),
        made_at: world.node.now(),
        software: "test".to_owned(),
        formats: std::collections::BTreeMap::default(),
        parts: parts(&NEEDED, &place).expect("files"),
    };
    let to = world.path("new.wbk");
    for lock in [
        usual_lock(world.node.store()).expect("a key"),
        Lock::Passphrase(passphrase("long enough")),
    ] {
        let mut going = |_| ControlFlow::Continue(());
        let written = write(&to, manifest.clone(), &place, &lock, &mut going).expect("a file");
        let partial = written.path().to_owned();
        // The disk kept another byte than it was given.
        let mut bytes = std::fs::read(&partial).expect("a file");
        let late = bytes.len() - 100;
        bytes[late] ^= 1;
        std::fs::write(&partial, bytes).expect("a file");
        let refused = written.read_back(&mut going);
        assert_eq!(code(refused.map(|_| ())), "damaged");
        assert!(!to.exists() && !partial.exists());
        let written = write(&to, manifest.clone(), &place, &lock, &mut going).expect("a file");
        let checked = written
            .read_back(&mut going)
            .expect("it is what was written");
        checked.place().expect("it has its name");
        assert!(to.exists() && !partial.exists());
        let refused = write(&to, manifest.clone(), &place, &lock, &mut going);
        assert!(refused.is_err(), "no backup is written over another");
        std::fs::remove_file(&to).expect("a file");
    }
}

#[test]
fn a_try_that_fails_is_remembered_and_leaves_nothing() {
    let world = World::new();
    let to = world.path("new.wbk");
    let input = BackupInput {
        to: &to,
        lock: usual_lock(world.node.store()).expect("a key"),
        hub: true,
        scheduled: true,
    };
    for stop in [Step::Copying, Step::Writing, Step::Reading] {
        let mut going = |step, _, _| match step == stop {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        backup(&world.node, &world.actor, &input, &mut going).expect_err("it was stopped");
        let names = std::fs::read_dir(world.dir.path()).expect("a folder");
        assert_eq!(names.count(), 1, "{stop:?}");
    }
    let state = wb_node::query::backups::backup_state(&world.node).expect("a state");
    assert!(state.last_good.is_none() && state.failed.is_some());
    assert!(
        state
            .sentence()
            .contains("no backup was made yet; the last try failed: it was stopped")
    );
    world.usual("good.wbk");
    let state = wb_node::query::backups::backup_state(&world.node).expect("a state");
    assert!(state.last_good.is_some() && state.failed.is_none() && !state.is_late);
}

#[test]
fn the_key_of_backups_is_learned_from_the_right_words_alone() {
    let world = World::new();
    let other = RecoveryWords::from_entropy(Zeroizing::new([7; 16]));
    keep_recipient(&world.node, &world.actor, &other).expect_err("they are of nobody here");
    let own = RecoveryWords::parse(&world.words).expect("good words");
    keep_recipient(&world.node, &world.actor, &own).expect("they are the words");
    let kept = world
        .node
        .store()
        .private()
        .backup_recipient()
        .expect("read");
    let kept = kept.expect("known");
    assert_eq!(kept.key, recipient_of(&own), "it is that of the founding");
    assert_eq!(kept.of, world.node.identity().newest().recovery);
    let sheet = format!(
        "WhiteBalloon recovery words of North\n\n{}\n\nPrint this sheet.\n",
        *world.words
    );
    assert_eq!(words_in(&sheet).expect("words").text(), own.text());
    assert!(words_in("no words").is_err());
}

/// Backups went on being encrypted to the words that a thief may have, and the new sheet opened none.
#[test]
fn backups_after_a_recovery_open_with_the_new_words_alone() {
    let mut world = World::new();
    let (old, new) = (
        RecoveryWords::parse(&world.words).expect("good words"),
        fresh_words(),
    );
    let before = world.usual("before.wbk");
    let kept = world.node.store().private().backup_recipient();
    let kept = kept.expect("read").expect("known");
    let gathered = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(gather(&mut world.node))
        .expect("it gathers");
    let input = Recover {
        words: &old,
        new_words: &new,
        last_good: None,
        gathered: &gathered,
        behind: Behind::AsBefore,
    };
    let recovered = key_recover(&mut world.node, &world.actor, &input).expect("it recovers");
    assert_eq!(recovered.warnings, [""; 0]);

    let after = world.usual("after.wbk");

    let open = |file: &Path, words: &RecoveryWords, to: &str| {
        let words = Secret::Words(RecoveryWords::parse(&words.text()).expect("words"));
        restore_file(&Home::new(world.path(to)), file, &words, false, &mut go)
    };
    assert!(open(&after, &old, "with-old").is_err());
    open(&after, &new, "with-new").expect("the new words open it");
    open(&before, &old, "from-before").expect("one from before opens as before");
    // What a folder knows of the words before locks nothing any more.
    let private = world.node.store().private();
    private
        .put_backup_recipient(&kept.key, &kept.of)
        .expect("a store");
    let refused = usual_lock(world.node.store());
    assert!(
        matches!(&refused, Err(NodeError::NeedsApproval(why)) if why.contains("recovery words are new")),
        "{refused:?}"
    );
}
