//! The main job, through the engine alone: a secret is stored, a command uses it, the output shows
//! none of it, and the log proves it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests own their effects"
)]

mod ambient;
mod masking;
mod tricks;

use std::ffi::OsString;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex};

use subrosa_audit::{Filter, Format};
use subrosa_crypto::{Argon2Params, SecretBuf};
use subrosa_egress::{DocumentForm, Sensitive};
use subrosa_engine::import::{Conflict, ImportForm, ImportOptions, Source, World};
use subrosa_engine::{
    Effects, EngineError, Home, InitOptions, RestoreOptions, RunOptions, Session, Setting,
};
use subrosa_model::{FieldName, Inject, KeyName, ProcessLimits, Scope};
use subrosa_runner::{Console, Outlet};
use subrosa_vault::{Mode, NewValue, Patch, Unlock, VaultError};

const CANARY: &[u8] = b"canary-7f3k9q2m-value";
const PASSPHRASE: &[u8] = b"correct horse battery staple";

fn setting(root: &Path) -> Setting {
    let home = Home {
        data: root.join("data"),
        state: root.join("state"),
        config: root.join("config"),
        runtime: root.join("run"),
        pins: Some(root.join("pins")),
    };
    let scope = Scope {
        workspace: Scope::default_workspace(),
        group: None,
    };
    Setting {
        home,
        effects: Effects::system(),
        scope,
        accept_root: false,
        inspect: false,
    }
}

fn secret(bytes: &[u8]) -> SecretBuf {
    SecretBuf::copy_from(bytes).unwrap()
}

fn unlock() -> Unlock {
    Unlock::Passphrase(secret(PASSPHRASE))
}

fn init(root: &Path) -> Session {
    let options = InitOptions {
        passphrase: secret(PASSPHRASE),
        recovery: true,
        params: Some(Argon2Params::FLOOR),
    };
    let (session, code) = Session::init(setting(root), options).unwrap();
    assert!(code.is_some());
    session
}

fn open(root: &Path) -> Result<Session, EngineError> {
    Session::open(setting(root), &unlock())
}

fn key(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

fn set(session: &mut Session, name: &str, bytes: &[u8]) {
    let value = Sensitive::input(secret(bytes));
    let new = NewValue {
        field: FieldName::default_field(),
        value,
        about: None,
    };
    session
        .set(
            &key(name),
            &Patch {
                values: vec![new],
                ..Patch::default()
            },
            Mode::Upsert,
        )
        .unwrap();
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn options(command: &[&str], patterns: &[&str], inject: Option<Inject>) -> RunOptions {
    RunOptions {
        command: command.iter().map(OsString::from).collect(),
        patterns: patterns.iter().map(ToString::to_string).collect(),
        binds: Vec::new(),
        env_files: Some(Vec::new()),
        inject,
        pass: Vec::new(),
        limits: ProcessLimits::default(),
        variables: vec![("PATH".into(), "/usr/bin:/bin".into())],
        directory: "/".into(),
        mask: None,
        inherited: None,
    }
}

fn run(session: &mut Session, options: RunOptions) -> Result<(u8, String), EngineError> {
    let (out, err) = (Buffer::default(), Buffer::default());
    let none: Option<OwnedFd> = None;
    let console = Console::new(none, Outlet::writer(out.clone()), Outlet::writer(err));
    let outcome = session.run(options, console)?;
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    Ok((outcome.report.exit_status(), text))
}

fn exported(session: &mut Session) -> Vec<String> {
    let mut out = Vec::new();
    session
        .export_log(Format::Jsonl, &Filter::default(), &mut out)
        .unwrap();
    String::from_utf8(out)
        .unwrap()
        .lines()
        .map(ToOwned::to_owned)
        .collect()
}

const RULE: &str = r#"
version: 1
rules:
  - allow: run
    command: sh
    args: ["-c", "echo $API_KEY"]
    secrets: ["api/key"]
    inject: env
"#;

#[test]
fn a_command_uses_a_secret_and_its_output_shows_none_of_it() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    set(&mut session, "api/key", CANARY);
    session.close().unwrap();

    let mut session = open(root.path()).unwrap();
    let wanted = || options(&["sh", "-c", "echo $API_KEY"], &["api/key"], None);
    let error = run(&mut session, wanted()).unwrap_err();
    assert!(matches!(error, EngineError::Refused(_)), "{error}");
    assert!(
        error.remedy().unwrap().contains("inject: env"),
        "{:?}",
        error.remedy()
    );
    session.apply_policy(RULE, false).unwrap();
    session.close().unwrap();

    let mut session = open(root.path()).unwrap();
    assert_eq!(
        run(&mut session, wanted()).unwrap(),
        (0, "[REDACTED:api/key]\n".to_owned())
    );
    let other = options(&["sh", "-c", "echo $API_KEY again"], &["api/key"], None);
    assert!(matches!(
        run(&mut session, other),
        Err(EngineError::Refused(_))
    ));

    let report = session.verify_log(&mut |_, _| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    let text = exported(&mut session);
    let told = |what: &str| text.iter().filter(|line| line.contains(what)).count();
    assert_eq!((told("\"deny\""), told("\"allow\"")), (2, 1), "{text:#?}");
    assert_eq!(told("\"exited\""), 1);
    assert!(text.iter().any(|line| line.contains("\"redactions\":1")));
    assert!(!text.iter().any(|line| line.contains("canary")));
}

#[test]
fn values_are_read_and_exported_with_presence_alone() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    set(&mut session, "api/key", CANARY);
    let file = root.path().join("laptop.key");
    session.add_key_file("laptop", &file).unwrap();
    let mut out = Vec::new();
    session.read_value("api/key", None, &mut out).unwrap();
    assert_eq!(out, CANARY);
    session.close().unwrap();

    let content = std::fs::read(&file).unwrap();
    let mut ambient =
        Session::open(setting(root.path()), &Unlock::KeyFile(secret(&content))).unwrap();
    let mut out = Vec::new();
    let error = ambient.read_value("api/key", None, &mut out).unwrap_err();
    assert!(
        matches!(&error, EngineError::Refused(refusal) if refusal.rule == "presence"),
        "{error}"
    );
    let error = ambient
        .export(&[], DocumentForm::Json, &mut out)
        .unwrap_err();
    assert!(matches!(error, EngineError::Refused(_)));
    assert!(out.is_empty());
    for error in [
        ambient.rotate().unwrap_err(),
        ambient
            .backup(&root.path().join("b"), &mut |_| ())
            .unwrap_err(),
        ambient
            .add_passphrase("mine", secret(b"a new passphrase"))
            .unwrap_err(),
        ambient.apply_policy(RULE, false).unwrap_err(),
        ambient.purge(&key("api/key")).unwrap_err(),
    ] {
        assert!(matches!(error, EngineError::Presence { .. }), "{error}");
    }
}

#[test]
fn what_is_exported_is_imported_again() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    let strange = b"a \"quoted\" $value\\ with `ticks`\nand lines\t\x07";
    set(&mut session, "APP_KEY", CANARY);
    set(&mut session, "STRANGE", strange);
    set(&mut session, "BINARY", b"\xff\xfe\x00\x01 not text at all");
    for (form, import) in [
        (DocumentForm::Json, ImportForm::Json),
        (DocumentForm::Dotenv, ImportForm::Dotenv),
    ] {
        let mut out = Vec::new();
        session.export(&[], form, &mut out).unwrap();
        let options = ImportOptions {
            form: Some(import),
            what: "export".to_owned(),
            prefix: String::new(),
            conflict: Conflict::Fail,
            dry_run: true,
            all: false,
            world: World::default(),
        };
        let report = session
            .import(Source::Stream(&mut &out[..]), &options)
            .unwrap();
        assert_eq!(report.unchanged.len(), 3, "{report:?}");
    }
}

