//! Secrets that arrive on a file descriptor, or leave on one.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use subrosa_crypto::SecretBuf;

use crate::failure::Failure;

/// Longest passphrase or recovery code, in bytes.
const PROOF_MAX: usize = 4096;

/// The number of a descriptor, as it is typed.
pub(crate) fn number(text: &str) -> Result<u32, &'static str> {
    text.parse()
        .map_err(|_| "the number of a descriptor is wanted, as in: 3 … 3<FILE")
}

/// Reads a proof to the end of a descriptor, straight into locked memory, and drops one final
/// newline: `echo` and editors add one that nobody means.
pub(crate) fn read_proof(number: u32, what: &str) -> Result<SecretBuf, Failure> {
    let mut file = take(number, what)?;
    let mut proof = SecretBuf::read_to_end(&mut file, PROOF_MAX).map_err(|error| {
        Failure::new(
            "descriptor",
            format!("the {what} cannot be read from descriptor {number}: {error}"),
        )
    })?;
    if proof.as_slice().ends_with(b"\n") {
        proof.truncate(proof.len() - 1);
    }
    if proof.is_empty() {
        let text = format!("descriptor {number} holds no {what}: it is at its end");
        return Err(Failure::new("descriptor", text).remedy(example(what)));
    }
    Ok(proof)
}

/// Reads values to the end of a descriptor, straight into locked memory.
pub(crate) fn read_values(number: u32, most: usize) -> Result<SecretBuf, Failure> {
    let mut file = take(number, "values")?;
    SecretBuf::read_to_end(&mut file, most).map_err(|error| {
        let text = format!("the values cannot be read from descriptor {number}: {error}");
        Failure::new("descriptor", text).remedy(example("values"))
    })
}

/// A descriptor that we were started with, as a file of our own.
///
/// It is opened anew by its name, since a number alone says nothing of who owns it.
fn take(number: u32, what: &str) -> Result<File, Failure> {
    let failed = |errno: Errno| {
        let why = match errno {
            Errno::NOENT => "there is no such descriptor".to_owned(),
            Errno::NXIO => "it is a socket; hand over a pipe or a file".to_owned(),
            errno => std::io::Error::from(errno).to_string(),
        };
        Failure::new(
            "descriptor",
            format!("the {what} cannot be read from descriptor {number}: {why}"),
        )
        .remedy(example(what))
    };
    if number == 0 {
        let own = fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3);
        return own.map(File::from).map_err(failed);
    }
    let path = PathBuf::from(format!("/proc/self/fd/{number}"));
    // NONBLOCK for the opening alone: a named pipe whose writer has finished would hold us.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = open(&path, flags, Mode::empty()).map_err(failed)?;
    let now = fcntl_getfl(&opened).map_err(failed)?;
    fcntl_setfl(&opened, now - OFlags::NONBLOCK).map_err(failed)?;
    Ok(File::from(opened))
}

/// A descriptor that a new secret is written to.
pub(crate) struct Outlet {
    number: u32,
    file: File,
}

impl Outlet {
    /// Opens it before there is a secret, so that none is made in vain.
    pub(crate) fn open(number: u32) -> Result<Self, Failure> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
        let opened = match number {
            1 => fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3),
            2 => fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3),
            _ => open(format!("/proc/self/fd/{number}"), flags, Mode::empty()),
        };
        match opened {
            Ok(file) => Ok(Self {
                number,
                file: File::from(file),
            }),
            Err(errno) => {
                let why = std::io::Error::from(errno);
                let text = format!("the secret cannot be written to descriptor {number}: {why}");
                Err(Failure::new("descriptor", text)
                    .remedy("subrosa key add … --secret-fd 4 4>FILE"))
            }
        }
    }

    /// Writes the secret and a newline.
    pub(crate) fn write(&mut self, secret: &SecretBuf) -> Result<(), Failure> {
        let written = self
            .file
            .write_all(secret.as_slice())
            .and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| {
            let number = self.number;
            let text = format!("the secret cannot be written to descriptor {number}: {error}");
            Failure::new("descriptor", text)
        })
    }
}

fn example(what: &str) -> String {
    let option = match what {
        "recovery code" => "--recovery-fd",
        "values" => "redact --known-fd",
        _ => "--passphrase-fd",
    };
    format!("subrosa {option} 3 … 3<FILE")
}
