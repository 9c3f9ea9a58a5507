//! Somebody who asks over HTTP and keeps everything that is answered: with the cookies of a browser, or with nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked.
    pub asked: String,
    pub status: u16,
    /// The head, and the content as it was sent.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The content as text.
    pub fn text(&self) -> String {
        let whole = String::from_utf8_lossy(&self.bytes).into_owned();
        whole
            .split_once("\r\n\r\n")
            .map_or(whole.clone(), |(_, content)| content.to_owned())
    }

    /// The value of a field of the head.
    pub fn field(&self, name: &str) -> Option<String> {
        let whole = String::from_utf8_lossy(&self.bytes).into_owned();
        let (head, _) = whole.split_once("\r\n\r\n")?;
        let values = head.lines().filter_map(|line| line.split_once(':'));
        let mut values = values.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim().to_owned())
    }
}

/// Sends one request on a connection of its own.
pub fn ask(port: u16, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n");
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.write_all(head.as_bytes()).expect("it reads");
    stream.write_all(body).expect("it reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("it answers");
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(16)]).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    Answer {
        asked: format!("{method} {path}"),
        status: status.unwrap_or_else(|| panic!("{method} {path} was answered with {text:?}")),
        bytes,
    }
}

/// A browser in front of one node or hub.
pub struct Visitor {
    port: u16,
    cookies: Vec<(String, String)>,
    page: String,
    /// Everything that was answered.
    pub seen: Vec<Answer>,
}

impl Visitor {
    pub fn new(port: u16) -> Self {
        Self {
            port,
            cookies: Vec::new(),
            page: String::new(),
            seen: Vec::new(),
        }
    }

    /// Opens a page, and goes on where it says; gives what is shown then.
    pub fn open(&mut self, path: &str) -> Answer {
        self.go("GET", path, "")
    }

    /// Sends a form with the token of the page that is shown.
    #[track_caller]
    pub fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = between(&self.page, "name=\"form_token\" value=\"", "\"").to_owned();
        let mut body = format!("form_token={token}");
        for (name, value) in fields {
            body.push_str(&format!("&{name}={}", percent(value)));
        }
        let answer = self.go("POST", path, &body);
        assert!(
            answer.status < 400,
            "{path}: {} {}",
            answer.status,
            answer.text()
        );
        answer
    }

    fn go(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let fields = [
            ("cookie", cookies.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = ask(self.port, method, path, &fields, body.as_bytes());
        self.seen.push(answer.clone());
        self.page = answer.text();
        let head = String::from_utf8_lossy(&answer.bytes).into_owned();
        let head = head.split("\r\n\r\n").next().unwrap_or_default();
        for line in head.lines() {
            if let Some(cookie) = line.strip_prefix("set-cookie: ") {
                let pair = cookie.split(';').next().unwrap_or_default();
                let (name, value) = pair.split_once('=').expect("a cookie is a pair");
                self.cookies.retain(|(held, _)| held != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        match answer.field("location") {
            Some(next) => self.go("GET", &next, ""),
            None => answer,
        }
    }
}

/// What stands between two texts.
#[track_caller]
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(after).next().unwrap_or(rest)
}

fn percent(text: &str) -> String {
    let one = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
