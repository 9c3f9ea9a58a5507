//! Record lines: read in one pass, and understood as the naive reader understands them.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use wb_core::line::Line;
use wb_core::rule::Rule;

use crate::naive::{read_json, read_record};

/// What the members of an envelope may say: first what is right, then what is nearly right.
const MEMBERS: [(&str, &[&str]); 12] = [
    (
        "origin",
        &[
            concat!(
                "\"",
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "\""
            ),
            "\"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"",
            "\"\"",
            "null",
        ],
    ),
    (
        "kind",
        &[
            "\"comment\"",
            "\"\\u0063omment\"",
            "\"a_kind9\"",
            "\"Comment\"",
            "\"\"",
            "[\"comment\"]",
        ],
    ),
    (
        "schema_version",
        &[
            "1",
            "2147483647",
            "0",
            "-1",
            "-0",
            "1.0",
            "1e0",
            "2147483648",
            "4294967297",
            "\"1\"",
        ],
    ),
    (
        "id",
        &[
            "\"019a8c2e-7000-7abc-8def-0123456789ab\"",
            "\"019a8c2e-7000-4abc-8def-0123456789ab\"",
            "\"019A8C2E-7000-7abc-8def-0123456789ab\"",
            "{\"019a8c2e-7000-7abc-8def-0123456789ab\":null}",
        ],
    ),
    (
        "rev",
        &["1", "9007199254740992", "0", "-0", "3.0", "null", "true"],
    ),
    (
        "drops",
        &[
            "null",
            "\"00000000000000000000000000000000000000000000000000000000000000ff\"",
            "\"null\"",
            "\"\"",
            "false",
        ],
    ),
    (
        "by",
        &[
            "\"instance\"",
            "\"user:019a8c2e-7000-7abc-8def-0123456789ab\"",
            "\"us\\u0065r:019a8c2e-7000-7abc-8def-0123456789ab\"",
            "\"pseudonym:0123456789abcdef0123456789abcdef\"",
            "\"pseudonym:\"",
            "\"nobody\"",
            "null",
        ],
    ),
    (
        "session",
        &[
            "null",
            "\"0123456789abcdef0123456789abcdef\"",
            "\"0123456789abcdef\"",
            "\"null\"",
            "0",
        ],
    ),
    (
        "at",
        &[
            "\"2026-11-22T10:23:59.123Z\"",
            "\"2026-11-22T10:23:59.123\\u005a\"",
            "\"2026-11-22T10:23:59Z\"",
            "\"2026-02-30T10:23:59.123Z\"",
            "1",
        ],
    ),
    (
        "scope",
        &[
            "\"public\"",
            "\"trusted_peers\"",
            "\"private\"",
            "\"Public\"",
            "{\"public\":null}",
        ],
    ),
    (
        "salt",
        &[
            "\"0123456789abcdef0123456789abcdef\"",
            "\"0123456789abcdef0123456789abcde\"",
            "null",
        ],
    ),
    (
        "body",
        &[
            "{}",
            "{\"body\":\"\\\"}\",\"kind\":7}",
            "{ \"a\" : [ 1 , { } ] }",
            "[]",
            "\"{\"",
            "null",
        ],
    ),
];

/// Members that may stand beside them, and the keys of an envelope written otherwise.
const OTHERS: [&str; 9] = [
    "\"op\":null",
    "\"section\":1",
    "\"new\":{\"op\":1}",
    "\"\\u006fp\":1",
    "\"Origin\":1",
    "\"k\\u0069nd\":\"user\"",
    "\"ri\\u0067ht\":\"\\u00e9\"",
    "\"bodys\":{}",
    "\"\":0",
];

/// A line whose members are mostly right, in any order, some missing, some twice.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let member = |(name, values): (&'static str, &'static [&'static str])| {
        let value = prop_oneof![12 => Just(values[0]), 3 => select(values)];
        (value, 0..40_u8).prop_map(move |(value, luck)| match luck {
            0 => String::new(),
            1 => format!("\"{name}\":{value},\"{name}\":{value}"),
            2 => format!("\"{name}\"\t: {value} "),
            _ => format!("\"{name}\":{value}"),
        })
    };
    let members: Vec<_> = MEMBERS.into_iter().map(member).collect();
    let others = prop_oneof![4 => Just(""), 1 => select(&OTHERS[..])];
    let shuffled = (members, others).prop_flat_map(|(mut members, other)| {
        members.push(other.to_owned());
        members.retain(|member| !member.is_empty());
        Just(members).prop_shuffle()
    });
    shuffled.prop_map(|members| format!("{{{}}}", members.join(",")).into_bytes())
}

/// What both readers say of a line, and of what they took from it.
fn agree(line: &[u8]) -> Result<(), TestCaseError> {
    let theirs = read_json(line).and_then(|value| read_record(&value).ok_or("line_malformed"));
    let ours = Line::read(line).map_err(Rule::as_str);
    match (&theirs, &ours) {
        (Err(theirs), Err(ours)) => prop_assert_eq!(theirs, ours),
        (Ok(theirs), Ok(ours)) => {
            prop_assert_eq!(&theirs.origin, &ours.origin.to_string());
            prop_assert_eq!(&theirs.kind, ours.kind.as_str());
            prop_assert_eq!(theirs.schema_version, u64::from(ours.schema_version));
            prop_assert_eq!(&theirs.id, &ours.id.to_string());
            prop_assert_eq!(theirs.rev, ours.rev);
            prop_assert_eq!(&theirs.drops, &ours.drops.map(|hash| hash.to_string()));
            prop_assert_eq!(&theirs.by, &ours.by.to_string());
            prop_assert_eq!(&theirs.scope, ours.scope.as_str());
            let body = read_json(ours.body().as_bytes());
            prop_assert_eq!(Ok(theirs.body.clone()), body);
        }
        _ => prop_assert!(false, "the naive reader says {theirs:?}, we {ours:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_line_is_understood_as_the_naive_reader_understands_it(line in line()) {
        agree(&line)?;
    }

    #[test]
    fn also_one_in_which_a_byte_is_another(
        line in line(), at in any::<Index>(), byte in select(b"\"\\{}[]:,0-.eE\0\t u".to_vec()),
    ) {
        let mut line = line;
        let at = at.index(line.len());
        line[at] = byte;
        agree(&line)?;
    }
}
