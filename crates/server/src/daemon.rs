//! Accepting, and a thread for each connection.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{Shutdown, SocketFlags, accept_with, shutdown};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use subrosa_crypto::random;
use subrosa_engine::{Effects, Home, RemoteSpawner};
use subrosa_wire::{FROM_CLIENT, Failure, WireError, encode, receive, send, welcome};

use crate::answer::{Describe, House};
use crate::keeper::Keeper;
use crate::place::Taken;
use crate::visit::{Then, Visit};
use crate::{Place, ServerError, peer};

/// Connections at a time. One more, and the one that has been idle for longest is closed.
const CONNECTIONS: usize = 256;
/// Descriptors of all connections: a command takes about twenty.
const DESCRIPTORS: u64 = 8192;
/// More connections that are held while so many commands run: for asking how it is, locking and
/// ending.
const SPARE: usize = 4;
/// How long a frame may take once it has begun, and a reply to be taken.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(30));
/// Between two looks at the clock and the socket.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 500_000_000,
};
/// A thread's stack: reserved, not used.
const STACK: usize = 2 * 1024 * 1024;

/// What a daemon is told.
pub struct Options {
    /// The folders of the installation.
    pub home: Home,
    /// The machine.
    pub effects: Effects,
    /// The version of the program.
    pub program: &'static str,
    /// Turns an error of a use case into what a client shows.
    pub describe: Describe,
}

/// Serves until somebody asks it to stop. `ready` is called once clients can connect.
///
/// # Errors
/// [`ServerError::Running`] when another serves this vault, and whatever keeps it from listening.
pub fn serve(mut options: Options, ready: impl FnOnce()) -> Result<(), ServerError> {
    make_room();
    // First of all: what forks commands has nothing of this process but what there is by now.
    options.effects.spawner = Arc::new(RemoteSpawner::begin()?);
    let mut place = Place::of(&options.home).take()?;
    let since = options.effects.clock.now();
    let daemon = Arc::new(Daemon {
        house: House {
            keeper: Keeper::new(options.home, options.effects),
            describe: options.describe,
            since,
            running: AtomicU32::new(0),
            filters: AtomicU32::new(0),
            reading: Mutex::new(()),
        },
        program: options.program,
        stopping: AtomicBool::new(false),
        connections: Mutex::new(Connections::default()),
    });
    ready();
    while !daemon.stopping.load(Ordering::Acquire) {
        let waited = poll(
            &mut [PollFd::new(&place.socket, PollFlags::IN)],
            Some(&TICK),
        );
        daemon.house.keeper.tick();
        match waited {
            Ok(0) => place.stay_found()?,
            Ok(_) => Daemon::accept(&daemon, &place),
            // A moment without descriptors or memory passes.
            Err(_) => {}
        }
    }
    daemon.house.keeper.lock();
    Ok(())
}

/// Lets this process have as many descriptors as the connections may need. Commands have the limit
/// of their callers.
fn make_room() {
    let present = getrlimit(Resource::Nofile);
    let enough = present
        .maximum
        .map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    if present.current.is_some_and(|soft| soft < enough) {
        let raised = Rlimit {
            current: Some(enough),
            maximum: present.maximum,
        };
        // With fewer, fewer connections are held.
        let _ = setrlimit(Resource::Nofile, raised);
    }
}

struct Daemon {
    house: House,
    program: &'static str,
    stopping: AtomicBool,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    next: u64,
    /// By age: a second descriptor, and whether a request is being carried out.
    open: BTreeMap<u64, (OwnedFd, bool)>,
}

impl Daemon {
    fn accept(daemon: &Arc<Self>, place: &Taken) {
        let socket = match accept_with(&place.socket, SocketFlags::CLOEXEC) {
            Ok(socket) => socket,
            Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => {
                // It stays in the queue until there is room.
                daemon.close_oldest_idle();
                thread::sleep(Duration::from_millis(10));
                return;
            }
            Err(_) => return,
        };
        let Some((number, spare)) = daemon.enter(&socket) else {
            return;
        };
        let serving = Arc::clone(daemon);
        let spawned = thread::Builder::new()
            .name("client".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // Also when it panics: whoever waits for an answer must not wait for ever.
                let leaving = Leaving(&serving, number);
                serving.converse(&socket, number, spare);
                drop(leaving);
            });
        if spawned.is_err() {
            daemon.leave(number);
        }
    }

    /// Counts a connection in; `None` when there is no room. And whether it is one of the spare.
    fn enter(&self, socket: &OwnedFd) -> Option<(u64, bool)> {
        let second = socket.try_clone().ok()?;
        let held = |daemon: &Self| daemon.connections().open.len();
        if held(self) >= CONNECTIONS
            && !self.close_oldest_idle()
            && held(self) >= CONNECTIONS + SPARE
        {
            return None;
        }
        let mut connections = self.connections();
        let spare = connections.open.len() >= CONNECTIONS;
        let number = connections.next;
        connections.next += 1;
        connections.open.insert(number, (second, false));
        Some((number, spare))
    }

    fn leave(&self, number: u64) {
        self.connections().open.remove(&number);
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the connection that has waited for longest without asking anything.
    fn close_oldest_idle(&self) -> bool {
        let mut connections = self.connections();
        let oldest = connections
            .open
            .iter()
            .find_map(|(number, (_, busy))| (!busy).then_some(*number));
        let Some((socket, _)) = oldest.and_then(|number| connections.open.remove(&number)) else {
            return false;
        };
        let _ = shutdown(&socket, Shutdown::Both);
        true
    }

    fn set_busy(&self, number: u64, busy: bool) -> bool {
        match self.connections().open.get_mut(&number) {
            Some((_, state)) => {
                *state = busy;
                true
            }
            None => false,
        }
    }

    /// Answers one client until it goes. What goes wrong with it concerns nobody else.
    fn converse(&self, socket: &OwnedFd, number: u64, spare: bool) {
        let caller = peer::caller(socket, &*self.house.keeper.effects().rng);
        if let Err(peer::Refused::User { .. }) = caller {
            return;
        }
        if welcome(socket, self.program).is_err() {
            return;
        }
        let mut visit =
            caller.map(|caller| Visit::by(caller, random(&*self.house.keeper.effects().rng)));
        loop {
            if wait_for(socket).is_err() {
                return;
            }
            let frame = match receive(socket, &FROM_CLIENT, PATIENCE) {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(error) => {
                    let _ = self.reply(socket, &Err(Failure::new("protocol", &error)));
                    return;
                }
            };
            if !self.set_busy(number, true) {
                return;
            }
            let done = match &mut visit {
                Ok(visit) => self.house.carry_out(visit, frame, spare),
                Err(why) => Err(Failure::new("caller", why)).into(),
            };
            let sent = self.reply(socket, &done.reply);
            if done.then == Then::Stop {
                self.stopping.store(true, Ordering::Release);
                // The end of this connection is the end of the process: whoever asked waits for it.
                loop {
                    thread::park();
                }
            }
            if sent.is_err() || done.then == Then::Leave || !self.set_busy(number, false) {
                return;
            }
        }
    }

    fn reply(&self, socket: &OwnedFd, reply: &subrosa_wire::Reply) -> Result<(), WireError> {
        send(socket, &encode(reply)?, None, &[], PATIENCE)
    }
}

/// Counts a connection out when it is dropped.
struct Leaving<'a>(&'a Daemon, u64);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

/// Waits for the next request, for as long as it takes.
fn wait_for(socket: impl AsFd) -> Result<(), Errno> {
    loop {
        match poll(&mut [PollFd::new(&socket, PollFlags::IN)], None) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
