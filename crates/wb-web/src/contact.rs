//! Ways to reach somebody, in a text that may leave: what is warned of before it does.
//!
//! It is a warning, and its author decides: so it would rather see one too many than one too few, but for
//! dates and times of day, which nearly every request has.

/// What is said where a text that may leave holds a way to reach somebody.
pub(crate) const WARNING: &str = "There seems to be an e-mail address or a phone number in this text. It would leave with it, and cannot be \
     called back from whoever read it.";

/// Digits in a row, however they are grouped, that make a phone number.
const PHONE_DIGITS_MIN: usize = 7;

/// What people write for the signs of an address so that programs do not see it.
const SPELT: [(&str, &str); 8] = [
    (" (at) ", "@"),
    (" [at] ", "@"),
    ("(at)", "@"),
    ("[at]", "@"),
    (" (dot) ", "."),
    (" [dot] ", "."),
    ("(dot)", "."),
    ("[dot]", "."),
];

/// Whether one of some texts seems to hold an e-mail address or a phone number.
pub(crate) fn is_in(texts: &[&str]) -> bool {
    texts.iter().any(|text| has_email(text) || has_phone(text))
}

/// Whether texts seem to hold one that was not in them before: in a line that was not there like this, or at all.
pub(crate) fn is_new_in(texts: &[&str], before: &[&str]) -> bool {
    let is_known = |line: &str| {
        before
            .iter()
            .any(|text| text.lines().any(|known| known == line))
    };
    let mut lines = texts.iter().flat_map(|text| text.lines());
    lines.any(|line| is_in(&[line]) && !is_known(line)) || (is_in(texts) && !is_in(before))
}

fn has_email(text: &str) -> bool {
    let plain = SPELT
        .iter()
        .fold(text.to_lowercase(), |text, (spelt, sign)| {
            text.replace(spelt, sign)
        });
    plain.split_whitespace().any(is_email)
}

fn is_email(word: &str) -> bool {
    // The last one: an address of the fediverse has two.
    let Some((before, after)) = word.rsplit_once('@') else {
        return false;
    };
    let is_named = before
        .chars()
        .next_back()
        .is_some_and(char::is_alphanumeric);
    let domain: String = after
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '-'))
        .collect();
    let labels: Vec<&str> = domain.trim_end_matches(['.', '-']).split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    is_named
        && labels.len() > 1
        && labels.iter().all(|label| !label.is_empty())
        && last.chars().count() > 1
        && last.chars().all(char::is_alphabetic)
}

/// Digits, and the sign between them and the next.
struct Group {
    digits: String,
    /// What stands between this group and the next; empty where something else than signs does.
    gap: String,
}

fn has_phone(text: &str) -> bool {
    let groups = groups(text);
    let (mut at, mut digits) = (0, 0);
    while at < groups.len() {
        let length = day_or_time(&groups, at);
        if length > 0 {
            (at, digits) = (at + length, 0);
            continue;
        }
        digits += groups[at].digits.chars().count();
        if digits >= PHONE_DIGITS_MIN {
            return true;
        }
        if groups[at].gap.is_empty() {
            digits = 0;
        }
        at += 1;
    }
    false
}

/// Parts a text into its groups of digits.
fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // Whether only signs that group a number came since the last digit.
    let mut is_near = false;
    for letter in text.chars() {
        if letter.is_numeric() {
            match groups.last_mut() {
                Some(last) if is_near && last.gap.is_empty() => last.digits.push(letter),
                _ => groups.push(Group {
                    digits: letter.to_string(),
                    gap: String::new(),
                }),
            }
            is_near = true;
        } else if let Some(last) = groups.last_mut() {
            if is_near && is_sign(letter) {
                last.gap.push(letter);
            } else {
                last.gap.clear();
                is_near = false;
            }
        }
    }
    // What ends a sentence groups nothing.
    if let Some(last) = groups.last_mut() {
        last.gap.clear();
    }
    groups
}

/// Whether a sign groups the digits of a number.
fn is_sign(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '-' | '.' | '/' | '(' | ')' | '+' | '\u{a0}' | '\u{202f}' | '\u{2010}'..='\u{2013}'
    )
}

/// How many groups from here are a day or a time of day that stands alone; 0 where they are neither.
fn day_or_time(groups: &[Group], at: usize) -> usize {
    let sign = groups[at].gap.as_str();
    if !matches!(sign, "." | "/" | "-") {
        return 0;
    }
    // What goes on with the same sign is neither: 06.12.34.56.78 is a number.
    let stands_alone = |length: usize| {
        let before = at.checked_sub(1).map(|before| groups[before].gap.as_str());
        let after = groups[at + length - 1].gap.as_str();
        before != Some(sign) && after != sign
    };
    let number = |index: usize, digits: std::ops::RangeInclusive<usize>, max: u32| {
        let group = groups.get(at + index)?;
        let value: u32 = group.digits.parse().ok()?;
        (digits.contains(&group.digits.len()) && value <= max).then_some(())
    };
    let is_day = || {
        number(0, 1..=2, 31)?;
        number(1, 1..=2, 31)?;
        number(2, 2..=2, 99).or_else(|| number(2, 4..=4, 2_999))
    };
    let is_long_day = || {
        number(0, 4..=4, 2_999)?;
        number(1, 2..=2, 12)?;
        number(2, 2..=2, 31)
    };
    let is_time = || {
        number(0, 1..=2, 24)?;
        number(1, 2..=2, 59)
    };
    let same_sign = groups.get(at + 1).is_some_and(|next| next.gap == sign);
    if same_sign && is_day().or_else(is_long_day).is_some() && stands_alone(3) {
        return 3;
    }
    if sign == "." && is_time().is_some() && stands_alone(2) {
        return 2;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: &[&str] = &[
        "write to maren@example.org.",
        "<maren.lund+help@sub.example.co.uk>",
        "mailto:maren@example.org",
        "maren(at)example(dot)org",
        "Maren [AT] example [dot] org",
        "@maren@social.example",
        "märz@bücher.example",
        "call 030 123 45 67",
        "+49 (30) 1234567",
        "0301234567",
        "030/1234567",
        "(555) 123-4567",
        "555-0199 1",
        "06.12.34.56.78",
        "06 12 34 56 78",
        "+44\u{a0}20\u{a0}7946\u{a0}0000",
        "0170\u{2011}1234567",
        "on 12.11.2026 call 0301234567",
        "before 9.00: 0170 1234567",
        "\u{0660}\u{0661}\u{0662}\u{0663}\u{0664}\u{0665}\u{0666}\u{0667}",
        "tel.0301234567",
    ];

    const NO: &[&str] = &[
        "",
        "at 9 on the 12th",
        "2 @ 3",
        "10:30 to 11:45",
        "@maren",
        "apples@5.50",
        "me@home",
        "rooms 12 and 14",
        "on 12.11.2026",
        "It is for 12.11.2026.",
        "2026-11-29",
        "11/29/2026",
        "from 12.11.2026 to 14.11.2026",
        "29.11.26, 9.00-17.00",
        "12.11.2026 10.30",
        "in 10115 Berlin",
        "12 chairs, 3 tables and 140 plates",
        "room 12\nroom 345\nroom 6789",
    ];

    #[test]
    fn ways_to_reach_somebody_are_seen() {
        for text in YES {
            assert!(is_in(&[text]), "{text}");
        }
    }

    #[test]
    fn dates_times_and_small_numbers_are_not_taken_for_one() {
        for text in NO {
            assert!(!is_in(&[text]), "{text}");
        }
    }
}
