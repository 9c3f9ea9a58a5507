//! The seal itself: age, to several X25519 keys, from a plaintext that is padded already.

use std::io::{Read as _, Write as _};

use age::{Decryptor, Encryptor, x25519};
use bech32::{Bech32, Hrp};
use curve25519_dalek::MontgomeryPoint;
use wb_core::limits::{ENVELOPE_BYTES_MAX, ENVELOPE_RECIPIENTS_MAX};
use wb_core::rule::Rule;
use zeroize::Zeroizing;

use crate::entropy;
use crate::error::{NodeError, Result};

/// Stanzas in the header of a body: one for each recipient, one for its origin, and a few that say nothing, as age adds
/// them. Bounds the work of opening what anybody may have made.
const STANZAS_MAX: usize = ENVELOPE_RECIPIENTS_MAX + 8;

/// A fresh key: its public half, and the secret, both as age writes them.
pub(super) fn fresh_key() -> (String, Zeroizing<String>) {
    let prefix = Hrp::parse("age-secret-key-").expect("it is well formed");
    let seed = entropy::bytes::<32>();
    let text = bech32::encode::<Bech32>(prefix, seed.as_slice());
    let text = Zeroizing::new(text.expect("32 bytes are not too long"));
    let secret = Zeroizing::new(text.to_uppercase());
    let identity: x25519::Identity = secret.parse().expect("it is a key as age writes it");
    (identity.to_public().to_string(), secret)
}

/// Whether a text is a key that can be sealed to. One of small order makes nothing secret, and age panics where it is
/// asked to seal to it.
pub(crate) fn is_key(text: &str) -> bool {
    let Ok((_, bytes)) = bech32::decode(text) else {
        return false;
    };
    let Ok(point) = <[u8; 32]>::try_from(bytes) else {
        return false;
    };
    let shared = MontgomeryPoint(point).mul_clamped([0; 32]);
    shared != MontgomeryPoint([0; 32]) && text.parse::<x25519::Recipient>().is_ok()
}

/// Seals a plaintext to keys as age writes them.
pub(crate) fn seal(plain: &[u8], keys: &[String]) -> Result<Vec<u8>> {
    let sealable = keys.iter().filter(|key| is_key(key));
    let parsed: Vec<x25519::Recipient> = sealable.filter_map(|key| key.parse().ok()).collect();
    let refused = |what: &dyn std::fmt::Display| {
        NodeError::Refused(format!(
            "an envelope was not sealed: {what}; nothing was sent"
        ))
    };
    if parsed.len() != keys.len() {
        return Err(refused(&"a sealing key is not one"));
    }
    let recipients = parsed.iter().map(|key| key as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients).map_err(|error| refused(&error))?;
    let mut body = Vec::with_capacity(plain.len() + 1_024);
    let mut out = encryptor
        .wrap_output(&mut body)
        .map_err(|error| refused(&error))?;
    out.write_all(plain).map_err(|error| refused(&error))?;
    out.finish().map_err(|error| refused(&error))?;
    Ok(body)
}

/// Opens a body with whichever of these secrets does.
///
/// # Errors
/// `not_for_us`, also for what is no body at all.
pub(crate) fn open(
    body: &[u8],
    secrets: &[Zeroizing<String>],
) -> std::result::Result<Zeroizing<Vec<u8>>, Rule> {
    let identities: Vec<x25519::Identity> = secrets
        .iter()
        .filter_map(|secret| secret.parse().ok())
        .collect();
    // Each of its stanzas costs a multiplication for each key that is held.
    if stanzas(body) > STANZAS_MAX {
        return Err(Rule::NotForUs);
    }
    let decryptor = Decryptor::new_buffered(body).map_err(|_| Rule::NotForUs)?;
    // What asks for a passphrase would cost its work before it is known to be nothing.
    if decryptor.is_scrypt() {
        return Err(Rule::NotForUs);
    }
    let keys = identities.iter().map(|key| key as &dyn age::Identity);
    let reader = decryptor.decrypt(keys).map_err(|_| Rule::NotForUs)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(body.len()));
    reader
        .take(ENVELOPE_BYTES_MAX as u64)
        .read_to_end(&mut plain)
        .map_err(|_| Rule::NotForUs)?;
    Ok(plain)
}

/// How many stanzas stand in the header of an age file, counted no further than is of use.
fn stanzas(body: &[u8]) -> usize {
    let lines = body.split(|byte| *byte == b'\n');
    let header = lines.take_while(|line| !line.starts_with(b"---"));
    header
        .filter(|line| line.starts_with(b"-> "))
        .take(STANZAS_MAX + 1)
        .count()
}

#[cfg(test)]
mod tests {
    use wb_core::id::InstanceId;
    use wb_core::identity::IdentityLog;
    use wb_core::letter::{Letter, Mail};
    use wb_core::sealed::{Envelope, Sealed};
    use wb_core::sync::EnvelopeBody;
    use wb_core::time::Timestamp;

    use super::*;

