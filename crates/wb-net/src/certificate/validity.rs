//! From when until when a certificate is valid: the one thing that is read from its DER here (RFC 5280, 4.1).

use wb_core::time::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When a certificate is valid, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// Reads it; none where this is no certificate.
pub(super) fn validity(certificate: &[u8]) -> Option<Validity> {
    let (whole, _) = value(certificate, SEQUENCE)?;
    let (mut signed, _) = value(whole, SEQUENCE)?;
    if signed.first() == Some(&VERSION) {
        signed = element(signed)?.2;
    }
    // Serial number, algorithm and issuer stand before it.
    for _ in 0..3 {
        signed = element(signed)?.2;
    }
    let (period, _) = value(signed, SEQUENCE)?;
    let (tag, from, rest) = element(period)?;
    let from = time(tag, from)?;
    let (tag, until, _) = element(rest)?;
    let until = time(tag, until)?;
    Some(Validity { from, until })
}

/// The value of an element of this kind, and what comes after it.
fn value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, value, rest) = element(bytes)?;
    (found == tag).then_some((value, rest))
}

/// An element: its tag, its value, and what comes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, bytes) = bytes.split_first()?;
    let (&first, mut bytes) = bytes.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7f);
        // Four bytes tell more than any file that is read holds.
        let (digits, rest) = (1..=4)
            .contains(&count)
            .then(|| bytes.split_at_checked(count))??;
        length = digits
            .iter()
            .fold(0, |length, digit| length << 8 | usize::from(*digit));
        bytes = rest;
    }
    let (value, rest) = bytes.split_at_checked(length)?;
    Some((tag, value, rest))
}

/// A time as certificates write it: of two digits of a year, those from 50 are of the last century.
fn time(tag: u8, value: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(value).ok()?;
    let text = match tag {
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let at = |range| text.get(range);
    let written = format!(
        "{}-{}-{}T{}:{}:{}.000{}",
        at(0..4)?,
        at(4..6)?,
        at(6..8)?,
        at(8..10)?,
        at(10..12)?,
        at(12..14)?,
        at(14..text.len())?
    );
    written.parse().ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(from: i32, until: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["elm.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 2, 3);
        params.not_after = date_time_ymd(until, 4, 5);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn both_ends_are_read_in_both_ways_of_writing_a_time() {
        // From 2050 on a year has four digits.
        for (from, until) in [(1975, 2049), (2026, 2050), (2049, 4096)] {
            let read = validity(&certificate(from, until)).unwrap();
            assert_eq!(read.from.to_string(), format!("{from}-02-03T00:00:00.000Z"));
            assert_eq!(
                read.until.to_string(),
                format!("{until}-04-05T00:00:00.000Z")
            );
        }
    }

    #[test]
    fn a_certificate_that_ends_early_is_none() {
        let whole = certificate(2026, 2027);
        for length in 0..whole.len() {
            assert_eq!(validity(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn damage_anywhere_is_survived() {
        let whole = certificate(2026, 2027);
        for at in 0..whole.len() {
            for bits in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= bits;
                let _ = validity(&damaged);
            }
        }
    }
}
