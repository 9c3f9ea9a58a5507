//! Why a backup cannot be read, each with the name it has in the specification.

use age::DecryptError;
use wb_core::backup::ManifestError;

/// What is wrong with a backup, or with what it was to be opened with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// The file is something else.
    #[error("this is no backup")]
    NotABackup,
    /// It does not open.
    #[error("{0}")]
    WrongSecret(&'static str),
    /// Opening it would take too much memory.
    #[error("its passphrase was made to take more work than this program does for a file (2^{0})")]
    TooMuchWork(u8),
    /// It is not what was written.
    #[error("this backup is damaged: {0}")]
    Damaged(String),
    /// A later version wrote it.
    #[error("this backup was made by a newer version ({0})")]
    Newer(String),
    /// Its manifest breaks a rule.
    #[error("this backup is not well formed: {0}")]
    Malformed(String),
    /// It does not fit on the disk.
    #[error("unpacked it has {needed} bytes, and the disk has room for {free}")]
    NoRoom {
        /// What it needs.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// Its parts are not of one instance.
    #[error("the parts of this backup do not belong together: {0}")]
    NotOneInstance(String),
    /// What is to be replaced is another instance.
    #[error("this backup is of {backup}, and the folder holds {there}")]
    OtherInstance {
        /// Whose backup it is, in words.
        backup: String,
        /// Whose the folder is.
        there: String,
    },
}

impl BackupError {
    /// The name in the specification.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotABackup => "not_a_backup",
            Self::WrongSecret(_) => "wrong_secret",
            Self::TooMuchWork(_) => "too_much_work",
            Self::Damaged(_) => "damaged",
            Self::Newer(_) => "newer",
            Self::Malformed(_) => "malformed",
            Self::NoRoom { .. } => "no_room",
            Self::NotOneInstance(_) => "not_one_instance",
            Self::OtherInstance { .. } => "other_instance",
        }
    }

    /// Whether data is safe, and what to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotABackup => {
                "nothing was changed; name a file that `wb backup` wrote (they end in .wbk)"
            }
            Self::WrongSecret(_) => {
                "nothing was changed; the words are those that were good when the backup was made"
            }
            Self::TooMuchWork(_) => {
                "nothing was changed; open it with `age -d` on a computer with more memory"
            }
            Self::Damaged(_) => {
                "nothing was changed; take another copy of it, or the backup before it"
            }
            Self::Newer(_) => "nothing was changed; restore it with that version or a later one",
            Self::Malformed(_) | Self::NotOneInstance(_) => {
                "nothing was changed; this program did not write it so. Take the backup before it"
            }
            Self::NoRoom { .. } => {
                "nothing was changed; make room on the disk, or name a folder on another with --home"
            }
            Self::OtherInstance { .. } => "nothing was changed; name another folder with --home",
        }
    }
}

impl From<ManifestError> for BackupError {
    fn from(error: ManifestError) -> Self {
        match error {
            ManifestError::NotABackup => Self::NotABackup,
            ManifestError::Newer(software) => Self::Newer(software),
            ManifestError::Malformed(what) => Self::Malformed(what),
        }
    }
}

impl From<DecryptError> for BackupError {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::NoMatchingKeys
            | DecryptError::KeyDecryptionFailed
            | DecryptError::DecryptionFailed => {
                Self::WrongSecret("the words or the passphrase do not open this backup")
            }
            DecryptError::ExcessiveWork { required, .. } => Self::TooMuchWork(required),
            DecryptError::UnknownFormat => Self::Newer("another format of age".to_owned()),
            other => Self::Damaged(other.to_string()),
        }
    }
}
