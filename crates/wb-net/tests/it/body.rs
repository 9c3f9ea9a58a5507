use http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use wb_net::body::{self, BODY_BYTES_MAX, ZSTD_WINDOW_LOG_MAX, decode, encode_zstd};
use wb_net::{BodyError, BodyLimit};
use zstd::zstd_safe::CParameter;

const LEVEL: i32 = 3;

const MIB: usize = 1_024 * 1_024;

/// Text-like bytes that do not pack to nothing.
fn lines(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut text = Vec::new();
    while text.len() < bytes {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        text.extend_from_slice(format!("{{\"n\":\"{state:016x}\"}}\n").as_bytes());
    }
    text.truncate(bytes);
    text
}

fn unpack(bytes: Vec<u8>, limit: BodyLimit) -> Result<Vec<u8>, BodyError> {
    decode(Some(body::ZSTD), bytes, limit)
}

#[test]
fn what_is_packed_unpacks_to_the_same_at_every_level() {
    // Above the window, so that a level asking for more of it would be refused.
    let large = lines(9 * MIB);
    for level in [-1, 1, 3, 19, 22, 100] {
        for text in [&large[..0], &large[..1], &large[..100_000]] {
            let packed = encode_zstd(level, text);
            assert_eq!(unpack(packed, BodyLimit::default()).expect("sound"), text);
        }
    }
    let packed = encode_zstd(LEVEL, &large);
    assert!(unpack(packed, BodyLimit::default()).expect("sound") == large);
    let repeated = large[..200_000].repeat(48);
    let packed = encode_zstd(22, &repeated);
    assert!(unpack(packed, BodyLimit::default()).expect("sound") == repeated);
}

#[test]
fn a_body_that_is_not_packed_is_itself() {
    for encoding in [None, Some("identity"), Some("Identity")] {
        let same = decode(encoding, b"as it is".to_vec(), BodyLimit::default());
        assert_eq!(same.expect("no encoding"), b"as it is");
    }
    let case = decode(Some("ZSTD"), encode_zstd(LEVEL, b"x"), BodyLimit::default());
    assert_eq!(case.expect("names of encodings have no case"), b"x");
}

#[test]
fn a_body_says_its_encoding_once() {
    let mut headers = HeaderMap::new();
    assert_eq!(body::encoding(&headers).expect("none"), None);
    headers.append(CONTENT_ENCODING, HeaderValue::from_static("zstd"));
    assert_eq!(body::encoding(&headers).expect("one"), Some("zstd"));
    headers.append(CONTENT_ENCODING, HeaderValue::from_static("zstd"));
    assert!(body::encoding(&headers).is_err(), "two");
}

#[test]
fn other_encodings_are_refused_by_name() {
    for encoding in ["gzip", "br", "zstd, zstd", "zstd, gzip", "", "dcz"] {
        let refused = decode(Some(encoding), Vec::new(), BodyLimit::default());
        assert!(
            matches!(&refused, Err(BodyError::Encoding(name)) if name == encoding),
            "{encoding}: {refused:?}"
        );
    }
}

#[test]
fn each_limit_refuses_alone() {
    let text = lines(10_000);
    let packed = encode_zstd(LEVEL, &text);
    let exact = BodyLimit {
        encoded: packed.len(),
        decoded: text.len(),
    };
    assert_eq!(unpack(packed.clone(), exact).expect("at the limit"), text);

    let encoded = BodyLimit {
        encoded: packed.len() - 1,
        ..exact
    };
    let refused = unpack(packed.clone(), encoded);
    assert!(matches!(refused, Err(BodyError::TooLarge { limit }) if limit == encoded.encoded));

    let decoded = BodyLimit {
        decoded: text.len() - 1,
        ..exact
    };
    let refused = unpack(packed, decoded);
    assert!(matches!(refused, Err(BodyError::TooLarge { limit }) if limit == decoded.decoded));

    let refused = decode(None, text, decoded);
    assert!(
        matches!(refused, Err(BodyError::TooLarge { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_bomb_is_refused_before_it_fills_memory() {
    let bomb = encode_zstd(LEVEL, &vec![0; BODY_BYTES_MAX]);
    assert!(
        bomb.len() < BODY_BYTES_MAX / 200,
        "a bomb of {}",
        bomb.len()
    );
    let refused = unpack(bomb, BodyLimit::default());
    assert!(matches!(refused, Err(BodyError::Ratio)), "{refused:?}");

    let honest = encode_zstd(LEVEL, &vec![0; MIB]);
    assert!(
        unpack(honest, BodyLimit::default()).is_ok(),
        "small ones are free"
    );
}

#[test]
fn one_sound_frame_and_nothing_else_is_a_body() {
    let packed = encode_zstd(LEVEL, &lines(10_000));
    let limit = BodyLimit::default();

    for length in [0, 1, 4, packed.len() / 2, packed.len() - 1] {
        let cut = unpack(packed[..length].to_vec(), limit);
        assert!(
            matches!(cut, Err(BodyError::Damaged(_))),
            "{length}: {cut:?}"
        );
    }

    let twice = unpack([packed.as_slice(), &packed].concat(), limit);
    assert!(matches!(twice, Err(BodyError::Trailing)), "{twice:?}");
    let newline = unpack([packed.as_slice(), b"\n"].concat(), limit);
    assert!(matches!(newline, Err(BodyError::Trailing)), "{newline:?}");
    let plain = unpack(b"not packed at all".to_vec(), limit);
    assert!(matches!(plain, Err(BodyError::Damaged(_))), "{plain:?}");
}

#[test]
fn a_body_cannot_ask_for_more_memory_than_the_window() {
    let text = lines(9 * MIB);
    let mut compressor = zstd::bulk::Compressor::new(1).expect("a level");
    compressor
        .set_parameter(CParameter::WindowLog(ZSTD_WINDOW_LOG_MAX + 1))
        .expect("a window");
    let greedy = compressor.compress(&text).expect("memory");
    let refused = unpack(greedy, BodyLimit::default());
    assert!(
        matches!(refused, Err(BodyError::Damaged(_))),
        "{:?}",
        refused.map(|text| text.len())
    );
}
