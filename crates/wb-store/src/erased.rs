//! The list of erased accounts, kept beside the guard (spec: backups, accounts that were erased).
//!
//! It outlives every copy of the databases, so that an older one does not bring anybody back. It holds salted
//! hashes and no name; who is on it is found by hashing whoever is there. Like the guard it is never part of a backup.

use serde::{Deserialize, Serialize};
use wb_core::hash;
use wb_core::id::{Hash, RecordId, Salt};
use wb_core::line::Line;
use wb_core::scope::By;

use crate::error::{Result, StoreError};
use crate::home::{Home, write_private_file};

/// Version of the file.
const VERSION: u32 = 1;

/// The list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedList {
    schema_version: u32,
    /// Made with the first entry: the same person at two instances has nothing in common.
    salt: Salt,
    accounts: Vec<ErasedAccount>,
}

/// One account that was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ErasedAccount {
    user: Hash,
    handle: Hash,
    /// The names that its records left under.
    names: Vec<Hash>,
}

/// What is hashed, so that a handle is never taken for an id.
#[derive(Debug, Clone, Copy)]
enum What {
    User,
    Handle,
    Name,
}

impl ErasedList {
    /// Reads the list of a folder; `None` where nobody was erased.
    ///
    /// # Errors
    /// What the operating system reports, or that the file is damaged or of a newer program.
    pub fn read(home: &Home) -> Result<Option<Self>> {
        let path = home.erased();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io(&path)(error)),
        };
        let list: Option<Self> = serde_json::from_slice(&bytes).ok();
        // Whoever goes on without it could bring somebody back.
        list.filter(|list| list.schema_version == VERSION)
            .map(Some)
            .ok_or_else(|| {
                StoreError::damaged(format!(
                    "{} is not a list of erased accounts that this version reads",
                    path.display()
                ))
            })
    }

    /// A list with nobody on it.
    #[must_use]
    pub fn new(salt: Salt) -> Self {
        Self {
            schema_version: VERSION,
            salt,
            accounts: Vec::new(),
        }
    }

    /// Writes the list and waits for the disk.
    ///
    /// # Errors
    /// What the operating system reports; then the old list is there.
    pub fn write(&self, home: &Home) -> Result<()> {
        let bytes = serde_json::to_vec(self).expect("a list has string keys and serialises");
        write_private_file(&home.erased(), &bytes)
    }

    /// Puts an account on it, with the names its records left under. Once is enough.
    pub fn add(&mut self, user: &RecordId, handle: &str, names: &[By]) {
        if self.has_user(user) {
            return;
        }
        let names = names.iter().map(|by| self.name(by)).collect();
        self.accounts.push(ErasedAccount {
            user: self.user(user),
            handle: self.handle(handle),
            names,
        });
    }

    /// Whether an account is on it.
    #[must_use]
    pub fn has_user(&self, user: &RecordId) -> bool {
        let user = self.user(user);
        self.accounts.iter().any(|erased| erased.user == user)
    }

    /// Whether somebody on it had this handle, whatever the case of its letters.
    #[must_use]
    pub fn has_handle(&self, handle: &str) -> bool {
        let handle = self.handle(handle);
        self.accounts.iter().any(|erased| erased.handle == handle)
    }

    /// Whether records of somebody on it left under this name.
    #[must_use]
    pub fn has_name(&self, by: &By) -> bool {
        let name = self.name(by);
        let mut names = self.accounts.iter().flat_map(|erased| &erased.names);
        names.any(|known| *known == name)
    }

    /// Whether a line is the profile of somebody on it, or left under one of their names.
    #[must_use]
    pub fn has_line(&self, line: &[u8]) -> bool {
        Line::read(line).is_ok_and(|line| self.has_user(&line.id) || self.has_name(&line.by))
    }

    fn user(&self, user: &RecordId) -> Hash {
        self.hash(What::User, &user.to_string())
    }

    fn handle(&self, handle: &str) -> Hash {
        self.hash(What::Handle, &handle.to_ascii_lowercase())
    }

    fn name(&self, by: &By) -> Hash {
        self.hash(What::Name, &by.to_string())
    }

    fn hash(&self, what: What, text: &str) -> Hash {
        let what = match what {
            What::User => "user",
            What::Handle => "handle",
            What::Name => "by",
        };
        let parts = ["wb/erased/v1", &self.salt.to_string(), what, text];
        hash::sha256(parts.join("\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use wb_core::time::Timestamp;

    use super::*;

    fn user(n: u8) -> RecordId {
        RecordId::new(Timestamp::from_unix_ms(1).expect("a time"), [n; 10])
    }

    #[test]
    fn who_is_on_it_is_found_and_cannot_be_read_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        assert_eq!(ErasedList::read(&home).unwrap(), None);
        let mut list = ErasedList::new(Salt([7; 16]));
        list.add(&user(1), "Mira", &[By::User(user(1))]);
        list.add(&user(1), "Mira", &[]);
        list.write(&home).unwrap();
        let list = ErasedList::read(&home).unwrap().expect("a list");
        assert_eq!(list.accounts.len(), 1);
        assert!(list.has_user(&user(1)) && !list.has_user(&user(2)));
        assert!(list.has_handle("mirA") && !list.has_handle("omar"));
        assert!(list.has_name(&By::User(user(1))) && !list.has_name(&By::User(user(2))));
        let text = std::fs::read_to_string(home.erased()).unwrap();
        assert!(!text.to_lowercase().contains("mira"), "{text}");
        assert!(!text.contains(&user(1).to_string()), "{text}");
    }

    #[test]
    fn a_damaged_list_is_no_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        for text in [
            "",
            "{}",
            r#"{"schema_version":2,"salt":"07070707070707070707070707070707","accounts":[]}"#,
        ] {
            std::fs::write(home.erased(), text).unwrap();
            assert!(ErasedList::read(&home).is_err(), "{text}");
        }
    }
}
