//! Pictures from elsewhere: what becomes of bytes of which nothing is believed, and that what was made of them goes
//! with the profile that named it.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, RgbaImage};
use tempfile::TempDir;
use wb_core::id::RecordRef;
use wb_core::leave::ProfileShares;
use wb_core::scope::Scope;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, bundle_import};
use wb_node::command::init::{Init, init};
use wb_node::command::picture_away::picture_away;
use wb_node::command::profile_edit::{ProfileEdit, profile_edit};
use wb_node::command::rebuild::rebuild;
use wb_node::command::review::{Decision, review_origin};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::command::user_erase::user_erase;
use wb_node::picture::{
    NoPicture, PICTURE_SCANS_MAX, PICTURE_SIDE_KEPT_MAX, PICTURE_SIDE_MAX, rewrite,
};
use wb_node::query::picture::picture;
use wb_node::{Actor, Node};
use wb_store::{Home, Picture, PictureFormat, Role};

/// Stands beside the points of a picture, and must not be in what is kept.
const BESIDE: &str = "canary 52.5163 north 13.3777 east";

/// A picture on which every point differs from its neighbours.
fn motley(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let mixed = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 3;
        let [a, b, c, _] = mixed.to_le_bytes();
        image::Rgb([a, b, c])
    })
}

fn png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image
        .write_with_encoder(PngEncoder::new(&mut bytes))
        .expect("it is written");
    bytes
}

fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image
        .write_with_encoder(JpegEncoder::new(&mut bytes))
        .expect("it is written");
    bytes
}

fn webp(image: &RgbaImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image
        .write_with_encoder(WebPEncoder::new_lossless(&mut bytes))
        .expect("it is written");
    bytes
}

/// A chunk of a PNG with its sum.
fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in kind.iter().chain(data) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    let length = u32::try_from(data.len())
        .expect("it is short")
        .to_be_bytes();
    [&length[..], kind, data, &(!crc).to_be_bytes()].concat()
}

/// A PNG with a chunk behind its head.
fn with_chunk(png: &[u8], kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    // The signature and the head are 33 bytes.
    let (head, rest) = png.split_at(33);
    [head, &png_chunk(kind, data), rest].concat()
}

/// A chunk of a WebP.
fn riff(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len())
        .expect("it is short")
        .to_le_bytes();
    let pad: &[u8] = if data.len().is_multiple_of(2) {
        &[]
    } else {
        &[0]
    };
    [&kind[..], &length, data, pad].concat()
}

fn has(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn read_back(picture: &Picture) -> DynamicImage {
    let format = match picture.format {
        PictureFormat::Jpeg => ImageFormat::Jpeg,
        PictureFormat::Png => ImageFormat::Png,
    };
    let read = image::load_from_memory_with_format(&picture.bytes, format);
    let read = read.expect("what was written can be read");
    assert_eq!(
        (read.width(), read.height()),
        (picture.width, picture.height)
    );
    read
}

#[test]
fn three_formats_become_two_and_none_is_larger_than_is_shown() {
    let photo = motley(900, 300);
    let holes = RgbaImage::from_fn(40, 20, |x, _| {
        image::Rgba([200, 30, 30, u8::from(x > 9) * 255])
    });
    for (bytes, format, side) in [
        (jpeg(&photo), PictureFormat::Jpeg, PICTURE_SIDE_KEPT_MAX),
        (
            png(&photo.clone().into()),
            PictureFormat::Jpeg,
            PICTURE_SIDE_KEPT_MAX,
        ),
        (png(&holes.clone().into()), PictureFormat::Png, 40),
        (webp(&holes), PictureFormat::Png, 40),
    ] {
        let made = rewrite(&bytes).expect("a picture");
        assert_eq!((made.format, made.width), (format, side));
        read_back(&made);
    }
    // What can be seen through stays so, and colours stay colours.
    let made = read_back(&rewrite(&webp(&holes)).expect("a picture")).into_rgba8();
    assert_eq!(made.get_pixel(0, 0).0[3], 0);
    assert_eq!(made.get_pixel(30, 10).0, [200, 30, 30, 255]);
}

#[test]
fn nothing_that_stood_beside_the_points_is_kept() {
    let small = motley(32, 16);
    let plain = jpeg(&small);
    let comment = u16::try_from(BESIDE.len() + 2)
        .expect("it is short")
        .to_be_bytes();
    let commented = [
        &plain[..2],
        &[0xff, 0xfe],
        &comment,
        BESIDE.as_bytes(),
        &plain[2..],
    ]
    .concat();
    let drawn = png(&small.into());
    let text = [b"Comment\0", BESIDE.as_bytes()].concat();
    for bytes in [
        commented,
        with_chunk(&drawn, b"tEXt", &text),
        with_chunk(&drawn, b"eXIf", &exif(1)),
        // A page, or a program, behind the end of a picture.
        [&drawn[..], b"<script>", BESIDE.as_bytes()].concat(),
    ] {
        assert!(has(&bytes, BESIDE.as_bytes()), "the test is sound");
        let made = rewrite(&bytes).expect("a picture");
        assert!(!has(&made.bytes, BESIDE.as_bytes()));
        assert!(!has(&made.bytes, b"Exif") && !has(&made.bytes, b"<script>"));
        assert_eq!((made.width, made.height), (32, 16));
    }
}

/// Exif with which way is up, and a description.
fn exif(orientation: u16) -> Vec<u8> {
    let text = [BESIDE.as_bytes(), b"\0"].concat();
    let length = u32::try_from(text.len()).expect("it is short");
    let mut bytes = b"II*\0\x08\0\0\0\x02\0".to_vec();
    bytes.extend([0x0e, 0x01, 2, 0]);
    bytes.extend(length.to_le_bytes());
    bytes.extend(38_u32.to_le_bytes());
    bytes.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0]);
    bytes.extend(orientation.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 0, 0]);
    bytes.extend(text);
    bytes
}

