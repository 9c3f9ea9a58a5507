//! What can go wrong for a person who asked for something: what happened, whether data is safe, and
//! the next action.

use std::path::PathBuf;

use wb_core::bundle::BundleError;
use wb_core::kinds::BadText;
use wb_core::sync::{PeerCause, Phase};
use wb_core::trust::LoneError;
use wb_core::words::WordsError;
use wb_store::legacy::LegacyError;
use wb_store::{StoreError, is_io_full};

use crate::backup::BackupError;
use crate::picture::NoPicture;

/// What to do where there is no room.
pub const FULL: &str =
    "your data is safe, and nothing was changed; make room on the disk and try again";
/// What to do where nothing can be written.
pub const READ_ONLY: &str = "your data is safe, and nothing was changed; reading goes on. Make the disk or \
                             the folder writable and try again";

/// The kind of an error: the exit code of the command line and the status of a page hang on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// Something failed here.
    Failed,
    /// The request itself is wrong.
    Usage,
    /// Somebody has to agree first.
    Pending,
    /// Bytes from elsewhere do not prove what they claim.
    Verification,
    /// What is held contradicts it.
    Conflict,
    /// A peer cannot be reached, or did not answer as it should.
    Unreachable,
    /// The two programs have no version in common.
    Skew,
}

impl ErrorKind {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Pending => "pending",
            Self::Verification => "verification_failed",
            Self::Conflict => "conflict",
            Self::Unreachable => "peer_unreachable",
            Self::Skew => "version_skew",
        }
    }

    /// The exit code of the command line.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Pending => 3,
            Self::Verification => 4,
            Self::Conflict => 5,
            Self::Unreachable => 6,
            Self::Skew => 7,
        }
    }
}

