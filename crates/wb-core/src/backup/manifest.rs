//! The first line of a backup: whose it is, when it was made, and each part with its size and hash.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{Hash, InstanceId};
use crate::json::{self, object_only};
use crate::kinds::check_name;
use crate::limits::{BACKUP_MANIFEST_BYTES_MAX, BACKUP_PART_BYTES_MAX};
use crate::time::Timestamp;

const TYPE: &str = "wb.backup.v1";
/// How the type of every backup begins, of later versions too.
const TYPE_OF_ANY: &str = "wb.backup.v";
const SCHEMA_VERSION: u32 = 1;

/// The parts a backup can have, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartName {
    /// The identity log.
    Identity,
    /// The main file.
    Main,
    /// The private file.
    Private,
    /// What a hub relays.
    Hub,
    /// Settings.
    Config,
    /// A key that a rotation was about to take.
    NextKey,
    /// The signing key.
    Key,
}

impl PartName {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Identity,
        Self::Main,
        Self::Private,
        Self::Hub,
        Self::Config,
        Self::NextKey,
        Self::Key,
    ];

    /// Its name in the manifest, and in a folder.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity.jsonl",
            Self::Main => "wb.db",
            Self::Private => "private.db",
            Self::Hub => "hub.db",
            Self::Config => "config.toml",
            Self::NextKey => "signing.key.next",
            Self::Key => "signing.key",
        }
    }

    /// Whether it is a database.
    #[must_use]
    pub fn is_database(self) -> bool {
        matches!(self, Self::Main | Self::Private | Self::Hub)
    }

    /// Whether there is no backup without it.
    fn is_needed(self) -> bool {
        matches!(
            self,
            Self::Identity | Self::Main | Self::Private | Self::Key
        )
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PartName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let found = Self::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or(())
    }
}

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub name: PartName,
    /// How long it is.
    pub bytes: u64,
    /// Hash of its bytes.
    pub sha256: Hash,
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Whose it is.
    pub instance: InstanceId,
    /// The name of that instance.
    pub name: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The program that made it.
    pub software: String,
    /// The format of each database in it.
    pub formats: BTreeMap<String, u64>,
    /// What is in it, in order.
    pub parts: Vec<Part>,
}

/// Why a manifest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is something else.
    #[error("it is no backup")]
    NotABackup,
    /// A later version wrote it.
    #[error("it was made by a newer version ({0})")]
    Newer(String),
    /// It is not well formed.
    #[error("its manifest is not well formed: {0}")]
    Malformed(String),
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(rename = "type")]
    kind: String,
    schema_version: u32,
    instance: InstanceId,
    name: String,
    made_at: Timestamp,
    software: String,
    formats: BTreeMap<String, u64>,
    parts: Vec<WrittenPart>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Self")]
struct WrittenPart {
    name: String,
    bytes: u64,
    sha256: Hash,
}

object_only!(WrittenPart);

/// What every version says, whatever else it says.
#[derive(Deserialize)]
struct Version {
    #[serde(rename = "type")]
    kind: String,
    schema_version: u32,
    software: Option<String>,
}

