//! Text of people: how it goes into an address.

/// A text in the query of an address.
pub(crate) fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
