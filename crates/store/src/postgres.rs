//! Vaults in a PostgreSQL database, for many nodes. Several vaults share one.
//!
//! The SQL is plain enough for CockroachDB: serializable transactions and compare-and-swap only; no
//! advisory lock, no notification, no sequence, no trigger.
//!
//! A commit that loses against another one is [`StoreError::Conflict`] and may be tried again. A
//! connection that breaks during COMMIT leaves it open whether the commit happened; that is said,
//! and who retries is kept from doubling it by the same compare-and-swap.

mod fault;
mod read;
mod write;

use postgres::config::Host;
use postgres::{Client, Config, IsolationLevel, NoTls};
use subrosa_audit::LogStore;
use subrosa_model::{LogAppend, LogHead, LogRow, StoreError, VaultId};
use subrosa_vault::port::{Batch, Changes, Snapshot, VaultStore};

use fault::{Failure, translate};
use read::PgSnapshot;

/// The newest store format that this program knows.
const FORMAT: i64 = 1;

/// As in SQLite, with the vault before every key.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS subrosa_meta (
    id INT8 PRIMARY KEY CHECK (id = 1), format INT8 NOT NULL);
CREATE TABLE IF NOT EXISTS subrosa_tip (
    vault BYTEA PRIMARY KEY, change INT8 NOT NULL, recent BYTEA NOT NULL,
    sequence INT8, head BYTEA);
CREATE TABLE IF NOT EXISTS subrosa_records (
    vault BYTEA NOT NULL, key BYTEA NOT NULL, revision INT8 NOT NULL, body BYTEA NOT NULL,
    PRIMARY KEY (vault, key));
CREATE TABLE IF NOT EXISTS subrosa_log (
    vault BYTEA NOT NULL, sequence INT8 NOT NULL, body BYTEA NOT NULL,
    PRIMARY KEY (vault, sequence));
";

/// A connection to one vault in a database.
pub struct PgStore {
    client: Client,
    config: Config,
    vault: VaultId,
    /// The connection failed, and may not know it yet.
    broken: bool,
}

impl std::fmt::Debug for PgStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The connection's settings hold a password.
        f.debug_struct("PgStore")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}

impl PgStore {
    /// Makes an empty vault in a database, and the tables when they are missing.
    ///
    /// `connection` as in libpq: `host=/run/postgresql dbname=secrets`, or a URL. This part speaks
    /// no TLS, so the host must be a Unix socket or a loopback address.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the database has this vault; [`StoreError::Future`];
    /// [`StoreError::Unsafe`] for a host that is not this machine.
    pub fn create(connection: &str, vault: VaultId) -> Result<Self, StoreError> {
        let mut store = Self::connect(connection, vault)?;
        make_tables(&mut store.client).map_err(Failure::into_error)?;
        store.check_format()?;
        let place = store.place();
        store.transaction(|transaction| {
            let sql = "INSERT INTO subrosa_tip (vault, change, recent) VALUES ($1, 1, $2) \
                       ON CONFLICT (vault) DO NOTHING";
            let none: &[u8] = &[];
            match transaction.execute(sql, &[&vault.as_bytes().as_slice(), &none])? {
                0 => Err(StoreError::Exists { path: place }.into()),
                _ => Ok(()),
            }
        })?;
        Ok(store)
    }

    /// Opens a vault of a database.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Future`]; [`StoreError::Unsafe`] as for
    /// [`create`](Self::create).
    pub fn open(connection: &str, vault: VaultId) -> Result<Self, StoreError> {
        let mut store = Self::connect(connection, vault)?;
        let tables = store
            .client
            .query_one("SELECT to_regclass('subrosa_meta') IS NOT NULL", &[])
            .and_then(|row| row.try_get::<_, bool>(0))
            .map_err(translate)?;
        if !tables {
            return Err(StoreError::Missing {
                path: store.place(),
            });
        }
        store.check_format()?;
        let known = store
            .client
            .query_opt(
                "SELECT 1 FROM subrosa_tip WHERE vault = $1",
                &[&store.key()],
            )
            .map_err(translate)?;
        match known {
            Some(_) => Ok(store),
            None => Err(StoreError::Missing {
                path: store.place(),
            }),
        }
    }

    fn connect(connection: &str, vault: VaultId) -> Result<Self, StoreError> {
        // The parser's own message could quote a part of a password.
        let config: Config = connection.parse().map_err(|_| StoreError::Failed {
            reason: "the connection to PostgreSQL cannot be read; it looks like \
                     host=/run/postgresql dbname=secrets"
                .into(),
            source: None,
        })?;
        refuse_far_hosts(&config)?;
        let client = config.connect(NoTls).map_err(translate)?;
        Ok(Self {
            client,
            config,
            vault,
            broken: false,
        })
    }

