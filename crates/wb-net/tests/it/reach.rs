use std::net::IpAddr;

use wb_net::Reach;
use wb_net::reach::is_global;

/// Addresses of the public internet, also at the edges of what is not.
const GLOBAL: &[&str] = &[
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "203.0.112.255",
    "223.255.255.255",
    "2001:200::1",
    "2001:db7:ffff::1",
    "2001:db9::1",
    "2003::1",
    "2606:4700:4700::1111",
    "2a01:4f8::1",
    "3ffe:ffff::1",
    // A public IPv4 address in another form.
    "::ffff:93.184.215.14",
    "64:ff9b::93.184.215.14",
];

/// Addresses inside some network, of no network, or of many receivers.
const INSIDE: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.255",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "100::1",
    "1fff::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2002:5db8:d70e::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "64:ff9b:1::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    // An inner IPv4 address in another form: mapped, compatible, translated.
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::127.0.0.1",
    "::10.0.0.1",
    "::93.184.215.14",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::10.0.0.1",
];

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn the_public_internet_is_told_from_the_rest() {
    for text in GLOBAL {
        assert!(is_global(ip(text)), "{text} is public");
        assert!(Reach::Global.allows(ip(text)), "{text} may be connected to");
    }
    for text in INSIDE {
        assert!(!is_global(ip(text)), "{text} is not public");
        assert!(
            !Reach::Global.allows(ip(text)),
            "{text} may not be connected to"
        );
        assert!(Reach::Lan.allows(ip(text)), "{text} may be on purpose");
    }
}

#[test]
fn no_form_of_an_inner_ipv4_address_is_public() {
    let inner = INSIDE
        .iter()
        .filter_map(|text| text.parse::<std::net::Ipv4Addr>().ok());
    for address in inner {
        let [a, b, c, d] = address.octets();
        let low = u128::from(address.to_bits());
        for form in [
            address.to_ipv6_mapped(),
            address.to_ipv6_compatible(),
            (low | (0x64_ff9b << 96)).to_be_bytes().into(),
            [0x20, 0x02, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1].into(),
        ] {
            assert!(!is_global(form.into()), "{form} stands for {address}");
        }
    }
}
