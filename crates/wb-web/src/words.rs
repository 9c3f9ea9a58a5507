//! Words: text of people in an address, commands in a sentence, and what went wrong.

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

/// A sentence in parts, each with whether it is a command: what stands between backticks. A template escapes each.
pub(crate) fn parts(text: &str) -> Vec<(bool, &str)> {
    let all: Vec<&str> = text.split('`').collect();
    // The last of an odd number of backticks begins nothing.
    let open = all
        .len()
        .is_multiple_of(2)
        .then(|| text.rfind('`'))
        .flatten();
    let (closed, rest) = open.map_or((text, ""), |at| text.split_at(at));
    let closed = closed.split('`').enumerate();
    let closed = closed.map(|(index, part)| (index % 2 == 1, part));
    let parts = closed.chain([(false, rest)]);
    parts.filter(|(_, part)| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_a_command() {
        let text = "run `wb sync`, or `wb up`";
        let found = [
            (false, "run "),
            (true, "wb sync"),
            (false, ", or "),
            (true, "wb up"),
        ];
        assert_eq!(parts(text), found);
        assert_eq!(parts("nothing"), [(false, "nothing")]);
        assert_eq!(parts(""), []);
        // One alone is a sign like any other.
        assert_eq!(parts("Fir`"), [(false, "Fir"), (false, "`")]);
        assert_eq!(
            parts("`a` b` c"),
            [(true, "a"), (false, " b"), (false, "` c")]
        );
    }
}