#[test]
fn a_photo_stands_upright_without_what_said_so() {
    let lying = RgbImage::from_fn(60, 20, |x, _| {
        image::Rgb(if x < 30 { [255, 0, 0] } else { [0, 0, 255] })
    });
    let turned = with_chunk(&png(&lying.into()), b"eXIf", &exif(6));
    let made = rewrite(&turned).expect("a picture");
    assert_eq!((made.width, made.height), (20, 60));
    let read = read_back(&made).into_rgb8();
    assert!(read.get_pixel(10, 5).0[0] > 200, "red is above");
    assert!(read.get_pixel(10, 55).0[2] > 200, "blue is below");
}

#[test]
fn few_bytes_that_become_many_points_are_not_unpacked() {
    let side = PICTURE_SIDE_MAX + 1;
    let head = |width: u32, height: u32| {
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        let head = png_chunk(b"IHDR", &[&size[..], &[8, 6, 0, 0, 0]].concat());
        [
            b"\x89PNG\r\n\x1a\n",
            &head[..],
            &png_chunk(b"IDAT", &[]),
            &png_chunk(b"IEND", &[]),
        ]
        .concat()
    };
    let jpeg_head = |width: u16, height: u16| {
        let mut bytes = jpeg(&motley(16, 16));
        let frame = bytes
            .windows(2)
            .position(|pair| pair == [0xff, 0xc0])
            .expect("a frame");
        bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        bytes
    };
    // Four thousand and one on each side and all of one colour: it is sound, weighs little, and has too many points.
    let bomb = png(&GrayImage::new(4_001, 4_001).into());
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    for bytes in [
        head(side, 1),
        head(u32::MAX >> 1, u32::MAX >> 1),
        head(PICTURE_SIDE_MAX, PICTURE_SIDE_MAX),
        jpeg_head(u16::MAX, u16::MAX),
        jpeg_head(1, 9_000),
        bomb,
    ] {
        let made = rewrite(&bytes);
        assert!(matches!(made, Err(NoPicture::TooManyPoints)), "{made:?}");
    }
    // One that says to go over its points again and again.
    let mut again = jpeg(&motley(16, 16));
    again.extend([0xff, 0xda].repeat(PICTURE_SCANS_MAX));
    let made = rewrite(&again);
    assert!(matches!(made, Err(NoPicture::TooManyPoints)), "{made:?}");
}

