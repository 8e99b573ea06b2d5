//! What PostgreSQL's errors mean to a user.

use postgres::error::SqlState;
use subrosa_model::StoreError;

use crate::batch::damaged;

const BROKEN: &str = "PostgreSQL cannot be reached, or the connection broke; a change that was under \
                      way may have taken effect";

/// Why a step failed: the store's own reason, or PostgreSQL's, not yet translated.
pub(super) enum Failure {
    Store(StoreError),
    Sql(postgres::Error),
}

impl Failure {
    pub(super) fn into_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(error) => translate(error),
        }
    }

    /// Whether the connection is of no use any more, known to it or not.
    pub(super) fn is_of_connection(&self) -> bool {
        match self {
            Self::Store(_) => false,
            Self::Sql(error) => error.code().is_none_or(ends_connection),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        Self::Sql(error)
    }
}

/// The server was shut down, or somebody ended the connection.
fn ends_connection(code: &SqlState) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CONNECTION_FAILURE,
        SqlState::CONNECTION_EXCEPTION,
    ]
    .contains(code)
}

/// Translates an error. PostgreSQL's own texts may quote rows, and the connection's settings, so
/// only its code is kept.
#[allow(
    clippy::needless_pass_by_value,
    reason = "it stands at the end of map_err"
)]
pub(super) fn translate(error: postgres::Error) -> StoreError {
    let Some(code) = error.code() else {
        return failed(BROKEN);
    };
    if ends_connection(code) {
        return failed(BROKEN);
    }
    match code {
        &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::UNIQUE_VIOLATION => StoreError::Conflict,
        &SqlState::DISK_FULL => StoreError::Full,
        &SqlState::LOCK_NOT_AVAILABLE
        | &SqlState::TOO_MANY_CONNECTIONS
        | &SqlState::CANNOT_CONNECT_NOW => StoreError::Busy,
        &SqlState::READ_ONLY_SQL_TRANSACTION | &SqlState::INSUFFICIENT_PRIVILEGE => {
            StoreError::ReadOnly {
                reason: format!("PostgreSQL refuses it ({})", code.code()),
            }
        }
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => {
            damaged("PostgreSQL reports corrupted data")
        }
        &SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_COLUMN | &SqlState::DATATYPE_MISMATCH => {
            damaged("its tables are not those of a vault")
        }
        other => failed(&format!("PostgreSQL reported {}", other.code())),
    }
}

fn failed(reason: &str) -> StoreError {
    StoreError::Failed {
        reason: reason.to_owned(),
        source: None,
    }
}
