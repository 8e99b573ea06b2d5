//! An order as it crosses to the spawner: one packet, and the descriptors that belong to it.
//!
//! ```text
//! 8-byte words in the machine's byte order: the fixed part, then the limits of the caller if the
//! fixed part announces them; then the path of the program, then the name of the folder for values
//! ```
//!
//! No argument, no variable and no value is in it: those are in the block that both map.

use std::ffi::{CString, OsStr};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::Mode;
use rustix::io::{Errno, Result};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::inherited::{Bounds, RESOURCES};
use crate::{Identity, Inherited};

/// Bytes of the largest packet: two names and the words fit with room to spare.
const PACKET: usize = 16 * 1024;
/// The descriptors of a command, and two more for its folder.
const DESCRIPTORS: usize = 10;
/// Stands for no bound; the system uses it for that too.
const NONE: u64 = u64::MAX;
const FIXED: usize = 14;

/// All of an order that is no descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) path: PathBuf,
    pub(crate) by_path: bool,
    pub(crate) identity: Identity,
    pub(crate) terminal: Option<usize>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) memory: Option<u64>,
    pub(crate) processes: u32,
    pub(crate) mask: Option<u32>,
    pub(crate) inherited: Option<Inherited>,
    /// The name of the folder for values, if there is one.
    pub(crate) folder: Option<CString>,
}

impl Packet {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let word = |number: Option<u64>| number.unwrap_or(NONE);
        let folder = self
            .folder
            .as_deref()
            .map_or(&[][..], |name| name.to_bytes());
        let fixed: [u64; FIXED] = [
            u64::from(self.by_path),
            self.identity.device,
            self.identity.inode,
            self.identity.size,
            self.identity.modified.cast_unsigned(),
            self.identity.modified_nanoseconds.cast_unsigned(),
            word(self.terminal.map(|index| index as u64)),
            word(
                self.timeout
                    .map(|timeout| u64::try_from(timeout.as_nanos()).unwrap_or(NONE - 1)),
            ),
            word(self.memory),
            u64::from(self.processes),
            word(self.mask.map(u64::from)),
            u64::from(self.inherited.is_some()),
            self.path.as_os_str().len() as u64,
            folder.len() as u64,
        ];
        let mut words = fixed.to_vec();
        if let Some(inherited) = &self.inherited {
            for (soft, hard) in inherited.limits {
                words.extend([word(soft), word(hard)]);
            }
            words.push(i64::from(inherited.nice).cast_unsigned());
        }
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_ne_bytes).collect();
        bytes.extend_from_slice(self.path.as_os_str().as_bytes());
        bytes.extend_from_slice(folder);
        bytes
    }

    /// `None` for anything but what [`Packet::encode`] makes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut word = || -> Option<u64> {
            let (first, others) = rest.split_first_chunk::<8>()?;
            rest = others;
            Some(u64::from_ne_bytes(*first))
        };
        let mut fixed = [0; FIXED];
        for place in &mut fixed {
            *place = word()?;
        }
        let [
            by_path,
            device,
            inode,
            size,
            modified,
            modified_nanoseconds,
            terminal,
            timeout,
            memory,
            processes,
            mask,
            inherits,
            of_path,
            of_folder,
        ] = fixed;
        let bound = |word: u64| Some(word).filter(|word| *word != NONE);
        let mut inherited = None;
        if inherits == 1 {
            let mut limits: [Bounds; RESOURCES.len()] = [(None, None); RESOURCES.len()];
            for bounds in &mut limits {
                *bounds = (bound(word()?), bound(word()?));
            }
            let nice = i32::try_from(word()?.cast_signed()).ok()?;
            inherited = Some(Inherited { limits, nice });
        }
        let (path, folder) = rest.split_at_checked(usize::try_from(of_path).ok()?)?;
        if folder.len() as u64 != of_folder {
            return None;
        }
        Some(Self {
            path: PathBuf::from(OsStr::from_bytes(path)),
            by_path: by_path == 1,
            identity: Identity {
                device,
                inode,
                size,
                modified: modified.cast_signed(),
                modified_nanoseconds: modified_nanoseconds.cast_signed(),
            },
            terminal: bound(terminal)
                .map(|index| usize::try_from(index).ok().filter(|index| *index < 3))
                .map_or(Some(None), |index| index.map(Some))?,
            timeout: bound(timeout).map(Duration::from_nanos),
            memory: bound(memory),
            processes: u32::try_from(processes).ok()?,
            mask: bound(mask).and_then(|mask| u32::try_from(mask).ok()),
            inherited,
            folder: match folder {
                [] => None,
                name => Some(CString::new(name).ok()?),
            },
        })
    }

    pub(crate) fn mode(&self) -> Option<Mode> {
        self.mask.map(|mask| Mode::from_bits_truncate(mask & 0o777))
    }
}

/// Sends a packet, or says [`Errno::AGAIN`] when there is no room.
pub(crate) fn put(socket: impl AsFd, packet: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    if packet.len() > PACKET || descriptors.len() > DESCRIPTORS {
        return Err(Errno::MSGSIZE);
    }
    loop {
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match sendmsg(&socket, &[IoSlice::new(packet)], &mut ancillary, flags) {
            Err(Errno::INTR) => {}
            outcome => return outcome.map(|_| ()),
        }
    }
}

/// Waits for a packet; `None` when the other side is gone. One that is cut short is nobody's.
pub(crate) fn take(socket: impl AsFd) -> Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; PACKET];
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let got = match recvmsg(&socket, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => continue,
            Err(Errno::CONNRESET) => return Ok(None),
            got => got?,
        };
        let mut descriptors = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(passed) = message {
                descriptors.extend(passed);
            }
        }
        if got.bytes == 0 {
            return Ok(None);
        }
        if got
            .flags
            .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
        {
            continue;
        }
        bytes.truncate(got.bytes);
        return Ok(Some((bytes, descriptors)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_comes_back_as_it_went_and_only_whole() {
        let mut packet = Packet {
            path: "/bin/true".into(),
            by_path: true,
            identity: Identity {
                device: 1,
                inode: 2,
                size: 3,
                modified: -4,
                modified_nanoseconds: 5,
            },
            terminal: Some(1),
            timeout: Some(Duration::from_millis(1500)),
            memory: None,
            processes: 7,
            mask: Some(0o027),
            inherited: Some(Inherited {
                limits: [(Some(1), None); RESOURCES.len()],
                nice: -3,
            }),
            folder: Some(c"subrosa-run-1-0".to_owned()),
        };
        for _ in 0..2 {
            let bytes = packet.encode();
            assert_eq!(Packet::decode(&bytes), Some(packet.clone()));
            for length in 0..bytes.len() {
                assert_eq!(Packet::decode(&bytes[..length]), None, "{length}");
            }
            packet.inherited = None;
            packet.folder = None;
            packet.terminal = None;
        }
    }
}
