//! `words.json`: recovery words and what is made of them.

use wb_core::hash::recovery_commitment;
use wb_core::signed::Signer;
use wb_core::words::RecoveryWords;
use zeroize::Zeroizing;

use crate::naive::{hex, unhex};
use crate::vectors::{cases, file};

#[test]
fn wb_core_agrees_with_the_vectors_of_words() {
    let vectors = file("words.json");
    for (_, case) in cases(&vectors) {
        let text = |name: &str| case[name].as_str().expect("a text");
        let entropy = text("entropy");
        let bytes = unhex(entropy).try_into().expect("16 bytes");
        let words = RecoveryWords::from_entropy(Zeroizing::new(bytes));
        assert_eq!(words.text().as_str(), text("words"), "words of {entropy}");
        let shouted = text("words").to_uppercase().replace(' ', "  ");
        let read = RecoveryWords::parse(&shouted).expect("good words");
        let key = read.recovery_signer().public_key();
        assert_eq!(key.to_string(), text("recovery_key"), "key of {entropy}");
        let seed = unhex(text("recovery_seed")).try_into().expect("32 bytes");
        let signer = Signer::from_seed(&Zeroizing::new(seed));
        assert_eq!(signer.public_key(), key, "seed of {entropy}");
        let commitment = recovery_commitment(&key).to_string();
        assert_eq!(commitment, text("commitment"), "commitment of {entropy}");
        let backup = hex(read.backup_seed().as_slice());
        assert_eq!(backup, text("backup_seed"), "backup seed of {entropy}");
    }
    for case in vectors["refused"].as_array().expect("refused words") {
        let words = case["words"].as_str().expect("words");
        assert!(RecoveryWords::parse(words).is_err(), "{}", case["name"]);
    }
}