#[test]
fn a_backup_restores_whole_and_into_a_vault() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    set(&mut session, "api/key", CANARY);
    let file = root.path().join("vault.backup");
    session.backup(&file, &mut |_| ()).unwrap();
    set(&mut session, "later", b"value-from-later");
    session.close().unwrap();

    let restore = RestoreOptions {
        file: file.clone(),
        conflict: Conflict::Fail,
    };
    let there = Session::restore_whole(setting(root.path()), &restore, &unlock(), &mut |_| ());
    assert!(matches!(there, Err(EngineError::VaultExists { .. })));
    std::fs::remove_dir_all(root.path().join("data")).unwrap();
    let (mut session, report) =
        Session::restore_whole(setting(root.path()), &restore, &unlock(), &mut |_| ()).unwrap();
    assert_eq!(report.restored, ["default api/key"]);
    let mut out = Vec::new();
    session.read_value("api/key", None, &mut out).unwrap();
    assert_eq!(out, CANARY);
    assert!(session.verify_log(&mut |_, _| ()).unwrap().is_sound());

    // Into a vault that went on: what is the same is kept, what differs is asked about.
    set(&mut session, "api/key", b"a-newer-value-of-it");
    let clash = session.restore_into(&restore, &unlock(), &mut |_| ());
    assert!(matches!(clash, Err(EngineError::Conflicts { .. })));
    let replace = RestoreOptions {
        conflict: Conflict::Replace,
        ..restore.clone()
    };
    session
        .restore_into(&replace, &unlock(), &mut |_| ())
        .unwrap();
    let mut out = Vec::new();
    session.read_value("api/key", None, &mut out).unwrap();
    assert_eq!(out, CANARY);
    assert_eq!(session.history(&key("api/key")).unwrap().len(), 3);
}

