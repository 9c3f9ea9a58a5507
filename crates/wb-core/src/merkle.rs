//! The root over the entries of a delta: the Merkle tree hash of RFC 6962, section 2.1.

use sha2::{Digest, Sha256};

use crate::id::Hash;

/// Root over leaves in order; the empty tree is the hash of nothing.
#[must_use]
pub fn root<T: AsRef<[u8]>>(leaves: &[T]) -> Hash {
    match leaves {
        [] => Hash(Sha256::digest([]).into()),
        [leaf] => hash_of_leaf(leaf.as_ref()),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            hash_of_two(&root(left), &root(right))
        }
    }
}

/// The audit path of a leaf: what it takes to come from it to the root, the nearest sibling first (section 2.1.1).
///
/// # Panics
/// When there is no leaf of that index.
#[must_use]
pub fn path<T: AsRef<[u8]>>(leaves: &[T], index: usize) -> Vec<Hash> {
    assert!(index < leaves.len(), "the leaf is one of them");
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut inside, beside) = match index.checked_sub(left.len()) {
        None => (path(left, index), root(right)),
        Some(index) => (path(right, index), root(left)),
    };
    inside.push(beside);
    inside
}

/// The root to which a path leads from a leaf among so many; none where it is no path of that leaf.
#[must_use]
pub fn root_by_path(leaf: &[u8], index: u64, leaves: u64, path: &[Hash]) -> Option<Hash> {
    if index >= leaves {
        return None;
    }
    let (mut at, mut last) = (index, leaves - 1);
    let mut hash = hash_of_leaf(leaf);
    for beside in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            hash = hash_of_two(beside, &hash);
            // A node without a sibling at its level goes up as it is.
            while at % 2 == 0 && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            hash = hash_of_two(&hash, beside);
        }
        (at, last) = (at / 2, last / 2);
    }
    (last == 0).then_some(hash)
}

/// The largest power of two smaller than a count above one.
fn split(count: usize) -> usize {
    1 << (usize::BITS - 1 - (count - 1).leading_zeros())
}

fn hash_of_leaf(leaf: &[u8]) -> Hash {
    let hash = Sha256::new().chain_update([0]).chain_update(leaf);
    Hash(hash.finalize().into())
}

fn hash_of_two(left: &Hash, right: &Hash) -> Hash {
    let hash = Sha256::new()
        .chain_update([1])
        .chain_update(left.0)
        .chain_update(right.0);
    Hash(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::{path, root, root_by_path};

    #[test]
    fn a_path_leads_from_each_leaf_to_the_root_and_from_no_other() {
        for count in 1..=40_usize {
            let leaves: Vec<[u8; 1]> = (0..40_u8).take(count).map(|n| [n]).collect();
            let top = Some(root(&leaves));
            for index in 0..count {
                let way = path(&leaves, index);
                assert!(way.len() <= 6);
                let from = |leaf: &[u8], index: usize, count: usize, way: &[_]| {
                    root_by_path(leaf, index as u64, count as u64, way)
                };
                assert_eq!(from(&leaves[index], index, count, &way), top);
                assert_ne!(from(b"other", index, count, &way), top);
                assert_eq!(from(&leaves[index], count, count, &way), None);
                for other in (0..count).filter(|other| *other != index) {
                    assert_ne!(
                        from(&leaves[index], other, count, &way),
                        top,
                        "{index} {other} {count}"
                    );
                }
                if let Some((_, shorter)) = way.split_last() {
                    assert_ne!(from(&leaves[index], index, count, shorter), top);
                }
                let longer = [way.as_slice(), &[root(&leaves)]].concat();
                assert_ne!(from(&leaves[index], index, count, &longer), top);
            }
        }
    }
}
