//! `lone_vouches.json`: a vouch alone, or the rule it breaks.

use wb_core::trust::{LoneError, LoneVouch};

use crate::vectors::{cases, file, report};

#[test]
fn wb_core_reads_vouches_alone_as_the_vectors_say() {
    let vectors = file("lone_vouches.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let text = case["text"].as_str().expect("a text");
        let read = LoneVouch::read(text.as_bytes()).map_err(LoneError);
        let verified = read.and_then(|vouch| vouch.verify());
        let (id, rule) = match &verified {
            Ok(verified) => (Some(verified.id.to_string()), None),
            Err(LoneError(rule)) => (None, Some(rule.as_str())),
        };
        if (id.as_deref(), rule) != (case["id"].as_str(), case["rule"].as_str()) {
            findings.push(format!(
                "{name}: expected {} {}, got {id:?} {rule:?}",
                case["id"], case["rule"]
            ));
        }
        // What is read is written as a text that is read the same.
        if let (Ok(_), Ok(vouch)) = (&verified, LoneVouch::read(text.as_bytes())) {
            assert_eq!(LoneVouch::read(vouch.to_text().as_bytes()), Ok(vouch));
        }
    }
    report(&findings);
}
