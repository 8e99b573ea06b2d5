//! Hyperscan, where its library is: a program in C that is compiled when it is needed.

use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = include_str!("hyperscan.c");

/// Compiles the program into `folder`.
///
/// # Errors
/// Why it is left out, in one line.
pub fn program(folder: &Path) -> Result<PathBuf, String> {
    let (source, program) = (folder.join("hyperscan.c"), folder.join("hyperscan"));
    std::fs::write(&source, SOURCE).map_err(|error| error.to_string())?;
    let done = Command::new("cc")
        .args(["-O2", "-Wall", "-o"])
        .arg(&program)
        .arg(&source)
        .arg("-lhs")
        .output()
        .map_err(|error| format!("no C compiler: {error}"))?;
    if done.status.success() {
        return Ok(program);
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let first = said.lines().find(|line| line.contains("error"));
    Err(format!(
        "it cannot be built: {}. Type: sudo apt-get install libhyperscan-dev",
        first.unwrap_or("no word why")
    ))
}
