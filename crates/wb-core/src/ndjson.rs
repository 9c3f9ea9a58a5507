//! Lines one after the other, each ended by a line feed: the form of every stream and bundle.
//!
//! What a line holds is read elsewhere; here is only where one ends.

/// The lines of a body, without their line feed. Empty ones are passed over: they say nothing.
pub fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
}

/// Cuts the first line off a body.
///
/// ```
/// use wb_core::ndjson;
/// assert_eq!(ndjson::split_first(b"{}\n[]\n"), (&b"{}"[..], &b"[]\n"[..]));
/// assert_eq!(ndjson::split_first(b"{}"), (&b"{}"[..], &b""[..]));
/// ```
#[must_use]
pub fn split_first(body: &[u8]) -> (&[u8], &[u8]) {
    match body.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&body[..end], &body[end + 1..]),
        None => (body, &[]),
    }
}

/// Adds a line with its line feed.
pub fn put_line(body: &mut Vec<u8>, line: &[u8]) {
    body.extend_from_slice(line);
    body.push(b'\n');
}
