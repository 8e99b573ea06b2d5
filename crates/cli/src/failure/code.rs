//! Stable codes of errors. A code is never given another meaning; new ones may come.

use subrosa_egress::RefusalKind;
use subrosa_engine::{AuditError, EngineError, FileError, VaultError};
use subrosa_model::StoreError;

/// The code of an error.
pub(super) fn of(error: &EngineError) -> &'static str {
    match error {
        EngineError::Home { .. } => "home",
        EngineError::Config { .. } => "config",
        EngineError::NoVault { .. } => "no_vault",
        EngineError::VaultExists { .. } => "vault_exists",
        EngineError::Forged { .. } => "forged",
        EngineError::Unpinned { .. } => "unpinned",
        EngineError::RolledBack { .. } => "rolled_back",
        EngineError::Anchor { .. } => "anchor",
        EngineError::BackupKey { .. } => "backup_key",
        EngineError::Presence { .. } => "presence",
        EngineError::Token { .. } => "token",
        EngineError::Age { .. } => "age",
        EngineError::Secret { .. } => "slot_secret",
        EngineError::Refused(refusal) => refused(refusal.kind),
        EngineError::NotBuilt { .. } => "not_built",
        EngineError::NothingFits { .. } => "nothing_fits",
        EngineError::Ambiguous { .. } => "ambiguous",
        EngineError::ReferenceLoop { .. } => "reference_loop",
        EngineError::Collision { .. } => "collision",
        EngineError::Import { .. } | EngineError::ImportItem { .. } => "import",
        EngineError::EnvFile { .. } => "file_unchanged",
        EngineError::Placeholder { .. } => "placeholder",
        EngineError::Conflicts { .. } => "conflicts",
        EngineError::Usage { .. } => "usage",
        EngineError::Policy(_) => "policy_wrong",
        EngineError::Vault(error) => vault(error),
        EngineError::Audit(error) => audit(error),
        EngineError::File(error) => file(error),
        EngineError::Store(error) => store(error),
        EngineError::Run(_) => "run",
        EngineError::Release(_) => "release",
        EngineError::Memory(_) => "memory",
        EngineError::Read(_) => "read",
        EngineError::Name(_) => "name",
        EngineError::Reference(_) => "reference",
        EngineError::Io { .. } => "io",
        _ => "other",
    }
}

fn refused(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Policy => "refused",
        RefusalKind::Approval => "approval",
        RefusalKind::Presence => "presence",
        RefusalKind::Audit => "audit_unavailable",
        _ => "request",
    }
}

fn vault(error: &VaultError) -> &'static str {
    match error {
        VaultError::WrongKey { .. } => "wrong_key",
        VaultError::NoSlot { .. } => "no_slot",
        VaultError::SlotMissing { .. } => "slot_missing",
        VaultError::SlotExists { .. } => "slot_exists",
        VaultError::Stale { .. } => "stale",
        VaultError::LastSlot { .. } => "last_slot",
        VaultError::Limit { .. } => "limit",
        VaultError::Missing { .. } => "missing",
        VaultError::Exists { .. } => "exists",
        VaultError::NoField { .. } => "no_field",
        VaultError::NoVersion { .. } => "no_version",
        VaultError::PinFixed { .. } => "pin_fixed",
        VaultError::Future { .. } | VaultError::Unknown { .. } => "future",
        VaultError::Behind | VaultError::Replaced => "replaced",
        VaultError::Tampered { .. } => "tampered",
        VaultError::Backup { .. } => "backup",
        VaultError::Journal { .. } => "audit_unavailable",
        VaultError::Store(error) => store(error),
        VaultError::Memory(_) | VaultError::Kdf(_) => "memory",
        _ => "vault",
    }
}

fn audit(error: &AuditError) -> &'static str {
    match error {
        AuditError::Tampered(_) | AuditError::Ring { .. } => "audit_tampered",
        AuditError::Rotated => "replaced",
        AuditError::Store(error) => store(error),
        AuditError::PruneRange { .. } => "prune_range",
        AuditError::Memory(_) => "memory",
        AuditError::Output(_) => "io",
        _ => "audit_unavailable",
    }
}

fn store(error: &StoreError) -> &'static str {
    match error {
        StoreError::Conflict | StoreError::Busy => "busy",
        StoreError::Full => "disk_full",
        StoreError::ReadOnly { .. } => "read_only",
        StoreError::Damaged { .. } => "damaged",
        StoreError::Unsafe { .. } => "unsafe_path",
        StoreError::Future { .. } => "future",
        StoreError::Missing { .. } => "no_vault",
        StoreError::Exists { .. } => "vault_exists",
        _ => "store",
    }
}

fn file(error: &FileError) -> &'static str {
    match error {
        FileError::Missing { .. } => "file_missing",
        FileError::Exists { .. } => "file_exists",
        FileError::Unsafe { .. } => "unsafe_path",
        FileError::TooLong { .. } => "limit",
        FileError::Damaged { .. } => "damaged",
        FileError::Full { .. } => "disk_full",
        FileError::ReadOnly { .. } => "read_only",
        FileError::Busy { .. } => "busy",
        _ => "io",
    }
}
