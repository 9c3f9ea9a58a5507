//! Strict JSON: never panics, says what the naive reader says, and accepts a part of what serde_json
//! accepts.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use wb_core::json::check;
use wb_core::rule::Rule;

use crate::naive::read_json;

/// Pieces that good and nearly good lines are made of.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\"a\"",
    "\"b\"",
    "\"\\u0061\"",
    "{\"a\":",
    "{\"b\":1,",
    "}}",
    "]}",
    "1",
    "0",
    "-",
    "-0",
    "1.5",
    "1e3",
    "1E400",
    "0e999",
    "9007199254740992",
    "9007199254740993",
    "true",
    "false",
    "null",
    " ",
    "\t",
    "\n",
    "\0",
    "\"\\u0000\"",
    "\\",
    "\"\\ud83c\\udf88\"",
    "\"\\ud83c\"",
    "\"é\"",
    "\u{feff}",
    "\"\u{1f}\"",
    "tru",
    "01",
];

fn soup() -> impl Strategy<Value = Vec<u8>> {
    vec(select(&PIECES[..]), 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

/// A valid document in which up to three bytes were changed.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let leaf = select(vec![
        "1", "-2.5e-3", "\"x\"", "\"\\n\"", "null", "true", "{}", "[]",
    ]);
    let value = leaf
        .prop_map(str::to_owned)
        .prop_recursive(5, 32, 4, |inner| {
            let list =
                vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , ")));
            let object = vec(("[a-c]", inner), 0..4).prop_map(|members| {
                let members = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            });
            prop_oneof![list, object]
        });
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (value, changes).prop_map(|(value, changes)| {
        let mut line = format!("{{\"a\":{value}}}").into_bytes();
        for (index, byte) in changes {
            let at = index.index(line.len());
            line[at] = byte;
        }
        line
    })
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![soup(), damaged(), vec(any::<u8>(), 0..64)]
}

/// White space around the value, or a line end inside it: JSON, but not a line.
fn is_not_a_line(text: &str) -> bool {
    text.trim_matches([' ', '\t', '\n', '\r']).len() != text.len() || text.contains(['\n', '\r'])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_naive_reader_says_the_same(line in line()) {
        prop_assert_eq!(check(&line).err().map(Rule::as_str), read_json(&line).err());
    }

    #[test]
    fn what_is_accepted_is_an_object_to_any_reader(line in line()) {
        if let Ok(text) = check(&line) {
            let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
            prop_assert!(value.is_object());
        }
    }

    #[test]
    fn only_the_strict_rules_refuse_what_is_json(line in line()) {
        let text = String::from_utf8(line.clone());
        let json = text.ok().filter(|text| serde_json::from_str::<serde_json::Value>(text).is_ok());
        if let (Some(text), Err(rule)) = (json, check(&line)) {
            let strict = [
                Rule::Nul, Rule::NotAnObject, Rule::TooDeep, Rule::DuplicateKey, Rule::NumberOutOfRange,
            ];
            prop_assert!(strict.contains(&rule) || is_not_a_line(&text), "{} for {:?}", rule, text);
        }
    }
}
