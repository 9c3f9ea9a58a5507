//! The integration tests of `wb`: one binary, one module per subject.

mod supply_chain;
