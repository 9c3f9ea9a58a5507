//! Strict JSON, read from left to right; the first rule broken is the answer.

use std::collections::BTreeMap;

const LINE_BYTES_MAX: usize = 262_144;
const DEPTH_MAX: usize = 32;
const NUMBER_MAX: i64 = 9_007_199_254_740_992;

/// A JSON value. Numbers that are written as integers are kept apart from all others.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Other(f64),
    Text(String),
    List(Vec<Value>),
    Object(BTreeMap<String, Value>),
}

impl Value {
    /// The member of an object; `None` for any other value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.get(key),
            _ => None,
        }
    }

    /// The member when it is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_text)
    }

    /// The member when it is an integer not below 0.
    pub fn count(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(Value::as_count)
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_count(&self) -> Option<u64> {
        match self {
            Value::Int(n) => u64::try_from(*n).ok(),
            _ => None,
        }
    }

    pub fn is_object(&self) -> bool {
        matches!(self, Value::Object(_))
    }
}

/// Reads one line (without its LF); the error is the rule's name.
pub fn read(line: &[u8]) -> Result<Value, &'static str> {
    if line.len() > LINE_BYTES_MAX {
        return Err("line_too_long");
    }
    if std::str::from_utf8(line).is_err() {
        return Err("not_utf8");
    }
    let mut reader = Reader {
        bytes: line,
        at: 0,
        depth: 0,
    };
    let value = reader.value()?;
    if reader.at != line.len() {
        return Err("not_json");
    }
    if value.is_object() {
        Ok(value)
    } else {
        Err("not_an_object")
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        // 0 at the end: never a legal byte outside a string, and strings look at the length.
        if self.at < self.bytes.len() {
            self.bytes[self.at]
        } else {
            0
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), &'static str> {
        if self.peek() != byte {
            return Err("not_json");
        }
        self.at += 1;
        Ok(())
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), b' ' | b'\t') {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, &'static str> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err("not_json");
        }
        self.at += word.len();
        Ok(value)
    }

    fn value(&mut self) -> Result<Value, &'static str> {
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => Ok(Value::Text(self.string()?)),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err("not_json"),
        }
    }

    fn deeper(&mut self) -> Result<(), &'static str> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            Err("too_deep")
        } else {
            Ok(())
        }
    }

    fn object(&mut self) -> Result<Value, &'static str> {
        self.deeper()?;
        let mut members = BTreeMap::new();
        self.spaces();
        if self.peek() == b'}' {
            self.at += 1;
            self.depth -= 1;
            return Ok(Value::Object(members));
        }
        loop {
            self.spaces();
            let key = self.string()?;
            if members.contains_key(&key) {
                return Err("duplicate_key");
            }
            self.spaces();
            self.expect(b':')?;
            self.spaces();
            let value = self.value()?;
            members.insert(key, value);
            self.spaces();
            if self.peek() == b'}' {
                self.at += 1;
                self.depth -= 1;
                return Ok(Value::Object(members));
            }
            self.expect(b',')?;
        }
    }

    fn list(&mut self) -> Result<Value, &'static str> {
        self.deeper()?;
        let mut items = Vec::new();
        self.spaces();
        if self.peek() == b']' {
            self.at += 1;
            self.depth -= 1;
            return Ok(Value::List(items));
        }
        loop {
            self.spaces();
            items.push(self.value()?);
            self.spaces();
            if self.peek() == b']' {
                self.at += 1;
                self.depth -= 1;
                return Ok(Value::List(items));
            }
            self.expect(b',')?;
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Value, &'static str> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else if self.digits() == 0 {
            return Err("not_json");
        }
        let mut integer = true;
        if self.peek() == b'.' {
            integer = false;
            self.at += 1;
            if self.digits() == 0 {
                return Err("not_json");
            }
        }
        if matches!(self.peek(), b'e' | b'E') {
            integer = false;
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err("not_json");
            }
        }
        let token = std::str::from_utf8(&self.bytes[start..self.at]).map_err(|_| "not_json")?;
        // Minus zero is a number, and no integer.
        if integer && token != "-0" {
            return match token.parse::<i64>() {
                Ok(n) if (-NUMBER_MAX..=NUMBER_MAX).contains(&n) => Ok(Value::Int(n)),
                _ => Err("number_out_of_range"),
            };
        }
        let number: f64 = token.parse().map_err(|_| "not_json")?;
        if number.abs() > 9_007_199_254_740_992.0 {
            return Err("number_out_of_range");
        }
        Ok(Value::Other(number))
    }

    fn hex4(&mut self) -> Result<u32, &'static str> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()).to_digit(16).ok_or("not_json")?;
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn string(&mut self) -> Result<String, &'static str> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            if self.at >= self.bytes.len() {
                return Err("not_json");
            }
            let byte = self.bytes[self.at];
            self.at += 1;
            match byte {
                b'"' => return String::from_utf8(text).map_err(|_| "not_utf8"),
                0 => return Err("nul"),
                1..=0x1f => return Err("not_json"),
                b'\\' => {
                    let c = self.escape()?;
                    let mut buffer = [0; 4];
                    text.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                }
                _ => text.push(byte),
            }
        }
    }

    fn escape(&mut self) -> Result<char, &'static str> {
        let byte = self.peek();
        self.at += 1;
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4()?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    let second = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return Err("not_json");
                    }
                    0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00)
                } else {
                    first
                };
                if code == 0 {
                    return Err("nul");
                }
                char::from_u32(code).ok_or("not_json")?
            }
            _ => return Err("not_json"),
        })
    }
}
