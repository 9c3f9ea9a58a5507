//! Settings: flags over environment over `config.toml` over defaults, each with its origin.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use wb_core::backup::Keep;
use wb_core::limits::FEED_KINDS_MAX;
use wb_core::scope::{Kind, Scope};
use wb_core::sync::Policy;
use wb_net::Proxies;

use crate::call_log::{CallLog, call_log};
use crate::error::{NodeError, Result};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The program.
    Default,
    /// `config.toml`.
    File,
    /// A variable `WB_…`.
    Environment,
    /// The command line.
    Flag,
}

/// One setting as `wb config show` lists it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Setting {
    /// Its key in `config.toml`.
    pub key: &'static str,
    /// The variable that overrides it.
    pub variable: &'static str,
    /// Its value.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
    /// What it does.
    pub about: &'static str,
}

/// The settings of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Scope of new records when none is given.
    pub default_scope: Scope,
    /// Level of zstd for bundles.
    pub zstd_level: i32,
    /// Where the node listens.
    pub node_listen: SocketAddr,
    /// Names under which browsers reach the node, beside those of this computer.
    pub node_hosts: Vec<String>,
    /// What stands in front of the node.
    pub node_front: FrontSettings,
    /// How often the node syncs by itself; none: by hand.
    pub sync_every: Option<Duration>,
    /// Kinds whose lines are asked for; none: all.
    pub sync_kinds: Option<BTreeSet<Kind>>,
    /// Where `wb up` and `wb hub up` make backups by themselves; none: nowhere.
    pub backup_dir: Option<PathBuf>,
    /// How often.
    pub backup_every: Duration,
    /// Which of them are kept.
    pub backup_keep: Keep,
    /// Where the hub listens.
    pub hub_listen: SocketAddr,
    /// What stands in front of the hub.
    pub hub_front: FrontSettings,
    /// Names under which browsers reach the hub, beside those of this computer.
    pub hub_hosts: Vec<String>,
    /// Where the hub's data are, where they are not in a file.
    pub hub_store: Option<StoreAddress>,
    /// Who may become a member of the hub.
    pub hub_policy: Policy,
    /// For how many days the hub keeps deltas; none: for ever.
    pub hub_keep_days: Option<u32>,
    /// How many connections the hub has at once.
    pub hub_connections_max: usize,
    /// Whether a cache in front of the hub may keep pages of snapshots.
    pub hub_cacheable: bool,
    /// What the hub writes of each call that it answers.
    pub hub_log: CallLog,
    /// How many bytes the hub keeps of one member.
    pub hub_member_bytes_max: u64,
    /// How many live records the hub keeps of one member.
    pub hub_member_records_max: u64,
    /// Every setting with its origin.
    pub list: Vec<Setting>,
}

/// What stands between the network and what is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontSettings {
    /// Proxies that are believed about who asks.
    pub behind_proxy: Proxies,
    /// Files of the certificate and of its key.
    pub tls: Option<TlsFiles>,
}

impl FrontSettings {
    /// Whether browsers come over TLS, here or at a proxy.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls.is_some() || !self.behind_proxy.is_empty()
    }
}

/// The address of a database. It may hold a password, so what it says is shown without it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreAddress(String);

impl StoreAddress {
    /// The address, with what is secret in it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The address without password and parameters.
    #[must_use]
    pub fn shown(&self) -> String {
        let base = self
            .0
            .split_once('?')
            .map_or(self.0.as_str(), |(base, _)| base);
        let Some((scheme, rest)) = base.split_once("://") else {
            return "(not an address)".to_owned();
        };
        let Some((user, host)) = rest.rsplit_once('@') else {
            return format!("{scheme}://{rest}");
        };
        let user = user.split_once(':').map_or(user, |(user, _)| user);
        format!("{scheme}://{user}@{host}")
    }
}

impl std::fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoreAddress({})", self.shown())
    }
}

impl FromStr for StoreAddress {
    type Err = std::convert::Infallible;

