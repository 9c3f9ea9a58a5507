//! One coding undone, wherever in some bytes it stands.
//!
//! Each function gives what it made of the places that look like its coding, one below the other, and
//! nothing where there is no such place. Where it cannot be told with which character a coding begins,
//! every beginning is tried.

use std::io::Read as _;

use data_encoding::{Encoding, HEXLOWER_PERMISSIVE, Specification};

/// Characters of base64 or hex that are undone: shorter ones say 17 bytes or 11 at most, and a word of
/// the language may look like them.
const CHARACTERS_MIN: usize = 24;

/// Bytes that may come out of one compressed stream; protects the memory of the tests.
const UNPACKED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How a stream of zstd begins (RFC 8878).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// How a stream of gzip begins that is packed as all are (RFC 1952).
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// What undoing a coding makes of some bytes.
type Undo = fn(&[u8]) -> Vec<Vec<u8>>;

/// Every coding that can stand in the midst of other bytes.
pub const ALL: [(&str, Undo); 9] = [
    ("base64", base64),
    ("base64 of URLs", base64_of_urls),
    ("hex", hex),
    ("percent", percent),
    ("form", form),
    ("JSON", json),
    ("HTML", html),
    ("zstd", zstd_inside),
    ("gzip", gzip_inside),
];

/// Undoes the codings of a body, the last one first.
pub fn content(codings: &[String], body: &[u8], is_cut: bool) -> Vec<u8> {
    let mut body = body.to_vec();
    for coding in codings.iter().rev() {
        body = match coding.as_str() {
            "identity" => body,
            "zstd" => unpacked(&body, is_cut),
            "gzip" | "x-gzip" => unzipped(&body, is_cut),
            other => panic!("nothing here undoes the coding {other}"),
        };
    }
    body
}

/// All that a stream of zstd holds; of one that is cut, all that came.
fn unpacked(bytes: &[u8], is_cut: bool) -> Vec<u8> {
    let decoder = zstd::Decoder::new(bytes).expect("memory for the window");
    let (out, end) = read_all(decoder);
    if let Err(error) = end {
        assert!(is_cut, "a body of zstd that does not unpack: {error}");
    }
    out
}

/// The same of gzip.
fn unzipped(bytes: &[u8], is_cut: bool) -> Vec<u8> {
    let (out, end) = read_all(flate2::read::MultiGzDecoder::new(bytes));
    if let Err(error) = end {
        assert!(is_cut, "a body of gzip that does not unpack: {error}");
    }
    out
}

/// Streams of gzip in the midst of other bytes, as those of zstd.
fn gzip_inside(bytes: &[u8]) -> Vec<Vec<u8>> {
    let places = bytes.windows(GZIP_MAGIC.len()).enumerate();
    let starts = places.filter(|(_, part)| *part == GZIP_MAGIC);
    let streams = starts.map(|(at, _)| read_all(flate2::read::GzDecoder::new(&bytes[at..])).0);
    streams.filter(|stream| !stream.is_empty()).collect()
}

fn read_all(decoder: impl std::io::Read) -> (Vec<u8>, std::io::Result<usize>) {
    let mut out = Vec::new();
    let end = decoder.take(UNPACKED_BYTES_MAX).read_to_end(&mut out);
    assert!(
        (out.len() as u64) < UNPACKED_BYTES_MAX,
        "more than {UNPACKED_BYTES_MAX} bytes come out of one stream"
    );
    (out, end)
}

/// Streams of zstd in the midst of other bytes. What unpacks before an error counts: the same four
/// bytes may stand there by accident.
fn zstd_inside(bytes: &[u8]) -> Vec<Vec<u8>> {
    let places = bytes.windows(ZSTD_MAGIC.len()).enumerate();
    let starts = places.filter(|(_, part)| *part == ZSTD_MAGIC);
    let streams = starts.map(|(at, _)| {
        let decoder = zstd::Decoder::new(&bytes[at..]).expect("memory for the window");
        read_all(decoder.single_frame()).0
    });
    streams.filter(|stream| !stream.is_empty()).collect()
}

/// The longest parts that hold only bytes of a kind.
fn runs(bytes: &[u8], is_of: impl Fn(u8) -> bool) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(move |byte| !is_of(*byte))
        .filter(|run| run.len() >= CHARACTERS_MIN)
}

