//! What is executed is what was checked.

use std::os::unix::fs::{MetadataExt, chown};

use rustix::process::geteuid;

use super::*;
use crate::{Ending, Resolved};

fn folder(parent: &Path, name: &str, mode: u32) -> PathBuf {
    let path = parent.join(name);
    #[allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]
    std::fs::create_dir(&path).expect("a folder is made");
    make_mode(&path, mode);
    path
}

fn find(folders: &[&Path], name: &str) -> Result<Resolved, RunError> {
    let path = SearchPath::new(folders.iter().map(|folder| folder.to_path_buf()));
    path.resolve(OsStr::new(name), Path::new("/"))
}

const TOOL: &str = "#!/bin/sh\necho tool\n";

#[test]
fn a_folder_that_others_write_to_is_passed_over() {
    let root = scratch();
    let open = folder(root.path(), "open", 0o777);
    let group = folder(root.path(), "group", 0o775);
    let safe = folder(root.path(), "safe", 0o755);
    script(&open, "tool", "#!/bin/sh\necho hijacked\n");
    let good = script(&safe, "tool", TOOL);
    let found = find(&[&open, &safe], "tool").expect("the safe one is found");
    assert_eq!(
        found.executable(),
        std::fs::canonicalize(&good).expect("is there")
    );
    assert_eq!(found.passed_over().len(), 1);
    assert_eq!(found.passed_over()[0].0, open);
    let error = find(&[&open], "tool").expect_err("alone it is refused");
    assert!(matches!(error, RunError::Unsafe { .. }));
    assert_eq!(error.exit_status(), 125);
    // A group of another number may have members; ours alone does not, and root's group is root's.
    if geteuid().is_root() {
        chown(&group, None, Some(12)).expect("a group is set");
        make_mode(&group, 0o775);
        script(&group, "tool", TOOL);
        assert!(matches!(
            find(&[&group], "tool"),
            Err(RunError::Unsafe { .. })
        ));
    }
}

#[test]
fn a_folder_above_counts() {
    let root = scratch();
    let open = folder(root.path(), "open", 0o777);
    let inner = folder(&open, "inner", 0o755);
    script(&inner, "tool", TOOL);
    assert!(matches!(
        find(&[&inner], "tool"),
        Err(RunError::Unsafe { .. })
    ));
    // Others add to a sticky folder, and cannot replace what is ours in it.
    make_mode(&open, 0o1777);
    assert!(find(&[&inner], "tool").is_ok());
}

#[test]
fn a_file_that_others_may_change_is_refused() {
    let root = scratch();
    let path = script(root.path(), "tool", TOOL);
    make_mode(&path, 0o777);
    assert!(matches!(
        find(&[root.path()], "tool"),
        Err(RunError::Unsafe { .. })
    ));
    make_mode(&path, 0o4755);
    assert!(matches!(
        find(&[root.path()], "tool"),
        Err(RunError::Unsafe { .. })
    ));
    make_mode(&path, 0o755);
    assert!(find(&[root.path()], "tool").is_ok());
    if geteuid().is_root() {
        chown(&path, Some(65534), None).expect("an owner is set");
        assert!(matches!(
            find(&[root.path()], "tool"),
            Err(RunError::Unsafe { .. })
        ));
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]
fn links_are_followed_and_their_ends_checked() {
    let root = scratch();
    let safe = folder(root.path(), "safe", 0o755);
    let open = folder(root.path(), "open", 0o777);
    let real = script(&safe, "real", TOOL);
    script(&open, "bad", TOOL);
    std::os::unix::fs::symlink(&real, safe.join("link")).expect("a link");
    std::os::unix::fs::symlink(open.join("bad"), safe.join("trap")).expect("a link");
    std::os::unix::fs::symlink(safe.join("nowhere"), safe.join("dangling")).expect("a link");
    let found = find(&[&safe], "link").expect("is found");
    assert_eq!(
        found.executable(),
        std::fs::canonicalize(&real).expect("is there")
    );
    assert_eq!(found.requested(), "link");
    assert!(matches!(
        find(&[&safe], "trap"),
        Err(RunError::Unsafe { .. })
    ));
    assert!(matches!(
        find(&[&safe], "dangling"),
        Err(RunError::NotFound { .. })
    ));
}

#[test]
fn statuses_as_env_has_them() {
    let root = scratch();
    let status = |name: &str| {
        find(&[root.path()], name)
            .expect_err("is refused")
            .exit_status()
    };
    assert_eq!(status("missing"), 127);
    assert_eq!(status(""), 127);
    assert_eq!(status("a\0b"), 127);
    assert_eq!(status("/nowhere/at/all"), 127);
    put(&root.path().join("plain"), b"text");
    assert_eq!(status("plain"), 126);
    script(root.path(), "headless", "echo no interpreter\n");
    assert_eq!(status("headless"), 126);
    folder(root.path(), "folder", 0o755);
    assert_eq!(status("folder"), 126);
    // A plain file does not hide the program in the next folder.
    script(&folder(root.path(), "next", 0o755), "plain", TOOL);
    assert!(find(&[root.path(), &root.path().join("next")], "plain").is_ok());
}

#[test]
fn relative_and_empty_entries_do_not_count() {
    let root = scratch();
    script(root.path(), "tool", TOOL);
    let path = SearchPath::parse(OsStr::new(":.:bin::relative/dir"));
    assert_eq!(path.to_os_string(), "");
    let found = path.resolve(OsStr::new("tool"), root.path());
    assert!(matches!(found, Err(RunError::NotFound { .. })));
    assert!(path.resolve(OsStr::new("./tool"), root.path()).is_ok());
}

fn start(resolved: Resolved) -> Result<Ran, RunError> {
    let (console, output, error) = buffers();
    let environment = Environment::inherit([], &[], &SearchPath::default())?;
    let command = Command::new(resolved, [], Path::new("/"), environment, limits())?;
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty())?;
    Ok(Ran {
        report: running.pump(&BootClock)?,
        output,
        error,
    })
}

