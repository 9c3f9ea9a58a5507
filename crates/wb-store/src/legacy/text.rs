//! Text as records allow it: UTF-8, LF for line ends, no other control characters.

/// Characters of a value that a problem shows.
const SHOWN_CHARS_MAX: usize = 40;

/// Text made fit, and what that took.
pub(super) struct Cleaned {
    /// The text.
    pub(super) text: String,
    /// Whether bytes were replaced.
    pub(super) replaced: bool,
    /// Control characters removed, and line breaks and tabs made spaces.
    pub(super) controls_n: usize,
}

/// Makes text fit for several lines, or for one.
pub(super) fn clean(bytes: &[u8], one_line: bool) -> Cleaned {
    let read = String::from_utf8_lossy(bytes);
    let replaced = matches!(read, std::borrow::Cow::Owned(_));
    let mut text = String::with_capacity(read.len());
    let mut controls_n = 0;
    let mut chars = read.chars().peekable();
    while let Some(c) = chars.next() {
        let c = match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                '\n'
            }
            // Vertical tab, form feed and next line end a line too.
            '\u{b}' | '\u{c}' | '\u{85}' => '\n',
            other => other,
        };
        match c {
            '\n' | '\t' if one_line => {
                controls_n += 1;
                text.push(' ');
            }
            '\n' | '\t' => text.push(c),
            c if c.is_control() => controls_n += 1,
            c => text.push(c),
        }
    }
    Cleaned {
        text,
        replaced,
        controls_n,
    }
}

/// A value shortened for a problem.
pub(super) fn shown(bytes: &[u8]) -> String {
    let end = bytes.len().min(4 * SHOWN_CHARS_MAX);
    let text = clean(&bytes[..end], true).text;
    if bytes.len() == end && text.chars().count() <= SHOWN_CHARS_MAX {
        return text;
    }
    text.chars().take(SHOWN_CHARS_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_become_lf_without_a_word() {
        let cleaned = clean(b"a\r\nb\rc\x0bd\n\te", false);
        assert_eq!(
            (cleaned.text.as_str(), cleaned.controls_n),
            ("a\nb\nc\nd\n\te", 0)
        );
    }

    #[test]
    fn control_characters_go_and_are_counted() {
        let cleaned = clean("a\0b\u{1b}[1m\u{9b}ü".as_bytes(), false);
        assert_eq!((cleaned.text.as_str(), cleaned.controls_n), ("ab[1mü", 3));
        let cleaned = clean(b"one\ntwo\tthree", true);
        assert_eq!(
            (cleaned.text.as_str(), cleaned.controls_n),
            ("one two three", 2)
        );
    }

    #[test]
    fn broken_bytes_are_replaced() {
        let cleaned = clean(b"a\xffb", false);
        assert_eq!(
            (cleaned.text.as_str(), cleaned.replaced),
            ("a\u{fffd}b", true)
        );
    }

    #[test]
    fn what_a_problem_shows_is_short() {
        assert_eq!(shown(&[b'x'; 10_000]).chars().count(), SHOWN_CHARS_MAX + 1);
        assert_eq!(shown(b"open"), "open");
    }
}
