//! What the lines of a feed cost anybody: how small `zstd -3` makes them, how fast they are read out of a plain
//! SQLite file into that, and how fast they come back and are hashed.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use wb_core::hash;

use crate::clock::timed;
use crate::error::{BenchError, Result};
use crate::role::Report;

use super::sqlite::{plain, rows};

/// The level that everybody uses.
const ZSTD_LEVEL: i32 = 3;

/// Reads the plain file that the limit left beside an instance, and writes `copy`, the rows as PostgreSQL takes them.
pub fn measure(home: &Path, copy: &Path) -> Result<Report> {
    write_copy(home, copy)?;
    let packed = home.join("plain.zst");
    let (written, reading) = timed(|| write_packed(&plain(home), &packed));
    let records = written?;
    let (checked, checking) = timed(|| check_packed(&packed));
    let checked = checked?;
    if checked != records {
        return Err(BenchError::Wrong(format!(
            "{records} lines were written and {checked} read"
        )));
    }
    let size = std::fs::metadata(&packed).map_err(BenchError::file(&packed))?;
    Ok(Report {
        records,
        bytes: size.len(),
        wall_s: reading.as_secs_f64(),
        beside_s: vec![checking.as_secs_f64()],
        ..Report::default()
    })
}

/// Bytes of lines once `zstd -3` packed them.
pub fn packed_bytes<'l>(lines: impl Iterator<Item = &'l [u8]>) -> Result<u64> {
    let failed = BenchError::io("packing lines");
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)
        .map_err(BenchError::io("packing lines"))?;
    for line in lines {
        encoder
            .write_all(line)
            .and_then(|()| encoder.write_all(b"\n"))
            .map_err(BenchError::io("packing lines"))?;
    }
    Ok(encoder.finish().map_err(failed)?.len() as u64)
}

fn write_packed(from: &Path, to: &Path) -> Result<u64> {
    let connection = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare("SELECT line FROM plain ORDER BY id")?;
    let mut found = statement.query([])?;
    let out = BufWriter::new(File::create(to).map_err(BenchError::file(to))?);
    let mut encoder =
        zstd::stream::write::Encoder::new(out, ZSTD_LEVEL).map_err(BenchError::file(to))?;
    let mut lines = 0;
    while let Some(row) = found.next()? {
        let line = row.get_ref(0)?.as_bytes().unwrap_or_default();
        encoder
            .write_all(line)
            .and_then(|()| encoder.write_all(b"\n"))
            .map_err(BenchError::file(to))?;
        lines += 1;
    }
    let out = encoder.finish().map_err(BenchError::file(to))?;
    let file = out
        .into_inner()
        .map_err(|error| BenchError::file(to)(error.into_error()))?;
    file.sync_all().map_err(BenchError::file(to))?;
    Ok(lines)
}

fn check_packed(from: &Path) -> Result<u64> {
    let file = File::open(from).map_err(BenchError::file(from))?;
    let decoder = zstd::stream::read::Decoder::new(file).map_err(BenchError::file(from))?;
    let mut decoder = BufReader::new(decoder);
    let (mut line, mut lines) = (Vec::new(), 0);
    loop {
        line.clear();
        let read = decoder.read_until(b'\n', &mut line);
        if read.map_err(BenchError::file(from))? == 0 {
            return Ok(lines);
        }
        // Kept from being left out: nobody reads the hash.
        std::hint::black_box(hash::sha256(&line));
        lines += 1;
    }
}

/// The rows as text for `COPY`.
fn write_copy(home: &Path, to: &Path) -> Result<()> {
    let mut out = BufWriter::new(File::create(to).map_err(BenchError::file(to))?);
    for row in rows(home)? {
        let line = String::from_utf8_lossy(&row.line).replace('\\', "\\\\");
        let id: String = row.id.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "{id}\t{}\t{}\t{line}", row.kind, row.at).map_err(BenchError::file(to))?;
    }
    out.flush().map_err(BenchError::file(to))
}
