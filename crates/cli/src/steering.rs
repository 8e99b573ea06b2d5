//! Our side of a command that the daemon runs.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, fcntl_dupfd_cloexec};
use subrosa_engine::{Attendance, EngineError};
use subrosa_wire::{Call, Client, Reply};

use crate::trouble::Trouble;

/// Standard input, output and error, as far as we were started with them.
pub(crate) fn streams() -> [Option<OwnedFd>; 3] {
    let own = |descriptor: BorrowedFd<'_>| match fcntl_dupfd_cloexec(descriptor, 3) {
        Err(Errno::BADF) => None,
        duplicated => duplicated.ok(),
    };
    [
        own(rustix::stdio::stdin()),
        own(rustix::stdio::stdout()),
        own(rustix::stdio::stderr()),
    ]
}

/// Asks for the run and attends it until it is answered.
pub(crate) fn carry(
    client: &mut Client,
    call: &Call,
    streams: &[Option<OwnedFd>; 3],
) -> Result<Reply, Trouble> {
    let (attendance, theirs) = Attendance::begin().map_err(EngineError::from)?;
    let mut descriptors: Vec<BorrowedFd<'_>> = streams.iter().flatten().map(AsFd::as_fd).collect();
    descriptors.push(theirs.as_fd());
    client.ask(call, None, &descriptors)?;
    drop(descriptors);
    // With our copy open, the end of the run would not show.
    drop(theirs);
    attendance
        .until(client.descriptor())
        .map_err(EngineError::from)?;
    Ok(client.answer()?)
}
