//! Words: text of people in an address, and what went wrong.

use wb_node::NodeError;

/// A text in the query of an address.
pub(crate) fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What went wrong, as who filled in a form reads it. Where nothing can be written, that is what it is about, whatever
/// was being written.
pub(crate) fn failure(error: &NodeError) -> String {
    let what = if error.is_full() {
        "There is no room on the disk of this community's computer."
    } else if error.is_read_only() {
        "Nothing can be written on this community's computer."
    } else {
        return error.to_string();
    };
    format!(
        "{what} Nothing was changed, and everything before is safe. Tell your operator; once that is mended, send this \
         again."
    )
}
