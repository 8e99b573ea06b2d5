//! A secret that arrives in a variable, and how the variable leaves this process.
//!
//! The variables with which a program was started can be read for as long as it lives, and each
//! child inherits them. So this program starts itself anew without the variable, in the same
//! process: `execve` of `/proc/self/exe` with the same arguments. The secret waits in a socket
//! that stands where standard input was, together with standard input itself. It is received, the
//! input is put back, and no descriptor is left that a child could inherit.
//!
//! The copy in the process that started us stays where it is.
#![allow(
    clippy::disallowed_methods,
    reason = "this program is started anew, in the same process, without the variable"
)]

use std::ffi::{OsStr, OsString};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use subrosa_crypto::SecretBuf;
use subrosa_engine::{SECRET_TEXT_MAX, SlotKind, Source, Unlock, decode_secret};

use crate::failure::Failure;

/// The variable, unless another is named.
pub(crate) const DEFAULT: &str = "SUBROSA_KEY";

/// Says to the program that was started anew what waits for it: the process and the name of the
/// variable. A child that inherits it is another process, and does not heed it.
const WAITING: &str = "SUBROSA_KEY_WAITING";

/// The most that is handed over, in bytes: so much that a longer text is seen to be too long.
const TAKEN_MAX: usize = SECRET_TEXT_MAX + 3;

/// A secret that was in a variable.
pub(crate) struct Arrived {
    /// The variable.
    pub(crate) name: String,
    text: SecretBuf,
}

impl Arrived {
    pub(crate) fn unlock(&self) -> Result<Unlock, Failure> {
        let what = format!("the variable {}", self.name);
        let source = Source {
            kind: SlotKind::Environment,
            what: &what,
        };
        Ok(Unlock::Environment(decode_secret(&self.text, source)?))
    }
}

/// The secret of the first of these variables that is set.
///
/// Does not return in a process that has any of them: it starts anew without them, and there this
/// function returns the secret. Called before any child and any thread is started.
pub(crate) fn take(names: &[&str]) -> Result<Option<Arrived>, Failure> {
    if let Some(name) = waiting() {
        return receive(name).map(Some);
    }
    let Some((name, value)) = names
        .iter()
        .find_map(|name| Some((*name, std::env::var_os(name)?)))
    else {
        return Ok(None);
    };
    let mut text = SecretBuf::take(value.into_vec())?;
    text.truncate(TAKEN_MAX);
    Err(start_anew(name, &text, names))
}

/// The name of the variable whose secret waits for this very process.
fn waiting() -> Option<String> {
    let told = std::env::var(WAITING).ok()?;
    let (process, name) = told.split_once(' ')?;
    (process == std::process::id().to_string()).then(|| name.to_owned())
}

/// Becomes this program without the variables; returns why that failed.
fn start_anew(name: &str, text: &SecretBuf, names: &[&str]) -> Failure {
    let failed = |what: &str, error: std::io::Error| {
        Failure::new(
            "variable",
            format!("the variable {name} cannot be put out of reach: {what}: {error}"),
        )
        .remedy("hand the secret over otherwise: subrosa --help, \"Opening the vault\"")
    };
    let (input, _other) = match wrapped(text) {
        Ok(ends) => ends,
        Err(errno) => return failed("a socket for it", errno.into()),
    };
    if let Err(errno) = rustix::stdio::dup2_stdin(&input) {
        return failed("standard input", errno.into());
    }
    let kept = std::env::vars_os()
        .filter(|(known, _)| known != WAITING && !names.iter().any(|name| known == name));
    let mut words = std::env::args_os();
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(words.next().unwrap_or_else(|| OsString::from("subrosa")))
        .args(words)
        .env_clear()
        .envs(kept)
        .env(WAITING, format!("{} {name}", std::process::id()));
    failed("starting anew", command.exec())
}

/// A socket in which the text and standard input wait, and its other end.
fn wrapped(text: &SecretBuf) -> Result<(OwnedFd, OwnedFd), Errno> {
    let (input, other) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    let descriptors = [rustix::stdio::stdin()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    // A byte of its own in front: an empty message could not be told from the end.
    let parts = [IoSlice::new(b"="), IoSlice::new(text.as_slice())];
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    sendmsg(&other, &parts, &mut ancillary, flags)?;
    Ok((input, other))
}

/// Takes what waits, and puts standard input back.
fn receive(name: String) -> Result<Arrived, Failure> {
    let failed = |errno: Errno| {
        Failure::new(
            "variable",
            format!("the secret of the variable {name} did not arrive: {errno}"),
        )
        .remedy(format!("unset {WAITING}, and run the command again"))
    };
    let mut text = SecretBuf::zeroed(TAKEN_MAX)?;
    let mut mark = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(
        rustix::stdio::stdin(),
        &mut [
            IoSliceMut::new(&mut mark),
            IoSliceMut::new(text.as_mut_slice()),
        ],
        &mut ancillary,
        RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
    )
    .map_err(failed)?;
    let input = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut passed) => passed.next(),
        _ => None,
    });
    let (Some(input), Some(length)) = (input, got.bytes.checked_sub(1)) else {
        return Err(failed(Errno::BADMSG));
    };
    rustix::stdio::dup2_stdin(&input).map_err(failed)?;
    text.truncate(length);
    // The system names a process after the file that it was started from.
    let _ = rustix::thread::set_name(c"subrosa");
    Ok(Arrived { name, text })
}

/// Refuses a name that is none, or that the system or a program reads for something else.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    if is_fit(name) {
        return Ok(());
    }
    // What was typed is not repeated: it could be the secret itself.
    let text = "that is no name of a variable that could hold a secret";
    Err(Failure::usage(text).remedy("choose another: 1 to 64 of A-Z a-z 0-9 _"))
}

fn is_fit(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(plain)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name != "PATH"
        && !subrosa_engine::inherited(OsStr::new(name))
        && (name == DEFAULT || subrosa_engine::never(name).is_none())
}
