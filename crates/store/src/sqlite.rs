//! A vault in one SQLite file, for one machine.
//!
//! Each handle is a connection of its own; several, in one process or in many, may stand on the
//! same file. Commits are durable when they return: write-ahead log, `synchronous=FULL`.

mod fault;
mod read;
mod schema;
mod write;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, MAIN_DB, OpenFlags};
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use subrosa_audit::LogStore;
use subrosa_model::{LogAppend, LogHead, LogRow, StoreError};
use subrosa_vault::port::{Batch, Changes, Snapshot, VaultStore};

use crate::batch::damaged;
use crate::error::FileError;
use crate::files::rename_new;
use crate::folder::{FileFacts, Folder, facts};
use read::SqliteSnapshot;

/// Files that SQLite puts beside a database with a write-ahead log.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];
/// One that belongs to another journal mode; SQLite would play it back into the vault.
const FOREIGN_JOURNAL: &str = "-journal";

/// How to make a store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CreateOptions {
    /// How long to wait for another process before [`StoreError::Busy`].
    pub busy: Duration,
}

impl Default for CreateOptions {
    fn default() -> Self {
        Self {
            busy: Duration::from_secs(5),
        }
    }
}

/// How to open a store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OpenOptions {
    /// How long to wait for another process before [`StoreError::Busy`].
    pub busy: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            busy: Duration::from_secs(5),
        }
    }
}

impl OpenOptions {
    /// Waits this long for another process.
    #[must_use]
    pub fn busy(mut self, busy: Duration) -> Self {
        self.busy = busy;
        self
    }
}

/// A handle on a vault's file.
#[derive(Debug)]
pub struct SqliteStore {
    conn: Connection,
    folder: Folder,
    path: PathBuf,
    /// Which file was opened.
    identity: (u64, u64),
    /// How long it waits for another process.
    busy: Duration,
}

impl SqliteStore {
    /// Makes an empty store at `path`. Its folder is made with mode 0700 when it is missing.
    ///
    /// The file appears whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Unsafe`], [`StoreError::Full`] and others.
    pub fn create(path: &Path, options: &CreateOptions) -> Result<Self, StoreError> {
        Self::create_with(path, options, |_| Ok::<(), StoreError>(()))
    }

    /// As [`create`](Self::create), with what `fill` puts in: until it has returned and everything
    /// is durable there is no file at `path`. When it fails nothing is left behind.
    ///
    /// # Errors
    /// As for [`create`](Self::create), and what `fill` says.
    pub fn create_with<E: From<StoreError>>(
        path: &Path,
        options: &CreateOptions,
        fill: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<Self, E> {
        let (folder, name) = place(path, Folder::create)?;
        // One maker at a time; what a killed one left under the temporary name is nobody's.
        rustix::fs::flock(folder.fd(), FlockOperation::NonBlockingLockExclusive)
            .map_err(|e| StoreError::from(FileError::from_os(folder.path(), e)))?;
        refuse_existing(&folder, &name)?;
        let draft = with_ending(&name, ".new");
        remove_draft(&folder, &draft)?;
        let done = Self::draft(&folder, &draft, options, fill)
            .and_then(|()| publish(&folder, &draft, &name).map_err(E::from));
        if let Err(error) = done {
            // The first error says more than a second one would.
            let _ = remove_draft(&folder, &draft);
            return Err(error);
        }
        drop(folder);
        Ok(Self::open(path, &OpenOptions { busy: options.busy })?)
    }

    /// Opens the store at `path`.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Unsafe`] or [`StoreError::ReadOnly`] with what to
    /// type; [`StoreError::Damaged`]; [`StoreError::Future`]; [`StoreError::Busy`].
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, StoreError> {
        let (folder, name) = place(path, Folder::open)?;
        let facts = check_files(&folder, &name)?.ok_or_else(|| StoreError::Missing {
            path: folder.path().join(&name).display().to_string(),
        })?;
        if facts.size == 0 {
            // SQLite would take it for a new database and throw the write-ahead log away.
            return Err(damaged("the file is empty"));
        }
        let store = Self::connect(folder, &name, facts.identity, options.busy)?;
        // SQLite has made the other files, or has opened them.
        check_files(&store.folder, &name)?;
        store.check_in_place()?;
        store.take_up()?;
        Ok(store)
    }

    /// Where the file is: absolute, without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole file and checks that its pages and rows fit together. What bodies mean is
    /// not checked here: the vault and the log do that.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn inspect(&mut self) -> Result<(), StoreError> {
        let verdict: String = self
            .conn
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(|e| self.fault(e))?;
        if verdict == "ok" {
            Ok(())
        } else {
            Err(damaged("its pages do not fit together"))
        }
    }

