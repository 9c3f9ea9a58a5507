//! Bundles: feeds in one file (spec: bundles), and the same sections as a stream, whose frame is an
//! answer that is signed as a whole.
//!
//! [`BundleReader`] takes a file line by line and says what each line is, with everything checked
//! that a line and those before it can prove. What is done with a snapshot or a delta is decided by
//! its caller, who holds the feeds. The plain bytes are written with [`Writer`].

mod digest;
mod drive;
mod error;
mod head;
mod memory;
mod reader;
mod section;
mod sink;
mod writer;

pub use digest::LinesDigest;
pub use drive::{DriveError, Driver};
pub use error::{BundleError, Stage};
pub use head::{BundleHead, Contents, Form, Speaks};
pub use memory::Memory;
pub use reader::{BundleReader, Event};
pub use section::DeltasTotals;
pub use sink::{FeedOutcome, Sink};
pub use writer::Writer;