impl Manifest {
    /// The line, with its LF.
    ///
    /// # Panics
    /// Never: it has string keys.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let parts = self.parts.iter().map(|part| WrittenPart {
            name: part.name.to_string(),
            bytes: part.bytes,
            sha256: part.sha256,
        });
        let written = Written {
            kind: TYPE.to_owned(),
            schema_version: SCHEMA_VERSION,
            instance: self.instance,
            name: self.name.clone(),
            made_at: self.made_at,
            software: self.software.clone(),
            formats: self.formats.clone(),
            parts: parts.collect(),
        };
        let mut line = serde_json::to_vec(&written).expect("a manifest serialises");
        line.push(b'\n');
        line
    }

    /// Reads a line without its LF.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn read(line: &[u8]) -> Result<Self, ManifestError> {
        let text = json::check_document(line, BACKUP_MANIFEST_BYTES_MAX)
            .map_err(|_| ManifestError::NotABackup)?;
        let version: Version = serde_json::from_str(text).map_err(|_| ManifestError::NotABackup)?;
        if !version.kind.starts_with(TYPE_OF_ANY) {
            return Err(ManifestError::NotABackup);
        }
        let software = version.software.unwrap_or_default();
        if version.kind != TYPE || version.schema_version > SCHEMA_VERSION {
            return Err(ManifestError::Newer(software));
        }
        let written: Written = serde_json::from_str(text)
            .map_err(|error| ManifestError::Malformed(error.to_string()))?;
        let malformed = |what: &str| ManifestError::Malformed(what.to_owned());
        check_name(&written.name).map_err(|error| malformed(&error.to_string()))?;
        let mut parts: Vec<Part> = Vec::new();
        for part in written.parts {
            let Ok(name) = part.name.parse::<PartName>() else {
                return Err(ManifestError::Newer(software));
            };
            if part.bytes > BACKUP_PART_BYTES_MAX {
                return Err(malformed("a part is larger than any can be"));
            }
            if parts.last().is_some_and(|before| before.name >= name) {
                return Err(malformed("its parts are out of order"));
            }
            parts.push(Part {
                name,
                bytes: part.bytes,
                sha256: part.sha256,
            });
        }
        let is_there = |name| parts.iter().any(|part| part.name == name);
        let needed = PartName::ALL.into_iter().filter(|name| name.is_needed());
        if let Some(name) = needed.into_iter().find(|name| !is_there(*name)) {
            return Err(malformed(&format!("{name} is missing")));
        }
        Ok(Self {
            instance: written.instance,
            name: written.name,
            made_at: written.made_at,
            software,
            formats: written.formats,
            parts,
        })
    }

    /// How long all parts are together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let bytes = self.parts.iter().map(|part| part.bytes);
        bytes.fold(0, u64::saturating_add)
    }

    /// A part, where it is there.
    #[must_use]
    pub fn part(&self, name: PartName) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;

    fn manifest() -> Manifest {
        let part = |name| Part {
            name,
            bytes: 1,
            sha256: hash::sha256(b"a"),
        };
        let names = [
            PartName::Identity,
            PartName::Main,
            PartName::Private,
            PartName::Key,
        ];
        Manifest {
            instance: InstanceId([7; 32]),
            name: "North".to_owned(),
            made_at: Timestamp::from_unix_ms(0).unwrap(),
            software: "whiteballoon/0.1.0".to_owned(),
            formats: BTreeMap::from([("wb.db".to_owned(), 3)]),
            parts: names.map(part).to_vec(),
        }
    }

    fn text() -> String {
        String::from_utf8(manifest().line()).unwrap()
    }

    fn read(text: &str) -> Result<Manifest, ManifestError> {
        Manifest::read(text.trim_end().as_bytes())
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&text()), Ok(manifest()));
        assert_eq!(manifest().bytes(), 4);
    }

    #[test]
    fn each_rule_is_asked() {
        let newer = [
            ("wb.backup.v1", "wb.backup.v2"),
            ("\"schema_version\":1", "\"schema_version\":2"),
            ("\"wb.db\",", "\"media.tar\","),
        ];
        for (from, to) in newer {
            let result = read(&text().replacen(from, to, 1));
            assert!(
                matches!(result, Err(ManifestError::Newer(_))),
                "{to}: {result:?}"
            );
        }
        let none = [
            ("wb.backup.v1", "wb.bundle.v1"),
            ("{", "["),
            ("1970", "\u{0}"),
        ];
        for (from, to) in none {
            let result = read(&text().replacen(from, to, 1));
            assert_eq!(result, Err(ManifestError::NotABackup), "{to}");
        }
        let malformed = [
            ("\"wb.db\",", "\"hub.db\","),
            ("\"private.db\",", "\"wb.db\","),
            ("\"signing.key\",", "\"config.toml\","),
            ("\"bytes\":1", "\"bytes\":1099511627777"),
            ("\"name\":\"North\"", "\"name\":\"\""),
            ("\"made_at\"", "\"made\""),
        ];
        for (from, to) in malformed {
            let result = read(&text().replacen(from, to, 1));
            assert!(
                matches!(result, Err(ManifestError::Malformed(_))),
                "{to}: {result:?}"
            );
        }
    }
}
