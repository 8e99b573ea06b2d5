//! Resource limits of another process, which rustix can only set.

use std::ptr::null;

use rustix::io::Errno;
use rustix::process::Pid;

use crate::inherited::{Bounds, RESOURCES};

/// The limits of a process of our user, in the order of [`RESOURCES`].
pub(crate) fn limits_of(process: Pid) -> Result<[Bounds; RESOURCES.len()], Errno> {
    let mut limits = [(None, None); RESOURCES.len()];
    for (resource, bounds) in RESOURCES.iter().zip(&mut limits) {
        let mut told = libc::rlimit64 {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: nothing is set, and `told` is valid for the answer.
        let outcome = unsafe {
            libc::prlimit64(
                process.as_raw_pid(),
                *resource as libc::c_uint as _,
                null(),
                &raw mut told,
            )
        };
        if outcome != 0 {
            let error = std::io::Error::last_os_error();
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::SRCH));
        }
        let bound = |limit| Some(limit).filter(|limit| *limit != libc::RLIM64_INFINITY);
        *bounds = (bound(told.rlim_cur), bound(told.rlim_max));
    }
    Ok(limits)
}