/// Puts what was found one below the other, so that nothing new arises where two pieces meet.
fn joined(pieces: impl IntoIterator<Item = Vec<u8>>) -> Option<Vec<u8>> {
    let pieces: Vec<Vec<u8>> = pieces.into_iter().collect();
    (!pieces.is_empty()).then(|| pieces.join(&b'\n'))
}

fn base64(bytes: &[u8]) -> Vec<Vec<u8>> {
    base64_with(bytes, b'+', b'/')
}

fn base64_of_urls(bytes: &[u8]) -> Vec<Vec<u8>> {
    base64_with(bytes, b'-', b'_')
}

fn base64_with(bytes: &[u8], value_62: u8, value_63: u8) -> Vec<Vec<u8>> {
    let encoding = loose_base64(value_62, value_63);
    let is_of = |byte: u8| byte.is_ascii_alphanumeric() || byte == value_62 || byte == value_63;
    let from = |skipped: usize| {
        let decoded = runs(bytes, is_of).map(|run| {
            let run = &run[skipped..];
            // One character alone holds no byte.
            let whole = run.len() - usize::from(run.len() % 4 == 1);
            encoding.decode(&run[..whole]).expect("of the alphabet")
        });
        joined(decoded)
    };
    (0..4).filter_map(from).collect()
}

/// Base64 that may break off anywhere.
fn loose_base64(value_62: u8, value_63: u8) -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.extend('A'..='Z');
    specification.symbols.extend('a'..='z');
    specification.symbols.extend('0'..='9');
    for symbol in [value_62, value_63] {
        specification.symbols.push(char::from(symbol));
    }
    specification.check_trailing_bits = false;
    specification.encoding().expect("64 different symbols")
}

fn hex(bytes: &[u8]) -> Vec<Vec<u8>> {
    let from = |skipped: usize| {
        let decoded = runs(bytes, |byte| byte.is_ascii_hexdigit()).map(|run| {
            let run = &run[skipped..];
            let whole = run.len() - run.len() % 2;
            HEXLOWER_PERMISSIVE
                .decode(&run[..whole])
                .expect("an even number of digits")
        });
        joined(decoded)
    };
    (0..2).filter_map(from).collect()
}

