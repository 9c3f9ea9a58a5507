//! Text of people: what it holds, and how it goes into an address.

/// What is said where a text that may leave holds a way to reach somebody.
pub(crate) const CONTACT_WARNING: &str = "There seems to be an e-mail address or a phone number in this text. It would leave with it, and cannot be \
     called back from whoever read it.";

/// Digits in a row, however they are grouped, that make a phone number.
const PHONE_DIGITS_MIN: usize = 7;

/// Whether a text seems to hold an e-mail address or a phone number.
pub(crate) fn has_contact(text: &str) -> bool {
    text.split_whitespace().any(is_email) || has_phone(text)
}

fn is_email(word: &str) -> bool {
    let Some((before, after)) = word.split_once('@') else {
        return false;
    };
    let is_named = before
        .chars()
        .next_back()
        .is_some_and(char::is_alphanumeric);
    let domain = after.trim_end_matches(|letter: char| !letter.is_alphanumeric());
    is_named
        && domain
            .split_once('.')
            .is_some_and(|(name, rest)| !name.is_empty() && !rest.is_empty())
}

fn has_phone(text: &str) -> bool {
    let mut digits = 0;
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            digits += 1;
            if digits >= PHONE_DIGITS_MIN {
                return true;
            }
        } else if !matches!(letter, ' ' | '-' | '.' | '/' | '(' | ')' | '+' | '\u{a0}') {
            digits = 0;
        }
    }
    false
}

/// A text in the query of an address.
pub(crate) fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_reach_somebody_are_seen() {
        for text in [
            "write to maren@example.org.",
            "call 030 123 45 67",
            "+49 (30) 1234567",
            "0301234567",
        ] {
            assert!(has_contact(text), "{text}");
        }
        for text in [
            "at 9 on the 12th",
            "2 @ 3",
            "10:30 to 11:45",
            "@maren",
            "rooms 12 and 14",
        ] {
            assert!(!has_contact(text), "{text}");
        }
    }
}