    fn connect(
        folder: Folder,
        name: &OsStr,
        identity: (u64, u64),
        busy: Duration,
    ) -> Result<Self, StoreError> {
        let path = folder.path().join(name);
        // NOFOLLOW refuses a link anywhere in the path; this one has none. No CREATE.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let conn = Connection::open_with_flags(&path, flags)
            .map_err(|error| fault::translate(error, &folder))?;
        let store = Self {
            conn,
            folder,
            path,
            identity,
            busy,
        };
        schema::harden(&store.conn, busy).map_err(|e| store.fault(e))?;
        Ok(store)
    }

    /// Makes sure that the file is ours before anything could be written to it.
    fn take_up(&self) -> Result<(), StoreError> {
        let fault = |error| self.fault(error);
        schema::identify(&self.conn).map_err(fault)??;
        if self.conn.is_readonly(MAIN_DB).map_err(fault)? {
            // Permissions were checked, so it is the header that forbids writing.
            return Err(damaged("its header asks for a newer SQLite"));
        }
        if !schema::has_our_tables(&self.conn).map_err(fault)? {
            return Err(damaged("its tables are not those of a vault"));
        }
        if !schema::write_ahead(&self.conn).map_err(fault)? {
            return Err(damaged("it has no write-ahead log"));
        }
        schema::tune(&self.conn).map_err(fault)
    }

    /// Builds a store under the name `draft` and closes it.
    fn draft<E: From<StoreError>>(
        folder: &Folder,
        draft: &OsStr,
        options: &CreateOptions,
        fill: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let path = folder.path().join(draft);
        let failed = |errno| StoreError::from(FileError::from_os(&path, errno));
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(folder.fd(), draft, flags, mode).map_err(failed)?;
        // A umask may have taken more than is wanted. SQLite gives its own files the same mode.
        rustix::fs::fchmod(&file, mode).map_err(failed)?;
        let stat = rustix::fs::fstat(&file).map_err(failed)?;
        drop(file);
        let own = Folder::open(folder.path()).map_err(StoreError::from)?;
        let mut store = Self::connect(own, draft, facts(&stat).identity, options.busy)?;
        schema::create(&store.conn).map_err(|e| store.fault(e))?;
        fill(&mut store)?;
        Ok(store.close()?)
    }

    /// Closes the only connection: everything is in the file itself then, durably.
    fn close(self) -> Result<(), StoreError> {
        let Self { conn, folder, .. } = self;
        let busy: i64 = conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|e| fault::translate(e, &folder))?;
        if busy != 0 {
            return Err(StoreError::Busy);
        }
        conn.close()
            .map_err(|(_, error)| fault::translate(error, &folder))
    }

    fn wait_for(&self, busy: Duration) -> Result<(), StoreError> {
        self.conn.busy_timeout(busy).map_err(|e| self.fault(e))
    }

    fn fault(&self, error: rusqlite::Error) -> StoreError {
        fault::translate(error, &self.folder)
    }

    /// Carries out `work` in one transaction that may write; undoes it when that fails.
    fn transaction(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<Outcome, write::Failure>,
    ) -> Result<(), StoreError> {
        let done = self
            .begin()
            .and_then(|()| work(&self.conn))
            .and_then(|outcome| {
                let end = match outcome {
                    Outcome::Changed => "COMMIT",
                    Outcome::Unchanged => "ROLLBACK",
                };
                self.conn.prepare_cached(end)?.execute([])?;
                Ok(())
            });
        done.map_err(|failure| {
            self.undo();
            match failure {
                write::Failure::Store(error) => error,
                write::Failure::Sql(error) => self.fault(error),
            }
        })
    }

    fn begin(&mut self) -> Result<(), write::Failure> {
        self.undo();
        self.check_in_place()?;
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    /// Whether the open file still has its name. Otherwise a commit would be durable in a file that
    /// nobody will find.
    fn check_in_place(&self) -> Result<(), StoreError> {
        let name = self.path.file_name().unwrap_or_default();
        let there = rustix::fs::statat(self.folder.fd(), name, AtFlags::SYMLINK_NOFOLLOW);
        match there {
            Ok(stat) if facts(&stat).identity == self.identity => Ok(()),
            Ok(_) | Err(Errno::NOENT) => Err(StoreError::Unsafe {
                path: self.path.display().to_string(),
                reason: "the file was moved or replaced while it was open; try again".into(),
            }),
            Err(errno) => Err(FileError::from_os(&self.path, errno).into()),
        }
    }

    /// Ends a transaction that failed, so that the handle stays usable. SQLite has often done so
    /// itself.
    fn undo(&self) {
        if !self.conn.is_autocommit() {
            // Should it fail, the next attempt meets the transaction again and retries this.
            let _ = self.conn.execute_batch("ROLLBACK");
        }
    }
}

