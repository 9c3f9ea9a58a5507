//! Looking for words in bytes, however they were written down.
//!
//! A word that leaked may stand in a file as it is, escaped in JSON, as UTF-16, in hex or in base64.
//! Every needle is looked for in all of these forms at once, in whatever bytes there are.

use std::collections::{BTreeSet, HashMap};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

/// Something to look for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needle {
    /// Where it comes from, for messages.
    pub label: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it counts only between characters that are no letters and digits: a token of six hex
    /// digits stands by accident in the midst of many a hash.
    pub alone: bool,
}

impl Needle {
    /// A text.
    pub fn text(label: impl Into<String>, text: &str) -> Self {
        Self {
            label: label.into(),
            bytes: text.as_bytes().to_vec(),
            alone: text.len() < 10,
        }
    }

    /// Bytes that are no text.
    pub fn bytes(label: impl Into<String>, bytes: &[u8]) -> Self {
        Self {
            label: label.into(),
            bytes: bytes.to_vec(),
            alone: false,
        }
    }
}

/// A needle that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Which one.
    pub label: String,
    /// In which form.
    pub form: &'static str,
}

/// A needle in one form.
struct Pattern {
    label: String,
    form: &'static str,
    bytes: Vec<u8>,
    alone: bool,
}

/// How many bytes of a pattern are looked up at once.
const PREFIX_BYTES: usize = 4;

/// Many needles in all their forms.
pub struct Searcher {
    patterns: Vec<Pattern>,
    by_prefix: HashMap<[u8; PREFIX_BYTES], Vec<usize>>,
    first_two: Vec<bool>,
}

impl Searcher {
    /// Prepares the forms of some needles.
    pub fn new<'n>(needles: impl IntoIterator<Item = &'n Needle>) -> Self {
        let mut searcher = Self {
            patterns: Vec::new(),
            by_prefix: HashMap::new(),
            first_two: vec![false; 1 << 16],
        };
        for needle in needles {
            for (form, bytes) in forms(&needle.bytes) {
                let prefix = bytes.first_chunk().unwrap_or_else(|| {
                    panic!("{}: too short to be looked for as {form}", needle.label)
                });
                let place = searcher.patterns.len();
                searcher.by_prefix.entry(*prefix).or_default().push(place);
                searcher.first_two[two(prefix)] = true;
                searcher.patterns.push(Pattern {
                    label: needle.label.clone(),
                    form,
                    alone: needle.alone,
                    bytes,
                });
            }
        }
        searcher
    }

    /// Every needle that stands somewhere in `hay`, with the form it has there.
    pub fn find(&self, hay: &[u8]) -> BTreeSet<Found> {
        let mut found = BTreeSet::new();
        for (at, window) in hay.windows(PREFIX_BYTES).enumerate() {
            if !self.first_two[two(window)] {
                continue;
            }
            let Some(places) = self.by_prefix.get(window) else {
                continue;
            };
            for pattern in places.iter().map(|place| &self.patterns[*place]) {
                if pattern.stands_at(hay, at) {
                    found.insert(Found {
                        label: pattern.label.clone(),
                        form: pattern.form,
                    });
                }
            }
        }
        found
    }

    /// The needles that stand nowhere in any of `hays`, in no form.
    pub fn missing(&self, hays: &[&[u8]]) -> BTreeSet<String> {
        let mut missing: BTreeSet<String> = self
            .patterns
            .iter()
            .map(|pattern| pattern.label.clone())
            .collect();
        for hay in hays {
            for found in self.find(hay) {
                missing.remove(&found.label);
            }
        }
        missing
    }
}

impl Pattern {
    fn stands_at(&self, hay: &[u8], at: usize) -> bool {
        let Some(rest) = hay[at..].strip_prefix(self.bytes.as_slice()) else {
            return false;
        };
        let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let before = at.checked_sub(1).and_then(|before| hay.get(before));
        !self.alone || !(joins(before) || joins(rest.first()))
    }
}

fn two(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// The forms in which bytes may have been written down; each only once.
fn forms(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("as it is", bytes.to_vec()),
        ("hex", HEXLOWER.encode(bytes).into_bytes()),
        ("upper-case hex", HEXUPPER.encode(bytes).into_bytes()),
    ];
    if let Ok(text) = std::str::from_utf8(bytes) {
        let json = serde_json::to_string(text).expect("a text is JSON");
        forms.push(("JSON", json[1..json.len() - 1].into()));
        // A JSON text that was put into JSON once more.
        let twice = serde_json::to_string(&json).expect("a text is JSON");
        forms.push(("JSON in JSON", twice[3..twice.len() - 3].into()));
        forms.push(("ASCII JSON", ascii_json(&json[1..json.len() - 1])));
        let utf16 = || text.encode_utf16();
        forms.push(("UTF-16LE", utf16().flat_map(u16::to_le_bytes).collect()));
        forms.push(("UTF-16BE", utf16().flat_map(u16::to_be_bytes).collect()));
    }
    for skip in 0..3 {
        let padded = [&vec![0; skip], bytes].concat();
        // The characters that depend on these bytes alone, wherever in a stream they stand.
        let (start, end) = ((skip * 8).div_ceil(6), padded.len() * 8 / 6);
        let standard = &BASE64_NOPAD.encode(&padded)[start..end];
        let url = &BASE64URL_NOPAD.encode(&padded)[start..end];
        forms.push(("base64", standard.into()));
        forms.push(("base64url", url.into()));
    }
    let mut seen = BTreeSet::new();
    forms.retain(|(_, bytes)| seen.insert(bytes.clone()));
    forms
}

fn ascii_json(json: &str) -> Vec<u8> {
    let mut ascii = String::new();
    for unit in json.encode_utf16() {
        match u8::try_from(unit).ok().filter(u8::is_ascii) {
            Some(byte) => ascii.push(byte.into()),
            None => ascii.push_str(&format!("\\u{unit:04x}")),
        }
    }
    ascii.into_bytes()
}

#[test]
fn every_form_is_found_and_nothing_else() {
    let needle = Needle::text("the note", "Grüße an \"Ida\"\nund Ömer");
    let searcher = Searcher::new([&needle]);
    for before in ["", "x", "xy", "xyz"] {
        for (form, bytes) in forms(&needle.bytes) {
            let hay = [before.as_bytes(), &bytes, b"after"].concat();
            let found = searcher.find(&hay);
            assert!(found.iter().any(|f| f.form == form), "{form}: {found:?}");
        }
        let inside = [before.as_bytes(), &needle.bytes, b"after"].concat();
        for encoded in [
            BASE64_NOPAD.encode(&inside),
            BASE64URL_NOPAD.encode(&inside),
        ] {
            assert_eq!(searcher.find(encoded.as_bytes()).len(), 1, "{encoded}");
        }
    }
    assert_eq!(searcher.find("Grüße an Ida und Ömer".as_bytes()).len(), 0);
    assert_eq!(searcher.missing(&[b"nothing"]).len(), 1);
}

#[test]
fn a_short_token_counts_only_by_itself() {
    let searcher = Searcher::new([&Needle::text("token", "a03dde")]);
    assert_eq!(searcher.find(b"77a03dde00").len(), 0);
    for hay in ["{\"t\":\"a03dde\"}", "/invite/a03dde", "a03dde\n"] {
        assert_eq!(searcher.find(hay.as_bytes()).len(), 1, "{hay}");
    }
}
