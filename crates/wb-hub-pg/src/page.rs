//! The lines of a page while it is made.

use serde::Serialize;
use wb_core::ndjson::put_line;

/// Adds a section line that `wb-core` has a type for.
pub(crate) fn put_section<T: Serialize>(body: &mut Vec<u8>, section: &T) {
    put_line(body, &wb_core::signed::payload(section));
}

/// A page that ends once it has the bytes wanted, and says where to go on.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub body: Vec<u8>,
    bytes: usize,
    last: Option<T>,
    next: Option<T>,
}

impl<T: Clone> Page<T> {
    /// An empty page of about so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self {
            body: Vec::new(),
            bytes,
            last: None,
            next: None,
        }
    }

    /// Whether nothing more has room; asked before each line, so that what is said to come next is really there.
    /// A page has one line at least.
    pub fn is_full(&mut self) -> bool {
        if self.body.len() >= self.bytes && self.last.is_some() {
            self.next.clone_from(&self.last);
        }
        self.next.is_some()
    }

    /// Adds a line, after which the page could end at `place`.
    pub fn put(&mut self, line: &[u8], place: T) {
        put_line(&mut self.body, line);
        self.last = Some(place);
    }

    /// Where the next page goes on; none when this was all.
    pub fn next(&self) -> Option<&T> {
        self.next.as_ref()
    }
}
