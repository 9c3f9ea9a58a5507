//! `pairing.json`: safety words, and links that pair.

use wb_core::id::{InstanceId, Token};
use wb_core::pairing::{PairLink, safety_words};

use crate::vectors::{cases, file, texts};

#[test]
fn wb_core_agrees_with_the_vectors_of_pairing() {
    let vectors = file("pairing.json");
    for (name, case) in cases(&vectors) {
        let text = |member: &str| case[member].as_str().expect("a text");
        let id = |member: &str| text(member).parse::<InstanceId>().expect("an id");
        let token: Token = text("token").parse().expect("a token");
        let words = safety_words(id("a"), id("b"), &token);
        assert_eq!(words, text("words"), "{name}");
    }
    for case in vectors["links"].as_array().expect("links") {
        let text = |member: &str| case[member].as_str().expect("a text");
        let link: PairLink = text("link").parse().expect("a link");
        assert_eq!(
            link.addresses,
            texts(&case["addresses"]),
            "{}",
            case["name"]
        );
        assert_eq!(link.id.to_string(), text("id"));
        assert_eq!(link.token.to_string(), text("token"));
        assert_eq!(
            link.to_string(),
            text("link"),
            "it is written as it was read"
        );
    }
    for case in vectors["refused"].as_array().expect("refused links") {
        let link = case["link"].as_str().expect("a text");
        assert!(link.parse::<PairLink>().is_err(), "{}", case["name"]);
    }
}
