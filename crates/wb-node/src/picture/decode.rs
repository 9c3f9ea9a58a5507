//! From a file of somebody else to one of our own, within limits.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, Limits};
use wb_store::{Picture, PictureFormat};

use super::trouble::NoPicture;

/// Most points on a side of what is unpacked; protects memory.
pub const PICTURE_SIDE_MAX: u32 = 8_192;

/// Most points of what is unpacked; protects memory and time. Photos of phones have 12 million.
pub const PICTURE_PIXELS_MAX: u64 = 16_000_000;

/// Most bytes that unpacking may ask for; protects memory. All points in four bytes, and some for the decoder.
pub const PICTURE_ALLOC_BYTES_MAX: u64 = 96 * 1_024 * 1_024;

/// Most times that a JPEG may go over all its points: each costs time, and a few bytes are enough for one. Honest
/// ones have up to a dozen.
pub const PICTURE_SCANS_MAX: usize = 64;

/// Points on the longer side of what is kept.
pub const PICTURE_SIDE_KEPT_MAX: u32 = 320;

/// How finely a JPEG is written; more is not seen at this size.
const JPEG_QUALITY: u8 = 85;

/// Writes a picture anew: its points alone, no larger than is shown.
///
/// # Errors
/// What it is instead of a picture that can be shown. A fault in a decoder is a damaged picture.
pub fn rewrite(bytes: &[u8]) -> Result<Picture, NoPicture> {
    caught(|| write(read(bytes)?))
}

/// Does the work; a panic in it harms nobody else.
fn caught<T>(work: impl FnOnce() -> Result<T, NoPicture>) -> Result<T, NoPicture> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(NoPicture::Damaged))
}

fn read(bytes: &[u8]) -> Result<DynamicImage, NoPicture> {
    let file = Cursor::new(bytes);
    // What the bytes begin with decides, and not what the place says about them.
    match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => {
            let decoder = PngDecoder::with_limits(file, limits()).map_err(trouble)?;
            stands_still(decoder.is_apng().map_err(trouble)?)?;
            points(decoder)
        }
        Ok(ImageFormat::Jpeg) => {
            if scans(bytes) > PICTURE_SCANS_MAX {
                return Err(NoPicture::TooManyPoints);
            }
            points(JpegDecoder::new(file).map_err(trouble)?)
        }
        Ok(ImageFormat::WebP) => {
            let decoder = WebPDecoder::new(file).map_err(trouble)?;
            stands_still(decoder.has_animation())?;
            points(decoder)
        }
        _ => Err(NoPicture::Kind),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(PICTURE_SIDE_MAX);
    limits.max_image_height = Some(PICTURE_SIDE_MAX);
    limits.max_alloc = Some(PICTURE_ALLOC_BYTES_MAX);
    limits
}

fn stands_still(moves: bool) -> Result<(), NoPicture> {
    match moves {
        true => Err(NoPicture::Moves),
        false => Ok(()),
    }
}

/// How often a JPEG begins to go over its points. Within points the marker cannot stand.
fn scans(bytes: &[u8]) -> usize {
    bytes
        .windows(2)
        .filter(|pair| *pair == [0xff, 0xda])
        .count()
}

/// Unpacks the points, after its head was believed to be small enough.
fn points(mut decoder: impl ImageDecoder) -> Result<DynamicImage, NoPicture> {
    let (width, height) = decoder.dimensions();
    let is_small = u64::from(width) * u64::from(height) <= PICTURE_PIXELS_MAX
        && decoder.total_bytes() <= PICTURE_ALLOC_BYTES_MAX;
    if !is_small {
        return Err(NoPicture::TooManyPoints);
    }
    decoder.set_limits(limits()).map_err(trouble)?;
    // Which way is up stands beside the points, and is all that is taken from there.
    let upright = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(trouble)?;
    if image.width().max(image.height()) > PICTURE_SIDE_KEPT_MAX {
        image = image.thumbnail(PICTURE_SIDE_KEPT_MAX, PICTURE_SIDE_KEPT_MAX);
    }
    image.apply_orientation(upright);
    Ok(image)
}

fn write(image: DynamicImage) -> Result<Picture, NoPicture> {
    let (width, height) = (image.width(), image.height());
    let rgba = image.into_rgba8();
    let has_holes = rgba.pixels().any(|point| point.0[3] != u8::MAX);
    let image = DynamicImage::from(rgba);
    let mut bytes = Vec::new();
    let (format, written) = if has_holes {
        (
            PictureFormat::Png,
            image.write_with_encoder(PngEncoder::new(&mut bytes)),
        )
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        let image = DynamicImage::from(image.into_rgb8());
        (PictureFormat::Jpeg, image.write_with_encoder(encoder))
    };
    written.map_err(trouble)?;
    Ok(Picture {
        format,
        width,
        height,
        bytes,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn trouble(error: image::ImageError) -> NoPicture {
    match error {
        image::ImageError::Limits(_) => NoPicture::TooManyPoints,
        _ => NoPicture::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_a_decoder_is_a_damaged_picture() {
        let made: Result<Picture, NoPicture> = caught(|| panic!("a decoder has a fault"));
        assert!(matches!(made, Err(NoPicture::Damaged)), "{made:?}");
    }
}
