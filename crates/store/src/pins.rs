//! Which root each vault folder is known to have, kept outside of the folder.
//!
//! Whoever can write to a vault folder could put a vault of their own there. The fingerprint of the
//! root that was seen last, kept elsewhere, tells. One small file for each folder:
//!
//! ```text
//! subrosa-pin 1
//! folder 2f686f6d652f752f7661756c74
//! vault 000102030405060708090a0b0c0d0e0f
//! current 64 hexadecimal digits
//! next 64 hexadecimal digits, or no such line
//! ```

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use subrosa_model::{Digest, VaultId};

use crate::error::FileError;
use crate::files::{Existing, read_bounded, write_in};
use crate::folder::Folder;

const FIRST_LINE: &str = "subrosa-pin 1";
/// Longest pin file, in bytes: a path of 4 KiB in hexadecimal and the rest.
const LENGTH_MAX: usize = 16 * 1024;
/// The file whose lock [`Pins::hold`] takes. It stays empty.
const LOCK: &str = ".lock";

/// What is known of the vault in one folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinRecord {
    /// The vault.
    pub vault: VaultId,
    /// Fingerprint of its root key.
    pub current: Digest,
    /// Fingerprint of the root key that a rotation is about to make current. Either is right while
    /// it is there: a rotation may be killed before or after it takes effect.
    pub next: Option<Digest>,
}

impl PinRecord {
    /// Reads the text of a pin file: the folder's path, as bytes, and what is known of it.
    ///
    /// Strict: what this program does not write it does not read.
    ///
    /// # Errors
    /// What is wrong with the text, without quoting it.
    pub fn parse(text: &[u8]) -> Result<(Vec<u8>, Self), &'static str> {
        let text = std::str::from_utf8(text).map_err(|_| "it is not text")?;
        let text = text.strip_suffix('\n').ok_or("its last line is cut off")?;
        let mut lines = text.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err("its first line is not `subrosa-pin 1`");
        }
        let mut line = |name: &str| {
            let (found, value) = lines.next()?.split_once(' ')?;
            (found == name).then_some(value)
        };
        let folder = line("folder")
            .and_then(bytes_of_hex)
            .ok_or("its folder cannot be read")?;
        let vault = line("vault")
            .and_then(VaultId::from_hex)
            .ok_or("its vault cannot be read")?;
        let current = line("current")
            .and_then(Digest::from_hex)
            .ok_or("its current root cannot be read")?;
        let next = match lines.next() {
            None => None,
            Some(rest) => {
                let digits = rest.strip_prefix("next ").ok_or("it has an unknown line")?;
                Some(Digest::from_hex(digits).ok_or("its next root cannot be read")?)
            }
        };
        if lines.next().is_some() {
            return Err("it has lines too many");
        }
        Ok((
            folder,
            Self {
                vault,
                current,
                next,
            },
        ))
    }

    /// The text of the pin file of this folder.
    #[must_use]
    pub fn to_text(&self, folder: &[u8]) -> String {
        let mut text = format!("{FIRST_LINE}\nfolder ");
        for byte in folder {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        let _ = write!(text, "\nvault {}\ncurrent {}\n", self.vault, self.current);
        if let Some(next) = self.next {
            let _ = writeln!(text, "next {next}");
        }
        text
    }
}

/// While it lives, no other process that asks for it changes a pin.
#[derive(Debug)]
#[must_use = "the pins are let go of when it is dropped"]
pub struct PinsHeld {
    _file: OwnedFd,
}

/// The known roots of vaults. Folders are told apart by their real path.
#[derive(Debug)]
pub struct Pins {
    folder: Folder,
}

impl Pins {
    /// The pins in `folder`, which is made when it is missing. It must be outside of any vault
    /// folder.
    ///
    /// # Errors
    /// [`FileError`], as for any folder of ours.
    pub fn at(folder: &Path) -> Result<Self, FileError> {
        Ok(Self {
            folder: Folder::create(folder)?,
        })
    }

    /// Waits until no other process holds the pins, and holds them.
    ///
    /// A root and its pin are two files: who changes both, or settles one by the other, does so
    /// while nobody else does. Whoever is killed lets go.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn hold(&self) -> Result<PinsHeld, FileError> {
        let path = self.folder.path().join(LOCK);
        let failed = |errno| FileError::from_os(&path, errno);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(self.folder.fd(), LOCK, flags, mode).map_err(failed)?;
        loop {
            match rustix::fs::flock(&file, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(PinsHeld { _file: file }),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
    }

    /// What is known of the vault in this folder; `None` when nothing is.
    ///
    /// # Errors
    /// [`FileError::Damaged`] when there is something that cannot be read: that is no reason to
    /// trust a vault as if it were seen for the first time.
    pub fn get(&self, vault: &Path) -> Result<Option<PinRecord>, FileError> {
        let (key, name) = self.name(vault)?;
        let path = self.folder.path().join(&name);
        let name = OsStr::new(&name);
        if self.folder.check_file(name)?.is_none() {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.folder.fd(), name, flags, Mode::empty())
            .map_err(|e| FileError::from_os(&path, e))?;
        let text = read_bounded(&path, &file, LENGTH_MAX)?;
        let damaged = |reason| FileError::Damaged {
            path: path.clone(),
            reason,
        };
        let (folder, record) = PinRecord::parse(&text).map_err(damaged)?;
        if folder != key {
            return Err(damaged("it speaks of another folder"));
        }
        Ok(Some(record))
    }

    /// Replaces what is known of the vault in this folder, durably.
    ///
    /// # Errors
    /// [`FileError`]; then what was known before still is.
    pub fn set(&self, vault: &Path, record: &PinRecord) -> Result<(), FileError> {
        let (key, name) = self.name(vault)?;
        let path = self.folder.path().join(&name);
        let text = record.to_text(&key);
        let name = OsStr::new(&name);
        // What stands there already must be safe too, so that a planted link is reported.
        self.folder.check_file(name)?;
        write_in(
            self.folder.fd(),
            &path,
            name,
            text.as_bytes(),
            0o600,
            Existing::Replace,
        )
    }

    /// Forgets the vault in this folder.
    ///
    /// # Errors
    /// [`FileError`]. Nothing known is no error.
    pub fn forget(&self, vault: &Path) -> Result<(), FileError> {
        let (_, name) = self.name(vault)?;
        match rustix::fs::unlinkat(self.folder.fd(), &name, AtFlags::empty()) {
            Ok(()) => self.folder.sync(),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(FileError::from_os(&self.folder.path().join(name), errno)),
        }
    }

    /// The folder's real path and the name of its pin file.
    fn name(&self, vault: &Path) -> Result<(Vec<u8>, String), FileError> {
        let real: PathBuf = std::fs::canonicalize(vault).map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                FileError::Missing {
                    path: vault.to_path_buf(),
                }
            } else {
                FileError::Failed {
                    path: vault.to_path_buf(),
                    source,
                }
            }
        })?;
        let key = real.as_os_str().as_bytes().to_vec();
        let name = format!("{:032x}.pin", spread(&key));
        Ok((key, name))
    }
}

/// FNV-1a with 128 bits: only spreads names. Two paths that met would be told apart by the path in
/// the file. Source: RFC 9923 §2, §5.
fn spread(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    })
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect()
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