    /// Connects again when the connection is gone.
    fn client(&mut self) -> Result<&mut Client, StoreError> {
        if self.broken || self.client.is_closed() {
            self.client = self.config.connect(NoTls).map_err(translate)?;
            self.broken = false;
        }
        Ok(&mut self.client)
    }

    fn check_format(&mut self) -> Result<(), StoreError> {
        let found: i64 = self
            .client
            .query_one("SELECT format FROM subrosa_meta", &[])
            .and_then(|row| row.try_get(0))
            .map_err(translate)?;
        match found {
            FORMAT => Ok(()),
            found if found > FORMAT => Err(StoreError::Future {
                found: u32::try_from(found).unwrap_or(u32::MAX),
                known: u32::try_from(FORMAT).unwrap_or(u32::MAX),
            }),
            _ => Err(crate::batch::damaged("its store format is unknown")),
        }
    }

    /// Carries out `work` in one transaction; a failure undoes it.
    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut postgres::Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let client = self.client()?;
        let run = || {
            let mut transaction = client
                .build_transaction()
                .isolation_level(IsolationLevel::Serializable)
                .start()?;
            // Dropped on the way out of an error, which rolls it back.
            let done = work(&mut transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        run().map_err(|failure| self.failed(failure))
    }

    fn read(&mut self) -> Result<PgSnapshot<'_>, StoreError> {
        let vault = self.key();
        self.client()?;
        let Self { client, broken, .. } = self;
        PgSnapshot::begin(client, vault).map_err(|failure| {
            *broken |= failure.is_of_connection();
            failure.into_error()
        })
    }

    fn failed(&mut self, failure: Failure) -> StoreError {
        self.broken |= failure.is_of_connection();
        failure.into_error()
    }

    fn key(&self) -> Vec<u8> {
        self.vault.as_bytes().to_vec()
    }

    fn place(&self) -> String {
        let database = self.config.get_dbname().unwrap_or("its default database");
        format!("vault {} of PostgreSQL's {database}", self.vault)
    }
}

impl VaultStore for PgStore {
    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(self.read()?))
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        crate::batch::check(batch)?;
        let vault = self.key();
        self.transaction(|transaction| write::commit(transaction, &vault, batch))
    }

    fn changes(&mut self, since: u64) -> Result<Changes, StoreError> {
        self.read()?.tip().changes(since)
    }
}

impl LogStore for PgStore {
    fn log_head(&mut self) -> Result<Option<LogHead>, StoreError> {
        self.read()?.log_head()
    }

    fn append(&mut self, append: &LogAppend) -> Result<(), StoreError> {
        crate::batch::check_append(append)?;
        let vault = self.key();
        self.transaction(|transaction| write::append(transaction, &vault, append))
    }

    fn rows(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        self.read()?.log_rows(from, limit)
    }

    fn prune(&mut self, keep_from: u64, append: &LogAppend) -> Result<(), StoreError> {
        crate::batch::check_append(append)?;
        let vault = self.key();
        self.transaction(|transaction| write::prune(transaction, &vault, keep_from, append))
    }
}

/// Makes the tables. Two makers at once disturb each other in the catalogue, so the loser tries
/// again.
fn make_tables(client: &mut Client) -> Result<(), Failure> {
    let insert = format!(
        "INSERT INTO subrosa_meta (id, format) VALUES (1, {FORMAT}) ON CONFLICT (id) DO NOTHING"
    );
    let mut make = || {
        client
            .batch_execute(TABLES)
            .and_then(|()| client.batch_execute(&insert))
    };
    for _ in 0..5 {
        if make().is_ok() {
            return Ok(());
        }
    }
    Ok(make()?)
}

/// Without TLS the password and the metadata of access would cross the network in the clear.
fn refuse_far_hosts(config: &Config) -> Result<(), StoreError> {
    let near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    };
    let addresses = config.get_hostaddrs();
    if config.get_hosts().iter().all(near) && addresses.iter().all(|a| a.is_loopback()) {
        return Ok(());
    }
    Err(StoreError::Unsafe {
        path: "the connection to PostgreSQL".into(),
        reason: "its host is another machine, and TLS is not built yet; use a Unix socket or a \
                 loopback address, through a tunnel if need be"
            .into(),
    })
}
