//! Signed requests and answers: what was signed counts, and nothing beside it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use wb_core::id::{Hash, InstanceId};
use wb_core::identity::{IdentityLog, found};
use wb_core::signed::Signer;
use wb_core::sync::Cause;
use wb_core::sync::signature::{
    AnswerFields, KeyId, OutgoingRequest, ReceivedAnswer, ReceivedRequest, RequestFields,
    RequestHead, read_head, read_request, sign_answer, sign_request, verify_answer,
};
use wb_core::time::Timestamp;
use zeroize::Zeroizing;

const NOW: u64 = 1_763_812_345;
const HUB: InstanceId = InstanceId([0xab; 32]);

/// Somebody who can sign.
struct Sender {
    identity: IdentityLog,
    signer: Signer,
}

impl Sender {
    fn new(seed: u8) -> Self {
        let signer = Signer::from_seed(&Zeroizing::new([seed; 32]));
        let at = Timestamp::from_unix_ms(1_763_812_345_000).expect("in range");
        let line = found(&signer, Hash([seed; 32]), at);
        let identity = IdentityLog::verify(None, &[line]).expect("it was made by the rules");
        Self { identity, signer }
    }

    fn key(&self) -> KeyId {
        KeyId {
            instance: self.identity.id(),
            entry: self.identity.newest().hash,
        }
    }
}

/// A request with all its parts, each of which can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    method: String,
    path: String,
    query: Option<String>,
    body: Vec<u8>,
    fields: RequestFields,
}

impl Parts {
    fn signed(
        sender: &Sender,
        (method, path, query, body): (String, String, Option<String>, Vec<u8>),
    ) -> Self {
        let outgoing = OutgoingRequest {
            method: &method,
            path: &path,
            query: query.as_deref(),
            to: HUB,
            body: (!body.is_empty()).then_some(&body),
            now: NOW,
        };
        let fields = sign_request(&outgoing, sender.key(), &sender.signer);
        Self {
            method,
            path,
            query,
            body,
            fields,
        }
    }

    fn verifies(&self, sender: &Sender) -> bool {
        let received = ReceivedRequest {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            to: Some(&self.fields.to),
            content_digest: self.fields.content_digest.as_deref(),
            signature_input: Some(&self.fields.signature_input),
            signature: Some(&self.fields.signature),
            body: &self.body,
        };
        read_request(&received, HUB)
            .is_ok_and(|read| read.verify(Some(&sender.identity), NOW).is_ok())
    }

    /// Verifies the head, and only then looks at a body.
    fn verifies_before_its_body(&self, sender: &Sender, body: &[u8]) -> Result<bool, Cause> {
        let head = RequestHead {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            to: Some(&self.fields.to),
            content_digest: self.fields.content_digest.as_deref(),
            signature_input: Some(&self.fields.signature_input),
            signature: Some(&self.fields.signature),
            has_body: !self.body.is_empty(),
        };
        let read = read_head(&head, HUB)?;
        read.verify(Some(&sender.identity), NOW)?;
        Ok(read.check_body(body).is_ok())
    }

    /// The texts that are signed, but for those that are not there.
    fn texts(&mut self) -> Vec<&mut String> {
        let fields = &mut self.fields;
        let always = [
            &mut self.method,
            &mut self.path,
            &mut fields.to,
            &mut fields.signature_input,
        ];
        let sometimes = [self.query.as_mut(), fields.content_digest.as_mut()];
        let all = always.into_iter().chain(sometimes.into_iter().flatten());
        all.filter(|text| !text.is_empty()).collect()
    }
}

/// Puts another character of ASCII in the place of one.
fn replace(text: &mut String, at: usize, by: u8) {
    let mut bytes = std::mem::take(text).into_bytes();
    bytes[at] = by;
    *text = String::from_utf8(bytes).expect("ASCII for ASCII");
}

fn request() -> impl Strategy<Value = (String, String, Option<String>, Vec<u8>)> {
    let method = prop_oneof!["GET", "PUT", "POST", "DELETE"];
    let path = "/sync/v1/[a-z/%.0-9]{0,20}";
    let query = option::of("[ -~&&[^#]]{0,30}");
    (method, path, query, vec(any::<u8>(), 0..64))
}

