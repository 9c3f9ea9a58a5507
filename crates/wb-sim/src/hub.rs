//! A simulated hub: the shipped service over a file of its own, which can be cut off and put back.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use wb_core::id::InstanceId;
use wb_core::sync::Policy;
use wb_core::time::Timestamp;
use wb_hub::{Hub, HubInfo, HubStore as _, SqliteHub};
use wb_node::command::init::{Init, init};
use wb_node::{Node, entropy, service};
use wb_store::Home;
use wb_store::relay::Relay;

use crate::error::{SimError, files};
use crate::files::{copy_database, remove_database};
use crate::liar::{Liar, Tongue};
use crate::machine::Machine;
use crate::network::{Net, address_of};

/// Bytes after which a page of a hub ends: small, so that what is paged in practice is paged here.
const PAGE_BYTES: usize = 2_048;

/// A hub.
pub struct SimHub {
    pub number: usize,
    pub name: String,
    pub machine: Arc<Machine>,
    pub tongue: Arc<Tongue>,
    /// It lied once: what it gave may have been anything.
    pub lies: bool,
    node: Node,
    net: Arc<Net>,
    store: Option<SqliteHub>,
    /// What it told its operator.
    reports: Arc<Mutex<Vec<String>>>,
}

impl SimHub {
    /// Founds a hub in a folder, and opens its door.
    pub fn found(
        number: usize,
        dir: &Path,
        net: Arc<Net>,
        machine: Arc<Machine>,
        tongue: Arc<Tongue>,
    ) -> Result<Self, SimError> {
        let name = format!("Hub {}", number + 1);
        let input = Init {
            name: &name,
            admin: "operator",
            words_file: None,
        };
        let home = Home::new(dir.join(format!("hub-{}", number + 1)));
        let node = machine.run(|| init(&home, &input))?.node;
        let mut hub = Self {
            number,
            name,
            machine,
            tongue,
            lies: false,
            node,
            net,
            store: None,
            reports: Arc::default(),
        };
        hub.start()?;
        Ok(hub)
    }

    pub fn id(&self) -> InstanceId {
        self.node.own_id()
    }

    pub fn address(&self) -> SocketAddr {
        address_of(self.number)
    }

    /// Its file.
    pub fn file(&self) -> PathBuf {
        self.node.store().home().hub()
    }

    /// Shuts its door for good.
    pub fn leave(&self) {
        self.net.shut_door(self.address());
    }

    /// Opens its file, and its door.
    pub fn start(&mut self) -> Result<(), SimError> {
        let path = self.file();
        let relay = self.machine.run(|| Relay::open(&path, entropy::log_id()))?;
        let store = SqliteHub::new(relay).with_page_bytes(PAGE_BYTES).in_place();
        let info = HubInfo {
            name: self.name.clone(),
            identity: self.node.identity().clone(),
            policy: Policy::Open,
        };
        let reports = Arc::clone(&self.reports);
        let report: wb_hub::Report = Arc::new(move |text| {
            let mut reports = reports.lock().unwrap_or_else(PoisonError::into_inner);
            reports.push(text.to_owned());
        });
        let responder = service::responder(&self.node)?;
        let hub = Hub::new(
            Liar::new(store.clone(), Arc::clone(&self.tongue)),
            responder,
            info,
            Arc::new(entropy::now),
            report,
        );
        let machine = Arc::clone(&self.machine);
        self.net.open_door(self.address(), hub.router(), machine);
        self.store = Some(store);
        Ok(())
    }

    /// Ends it in the midst of whatever it answers.
    pub async fn crash(&mut self) {
        self.net.shut_door(self.address());
        self.store = None;
        // What was cut off lets go of the file once it is dropped.
        tokio::task::yield_now().await;
    }

    /// Forgets the deltas that arrived longer ago than so many milliseconds.
    pub async fn forget(&self, older_than_ms: i64) -> Result<u64, SimError> {
        let Some(store) = &self.store else {
            return Ok(0);
        };
        let before: Timestamp = self.machine.run(entropy::now).plus_ms(-older_than_ms);
        Ok(store.forget_before(before).await?)
    }

    /// Copies its file, which nobody uses meanwhile.
    pub async fn copy(&mut self) -> Result<(), SimError> {
        self.crash().await;
        copy_database(&self.file(), &self.copied())?;
        self.start()
    }

    /// Whether there is a copy.
    pub fn has_copy(&self) -> bool {
        self.copied().exists()
    }

    /// Goes on with the older copy of its file.
    pub async fn restore(&mut self) -> Result<(), SimError> {
        self.crash().await;
        let file = self.file();
        remove_database(&file);
        std::fs::copy(self.copied(), &file).map_err(files(&file))?;
        self.start()
    }

    fn copied(&self) -> PathBuf {
        self.node.store().home().dir().join("copy.db")
    }

    /// What it told its operator since this was asked last.
    pub fn take_reports(&self) -> Vec<String> {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut reports)
    }
}