#[test]
fn what_is_no_picture_or_moves_is_named() {
    let drawn = png(&motley(8, 8).into());
    for (what, bytes) in [
        (
            "a drawing",
            &b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"[..],
        ),
        ("a page", b"<!doctype html><img src=x onerror=alert(1)>"),
        ("a GIF", b"GIF89a\x01\0\x01\0\0\0\0;"),
        ("a PDF", b"%PDF-1.7\n"),
        ("nothing", b""),
        ("half a signature", &drawn[..4]),
    ] {
        let made = rewrite(bytes);
        assert!(matches!(made, Err(NoPicture::Kind)), "{what}: {made:?}");
    }
    let frames = with_chunk(&drawn, b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
    let still = webp(&RgbaImage::new(8, 8));
    // Behind the twelve bytes that name the format stands the one picture.
    let frame = [&[0; 6][..], &[7, 0, 0, 7, 0, 0, 100, 0, 0, 0], &still[12..]].concat();
    let body = [
        b"WEBP".to_vec(),
        riff(b"VP8X", &[2, 0, 0, 0, 7, 0, 0, 7, 0, 0]),
        riff(b"ANIM", &[0; 6]),
        riff(b"ANMF", &frame),
    ]
    .concat();
    for (what, bytes) in [("a PNG", frames), ("a WebP", riff(b"RIFF", &body))] {
        let made = rewrite(&bytes);
        assert!(matches!(made, Err(NoPicture::Moves)), "{what}: {made:?}");
    }
}

#[test]
fn every_sentence_says_that_nothing_was_kept_and_what_comes_next() {
    for (bytes, next) in [
        (&b"<svg/>"[..], "the link may still work"),
        (b"\x89PNG\r\n\x1a\n", "name another one"),
    ] {
        let said = rewrite(bytes).expect_err("no picture").to_string();
        assert!(said.contains("Nothing was kept."), "{said}");
        assert!(said.contains(next), "{said}");
    }
}

#[test]
fn damage_anywhere_is_a_sentence_or_another_picture() {
    let small = motley(9, 7);
    let mut refused = 0;
    for whole in [
        jpeg(&small),
        png(&small.clone().into()),
        webp(&DynamicImage::from(small).into_rgba8()),
    ] {
        for place in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[place] ^= 0xff;
            for bytes in [&whole[..place], &flipped] {
                match rewrite(bytes) {
                    Ok(made) => drop(read_back(&made)),
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// Elm follows Oak by files; bob of Oak shows a profile with a picture, and elm keeps one of it.
struct Street {
    dir: TempDir,
    oak: Node,
    bob: Actor,
    elm: Node,
    ada: Actor,
    kept: Picture,
}

const AT: &str = "https://pictures.example.org/bob.png";

impl Street {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let found = |name: &str, admin: &str| {
            let home = Home::new(dir.path().join(name));
            let input = Init {
                name,
                admin,
                words_file: None,
            };
            let node = init(&home, &input).expect("it is founded").node;
            let actor = node.actor(None).expect("the founder");
            (node, actor)
        };
        let ((oak, bob), (elm, ada)) = (found("Oak", "bob"), found("Elm", "ada"));
        let kept = rewrite(&jpeg(&motley(200, 200))).expect("a picture");
        let mut street = Self {
            dir,
            oak,
            bob,
            elm,
            ada,
            kept,
        };
        street.names(AT, Scope::Public);
        street.crosses();
        assert!(street.keep(), "the profile is shown");
        street.is_kept(true);
        street
    }

    fn bobs(&self) -> RecordRef {
        RecordRef {
            origin: self.oak.own_id(),
            id: self.bob.user,
        }
    }

    /// Bob's profile names a picture from here.
    fn names(&self, address: &str, scope: Scope) {
        let edit = ProfileEdit {
            display_name: None,
            bio: None,
            avatar: Some(address),
            shares: ProfileShares {
                avatar: true,
                ..ProfileShares::default()
            },
            scope,
            email: None,
        };
        profile_edit(&self.oak, &self.bob, &edit).expect("it is kept");
    }

    fn crosses(&mut self) {
        let file = self.dir.path().join("oak.wbb");
        let export = BundleExport {
            file: &file,
            want: None,
            zstd_level: None,
        };
        bundle_export(&mut self.oak, &self.bob, &export, &mut |_, _| {}).expect("a file");
        let take = BundleImport {
            dry_run: false,
            accept: true,
            partial: false,
            lists: true,
        };
        bundle_import(&mut self.elm, &self.ada, &file, take, &mut |_| {}).expect("it is taken");
    }

    fn keep(&self) -> bool {
        let write = self
            .elm
            .store()
            .write_in_sight()
            .expect("it can be written");
        let kept = write
            .keep_picture(&self.bobs(), AT, &self.kept, self.elm.now())
            .expect("it is written");
        write.commit().expect("it is written");
        kept
    }

    /// Whether anything of the picture is in any file of elm: pieces small enough to lie within one page.
    #[track_caller]
    fn is_kept(&self, is_there: bool) {
        let mut found = 0;
        for entry in std::fs::read_dir(self.dir.path().join("Elm")).expect("a folder") {
            let bytes = std::fs::read(entry.expect("a file").path());
            let bytes = bytes.unwrap_or_default();
            // The first bytes are those of every JPEG.
            let pieces = self.kept.bytes[1_000..].chunks_exact(24).step_by(97);
            found += pieces.filter(|piece| has(&bytes, piece)).count();
        }
        assert_eq!(found > 0, is_there, "{found} pieces");
        let read = self.elm.store().picture(&self.bobs()).expect("it is read");
        assert_eq!(read.is_some(), is_there);
    }
}

#[test]
fn a_picture_goes_with_the_profile_that_is_taken_back_and_leaves_no_byte() {
    let mut street = Street::new();
    let shown = picture(&street.elm, &street.ada, &street.bobs()).expect("it is read");
    assert_eq!(shown.expect("a picture").picture, street.kept);
    street.names(AT, Scope::Private);
    street.crosses();
    street.is_kept(false);
    assert!(!street.keep(), "a profile that is gone has no picture");
    street.is_kept(false);
}

#[test]
fn a_picture_goes_when_its_profile_names_another() {
    let mut street = Street::new();
    street.names("https://pictures.example.org/new.png", Scope::Public);
    street.crosses();
    street.is_kept(false);
    // What was fetched from the old address meanwhile comes too late.
    assert!(!street.keep());
}

#[test]
fn a_picture_stays_when_something_else_in_its_profile_changes_or_all_is_made_again() {
    let mut street = Street::new();
    street.names(AT, Scope::Public);
    street.crosses();
    street.is_kept(true);
    rebuild(&mut street.elm).expect("it is made again");
    street.is_kept(true);
}

#[test]
fn a_picture_goes_with_a_refused_community() {
    let mut street = Street::new();
    let (ada, oak) = (street.ada.clone(), street.oak.own_id());
    review_origin(&mut street.elm, &ada, oak, Decision::Refuse).expect("it is refused");
    street.is_kept(false);
}

#[test]
fn a_picture_that_is_put_away_leaves_no_byte() {
    let mut street = Street::new();
    let (ada, bobs) = (street.ada.clone(), street.bobs());
    picture_away(&mut street.elm, &ada, &bobs).expect("it is put away");
    street.is_kept(false);
}

#[test]
fn a_picture_of_a_member_of_ones_own_goes_with_the_address() {
    let street = Street::new();
    let own = street.bobs();
    let write = street
        .oak
        .store()
        .write_in_sight()
        .expect("it can be written");
    let now = street.oak.now();
    assert!(
        write
            .keep_picture(&own, AT, &street.kept, now)
            .expect("it is written")
    );
    write.commit().expect("it is written");
    let is_there = |street: &Street| {
        let files = std::fs::read_dir(street.dir.path().join("Oak")).expect("a folder");
        let piece = &street.kept.bytes[2_000..2_024];
        files
            .map(|file| std::fs::read(file.expect("a file").path()).unwrap_or_default())
            .any(|bytes| has(&bytes, piece))
    };
    assert!(is_there(&street));
    street.names("https://pictures.example.org/new.png", Scope::Private);
    assert!(!is_there(&street));
}

/// The log named a profile of this instance in a way of its own, so that a picture was the one thing done about a member
/// that still named them after they were erased.
#[test]
fn no_trace_of_a_picture_names_who_was_erased() {
    let mut street = Street::new();
    let (bob, own) = (street.bob.clone(), street.bobs());
    let user = UserAdd {
        handle: "dora",
        display_name: None,
        bio: None,
        role: Role::Admin,
        email: None,
    };
    user_add(&mut street.oak, &bob, &user).expect("somebody who stays");
    let dora = street.oak.actor(Some("dora")).expect("she is in");
    let write = street
        .oak
        .store()
        .write_in_sight()
        .expect("it can be written");
    let now = street.oak.now();
    write
        .keep_picture(&own, AT, &street.kept, now)
        .expect("it is written");
    write.commit().expect("it is written");
    picture_away(&mut street.oak, &dora, &own).expect("it is put away");
    user_erase(&street.oak, &dora, "bob").expect("an admin may");
    let rows = street.oak.store().private().audit_rows(None, None, 100);
    let rows = rows.expect("a log");
    assert!(
        rows.iter().any(|(_, row)| row.act == "picture away"),
        "{rows:?}"
    );
    let id = bob.user.to_string();
    let names = |text: &str| text.contains(&id) || text.contains("bob");
    for (_, row) in &rows {
        assert!(!names(&row.target) && !names(&row.detail), "{row:?}");
    }
}
