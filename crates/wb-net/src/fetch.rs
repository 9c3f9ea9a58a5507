//! One file from an address that somebody typed who is not believed in anything: a picture.
//!
//! Only over TLS, only from the public internet, judged after resolving; what the server says about going
//! elsewhere is not followed. The request carries nothing but the place: no cookie, no referrer, no name of this
//! program. Bytes and time have limits of their own, far below those of a peer.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_ENCODING, HeaderValue};
use tokio::time::timeout;

use crate::address::{AddressError, BASE_BYTES_MAX, Base, Scheme};
use crate::body::BodyLimit;
use crate::client::{Connection, NetError, Outgoing, Patience};
use crate::network::{Internet, Network};
use crate::pace::Pace;
use crate::reach::Reach;
use crate::tls::Roots;

/// Most bytes that are read of a file; protects memory. A photo as a phone makes it has less.
pub const FETCH_BYTES_MAX: usize = 6 * 1_024 * 1_024;

/// Longest time for all of it, from the name to the last byte; somebody waits in front of a page.
pub const FETCH_TIME_MAX: Duration = Duration::from_secs(15);

/// Longest time for each step of getting there, so that the sentence can say which one it was.
const STEP_TIME_MAX: Duration = Duration::from_secs(6);

const PATIENCE: Patience = Patience {
    connect: STEP_TIME_MAX,
    tls: STEP_TIME_MAX,
    answer: STEP_TIME_MAX,
    pace: Pace {
        idle: STEP_TIME_MAX,
        grace: STEP_TIME_MAX,
        bytes_per_second_min: 64 * 1_024,
        total: FETCH_TIME_MAX,
    },
};

/// Where a file is: `https`, a host, and what is asked of it.
///
/// ```
/// use wb_net::fetch::FileAddress;
///
/// let address = FileAddress::parse("https://Pictures.example.org/mira.png?s=200#top")?;
/// assert_eq!(address.host(), "pictures.example.org");
/// assert!(FileAddress::parse("http://pictures.example.org/mira.png").is_err());
/// # Ok::<(), wb_net::fetch::FetchError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAddress {
    base: Base,
    /// Path and query, as they are asked for.
    target: String,
}

impl FileAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        if text.len() > BASE_BYTES_MAX {
            return Err(AddressError::TooLong.into());
        }
        // The part behind `#` is for who looks, and is told to nobody.
        let text = text.split('#').next().unwrap_or_default();
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let base = Base::parse(&format!("{scheme}://{host}"))?;
        if base.scheme() != Scheme::Https {
            return Err(FetchError::NotSecure);
        }
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        if !target.bytes().all(is_plain) {
            return Err(AddressError::Path.into());
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            base,
            target: format!("{slash}{target}"),
        })
    }

    /// Who is asked, with the port where it is not the usual one.
    #[must_use]
    pub fn host(&self) -> String {
        self.base.authority()
    }
}

/// How the rest of the world is reached: this machine's network and Mozilla's authorities, unless a test says
/// otherwise.
#[derive(Clone)]
pub struct Web {
    /// Names to addresses, addresses to streams.
    pub network: Arc<dyn Network>,
    /// Whose certificates are believed.
    pub roots: Roots,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            network: Arc::new(Internet),
            roots: Roots::mozilla(),
        }
    }
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Web")
    }
}

impl Web {
    /// Fetches a file: the bytes as they came, of which nothing is believed.
    ///
    /// Needs a tokio runtime with time and network.
    ///
    /// # Errors
    /// What happened.
    pub async fn fetch(&self, address: &FileAddress) -> Result<Vec<u8>, FetchError> {
        let fetched = timeout(FETCH_TIME_MAX, self.fetch_in_time(address)).await;
        fetched.map_err(|_| {
            FetchError::Net(NetError::TimedOut {
                what: "it took too long in all",
            })
        })?
    }

    async fn fetch_in_time(&self, address: &FileAddress) -> Result<Vec<u8>, FetchError> {
        let mut connection = Connection::new(address.base.clone(), Reach::Global)
            .with_patience(PATIENCE)
            .with_roots(self.roots.clone())
            .with_network(Arc::clone(&self.network));
        let mut outgoing = Outgoing::get(address.target.as_str());
        outgoing
            .headers
            .push((ACCEPT, HeaderValue::from_static("image/*")));
        let came = connection
            .send(outgoing, BodyLimit::bytes(FETCH_BYTES_MAX))
            .await?;
        match came.status {
            200 => {}
            300..400 => return Err(FetchError::Elsewhere(came.status)),
            status => return Err(FetchError::Status(status)),
        }
        if came.headers.contains_key(CONTENT_ENCODING) {
            return Err(FetchError::Encoded);
        }
        if came.body.is_empty() {
            return Err(FetchError::Empty);
        }
        Ok(came.body)
    }
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address cannot be read.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The address begins with `http`.
    #[error("the address does not begin with https")]
    NotSecure,
    /// There was no answer.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The answer says to look elsewhere.
    #[error("the answer says to look elsewhere ({0}), which is not followed")]
    Elsewhere(u16),
    /// The answer says that it is not there.
    #[error("the answer is {0}")]
    Status(u16),
    /// The answer is compressed although nobody asked for that.
    #[error("the answer is compressed, which was not asked for")]
    Encoded,
    /// The answer is empty.
    #[error("the answer is empty")]
    Empty,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_for_as_it_was_typed_without_what_is_behind_the_hash() {
        for (text, host, target) in [
            ("https://a.example/x.png", "a.example", "/x.png"),
            ("https://a.example?u=1", "a.example", "/?u=1"),
            (
                "https://a.example:8443/a%20b/?s=2&d=x#me",
                "a.example:8443",
                "/a%20b/?s=2&d=x",
            ),
            ("HTTPS://A.example", "a.example", "/"),
        ] {
            let address = FileAddress::parse(text).expect(text);
            assert_eq!(
                (address.host().as_str(), address.target.as_str()),
                (host, target)
            );
        }
    }

    #[test]
    fn what_could_be_meant_otherwise_is_no_address() {
        for text in [
            "ftp://a.example/x.png",
            "https://mira:secret@a.example/x.png",
            "https://2130706433/x.png",
            "https://0x7f.1/x.png",
            "https://a.example/x y.png",
            "https://a.example/x\r\nHost: b.example",
            "https://a.example/ä.png",
            "https:///x.png",
            "https://a.example:0/x.png",
            "/x.png",
        ] {
            assert!(FileAddress::parse(text).is_err(), "{text}");
        }
        let plain = FileAddress::parse("http://a.example/x.png");
        assert!(matches!(plain, Err(FetchError::NotSecure)), "{plain:?}");
    }
}
