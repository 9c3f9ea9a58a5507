//! Integration tests of `wb-node`: commands and queries over real files.

mod backup;
mod direct;
mod hub;
mod import_whiteballoon;
mod marks;
mod peers;
mod pictures;
mod planned;
mod rights;
mod starter;
mod streams;
