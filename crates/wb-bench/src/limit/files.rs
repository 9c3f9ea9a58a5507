//! A plain server of files over the HTTP library that hub and node use: it looks at the path, reads the file and
//! gives it. No signature, no cookie, no database.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::{Request, Response, StatusCode};

use crate::error::Result;
use crate::role::{Report, serve};

/// Serves the files of a folder on a free port until the input ends.
pub fn run(dir: &Path) -> Result<()> {
    serve::serve(|address| {
        let router = Router::new().fallback(give).with_state(dir.to_owned());
        let report = Report {
            link: format!("http://{address}"),
            ..Report::default()
        };
        Ok((router, report))
    })
}

async fn give(State(dir): State<PathBuf>, request: Request<Body>) -> Response<Body> {
    let name = request.uri().path().trim_start_matches('/');
    // Files lie in the page cache; a thread for reading one would cost more than reading it.
    let found = std::fs::read(dir.join(name));
    let (status, body) = match found {
        Ok(bytes) => (StatusCode::OK, Body::from(bytes)),
        Err(_) => (StatusCode::NOT_FOUND, Body::empty()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