/// An error of a use case.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The store reports a problem.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system reports.
        source: std::io::Error,
    },
    /// The signing key is not what it should be.
    #[error("the signing key in {} is damaged", .0.display())]
    Key(PathBuf),
    /// The signing key is behind a passphrase that nobody said.
    #[error("the signing key in {} is behind a passphrase, and nobody said it", .0.display())]
    KeyLocked(PathBuf),
    /// The passphrase does not open the signing key.
    #[error("the passphrase does not open {}", .0.display())]
    WrongPassphrase(PathBuf),
    /// A text cannot stand in a record.
    #[error("{field}: {source}")]
    Text {
        /// Which text.
        field: &'static str,
        /// What is wrong with it.
        source: BadText,
    },
    /// Nothing of this name or id is known.
    #[error("no {what} `{name}` is known here")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// What was asked for.
        name: String,
    },
    /// Several things fit.
    #[error("`{name}` fits {count} {what}; give more of the id")]
    Ambiguous {
        /// What was looked for, as more than one.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// How many fit.
        count: usize,
    },
    /// The handle belongs to somebody.
    #[error("the handle `{0}` is taken")]
    HandleTaken(String),
    /// The actor may not do this.
    #[error("{actor} may not {act}: {why}")]
    Forbidden {
        /// Who asked.
        actor: String,
        /// What for.
        act: &'static str,
        /// The rule.
        why: &'static str,
    },
    /// A record of another instance was to be changed.
    #[error("record {id} is of {home}; only {home} can change it")]
    NotOurs {
        /// The record.
        id: String,
        /// Its home.
        home: String,
    },
    /// Something that cannot be done with a record of this kind or state.
    #[error("{0}")]
    Refused(String),
    /// The database is an older copy of itself.
    #[error("this database is older than what this instance published last; nothing was published")]
    Suspect,
    /// A peer knows another running copy of this instance; the words say which.
    #[error("{0}; nothing was published")]
    TwoCopies(String),
    /// Nobody confirmed that this is the newest copy.
    #[error("{0}")]
    Unconfirmed(String),
    /// Something was sealed, and cannot be sent yet.
    #[error("what was marked is sealed, and nothing was sent: {0}")]
    SealedOnly(StoreError),
    /// Something was done, and the audit log could not be written.
    #[error("`{act}` was done, and could not be noted in the audit log: {source}")]
    Unnoted {
        /// What was done.
        act: String,
        /// What stands in the way.
        source: StoreError,
    },
    /// The recovery words are wrong.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// A bundle is damaged or wrong.
    #[error("{}: {source}", .path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: BundleError,
        /// Who has to be upgraded, where there is no protocol in common.
        skew: Option<String>,
    },
    /// A vouch alone that does not verify.
    #[error("{}: {source}", .path.display())]
    LoneVouch {
        /// The file.
        path: PathBuf,
        /// The rule it breaks.
        source: LoneError,
    },
    /// A backup cannot be read, or not be restored here.
    #[error("{}: {source}", .path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BackupError,
    },
    /// A want file is wrong.
    #[error("{}: line {line}: {rule}", .path.display())]
    Want {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The rule broken.
        rule: wb_core::rule::Rule,
        /// Who has to be upgraded, where there is no protocol in common.
        skew: Option<String>,
    },
    /// A bundle is larger than a limit, or unpacks to too much.
    #[error("{}: {what}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Which limit.
        what: &'static str,
    },
    /// The other database cannot be read.
    #[error(transparent)]
    Legacy(#[from] LegacyError),
    /// Settings are wrong.
    #[error("{place}: {what}")]
    Settings {
        /// Where the setting stands.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// Somebody has to agree first.
    #[error("{0}")]
    NeedsApproval(String),
    /// An address cannot be used.
    #[error("`{address}` is no address of a hub: {what}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        what: String,
    },
    /// A peer is in a state in which this does not work.
    #[error("{}: {detail}", .cause.about(name))]
    Peer {
        /// Its name or address.
        name: String,
        /// Why.
        cause: PeerCause,
        /// Details.
        detail: String,
    },
    /// A picture from elsewhere is not shown; the sentence says it all.
    #[error(transparent)]
    Picture(#[from] NoPicture),
    /// Another process is syncing in this folder.
    #[error("another wb is syncing in this folder")]
    SyncRuns,
}

/// Result of a use case.
pub type Result<T> = std::result::Result<T, NodeError>;

impl NodeError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub(crate) fn backup(path: impl Into<PathBuf>) -> impl FnOnce(BackupError) -> Self {
        let path = path.into();
        move |source| Self::Backup { path, source }
    }

    pub(crate) fn text(field: &'static str) -> impl FnOnce(BadText) -> Self {
        move |source| Self::Text { field, source }
    }

    pub(crate) fn unknown(what: &'static str, name: impl Into<String>) -> Self {
        Self::Unknown {
            what,
            name: name.into(),
        }
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(StoreError::Newer { .. } | StoreError::Older { .. }) => ErrorKind::Skew,
            Self::Store(StoreError::NoInstance(_) | StoreError::AlreadyFounded(_))
            | Self::Text { .. }
            | Self::Unknown { .. }
            | Self::Ambiguous { .. }
            | Self::HandleTaken(_)
            | Self::Settings { .. }
            | Self::Address { .. }
            | Self::KeyLocked(_)
            | Self::WrongPassphrase(_)
            | Self::Words(_) => ErrorKind::Usage,
            Self::Peer { cause, .. } => of_peer(*cause),
            Self::Bundle { skew: Some(_), .. } | Self::Want { skew: Some(_), .. } => {
                ErrorKind::Skew
            }
            Self::Bundle { .. }
            | Self::Want { .. }
            | Self::LoneVouch { .. }
            | Self::TooLarge { .. } => ErrorKind::Verification,
            Self::Picture(NoPicture::Fetch(_)) => ErrorKind::Unreachable,
            Self::Picture(_) => ErrorKind::Verification,
            Self::Suspect | Self::TwoCopies(_) | Self::SyncRuns => ErrorKind::Conflict,
            Self::Unconfirmed(_) => ErrorKind::Unreachable,
            Self::Backup {
                source: BackupError::Newer(_),
                ..
            } => ErrorKind::Skew,
            Self::Backup {
                source: BackupError::NoRoom { .. },
                ..
            } => ErrorKind::Failed,
            Self::Backup {
                source: BackupError::OtherInstance { .. },
                ..
            } => ErrorKind::Conflict,
            Self::Backup { .. } => ErrorKind::Verification,
            Self::Store(StoreError::Runs(_)) => ErrorKind::Conflict,
            Self::NeedsApproval(_) => ErrorKind::Pending,
            Self::Store(_)
            | Self::SealedOnly(_)
            | Self::Unnoted { .. }
            | Self::File { .. }
            | Self::Key(_)
            | Self::Forbidden { .. }
            | Self::NotOurs { .. }
            | Self::Refused(_)
            | Self::Legacy(_) => ErrorKind::Failed,
        }
    }

    /// Whether there is no room on the disk, and nothing was changed for that.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Store(error) => error.is_full(),
            Self::File { source, .. } | Self::Legacy(LegacyError::Scratch { source, .. }) => {
                is_io_full(source)
            }
            _ => false,
        }
    }

    /// Whether somebody else writes for too long, and nothing was changed for that.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_busy())
    }

    /// Whether nothing can be written here, and nothing was changed for that.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Store(error) => error.is_read_only(),
            // A file that is not ours to read is another matter than a disk.
            Self::File { source, .. } | Self::Legacy(LegacyError::Scratch { source, .. }) => {
                source.kind() == std::io::ErrorKind::ReadOnlyFilesystem
            }
            _ => false,
        }
    }

    /// Whether data is safe, and what to do next; nothing where the message says it all.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Store(error) if error.is_busy() => {
                "another process is writing to this folder; your data is safe, and nothing was changed. Reading goes \
                 on; try again when the other is done"
                    .to_owned()
            }
            Self::Unknown {
                what: "instance", ..
            } => "`wb status` lists those of whom something is here. Of others a hub has: `wb join` with its link shows \
                  who is there, and `wb follow` takes an id as well"
                .to_owned(),
            error if error.is_full() => FULL.to_owned(),
            error if error.is_read_only() => READ_ONLY.to_owned(),
            Self::Store(StoreError::UnreadLog(_)) => {
                "your data is safe; copy the whole folder to a disk that can be written to, and name it with --home"
                    .to_owned()
            }
            Self::SealedOnly(_) => {
                "your data is safe; when the disk can be written to again, the same command goes on from here"
                    .to_owned()
            }
            Self::Unnoted { .. } => {
                "your data is safe, and it need not be done again; make sure that the disk can be written to"
                    .to_owned()
            }
            Self::Store(StoreError::NoInstance(dir)) if dir.join("wb.db").exists() => {
                "there is a database but no signing.key: founding was cut off, or the key is lost. \
                 Nothing was changed. Put the key back, or move the folder away and start anew"
                    .to_owned()
            }
            Self::Store(StoreError::NoInstance(_)) => {
                "found one with `wb init --name NAME`, or name its folder with --home".to_owned()
            }
            Self::Store(StoreError::AlreadyFounded(_)) => {
                "nothing was changed; name another folder with --home to found another instance".to_owned()
            }
            Self::Store(StoreError::Older { .. }) => {
                "stop the hub, and start it with this program: `wb hub up` brings its file to the newest format"
                    .to_owned()
            }
            Self::Store(StoreError::Newer {
                way_back: Some(way_back),
                ..
            }) => format!(
                "this folder was used by a newer wb; nothing was changed. Use that version; or go back to what was here \
                 before the upgrade, without what came since: stop every wb of this folder, then\n{way_back}"
            ),
            Self::Store(StoreError::Newer { .. }) => {
                "this folder was used by a newer wb; nothing was changed. Use that version; or, as the copy from before the \
                 upgrade is not here, go back with a backup from before it: `wb restore FILE --replace`"
                    .to_owned()
            }
            Self::Store(StoreError::Upgrade { .. }) => {
                "your data is safe, and as it was before; the version of wb before this one opens it. `wb upgrade \
                 --check` tries it on a copy; send its output with a report"
                    .to_owned()
            }
            Self::Store(StoreError::Runs(_)) => {
                "nothing was changed; stop `wb up` and `wb hub up` of this folder first".to_owned()
            }
            Self::Backup { source, .. } => source.hint().to_owned(),
            Self::Store(StoreError::Damaged(_)) => {
                "run `wb doctor` for the whole picture; nothing was changed".to_owned()
            }
            Self::Bundle { skew: Some(skew), .. } | Self::Want { skew: Some(skew), .. } => {
                format!("nothing was changed; {skew}")
            }
            Self::Bundle { .. } => "nothing was imported; ask for the file again, or take what is whole \
                                    with `wb bundle import --partial`"
                .to_owned(),
            Self::TooLarge { .. } | Self::Want { .. } => "nothing was changed".to_owned(),
            Self::LoneVouch { .. } => "nothing was changed. It was changed on its way, or is no vouch; ask for the file \
                                       again, or follow its issuer, whose feed says what it vouches for"
                .to_owned(),
            Self::Suspect => "your data is safe here. It was restored from a copy, or copied from another \
                              machine; publishing from it could contradict what others already have. Run \
                              `wb restore` in this folder, which takes back what was published since, or use \
                              its newest copy"
                .to_owned(),
            Self::TwoCopies(_) => "your data is safe. Stop the copy that is not to go on, then run `wb restore` in \
                                   the folder of the other; if the other is not yours (a computer or the key was \
                                   stolen), run `wb key recover` instead"
                .to_owned(),
            Self::Unconfirmed(_) => "nothing was sealed; try again when one of them can be reached, or add \
                                     --offline when you know that this is the newest copy of this folder"
                .to_owned(),
            Self::Peer { cause, .. } => cause.action().to_owned(),
            Self::KeyLocked(_) | Self::WrongPassphrase(_) => {
                "nothing was changed; say it at a terminal, or in WB_KEY_PASSPHRASE or the file that \
                 WB_KEY_PASSPHRASE_FILE names. Who has lost it takes the key back with \
                 `wb key recover --passphrase` or `--no-passphrase`"
                    .to_owned()
            }
            Self::SyncRuns => "nothing was changed; wait until it ends, or look at `wb peer list`".to_owned(),
            Self::NotOurs { .. } => "ask its home, or write a comment".to_owned(),
            Self::Ambiguous { what, .. } => match *what {
                "hubs and peers" => "`wb peer list --json` shows whole ids",
                "instances" => "`wb status` shows whole ids",
                _ => "`wb record list` shows whole ids",
            }
            .to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}

/// The kind of an error that a peer's state stands for.
#[must_use]
pub fn of_peer(cause: PeerCause) -> ErrorKind {
    match (cause, cause.phase()) {
        (PeerCause::VersionSkew, _) => ErrorKind::Skew,
        (PeerCause::NotProved, _) => ErrorKind::Verification,
        (PeerCause::LocalFailure, _) => ErrorKind::Failed,
        (_, Phase::Waiting) => ErrorKind::Pending,
        (_, Phase::Held | Phase::Blocked) => ErrorKind::Conflict,
        (_, Phase::Failing) => ErrorKind::Unreachable,
        (_, Phase::Idle | Phase::Syncing) => ErrorKind::Failed,
    }
}
