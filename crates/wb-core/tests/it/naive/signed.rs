//! Signed lines: their layout, their type, their signature.

use ed25519_dalek::{Signature, VerifyingKey};

use super::bytes::unhex;
use super::forms::is_hex;
use super::json::{self, Value};

/// A signed line taken apart; nothing is verified yet.
#[derive(Clone, Debug)]
pub struct Signed {
    pub kind: &'static str,
    pub signature: String,
    pub payload: String,
    pub body: Value,
}

/// Reads a line of the type expected; the error is the rule's name.
pub fn read(line: &str, kind: &'static str) -> Result<Signed, &'static str> {
    json::read(line.as_bytes())?;
    let layout = line.is_char_boundary(153)
        && line.len() > 155
        && line.starts_with("{\"signature\":\"")
        && is_hex(&line[14..142], 128)
        && &line[142..153] == "\",\"signed\":";
    if !layout {
        return Err("not_signed_line");
    }
    let payload = &line[153..line.len() - 1];
    let body = json::read(payload.as_bytes()).map_err(|_| "not_signed_line")?;
    if body.text("type") != Some(kind) {
        return Err("wrong_type");
    }
    Ok(Signed {
        kind,
        signature: line[14..142].to_owned(),
        payload: payload.to_owned(),
        body,
    })
}

impl Signed {
    /// Whether the signature verifies strictly under a public key given as hexadecimal.
    pub fn verifies(&self, key: &str) -> bool {
        let Some(key) = public_key(key) else {
            return false;
        };
        let bytes: [u8; 64] = unhex(&self.signature).try_into().expect("128 digits");
        let message = format!("{}\n{}", self.kind, self.payload);
        key.verify_strict(message.as_bytes(), &Signature::from_bytes(&bytes))
            .is_ok()
    }
}

/// A public key that is a valid point and not of small order.
pub fn public_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = unhex(text).try_into().ok()?;
    if !is_canonical(&bytes) {
        return None;
    }
    VerifyingKey::from_bytes(&bytes)
        .ok()
        .filter(|key| !key.is_weak())
}

/// Whether the y coordinate is below 2^255 − 19, as RFC 8032 asks of an encoded point.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let low_is_big = bytes[0] >= 0xed;
    let rest_is_full = bytes[1..31].iter().all(|b| *b == 0xff) && bytes[31] & 0x7f == 0x7f;
    !(low_is_big && rest_is_full)
}
