//! Integration tests of `wb-store`: the rules of feeds over a real file, held against the oracle and
//! the vectors of `wb-core`, and databases of earlier programs and formats.

mod agree;
mod backup;
#[path = "../../../wb-core/tests/it/histories/mod.rs"]
mod histories;
mod legacy;
mod logs;
#[expect(
    unused_imports,
    reason = "shared with the tests of wb-core, which use more of it"
)]
#[path = "../../../wb-core/tests/it/naive/mod.rs"]
mod naive;
mod node;
mod origin;
mod peers;
mod relay;
mod subject;
mod upgrade;
#[expect(
    dead_code,
    reason = "shared with the tests of wb-core, which use more of it"
)]
#[path = "../../../wb-core/tests/it/vectors/mod.rs"]
mod vectors;
