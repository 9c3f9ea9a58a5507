//! Bodies: how much of one is read, and how it is compressed.
//!
//! Digests and signatures above cover the bytes as they travel, so reading and unpacking are two
//! steps. Both are bounded before memory is asked for: what came, what it unpacks to, and the ratio
//! between the two. Only zstd is spoken, one frame for a body, with the window that RFC 9659 allows.

use std::io::Read;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};
use zstd::stream::read::Decoder;
use zstd::zstd_safe::CParameter;

use crate::pace::Pace;

/// The word for zstd in `Content-Encoding`.
pub const ZSTD: &str = "zstd";

/// Most bytes of a body as they travel, unless a caller asks for less; protects memory.
pub const BODY_ENCODED_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// Most bytes of a body once unpacked, unless a caller asks for less; protects memory.
pub const BODY_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// How often its size a body may unpack to; protects against a few bytes that become many.
pub const BODY_RATIO_MAX: usize = 200;

/// Up to here the ratio is not asked for, because short texts of repeated words honestly exceed it.
pub const BODY_RATIO_FREE_BYTES: usize = 1_024 * 1_024;

/// Memory that a compressed body may ask for, as a power of two: the 8 MiB of RFC 9659.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// How much one body may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit {
    /// Bytes as they travel.
    pub encoded: usize,
    /// Bytes once unpacked.
    pub decoded: usize,
}

impl BodyLimit {
    /// The same limit for what travels and what it unpacks to.
    #[must_use]
    pub const fn bytes(max: usize) -> Self {
        Self {
            encoded: max,
            decoded: max,
        }
    }
}

impl Default for BodyLimit {
    fn default() -> Self {
        Self {
            encoded: BODY_ENCODED_BYTES_MAX,
            decoded: BODY_BYTES_MAX,
        }
    }
}

/// Compresses a body as one zstd frame.
///
/// # Panics
/// When memory runs out.
#[must_use]
pub fn encode_zstd(level: i32, bytes: &[u8]) -> Vec<u8> {
    let compress = || {
        let mut compressor = zstd::bulk::Compressor::new(level)?;
        // Levels above 19 would ask the reader for more memory than it gives.
        compressor.set_parameter(CParameter::WindowLog(ZSTD_WINDOW_LOG_MAX))?;
        compressor.compress(bytes)
    };
    compress().expect("memory compresses into memory; zstd clamps levels it does not have")
}

/// What `Content-Encoding` says, if it is there.
///
/// # Errors
/// When it is there twice, or is not text.
pub fn encoding(headers: &HeaderMap) -> Result<Option<&str>, BodyError> {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match (value.to_str(), values.next()) {
        (Ok(name), None) => Ok(Some(name)),
        _ => Err(BodyError::Encoding(format!("{value:?}, and more"))),
    }
}

/// Compresses a body where that gains something and where a reader takes it: text that repeats itself
/// can compress beyond the ratio at which every reader takes it for a bomb, and travels plain then.
#[must_use]
pub fn encode_for_readers(level: i32, bytes: &[u8]) -> Option<Vec<u8>> {
    let encoded = encode_zstd(level, bytes);
    let is_taken = bytes.len() <= BODY_RATIO_FREE_BYTES
        || bytes.len() <= encoded.len().saturating_mul(BODY_RATIO_MAX);
    (is_taken && encoded.len() < bytes.len()).then_some(encoded)
}

/// Unpacks a body by its `Content-Encoding`; without one it is the bytes themselves.
///
/// # Errors
/// An encoding that is not spoken, damage, or more than the limit and the ratio allow.
pub fn decode(
    encoding: Option<&str>,
    bytes: Vec<u8>,
    limit: BodyLimit,
) -> Result<Vec<u8>, BodyError> {
    if bytes.len() > limit.encoded {
        return Err(BodyError::TooLarge {
            limit: limit.encoded,
        });
    }
    match encoding {
        None => plain(bytes, limit),
        Some(name) if name.eq_ignore_ascii_case("identity") => plain(bytes, limit),
        Some(name) if name.eq_ignore_ascii_case(ZSTD) => unpack_zstd(&bytes, limit),
        Some(name) => Err(BodyError::Encoding(name.to_owned())),
    }
}

