//! The root over the entries of a delta: the Merkle tree hash of RFC 6962, section 2.1.

use sha2::{Digest, Sha256};

use crate::id::Hash;

/// Root over leaves in order; the empty tree is the hash of nothing.
#[must_use]
pub fn root<T: AsRef<[u8]>>(leaves: &[T]) -> Hash {
    match leaves {
        [] => Hash(Sha256::digest([]).into()),
        [leaf] => Hash(
            Sha256::new()
                .chain_update([0])
                .chain_update(leaf)
                .finalize()
                .into(),
        ),
        _ => {
            // The largest power of two smaller than the count.
            let split = 1 << (usize::BITS - 1 - (leaves.len() - 1).leading_zeros());
            let (left, right) = leaves.split_at(split);
            let node = Sha256::new()
                .chain_update([1])
                .chain_update(root(left).0)
                .chain_update(root(right).0);
            Hash(node.finalize().into())
        }
    }
}
