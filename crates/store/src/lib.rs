//! Where a vault and its log are kept: SQLite and PostgreSQL behind the ports of vault and audit,
//! and the small files around them.
//!
//! Only sealed bodies and keyed hashes come here. A store finds them again, keeps concurrent
//! writers apart by compare-and-swap, and makes a commit durable before it answers. It never looks
//! into a body, and no error of it quotes one.
//!
//! - [`sqlite`]: one file on this machine; [`postgres`]: a database for many nodes. One suite of
//!   tests runs over both.
//! - [`folder`]: folders and files that only their owner reaches, checked before each use.
//! - [`files`]: durable replacement of a file, bounded reading.
//! - [`pins`], [`prelog`], [`anchor`]: what is kept outside of the vault folder.
//!
//! ```
//! use subrosa_store::sqlite::{CreateOptions, SqliteStore};
//! use subrosa_vault::port::{Batch, Collection, Record, RecordKey, VaultStore, Write};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! let path = home.path().join("vault").join("vault.db");
//! let mut store = SqliteStore::create(&path, &CreateOptions::default())?;
//! let key = RecordKey { collection: Collection::Header, parent: [0; 16], id: [0; 16] };
//! let record = Record { key, revision: 1, body: b"sealed".to_vec() };
//! store.commit(&Batch { writes: vec![Write::Put(record.clone())], ..Batch::default() })?;
//! assert_eq!(store.snapshot()?.get(&key)?, Some(record));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod anchor;
pub mod files;
pub mod folder;
pub mod memory;
pub mod pins;
pub mod postgres;
pub mod prelog;
pub mod sqlite;

mod batch;
mod error;

pub use batch::BODY_MAX;
pub use error::FileError;
