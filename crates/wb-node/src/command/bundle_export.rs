//! `wb bundle export`: writes feeds into one file.
//!
//! Seals what is marked first, then reads feeds only: nothing private can get in. The plain bytes are
//! the same for the same state.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use wb_core::bundle::{BundleHead, Contents, Form, Speaks, Writer};
use wb_core::feed::SnapshotWriter;
use wb_core::hash;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::limits::{CHUNK_ITEMS_MAX, LINE_BYTES_MAX};
use wb_core::ndjson;
use wb_core::protocol::Skew;
use wb_core::rule::Rule;
use wb_core::scope::FeedScope;
use wb_core::want::{Held, Want};
use wb_store::{FeedRow, SnapshotRows, Standing, Store, StoreError, StoredHeader};

use super::publish::{Published, publish};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::packing::Packing;
use crate::plan::Plan;

/// What is exported.
#[derive(Debug, Clone)]
pub struct BundleExport<'a> {
    /// The file to write; an existing one is replaced when the new one is whole.
    pub file: &'a Path,
    /// A want file: export only what its author lacks.
    pub want: Option<&'a Path>,
    /// Compress with this level of zstd.
    pub zstd_level: Option<i32>,
}

/// What was exported.
#[derive(Debug)]
pub struct Exported {
    /// What was sealed for it.
    pub plan: Plan,
    /// How much was sealed.
    pub published: Published,
    /// The feed sections.
    pub contents: Vec<Contents>,
    /// Bytes before compression.
    pub plain_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Hash,
    /// Feeds left out because evidence of a fork is held.
    pub left_out: Vec<FeedRow>,
}

/// Publishes what is marked and writes a bundle.
///
/// # Errors
/// As [`publish`]; what is wrong with the want file; what the disk reports. An existing file stays
/// then.
pub fn bundle_export(
    node: &mut Node,
    actor: &Actor,
    input: &BundleExport<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Exported> {
    let want = input.want.map(read_want).transpose()?;
    let (plan, published) = publish(node, actor)?;
    let path = PathBuf::from(input.file);
    let temporary = temporary_beside(&path);
    let want_hash = want.as_ref().map(|(_, hash)| *hash);
    let choose = |store: &Store| choose_sections(store, want.as_ref().map(|(want, _)| want));
    let written = write_file(
        node,
        want_hash,
        &choose,
        &temporary,
        input.zstd_level,
        progress,
    );
    let (contents, plain_bytes, left_out) = match written {
        Ok(written) => written,
        Err(error) => {
            // Half a bundle helps nobody.
            let _ = std::fs::remove_file(&temporary);
            return Err(error);
        }
    };
    if let Err(error) = std::fs::rename(&temporary, &path) {
        let _ = std::fs::remove_file(&temporary);
        return Err(NodeError::file(&path)(error));
    }
    let (file_bytes, sha256) = digest_file(&path)?;
    let now = node.now();
    node.audit(
        now,
        actor,
        "bundle export",
        &path.display(),
        format!("{file_bytes} bytes"),
    )?;
    Ok(Exported {
        plan,
        published,
        contents,
        plain_bytes,
        file_bytes,
        sha256,
        left_out,
    })
}

/// A name beside a file that no other file has.
pub fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", crate::entropy::token()))
}

/// The feed sections, the bytes before compression, and what was left out.
pub(crate) type Written = (Vec<Contents>, u64, Vec<FeedRow>);

/// Which sections a bundle has, and which feeds are left out of it.
pub(crate) type Choose<'c> = &'c dyn Fn(&Store) -> Result<(Vec<Section>, Vec<FeedRow>)>;

/// Writes a bundle into a file that is not there yet, and waits for the disk.
pub(crate) fn write_file(
    node: &Node,
    want: Option<Hash>,
    choose: Choose<'_>,
    path: &Path,
    zstd_level: Option<i32>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Written> {
    let file = File::create_new(path).map_err(NodeError::file(path))?;
    let out = BufWriter::new(file);
    let (written, out) = match zstd_level {
        None => {
            let mut sink = LineSink::new(out, path);
            let written = write_bundle(node, want, choose, &mut sink, progress)?;
            (written, sink.out)
        }
        Some(level) => {
            let packing = Packing::new(out, level).map_err(NodeError::file(path))?;
            let mut sink = LineSink::new(packing, path);
            let written = write_bundle(node, want, choose, &mut sink, progress)?;
            (written, sink.out.finish().map_err(NodeError::file(path))?)
        }
    };
    let file = out
        .into_inner()
        .map_err(|error| NodeError::file(path)(error.into_error()))?;
    file.sync_all().map_err(NodeError::file(path))?;
    Ok(written)
}

/// Writes lines, and counts them for the end line.
pub(crate) struct LineSink<'p, W> {
    out: W,
    path: &'p Path,
    writer: Writer,
    bytes: u64,
}

