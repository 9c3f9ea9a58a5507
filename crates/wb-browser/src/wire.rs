//! One call to chromedriver: JSON in, JSON out, over a socket that is closed after it.
//!
//! WebDriver is a few dozen such calls. A client library for it would bring thirty packages for the sake of
//! tests (ADR 0027).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::held::PATIENCE;

/// Calls; gives the value, or else what chromedriver says is wrong.
pub(crate) fn call(port: u16, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let body = match method {
        "POST" => body.to_string(),
        _ => String::new(),
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(port, request.as_bytes()).map_err(|error| format!("{path}: {error}"))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| format!("{path}: no answer"))?;
    let mut body: Value =
        serde_json::from_str(body).map_err(|error| format!("{path}: {error}: {head}"))?;
    let value = body["value"].take();
    match value["error"].as_str() {
        Some(error) => Err(format!("{error}: {}", value["message"])),
        None => Ok(value),
    }
}

fn exchange(port: u16, request: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    // A page that loads for ever is an error of its own before this.
    stream.set_read_timeout(Some(PATIENCE * 4))?;
    stream.write_all(request)?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let mut answer = String::from_utf8_lossy(&head).into_owned();
    let length = answer
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    answer.push_str(&String::from_utf8_lossy(&body));
    Ok(answer)
}
