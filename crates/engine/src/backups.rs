//! Backup and restore: complete, encrypted, verified, atomic; what was revoked stays revoked.
#![allow(clippy::disallowed_methods, reason = "backups and drafts are files")]

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::Serialize;
use subrosa_audit::Chain;
use subrosa_model::{Change, ChangeKind, KeyName, Scope};
use subrosa_store::folder::Folder;
use subrosa_store::pins::PinRecord;
use subrosa_store::sqlite::{CreateOptions, OpenOptions as StoreOptions, SqliteStore};
use subrosa_vault::{
    NewValue, Patch, Trailer, Unlock, Vault, VaultError, read_backup, scan_backup,
};

use crate::import::Conflict;
use crate::journal::{ChainJournal, ring};
use crate::session::Setting;
use crate::{EngineError, Session, pinning};

/// How to restore.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The backup.
    pub file: PathBuf,
    /// What happens to secrets that the vault has already.
    pub conflict: Conflict,
}

/// What restoring did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Restored {
    /// Whether a whole vault was put in place, as opposed to secrets added to one.
    pub whole: bool,
    /// Secrets that came back or were added.
    pub restored: Vec<String>,
    /// Secrets that stayed as they are.
    pub kept: Vec<String>,
    /// Slots that the backup has and that were left out, since the root key was replaced after it.
    pub left_out: Vec<String>,
    /// Tokens of agents that the backup has and that were taken away: some may have been since.
    pub tokens: usize,
}

