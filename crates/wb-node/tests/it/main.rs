//! Integration tests of `wb-node`: commands and queries over real files.

mod apart;
mod backup;
mod direct;
mod first_load;
mod hub;
mod import_whiteballoon;
mod marks;
mod peers;
mod pictures;
mod planned;
mod rights;
mod starter;
mod streams;
