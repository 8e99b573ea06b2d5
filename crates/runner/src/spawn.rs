//! Starting a command under a guardian.

use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Pid;

use crate::charge::{Charge, OwnCharge};
use crate::command::Command;
use crate::group::Group;
use crate::guardian::{FolderEntry, Post, stand};
use crate::image::{IMAGE, Values, fill};
use crate::limits::MEMORY;
use crate::orphans::Ward;
use crate::packet::Packet;
use crate::sys::{ExecPlan, SharedRegion, fork};
use crate::tree::{Tree, tasks_of_user};
use crate::wire::{Incoming, Notice, Request, Step, next_notice, request};
use crate::{Environment, Limits, RunError};

/// Where processes come from. The program hands in [`SystemSpawner`], tests may hand in their own.
pub trait Spawner: Send + Sync {
    /// Prepares a command up to the point where values are needed.
    ///
    /// # Errors
    /// [`RunError`] when the system does not do it.
    fn stage(&self, order: Order) -> Result<Box<dyn Guard>, RunError>;
}

/// A prepared, then running command. Dropping it ends every process of it.
pub trait Guard: Send {
    /// Starts the command, with `values` among its variables and arguments; returns once the program
    /// is executed. The values are wiped from wherever they were copied to.
    ///
    /// # Errors
    /// [`RunError`]; nothing runs then.
    fn start(&mut self, values: Values<'_>) -> Result<(), RunError>;

    /// Asks something of the running command.
    ///
    /// # Errors
    /// [`RunError::SupervisorLost`] when nobody is there to ask.
    fn ask(&mut self, request: Request) -> Result<(), RunError>;

    /// Readable when [`Guard::next`] has something.
    fn descriptor(&self) -> BorrowedFd<'_>;

    /// What happened, or `None` when nothing did.
    ///
    /// # Errors
    /// [`RunError::SupervisorLost`] when there will be no [`Notice::Done`].
    fn next(&mut self) -> Result<Option<Notice>, RunError>;

    /// Looks whether the guardian can answer at all; to be called about once a second while the
    /// command runs, as a stopped one does not make [`Guard::descriptor`] readable.
    ///
    /// # Errors
    /// [`RunError::SupervisorLost`] when it was stopped: it and the command are ended then.
    fn check(&mut self) -> Result<(), RunError> {
        Ok(())
    }

    /// Ends a guardian that does not answer, and in its place whatever it was to end; returns how
    /// many processes that were.
    fn give_up(&mut self) -> u32 {
        0
    }
}

/// Everything a [`Spawner`] needs for one command.
pub struct Order {
    pub(crate) command: Command,
    pub(crate) streams: [OwnedFd; 3],
    pub(crate) terminal: Option<usize>,
    pub(crate) folder: Option<FolderEntry>,
}

impl Order {
    /// The file to execute.
    #[must_use]
    pub fn executable(&self) -> &Path {
        self.command.resolved.executable()
    }

    /// The argument vector, the requested name first.
    #[must_use]
    pub fn arguments(&self) -> &[OsString] {
        &self.command.arguments
    }

    /// The working directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.command.directory
    }

    /// The variables, without secrets.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.command.environment
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.command.limits
    }

    /// Standard input, output and error of the command.
    #[must_use]
    pub fn streams(&self) -> &[OwnedFd; 3] {
        &self.streams
    }
}

/// Real processes.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSpawner;

impl Spawner for SystemSpawner {
    fn stage(&self, order: Order) -> Result<Box<dyn Guard>, RunError> {
        let group = Group::create(order.command.limits.processes);
        stage(order, group)
    }
}

/// Forks a guardian for `order`, which bounds and ends it through `group` too, if there is one.
pub(crate) fn stage(order: Order, group: Option<Group>) -> Result<Box<dyn Guard>, RunError> {
    let (region, control, theirs) = joints()?;
    let (parts, words) = order.part(theirs)?;
    let charge = post(parts, &region, group)?;
    Ok(SystemGuard::boxed(Box::new(charge), control, region, words))
}

/// The block of arguments and variables, and both ends of the socket to the guardian.
pub(crate) fn joints() -> Result<(SharedRegion, OwnedFd, OwnedFd), RunError> {
    let region = SharedRegion::new(IMAGE).map_err(|source| RunError::System {
        what: "making room for its variables",
        source,
    })?;
    let flags = SocketFlags::CLOEXEC;
    let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(RunError::system("making a socket for its guardian"))?;
    Ok((region, control, theirs))
}

