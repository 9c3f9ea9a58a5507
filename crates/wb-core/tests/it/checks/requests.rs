//! `requests/`: signed requests as they come to a hub, and answers as they come back.

use serde_json::{Value, json};
use wb_core::identity::IdentityLog;
use wb_core::signed::Signer;
use wb_core::sync::Cause;
use wb_core::sync::signature::{
    AnswerError, KeyId, OutgoingRequest, ReceivedAnswer, ReceivedRequest, VerifiedRequest,
    read_request, sign_answer, sign_request, verify_answer,
};
use zeroize::Zeroizing;

use crate::naive::unhex;
use crate::vectors::{cases, file, report, texts};

/// Everything of `requests/` that comes to a hub.
const FILES: [&str; 4] = ["accepted", "beside_others", "refused", "first_cause"];

fn log(lines: &Value) -> IdentityLog {
    IdentityLog::verify(None, &texts(lines)).expect("the log of a vector is sound")
}

fn body(message: &Value) -> Vec<u8> {
    unhex(message["body"].as_str().expect("hexadecimal"))
}

fn signer(case: &Value) -> Option<Signer> {
    let seed = unhex(case["seed"].as_str()?);
    Some(Signer::from_seed(&Zeroizing::new(
        seed.try_into().expect("32 bytes"),
    )))
}

/// What the recipient of a file answers to a case.
fn verify(vectors: &Value, case: &Value) -> Result<VerifiedRequest, Cause> {
    let request = &case["request"];
    let (fields, body) = (&request["fields"], body(request));
    let received = ReceivedRequest {
        method: request["method"].as_str().expect("a method"),
        path: request["path"].as_str().expect("a path"),
        query: request["query"].as_str(),
        to: fields["wb-to"].as_str(),
        content_digest: fields["content-digest"].as_str(),
        signature_input: fields["signature-input"].as_str(),
        signature: fields["signature"].as_str(),
        body: &body,
    };
    let own = vectors["recipient"].as_str().expect("an id");
    let unverified = read_request(&received, own.parse().expect("an id"))?;
    let known = vectors["known"].get(unverified.key().instance.to_string());
    let now = case["now"].as_u64().expect("a time");
    unverified.verify(known.map(log).as_ref(), now)
}

/// The fields that the key of a case makes for its request.
fn signed(vectors: &Value, case: &Value, signer: &Signer) -> Value {
    let (request, body) = (&case["request"], body(&case["request"]));
    let sender = log(&vectors["known"][case["sender"].as_str().expect("an id")]);
    let to = vectors["recipient"].as_str().expect("an id");
    let outgoing = OutgoingRequest {
        method: request["method"].as_str().expect("a method"),
        path: request["path"].as_str().expect("a path"),
        query: request["query"].as_str(),
        to: to.parse().expect("an id"),
        body: (!body.is_empty()).then_some(&body),
        now: case["now"].as_u64().expect("a time"),
    };
    let key = KeyId {
        instance: sender.id(),
        entry: sender.newest().hash,
    };
    let made = sign_request(&outgoing, key, signer);
    let mut fields = json!({
        "wb-to": made.to, "signature-input": made.signature_input, "signature": made.signature,
    });
    if let Some(digest) = made.content_digest {
        fields["content-digest"] = digest.into();
    }
    fields
}

#[test]
fn wb_core_agrees_with_the_vectors_of_requests() {
    let mut findings = Vec::new();
    for name in FILES {
        let vectors = file(&format!("requests/{name}.json"));
        for (case_name, case) in cases(&vectors) {
            let answer = match verify(&vectors, case) {
                Ok(request) => json!([true, null, null, request.sender.to_string()]),
                Err(cause) => json!([false, cause.as_str(), cause.status(), null]),
            };
            let expected = json!([case["ok"], case["cause"], case["status"], case["sender"]]);
            if answer != expected {
                findings.push(format!(
                    "{name}: {case_name}: expected {expected}, got {answer}"
                ));
            }
        }
    }
    report(&findings);
}

#[test]
fn wb_core_signs_requests_as_the_vectors_do() {
    let vectors = file("requests/accepted.json");
    let mut findings = Vec::new();
    let mut tried = 0;
    for (name, case) in cases(&vectors) {
        let Some(signer) = signer(case) else { continue };
        tried += 1;
        let (made, expected) = (signed(&vectors, case, &signer), &case["request"]["fields"]);
        if made != *expected {
            findings.push(format!("{name}: expected {expected:#}, got {made:#}"));
        }
    }
    assert!(tried > 5, "{tried} requests were signed");
    report(&findings);
}

/// What a client makes of an answer.
fn taken(known: &IdentityLog, case: &Value) -> &'static str {
    let (answer, body) = (&case["answer"], body(&case["answer"]));
    let fields = &answer["fields"];
    let status = answer["status"].as_u64().expect("a status");
    let received = ReceivedAnswer {
        status: u16::try_from(status).expect("a status"),
        body: &body,
        content_digest: fields["content-digest"].as_str(),
        signature_input: fields["signature-input"].as_str(),
        signature: fields["signature"].as_str(),
    };
    match verify_answer(&received, case["request_signature"].as_str(), known) {
        Ok(()) => "taken",
        Err(AnswerError::KeyUnknown) => "key_unknown",
        Err(AnswerError::NotSigned | AnswerError::OtherInstance | AnswerError::Invalid) => {
            "refused"
        }
    }
}

#[test]
fn wb_core_agrees_with_the_vectors_of_answers() {
    let vectors = file("requests/answers.json");
    let known = log(&vectors["known"]);
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let outcome = taken(&known, case);
        if case["outcome"] != outcome {
            findings.push(format!(
                "{name}: expected {}, got {outcome}",
                case["outcome"]
            ));
        }
    }
    report(&findings);
}

#[test]
fn wb_core_signs_answers_as_the_vectors_do() {
    let vectors = file("requests/answers.json");
    let known = log(&vectors["known"]);
    let key = KeyId {
        instance: known.id(),
        entry: known.newest().hash,
    };
    let mut findings = Vec::new();
    let mut tried = 0;
    for (name, case) in cases(&vectors) {
        let Some(signer) = signer(case) else { continue };
        tried += 1;
        let answer = &case["answer"];
        let status = answer["status"].as_u64().expect("a status");
        let made = sign_answer(
            u16::try_from(status).expect("a status"),
            &body(answer),
            case["request_signature"].as_str(),
            key,
            &signer,
            case["now"].as_u64().expect("a time"),
        );
        let made = json!({
            "content-digest": made.content_digest, "signature-input": made.signature_input,
            "signature": made.signature,
        });
        if made != answer["fields"] {
            findings.push(format!(
                "{name}: expected {:#}, got {made:#}",
                answer["fields"]
            ));
        }
    }
    assert!(tried > 4, "{tried} answers were signed");
    report(&findings);
}
