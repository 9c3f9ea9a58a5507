//! Files that pages refer to, compiled in. Each address carries a hash of the file, so that a browser
//! may keep it for ever and never shows an old one.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use wb_core::hash;

use crate::door::plain;
use crate::headers;

struct Asset {
    name: String,
    kind: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let hash = hash::sha256(bytes).to_string();
        Self {
            name: format!("{stem}.{}.{ending}", &hash[..12]),
            kind,
            bytes,
        }
    }

    fn address(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/wb.css");
    Asset::new("wb", "css", "text/css; charset=utf-8", bytes)
});

static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/wb.js");
    Asset::new("wb", "js", "text/javascript; charset=utf-8", bytes)
});

static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/balloon.svg");
    Asset::new("balloon", "svg", "image/svg+xml", bytes)
});

/// The address of the style sheet.
pub(crate) fn style() -> String {
    STYLE.address()
}

/// The address of the script.
pub(crate) fn script() -> String {
    SCRIPT.address()
}

/// The address of the picture in the browser's tab.
pub(crate) fn icon() -> String {
    ICON.address()
}

pub(crate) async fn file(Path(name): Path<String>) -> Response {
    let found = [&*STYLE, &*SCRIPT, &*ICON]
        .into_iter()
        .find(|asset| asset.name == name);
    let Some(asset) = found else {
        return plain(StatusCode::NOT_FOUND, "There is no such file.\n");
    };
    let mut response = Response::new(Body::from(asset.bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(CACHE_CONTROL, forever);
    headers::guard(headers);
    response
}
