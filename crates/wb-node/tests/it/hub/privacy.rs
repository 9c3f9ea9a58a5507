//! What a hub never sees, and what it forgets.

use wb_core::scope::Scope;
use wb_core::sync::Policy;

use super::world::{HubUp, Member, titles};

fn holds(bytes: &[u8], words: &str) -> bool {
    let words = words.as_bytes();
    bytes.windows(words.len()).any(|window| window == words)
}

#[test]
fn a_hub_s_files_hold_what_was_public_and_nothing_else() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    north.ask("Seen by everybody", Scope::Public);
    north.ask("Seen by nobody else", Scope::Private);
    north.ask("Seen by named peers", Scope::TrustedPeers);
    let mistake = north.ask("Said by mistake", Scope::Public);
    let reworded = north.ask("Said badly at first", Scope::Public);
    south.follow_all(&hub, &[north.id()]);
    for member in [&mut north, &mut south] {
        assert_eq!(member.sync(&hub).end, None);
    }
    south.sync(&hub);
    let bytes = hub.bytes();
    assert!(holds(&bytes, "Seen by everybody") && holds(&bytes, "Said by mistake"));
    for private in [
        "Seen by nobody else",
        "Seen by named peers",
        "trusted_peers\",\"log",
    ] {
        assert!(!holds(&bytes, private), "{private}");
    }

    // What is taken back or reworded is overwritten there too, also in the log of the file.
    north.take_back(&mistake);
    north.reword(&reworded, "Said well");
    assert_eq!(north.sync(&hub).end, None);
    let bytes = hub.bytes();
    assert!(holds(&bytes, "Said well"));
    for gone in ["Said by mistake", "Said badly at first"] {
        assert!(!holds(&bytes, gone), "{gone}");
    }
    south.sync(&hub);
    assert_eq!(titles(&south), ["Said well", "Seen by everybody"]);
    let mut files = Vec::new();
    for suffix in ["", "-wal"] {
        let file = format!("{}{suffix}", south.home().main().display());
        files.extend(std::fs::read(file).unwrap_or_default());
    }
    for gone in ["Said by mistake", "Said badly at first"] {
        assert!(!holds(&files, gone), "{gone}");
    }
}
