//! A browser as small as it can be: one connection that is kept, GET, a cookie. It waits for the whole answer and
//! looks at nothing in it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::error::{BenchError, Result};

/// One connection.
#[derive(Debug)]
pub struct Client {
    host: String,
    cookie: String,
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body, as it travelled.
    pub body: Vec<u8>,
}

impl Client {
    /// Connects to `http://HOST:PORT`; an answer may take so long.
    pub fn connect(address: &str, cookie: &str, patience: Duration) -> Result<Self> {
        let host = address.trim_start_matches("http://").trim_end_matches('/');
        let failed = BenchError::io("connecting");
        let stream = TcpStream::connect(host).map_err(failed)?;
        stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(patience)))
            .map_err(BenchError::io("connecting"))?;
        Ok(Self {
            host: host.to_owned(),
            cookie: cookie.to_owned(),
            stream: BufReader::new(stream),
        })
    }

    /// Asks for something and waits until all of it came.
    pub fn get(&mut self, path: &str) -> Result<Answer> {
        let cookie = Some(&self.cookie).filter(|cookie| !cookie.is_empty());
        let cookie = cookie.map_or(String::new(), |cookie| format!("Cookie: {cookie}\r\n"));
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{cookie}\r\n", self.host);
        let sent = self.stream.get_mut().write_all(head.as_bytes());
        sent.map_err(BenchError::io("asking"))?;
        let first = self.line()?;
        let status = first
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status =
            status.ok_or_else(|| BenchError::Wrong(format!("an answer began with `{first}`")))?;
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        let body = if chunked {
            self.chunks()?
        } else {
            self.bytes(length)?
        };
        Ok(Answer { status, body })
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(line.trim(), 16);
            let size =
                size.map_err(|_| BenchError::Wrong(format!("a chunk began with `{line}`")))?;
            body.extend(self.bytes(size)?);
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn bytes(&mut self, size: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; size];
        let read = self.stream.read_exact(&mut bytes);
        read.map_err(BenchError::io("waiting for an answer"))?;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        read.map_err(BenchError::io("waiting for an answer"))?;
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}
