//! Everything that recorded bytes may say.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::http::{Message, messages};
use super::recorder::Connection;
use super::undo;

/// Codings inside each other that are undone. What lies deeper ends the test: nothing of ours does.
const DEPTH_MAX: usize = 8;

/// How it was reached, and the bytes.
pub type Layer = (String, Vec<u8>);

/// All layers of what passed one way, which is whole. Where these are answers, none of them may be one
/// to a `HEAD`.
pub fn layers(bytes: &[u8]) -> Vec<Layer> {
    let mut peeler = Peeler::default();
    peeler.way("", bytes, &messages(bytes, None, false), false);
    peeler.layers
}

/// All layers of bytes that are no messages: a file.
pub fn inside(bytes: &[u8]) -> Vec<Layer> {
    let mut peeler = Peeler::default();
    peeler.peel("", bytes.to_vec(), 0);
    peeler.layers
}

impl Connection {
    /// All layers of what passed both ways.
    pub fn layers(&self) -> Vec<Layer> {
        let mut peeler = Peeler::default();
        let requests = messages(&self.asked, None, self.is_cut);
        let asked: Vec<String> = requests.iter().map(|m| m.method.clone()).collect();
        let answers = messages(&self.answered, Some(&asked), self.is_cut);
        peeler.way("asked, ", &self.asked, &requests, self.is_cut);
        peeler.way("answered, ", &self.answered, &answers, self.is_cut);
        peeler.layers
    }
}

#[derive(Default)]
struct Peeler {
    layers: Vec<Layer>,
    /// Hashes of what was looked at: the same bytes have the same layers, by whatever road.
    seen: BTreeSet<[u8; 32]>,
}

impl Peeler {
    /// What passed one way: as it is, and each part of each message.
    fn way(&mut self, name: &str, bytes: &[u8], all: &[Message], is_cut: bool) {
        self.layers.push((format!("{name}raw"), bytes.to_vec()));
        for (index, message) in all.iter().enumerate() {
            let label = format!("{name}message {}", index + 1);
            self.peel(&format!("{label} head"), message.frame.clone(), 0);
            let body = undo::content(&message.codings, &message.body, is_cut);
            let codings = message.codings.concat();
            self.peel(&format!("{label} body {codings}"), body, 0);
        }
    }

    /// Keeps a layer, and takes off whatever can be taken off it.
    fn peel(&mut self, label: &str, bytes: Vec<u8>, depth: usize) {
        if bytes.is_empty() || !self.seen.insert(Sha256::digest(&bytes).into()) {
            return;
        }
        for (coding, undo) in undo::ALL {
            for inner in undo(&bytes) {
                assert!(
                    depth < DEPTH_MAX,
                    "{label}: there is {coding} still, which nobody looked into"
                );
                self.peel(&format!("{label} > {coding}"), inner, depth + 1);
            }
        }
        self.layers.push((label.to_owned(), bytes));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

    use super::*;
    use crate::canary::needles::{Needle, Searcher};
    use crate::support::chance::Chance;

    /// Long enough for each coding, and changed by each of them.
    const NEEDLE: &str = "Grüße an \"Ida\" & Ömer / 100 % geheim? \\o/ ~~~ÿÿÿ";

    fn percent(bytes: &[u8]) -> Vec<u8> {
        let escaped = bytes.iter().map(|byte| format!("%{byte:02X}"));
        escaped.collect::<String>().into_bytes()
    }

    fn form(bytes: &[u8]) -> Vec<u8> {
        let escaped = bytes.iter().map(|byte| match byte {
            b' ' => "+".to_owned(),
            byte => format!("%{byte:02x}"),
        });
        escaped.collect::<String>().into_bytes()
    }

    fn json(bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(bytes.to_vec()).expect("of texts only");
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        units.collect::<String>().into_bytes()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 3).expect("memory")
    }

    fn html(bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(bytes.to_vec()).expect("of texts only");
        let characters = text.chars().map(|one| format!("&#x{:x};", u32::from(one)));
        characters.collect::<String>().into_bytes()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let mut reader = flate2::read::GzEncoder::new(bytes, flate2::Compression::default());
        reader.read_to_end(&mut packed).expect("memory");
        packed
    }

    /// Each way of hiding something, and what is made of the bytes by it.
    type Hide = fn(&[u8]) -> Vec<u8>;

    const HIDES: [(&str, Hide); 12] = [
        ("base64", |bytes| BASE64.encode(bytes).into()),
        ("base64 without padding", |b| BASE64_NOPAD.encode(b).into()),
        ("base64url", |bytes| BASE64URL.encode(bytes).into()),
        ("base64url without padding", |b| {
            BASE64URL_NOPAD.encode(b).into()
        }),
        ("hex", |bytes| HEXLOWER.encode(bytes).into()),
        ("upper-case hex", |bytes| HEXUPPER.encode(bytes).into()),
        ("percent", percent),
        ("form", form),
        ("JSON", json),
        ("HTML", html),
        ("zstd", zstd),
        ("gzip", gzip),
    ];

    /// A request with a body.
    fn request(fields: &str, body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let head = format!("POST /a HTTP/1.1\r\ncontent-length: {length}\r\n{fields}\r\n");
        [head.as_bytes(), body].concat()
    }

    /// Whether the needle stands in one of the layers as it is.
    fn is_plain(layers: &[Layer]) -> bool {
        let searcher = Searcher::new([&Needle::text("needle", NEEDLE)]);
        layers.iter().any(|(_, bytes)| {
            let found = searcher.find(bytes);
            found.iter().any(|found| found.form == "as it is")
        })
    }

