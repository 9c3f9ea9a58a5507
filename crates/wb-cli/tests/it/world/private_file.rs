//! The table of canaries held against the private file: a word in every column, or a reason why there is none.
//!
//! A column that a later version adds fails here until a row looks for it.

use std::collections::BTreeSet;

use super::canaries::{ALL, word};
use super::cast::World;
use crate::canary::needles::{Needle, Searcher};
use crate::support::database;

/// Columns without words of anybody, by table; `*` is every one.
const NO_WORDS: &[(&str, &str, &str)] = &[
    ("meta", "*", "the version of the file"),
    ("secrets", "*", "keys, which are looked for as bytes"),
    (
        "sealing_keys",
        "*",
        "keys, which are looked for as they are",
    ),
    ("backup_recipient", "*", "a public key"),
    ("accounts", "state", "one of three words of the program"),
    ("accounts", "role", "one of three words of the program"),
    ("contacts", "kind", "a word of the program"),
    ("attributes", "key", "a name that the other program gave"),
    ("drafts", "scope", "one of three words of the program"),
    ("invites", "token", "looked for as it is"),
    ("invites", "photo_path", "there are no uploads yet"),
    ("audit", "act", "a word of the program"),
    ("audit", "target", "ids of records and members"),
    (
        "audit",
        "detail",
        "words of the program, and what stands in other columns",
    ),
    ("legacy_map", "*", "numbers of rows elsewhere"),
    ("sessions", "label", "words of the program about a browser"),
    (
        "notices",
        "*",
        "words of the program, and what stands in other columns",
    ),
    ("preferences", "*", "one of three words of the program"),
    ("backups", "*", "where files lie, and what the system said"),
    ("agreements", "*", "words of the program"),
    (
        "letters_out",
        "*",
        "North writes receipts alone; what East writes is looked for at both",
    ),
    (
        "redemptions",
        "*",
        "ids, and words of the program; who came stands in the account",
    ),
    ("invite_uses", "*", "ids, and words of the program"),
    ("offers", "state", "one of six words of the program"),
    ("letters_in", "kind", "a word of the program"),
    ("letters_in", "state", "a word of the program"),
];

impl World {
    /// Each text column of North's private file holds a word of the table.
    #[track_caller]
    pub fn the_table_names_every_column(&self) {
        let file = self.north.file("private.db");
        let columns = database::texts(
            &file,
            "SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.type IN ('TEXT', 'BLOB')",
        );
        assert!(columns.len() > 50, "{} columns", columns.len());
        let needles: Vec<Needle> = ALL
            .iter()
            .map(|row| Needle::text(row.of, &word(row.of)))
            .collect();
        let searcher = Searcher::new(&needles);
        let mut missing = BTreeSet::new();
        for column in &columns {
            let (table, name) = column.split_once('.').expect("two names");
            let is_excused = NO_WORDS
                .iter()
                .any(|(t, c, _)| *t == table && (*c == "*" || *c == name));
            // Bytes are ids and hashes: those are looked for as what they are.
            let sql =
                format!("SELECT CAST({name} AS TEXT) FROM {table} WHERE typeof({name}) = 'text'");
            let texts = database::texts(&file, &sql).join("\n");
            let is_bytes = database::texts(
                &file,
                &format!("SELECT type FROM pragma_table_info('{table}') WHERE name = '{name}'"),
            ) == ["BLOB"];
            if !is_excused && !is_bytes && searcher.find(texts.as_bytes()).is_empty() {
                missing.insert(column.clone());
            }
        }
        assert!(missing.is_empty(), "no canary stands in {missing:?}");
    }

    /// What opens something, and the ids of what is private: keys, tokens, members whose profile stays home.
    pub fn secrets(&self) -> Vec<Needle> {
        let mut needles = Vec::new();
        for (name, instance) in [
            ("North", &self.north),
            ("East", &self.east),
            ("South", &self.south),
        ] {
            let key = std::fs::read_to_string(instance.file("signing.key")).expect("a key file");
            needles.push(hex(format!("the signing key of {name}"), key.trim()));
            let file = instance.file("private.db");
            for secret in database::texts(&file, "SELECT lower(hex(value)) FROM secrets") {
                needles.push(hex(format!("a secret of {name}"), &secret));
            }
            for secret in database::texts(&file, "SELECT secret FROM sealing_keys") {
                needles.push(Needle::text(format!("a sealing key of {name}"), &secret));
            }
            for token in database::texts(&file, "SELECT token FROM invites") {
                needles.push(Needle::text(format!("a token of {name}"), &token));
            }
        }
        assert!(needles.len() > 9, "{} secrets", needles.len());
        needles
    }

    /// The ids of what stays home.
    pub fn private_ids(&self) -> Vec<Needle> {
        let file = self.north.file("wb.db");
        let sql =
            "SELECT lower(hex(id)) FROM local_records WHERE scope = 'private' OR life != 'active'";
        let mut ids = database::texts(&file, sql);
        ids.extend(database::texts(
            &self.north.file("private.db"),
            "SELECT lower(hex(id)) FROM drafts",
        ));
        assert!(ids.len() > 4, "{} ids", ids.len());
        let uuid = |id: &str| [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        let both = |id: &String| {
            let label = format!("the id of something private, {}", uuid(id));
            [hex(label.clone(), id), Needle::text(label, &uuid(id))]
        };
        ids.iter().flat_map(both).collect()
    }
}

fn hex(label: String, digits: &str) -> Needle {
    let bytes = data_encoding::HEXLOWER
        .decode(digits.as_bytes())
        .expect("hex digits");
    Needle::bytes(label, &bytes)
}