/// What whoever forks the guardian needs; no argument and no variable is among it.
pub(crate) struct Parts {
    pub(crate) packet: Packet,
    pub(crate) control: OwnedFd,
    pub(crate) file: OwnedFd,
    pub(crate) directory: OwnedFd,
    pub(crate) streams: [OwnedFd; 3],
    /// The folder for values and the one it lies in.
    pub(crate) folder: Option<(OwnedFd, OwnedFd)>,
}

/// What whoever starts the command keeps.
pub(crate) struct Words {
    arguments: Vec<OsString>,
    environment: Environment,
    executable: PathBuf,
}

impl Order {
    /// Parts the order, with the guardian's end of the socket to it.
    pub(crate) fn part(self, control: OwnedFd) -> Result<(Parts, Words), RunError> {
        let Command {
            resolved,
            arguments,
            directory_file,
            environment,
            limits,
            mask,
            inherited,
            ..
        } = self.command;
        let file = resolved.descriptor().try_clone_to_owned();
        let file = file.map_err(|source| RunError::System {
            what: "opening the program",
            source,
        })?;
        let executable = resolved.executable().to_owned();
        let (folder, name) = match self.folder {
            Some(entry) => (Some((entry.folder, entry.parent)), Some(entry.name)),
            None => (None, None),
        };
        let packet = Packet {
            path: executable.clone(),
            by_path: resolved.by_path(),
            identity: resolved.identity(),
            terminal: self.terminal,
            timeout: limits.timeout,
            memory: limits.memory,
            processes: limits.processes,
            mask: mask.map(|mask| mask.bits()),
            inherited,
            folder: name,
        };
        let parts = Parts {
            packet,
            control,
            file,
            directory: directory_file,
            streams: self.streams,
            folder,
        };
        let words = Words {
            arguments,
            environment,
            executable,
        };
        Ok((parts, words))
    }
}

/// Forks the guardian.
pub(crate) fn post(
    parts: Parts,
    region: &SharedRegion,
    group: Option<Group>,
) -> Result<OwnCharge, RunError> {
    let Parts {
        packet,
        control,
        file,
        directory,
        streams: [input, output, error],
        folder,
    } = parts;
    let path =
        CString::new(packet.path.as_os_str().as_bytes()).map_err(|_| RunError::NotFound {
            name: packet.path.clone().into_os_string(),
        })?;
    let mask = packet.mode();
    let tasks = tasks_of_user().map(|present| present.saturating_add(backstop(packet.processes)));
    let plan = ExecPlan {
        file: above(file)?,
        path,
        by_path: packet.by_path,
        identity: packet.identity,
        directory: above(directory)?,
        streams: [above(input)?, above(output)?, above(error)?],
        terminal: packet.terminal,
        address_space: packet.memory,
        data: MEMORY,
        tasks,
        mask,
        inherited: packet.inherited,
    };
    let folder = match (folder, packet.folder) {
        (Some((folder, parent)), Some(name)) => Some(FolderEntry {
            folder: above(folder)?,
            parent: above(parent)?,
            name,
        }),
        _ => None,
    };
    let mut post = Post {
        control: above(control)?,
        plan,
        region: region.view(),
        timeout: packet.timeout,
        processes: packet.processes,
        backstop: group.is_some() || tasks.is_some(),
        group: group.as_ref().map(Group::doors).transpose()?,
        tree: Tree::new()?,
        folder,
    };
    // In this process the closure is dropped, and with it our copies of the command's ends.
    let ward = Ward::new(|| {
        fork(move |fork| {
            stand(fork, &mut post);
            // Freeing needs the allocator, which is not ours here.
            std::mem::forget(post);
        })
    })?;
    Ok(OwnCharge::new(ward, group))
}

/// Tasks (threads count too) that the kernel grants to so many processes: enough for runtimes with
/// many threads, few enough that a fork bomb does no harm until the guardian sees it.
pub(crate) fn backstop(processes: u32) -> u64 {
    (u64::from(processes) * 8).max(512)
}