    #[test]
    fn a_needle_is_found_under_each_layer() {
        assert!(is_plain(&layers(&request("", NEEDLE.as_bytes()))));
        for (name, hide) in HIDES {
            let hidden = hide(NEEDLE.as_bytes());
            assert_ne!(hidden, NEEDLE.as_bytes());
            // What stands before decides where a coding begins.
            for before in ["", "a", "ab", "abc", "{\"key\":\""] {
                let body = [before.as_bytes(), &hidden, b"\" and more"].concat();
                assert!(is_plain(&layers(&request("", &body))), "{name} {before}");
            }
        }
    }

    #[test]
    fn a_needle_is_found_under_three_layers_in_whatever_order() {
        let hides = || HIDES.iter().filter(|(name, _)| !name.contains("padding"));
        let mut tried = 0;
        for (first, inner) in hides() {
            for (second, middle) in hides() {
                for (third, outer) in hides() {
                    // JSON and HTML hold texts, and what was packed is none.
                    let is_packed = |name: &str| ["zstd", "gzip"].contains(&name);
                    let is_of_texts = |name: &str| ["JSON", "HTML"].contains(&name);
                    let pairs = [(first, second), (second, third)];
                    if pairs
                        .iter()
                        .any(|(inner, outer)| is_packed(inner) && is_of_texts(outer))
                    {
                        continue;
                    }
                    let hidden = outer(&middle(&inner(NEEDLE.as_bytes())));
                    let found = is_plain(&layers(&request("", &hidden)));
                    assert!(found, "{first} in {second} in {third}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 400, "{tried} orders were tried");
    }

    #[test]
    fn a_needle_is_found_in_a_head_and_in_a_trailer() {
        let hidden = String::from_utf8(percent(NEEDLE.as_bytes())).unwrap();
        let target = format!("GET /a?q={hidden} HTTP/1.1\r\n\r\n");
        assert!(is_plain(&layers(target.as_bytes())));
        let field = format!(
            "GET /a HTTP/1.1\r\nnote: {}\r\n\r\n",
            BASE64.encode(NEEDLE.as_bytes())
        );
        assert!(is_plain(&layers(field.as_bytes())));
        let trailer = format!(
            "PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nnote: {hidden}\r\n\r\n"
        );
        assert!(is_plain(&layers(trailer.as_bytes())));
    }

    #[test]
    fn a_needle_is_found_across_chunks_under_a_coding_and_in_an_answer() {
        let packed = zstd(format!("before {NEEDLE} after").as_bytes());
        let mut answer =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-encoding: zstd\r\n\r\n"
                .to_vec();
        for chunk in packed.chunks(7) {
            answer.extend(format!("{:x}\r\n", chunk.len()).bytes());
            answer.extend(chunk);
            answer.extend(b"\r\n");
        }
        answer.extend(b"0\r\n\r\n");
        assert!(is_plain(&layers(&answer)));
        let plain_first = request("", b"nothing");
        let both = [plain_first, request("content-encoding: zstd\r\n", &packed)].concat();
        assert!(is_plain(&layers(&both)));
        let connection = Connection {
            asked: request("", b"nothing"),
            answered: answer.clone(),
            is_cut: false,
        };
        let all = connection.layers();
        assert!(is_plain(&all));
        let labels: Vec<&str> = all.iter().map(|(label, _)| label.as_str()).collect();
        assert!(
            labels.contains(&"answered, message 1 body zstd"),
            "{labels:?}"
        );
        // What came of a piece is looked at as well.
        let piece = Connection {
            asked: request("", &hex_twice()),
            answered: answer[..answer.len() / 2].to_vec(),
            is_cut: true,
        };
        assert!(is_plain(&piece.layers()));
    }

    fn hex_twice() -> Vec<u8> {
        let once = HEXLOWER.encode(NEEDLE.as_bytes());
        HEXUPPER.encode(once.as_bytes()).into()
    }

    #[test]
    #[should_panic(expected = "cut short")]
    fn a_piece_that_the_test_did_not_cut_is_noticed() {
        let whole = request("", b"abc");
        let connection = Connection {
            asked: whole[..whole.len() - 1].to_vec(),
            ..Connection::default()
        };
        connection.layers();
    }

    #[test]
    #[should_panic(expected = "which nobody looked into")]
    fn what_lies_deeper_than_we_look_is_noticed() {
        let mut hidden = NEEDLE.as_bytes().to_vec();
        for _ in 0..=DEPTH_MAX {
            hidden = percent(&hidden);
        }
        layers(&request("", &hidden));
    }

    /// Hashes and noise look like codings here and there; that must neither end a test nor take long.
    #[test]
    fn what_we_send_is_accounted_for() {
        let mut chance = Chance::announced("what_we_send_is_accounted_for");
        let words = (0..40_000).flat_map(|_| chance.bits().to_le_bytes());
        let noise: Vec<u8> = words.collect();
        let noise_in_hex = HEXLOWER.encode(&noise);
        let hashes = noise_in_hex.as_bytes().chunks(64).flat_map(|hash| {
            let hash = String::from_utf8_lossy(hash);
            format!("{{\"n\":1,\"text\":\"a \\\"b\\\" 5%2\",\"h\":\"{hash}\"}}\n").into_bytes()
        });
        let body = hashes.chain(NEEDLE.bytes()).collect::<Vec<u8>>();
        assert!(is_plain(&layers(&request("", &body))));
        let body = [&noise, NEEDLE.as_bytes()].concat();
        let all = layers(&request("", &body));
        assert!(is_plain(&all));
        let kept: usize = all.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(kept < 3 * body.len(), "{kept} bytes of layers");
    }

    #[test]
    fn bytes_without_a_coding_have_no_layers_but_themselves() {
        let all = layers(&request("", b"a short text"));
        let labels: Vec<&str> = all.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["raw", "message 1 head", "message 1 body "]);
    }
}
