//! What RFC 9421 signs: the signature base, and the fields that name it.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use sfv::{BareItem, InnerList, ListEntry, ListSerializer};

use super::NAME;
use crate::id::{Hash, InstanceId, Signature};
use crate::signed::Signer;

/// A component that is covered: its identifier as it stands in the list, and its value.
pub(super) type Component<'a> = (&'a str, &'a str);

/// The bytes that are signed (RFC 9421, section 2.5).
pub(super) fn base(components: &[Component<'_>], params: &str) -> Vec<u8> {
    let mut base = String::new();
    for (identifier, value) in components {
        base.push_str(identifier);
        base.push_str(": ");
        base.push_str(value);
        base.push('\n');
    }
    base.push_str("\"@signature-params\": ");
    base.push_str(params);
    base.into_bytes()
}

/// Which key signed: an instance, and the entry of its identity log that holds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId {
    /// The instance.
    pub instance: InstanceId,
    /// The hash of the entry.
    pub entry: Hash,
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.instance, self.entry)
    }
}

/// A text does not name a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a key id (instance id and identity entry hash with a colon between)")]
pub struct ParseKeyIdError;

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    fn from_str(text: &str) -> Result<Self, ParseKeyIdError> {
        let (instance, entry) = text.split_once(':').ok_or(ParseKeyIdError)?;
        Ok(Self {
            instance: instance.parse().map_err(|_| ParseKeyIdError)?,
            entry: entry.parse().map_err(|_| ParseKeyIdError)?,
        })
    }
}

/// Values of the two fields that carry a signature.
pub(super) struct Fields {
    pub signature_input: String,
    pub signature: String,
}

/// Signs components; `params` is the list of identifiers with its parameters.
pub(super) fn sign(components: &[Component<'_>], params: &str, signer: &Signer) -> Fields {
    let signature = signer.sign_message(&base(components, params));
    Fields {
        signature_input: format!("{NAME}={params}"),
        signature: format!("{NAME}=:{}:", BASE64.encode(&signature.0)),
    }
}

/// The list of identifiers in front of its parameters.
pub(super) fn list(components: &[Component<'_>]) -> String {
    let identifiers: Vec<&str> = components.iter().map(|(name, _)| *name).collect();
    format!("({})", identifiers.join(" "))
}

/// What the fields of a message say about our signature.
pub(super) struct Read {
    /// The identifiers covered, each as it is written.
    pub covered: Vec<String>,
    /// The list with its parameters, as it enters the signature base.
    pub params: String,
    pub signature: Signature,
    list: InnerList,
}

/// Why the fields cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// No signature of our name.
    Missing,
    /// Not of the form it should have.
    Malformed,
}

impl Read {
    /// Reads both fields.
    pub fn new(input: Option<&str>, signature: Option<&str>) -> Result<Self, Unreadable> {
        let (Some(input), Some(signature)) = (input, signature) else {
            return Err(Unreadable::Missing);
        };
        let parse = |text: &str| {
            sfv::Parser::new(text)
                .parse::<sfv::Dictionary>()
                .map_err(|_| Unreadable::Malformed)
        };
        let (inputs, signatures) = (parse(input)?, parse(signature)?);
        let (Some(input), Some(signature)) = (inputs.get(NAME), signatures.get(NAME)) else {
            return Err(Unreadable::Missing);
        };
        let (ListEntry::InnerList(list), ListEntry::Item(signature)) = (input, signature) else {
            return Err(Unreadable::Malformed);
        };
        let bytes = signature.bare_item.as_byte_sequence();
        let signature = bytes
            .and_then(Signature::from_slice)
            .ok_or(Unreadable::Malformed)?;
        let covered = list
            .items
            .iter()
            .map(|item| write_list([&ListEntry::Item(item.clone())]));
        Ok(Self {
            covered: covered.collect(),
            params: write_list([input]),
            signature,
            list: list.clone(),
        })
    }

    /// A parameter that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.list.params.get(name)?;
        value.as_string().map(sfv::StringRef::as_str)
    }

    /// A parameter that is a number of seconds.
    pub fn seconds(&self, name: &str) -> Option<u64> {
        let value: &BareItem = self.list.params.get(name)?;
        u64::try_from(i64::from(value.as_integer()?)).ok()
    }

    /// Whether the algorithm is named, and is ours.
    pub fn is_ed25519(&self) -> bool {
        self.text("alg") == Some("ed25519")
    }
}

/// The `created` of our signature in a `signature-input`.
pub(super) fn created(input: &str) -> Option<u64> {
    let members: sfv::Dictionary = sfv::Parser::new(input).parse().ok()?;
    let ListEntry::InnerList(list) = members.get(NAME)? else {
        return None;
    };
    let value: &BareItem = list.params.get("created")?;
    u64::try_from(i64::from(value.as_integer()?)).ok()
}

fn write_list<'a>(members: impl IntoIterator<Item = &'a ListEntry>) -> String {
    let mut list = ListSerializer::new();
    list.members(members);
    list.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use zeroize::Zeroizing;

    use super::*;

    /// RFC 9421, appendix B.2.6, as the vectors have it. The appendix names its signature otherwise.
    #[test]
    fn the_rfc_s_own_example_comes_out_byte_for_byte() {
        const VECTOR: &str = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/spec/vectors/requests/rfc9421_b26.json"
        ));
        let vector: Value = serde_json::from_str(VECTOR).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let components: Vec<(String, String)> =
            serde_json::from_value(vector["components"].clone()).unwrap();
        let components: Vec<Component<'_>> = components
            .iter()
            .map(|(identifier, value)| (identifier.as_str(), value.as_str()))
            .collect();
        let params = format!(
            "{};created=1618884473;keyid=\"test-key-ed25519\"",
            list(&components)
        );
        assert_eq!(params, vector["params"]);
        assert_eq!(base(&components, &params), text(&vector["base"]).as_bytes());

        let seed = data_encoding::HEXLOWER.decode(text(&vector["seed"]).as_bytes());
        let signer = Signer::from_seed(&Zeroizing::new(seed.unwrap().try_into().unwrap()));
        assert_eq!(signer.public_key().to_string(), vector["public_key"]);
        let fields = sign(&components, &params, &signer);
        let ours = |name: &str| text(&vector[name]).replacen("sig-b26=", "wb=", 1);
        assert_eq!(fields.signature_input, ours("signature_input"));
        assert_eq!(fields.signature, ours("signature"));

        let read = Read::new(Some(&fields.signature_input), Some(&fields.signature)).ok();
        let read = read.expect("it was written here");
        assert_eq!(read.params, params);
        let covered = components.iter().map(|(identifier, _)| *identifier);
        assert!(read.covered.iter().eq(covered));
        let base = base(&components, &read.params);
        assert!(signer.public_key().verifies_message(&base, &read.signature));
    }
}
