//! A node's store in a folder of its own.

use tempfile::TempDir;
use wb_core::id::RecordId;
use wb_core::identity::{IdentityLog, found};
use wb_core::signed::Signer;
use wb_store::{Founding, Home, Store};
use zeroize::Zeroizing;

use crate::origin::now;

/// Seed of the node's own signing key.
pub const OWN_SEED: [u8; 32] = [7; 32];

pub struct Node {
    pub store: Store,
    pub home: Home,
    /// The folder of the files, until the node is dropped.
    _dir: TempDir,
}

impl Node {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let signer = Signer::from_seed(&Zeroizing::new(OWN_SEED));
        let line = found(&signer, wb_core::hash::sha256(b"no words"), now());
        let identity = IdentityLog::verify(None, &[line]).expect("a good founding");
        let founding = Founding {
            identity: &identity,
            name: "follower",
            founder: RecordId::new(now(), [1; 10]),
            incarnation: "test".to_owned(),
            node_secret: &[2; 32],
            now: now(),
        };
        let home = Home::new(dir.path().join("node"));
        let store = Store::create(&home, &founding).expect("a new store");
        store.finish_founding("a key").expect("a key file");
        Self {
            store,
            home,
            _dir: dir,
        }
    }

    /// Nothing in the files is unsound.
    pub fn check(&mut self) {
        for finding in self.store.check().expect("a check") {
            assert_eq!(finding.problems, [""; 0], "{}", finding.check);
        }
    }
}