impl<'p, W: Write> LineSink<'p, W> {
    /// Writes into something; its errors are told as those of a file.
    pub(crate) fn new(out: W, path: &'p Path) -> Self {
        Self {
            out,
            path,
            writer: Writer::default(),
            bytes: 0,
        }
    }

    /// What was written into.
    pub(crate) fn into_inner(self) -> W {
        self.out
    }

    fn line(&mut self, line: &[u8]) -> Result<()> {
        self.writer.note(line);
        self.raw(line)
    }

    fn raw(&mut self, line: &[u8]) -> Result<()> {
        self.bytes += line.len() as u64 + 1;
        self.out
            .write_all(line)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(NodeError::file(self.path))
    }
}

/// One feed section, before it is written.
pub(crate) enum Section {
    /// All of a feed.
    Snapshot(SnapshotRows),
    /// Some deltas of the feed with this head.
    Deltas(Held, Vec<StoredHeader>),
}

impl Section {
    /// Whose feed it is of.
    pub(crate) fn origin(&self) -> InstanceId {
        match self {
            Self::Snapshot(rows) => rows.totals.origin,
            Self::Deltas(held, _) => held.origin,
        }
    }

    fn contents(&self) -> Contents {
        match self {
            Self::Snapshot(rows) => {
                let totals = rows.totals;
                Contents {
                    origin: totals.origin,
                    scope: totals.scope,
                    form: Form::Snapshot,
                    items: totals.live,
                }
            }
            Self::Deltas(held, headers) => Contents {
                origin: held.origin,
                scope: held.scope,
                form: Form::Deltas,
                items: headers.iter().map(|header| header.entries).sum(),
            },
        }
    }
}

/// Writes a bundle: what is chosen and what is written are of one moment.
pub(crate) fn write_bundle<W: Write>(
    node: &Node,
    want: Option<Hash>,
    choose: Choose<'_>,
    sink: &mut LineSink<'_, W>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Written> {
    node.store.at_one_moment(|store| {
        let (sections, left_out) = choose(store)?;
        let contents: Vec<Contents> = sections.iter().map(Section::contents).collect();
        sink.line(&bundle_head(node, want, &contents)?)?;
        write_identities(node, store, &contents, sink)?;
        let total = contents.iter().map(|contents| contents.items).sum();
        let mut done = 0;
        for section in &sections {
            let mut step = |items| {
                done += items;
                progress(done, total);
            };
            match section {
                Section::Snapshot(rows) => write_snapshot(store, rows, sink, &mut step)?,
                Section::Deltas(held, headers) => {
                    write_deltas(store, held, headers, sink, &mut step)?;
                }
            }
        }
        let end = std::mem::take(&mut sink.writer).end();
        sink.raw(&end)?;
        Ok((contents, sink.bytes, left_out))
    })
}

/// The first line of a bundle of this instance, signed.
///
/// # Errors
/// That the key cannot be read, or that there are too many feeds.
pub fn bundle_head(node: &Node, want: Option<Hash>, contents: &[Contents]) -> Result<Vec<u8>> {
    let head = BundleHead::new(node.identity(), Speaks::this(), want, contents.to_vec());
    let head = head.sign(&node.signer()?);
    if head.len() > LINE_BYTES_MAX {
        return Err(NodeError::Refused(format!(
            "{} feeds are more than the head of one bundle can list; nothing was written",
            contents.len()
        )));
    }
    Ok(head)
}

/// The public feeds of this instance and of those accepted here.
fn choose_sections(store: &Store, want: Option<&Want>) -> Result<(Vec<Section>, Vec<FeedRow>)> {
    let approved: BTreeSet<InstanceId> = store
        .instances()?
        .into_iter()
        .filter(|instance| instance.standing == Standing::Own || instance.standing.is_accepted())
        .map(|instance| instance.id)
        .collect();
    let feeds = store.served().feeds()?.into_iter();
    let feeds = feeds.filter(|feed| {
        feed.held.scope == FeedScope::Public && approved.contains(&feed.held.origin)
    });
    let (forked, feeds): (Vec<FeedRow>, Vec<FeedRow>) = feeds.partition(|feed| feed.forked);
    let mut sections = Vec::new();
    for feed in feeds {
        let key = (feed.held.origin, feed.held.scope);
        let wanted = want.and_then(|want| {
            want.feeds
                .iter()
                .find(|held| (held.origin, held.scope) == key)
        });
        let headers = match wanted {
            Some(held) => store.served().headers_after(held)?,
            None => None,
        };
        match headers {
            Some(headers) if headers.is_empty() => {}
            Some(headers) => sections.push(Section::Deltas(feed.held, headers)),
            None => sections.extend(
                store
                    .served()
                    .snapshot(&key.0, key.1)?
                    .map(Section::Snapshot),
            ),
        }
    }
    Ok((sections, forked))
}

