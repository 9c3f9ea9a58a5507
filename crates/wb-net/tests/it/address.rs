use wb_net::{AddressError, Base};

#[test]
fn an_address_has_one_written_form() {
    for (text, written) in [
        ("http://127.0.0.1:8100", "http://127.0.0.1:8100"),
        ("https://hub.example.org/wb/", "https://hub.example.org/wb"),
        ("HTTPS://Hub.Example.ORG:443/", "https://hub.example.org"),
        ("http://hub.example.org:80", "http://hub.example.org"),
        ("http://hub.example.org:443", "http://hub.example.org:443"),
        ("https://hub.example.org:0443", "https://hub.example.org"),
        (
            "https://hub.example.org/A/b~c",
            "https://hub.example.org/A/b~c",
        ),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
        ("http://[2001:DB8:0:0::1]", "http://[2001:db8::1]"),
        ("http://my_hub:8100", "http://my_hub:8100"),
        (
            "http://xn--bcher-kva.example",
            "http://xn--bcher-kva.example",
        ),
    ] {
        let base = Base::parse(text).expect(text);
        assert_eq!(base.to_string(), written, "{text}");
        assert_eq!(written.parse::<Base>(), Ok(base), "{text}");
    }
}

#[test]
fn each_mistake_has_an_error_of_its_own() {
    use AddressError as E;
    for (text, error) in [
        ("", E::Scheme),
        ("hub.example.org", E::Scheme),
        ("ftp://hub.example.org", E::Scheme),
        ("//hub.example.org", E::Scheme),
        ("https://me:secret@hub.example.org", E::UserInfo),
        ("https://hub.example.org/?a=b", E::Query),
        ("https://hub.example.org?", E::Query),
        ("https://hub.example.org/#top", E::Fragment),
        ("https://", E::Host),
        ("https:///wb", E::Host),
        ("https://hub..example.org", E::Host),
        ("https://hub.example.org.", E::Host),
        ("https://-hub.example.org", E::Host),
        ("https://hub example.org", E::Host),
        ("https://bücher.example", E::Host),
        ("https://hub%2eexample.org", E::Host),
        ("https://hub\\@example.org", E::UserInfo),
        ("https://hub\\.example.org", E::Host),
        ("https://[::1", E::Host),
        ("https://[::1]x", E::Host),
        ("https://[127.0.0.1]", E::Host),
        ("https://[fe80::1%25eth0]", E::Host),
        ("https://::1", E::Host),
        // What resolvers read as an address without it looking like one.
        ("http://127.1", E::Host),
        ("http://2130706433", E::Host),
        ("http://0x7f000001", E::Host),
        ("http://0x7f.0.0.1", E::Host),
        ("http://127.0.0.01", E::Host),
        ("http://127.0.0.1.", E::Host),
        ("https://hub.example.org:", E::Port),
        ("https://hub.example.org:0", E::Port),
        ("https://hub.example.org:+80", E::Port),
        ("https://hub.example.org:65536", E::Port),
        ("https://hub.example.org:80:80", E::Port),
        ("https://hub.example.org//", E::Path),
        ("https://hub.example.org/a//b", E::Path),
        ("https://hub.example.org/a/../b", E::Path),
        ("https://hub.example.org/./b", E::Path),
        ("https://hub.example.org/a%20b", E::Path),
        ("https://hub.example.org/a b", E::Path),
        ("https://hub.example.org/a\r\nb", E::Path),
        ("https://hub.example.org/a\\b", E::Path),
    ] {
        assert_eq!(Base::parse(text), Err(error), "{text:?}");
    }
    let long = format!("https://hub.example.org/{}", "a".repeat(3_000));
    assert_eq!(Base::parse(&long), Err(E::TooLong));
    let long_name = format!("https://{}.example", "a".repeat(64));
    assert_eq!(Base::parse(&long_name), Err(E::Host));
}

#[test]
fn what_is_typed_on_purpose_is_told_from_what_is_named() {
    for (text, local) in [
        ("http://localhost:8100", true),
        ("http://hub.localhost", true),
        ("http://127.0.0.1", true),
        ("http://192.168.1.20:8100", true),
        ("http://169.254.1.1", true),
        ("http://[::1]:8100", true),
        ("http://[fe80::1]", true),
        ("http://[fd00::1]", true),
        ("http://[::ffff:192.168.1.20]", true),
        ("http://93.184.215.14", false),
        ("http://[2606:4700::1111]", false),
        ("http://hub.example.org", false),
        ("http://localhost.example.org", false),
    ] {
        let base = Base::parse(text).expect(text);
        assert_eq!(base.is_literal_local(), local, "{text}");
    }
}
