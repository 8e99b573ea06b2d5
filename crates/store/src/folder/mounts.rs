//! Is this folder on a network file system?
//!
//! SQLite's write-ahead log needs shared memory and byte-range locks that every process sees. Over
//! a network they are absent or unreliable, and a vault breaks silently. Kernel file systems are
//! told by their magic number. Those of user space (FUSE) share one number, so the mount table's
//! type is read too; one that hides behind plain `fuse` is not recognised.

use rustix::fd::BorrowedFd;

use crate::error::FileError;
use std::path::Path;

/// Refuses a folder on a network file system.
pub(super) fn refuse_network(path: &Path, fd: BorrowedFd<'_>) -> Result<(), FileError> {
    let found = network_kind(fd).map_err(|e| FileError::from_os(path, e))?;
    match found {
        None => Ok(()),
        Some(kind) => Err(FileError::not_safe(
            path,
            format!(
                "it is on a network file system ({kind}), where a vault would break silently; \
                 choose a folder on a local disk"
            ),
        )),
    }
}

#[cfg(target_os = "linux")]
fn network_kind(fd: BorrowedFd<'_>) -> rustix::io::Result<Option<String>> {
    // The field's type differs between architectures; the magic numbers have 32 bits.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unnecessary_cast
    )]
    let magic = rustix::fs::fstatfs(fd)?.f_type as u32;
    if let Some(name) = network_magic(magic) {
        return Ok(Some(name.to_owned()));
    }
    if magic != FUSE {
        return Ok(None);
    }
    let device = rustix::fs::fstat(fd)?.st_dev;
    let device = (rustix::fs::major(device), rustix::fs::minor(device));
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    Ok(mount_type(&table, device)
        .filter(|kind| network_fuse(kind))
        .map(str::to_owned))
}

#[cfg(target_vendor = "apple")]
fn network_kind(fd: BorrowedFd<'_>) -> rustix::io::Result<Option<String>> {
    /// `MNT_LOCAL` of `<sys/mount.h>`.
    const LOCAL: u32 = 0x1000;
    let facts = rustix::fs::fstatfs(fd)?;
    Ok((facts.f_flags & LOCAL == 0).then(|| "not local".to_owned()))
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn network_kind(_: BorrowedFd<'_>) -> rustix::io::Result<Option<String>> {
    Ok(None)
}

/// Every file system of user space. Source: Linux `include/uapi/linux/magic.h`, as below.
#[cfg(target_os = "linux")]
const FUSE: u32 = 0x6573_5546;

#[cfg(target_os = "linux")]
fn network_magic(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "nfs",
        0x517b => "smb",
        0xff53_4d42 => "cifs",
        0xfe53_4d42 => "smb2",
        0x0102_1997 => "9p",
        0x5346_414f | 0x6b41_4653 => "afs",
        0x7375_7245 => "coda",
        0x564c => "ncp",
        0x00c3_6400 => "ceph",
        0x0bd0_0bd0 => "lustre",
        0x4750_4653 => "gpfs",
        0x1983_0326 => "beegfs",
        0x2030_528d => "orangefs",
        _ => return None,
    })
}

/// The type of the mount with this device number, from the text of `/proc/self/mountinfo`.
/// Format: `proc_pid_mountinfo(5)`.
#[cfg(target_os = "linux")]
fn mount_type(table: &str, (major, minor): (u32, u32)) -> Option<&str> {
    let device = format!("{major}:{minor}");
    table.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let same = left.split(' ').nth(2)? == device;
        same.then(|| right.split(' ').next()).flatten()
    })
}

#[cfg(target_os = "linux")]
fn network_fuse(kind: &str) -> bool {
    const KINDS: [&str; 22] = [
        "sshfs",
        "rclone",
        "s3fs",
        "goofys",
        "gcsfuse",
        "glusterfs",
        "davfs",
        "davfs2",
        "curlftpfs",
        "httpfs",
        "smbnetfs",
        "ceph",
        "ceph-fuse",
        "juicefs",
        "moosefs",
        "mfs",
        "lizardfs",
        "seaweedfs",
        "gvfsd-fuse",
        "afpfs",
        "cvmfs2",
        "nfs",
    ];
    kind.strip_prefix("fuse.")
        .is_some_and(|name| KINDS.contains(&name))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const TABLE: &str = "\
24 1 254:0 / / rw,relatime - ext4 /dev/vda rw
91 24 0:53 / /mnt/far rw,nosuid,nodev,relatime shared:7 - fuse.sshfs host:/ rw,user_id=1000
92 24 0:54 / /mnt/near rw,relatime - fuse.gocryptfs /home/u/cipher rw
nonsense
93 24 0:55 / /mnt/cut rw -";

    #[test]
    fn magic_numbers_of_networks_are_refused_and_of_disks_are_not() {
        assert_eq!(network_magic(0x6969), Some("nfs"));
        assert_eq!(network_magic(0xff53_4d42), Some("cifs"));
        for (local, name) in [
            (0xef53, "ext4"),
            (0x5846_5342, "xfs"),
            (0x0102_1994, "tmpfs"),
        ] {
            assert_eq!(network_magic(local), None, "{name}");
        }
    }

    #[test]
    fn user_space_file_systems_are_told_apart_by_the_mount_table() {
        assert!(network_fuse(mount_type(TABLE, (0, 53)).unwrap()));
        assert!(!network_fuse(mount_type(TABLE, (0, 54)).unwrap()));
        assert_eq!(mount_type(TABLE, (254, 0)), Some("ext4"));
        assert_eq!(mount_type(TABLE, (0, 55)), None);
        assert_eq!(mount_type(TABLE, (9, 9)), None);
    }
}