    /// Takes any text: whoever connects says what is wrong with it, and what parses arguments would repeat it.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// Files of a certificate, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those that vouch for it after it.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Levels that zstd has for everyday use.
const ZSTD_LEVELS: RangeInclusive<i32> = 1..=19;

struct Known {
    key: &'static str,
    variable: &'static str,
    default: &'static str,
    about: &'static str,
}

/// The one setting that may hold a secret.
const STORE: &str = "hub.store";

const KNOWN: &[Known] = &[
    Known {
        key: "share.default_scope",
        variable: "WB_SHARE_DEFAULT_SCOPE",
        default: "private",
        about: "scope of a new request or comment when none is given",
    },
    Known {
        key: "bundle.zstd_level",
        variable: "WB_BUNDLE_ZSTD_LEVEL",
        default: "2",
        about: "how hard `bundle export --zstd` compresses, 1 to 19",
    },
    Known {
        key: "node.listen",
        variable: "WB_NODE_LISTEN",
        default: "127.0.0.1:8000",
        about: "address and port of `wb up`",
    },
    Known {
        key: "node.hosts",
        variable: "WB_NODE_HOSTS",
        default: "",
        about: "names under which browsers reach the node, with commas between; this computer's own need not be named",
    },
    Known {
        key: "node.behind_proxy",
        variable: "WB_NODE_BEHIND_PROXY",
        default: "",
        about: "addresses of the proxies with TLS in front of the node, with commas between, such as 127.0.0.1 or 10.0.0.0/24: \
                what they say about who asks is believed",
    },
    Known {
        key: "node.tls_cert",
        variable: "WB_NODE_TLS_CERT",
        default: "",
        about: "file of the node's TLS certificate (PEM, with those that vouch for it after it); `kill -HUP` reads it again",
    },
    Known {
        key: "node.tls_key",
        variable: "WB_NODE_TLS_KEY",
        default: "",
        about: "file of the key of node.tls_cert (PEM)",
    },
    Known {
        key: "sync.every_minutes",
        variable: "WB_SYNC_EVERY_MINUTES",
        default: "0",
        about: "how often `wb up` syncs by itself; 0: by hand only",
    },
    Known {
        key: "sync.kinds",
        variable: "WB_SYNC_KINDS",
        default: "all",
        about: "kinds of records to fetch from hubs, with commas between, or `all`; what a record cannot be shown \
                without (card, helper, status, user) always comes, and `wb sync` fetches the rest once it is asked for",
    },
    Known {
        key: "backup.dir",
        variable: "WB_BACKUP_DIR",
        default: "",
        about: "folder in which `wb up` and `wb hub up` make backups by themselves, best on another disk; empty: none are made",
    },
    Known {
        key: "backup.every_hours",
        variable: "WB_BACKUP_EVERY_HOURS",
        default: "24",
        about: "how often a backup is made in backup.dir",
    },
    Known {
        key: "backup.keep",
        variable: "WB_BACKUP_KEEP",
        default: "7 daily, 4 weekly, 6 monthly",
        about: "which backups in backup.dir are kept: the newest of each of so many days, weeks and months; only files of \
                this instance that are named as it names them are removed",
    },
    Known {
        key: "hub.listen",
        variable: "WB_HUB_LISTEN",
        default: "127.0.0.1:8100",
        about: "address and port of `wb hub up`",
    },
    Known {
        key: "hub.behind_proxy",
        variable: "WB_HUB_BEHIND_PROXY",
        default: "",
        about: "addresses of the proxies in front of the hub, with commas between: what they say about who asks is believed",
    },
    Known {
        key: "hub.tls_cert",
        variable: "WB_HUB_TLS_CERT",
        default: "",
        about: "file of the hub's TLS certificate (PEM, with those that vouch for it after it); `kill -HUP` reads it again",
    },
    Known {
        key: "hub.tls_key",
        variable: "WB_HUB_TLS_KEY",
        default: "",
        about: "file of the key of hub.tls_cert (PEM)",
    },
    Known {
        key: "hub.hosts",
        variable: "WB_HUB_HOSTS",
        default: "",
        about: "names under which browsers reach the hub's pages, with commas between, beside those of this computer",
    },
    Known {
        key: STORE,
        variable: "WB_STORE",
        default: "",
        about: "where the hub's data are, instead of a file in its folder: postgres://USER:PASSWORD@HOST/DATABASE, best in a file \
                that WB_STORE_FILE names; shown without the password",
    },
    Known {
        key: "hub.policy",
        variable: "WB_HUB_POLICY",
        default: "approval",
        about: "who may become a member of the hub: `approval` (whom you approve), `open` (whoever registers) or \
                `invite` (whoever brings a code of `wb hub invite create`)",
    },
    Known {
        key: "hub.keep_days",
        variable: "WB_HUB_KEEP_DAYS",
        default: "0",
        about: "for how many days the hub keeps deltas; members away for longer take snapshots; 0: for ever",
    },
    Known {
        key: "hub.connections_max",
        variable: "WB_HUB_CONNECTIONS_MAX",
        default: "8192",
        about: "how many connections the hub has at once; each member that waits for news holds one",
    },
    Known {
        key: "hub.cacheable",
        variable: "WB_HUB_CACHEABLE",
        default: "false",
        about: "whether an HTTP cache in front of the hub may keep pages of snapshots; it asks each time whether they are still the same",
    },
    Known {
        key: "hub.log",
        variable: "WB_HUB_LOG",
        default: "off",
        about: "what the hub writes of each call that it answers: `off`, or `json` (a line each, on stderr)",
    },
    Known {
        key: "hub.member_bytes_max",
        variable: "WB_HUB_MEMBER_BYTES_MAX",
        default: "4294967296",
        about: "how many bytes the hub keeps of one member; what is more is refused, and its sender told",
    },
    Known {
        key: "hub.member_records_max",
        variable: "WB_HUB_MEMBER_RECORDS_MAX",
        default: "2000000",
        about: "how many live records the hub keeps of one member; what is more is refused, and its sender told",
    },
];

/// Hours between two backups at most: a month.
const BACKUP_HOURS: RangeInclusive<u64> = 1..=31 * 24;
/// Minutes between two syncs at most: a week.
const EVERY_MINUTES_MAX: u64 = 7 * 24 * 60;
/// Days a hub can be told to keep deltas.
const KEEP_DAYS_MAX: u32 = 3_650;
/// How many connections a hub can have; no port has more.
const CONNECTIONS: RangeInclusive<usize> = 16..=65_536;
/// What a quota can be: any number that every program can read.
const QUOTAS: RangeInclusive<u64> = 1..=wb_core::limits::NUMBER_MAX;

impl Settings {
    /// Reads the settings of a folder. `environment` gives the value of a variable.
    ///
    /// # Errors
    /// A key that is not known, or a value that is not allowed, with its place.
    pub fn load(config: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let file = read_file(config)?;
        let mut list = Vec::new();
        for known in KNOWN {
            let from_file = file
                .iter()
                .find(|(key, _)| key == known.key)
                .map(|(_, value)| value.clone());
            let (value, origin) = match (environment(known.variable), from_file) {
                (Some(value), _) => (value, Origin::Environment),
                (None, Some(value)) => (value, Origin::File),
                (None, None) => (known.default.to_owned(), Origin::Default),
            };
            let Known {
                key,
                variable,
                about,
                ..
            } = *known;
            list.push(Setting {
                key,
                variable,
                value,
                origin,
                about,
            });
        }
        if let Some((key, _)) = file
            .iter()
            .find(|(key, _)| KNOWN.iter().all(|known| known.key != key))
        {
            let known: Vec<&str> = KNOWN.iter().map(|known| known.key).collect();
            return Err(NodeError::Settings {
                place: config.display().to_string(),
                what: format!("`{key}` is not a setting; known are {}", known.join(", ")),
            });
        }
        let hub_store = hide_store(&mut list);
        let read = Reader {
            list: &list,
            config,
        };
        let minutes: u64 = read.number("sync.every_minutes", 0..=EVERY_MINUTES_MAX)?;
        let keep_days: u32 = read.number("hub.keep_days", 0..=KEEP_DAYS_MAX)?;
        Ok(Self {
            default_scope: read.parsed("share.default_scope")?,
            zstd_level: read.number("bundle.zstd_level", ZSTD_LEVELS)?,
            node_listen: read.parsed("node.listen")?,
            node_hosts: names(read.text("node.hosts")),
            node_front: read.front("node.behind_proxy", "node.tls_cert", "node.tls_key")?,
            sync_every: (minutes > 0).then(|| Duration::from_secs(minutes * 60)),
            sync_kinds: kinds(read.text("sync.kinds"))
                .map_err(|what| wrong(read.setting("sync.kinds"), config, &what))?,
            backup_dir: read.path("backup.dir"),
            backup_every: Duration::from_secs(
                read.number("backup.every_hours", BACKUP_HOURS)? * 3_600,
            ),
            backup_keep: read.parsed("backup.keep")?,
            hub_listen: read.parsed("hub.listen")?,
            hub_front: read.front("hub.behind_proxy", "hub.tls_cert", "hub.tls_key")?,
            hub_hosts: names(read.text("hub.hosts")),
            hub_store,
            hub_policy: policy(read.text("hub.policy"))
                .map_err(|what| wrong(read.setting("hub.policy"), config, &what))?,
            hub_keep_days: (keep_days > 0).then_some(keep_days),
            hub_connections_max: read.number("hub.connections_max", CONNECTIONS)?,
            hub_cacheable: read.parsed("hub.cacheable")?,
            hub_log: call_log(read.text("hub.log"))
                .map_err(|what| wrong(read.setting("hub.log"), config, &what))?,
            hub_member_bytes_max: read.number("hub.member_bytes_max", QUOTAS)?,
            hub_member_records_max: read.number("hub.member_records_max", QUOTAS)?,
            list,
        })
    }
}

/// Takes the address of the store out of what is listed: there it stands without its password.
fn hide_store(list: &mut [Setting]) -> Option<StoreAddress> {
    let setting = list.iter_mut().find(|setting| setting.key == STORE);
    let setting = setting.filter(|setting| !setting.value.is_empty())?;
    let store = StoreAddress(std::mem::take(&mut setting.value));
    setting.value = store.shown();
    Some(store)
}

/// Names with commas between.
fn names(text: &str) -> Vec<String> {
    let names = text.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Kinds without which others would be shown wrongly: who wrote a record, and what became of it.
const KINDS_ALWAYS: [&str; 5] = ["card", "helper", "notice", "status", "user"];

/// Reads `all`, or kinds with commas between.
fn kinds(text: &str) -> std::result::Result<Option<BTreeSet<Kind>>, &'static str> {
    if text == "all" {
        return Ok(None);
    }
    let named = text.split(',').map(str::trim).chain(KINDS_ALWAYS);
    let kinds: std::result::Result<BTreeSet<Kind>, _> = named.map(str::parse).collect();
    let kinds = kinds.map_err(|_| "`all`, or names of kinds with commas between, are needed")?;
    if kinds.len() > FEED_KINDS_MAX {
        return Err("fewer kinds are needed; `all` fetches every one");
    }
    Ok(Some(kinds))
}

/// Reads `open`, `approval` or `invite`.
///
/// # Errors
/// Another word.
pub fn policy(text: &str) -> std::result::Result<Policy, &'static str> {
    match text {
        "open" => Ok(Policy::Open),
        "approval" => Ok(Policy::Approval),
        "invite" => Ok(Policy::Invite),
        _ => Err("`open`, `approval` or `invite` is needed"),
    }
}

