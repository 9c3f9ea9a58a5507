//! Strict JSON: one line, one object, one meaning (spec: conventions, strict JSON).
//!
//! [`check`] decides whether a line may be read at all. Typed reading afterwards can use any JSON
//! library, because whatever libraries disagree about (duplicate keys, NUL, large numbers, deep
//! nesting, lone surrogates) is gone by then.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::limits::{JSON_DEPTH_MAX, LINE_BYTES_MAX, NUMBER_MAX};
use crate::rule::Rule;

/// Keys compared one by one before a set takes over, so that a line full of keys costs no square.
const KEYS_LINEAR_MAX: usize = 16;

/// Checks one line (without its LF) and returns its text.
///
/// # Errors
/// The first rule broken, in the order the spec gives.
///
/// ```
/// use wb_core::{json, rule::Rule};
/// assert!(json::check(br#"{"a":{"b":[1,2.5,"x"]}}"#).is_ok());
/// assert_eq!(json::check(br#"{"a":1,"\u0061":2}"#), Err(Rule::DuplicateKey));
/// ```
pub fn check(line: &[u8]) -> Result<&str, Rule> {
    check_document(line, LINE_BYTES_MAX)
}

/// Checks an object that is no line of a file and has a limit of its own.
///
/// # Errors
/// As [`check`].
pub fn check_document(line: &[u8], bytes_max: usize) -> Result<&str, Rule> {
    scan(line, bytes_max, &mut |_, _| {})
}

/// Checks one line as [`check`] does, and gives the members of its object on the way: each key as it reads, and
/// where its value stands. What was given counts only when the whole line is sound.
///
/// # Errors
/// As [`check`].
pub(crate) fn members(
    line: &[u8],
    mut each: impl FnMut(&[u8], Range<usize>),
) -> Result<&str, Rule> {
    scan(line, LINE_BYTES_MAX, &mut each)
}

fn scan<'a>(
    line: &'a [u8],
    bytes_max: usize,
    each: &mut impl FnMut(&[u8], Range<usize>),
) -> Result<&'a str, Rule> {
    if line.len() > bytes_max {
        return Err(Rule::LineTooLong);
    }
    let text = std::str::from_utf8(line).map_err(|_| Rule::NotUtf8)?;
    let mut scanner = Scanner {
        bytes: line,
        at: 0,
        depth: 0,
    };
    // White space around the value has no place in a line, so the value starts at once.
    let is_object = scanner.peek() == Some(b'{');
    if is_object {
        scanner.object(each)?;
    } else {
        scanner.value()?;
    }
    if scanner.at != line.len() {
        return Err(Rule::NotJson);
    }
    if is_object {
        Ok(text)
    } else {
        Err(Rule::NotAnObject)
    }
}

/// Reads a member that may be null but not absent.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    serde::Deserialize::deserialize(deserializer)
}

/// Makes types read from an object and nothing else: a derived reader would take a list for a struct
/// as well, and other implementations would not. The types derive with `#[serde(remote = "Self")]`.
macro_rules! object_only {
    ($($type:ty),* $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;

                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A>(self, map: A) -> Result<$type, A::Error>
                    where
                        A: serde::de::MapAccess<'de>,
                    {
                        <$type>::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }

                deserializer.deserialize_map(Object)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$type>::serialize(self, serializer)
            }
        }
    )*};
}

/// Makes enums of words read from a text and nothing else: a derived reader would take
/// `{"word":null}` as well. The types derive with `#[serde(remote = "Self")]`.
macro_rules! text_only {
    ($($type:ty),* $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::IntoDeserializer as _;
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                <$type>::deserialize(text.as_ref().into_deserializer())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$type>::serialize(self, serializer)
            }
        }
    )*};
}

