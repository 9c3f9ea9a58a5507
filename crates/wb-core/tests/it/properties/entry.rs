//! Entries: one form for what they say.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wb_core::entry::{Entry, Op, Reason};
use wb_core::id::{Hash, RecordId};
use wb_core::limits::{ENTRY_BYTES_MAX, NUMBER_MAX};
use wb_core::time::Timestamp;

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

pub fn record_id() -> impl Strategy<Value = RecordId> {
    (0..1_i64 << 47, any::<[u8; 10]>()).prop_map(|(unix_ms, entropy)| {
        RecordId::new(Timestamp::from_unix_ms(unix_ms).expect("in range"), entropy)
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let reasons = select(vec![Reason::Scope, Reason::Erase, Reason::Mistake]);
    let op = prop_oneof![
        hash().prop_map(|line_hash| Op::Put { line_hash }),
        reasons.prop_map(|reason| Op::Retract { reason }),
    ];
    let kind = "[a-z][a-z0-9_]{0,31}".prop_map(|kind| kind.parse().expect("a kind"));
    (op, record_id(), 1..=NUMBER_MAX, kind, option::of(hash())).prop_map(
        |(op, id, rev, kind, drops)| Entry {
            op,
            id,
            rev,
            kind,
            drops,
        },
    )
}

proptest! {
    #[test]
    fn an_entry_is_read_as_it_was_written(entry in entry()) {
        let bytes = entry.to_bytes();
        prop_assert!(Entry::starts(&bytes));
        prop_assert_eq!(Entry::read(&bytes), Ok(entry));
    }

    #[test]
    fn no_other_bytes_say_the_same(
        entry in entry(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = entry.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Entry::read(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }
}

#[test]
fn the_longest_entry_is_within_its_limit() {
    let hash = Hash([0xff; 32]);
    let reason = Reason::Mistake;
    for op in [Op::Put { line_hash: hash }, Op::Retract { reason }] {
        let longest = Entry {
            op,
            id: RecordId::new(Timestamp::from_unix_ms(1).expect("in range"), [0xff; 10]),
            rev: NUMBER_MAX,
            kind: "k".repeat(32).parse().expect("a kind"),
            drops: Some(hash),
        };
        assert!(longest.to_bytes().len() <= ENTRY_BYTES_MAX);
    }
}
