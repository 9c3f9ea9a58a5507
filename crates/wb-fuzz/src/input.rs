//! How the bytes of an input become what a decoder takes.

/// The first byte of an input, which says how the rest is to be treated, and the rest.
pub fn mode(input: &[u8]) -> (u8, &[u8]) {
    input
        .split_first()
        .map_or((0, input), |(mode, rest)| (*mode, rest))
}

/// Lines without their LF, as a reader of a file gets them.
pub fn lines(input: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = input
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines
}

/// A seed with a mode in front of its lines.
pub fn seed<L: AsRef<[u8]>>(mode: u8, lines: impl IntoIterator<Item = L>) -> Vec<u8> {
    let mut bytes = vec![mode];
    for line in lines {
        bytes.extend_from_slice(line.as_ref());
        bytes.push(b'\n');
    }
    bytes
}
