//! Follow lists: a list in order stays in order whatever is added and removed, and follows what it says.

use wb_core::id::InstanceId;
use wb_core::sync::{FollowList, read_message};

use crate::vectors::{cases, file};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "follows",
    run,
    seeds,
    memory: Memory::TEXT,
};

fn run(input: &[u8]) {
    let Ok(list) = read_message::<FollowList>(input) else {
        return;
    };
    let written = serde_json::to_vec(&list).expect("a list is written");
    assert_eq!(read_message::<FollowList>(&written).as_ref(), Ok(&list));
    if list.check().is_err() {
        return;
    }
    let other = InstanceId([7; 32]);
    for id in list
        .follow
        .iter()
        .chain(&list.except)
        .chain([&other])
        .take(32)
    {
        let mut changed = list.clone();
        changed.add(*id);
        assert!(changed.follows(id, false), "who was added is followed");
        assert_ne!(changed.check(), Err(wb_core::sync::FollowsError::Order));
        changed.remove(*id);
        assert!(!changed.follows(id, true), "who was removed is not");
        assert_ne!(changed.check(), Err(wb_core::sync::FollowsError::Order));
        assert_eq!(
            list.hash() == changed.hash(),
            list == changed,
            "the hash tells lists apart"
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("sync/follows.json");
    let lists = cases(&vectors)
        .iter()
        .filter_map(|case| case["list"].as_str());
    lists.map(|list| list.as_bytes().to_vec()).collect()
}
