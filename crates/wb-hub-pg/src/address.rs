//! Where the database is: an address `postgres://…`, of which the password is never shown.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};

use crate::error::{PgError, Result};

/// How an address begins.
const STARTS: [&str; 2] = ["postgres://", "postgresql://"];
/// The one parameter that is not the client library's: a file of authorities (PEM) to believe instead of Mozilla's.
const ROOTS: &str = "sslrootcert=";
/// Longest wait for a connection to be made, unless the address says another.
const CONNECT: Duration = Duration::from_secs(10);

/// What processes of a hub are called at the server, unless the address says another.
const PROGRAM: &str = "wb hub";
/// What a command that moves a hub is called.
const MOVER: &str = "wb hub move";

/// The address of a database.
#[derive(Clone)]
pub struct Address {
    pub(crate) config: tokio_postgres::Config,
    /// A file of the authorities that are believed; none for Mozilla's.
    pub(crate) roots: Option<PathBuf>,
    shown: String,
}

impl Address {
    /// What processes of a hub at this address are called.
    pub(crate) fn program(&self) -> &str {
        self.config.get_application_name().unwrap_or(PROGRAM)
    }

    /// The same address, for a command that moves the hub: it is told from the processes of the hub.
    pub(crate) fn of_mover(&self) -> Self {
        let mut address = self.clone();
        address.config.application_name(MOVER);
        address
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.shown)
    }
}

impl FromStr for Address {
    type Err = PgError;

    fn from_str(text: &str) -> Result<Self> {
        // What the parser says of an address could repeat a part of it.
        let wrong = || {
            PgError::Address(
                "an address like postgres://USER:PASSWORD@HOST:PORT/DATABASE is needed".to_owned(),
            )
        };
        if !STARTS.iter().any(|start| text.starts_with(start)) {
            return Err(wrong());
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let parts = || query.split('&').filter(|part| !part.is_empty());
        let roots = parts().find_map(|part| part.strip_prefix(ROOTS));
        let others: Vec<&str> = parts().filter(|part| !part.starts_with(ROOTS)).collect();
        let mut config: tokio_postgres::Config = format!("{base}?{}", others.join("&"))
            .parse()
            .map_err(|_| wrong())?;
        let says_how = others.iter().any(|part| part.starts_with("sslmode="));
        if !says_how {
            // Over a network nothing is said in the clear unless that was asked for.
            let is_here = config.get_hosts().iter().all(is_here);
            config.ssl_mode(if is_here {
                SslMode::Disable
            } else {
                SslMode::Require
            });
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name(PROGRAM);
        }
        Ok(Self {
            config,
            roots: roots.map(PathBuf::from),
            shown: shown(base),
        })
    }
}

/// Whether a host is this computer.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// An address without its password and parameters.
fn shown(base: &str) -> String {
    let base = base.split_once('?').map_or(base, |(base, _)| base);
    let Some((scheme, rest)) = base.split_once("://") else {
        return "(not an address)".to_owned();
    };
    let Some((user, host)) = rest.rsplit_once('@') else {
        return format!("{scheme}://{rest}");
    };
    let user = user.split_once(':').map_or(user, |(user, _)| user);
    format!("{scheme}://{user}@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_shown_nowhere() {
        for text in [
            "postgres://wb:s3cret@db.example/hub",
            "postgres://wb:s3c%40ret@db.example:5433/hub?sslmode=require",
            "postgresql://wb@db.example/hub?password=s3cret",
            "postgres://wb:s3cret@[::1",
            "postgres://wb:s3cret@db.example/hub?s3cret=1",
            "mysql://wb:s3cret@db.example/hub",
            "s3cret",
        ] {
            let told = match text.parse::<Address>() {
                Ok(address) => format!("{address} {address:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!told.contains("s3c"), "{told}");
        }
        let address: Address = "postgres://wb:s3cret@db.example:5433/hub?sslmode=disable"
            .parse()
            .expect("an address");
        assert_eq!(address.to_string(), "postgres://wb@db.example:5433/hub");
        assert_eq!(address.config.get_password(), Some(&b"s3cret"[..]));
    }

    #[test]
    fn nothing_goes_over_a_network_in_the_clear_unless_that_was_asked_for() {
        for (text, mode) in [
            ("postgres://wb@127.0.0.1/hub", SslMode::Disable),
            ("postgres://wb@localhost:5433/hub", SslMode::Disable),
            ("postgres:///hub?host=/run/postgresql", SslMode::Disable),
            ("postgres://wb@db.example/hub", SslMode::Require),
            ("postgres://wb@127.0.0.1,db.example/hub", SslMode::Require),
            (
                "postgres://wb@db.example/hub?sslmode=disable",
                SslMode::Disable,
            ),
            (
                "postgres://wb@127.0.0.1/hub?sslmode=require",
                SslMode::Require,
            ),
        ] {
            let address: Address = text.parse().expect("an address");
            assert_eq!(address.config.get_ssl_mode(), mode, "{text}");
        }
        let address: Address =
            "postgres://wb@db.example/hub?sslrootcert=/etc/wb/roots.pem&sslmode=require"
                .parse()
                .expect("an address");
        assert_eq!(address.roots, Some(PathBuf::from("/etc/wb/roots.pem")));
    }
}