/// Undoes escapes that begin with a character, line by line of the text in some bytes; lines without
/// any say nothing new.
fn lines(bytes: &[u8], start: u8, undo: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<Vec<u8>> {
    let lines = bytes.split(u8::is_ascii_control);
    let lines = lines.filter(|line| line.contains(&start));
    let texts = lines.flat_map(|line| line.utf8_chunks().map(|chunk| chunk.valid()));
    joined(texts.filter_map(undo)).into_iter().collect()
}

fn percent(bytes: &[u8]) -> Vec<Vec<u8>> {
    lines(bytes, b'%', percent_undone)
}

/// What a form sends: a plus stands for a space.
fn form(bytes: &[u8]) -> Vec<Vec<u8>> {
    lines(bytes, b'+', |line| {
        let spaced = line.contains('+').then(|| line.replace('+', " "))?;
        Some(percent_undone(&spaced).unwrap_or_else(|| spaced.into_bytes()))
    })
}

fn percent_undone(line: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut rest = line.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    let mut is_changed = false;
    while let [first, after @ ..] = rest {
        if let (b'%', [high, low, behind @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            out.push(u8::try_from(high * 16 + low).expect("two digits are a byte"));
            (rest, is_changed) = (behind, true);
        } else {
            out.push(*first);
            rest = after;
        }
    }
    is_changed.then_some(out)
}

fn json(bytes: &[u8]) -> Vec<Vec<u8>> {
    lines(bytes, b'\\', json_undone)
}

fn json_undone(line: &str) -> Option<Vec<u8>> {
    let mut rest = line;
    let mut out = String::with_capacity(line.len());
    let mut is_changed = false;
    while let Some(place) = rest.find('\\') {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        if let Some((character, length)) = json_escape(rest) {
            out.push(character);
            (rest, is_changed) = (&rest[length..], true);
        } else {
            out.push('\\');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    is_changed.then(|| out.into_bytes())
}

/// The character of the escape that a text begins with, and the length of the escape.
fn json_escape(text: &str) -> Option<(char, usize)> {
    let simple = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(text),
        _ => return None,
    };
    Some((simple, 2))
}

fn unicode_escape(text: &str) -> Option<(char, usize)> {
    const LENGTH: usize = "\\u0000".len();
    let unit = |at: usize| {
        let digits = text.get(at..at + LENGTH)?.strip_prefix("\\u")?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let first = unit(0)?;
    if let Some(Ok(character)) = char::decode_utf16([first]).next() {
        return Some((character, LENGTH));
    }
    let pair = char::decode_utf16([first, unit(LENGTH)?]).next()?;
    Some((pair.ok()?, 2 * LENGTH))
}

/// The names of characters that a text may not hold as they are (HTML, XML).
const NAMES: [(&str, char); 6] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
];

fn html(bytes: &[u8]) -> Vec<Vec<u8>> {
    lines(bytes, b'&', html_undone)
}

fn html_undone(line: &str) -> Option<Vec<u8>> {
    let mut rest = line;
    let mut out = String::with_capacity(line.len());
    let mut is_changed = false;
    while let Some(place) = rest.find('&') {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        if let Some((character, length)) = reference(rest) {
            out.push(character);
            (rest, is_changed) = (&rest[length..], true);
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    is_changed.then(|| out.into_bytes())
}

/// The character that a text refers to with its beginning, and the length of the reference.
fn reference(text: &str) -> Option<(char, usize)> {
    const LENGTH_MAX: usize = "&#x10ffff".len();
    let end = text
        .bytes()
        .take(LENGTH_MAX + 1)
        .position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
    let character = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => number(digits, 16)?,
            None => number(digits, 10)?,
        },
        None => NAMES.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((character, end + 1))
}

#[cfg(test)]
mod tests {
    use super::{content, form, html, json, percent};

    fn one(made: Vec<Vec<u8>>) -> String {
        let [made]: [Vec<u8>; 1] = made.try_into().unwrap();
        String::from_utf8(made).unwrap()
    }

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        assert_eq!(one(percent(b"a%20b%C3%A9%zz%4")), "a bé%zz%4");
        assert_eq!(one(form(b"two+words%21")), "two words!");
        assert_eq!(
            one(json(br#"\"\u00e9\n\\ud83c\ud83c\udf88\x\ud83c\"#)),
            "\"é\n\\ud83c🎈\\x\\ud83c\\"
        );
        assert_eq!(
            one(html(
                b"&lt;b&gt; &#38; &#xE9;&quot; &nothing; & &#xfffffff;"
            )),
            "<b> & \u{e9}\" &nothing; & &#xfffffff;"
        );
        for plain in ["nothing", "100 %", "C:\\Xyz"] {
            assert!(html(plain.as_bytes()).is_empty());
            assert!(percent(plain.as_bytes()).is_empty());
            assert!(json(plain.as_bytes()).is_empty());
            assert!(form(plain.as_bytes()).is_empty());
        }
    }

    fn names(codings: &[&str]) -> Vec<String> {
        codings.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn codings_are_undone_in_their_order_and_of_a_piece_what_came() {
        let text = b"a text that is sent ".repeat(10_000);
        let once = zstd::encode_all(text.as_slice(), 3).unwrap();
        let twice = zstd::encode_all(once.as_slice(), 3).unwrap();
        assert!(content(&names(&["zstd"]), &once, false) == text);
        assert!(content(&names(&["zstd", "identity", "zstd"]), &twice, false) == text);
        assert!(content(&[], &text, false) == text);
        let squares = (0..1_000_000_u32).map(|n| n.wrapping_mul(n));
        let noise: Vec<u8> = squares.flat_map(u32::to_le_bytes).collect();
        let packed = zstd::encode_all(noise.as_slice(), 3).unwrap();
        let piece = content(&names(&["zstd"]), &packed[..packed.len() / 2], true);
        assert!(!piece.is_empty() && noise.starts_with(&piece));
    }

    #[test]
    #[should_panic(expected = "nothing here undoes the coding br")]
    fn a_coding_that_is_not_known_is_noticed() {
        content(&names(&["br"]), b"abc", true);
    }

    #[test]
    #[should_panic(expected = "does not unpack")]
    fn a_stream_cut_short_is_noticed() {
        let packed = zstd::encode_all(&b"a text"[..], 3).unwrap();
        content(&names(&["zstd"]), &packed[..packed.len() - 1], false);
    }

    #[test]
    #[should_panic(expected = "does not unpack")]
    fn a_stream_that_is_none_is_noticed() {
        content(&names(&["zstd"]), b"plain", false);
    }
}
