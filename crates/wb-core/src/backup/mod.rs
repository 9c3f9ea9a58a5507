//! What a backup holds, and which old ones are kept (spec: backups).
//!
//! The file around it, its encryption and the databases in it are of other crates.

mod keep;
mod manifest;

pub use keep::{Keep, ParseKeepError, outlived};
pub use manifest::{Manifest, ManifestError, Part, PartName};