/// The exporter's log first, so that the head can be verified; then the others, by id.
fn write_identities<W: Write>(
    node: &Node,
    store: &Store,
    contents: &[Contents],
    sink: &mut LineSink<'_, W>,
) -> Result<()> {
    let own = node.own_id();
    let others: BTreeSet<InstanceId> = contents
        .iter()
        .map(|contents| contents.origin)
        .filter(|origin| *origin != own)
        .collect();
    for id in std::iter::once(own).chain(others) {
        let log = store.identity_log(&id)?.ok_or_else(|| {
            StoreError::Damaged(format!(
                "the identity log of {id} is missing, and its feed is here"
            ))
        })?;
        sink.line(&Writer::identity(id, log.entries().len() as u64))?;
        for entry in log.entries() {
            sink.line(&entry.line)?;
        }
    }
    Ok(())
}

fn write_snapshot<W: Write>(
    store: &Store,
    rows: &SnapshotRows,
    sink: &mut LineSink<'_, W>,
    step: &mut dyn FnMut(u64),
) -> Result<()> {
    sink.line(&SnapshotWriter::totals(&rows.totals))?;
    sink.line(&rows.head)?;
    if let Some(first) = &rows.first {
        sink.line(first)?;
    }
    for chunk in rows.chain.chunks(CHUNK_ITEMS_MAX) {
        sink.line(&SnapshotWriter::chain(chunk))?;
    }
    store.served().each_live(rows, |item| -> Result<()> {
        step(1);
        sink.line(item)
    })?;
    let mut pairs: Vec<(RecordId, u64)> = Vec::new();
    store
        .served()
        .each_retracted(rows, |id, rev| -> Result<()> {
            pairs.push((id, rev));
            if pairs.len() == CHUNK_ITEMS_MAX {
                sink.line(&SnapshotWriter::retracted(&pairs))?;
                pairs.clear();
            }
            Ok(())
        })?;
    if pairs.is_empty() {
        Ok(())
    } else {
        sink.line(&SnapshotWriter::retracted(&pairs))
    }
}

fn write_deltas<W: Write>(
    store: &Store,
    held: &Held,
    headers: &[StoredHeader],
    sink: &mut LineSink<'_, W>,
    step: &mut dyn FnMut(u64),
) -> Result<()> {
    let items = headers.iter().map(|header| header.entries).sum();
    sink.line(&Writer::deltas(
        held.origin,
        held.scope,
        headers.len() as u64,
        items,
    ))?;
    for header in headers {
        sink.line(&header.line)?;
        for item in store.served().items(header)? {
            sink.line(&item)?;
        }
        step(header.entries);
    }
    Ok(())
}

/// Bytes of a want file; protects memory.
const WANT_BYTES_MAX: u64 = 64 * 1_024 * 1_024;

/// Reads a want file, and what it is called by.
///
/// # Errors
/// What is wrong with it.
pub fn read_want(path: &Path) -> Result<(Want, Hash)> {
    let size = std::fs::metadata(path)
        .map_err(NodeError::file(path))?
        .len();
    if size > WANT_BYTES_MAX {
        return Err(NodeError::TooLarge {
            path: path.to_owned(),
            what: "a want file has at most 64 MiB",
        });
    }
    let bytes = std::fs::read(path).map_err(NodeError::file(path))?;
    let lines: Vec<&[u8]> = ndjson::lines(&bytes).collect();
    let (want, _) = Want::read(&lines).map_err(|(line, rule)| {
        let speaks = lines.first().filter(|_| rule == Rule::VersionSkew);
        let skew = speaks
            .and_then(|line| Want::speaks(line))
            .map(|(theirs, software)| {
                let skew = Skew {
                    name: "the author of the want file",
                    software: &software,
                    theirs,
                };
                skew.to_string()
            });
        NodeError::Want {
            path: path.to_owned(),
            line,
            rule,
            skew,
        }
    })?;
    Ok((want, hash::sha256(lines[0])))
}

/// Size and SHA-256 of a file.
///
/// # Errors
/// What the disk reports.
pub fn digest_file(path: &Path) -> Result<(u64, Hash)> {
    use std::io::Read as _;
    const CHUNK_BYTES: usize = 64 * 1_024;
    let mut file = File::open(path).map_err(NodeError::file(path))?;
    let mut digest = hash::Streaming::default();
    let (mut buffer, mut size) = (vec![0; CHUNK_BYTES], 0);
    loop {
        let read = file.read(&mut buffer).map_err(NodeError::file(path))?;
        if read == 0 {
            return Ok((size, digest.finish()));
        }
        digest.update(&buffer[..read]);
        size += read as u64;
    }
}
