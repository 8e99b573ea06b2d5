//! Backups: every record and every row of the log as they stand, in one stream that ends with a
//! keyed digest of itself.
//!
//! What is written is ciphertext already, and the slots go with it: whoever could open the vault
//! when the backup was made can open the backup.
//!
//! Source: spec/vault.md, "Backup".

use std::io::Read;
use std::ops::ControlFlow;

use subrosa_crypto::{Aad, ct_eq, sha256};
use subrosa_model::{LogAppend, LogHead, LogRow};

use crate::codec::{Decoder, Encoder, Malformed};
use crate::journal::Journal;
use crate::keys::RootKeys;
use crate::port::{Batch, Collection, Expect, Record, RecordKey, Snapshot, VaultStore, Write};
use crate::vault::Unverified;
use crate::{Vault, VaultError};

const MAGIC: &[u8] = b"subrosa-backup 1\n";
/// A record holds a value of 1 MiB or a document of 4 MiB, sealed.
const FRAME_MAX: usize = 8 * 1024 * 1024;
const ROWS_AT_A_TIME: usize = 1000;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

const RECORD: u8 = 1;
const LOG_ROW: u8 = 2;
const LOG_HEAD: u8 = 3;
const END: u8 = 4;

/// What a backup says of itself at its end. Checked under the root key, once that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    frames: u64,
    digest: [u8; 32],
    mac: [u8; 32],
}

fn trailer_mac(root: &RootKeys, frames: u64, digest: &[u8; 32]) -> [u8; 32] {
    root.backup().mac(
        &Aad::new("subrosa/backup-end/v1")
            .bytes(root.vault().as_bytes())
            .u64(frames)
            .bytes(digest),
    )
}

struct Chain {
    frames: u64,
    digest: [u8; 32],
}

impl Chain {
    fn new() -> Self {
        Self {
            frames: 0,
            digest: [0; 32],
        }
    }

    fn push(&mut self, frame: &[u8]) {
        self.frames += 1;
        self.digest = sha256(
            &Aad::new("subrosa/backup/v1")
                .bytes(&self.digest)
                .bytes(frame),
        );
    }
}

impl Vault {
    /// Writes a backup of one consistent view. `progress` is told the number of records so far.
    ///
    /// # Errors
    /// [`VaultError::Backup`] when `out` fails.
    pub fn backup(
        &mut self,
        journal: &mut dyn Journal,
        out: &mut dyn std::io::Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), VaultError> {
        self.read(journal, |contents, snapshot| {
            out.write_all(MAGIC).map_err(io)?;
            let mut chain = Chain::new();
            for collection in Collection::ALL.into_iter().filter(kept) {
                write_collection(snapshot, collection, &mut chain, out, progress)?;
            }
            write_log(snapshot, &mut chain, out)?;
            let mac = trailer_mac(&contents.root, chain.frames, &chain.digest);
            let end = Encoder::new()
                .u8(END)
                .u64(chain.frames)
                .fixed(&chain.digest)
                .fixed(&mac)
                .finish();
            write_frame(out, &end)?;
            out.flush().map_err(io)
        })
    }
}

impl Unverified {
    /// Whether the stream that this vault was read from is whole and was written with its root
    /// key.
    #[must_use]
    pub fn vouches_for(&self, trailer: &Trailer) -> bool {
        trailer.is_of(self.root())
    }
}

impl Vault {
    /// Whether a backup was written with this vault's root key and is whole.
    #[must_use]
    pub fn vouches_for(&self, trailer: &Trailer) -> bool {
        trailer.is_of(&self.contents.root)
    }
}

impl Trailer {
    fn is_of(&self, root: &RootKeys) -> bool {
        ct_eq(&trailer_mac(root, self.frames, &self.digest), &self.mac)
    }
}

/// Reads a backup into an empty store. Nothing in it is vouched for yet: open it, then ask
/// [`Unverified::vouches_for`].
///
/// # Errors
/// [`VaultError::Backup`] when the stream is not a backup, was cut off or continues after its end.
pub fn read_backup(
    input: &mut dyn Read,
    store: &mut dyn VaultStore,
    progress: &mut dyn FnMut(u64),
) -> Result<Trailer, VaultError> {
    let mut sink = Restore::new(store);
    let trailer = read_frames(input, progress, &mut |frame| match frame {
        Frame::Record(record) => sink.record(record),
        Frame::Row(row) => sink.row(row),
        Frame::Head(head) => {
            sink.head = Some(head);
            Ok(())
        }
        Frame::End(_) => Ok(()),
    })?;
    sink.finish()?;
    Ok(trailer)
}

