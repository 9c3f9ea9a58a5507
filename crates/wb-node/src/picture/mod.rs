//! Pictures from elsewhere: bytes of which nothing is believed become a picture of our own, or a sentence.
//!
//! Only the points survive. What else was in the file (place, camera, comments, a page behind the end) is not
//! copied, because the file that is kept is written anew from the points alone.

mod decode;
mod trouble;

pub use decode::{
    PICTURE_ALLOC_BYTES_MAX, PICTURE_PIXELS_MAX, PICTURE_SCANS_MAX, PICTURE_SIDE_KEPT_MAX,
    PICTURE_SIDE_MAX, rewrite,
};
pub use trouble::NoPicture;
