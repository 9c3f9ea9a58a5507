//! Signatures of requests and answers: RFC 9421 with Ed25519, RFC 9530 digests (spec: requests).
//!
//! Everything works on the text of header fields; who carries them is not known here.

mod answer;
mod digest;
mod message;
mod request;

pub use answer::{
    AnswerError, AnswerFields, ReceivedAnswer, answer_created, is_under_older_key, sign_answer,
    verify_answer,
};
pub use digest::content_digest;
pub use message::{KeyId, ParseKeyIdError};
pub use request::{
    OutgoingRequest, ReceivedRequest, RequestFields, RequestHead, UnverifiedRequest,
    VerifiedRequest, read_head, read_request, sign_request,
};

/// Name of our signature among those a message may carry.
const NAME: &str = "wb";