impl Session {
    /// Writes a backup to a new file and reads it back.
    ///
    /// # Errors
    /// [`EngineError::Presence`]; [`EngineError::Usage`] when there is a file at `path`; a failure
    /// leaves none behind.
    pub fn backup(
        &mut self,
        path: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), EngineError> {
        self.require_presence("a backup")?;
        if path.symlink_metadata().is_ok() {
            return Err(EngineError::usage(format!(
                "{} exists; choose a new name",
                path.display()
            )));
        }
        let change = Change {
            kind: ChangeKind::Backup,
            subjects: Vec::new(),
            detail: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
        };
        // Recorded first: a backup that nobody knows of would be worse than a record without one.
        self.vault.note(&mut self.journal, &change)?;
        let part = with_suffix(path, ".part");
        let written = self
            .write_backup(&part, progress)
            .and_then(|()| publish(&part, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        written
    }

    fn write_backup(
        &mut self,
        part: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), EngineError> {
        let what = format!("writing {}", part.display());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(part)
            .map_err(EngineError::io(what.clone()))?;
        let mut out = BufWriter::new(file);
        self.vault.backup(&mut self.journal, &mut out, progress)?;
        let file = out
            .into_inner()
            .map_err(|error| EngineError::io(what.clone())(error.into_error()))?;
        file.sync_all().map_err(EngineError::io(what))?;
        let trailer = scan_backup(&mut open(part)?, &mut |_| ())?;
        if self.vault.vouches_for(&trailer) {
            Ok(())
        } else {
            Err(VaultError::Backup {
                reason: "what was written is not what was read back".to_owned(),
            }
            .into())
        }
    }

    /// Adds the secrets of a backup to this vault: all in one transaction. Slots, policy and log
    /// stay this vault's own.
    ///
    /// # Errors
    /// [`EngineError::Presence`], [`EngineError::Conflicts`], [`EngineError::Vault`].
    pub fn restore_into(
        &mut self,
        options: &RestoreOptions,
        unlock: &Unlock,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Restored, EngineError> {
        self.require_presence("restoring")?;
        // There is one place for drafts, and one restore at a time.
        let _held = pinning::hold(&self.setting.home);
        let draft = Draft::new(&self.setting.home.data)?;
        let mut source = Source::read(&draft, &self.setting, options, unlock, progress)?;
        let mut report = Restored::default();
        let mut conflicts = Vec::new();
        let mut items: Vec<(Scope, KeyName, Patch)> = Vec::new();
        let mut carried = Vec::new();
        let names: Vec<_> = source.vault.workspaces().cloned().collect();
        for workspace in names {
            for head in source.vault.list(&mut source.journal, &workspace)? {
                if head.removed.is_some() {
                    continue;
                }
                let scope = Scope {
                    workspace: workspace.clone(),
                    group: head.group.clone(),
                };
                let name = format!("{scope} {}", head.key);
                let there = self.vault.find(&mut self.journal, &scope, &head.key)?;
                if let Some(there) = there.filter(|located| located.head.removed.is_none()) {
                    if same(
                        &mut self.vault,
                        &mut self.journal,
                        &there,
                        &mut source,
                        &scope,
                        &head,
                    )? {
                        carried.push((head.id, scope, head.key));
                        report.kept.push(name);
                        continue;
                    }
                    match options.conflict {
                        Conflict::Fail => conflicts.push(name.clone()),
                        Conflict::Skip => {
                            report.kept.push(name);
                            continue;
                        }
                        Conflict::Replace => {}
                    }
                }
                items.push((
                    scope.clone(),
                    head.key.clone(),
                    source.patch(&scope, &head)?,
                ));
                carried.push((head.id, scope, head.key));
                report.restored.push(name);
            }
        }
        if !conflicts.is_empty() {
            return Err(EngineError::Conflicts { names: conflicts });
        }
        let change = Change {
            kind: ChangeKind::Restore,
            subjects: report.restored.clone(),
            detail: "into this vault".to_owned(),
        };
        let now = self.now();
        self.vault
            .set_many(&mut self.journal, &items, &change, now)?;
        // A restore that ends before this is completed by the next one.
        let placeholders = crate::placeholders::read(&mut source.vault, &mut source.journal)?;
        self.carry_placeholders(placeholders, &carried)?;
        Ok(report)
    }

    /// Puts the vault of a backup where there is none.
    ///
    /// When a later root key is pinned for the folder, the slots that did not open the backup are
    /// left out and the root key is replaced: what was revoked after the backup stays revoked.
    ///
    /// # Errors
    /// [`EngineError::VaultExists`], [`EngineError::Presence`], [`EngineError::Vault`]; a failure
    /// leaves no vault behind.
    pub fn restore_whole(
        setting: Setting,
        options: &RestoreOptions,
        unlock: &Unlock,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Self, Restored), EngineError> {
        let target = setting.home.vault();
        if target.symlink_metadata().is_ok() {
            return Err(EngineError::VaultExists {
                path: setting.home.data.clone(),
            });
        }
        if !unlock.kind().vouches() {
            return Err(EngineError::Presence { what: "restoring" });
        }
        // Root and pin change together, and there is one place for drafts.
        let held = pinning::hold(&setting.home);
        let draft = Draft::new(&setting.home.data)?;
        let mut source = Source::read(&draft, &setting, options, unlock, progress)?;
        let (vault, fingerprint) = (source.vault.id(), source.vault.fingerprint());
        let known = pinning::known(&setting.home);
        let revoked = known.is_some_and(|pin| {
            pin.vault == vault && pin.current != fingerprint && pin.next != Some(fingerprint)
        });
        let mut report = Restored {
            whole: true,
            ..Restored::default()
        };
        if revoked {
            report.left_out = source.revoke_others()?;
        }
        let current = source.vault.fingerprint();
        report.restored = source.names()?;
        drop(source);
        // The anchor speaks of the log that is gone; what it knew goes into the record.
        let anchor = setting.home.anchors().join(vault.to_string());
        if target.symlink_metadata().is_ok() {
            return Err(EngineError::VaultExists {
                path: setting.home.data.clone(),
            });
        }
        let pin = PinRecord {
            vault,
            current,
            next: None,
        };
        match pinning::write(&setting.home, &pin) {
            Ok(()) | Err(EngineError::Home { .. }) => {}
            Err(error) => return Err(error),
        }
        if anchor.symlink_metadata().is_ok() {
            std::fs::remove_file(&anchor)
                .map_err(EngineError::io(format!("removing {}", anchor.display())))?;
        }
        publish(&draft.file(), &target)?;
        drop((draft, held));
        let mut session = Self::open_unanchored(setting, unlock)?;
        let change = Change {
            kind: ChangeKind::Restore,
            subjects: Vec::new(),
            detail: "the whole vault; records after the backup are not in this log".to_owned(),
        };
        session.vault.note(&mut session.journal, &change)?;
        report.tokens = session.revoke_all_tokens()?;
        Ok((session, report))
    }
}

/// A backup, read into a store of its own and opened.
struct Source {
    vault: Vault,
    journal: ChainJournal,
}

impl Source {
    fn read(
        draft: &Draft,
        setting: &Setting,
        options: &RestoreOptions,
        unlock: &Unlock,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, EngineError> {
        let mut input = open(&options.file)?;
        let mut trailer: Option<Trailer> = None;
        let store = SqliteStore::create_with(&draft.file(), &CreateOptions::default(), |store| {
            trailer = Some(read_backup(&mut input, store, progress)?);
            Ok::<_, EngineError>(())
        })?;
        drop(store);
        let store = SqliteStore::open(&draft.file(), &StoreOptions::default())?;
        let rng = Arc::clone(&setting.effects.rng);
        let unverified = Vault::open(Box::new(store), Arc::clone(&rng), unlock).map_err(
            |error| match error {
                VaultError::WrongKey { .. } | VaultError::NoSlot { .. } => EngineError::BackupKey {
                    path: options.file.clone(),
                },
                other => other.into(),
            },
        )?;
        if !trailer.is_some_and(|trailer| unverified.vouches_for(&trailer)) {
            return Err(VaultError::Backup {
                reason: "it was not written by a holder of its keys".to_owned(),
            }
            .into());
        }
        let keys = Arc::new(ring(unverified.id(), unverified.audit_epochs())?);
        let chain = Arc::new(Mutex::new(Chain::open(keys, None)?));
        let clock = Arc::clone(&setting.effects.clock);
        let mut journal = ChainJournal::new(chain, None, (rng, clock), setting.effects.operator());
        let mut vault = unverified.verify(&mut journal)?;
        vault.verify_all(&mut journal, &mut |_| ())?;
        Ok(Self { vault, journal })
    }

    /// Leaves out every slot but the one that opened the backup.
    fn revoke_others(&mut self) -> Result<Vec<String>, EngineError> {
        let missing = || VaultError::SlotMissing {
            name: "that opened the backup".to_owned(),
        };
        let opened = self.vault.slot().map(|slot| slot.id).ok_or_else(missing)?;
        let slots = self.vault.slots(&mut self.journal)?;
        self.vault
            .rotate_to(&mut self.journal, opened, &mut |_| Ok(()))?;
        let others = slots.into_iter().filter(|slot| slot.id != opened);
        Ok(others.map(|slot| slot.label).collect())
    }

    fn names(&mut self) -> Result<Vec<String>, EngineError> {
        let workspaces: Vec<_> = self.vault.workspaces().cloned().collect();
        let mut names = Vec::new();
        for workspace in workspaces {
            let heads = self.vault.list(&mut self.journal, &workspace)?;
            let live = heads.into_iter().filter(|head| head.removed.is_none());
            names.extend(live.map(|head| {
                let scope = Scope {
                    workspace: workspace.clone(),
                    group: head.group,
                };
                format!("{scope} {}", head.key)
            }));
        }
        Ok(names)
    }

    /// The current version of a secret as a change to another vault.
    fn patch(&mut self, scope: &Scope, head: &subrosa_vault::Head) -> Result<Patch, EngineError> {
        let located = self.located(scope, head)?;
        let mut values = Vec::new();
        for field in head.current().values.keys() {
            values.push(NewValue {
                field: field.clone(),
                value: self
                    .vault
                    .open_value(&mut self.journal, &located, field, None)?,
                about: head.fields.get(field).cloned(),
            });
        }
        Ok(Patch {
            values,
            remove_fields: Vec::new(),
            tags: Some(head.tags.clone()),
            note: Some(head.note.clone()),
            url: Some(head.url.clone()),
            expires: Some(head.expires),
            bindings: head
                .bindings
                .iter()
                .map(|(field, var)| (field.clone(), Some(var.clone())))
                .collect(),
            pin: head.pin.clone(),
        })
    }

    fn located(
        &mut self,
        scope: &Scope,
        head: &subrosa_vault::Head,
    ) -> Result<subrosa_vault::Located, EngineError> {
        let found = self.vault.find(&mut self.journal, scope, &head.key)?;
        found.ok_or_else(|| {
            VaultError::Missing {
                key: head.key.clone(),
                scope: scope.clone(),
            }
            .into()
        })
    }
}

/// Whether two secrets have the same current values.
fn same(
    vault: &mut Vault,
    journal: &mut ChainJournal,
    there: &subrosa_vault::Located,
    source: &mut Source,
    scope: &Scope,
    head: &subrosa_vault::Head,
) -> Result<bool, EngineError> {
    let (ours, theirs) = (&there.head.current().values, &head.current().values);
    if !ours.keys().eq(theirs.keys()) {
        return Ok(false);
    }
    let located = source.located(scope, head)?;
    for field in theirs.keys() {
        let one = vault.open_value(journal, there, field, None)?;
        let other = source
            .vault
            .open_value(&mut source.journal, &located, field, None)?;
        if !subrosa_egress::danger::same(&one, &other) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A folder beside the vault in which a backup is read, and which is gone afterwards. What a
/// killed process left there is nobody's: everything in it is ciphertext.
struct Draft {
    folder: PathBuf,
}

impl Draft {
    fn new(data: &Path) -> Result<Self, EngineError> {
        Folder::create(data)?;
        let folder = data.join("restoring");
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(EngineError::io(format!("removing {}", folder.display()))(
                    error,
                ));
            }
            _ => {}
        }
        Folder::create(&folder)?;
        Ok(Self { folder })
    }

    fn file(&self) -> PathBuf {
        self.folder.join("vault.db")
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn open(path: &Path) -> Result<BufReader<File>, EngineError> {
    let file = File::open(path).map_err(EngineError::io(format!("opening {}", path.display())))?;
    Ok(BufReader::new(file))
}

/// Moves a finished file to its name, unless there is something, and makes the move durable.
fn publish(from: &Path, to: &Path) -> Result<(), EngineError> {
    let what = || format!("moving {} into place", to.display());
    renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(|errno| match errno {
        Errno::EXIST => {
            EngineError::usage(format!("{} exists; it was left as it is", to.display()))
        }
        errno => EngineError::io(what())(errno.into()),
    })?;
    let folder = to
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let folder = File::open(folder).map_err(EngineError::io(what()))?;
    folder.sync_all().map_err(EngineError::io(what()))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