fn plain(bytes: Vec<u8>, limit: BodyLimit) -> Result<Vec<u8>, BodyError> {
    if bytes.len() > limit.decoded {
        return Err(BodyError::TooLarge {
            limit: limit.decoded,
        });
    }
    Ok(bytes)
}

fn unpack_zstd(bytes: &[u8], limit: BodyLimit) -> Result<Vec<u8>, BodyError> {
    let by_ratio = bytes
        .len()
        .saturating_mul(BODY_RATIO_MAX)
        .max(BODY_RATIO_FREE_BYTES);
    let allowed = limit.decoded.min(by_ratio);
    let mut decoder = Decoder::with_buffer(bytes)
        .map_err(BodyError::Damaged)?
        .single_frame();
    decoder
        .window_log_max(ZSTD_WINDOW_LOG_MAX)
        .map_err(BodyError::Damaged)?;
    let mut unpacked = Vec::new();
    let one_more = u64::try_from(allowed).unwrap_or(u64::MAX).saturating_add(1);
    (&mut decoder)
        .take(one_more)
        .read_to_end(&mut unpacked)
        .map_err(BodyError::Damaged)?;
    if unpacked.len() > limit.decoded {
        return Err(BodyError::TooLarge {
            limit: limit.decoded,
        });
    }
    if unpacked.len() > allowed {
        return Err(BodyError::Ratio);
    }
    if !decoder.finish().is_empty() {
        return Err(BodyError::Trailing);
    }
    // It grew by doubling, and may wait for a while to be read.
    unpacked.shrink_to_fit();
    Ok(unpacked)
}

/// Reads a body to its end: the exact bytes as they travelled.
///
/// A body whose announced length is above `bytes_max` is refused before it is read.
///
/// # Errors
/// Too many bytes, too slow, or the connection broke.
pub async fn receive<B>(body: B, bytes_max: usize, pace: &Pace) -> Result<Vec<u8>, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    receive_telling(body, bytes_max, pace, |_| {}).await
}

/// As [`receive`], telling how many bytes came, each time some did.
pub(crate) async fn receive_telling<B>(
    body: B,
    bytes_max: usize,
    pace: &Pace,
    mut tell: impl FnMut(usize),
) -> Result<Vec<u8>, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let too_large = BodyError::TooLarge { limit: bytes_max };
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > bytes_max {
        return Err(too_large);
    }
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    let start = Instant::now();
    loop {
        let deadline = pace.deadline(start, Instant::now(), bytes.len());
        let frame =
            timeout_at(deadline.at, body.frame())
                .await
                .map_err(|_| BodyError::TooSlow {
                    what: deadline.what,
                })?;
        let Some(frame) = frame else {
            return Ok(bytes);
        };
        let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
        // Trailers are not ours; what they could say is in the body's own bytes.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > bytes_max - bytes.len() {
            return Err(too_large);
        }
        bytes.extend_from_slice(&data);
        tell(data.len());
    }
}

/// Why a body was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More bytes than the limit.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit that it exceeds.
        limit: usize,
    },
    /// More than [`BODY_RATIO_MAX`] times its size.
    #[error("the body unpacks to more than {BODY_RATIO_MAX} times its size; no honest one does")]
    Ratio,
    /// An encoding that is not spoken here.
    #[error("the body is encoded as `{0}`; only zstd is spoken")]
    Encoding(String),
    /// It cannot be unpacked.
    #[error("the body cannot be unpacked: {0}")]
    Damaged(std::io::Error),
    /// Bytes follow the end of what was packed.
    #[error("bytes follow the end of the packed body")]
    Trailing,
    /// Its sender was too slow.
    #[error("the body was given up: {what}")]
    TooSlow {
        /// Which clock ended it.
        what: &'static str,
    },
    /// The connection broke before its end.
    #[error("the body broke off: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
}