pub(crate) use {object_only, text_only};

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Rule> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(Rule::NotJson)
        }
    }

    /// Space and tab only: CR and LF end lines and cannot stand inside one.
    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<(), Rule> {
        match self.peek() {
            Some(b'{') => self.object(&mut |_, _| {}),
            Some(b'[') => self.array(),
            Some(b'"') => self.pass_string().map(drop),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(Rule::NotJson),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Rule> {
        word.iter().try_for_each(|byte| self.expect(*byte))
    }

    fn enter(&mut self) -> Result<(), Rule> {
        self.at += 1;
        self.depth += 1;
        if self.depth > JSON_DEPTH_MAX {
            Err(Rule::TooDeep)
        } else {
            Ok(())
        }
    }

    fn leave(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    fn array(&mut self) -> Result<(), Rule> {
        self.enter()?;
        self.skip_white_space();
        if self.peek() == Some(b']') {
            self.leave();
            return Ok(());
        }
        loop {
            self.skip_white_space();
            self.value()?;
            self.skip_white_space();
            if self.peek() == Some(b']') {
                self.leave();
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, each: &mut impl FnMut(&[u8], Range<usize>)) -> Result<(), Rule> {
        self.enter()?;
        self.skip_white_space();
        if self.peek() == Some(b'}') {
            self.leave();
            return Ok(());
        }
        let mut keys = Keys::default();
        loop {
            self.skip_white_space();
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return Err(Rule::DuplicateKey);
            }
            self.skip_white_space();
            self.expect(b':')?;
            self.skip_white_space();
            let start = self.at;
            self.value()?;
            each(&key, start..self.at);
            self.skip_white_space();
            if self.peek() == Some(b'}') {
                self.leave();
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// Passes over a string; whether it has escapes.
    fn pass_string(&mut self) -> Result<bool, Rule> {
        self.expect(b'"')?;
        let mut has_escapes = false;
        loop {
            self.at += plain_len(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.at += 1;
                    self.escape()?;
                }
                Some(0) => return Err(Rule::Nul),
                _ => return Err(Rule::NotJson),
            }
        }
    }

    /// Reads a string and returns its value, copied only when it has escapes.
    fn string(&mut self) -> Result<Cow<'a, [u8]>, Rule> {
        let start = self.at + 1;
        let has_escapes = self.pass_string()?;
        let raw = &self.bytes[start..self.at - 1];
        if has_escapes {
            unescape(raw).map(Cow::Owned)
        } else {
            Ok(Cow::Borrowed(raw))
        }
    }

    fn escape(&mut self) -> Result<char, Rule> {
        let byte = self.peek().ok_or(Rule::NotJson)?;
        let simple = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(Rule::NotJson),
        };
        self.at += 1;
        Ok(simple)
    }

    fn unicode_escape(&mut self) -> Result<char, Rule> {
        let first = self.four_hex_digits()?;
        let code = match first {
            0 => return Err(Rule::Nul),
            0xd800..=0xdbff => {
                self.expect(b'\\')?;
                self.expect(b'u')?;
                let second = self.four_hex_digits()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(Rule::NotJson);
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            _ => first,
        };
        char::from_u32(code).ok_or(Rule::NotJson)
    }

    fn four_hex_digits(&mut self) -> Result<u32, Rule> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or(Rule::NotJson)?;
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> Result<(), Rule> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(Rule::NotJson);
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Rule> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.at;
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let whole_end = self.at;
        let mut is_integer = true;
        if self.peek() == Some(b'.') {
            is_integer = false;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_integer = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let in_range = if is_integer {
            ascii(&self.bytes[whole..whole_end])
                .parse::<u64>()
                .is_ok_and(|n| n <= NUMBER_MAX)
        } else {
            let value: f64 = ascii(&self.bytes[start..self.at])
                .parse()
                .unwrap_or(f64::INFINITY);
            value.abs() <= 9_007_199_254_740_992.0
        };
        if in_range {
            Ok(())
        } else {
            Err(Rule::NumberOutOfRange)
        }
    }
}

/// What stands between the quotes of a string that was passed over, without its escapes.
fn unescape(raw: &[u8]) -> Result<Vec<u8>, Rule> {
    let mut scanner = Scanner {
        bytes: raw,
        at: 0,
        depth: 0,
    };
    let mut value = Vec::with_capacity(raw.len());
    loop {
        let start = scanner.at;
        scanner.at += plain_len(&raw[start..]);
        value.extend_from_slice(&raw[start..scanner.at]);
        if scanner.at == raw.len() {
            return Ok(value);
        }
        scanner.expect(b'\\')?;
        let escaped = scanner.escape()?;
        value.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// How many bytes at the beginning stand for themselves in a string: neither quote, backslash nor control character.
/// Eight at a time, because most of a feed is text.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return nth * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let plain = rest.iter().position(is_special).unwrap_or(rest.len());
    words.len() * 8 + plain
}

/// Sets the highest bit of the first byte that does not stand for itself; of bytes above that one it may set too many,
/// because the subtractions borrow from there.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let is_control = word.wrapping_sub(ONES * 0x20) & !word;
    let is_quote = is_zero(word ^ (ONES * u64::from(b'"')));
    let is_backslash = is_zero(word ^ (ONES * u64::from(b'\\')));
    (is_control | is_quote | is_backslash) & HIGH
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("a number token is ASCII")
}

/// The keys of one object, so far. Few of them need no memory of their own: every line has three objects.
struct Keys<'a> {
    few: [Cow<'a, [u8]>; KEYS_LINEAR_MAX],
    /// How many of those places are taken.
    taken: usize,
    many: BTreeSet<Cow<'a, [u8]>>,
}

impl Default for Keys<'_> {
    fn default() -> Self {
        Self {
            few: [const { Cow::Borrowed(&[]) }; KEYS_LINEAR_MAX],
            taken: 0,
            many: BTreeSet::new(),
        }
    }
}

impl<'a> Keys<'a> {
    /// Adds a key; false when it was there.
    fn insert(&mut self, key: Cow<'a, [u8]>) -> bool {
        if !self.many.is_empty() {
            return self.many.insert(key);
        }
        if self.few[..self.taken].contains(&key) {
            return false;
        }
        if let Some(place) = self.few.get_mut(self.taken) {
            *place = key;
            self.taken += 1;
        } else {
            self.many = self.few.iter_mut().map(std::mem::take).collect();
            self.many.insert(key);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_full_of_keys_is_read_and_its_duplicate_found() {
        let mut line = String::from("{");
        for i in 0..20_000 {
            line.push_str(&format!("\"k{i}\":1,"));
        }
        let unique = format!("{line}\"k\":1}}");
        assert!(check(unique.as_bytes()).is_ok());
        let doubled = format!("{line}\"k7\":1}}");
        assert_eq!(check(doubled.as_bytes()), Err(Rule::DuplicateKey));
    }

    /// Every byte at every place of a word and behind it: what is looked at eight at a time is what is looked at one
    /// by one.
    #[test]
    fn what_stands_for_itself_is_found_alike_eight_at_a_time() {
        for length in 0..20 {
            for place in 0..length {
                for byte in 0..=255_u8 {
                    for around in [b'a', 0x80, 0xff, b' ', b'!', b'#', b'[', b']'] {
                        let mut bytes = vec![around; length];
                        bytes[place] = byte;
                        let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
                        let expected = bytes.iter().take_while(|byte| plain(byte)).count();
                        assert_eq!(plain_len(&bytes), expected, "{bytes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn white_space_may_stand_inside_but_not_around() {
        assert!(check(b"{ \"a\" :\t[ ] , \"b\" : { } }").is_ok());
        assert_eq!(check(b" {}"), Err(Rule::NotJson));
        assert_eq!(check(b"{}\n"), Err(Rule::NotJson));
        assert_eq!(check(b"{\n}"), Err(Rule::NotJson));
    }
}
