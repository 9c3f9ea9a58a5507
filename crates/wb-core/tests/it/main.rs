//! Integration tests of `wb-core`: the rules against an oracle that shares no code with them, and
//! against vectors made outside of this code base.

mod checks;
#[expect(
    clippy::disallowed_methods,
    reason = "histories run on every core, and a seed to replay comes from the environment"
)]
mod histories;
mod naive;
mod properties;
mod subject;
#[expect(clippy::disallowed_methods, reason = "the vectors are files")]
mod vectors;