/// Reads a backup to its end without keeping anything, for checking what was just written.
///
/// # Errors
/// As [`read_backup`].
pub fn scan_backup(
    input: &mut dyn Read,
    progress: &mut dyn FnMut(u64),
) -> Result<Trailer, VaultError> {
    read_frames(input, progress, &mut |_| Ok(()))
}

fn read_frames(
    input: &mut dyn Read,
    progress: &mut dyn FnMut(u64),
    take: &mut dyn FnMut(Frame) -> Result<(), VaultError>,
) -> Result<Trailer, VaultError> {
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic).map_err(io)?;
    if magic != *MAGIC {
        return Err(broken(
            "it does not begin like a backup of subrosa, format 1",
        ));
    }
    let mut chain = Chain::new();
    loop {
        let frame = read_frame(input)?;
        match decode_frame(&frame).map_err(|_| broken("a part of it cannot be read"))? {
            Frame::End(trailer) => {
                if (trailer.frames, trailer.digest) != (chain.frames, chain.digest) {
                    return Err(broken("it was changed or parts of it are missing"));
                }
                if input.read(&mut [0]).map_err(io)? != 0 {
                    return Err(broken("something follows its end"));
                }
                return Ok(trailer);
            }
            other => take(other)?,
        }
        chain.push(&frame);
        progress(chain.frames);
    }
}

enum Frame {
    Record(Record),
    Row(LogRow),
    Head(LogHead),
    End(Trailer),
}

/// Whether a backup keeps records of a collection: an index is made anew from what it is of.
fn kept(collection: &Collection) -> bool {
    *collection != Collection::Index
}

fn decode_frame(frame: &[u8]) -> Result<Frame, Malformed> {
    let mut d = Decoder::new(frame);
    let decoded = match d.u8()? {
        RECORD => {
            let collection = Collection::from_number(d.u8()?)
                .filter(kept)
                .ok_or(Malformed)?;
            let key = RecordKey {
                collection,
                parent: d.fixed()?,
                id: d.fixed()?,
            };
            Frame::Record(Record {
                key,
                revision: d.u64()?,
                body: d.bytes()?.to_vec(),
            })
        }
        LOG_ROW => Frame::Row(LogRow {
            sequence: d.u64()?,
            body: d.bytes()?.to_vec(),
        }),
        LOG_HEAD => Frame::Head(LogHead {
            sequence: d.u64()?,
            body: d.bytes()?.to_vec(),
        }),
        END => Frame::End(Trailer {
            frames: d.u64()?,
            digest: d.fixed()?,
            mac: d.fixed()?,
        }),
        _ => return Err(Malformed),
    };
    d.end()?;
    Ok(decoded)
}

/// Puts what is read into a store, a batch at a time.
struct Restore<'a> {
    store: &'a mut dyn VaultStore,
    batch: Batch,
    bytes: usize,
    rows: Vec<LogRow>,
    /// The head that the store has now.
    stored: Option<LogHead>,
    /// The head that it must have at the end.
    head: Option<LogHead>,
}

impl<'a> Restore<'a> {
    fn new(store: &'a mut dyn VaultStore) -> Self {
        Self {
            store,
            batch: Batch::default(),
            bytes: 0,
            rows: Vec::new(),
            stored: None,
            head: None,
        }
    }

    fn record(&mut self, record: Record) -> Result<(), VaultError> {
        self.bytes += record.body.len();
        self.batch.expect.push(Expect {
            key: record.key,
            revision: None,
        });
        self.batch.writes.push(Write::Put(record));
        if self.bytes < BATCH_BYTES {
            Ok(())
        } else {
            self.flush_records()
        }
    }

