//! Addresses of hubs and peers: one written form, with nothing in it that could end a line or hide a host.

use wb_net::Base;

use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "address",
    run,
    seeds,
    memory: Memory::TEXT,
};

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(base) = Base::parse(text) else { return };
    let written = base.to_string();
    let again = Base::parse(&written).expect("an address is read from its written form");
    assert_eq!(
        (again.to_string(), &again),
        (written.clone(), &base),
        "one form"
    );
    let odd = |c: char| !c.is_ascii_graphic() || matches!(c, '?' | '#' | '\\' | '"' | '<');
    assert!(!written.contains(odd), "{written:?}");
    assert!(
        !base.authority().contains('@'),
        "nothing stands before the host"
    );
    assert!(base.authority().len() <= written.len());
    assert!(base.path().is_empty() || base.path().starts_with('/') && !base.path().ends_with('/'));
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "HTTPS://Hub.Example.org:443/wb/",
        "http://127.0.0.1:8100",
        "http://[::1]:8100/a/b",
        "http://[::ffff:10.0.0.1]",
        "https://user@example.org/",
        "http://0x7f.1/",
        "http://2130706433/",
        "https://example.org./?q#f",
        "http://localhost:0",
        "https://a.b-c.example:65535/%2e%2e/x",
    ]
    .map(|address| address.as_bytes().to_vec())
    .into()
}
