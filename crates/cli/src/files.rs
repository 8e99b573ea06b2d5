//! Files that the user named.
#![allow(
    clippy::disallowed_methods,
    reason = "commands read and write the files that the user names"
)]

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::shell_word;

/// Longest policy that is read, in bytes.
const TEXT_MAX: u64 = 4 * 1024 * 1024;

/// A file to read, or standard input for `-`.
pub(crate) fn source(context: &Context, path: &Path) -> Result<(File, String), Failure> {
    if path == Path::new("-") {
        context.claim_stdin("FILE -")?;
        let own = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3);
        let file = own.map_err(|errno| Failure::io("standard input")(errno.into()))?;
        return Ok((File::from(file), "standard input".to_owned()));
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(Failure::io(format!("{name} cannot be read")))?;
    Ok((file, name))
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn text(context: &Context, path: &Path) -> Result<String, Failure> {
    let (file, name) = source(context, path)?;
    let mut text = String::new();
    let read = file.take(TEXT_MAX + 1).read_to_string(&mut text);
    read.map_err(Failure::io(format!("{name} cannot be read as text")))?;
    if text.len() as u64 > TEXT_MAX {
        return Err(Failure::new(
            "limit",
            format!("{name} is longer than {TEXT_MAX} bytes"),
        ));
    }
    Ok(text)
}

/// Where data goes: a new file that only its owner may read, or standard output.
pub(crate) struct Target {
    pub(crate) file: File,
    path: Option<PathBuf>,
}

impl Target {
    /// A new file at `path`; standard output for `-` or nothing.
    pub(crate) fn new(output: &Output, path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self {
                file: output.data()?,
                path: None,
            });
        };
        let name = path.display().to_string();
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        let file = opened.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Failure::new(
                "file_exists",
                format!("{name} exists already; it was left as it is"),
            )
            .remedy(format!(
                "choose another name, or remove it first: rm {}",
                shell_word(&name)
            )),
            _ => Failure::io(format!("{name} cannot be written"))(error),
        })?;
        Ok(Self {
            file,
            path: Some(path.to_owned()),
        })
    }

    /// Whether it is a file that was made.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Makes a file durable.
    pub(crate) fn keep(self) -> Result<(), Failure> {
        match &self.path {
            Some(path) => {
                let synced = self.file.sync_all();
                synced.map_err(Failure::io(format!("{} cannot be written", path.display())))
            }
            None => Ok(()),
        }
    }

    /// Takes a half-written file away.
    pub(crate) fn discard(self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}
