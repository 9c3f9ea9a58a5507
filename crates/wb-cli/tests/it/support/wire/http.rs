//! HTTP/1.1 messages in what passed one way (RFC 9112).
//!
//! Strict: what is not accounted for by the rules ends the test.

/// One message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The method of a request, empty of an answer.
    pub method: String,
    /// Everything but the content: the head, and of a chunked message the lines between the chunks.
    pub frame: Vec<u8>,
    /// The content as it was sent, out of its chunks.
    pub body: Vec<u8>,
    /// Names of the codings of the content, in the order in which they were applied.
    pub codings: Vec<String>,
}

/// Splits what passed one way. `asked` are the methods of the requests that are answered, where these
/// are answers and the requests are known. Only of a connection that the test cut (`is_cut`) may the
/// last message be a piece.
pub fn messages(bytes: &[u8], asked: Option<&[String]>, is_cut: bool) -> Vec<Message> {
    let mut reader = Reader {
        rest: bytes,
        is_cut,
    };
    let mut asked = asked.map(<[String]>::iter);
    let mut all = Vec::new();
    while !reader.rest.is_empty() {
        refuse_other_protocols(reader.rest);
        let Some(head) = reader.until(b"\r\n\r\n", "a head") else {
            // A piece of a head.
            all.push(Message {
                frame: std::mem::take(&mut reader.rest).to_vec(),
                ..Message::default()
            });
            break;
        };
        let mut head = Head::read(head);
        if let Some(status) = head.status
            && let Some(asked) = &mut asked
            && status >= 200
        {
            let method = asked.next();
            let method = method.unwrap_or_else(|| panic!("an answer to nothing: {head:?}"));
            head.has_no_content |= method == "HEAD";
        }
        all.push(head.message(&mut reader));
    }
    all
}

fn refuse_other_protocols(bytes: &[u8]) {
    assert!(
        !bytes.starts_with(&[0x16, 3]),
        "TLS: a client or server hello, and nothing can be read behind it"
    );
    assert!(
        !bytes.starts_with(b"PRI * HTTP/2"),
        "HTTP/2, which is not read here"
    );
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a [u8],
    is_cut: bool,
}

