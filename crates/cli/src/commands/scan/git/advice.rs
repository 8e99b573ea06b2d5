//! What to type where git cannot be asked, or knows nothing of what was typed.

use std::io;
use std::path::Path;

use crate::failure::Failure;
use crate::text::{plain, shell_word};

/// What git is started in must be a folder: else the system says that git is not there.
pub(super) fn is_folder(path: &Path) -> Result<(), Failure> {
    let shown = plain(&path.to_string_lossy()).into_owned();
    let name = shell_word(&shown);
    match path.metadata() {
        Ok(about) if about.is_dir() => Ok(()),
        Ok(_) => Err(Failure::new(
            "git",
            format!("{shown} is a file, and --staged and --history take the folder of a repository"),
        )
        .remedy(format!(
            "Search the whole repository: subrosa scan --history; this file as it is now: subrosa scan {name}"
        ))),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "there is no such folder".to_owned(),
                _ => error.to_string(),
            };
            Err(Failure::new("git", format!("{shown}: {why}")).remedy(format!(
                "A range of commits goes behind an equals sign: subrosa scan --history={name}"
            )))
        }
    }
}

/// What to type where git knows no repository; what else it complains of stays as it is.
pub(super) fn of_no_repository(failure: Failure, folder: &Path) -> Failure {
    if !failure.message.contains("not a git repository") {
        return failure;
    }
    let shown = plain(&folder.to_string_lossy()).into_owned();
    Failure::new("git", format!("{shown} is in no git repository"))
        .remedy("Name the folder of one: subrosa scan --history FOLDER; or search files: subrosa scan FOLDER")
}

/// What to type where git knows no such commits.
pub(super) fn of_no_commits(failure: Failure, range: Option<&str>) -> Failure {
    let unknown = ["bad revision", "unknown revision", "bad object", "Invalid"];
    match range {
        Some(range) if unknown.iter().any(|said| failure.message.contains(said)) => {
            let text = format!("git knows no commits {:?} here", plain(range));
            Failure::new("git", text)
                .remedy("See which branches and tags there are: git branch --all; git tag")
        }
        _ => failure,
    }
}
