//! Why a picture is not shown: what happened, that nothing was kept, and what to do next.

use wb_net::NetError;
use wb_net::fetch::{FETCH_BYTES_MAX, FetchError};

use super::decode::{PICTURE_PIXELS_MAX, PICTURE_SIDE_MAX};

/// What follows on each sentence.
const NOTHING: &str = "Nothing was kept.";

/// Why a picture is not shown.
#[derive(Debug, thiserror::Error)]
pub enum NoPicture {
    /// It did not come.
    #[error("{} {NOTHING} {}", .0.0, .0.1)]
    Fetch(#[source] FetchTrouble),
    /// It is of no kind that is read here.
    #[error(
        "What came is not a picture in PNG, JPEG or WebP. {NOTHING} Drawings in SVG, moving pictures and web pages are not \
         shown here; the link may still work in your browser."
    )]
    Kind,
    /// It moves.
    #[error(
        "The picture moves, and only pictures that stand still are shown here. {NOTHING} The link leads to it."
    )]
    Moves,
    /// It has too many points, whatever its file weighs.
    #[error(
        "The picture is larger than {} million points or {PICTURE_SIDE_MAX} on a side, and was not unpacked. {NOTHING} \
         Its owner can name a smaller one.",
        PICTURE_PIXELS_MAX / 1_000_000
    )]
    TooManyPoints,
    /// It cannot be read to its end.
    #[error("The picture is damaged and cannot be read. {NOTHING} Its owner can name another one.")]
    Damaged,
    /// The profile names no picture.
    #[error("This profile names no picture (any more). {NOTHING} Load the page again.")]
    NotNamed,
}

/// What happened on the way, and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchTrouble(pub String, pub &'static str, #[source] pub FetchError);

const LATER: &str = "Try again later.";
const OWNER: &str = "Its owner can name another address.";
const LINK: &str = "The link may still work in your browser.";

impl From<FetchError> for NoPicture {
    fn from(error: FetchError) -> Self {
        let (what, next) = match &error {
            FetchError::NotSecure => (
                "The address does not begin with https, so anybody on the way could put another picture there.".to_owned(),
                OWNER,
            ),
            FetchError::Address(what) => (format!("The address cannot be asked for: {what}."), OWNER),
            FetchError::Elsewhere(_) => (
                "The place says that the picture is somewhere else, and this node does not let itself be sent on.".to_owned(),
                "Its owner can name the address at which it is.",
            ),
            FetchError::Status(404 | 410) => ("The place says that there is no such picture.".to_owned(), OWNER),
            FetchError::Status(status) => (format!("The place gave no picture (its answer is {status})."), LATER),
            FetchError::Encoded => ("The answer was packed in a way that was not asked for.".to_owned(), LINK),
            FetchError::Empty => ("The answer was empty.".to_owned(), OWNER),
            FetchError::Net(NetError::NotGlobal { .. }) => (
                "The address leads into a computer or network of its own and not to a place on the internet, so it was not \
                 asked."
                    .to_owned(),
                OWNER,
            ),
            FetchError::Net(NetError::TooLarge { .. }) => (
                format!("The file is larger than {} MB.", FETCH_BYTES_MAX / (1_024 * 1_024)),
                "Its owner can name a smaller one.",
            ),
            FetchError::Net(NetError::TimedOut { .. }) => ("The place took too long to answer.".to_owned(), LATER),
            FetchError::Net(NetError::Tls { .. }) => (
                "The place could not prove that it is the one the address names.".to_owned(),
                LATER,
            ),
            FetchError::Net(NetError::Protocol(_)) => ("The answer is not one that can be read.".to_owned(), LINK),
            FetchError::Net(
                NetError::Resolve { .. }
                | NetError::Connect { .. }
                | NetError::Closed(_)
                | NetError::Request(_),
            ) => ("The place cannot be reached.".to_owned(), LATER),
        };
        Self::Fetch(FetchTrouble(what, next, error))
    }
}