/// The bytes of a signature; the text has spare bits, and a text that differs only there is the same
/// signature.
fn signature_bytes(field: &str) -> Option<Vec<u8>> {
    let fields: sfv::Dictionary = sfv::Parser::new(field).parse().ok()?;
    let sfv::ListEntry::Item(item) = fields.get("wb")? else {
        return None;
    };
    item.bare_item.as_byte_sequence().map(<[u8]>::to_vec)
}

proptest! {
    #[test]
    fn a_request_verifies_as_it_was_signed(request in request()) {
        let sender = Sender::new(1);
        let parts = Parts::signed(&sender, request);
        prop_assert!(parts.verifies(&sender));
        prop_assert!(!parts.verifies(&Sender::new(2)));
    }

    #[test]
    fn the_head_proves_the_sender_and_the_digest_the_body(
        request in request(),
        other in vec(any::<u8>(), 0..64),
    ) {
        let sender = Sender::new(1);
        let parts = Parts::signed(&sender, request);
        prop_assert_eq!(parts.verifies_before_its_body(&sender, &parts.body), Ok(true));
        let is_same = other == parts.body;
        prop_assert_eq!(parts.verifies_before_its_body(&sender, &other), Ok(is_same));
        let refused = parts.verifies_before_its_body(&Sender::new(2), &parts.body);
        prop_assert_eq!(refused, Err(Cause::KeyUnknown));
    }

    #[test]
    fn no_character_of_a_signed_text_can_be_another(
        request in request(), part in any::<Index>(), at in any::<Index>(), by in 0..128_u8,
    ) {
        let sender = Sender::new(1);
        let signed = Parts::signed(&sender, request);
        let mut parts = signed.clone();
        let mut texts = parts.texts();
        let text = part.get_mut(&mut texts);
        let at = at.index(text.len());
        replace(text, at, by);
        prop_assert_eq!(parts.verifies(&sender), parts == signed, "{:?}", parts);
    }

    #[test]
    fn no_byte_of_a_body_can_be_another(
        request in request(), at in any::<Index>(), by in any::<u8>(),
    ) {
        let sender = Sender::new(1);
        let signed = Parts::signed(&sender, request);
        prop_assume!(!signed.body.is_empty());
        let mut parts = signed.clone();
        *at.get_mut(&mut parts.body) = by;
        prop_assert_eq!(parts.verifies(&sender), parts == signed, "{:?}", parts);
    }

    #[test]
    fn no_character_of_a_signature_can_be_another(
        request in request(), at in any::<Index>(), by in 0..128_u8,
    ) {
        let sender = Sender::new(1);
        let signed = Parts::signed(&sender, request);
        let mut parts = signed.clone();
        let at = at.index(parts.fields.signature.len());
        replace(&mut parts.fields.signature, at, by);
        let bytes = |parts: &Parts| signature_bytes(&parts.fields.signature);
        prop_assert_eq!(parts.verifies(&sender), bytes(&parts) == bytes(&signed), "{:?}", parts);
    }
}

/// The same for every place of one request, so that no place is left to chance.
#[test]
fn no_place_of_a_request_is_open() {
    let sender = Sender::new(1);
    let request = (
        "PUT".to_owned(),
        "/sync/v1/follows".to_owned(),
        Some("a=1&b=%2F".to_owned()),
        b"{\"schema_version\":1}".to_vec(),
    );
    let signed = Parts::signed(&sender, request);
    let mut tried = 0;
    for text in 0..signed.clone().texts().len() {
        for at in 0..signed.clone().texts()[text].len() {
            for bit in 0..7 {
                let mut parts = signed.clone();
                let text = &mut *parts.texts()[text];
                let by = text.as_bytes()[at] ^ (1 << bit);
                replace(text, at, by);
                assert!(!parts.verifies(&sender), "{parts:?}");
                tried += 1;
            }
        }
    }
    for at in 0..signed.body.len() {
        for bit in 0..8 {
            let mut parts = signed.clone();
            parts.body[at] ^= 1 << bit;
            assert!(!parts.verifies(&sender), "{parts:?}");
            tried += 1;
        }
    }
    assert!(tried > 3_000, "{tried} changes were tried");
}