    /// The points of small order, and what is read as one of them.
    const SMALL_ORDER: [&str; 8] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
    ];

    #[test]
    fn nothing_is_sealed_to_a_key_of_small_order() {
        let prefix = Hrp::parse("age").unwrap();
        for point in SMALL_ORDER {
            let bytes = data_encoding::HEXLOWER.decode(point.as_bytes()).unwrap();
            let key = bech32::encode::<Bech32>(prefix, &bytes).unwrap();
            assert!(key.parse::<x25519::Recipient>().is_ok(), "age takes it");
            assert!(!is_key(&key), "{point}");
            assert!(matches!(seal(b"words", &[key]), Err(NodeError::Refused(_))));
        }
        assert!(is_key(&fresh_key().0));
        assert!(!is_key("age1"));
    }

    #[test]
    fn envelopes_of_the_specification_open_for_their_readers_and_for_nobody_else() {
        let vectors = include_str!("../../../../docs/spec/vectors/sealed/opens.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let log: Vec<String> = serde_json::from_value(vectors["identity"].clone()).unwrap();
        let log = IdentityLog::verify(None, &log).unwrap();
        let now: Timestamp = serde_json::from_value(vectors["now"].clone()).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let name = &case["name"];
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let body: EnvelopeBody = serde_json::from_value(case["body"].clone()).unwrap();
            let body = body.0;
            let line = text(&case["line"]);
            let envelope = Envelope::verify(line.as_bytes(), &body, &log, now);
            let envelope = envelope.unwrap_or_else(|rule| panic!("{name}: {rule}"));
            for reader in case["readers"].as_array().unwrap() {
                let key = Zeroizing::new(text(&reader["key"]));
                let identity: x25519::Identity = key.parse().unwrap();
                let public = identity.to_public().to_string();
                assert_eq!(public, text(&reader["sealing_key"]), "{name}");
                let plain = open(&body, &[key]).unwrap_or_else(|rule| panic!("{name}: {rule}"));
                let id: InstanceId = text(&reader["reader"]).parse().unwrap();
                let (_, _, content) = Sealed::open(&plain, &envelope, &log, &id).unwrap();
                let hash = wb_core::hash::sha256(content);
                assert_eq!(hash.to_string(), text(&case["sha256"]), "{name}");
            }
            let stranger = Zeroizing::new(text(&case["stranger"]));
            assert_eq!(
                open(&body, &[stranger]).err(),
                Some(Rule::NotForUs),
                "{name}"
            );
        }
    }

    #[test]
    fn mail_of_the_specification_opens_for_its_reader_and_for_nobody_else() {
        let vectors = include_str!("../../../../docs/spec/vectors/letters/opens.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let log: Vec<String> = serde_json::from_value(vectors["identity"].clone()).unwrap();
        let log = IdentityLog::verify(None, &log).unwrap();
        let now: Timestamp = serde_json::from_value(vectors["now"].clone()).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let name = &case["name"];
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let body: EnvelopeBody = serde_json::from_value(case["body"].clone()).unwrap();
            let line = text(&case["line"]);
            let mail = Mail::verify(line.as_bytes(), &body.0, &log, now);
            let mail = mail.unwrap_or_else(|rule| panic!("{name}: {rule}"));
            let plain = open(&body.0, &[Zeroizing::new(text(&case["key"]))]);
            let plain = plain.unwrap_or_else(|rule| panic!("{name}: {rule}"));
            let reader: InstanceId = text(&case["reader"]).parse().unwrap();
            Letter::open(&plain, &mail, &log, &reader).unwrap();
            assert!(
                plain.starts_with(text(&case["letter"]).as_bytes()),
                "{name}"
            );
            let stranger = Zeroizing::new(text(&case["stranger"]));
            assert_eq!(
                open(&body.0, &[stranger]).err(),
                Some(Rule::NotForUs),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_sealed_opens_with_each_of_its_keys_and_with_no_other() {
        let (north, oak, eve) = (fresh_key(), fresh_key(), fresh_key());
        let body = seal(b"a canary", &[north.0, oak.0]).unwrap();
        assert!(!body.windows(8).any(|part| part == b"a canary"));
        for secret in [north.1, oak.1] {
            assert_eq!(open(&body, &[secret]).unwrap().as_slice(), b"a canary");
        }
        assert_eq!(open(&body, &[eve.1]).err(), Some(Rule::NotForUs));
    }

    #[test]
    fn a_body_for_more_than_an_envelope_can_have_is_not_looked_into() {
        let (public, secret) = fresh_key();
        let most = vec![public.clone(); ENVELOPE_RECIPIENTS_MAX + 1];
        let body = seal(b"words", &most).unwrap();
        let opened = open(&body, std::slice::from_ref(&secret));
        assert_eq!(opened.unwrap().as_slice(), b"words");
        let more = vec![public; STANZAS_MAX + 1];
        let body = seal(b"words", &more).unwrap();
        assert_eq!(open(&body, &[secret]).err(), Some(Rule::NotForUs));
    }
}
