//! A caching proxy in front of the hub: Apache's `mod_cache`, as Debian packages it.
//!
//! It obeys what answers say, keeps what is public also where it has to ask again each time, and keeps it in files that
//! are read here. `scripts/test` installs it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::process::{Up, wait_until};

/// Where Debian puts what Apache loads.
const MODULES: &str = "/usr/lib/apache2/modules";
const LOADED: [&str; 6] = [
    "mpm_event",
    "authz_core",
    "proxy",
    "proxy_http",
    "cache",
    "cache_disk",
];

/// A proxy that runs, with its files.
pub struct Proxy {
    folder: PathBuf,
    up: Up,
}

impl Proxy {
    /// Listens on `port` and passes what comes to `to`.
    pub fn start(folder: &Path, port: u16, to: u16) -> Self {
        for program in ["apache2", "age"] {
            let is_there = Command::new(program).arg("--version").output().is_ok();
            assert!(
                is_there,
                "the world needs `{program}`; `./scripts/test all-tests` installs apache2-bin and age"
            );
        }
        let folder = folder.join("proxy");
        let cache = folder.join("cache");
        std::fs::create_dir_all(&cache).expect("a folder");
        // Its processes give up the rights that it was started with.
        for path in [folder.parent().expect("a folder"), &folder, &cache] {
            let open = std::fs::Permissions::from_mode(0o777);
            std::fs::set_permissions(path, open).expect("it is ours");
        }
        let config = folder.join("proxy.conf");
        std::fs::write(&config, configuration(&folder, port, to)).expect("a file");
        let mut command = Command::new("apache2");
        command.arg("-DFOREGROUND").arg("-f").arg(&config);
        let up = Up::start(&mut command);
        let proxy = Self { folder, up };
        wait_until("the proxy listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        proxy
    }

    /// Its files: what it keeps, and what it noted.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The processes that belong to it.
    pub fn pids(&self) -> Vec<u32> {
        let own = self.up.pid();
        let children = format!("/proc/{own}/task/{own}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok());
        [own].into_iter().chain(children).collect()
    }
}

impl Drop for Proxy {
    /// Asked to end, it ends its children; killed, it would leave them.
    fn drop(&mut self) {
        self.up.send("TERM");
        self.up.end();
    }
}

fn configuration(folder: &Path, port: u16, to: u16) -> String {
    let folder = folder.display();
    let mut text = format!(
        "ServerRoot {folder}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile {folder}/pid\n\
         DefaultRuntimeDir {folder}\nMutex posixsem\nErrorLog {folder}/error.log\nLogLevel debug\n"
    );
    for name in LOADED {
        text.push_str(&format!(
            "LoadModule {name}_module {MODULES}/mod_{name}.so\n"
        ));
    }
    text.push_str(&format!(
        "StartServers 1\nServerLimit 1\nThreadsPerChild 16\nMaxRequestWorkers 16\nUser nobody\nGroup nogroup\n\
         ProxyPass / http://127.0.0.1:{to}/ timeout=120 retry=0\nProxyPreserveHost On\nProxyAddHeaders Off\n\
         CacheEnable disk /\nCacheRoot {folder}/cache\nCacheStoreExpired On\nCacheHeader On\n"
    ));
    text
}
