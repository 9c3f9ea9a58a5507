//! Hashes, roots and the live digest.

use sha2::{Digest, Sha256};

use super::memo;

pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Vec::with_capacity(bytes.len() * 2);
    for b in bytes {
        text.push(DIGITS[usize::from(b >> 4)]);
        text.push(DIGITS[usize::from(b & 15)]);
    }
    String::from_utf8(text).expect("hexadecimal is ASCII")
}

/// Bytes of a hexadecimal text; hyphens (of a UUID) are skipped.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != '-')
        .map(|c| u8::try_from(c.to_digit(16).expect("a checked form")).expect("below 16"))
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] * 16 + pair[1])
        .collect()
}

pub fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().to_vec()
}

pub fn line_hash(line: &str) -> String {
    hex(&sha256(&[&[0], line.as_bytes()]))
}

/// `prev` is `None` for the first header of a log.
pub fn header_hash(prev: Option<&str>, body_hash: &str) -> String {
    let prev = prev.map_or(vec![0; 32], unhex);
    hex(&sha256(&[&[2], &prev, &unhex(body_hash)]))
}

pub fn recovery_commitment(key: &[u8]) -> String {
    hex(&sha256(&[&[4], key]))
}

/// RFC 6962, section 2.1.
pub fn root(leaves: &[String]) -> Vec<u8> {
    match leaves.len() {
        0 => sha256(&[]),
        1 => sha256(&[&[0], leaves[0].as_bytes()]),
        n => {
            let mut split = 1;
            while split * 2 < n {
                split *= 2;
            }
            sha256(&[&[1], &root(&leaves[..split]), &root(&leaves[split..])])
        }
    }
}

/// The live element of one record, as hexadecimal.
pub fn live_element(id: &str, rev: u64, kind: &str, line_hash: &str) -> String {
    let length = u8::try_from(kind.len()).expect("a kind has at most 32 characters");
    hex(&sha256(&[
        &[1],
        &unhex(id),
        &rev.to_be_bytes(),
        &[length],
        kind.as_bytes(),
        &unhex(line_hash),
    ]))
}

/// The live digest over `(id, rev, kind, line hash)` of every live record, summed from nothing.
pub fn live_digest(records: &[(String, u64, String, String)]) -> String {
    let elements: Vec<String> = records
        .iter()
        .map(|(id, rev, kind, hash)| memo::live_element(id, *rev, kind, hash))
        .collect();
    memo::digest(elements)
}

/// The digest of the sum of these elements.
pub fn digest_of_elements(elements: &[String]) -> String {
    let mut lanes = vec![0_u16; 1024];
    for element in elements {
        let mut stream = [0; 2048];
        blake3::Hasher::new()
            .update(&unhex(element))
            .finalize_xof()
            .fill(&mut stream);
        for (lane, pair) in lanes.iter_mut().zip(stream.chunks(2)) {
            *lane = lane.wrapping_add(u16::from_le_bytes([pair[0], pair[1]]));
        }
    }
    let mut bytes = Vec::with_capacity(2048);
    for lane in lanes {
        bytes.extend_from_slice(&lane.to_le_bytes());
    }
    hex(&sha256(&[&[6], &bytes]))
}