/// Reads values, and names the place of one that is wrong.
struct Reader<'l> {
    list: &'l [Setting],
    config: &'l Path,
}

impl Reader<'_> {
    fn setting(&self, key: &str) -> &Setting {
        let found = self.list.iter().find(|setting| setting.key == key);
        found.expect("every key that is read is known")
    }

    fn text(&self, key: &str) -> &str {
        &self.setting(key).value
    }

    /// A path beside the settings, unless it is absolute.
    fn path(&self, key: &str) -> Option<PathBuf> {
        let folder = self.config.parent().unwrap_or(Path::new(""));
        let text = self.text(key);
        (!text.is_empty()).then(|| folder.join(text))
    }

    /// What stands in front. Paths are beside the settings, unless they are absolute.
    fn front(&self, behind_proxy: &str, cert: &str, key: &str) -> Result<FrontSettings> {
        let path = |name: &str| self.path(name);
        let alone = |there: &str, missing: &str| {
            let what =
                format!("{missing} is needed with it, as a certificate works with its key only");
            Err(wrong(self.setting(there), self.config, &what))
        };
        let tls = match (path(cert), path(key)) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (Some(_), None) => return alone(cert, key),
            (None, Some(_)) => return alone(key, cert),
        };
        Ok(FrontSettings {
            behind_proxy: self.parsed(behind_proxy)?,
            tls,
        })
    }

    fn parsed<T>(&self, key: &str) -> Result<T>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let setting = self.setting(key);
        let parsed = setting.value.parse();
        parsed.map_err(|error| wrong(setting, self.config, &error))
    }

    fn number<T>(&self, key: &str, allowed: RangeInclusive<T>) -> Result<T>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        let setting = self.setting(key);
        let number = setting.value.parse().ok();
        number
            .filter(|number| allowed.contains(number))
            .ok_or_else(|| {
                let (first, last) = (allowed.start(), allowed.end());
                let what = format!("a number from {first} to {last} is needed");
                wrong(setting, self.config, &what)
            })
    }
}

