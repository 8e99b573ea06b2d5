//! What SQLite's errors mean to a user.

use std::ffi::c_int;

use rusqlite::{Error, ErrorCode, ffi};
use subrosa_model::StoreError;

use crate::batch::damaged;
use crate::folder::Folder;

/// Less room than this on the disk makes an input/output error a full disk, in bytes: the shared
/// memory and the log are extended by such pieces.
const ROOM_MIN: u64 = 64 * 1024;

/// Translates an error. SQLite's messages name tables and paths, never contents, so the cause is
/// kept.
pub(super) fn translate(error: Error, folder: &Folder) -> StoreError {
    let Error::SqliteFailure(failure, _) = &error else {
        return match error {
            Error::SqlInputError { .. } => damaged("its tables are not those of a vault"),
            _ => damaged("a row has an unexpected form"),
        };
    };
    if failure.extended_code == ffi::SQLITE_ERROR {
        // Our statements are fixed, so it is the file that SQLite does not understand.
        return damaged("SQLite does not understand its format");
    }
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::ReadOnly => StoreError::ReadOnly {
            reason: read_only(failure.extended_code),
        },
        ErrorCode::DatabaseCorrupt => damaged("its pages do not fit together"),
        ErrorCode::NotADatabase => damaged("it is not a database"),
        ErrorCode::SchemaChanged => damaged("its tables changed under us"),
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => StoreError::Unsafe {
            path: folder.path().display().to_string(),
            reason: "a file of the vault cannot be opened; each must be yours, with mode 0600, \
                     and no symbolic link"
                .into(),
        },
        ErrorCode::SystemIoFailure if is_full(folder) => StoreError::Full,
        ErrorCode::SystemIoFailure if is_damage(failure.extended_code) => {
            damaged("a page is missing or unreadable")
        }
        ErrorCode::SystemIoFailure => StoreError::Failed {
            reason: format!(
                "the system could not read or write its file (SQLite code {}); look at the disk \
                 and at limits on the size of files, then try again",
                failure.extended_code
            ),
            source: Some(Box::new(error)),
        },
        _ => StoreError::Failed {
            reason: format!("SQLite reported code {}", failure.extended_code),
            source: Some(Box::new(error)),
        },
    }
}

fn read_only(code: c_int) -> String {
    match code {
        ffi::SQLITE_READONLY_DBMOVED => "its file was moved or replaced while it was open".into(),
        ffi::SQLITE_READONLY_DIRECTORY => "its folder may not be written to".into(),
        _ => "its file or its file system is read-only".into(),
    }
}

fn is_damage(code: c_int) -> bool {
    matches!(
        code,
        ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_DATA | ffi::SQLITE_IOERR_CORRUPTFS
    )
}

/// SQLite tells a full disk from other failures for the database's file only, not for the shared
/// memory beside it.
fn is_full(folder: &Folder) -> bool {
    rustix::fs::fstatvfs(folder.fd())
        .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM_MIN)
}