#[test]
fn restoring_brings_no_removed_slot_back() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    set(&mut session, "api/key", CANARY);
    let key_file = root.path().join("laptop.key");
    session.add_key_file("laptop", &key_file).unwrap();
    let content = std::fs::read(&key_file).unwrap();
    let file = root.path().join("vault.backup");
    session.backup(&file, &mut |_| ()).unwrap();
    session.remove_slot("laptop").unwrap();
    session.close().unwrap();
    std::fs::remove_dir_all(root.path().join("data")).unwrap();

    let restore = RestoreOptions {
        file,
        conflict: Conflict::Fail,
    };
    let (session, report) =
        Session::restore_whole(setting(root.path()), &restore, &unlock(), &mut |_| ()).unwrap();
    assert_eq!(report.left_out, ["recovery", "laptop"]);
    session.close().unwrap();
    let ambient = Session::open(setting(root.path()), &Unlock::KeyFile(secret(&content)));
    assert!(matches!(
        ambient,
        Err(EngineError::Vault(VaultError::NoSlot { .. }))
    ));
    open(root.path()).unwrap();
}

#[test]
fn the_recovery_code_alone_restores_what_was_revoked_since() {
    let root = tempfile::tempdir().unwrap();
    let options = InitOptions {
        passphrase: secret(PASSPHRASE),
        recovery: true,
        params: Some(Argon2Params::FLOOR),
    };
    let (mut session, code) = Session::init(setting(root.path()), options).unwrap();
    let code = || Unlock::Recovery(secret(code.as_ref().unwrap().as_slice()));
    set(&mut session, "api/key", CANARY);
    let file = root.path().join("vault.backup");
    session.backup(&file, &mut |_| ()).unwrap();
    session.rotate().unwrap();
    session.close().unwrap();
    std::fs::remove_dir_all(root.path().join("data")).unwrap();
    let restore = RestoreOptions {
        file,
        conflict: Conflict::Fail,
    };
    let (mut session, report) =
        Session::restore_whole(setting(root.path()), &restore, &code(), &mut |_| ()).unwrap();
    assert_eq!(report.left_out, ["passphrase"]);
    let mut out = Vec::new();
    session.read_value("api/key", None, &mut out).unwrap();
    assert_eq!(out, CANARY);
    session.close().unwrap();
    assert!(open(root.path()).is_err());
}

#[test]
fn keys_are_rotated_and_the_pin_follows() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    set(&mut session, "api/key", CANARY);
    let before = session.fingerprint();
    session.rotate().unwrap();
    assert_ne!(session.fingerprint(), before);
    set(&mut session, "other", CANARY);
    session.close().unwrap();
    let mut session = open(root.path()).unwrap();
    let mut out = Vec::new();
    session.read_value("api/key", None, &mut out).unwrap();
    assert_eq!(out, CANARY);
    assert!(session.verify_log(&mut |_, _| ()).unwrap().is_sound());
}

#[test]
fn row_45_a_forged_vault_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    let file = root.path().join("laptop.key");
    session.add_key_file("laptop", &file).unwrap();
    session.close().unwrap();
    let forge = tempfile::tempdir().unwrap();
    let mut forged = init(forge.path());
    let theirs = forge.path().join("their.key");
    forged.add_key_file("laptop", &theirs).unwrap();
    forged.close().unwrap();

    // In place of ours, opened with the same passphrase: the fingerprint is another.
    let ours = root.path().join("data");
    std::fs::rename(&ours, root.path().join("aside")).unwrap();
    copy_folder(&forge.path().join("data"), &ours);
    assert!(matches!(open(root.path()), Err(EngineError::Forged { .. })));
    // A planted home of its own, whose configuration names the attacker's key file.
    let planted = Setting {
        home: Home {
            pins: Some(root.path().join("pins")),
            ..setting(forge.path()).home
        },
        ..setting(forge.path())
    };
    let content = std::fs::read(&theirs).unwrap();
    let opened = Session::open(planted, &Unlock::KeyFile(secret(&content)));
    assert!(matches!(opened, Err(EngineError::Unpinned { .. })));
    println!("REDTEAM row=45 verdict=held");
}

fn copy_folder(from: &Path, to: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn failed_attempts_reach_the_log() {
    let root = tempfile::tempdir().unwrap();
    init(root.path()).close().unwrap();
    let wrong = Unlock::Passphrase(secret(b"not the passphrase"));
    for _ in 0..3 {
        assert!(Session::open(setting(root.path()), &wrong).is_err());
    }
    let mut session = open(root.path()).unwrap();
    let text = exported(&mut session).join("\n");
    assert_eq!(text.matches("\"opened\":false").count(), 3, "{text}");
    assert!(!text.contains("not the passphrase"));
}

#[test]
fn pruned_records_are_gone_and_the_log_still_verifies() {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    for _ in 0..5 {
        set(&mut session, "api/key", CANARY);
    }
    let later = session.setting().effects.clock.now();
    set(&mut session, "api/key", b"a-newer-value-of-it");
    let removed = session.prune_log(later, &mut |_, _| ()).unwrap();
    assert!(removed >= 6, "{removed}");
    let report = session.verify_log(&mut |_, _| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    session.close().unwrap();
    let mut session = open(root.path()).unwrap();
    assert!(session.verify_log(&mut |_, _| ()).unwrap().is_sound());
}