impl<'a> Reader<'a> {
    /// The next bytes up to and with `end`. None where they are not all there and may be missing.
    fn until(&mut self, end: &[u8], what: &str) -> Option<&'a [u8]> {
        let place = self.rest.windows(end.len()).position(|part| part == end);
        let Some(place) = place else {
            self.cut_short(what);
            return None;
        };
        let (taken, rest) = self.rest.split_at(place + end.len());
        self.rest = rest;
        Some(taken)
    }

    /// The next `count` bytes, or all that are there of them.
    fn take(&mut self, count: usize, what: &str) -> &'a [u8] {
        if self.rest.len() < count {
            self.cut_short(what);
        }
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn cut_short(&self, what: &str) {
        assert!(
            self.is_cut,
            "{what} is cut short, and not by the test: {:?}",
            shown(self.rest)
        );
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

/// What the head of a message says about the message.
#[derive(Debug)]
struct Head {
    bytes: Vec<u8>,
    method: String,
    /// Of an answer.
    status: Option<u16>,
    fields: Vec<(String, String)>,
    has_no_content: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.trim_end_matches("\r\n").split("\r\n");
        let start = lines.next().expect("a split has a first part");
        let fields = lines.map(|line| {
            let (name, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("no header field: {line:?}"));
            let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            assert!(
                !name.is_empty() && name.chars().all(is_name),
                "no header field: {line:?}"
            );
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        let fields = fields.collect();
        let (method, status) = start_line(start);
        Self {
            bytes: bytes.to_vec(),
            method,
            status,
            fields,
            // Of a request this is said by the fields alone.
            has_no_content: matches!(status, Some(100..=199 | 204 | 304)),
        }
    }

    /// The values of a field, one by one.
    fn list(&self, name: &str) -> Vec<String> {
        let values = self.fields.iter().filter(|(other, _)| other == name);
        let parts = values.flat_map(|(_, value)| value.split(','));
        parts
            .map(|part| part.trim().to_ascii_lowercase())
            .filter(|part| !part.is_empty())
            .collect()
    }

    fn message(self, reader: &mut Reader<'_>) -> Message {
        let (transfer, length) = (self.list("transfer-encoding"), self.list("content-length"));
        let codings = self.list("content-encoding");
        let (mut frame, mut body) = (self.bytes, Vec::new());
        if self.has_no_content {
            assert!(transfer.is_empty(), "chunks where no content may be");
        } else if !transfer.is_empty() {
            assert_eq!(transfer, ["chunked"], "an unknown transfer coding");
            assert!(length.is_empty(), "both a length and chunks");
            chunks(reader, &mut frame, &mut body);
        } else if let [length] = length.as_slice() {
            let count = length.parse().expect("a length is a number");
            body = reader.take(count, "a body").to_vec();
        } else {
            assert!(length.is_empty(), "several lengths: {length:?}");
            // A request without a length has no content. Of such an answer nobody can tell its end.
            assert!(
                self.status.is_none(),
                "an answer without a length: {:?}",
                shown(&frame)
            );
        }
        Message {
            method: self.method,
            frame,
            body,
            codings,
        }
    }
}

/// The method of a request, or the status of an answer.
fn start_line(line: &str) -> (String, Option<u16>) {
    let parts: Vec<&str> = line.splitn(3, ' ').collect();
    match parts.as_slice() {
        ["HTTP/1.1", status, ..] => {
            let status: u16 = status.parse().expect("a status is a number");
            assert_ne!(status, 101, "another protocol follows");
            (String::new(), Some(status))
        }
        [method, _, "HTTP/1.1"] if method.bytes().all(|b| b.is_ascii_uppercase()) => {
            assert_ne!(*method, "CONNECT", "another protocol follows");
            ((*method).to_owned(), None)
        }
        _ => panic!("this is not HTTP/1.1: {:?}", shown(line.as_bytes())),
    }
}

/// Takes chunks and trailers; what is not content goes to `frame`.
fn chunks(reader: &mut Reader<'_>, frame: &mut Vec<u8>, body: &mut Vec<u8>) {
    loop {
        let Some(line) = reader.until(b"\r\n", "the size of a chunk") else {
            frame.extend_from_slice(std::mem::take(&mut reader.rest));
            return;
        };
        frame.extend_from_slice(line);
        let text = std::str::from_utf8(line).expect("the size of a chunk is a text");
        let size = text.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16)
            .unwrap_or_else(|_| panic!("no size of a chunk: {text:?}"));
        if size == 0 {
            break;
        }
        body.extend_from_slice(reader.take(size, "a chunk"));
        let end = reader.take(2, "the end of a chunk");
        assert!(b"\r\n".starts_with(end), "a chunk ends in {end:?}");
    }
    // Trailers, and the empty line after them.
    loop {
        let Some(line) = reader.until(b"\r\n", "a trailer") else {
            frame.extend_from_slice(std::mem::take(&mut reader.rest));
            return;
        };
        frame.extend_from_slice(line);
        if line == b"\r\n" {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::messages;

    fn bodies(text: &str) -> Vec<String> {
        let all = messages(text.as_bytes(), None, false);
        let body = |message: &super::Message| String::from_utf8(message.body.clone()).unwrap();
        all.iter().map(body).collect()
    }

    fn methods(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn several_messages_on_one_connection_are_split() {
        let requests = "POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nhost: h\r\n\r\n\
                        PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
                        2;note=x\r\nde\r\n1\r\nf\r\n0\r\nlate: yes\r\n\r\nDELETE /d HTTP/1.1\r\n\r\n";
        assert_eq!(bodies(requests), ["abc", "", "def", ""]);
        let all = messages(requests.as_bytes(), None, false);
        let names: Vec<&str> = all.iter().map(|message| message.method.as_str()).collect();
        assert_eq!(names, ["POST", "GET", "PUT", "DELETE"]);
        let frame = String::from_utf8(all[2].frame.clone()).unwrap();
        assert!(frame.contains("2;note=x") && frame.ends_with("late: yes\r\n\r\n"));
        // Nothing of what passed is left out.
        let parts: usize = all.iter().map(|m| m.frame.len() + m.body.len()).sum();
        assert_eq!(parts + 2 * "\r\n".len(), requests.len());
    }

    #[test]
    fn answers_have_content_or_not_as_their_requests_and_status_say() {
        let answers = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\
                       HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let asked = methods(&["HEAD", "PUT", "GET"]);
        let all = messages(answers.as_bytes(), Some(&asked), false);
        let bodies: Vec<&[u8]> = all.iter().map(|message| message.body.as_slice()).collect();
        assert_eq!(bodies, [&b""[..], b"", b"", b"ok"]);
    }

    #[test]
    fn of_a_connection_that_was_cut_the_piece_is_kept() {
        let whole = "POST /a HTTP/1.1\r\ncontent-length: 6\r\n\r\nabcdef";
        let chunked = "POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
        for text in [whole, chunked] {
            for cut in 1..text.len() {
                let piece = &text.as_bytes()[..cut];
                let all = messages(piece, None, true);
                assert_eq!(all.len(), 1);
                assert!(b"abcdef".starts_with(&all[0].body[..]));
                assert!(std::panic::catch_unwind(|| messages(piece, None, false)).is_err());
            }
        }
    }

    macro_rules! refused {
        ($($name:ident: $text:expr, $why:literal;)*) => {
            $(
                #[test]
                #[should_panic(expected = $why)]
                fn $name() {
                    let text: &[u8] = $text;
                    messages(text, None, false);
                }
            )*
        };
    }

    refused! {
        tls_cannot_be_read: b"\x16\x03\x01\x02\x00\x01", "TLS";
        http_2_is_not_read: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2";
        an_older_http_is_not_read: b"GET / HTTP/1.0\r\n\r\n", "not HTTP/1.1";
        other_bytes_are_not_read: b"SSH-2.0-x\r\n\r\n", "not HTTP/1.1";
        a_head_cut_short_is_noticed: b"GET / HTTP/1.1\r\nhost: a\r\n", "a head is cut short";
        a_body_cut_short_is_noticed:
            b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nabc", "a body is cut short";
        a_chunk_cut_short_is_noticed:
            b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc", "a chunk is cut short";
        chunks_without_an_end_are_noticed:
            b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n", "cut short";
        a_body_longer_than_said_is_noticed:
            b"POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\nabc", "a head is cut short";
        an_unknown_transfer_coding_is_noticed:
            b"POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n", "transfer coding";
        a_length_beside_chunks_is_noticed:
            b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n", "both";
        two_lengths_are_noticed:
            b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "several lengths";
        an_answer_without_a_length_is_noticed: b"HTTP/1.1 200 OK\r\n\r\nabc", "without a length";
        an_upgrade_is_noticed: b"HTTP/1.1 101 Switching\r\n\r\n", "another protocol";
        a_line_that_is_no_field_is_noticed: b"GET / HTTP/1.1\r\nhost\r\n\r\n", "no header field";
    }

    #[test]
    #[should_panic(expected = "an answer to nothing")]
    fn an_answer_to_nothing_is_noticed() {
        let answers = b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        messages(answers, Some(&methods(&["GET"])), false);
    }
}
