//! Bundles: feeds in one file (spec: bundles).
//!
//! [`BundleReader`] takes a file line by line and says what each line is, with everything checked
//! that a line and those before it can prove. What is done with a snapshot or a delta is decided by
//! its caller, who holds the feeds. The plain bytes are written with [`Writer`].

mod drive;
mod head;
mod memory;
mod reader;
mod writer;

pub use drive::{DriveError, Driver, FeedOutcome, Sink};
pub use head::{BundleHead, Contents, Form, PROTOCOL, Speaks};
pub use memory::Memory;
pub use reader::{BundleError, BundleReader, DeltasTotals, Event, Stage};
pub use writer::Writer;
