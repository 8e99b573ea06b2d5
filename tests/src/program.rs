//! Where the program is.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The program under test: `SUBROSA_BIN`, or the one beside this test.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("SUBROSA_BIN") {
        Some(path) => PathBuf::from(path),
        None => built(),
    })
}

/// The folder of this build: `target/debug` or its like.
pub fn target() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own file");
    let folder = own.parent().expect("it is in a folder");
    match folder.file_name().is_some_and(|name| name == "deps") {
        true => folder.parent().expect("deps is in a folder").to_owned(),
        false => folder.to_owned(),
    }
}

fn built() -> PathBuf {
    let folder = target();
    let program = folder.join("subrosa");
    if is_fresh(&program) {
        return program;
    }
    // Tests are processes of their own and may all come here at once.
    let lock = File::create(folder.join(".subrosa-tests.lock")).expect("the build folder is ours");
    lock.lock().expect("locked");
    if !is_fresh(&program) {
        build(&folder);
    }
    assert!(program.exists(), "{} was not built", program.display());
    program
}

fn build(folder: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args([
            "build",
            "--quiet",
            "--package",
            "subrosa-cli",
            "--target-dir",
        ])
        .arg(
            folder
                .parent()
                .expect("a profile's folder is in the target folder"),
        );
    if folder.ends_with("release") {
        command.arg("--release");
    }
    let done = command.status().expect("cargo runs");
    assert!(done.success(), "the program cannot be built");
}

/// Whether the program is there and no file that it was made of is newer.
fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
    let Some(made) = changed(program) else {
        return false;
    };
    let Ok(sources) = std::fs::read_to_string(program.with_extension("d")) else {
        return false;
    };
    let sources = sources.split_once(": ").map_or("", |(_, sources)| sources);
    sources
        .split_whitespace()
        .all(|file| changed(Path::new(file)).unwrap_or(SystemTime::now()) <= made)
}
