//! The live digest: what was added and not removed, in whatever order.

use proptest::collection::vec;
use proptest::prelude::*;
use wb_core::hash::sha256;
use wb_core::live::LiveHash;

fn sum(elements: &[u8]) -> LiveHash {
    let mut live = LiveHash::default();
    for element in elements {
        live.add(&sha256(&[*element]));
    }
    live
}

proptest! {
    #[test]
    fn order_does_not_matter(elements in vec(any::<u8>(), 0..12)) {
        let backwards: Vec<u8> = elements.iter().rev().copied().collect();
        prop_assert_eq!(sum(&elements), sum(&backwards));
    }

    #[test]
    fn removing_undoes(kept in vec(any::<u8>(), 0..8), removed in vec(any::<u8>(), 0..8)) {
        let mut live = sum(&[removed.clone(), kept.clone()].concat());
        for element in &removed {
            live.remove(&sha256(&[*element]));
        }
        prop_assert_eq!(live.digest(), sum(&kept).digest());
    }

    #[test]
    fn lanes_are_read_as_they_were_written(elements in vec(any::<u8>(), 0..8)) {
        let live = sum(&elements);
        prop_assert_eq!(LiveHash::from_bytes(&live.to_bytes()), Some(live));
    }

    #[test]
    fn another_set_has_another_digest(a in vec(any::<u8>(), 0..6), b in vec(any::<u8>(), 0..6)) {
        let sorted = |elements: &[u8]| {
            let mut elements = elements.to_vec();
            elements.sort_unstable();
            elements
        };
        prop_assert_eq!(sum(&a).digest() == sum(&b).digest(), sorted(&a) == sorted(&b));
    }
}
