//! A hub is moved from a file into a database and back, and is the same: by what it answers (`agree`), by what lies in
//! its tables (`contents`), and for whoever comes too late (`fence`).

mod contents;
mod differs;
mod fence;

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use wb_core::id::InstanceId;
use wb_hub::moving::{FileFilling, FileRows, Rows, compare, copy};
use wb_hub_pg::PgError;
use wb_hub_pg::moving::{PgFilling, PgSource};

/// The instance that these hubs are.
pub const OWN: InstanceId = InstanceId([0x77; 32]);
/// How long connections of a hub that was dropped may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// From a file into an empty database, which is a hub then.
pub fn into_database(runtime: &Runtime, file: &Path, url: &str) {
    let address = url.parse().expect("an address");
    let begun = runtime.block_on(PgFilling::begin(&address, OWN, "a file"));
    let mut filling = begun.expect("an empty database");
    let rows = FileRows::new(file);
    copy(&rows, &mut filling, &mut |_| {}).expect("it can be copied");
    runtime.block_on(filling.finish()).expect("it is finished");
    same(&rows, &filling);
    runtime.block_on(filling.open()).expect("it is opened");
}

/// From a database into a file.
pub fn into_file(runtime: &Runtime, url: &str, file: &Path) {
    let source = held(runtime, url, "a file");
    let mut filling = FileFilling::begin(file).expect("a new file");
    copy(source.rows(), &mut filling, &mut |_| {}).expect("it can be copied");
    let filled = filling.finish().expect("it is finished");
    same(source.rows(), &filled);
    runtime.block_on(source.leave()).expect("it was left");
}

/// A database that is held, once the hub that used it has let go of its connections.
pub fn held(runtime: &Runtime, url: &str, to: &str) -> PgSource {
    let address = url.parse().expect("an address");
    let begun = Instant::now();
    loop {
        match runtime.block_on(PgSource::hold(&address, OWN, to)) {
            Err(PgError::InUse(_)) if begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20))
            }
            held => return held.unwrap_or_else(|error| panic!("{error}")),
        }
    }
}

fn same(from: &impl Rows, to: &impl Rows) {
    let compared = compare(from, to, &mut |_| {}).expect("both can be read");
    assert_eq!(compared.difference, None);
    for sum in &compared.tables {
        assert_eq!(sum.rows[0], sum.rows[1], "{sum:?}");
        assert_eq!(sum.hashes[0], sum.hashes[1], "{sum:?}");
    }
}
