//! Packing on a thread of its own: who writes lines goes on while those before are compressed.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use zstd::bulk::Compressor;

/// Bytes that are handed over at once, and become a frame of their own. Twice what zstd looks back at the usual level: a
/// block that lies in one piece packs faster than a stream, which looks back over the edge of a ring, and frames of this
/// size are as small.
const BLOCK_BYTES: usize = 4 * 1_024 * 1_024;
/// Blocks that wait to be packed; who writes waits for room then.
const BLOCKS_WAITING: usize = 1;

/// A place to write into that compresses into another.
///
/// What goes wrong on its thread is told by the call after, at the latest by [`Packing::finish`]. Dropped before that it
/// ends the thread and leaves the blocks that were written so far.
pub struct Packing<W> {
    block: Vec<u8>,
    /// None once the thread was told to end.
    blocks: Option<SyncSender<Vec<u8>>>,
    /// None once it has ended.
    thread: Option<JoinHandle<io::Result<W>>>,
}

impl<W: Write + Send + 'static> Packing<W> {
    /// Begins to write at this level of zstd.
    ///
    /// # Errors
    /// That there is no thread to be had.
    pub fn new(out: W, level: i32) -> io::Result<Self> {
        let compressor = Compressor::new(level)?;
        let (blocks, to_pack) = sync_channel(BLOCKS_WAITING);
        let thread = Builder::new().spawn(move || pack(compressor, out, &to_pack))?;
        Ok(Self {
            block: Vec::with_capacity(BLOCK_BYTES),
            blocks: Some(blocks),
            thread: Some(thread),
        })
    }

    /// Writes the rest, and gives back what was written into.
    ///
    /// # Errors
    /// What writing failed with.
    pub fn finish(mut self) -> io::Result<W> {
        self.hand_over()?;
        self.end()
    }

    fn hand_over(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK_BYTES));
        let handed = self.blocks.as_ref().map(|blocks| blocks.send(block));
        match handed {
            Some(Ok(())) => Ok(()),
            // The thread ended before it was told to: it knows why.
            Some(Err(_)) | None => match self.end() {
                Err(error) => Err(error),
                Ok(_) => Err(io::ErrorKind::BrokenPipe.into()),
            },
        }
    }
}

impl<W> Packing<W> {
    /// Tells the thread that nothing more comes, and waits for it.
    fn end(&mut self) -> io::Result<W> {
        self.blocks = None;
        let thread = self.thread.take().ok_or(io::ErrorKind::BrokenPipe)?;
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn pack<W: Write>(
    mut compressor: Compressor<'static>,
    mut out: W,
    blocks: &Receiver<Vec<u8>>,
) -> io::Result<W> {
    let mut is_empty = true;
    for block in blocks {
        out.write_all(&compressor.compress(&block)?)?;
        is_empty = false;
    }
    if is_empty {
        // Nothing is a frame too.
        out.write_all(&compressor.compress(&[])?)?;
    }
    Ok(out)
}

impl<W: Write + Send + 'static> Write for Packing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let some = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..some]);
        if self.block.len() == BLOCK_BYTES {
            self.hand_over()?;
        }
        Ok(some)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_over()
    }
}

impl<W> Drop for Packing<W> {
    fn drop(&mut self) {
        self.blocks = None;
        if let Some(thread) = self.thread.take() {
            // Who drops it has another error to tell, or none.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::{BLOCK_BYTES, Packing};

    /// Takes some bytes, and then nothing more.
    struct Full {
        room: usize,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let some = bytes.len().min(self.room);
            self.room -= some;
            Ok(some)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Bytes that do not pack.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 88_172_645_463_325_252_u64;
        let next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn everything_is_packed_in_order() {
        for length in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 17] {
            let bytes = noise(length);
            let mut packing = Packing::new(Vec::new(), 3).expect("a thread");
            for some in bytes.chunks(10_007) {
                packing.write_all(some).expect("there is room");
            }
            let packed = packing.finish().expect("there is room");
            let unpacked = zstd::decode_all(&packed[..]).expect("it is whole");
            assert!(unpacked == bytes, "{length} bytes");
        }
    }

    #[test]
    fn a_full_disk_is_told_while_writing_or_at_the_end() {
        for room in [0, 1_000, 2 * BLOCK_BYTES] {
            let mut packing = Packing::new(Full { room }, 3).expect("a thread");
            let written = packing.write_all(&noise(8 * BLOCK_BYTES));
            let ended = written.and_then(|()| packing.finish().map(|_| ()));
            let error = ended.expect_err("there is no room");
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
    }

    #[test]
    fn who_stops_early_waits_for_nobody() {
        let mut packing = Packing::new(Vec::new(), 3).expect("a thread");
        packing
            .write_all(&noise(BLOCK_BYTES))
            .expect("there is room");
        drop(packing);
    }
}