    fn flush_records(&mut self) -> Result<(), VaultError> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.writes.is_empty() {
            Ok(())
        } else {
            Ok(self.store.commit(&batch)?)
        }
    }

    fn row(&mut self, row: LogRow) -> Result<(), VaultError> {
        // The log of a pruned vault begins above 1: the store is told so by a head before it.
        if self.stored.is_none() {
            let before = row
                .sequence
                .checked_sub(1)
                .ok_or_else(|| broken("its log is out of order"))?;
            self.append(
                Vec::new(),
                LogHead {
                    sequence: before,
                    body: Vec::new(),
                },
            )?;
        }
        self.rows.push(row);
        if self.rows.len() < ROWS_AT_A_TIME {
            Ok(())
        } else {
            self.flush_rows()
        }
    }

    fn flush_rows(&mut self) -> Result<(), VaultError> {
        let rows = std::mem::take(&mut self.rows);
        let Some(last) = rows.last() else {
            return Ok(());
        };
        let head = LogHead {
            sequence: last.sequence,
            body: Vec::new(),
        };
        self.append(rows, head)
    }

    fn append(&mut self, rows: Vec<LogRow>, head: LogHead) -> Result<(), VaultError> {
        let expected = self.stored.as_ref().map(|head| head.body.clone());
        let log = Some(LogAppend {
            expected,
            rows,
            head: head.clone(),
        });
        self.store.commit(&Batch {
            log,
            ..Batch::default()
        })?;
        self.stored = Some(head);
        Ok(())
    }

    fn finish(mut self) -> Result<(), VaultError> {
        self.flush_records()?;
        self.flush_rows()?;
        let head = self.head.take().ok_or_else(|| broken("it has no log"))?;
        self.append(Vec::new(), head)
    }
}

fn write_collection(
    snapshot: &mut dyn Snapshot,
    collection: Collection,
    chain: &mut Chain,
    out: &mut dyn std::io::Write,
    progress: &mut dyn FnMut(u64),
) -> Result<(), VaultError> {
    let mut failure = None;
    snapshot.scan(collection, None, &mut |record| {
        let frame = Encoder::new()
            .u8(RECORD)
            .u8(record.key.collection.number())
            .fixed(&record.key.parent)
            .fixed(&record.key.id)
            .u64(record.revision)
            .bytes(record.body)
            .finish();
        chain.push(&frame);
        progress(chain.frames);
        match write_frame(out, &frame) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failure.map_or(Ok(()), Err)
}

fn write_log(
    snapshot: &mut dyn Snapshot,
    chain: &mut Chain,
    out: &mut dyn std::io::Write,
) -> Result<(), VaultError> {
    let mut from = 0;
    loop {
        let rows = snapshot.log_rows(from, ROWS_AT_A_TIME)?;
        let Some(last) = rows.last() else { break };
        from = last.sequence + 1;
        for row in rows {
            let frame = Encoder::new()
                .u8(LOG_ROW)
                .u64(row.sequence)
                .bytes(&row.body)
                .finish();
            chain.push(&frame);
            write_frame(out, &frame)?;
        }
    }
    let head = snapshot
        .log_head()?
        .ok_or_else(|| VaultError::tampered("the log has no head"))?;
    let frame = Encoder::new()
        .u8(LOG_HEAD)
        .u64(head.sequence)
        .bytes(&head.body)
        .finish();
    chain.push(&frame);
    write_frame(out, &frame)
}

fn write_frame(out: &mut dyn std::io::Write, frame: &[u8]) -> Result<(), VaultError> {
    let length = u32::try_from(frame.len())
        .ok()
        .filter(|_| frame.len() <= FRAME_MAX);
    let length = length.ok_or_else(|| broken("a record is too large"))?;
    out.write_all(&length.to_le_bytes())
        .and_then(|()| out.write_all(frame))
        .map_err(io)
}

fn read_frame(input: &mut dyn Read) -> Result<Vec<u8>, VaultError> {
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(io)?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > FRAME_MAX {
        return Err(broken("a part of it claims to be too large"));
    }
    let mut frame = Vec::new();
    // Grows with what really comes, not with what is claimed.
    let read = input
        .take(length as u64)
        .read_to_end(&mut frame)
        .map_err(io)?;
    if read == length {
        Ok(frame)
    } else {
        Err(broken("it was cut off"))
    }
}

fn broken(reason: &str) -> VaultError {
    VaultError::Backup {
        reason: reason.to_owned(),
    }
}

fn io(error: std::io::Error) -> VaultError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => broken("it was cut off"),
        std::io::ErrorKind::StorageFull => broken("the disk is full"),
        _ => VaultError::Backup {
            reason: error.to_string(),
        },
    }
}