/// An answer with all its parts, and the request it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: u16,
    body: Vec<u8>,
    fields: AnswerFields,
    request: Option<String>,
}

impl Answer {
    fn verifies(&self, sender: &Sender) -> bool {
        let received = ReceivedAnswer {
            status: self.status,
            body: &self.body,
            content_digest: Some(&self.fields.content_digest),
            signature_input: Some(&self.fields.signature_input),
            signature: Some(&self.fields.signature),
        };
        verify_answer(&received, self.request.as_deref(), &sender.identity).is_ok()
    }
}

fn answer(sender: &Sender, bound: bool, status: u16, body: Vec<u8>) -> Answer {
    let asked = ("GET".to_owned(), "/sync/v1/member".to_owned(), None, vec![]);
    let request = bound.then(|| Parts::signed(&Sender::new(7), asked).fields.signature);
    let fields = sign_answer(
        status,
        &body,
        request.as_deref(),
        sender.key(),
        &sender.signer,
        NOW,
    );
    Answer {
        status,
        body,
        fields,
        request,
    }
}

proptest! {
    #[test]
    fn an_answer_verifies_as_it_was_signed_and_no_character_can_be_another(
        bound in any::<bool>(), status in 200..600_u16, body in vec(any::<u8>(), 0..64),
        part in 0..5, at in any::<Index>(), by in 0..128_u8, other in 200..600_u16,
    ) {
        let sender = Sender::new(1);
        let signed = answer(&sender, bound, status, body);
        prop_assert!(signed.verifies(&sender));
        prop_assert!(!signed.verifies(&Sender::new(2)));
        let mut changed = signed.clone();
        match part {
            0 => changed.status = other,
            1 if !changed.body.is_empty() => *at.get_mut(&mut changed.body) = by,
            2 => {
                let at = at.index(changed.fields.signature_input.len());
                replace(&mut changed.fields.signature_input, at, by);
            }
            3 => {
                let at = at.index(changed.fields.content_digest.len());
                replace(&mut changed.fields.content_digest, at, by);
            }
            _ => {
                let field = changed.request.as_mut().unwrap_or(&mut changed.fields.signature);
                let at = at.index(field.len());
                replace(field, at, by);
            }
        }
        // A text of a signature that says the same bytes is the same signature.
        let plain = |answer: &Answer| {
            let mut answer = answer.clone();
            let request = answer.request.take();
            let request = request.map(|field| signature_bytes(&field).ok_or(field));
            let signature = std::mem::take(&mut answer.fields.signature);
            (answer, request, signature_bytes(&signature).ok_or(signature))
        };
        let is_same = plain(&changed) == plain(&signed);
        prop_assert_eq!(changed.verifies(&sender), is_same, "{:?}", changed);
    }
}

/// Whoever looks a request up in the wrong log gets no sender out of it.
#[test]
fn an_entry_of_one_instance_does_not_speak_for_another() {
    let sender = Sender::new(1);
    let other = Sender::new(2).identity.id();
    let outgoing = OutgoingRequest {
        method: "GET",
        path: "/sync/v1/member",
        query: None,
        to: HUB,
        body: None,
        now: NOW,
    };
    let key = KeyId {
        instance: other,
        ..sender.key()
    };
    let fields = sign_request(&outgoing, key, &sender.signer);
    let received = ReceivedRequest {
        method: outgoing.method,
        path: outgoing.path,
        query: None,
        to: Some(&fields.to),
        content_digest: None,
        signature_input: Some(&fields.signature_input),
        signature: Some(&fields.signature),
        body: &[],
    };
    let read = read_request(&received, HUB).unwrap();
    let verified = read.verify(Some(&sender.identity), NOW);
    assert_eq!(verified, Err(Cause::KeyUnknown));
}