#[test]
fn a_script_that_was_replaced_is_not_executed() {
    let root = scratch();
    script(root.path(), "tool", TOOL);
    assert_eq!(
        start(find(&[root.path()], "tool").expect("is found"))
            .expect("runs")
            .output
            .text(),
        "tool\n"
    );
    let found = find(&[root.path()], "tool").expect("is found");
    let marker = root.path().join("marker");
    let other = script(
        root.path(),
        "other",
        &format!("#!/bin/sh\ntouch {}\n", marker.display()),
    );
    #[allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]
    std::fs::rename(other, root.path().join("tool")).expect("is renamed");
    assert!(found.open().is_err());
    let error = start(found).err().expect("is refused");
    assert!(matches!(error, RunError::Replaced { .. }), "{error}");
    assert!(!marker.exists());
}

#[test]
fn a_program_that_was_replaced_is_executed_as_it_was_checked() {
    let root = scratch();
    let path = root.path().join("tool");
    put(&path, &std::fs::read("/bin/echo").expect("is readable"));
    make_mode(&path, 0o755);
    let found = find(&[root.path()], "tool").expect("is found");
    let other = script(root.path(), "other", "#!/bin/sh\necho replaced\n");
    #[allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]
    std::fs::rename(other, &path).expect("is renamed");
    let ran = start(found).expect("runs");
    assert_eq!(ran.output.text(), "\n", "echo without arguments");
    assert_eq!(ran.report.ending, Ending::Exited(0));
}

#[test]
fn a_program_that_was_changed_in_place_is_not_executed() {
    let root = scratch();
    let path = root.path().join("tool");
    put(&path, &std::fs::read("/bin/echo").expect("is readable"));
    make_mode(&path, 0o755);
    let found = find(&[root.path()], "tool").expect("is found");
    put(&path, &std::fs::read("/bin/true").expect("is readable"));
    let error = start(found).err().expect("is refused");
    assert!(matches!(error, RunError::Replaced { .. }), "{error}");
}

#[test]
fn the_checked_file_can_be_read() {
    let found = find(&[Path::new("/usr/bin")], "env").expect("is found");
    let state = found.open().expect("opens").metadata().expect("is there");
    assert_eq!(
        (state.ino(), state.size()),
        (found.identity().inode, found.identity().size)
    );
}

#[test]
fn a_directory_that_is_none() {
    let resolved = find(&[Path::new("/usr/bin")], "env").expect("is found");
    let environment = Environment::inherit([], &[], &SearchPath::default()).expect("is built");
    let outcome = Command::new(
        resolved,
        [],
        Path::new("/etc/passwd"),
        environment,
        limits(),
    );
    assert!(matches!(outcome, Err(RunError::Directory { .. })));
}