fn wrong(setting: &Setting, config: &Path, what: &dyn std::fmt::Display) -> NodeError {
    let place = match setting.origin {
        Origin::Environment => setting.variable.to_owned(),
        Origin::Default | Origin::File | Origin::Flag => {
            format!("{}, {}", config.display(), setting.key)
        }
    };
    NodeError::Settings {
        place,
        what: what.to_string(),
    }
}

/// Reads `config.toml` as pairs of dotted key and text.
fn read_file(config: &Path) -> Result<Vec<(String, String)>> {
    let text = match std::fs::read_to_string(config) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(NodeError::file(config)(error)),
    };
    let table: toml::Table =
        text.parse()
            .map_err(|error: toml::de::Error| NodeError::Settings {
                place: config.display().to_string(),
                what: error.message().to_owned(),
            })?;
    let mut pairs = Vec::new();
    flatten("", &table, &mut pairs);
    Ok(pairs)
}

fn flatten(prefix: &str, table: &toml::Table, pairs: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let key = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            toml::Value::Table(table) => flatten(&key, table, pairs),
            toml::Value::String(text) => pairs.push((key, text.clone())),
            toml::Value::Integer(number) => pairs.push((key, number.to_string())),
            toml::Value::Boolean(yes) => pairs.push((key, yes.to_string())),
            // A list may be written as one, too.
            toml::Value::Array(values) if values.iter().all(toml::Value::is_str) => {
                let texts: Vec<&str> = values.iter().filter_map(toml::Value::as_str).collect();
                pairs.push((key, texts.join(",")));
            }
            other => pairs.push((key, format!("{other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn environment_beats_file_beats_default() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.toml");
        assert_eq!(Settings::load(&config, &none).unwrap().zstd_level, 2);
        std::fs::write(&config, "[bundle]\nzstd_level = 7\n").unwrap();
        let settings = Settings::load(&config, &none).unwrap();
        assert_eq!(
            (settings.zstd_level, settings.list[1].origin),
            (7, Origin::File)
        );
        let env = |name: &str| (name == "WB_BUNDLE_ZSTD_LEVEL").then(|| "9".to_owned());
        let settings = Settings::load(&config, &env).unwrap();
        assert_eq!(
            (settings.zstd_level, settings.list[1].origin),
            (9, Origin::Environment)
        );
    }

    #[test]
    fn what_stands_in_front_is_whole_or_refused_with_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.toml");
        let load = |text: &str| {
            std::fs::write(&config, text).unwrap();
            Settings::load(&config, &none)
        };
        let settings = load(
            "[node]\nbehind_proxy = [\"127.0.0.1\", \"10.0.0.0/8\"]\n[hub]\ntls_cert = \"a.pem\"\ntls_key = \"/b.pem\"\n",
        )
        .unwrap();
        let proxies = &settings.node_front.behind_proxy;
        assert!(proxies.holds("10.1.2.3".parse().unwrap()));
        assert!(settings.node_front.is_tls() && settings.node_front.tls.is_none());
        let files = settings.hub_front.tls.unwrap();
        assert_eq!(files.cert, dir.path().join("a.pem"));
        assert_eq!(files.key, Path::new("/b.pem"));
        for (text, says) in [
            ("[node]\ntls_cert = \"a.pem\"\n", "node.tls_key is needed"),
            ("[hub]\ntls_key = \"a.pem\"\n", "hub.tls_cert is needed"),
            ("[node]\nbehind_proxy = true\n", "`true` is no address"),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.toml");
        std::fs::write(&config, "[bundle]\nlevel = 7\n").unwrap();
        let error = Settings::load(&config, &none).unwrap_err().to_string();
        assert!(error.contains("bundle.level"), "{error}");
    }
}
