//! Integration tests of `wb-node`: commands and queries over real files.

mod starter;