/// Whether a transaction wrote anything.
enum Outcome {
    Changed,
    Unchanged,
}

impl VaultStore for SqliteStore {
    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.undo();
        Ok(Box::new(SqliteSnapshot::begin(&self.conn, &self.folder)?))
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        crate::batch::check(batch)?;
        if !batch.yields {
            return self.transaction(|conn| write::commit(conn, batch));
        }
        self.wait_for(Duration::ZERO)?;
        let done = self.transaction(|conn| write::commit(conn, batch));
        self.wait_for(self.busy)?;
        done
    }

    fn changes(&mut self, since: u64) -> Result<Changes, StoreError> {
        self.undo();
        SqliteSnapshot::begin(&self.conn, &self.folder)?
            .tip()
            .changes(since)
    }
}

impl LogStore for SqliteStore {
    fn log_head(&mut self) -> Result<Option<LogHead>, StoreError> {
        self.undo();
        let tip = read::tip(&self.conn).map_err(|e| self.fault(e))??;
        Ok(tip.log)
    }

    fn append(&mut self, append: &LogAppend) -> Result<(), StoreError> {
        crate::batch::check_append(append)?;
        self.transaction(|conn| write::append(conn, append))
    }

    fn rows(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        self.undo();
        read::log_rows(&self.conn, from, limit).map_err(|e| self.fault(e))?
    }

    fn prune(&mut self, keep_from: u64, append: &LogAppend) -> Result<(), StoreError> {
        crate::batch::check_append(append)?;
        self.transaction(|conn| write::prune(conn, keep_from, append))
    }
}

/// The folder of a vault file, checked, and the file's name in it.
fn place(
    path: &Path,
    reach: impl FnOnce(&Path) -> Result<Folder, FileError>,
) -> Result<(Folder, OsString), StoreError> {
    let name = path.file_name().ok_or_else(|| StoreError::Unsafe {
        path: path.display().to_string(),
        reason: "it does not name a file".into(),
    })?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    Ok((reach(folder)?, name.to_owned()))
}

/// Checks the database and what stands beside it.
fn check_files(folder: &Folder, name: &OsStr) -> Result<Option<FileFacts>, StoreError> {
    let Some(facts) = folder.check_file(name)? else {
        return Ok(None);
    };
    for ending in COMPANIONS {
        folder.check_file(&with_ending(name, ending))?;
    }
    let journal = with_ending(name, FOREIGN_JOURNAL);
    match rustix::fs::statat(folder.fd(), &journal, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(Some(facts)),
        _ => Err(StoreError::Unsafe {
            path: folder.path().join(journal).display().to_string(),
            reason: "a vault has no such file, and its contents would be played into the vault; \
                     move it away"
                .into(),
        }),
    }
}

fn refuse_existing(folder: &Folder, name: &OsStr) -> Result<(), StoreError> {
    match rustix::fs::statat(folder.fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => {}
        Ok(_) => {
            let path = folder.path().join(name).display().to_string();
            return Err(StoreError::Exists { path });
        }
        Err(errno) => return Err(FileError::from_os(&folder.path().join(name), errno).into()),
    }
    // A write-ahead log without its database belonged to another vault.
    for ending in COMPANIONS {
        let path = folder.path().join(with_ending(name, ending));
        let found = rustix::fs::statat(folder.fd(), &path, AtFlags::SYMLINK_NOFOLLOW);
        if !matches!(found, Err(Errno::NOENT)) {
            return Err(StoreError::Exists {
                path: path.display().to_string(),
            });
        }
    }
    Ok(())
}

fn remove_draft(folder: &Folder, draft: &OsStr) -> Result<(), StoreError> {
    for ending in ["", "-wal", "-shm", FOREIGN_JOURNAL] {
        let name = with_ending(draft, ending);
        match rustix::fs::unlinkat(folder.fd(), &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(FileError::from_os(&folder.path().join(name), errno).into()),
        }
    }
    Ok(())
}

/// Gives a finished draft its name, durably, unless the name is taken.
fn publish(folder: &Folder, draft: &OsStr, name: &OsStr) -> Result<(), StoreError> {
    rename_new(folder.fd(), draft, name)
        .map_err(|errno| StoreError::from(FileError::from_os(&folder.path().join(name), errno)))?;
    Ok(folder.sync()?)
}

fn with_ending(name: &OsStr, ending: &str) -> OsString {
    let mut whole = name.to_owned();
    whole.push(ending);
    whole
}
