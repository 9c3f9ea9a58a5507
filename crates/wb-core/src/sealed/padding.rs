//! The length of what is sealed: rounded up, so that it tells little about what is inside.

/// The shortest plaintext; a short answer looks like a few records.
const SHORTEST: usize = 4_096;

/// The length that a plaintext of `n` bytes is brought to: at least 4,096, and above that at most 12 % more.
///
/// ```
/// use wb_core::sealed::padded;
/// assert_eq!(padded(10), 4_096);
/// assert_eq!(padded(5_000), 5_120);
/// ```
#[must_use]
pub fn padded(n: usize) -> usize {
    let n = n.max(SHORTEST);
    let exponent = n.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1_usize << (exponent - kept)) - 1;
    (n + mask) & !mask
}