/// The same descriptor with a number that the three standard ones cannot overwrite.
pub(crate) fn above(descriptor: OwnedFd) -> Result<OwnedFd, RunError> {
    use std::os::fd::AsRawFd;
    if descriptor.as_raw_fd() > 2 {
        return Ok(descriptor);
    }
    fcntl_dupfd_cloexec(&descriptor, 3).map_err(RunError::system("moving a descriptor"))
}

/// Between two looks at a guardian that is starting its command.
const CHECK: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// A guardian that was forked, seen from where the values are.
pub(crate) struct SystemGuard {
    charge: Box<dyn Charge>,
    /// Whether nothing is left to end: the guardian said so, or it was ended in its place.
    settled: bool,
    /// `None` only while dropping.
    control: Option<OwnedFd>,
    region: Option<SharedRegion>,
    words: Words,
    /// The command, until nothing of it is left.
    main: Option<Pid>,
}

impl SystemGuard {
    pub(crate) fn boxed(
        charge: Box<dyn Charge>,
        control: OwnedFd,
        region: SharedRegion,
        words: Words,
    ) -> Box<dyn Guard> {
        Box::new(Self {
            charge,
            settled: false,
            control: Some(control),
            region: Some(region),
            words,
            main: None,
        })
    }

    fn control(&self) -> Result<&OwnedFd, RunError> {
        self.control.as_ref().ok_or(RunError::SupervisorLost)
    }

    /// Has the guardian and what it was to end ended, once.
    fn end_in_its_place(&mut self) -> u32 {
        if self.settled {
            return 0;
        }
        self.settled = true;
        self.charge.end(self.main.take())
    }

    fn failed(&self, step: Step, errno: i32) -> RunError {
        let source = std::io::Error::from_raw_os_error(errno);
        let path = self.words.executable.clone();
        match step {
            Step::Replaced => RunError::Replaced { path },
            Step::Execute => RunError::Execute { path, source },
            other => RunError::System {
                what: other.words(),
                source,
            },
        }
    }
}

impl Guard for SystemGuard {
    fn start(&mut self, values: Values<'_>) -> Result<(), RunError> {
        // Dropped, hence wiped, at the end of this call whatever happens.
        let mut region = self.region.take().ok_or(RunError::NotStarted)?;
        let offsets = fill(
            &mut region,
            &self.words.arguments,
            &self.words.environment,
            values,
        )?;
        self.ask(Request::Start {
            arguments: offsets.arguments,
            variables: offsets.variables,
        })?;
        loop {
            let mut events = [PollFd::new(self.control()?, PollFlags::IN)];
            match poll(&mut events, Some(&CHECK)) {
                // The command may be there before we are told of it.
                Ok(0) => self.check()?,
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(RunError::system("waiting for it")(errno)),
            }
            match self.next()? {
                Some(Notice::Started(_)) => return Ok(()),
                Some(Notice::Failed { step, errno }) => return Err(self.failed(step, errno)),
                _ => {}
            }
        }
    }

    fn ask(&mut self, asked: Request) -> Result<(), RunError> {
        request(self.control()?, asked).map_err(|_| RunError::SupervisorLost)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.control {
            Some(control) => control.as_fd(),
            None => unreachable!("invariant: the socket is taken by drop alone"),
        }
    }

    fn next(&mut self) -> Result<Option<Notice>, RunError> {
        match next_notice(self.control()?) {
            Ok(Incoming::Message(notice)) => {
                match notice {
                    Notice::Started(pid) => self.main = Pid::from_raw(pid),
                    Notice::Done(_) => {
                        self.main = None;
                        self.settled = true;
                    }
                    _ => {}
                }
                Ok(Some(notice))
            }
            Ok(Incoming::Nothing) => Ok(None),
            Ok(Incoming::Closed) | Err(_) => {
                self.end_in_its_place();
                Err(RunError::SupervisorLost)
            }
        }
    }

    fn check(&mut self) -> Result<(), RunError> {
        if !self.charge.is_lost() {
            return Ok(());
        }
        self.end_in_its_place();
        Err(RunError::SupervisorLost)
    }

    fn give_up(&mut self) -> u32 {
        self.end_in_its_place()
    }
}

impl Drop for SystemGuard {
    fn drop(&mut self) {
        // The guardian sees the end of the socket and ends what still runs, then itself.
        self.control = None;
        self.charge.release(self.settled, self.main);
    }
}
