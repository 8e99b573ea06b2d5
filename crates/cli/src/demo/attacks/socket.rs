//! Attacks on the daemon's socket.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use subrosa_model::Scope;

use super::must;
use crate::demo::served::{PATIENCE, Served, near};
use crate::demo::stage::{Stage, make_folder, write};
use crate::demo::verdict::Verdict;
use crate::failure::Failure;
use crate::serving::PROGRAM;

/// Row 34: who reaches the socket, and who could listen in its place.
pub(super) fn reached(stage: &Stage) -> Result<Verdict, Failure> {
    let served = Served::open(stage, "reached")?;
    let (folder, socket) = (served.folder(), served.socket());
    for (path, wanted) in [
        (&folder, 0o700),
        (&socket, 0o600),
        (&folder.join("daemon.lock"), 0o600),
    ] {
        let there = fs::symlink_metadata(path).map_err(Failure::io(path.display().to_string()))?;
        let mode = there.mode() & 0o7777;
        must!(mode == wanted, "{} has mode {mode:o}", path.display());
    }
    let stopped = served.call(&["daemon", "stop"]).run()?;
    must!(
        stopped.ok(),
        "the daemon was not stopped: {}",
        stopped.err()
    );
    for loose in [0o755, 0o770, 0o1777] {
        set_mode(&folder, loose)?;
        let ran = served.unlock().run()?;
        must!(
            !ran.ok() && !socket.exists(),
            "a daemon listens in a folder with mode {loose:o}"
        );
    }
    set_mode(&folder, 0o700)?;
    // Somebody who got there first and speaks another protocol.
    let opened = fs::File::open(&folder).map_err(Failure::io("the socket's folder"))?;
    let listener = UnixListener::bind(near(&opened)).map_err(Failure::io("a listener"))?;
    let listening = std::thread::spawn(move || heard(&listener));
    let ran = served.unlock().run()?;
    let heard = listening
        .join()
        .map_err(|_| Failure::new("demo", "the foreign listener failed"))?
        .map_err(Failure::io("the foreign listener"))?;
    must!(!ran.ok(), "a foreign listener was taken for the daemon");
    must!(
        heard.windows(7).any(|part| part == b"subrosa"),
        "nobody came to the foreign listener"
    );
    let code = stage.proof.1.as_bytes();
    must!(
        heard.len() < 64 && !heard.windows(8).any(|part| code.starts_with(part)),
        "a foreign listener heard more than the first words"
    );
    fs::remove_file(&socket).map_err(Failure::io("the foreign socket"))?;
    let ran = served.unlock().run()?;
    must!(
        ran.ok(),
        "the mended installation opens no more: {}",
        ran.err()
    );
    Ok(Verdict::held(
        "0600 in a 0700 folder, a looser one is refused; a foreign listener hears no code",
    ))
}

/// What the first client says to a listener of another protocol.
fn heard(listener: &UnixListener) -> std::io::Result<Vec<u8>> {
    listener.set_nonblocking(true)?;
    let began = Instant::now();
    let mut socket = loop {
        match listener.accept() {
            Ok((socket, _)) => break socket,
            Err(error) if began.elapsed() > PATIENCE => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut words = b"subrosa\0".to_vec();
    words.extend(999u32.to_le_bytes());
    words.extend(b"0.1.0");
    let mut frame = vec![u8::try_from(words.len()).unwrap_or(u8::MAX)];
    frame.extend([0; 11]);
    frame.extend(words);
    socket.write_all(&frame)?;
    let mut heard = Vec::new();
    // It may end by a timeout: what was heard until then counts.
    let _ = socket.read_to_end(&mut heard);
    Ok(heard)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    let set = fs::set_permissions(path, fs::Permissions::from_mode(mode));
    set.map_err(Failure::io("the permissions of the socket's folder"))
}

/// A client that waits for its own file; it ends with this.
struct Waiting(Child);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Row 36: a file in the caller's folder that never ends.
pub(super) fn files(stage: &Stage) -> Result<Verdict, Failure> {
    let served = Served::open(stage, "files")?;
    let folder = stage.root.join("endless");
    make_folder(&folder)?;
    let pipe = folder.join(".env");
    // First with a reference to what is not there: whoever reads the file says so.
    write(&pipe, b"FOUND=subrosa://no/such\n")?;
    let own = served.call(&["run", "--", "true"]).inside(&folder).run()?;
    must!(
        own.code() == Some(125) && own.err().contains("no/such"),
        "the client itself does not read the file: {}",
        own.ending()
    );
    must!(
        asked(&served, &folder)?,
        "the daemon reads a file in a client's folder"
    );
    // Then one that never ends: a daemon that reads it does not answer.
    fs::remove_file(&pipe).map_err(Failure::io("the file of the client"))?;
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, &pipe, FileType::Fifo, mode, 0)
        .map_err(|errno| Failure::io("a pipe with a name")(errno.into()))?;
    must!(
        asked(&served, &folder)?,
        "the daemon waits for a file in a client's folder"
    );
    // A client that is told to read it is held up alone.
    let line = ["run", "--env-file", ".env", "--", "true"];
    let call = served.call(&line).inside(&folder);
    let mut client = Waiting(call.spawn()?);
    let began = Instant::now();
    let writer = loop {
        let mut options = fs::OpenOptions::new();
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        match options.write(true).custom_flags(flags).open(&pipe) {
            // Only where somebody reads can it be opened so.
            Ok(writer) => break Some(writer),
            Err(_) if matches!(client.0.try_wait(), Ok(None)) && began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(_) => break None,
        }
    };
    must!(served.serves()?, "nobody else is served meanwhile");
    let ended = client.0.try_wait();
    let waits = writer.is_some() && matches!(ended, Ok(None));
    must!(
        waits || matches!(ended, Ok(Some(_))),
        "the client neither reads its file nor ends"
    );
    Ok(Verdict::held(match waits {
        true => {
            "the daemon opens no file of a client's; an endless `.env` holds up its reader alone"
        }
        false => "the daemon opens no file of a client's, and a client refuses an endless `.env`",
    }))
}

/// Whether the daemon, when it is asked by hand, runs something in a folder, and does so soon.
fn asked(served: &Served<'_>, folder: &Path) -> Result<bool, Failure> {
    let (sender, answers) = mpsc::channel();
    let (socket, folder) = (served.socket(), folder.to_owned());
    std::thread::spawn(move || sender.send(run_in(&socket, &folder)));
    answers.recv_timeout(PATIENCE).unwrap_or(Ok(false))
}

/// Asks the daemon by hand to run something in a folder.
fn run_in(socket: &Path, folder: &Path) -> Result<bool, Failure> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    let failed = |error: subrosa_wire::WireError| Failure::new("demo", error.to_string());
    let run = subrosa_wire::Run {
        command: vec![b"true".to_vec()],
        patterns: Vec::new(),
        binds: Vec::new(),
        inject: None,
        pass: Vec::new(),
        limits: subrosa_model::ProcessLimits::default(),
        variables: vec![(b"PATH".to_vec(), b"/usr/local/bin:/usr/bin:/bin".to_vec())],
        directory: folder.as_os_str().as_encoded_bytes().to_vec(),
        mask: 0o077,
        streams: [false; 3],
    };
    let call = subrosa_wire::Call {
        scope: Scope {
            workspace: Scope::default_workspace(),
            group: None,
        },
        request: subrosa_wire::Request::Run(Box::new(run)),
    };
    let flags = SocketFlags::CLOEXEC;
    let (_ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(|errno| Failure::io("a pair of sockets")(errno.into()))?;
    let mut client = subrosa_wire::connect(socket, PROGRAM).map_err(failed)?;
    let theirs = std::os::fd::AsFd::as_fd(&theirs);
    let reply = client.call(&call, None, &[theirs]).map_err(failed)?;
    Ok(matches!(reply, Ok(subrosa_wire::Answer::Ran(_))))
}

/// Row 37: garbage, and more connections than are served at a time.
pub(super) fn garbage(stage: &Stage) -> Result<Verdict, Failure> {
    const IDLE: usize = 400;
    /// One for each of the 256 connections that are served at a time, and some.
    const THREADS: u64 = 300;
    let served = Served::open(stage, "garbage")?;
    let mut garbage = vec![0u8; 1 << 20];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for byte in &mut garbage {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = state.to_le_bytes()[0];
    }
    // As first words, and where a request is expected.
    for greets in [false, true] {
        let mut socket = if greets {
            greeted(&served)?
        } else {
            served.raw()?
        };
        // It is hung up on in the middle of it.
        let _ = socket.write_all(&garbage);
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest);
        must!(rest.len() < 4096, "garbage was answered at length");
    }
    must!(served.serves()?, "nobody is served after 2 MB of garbage");
    let mut idle = Vec::new();
    for number in 0..IDLE {
        idle.push(match number % 4 {
            0 => greeted(&served)?,
            _ => served.raw()?,
        });
    }
    must!(
        served.serves()?,
        "nobody is served beside {IDLE} idle connections"
    );
    let status = fs::read_to_string(format!("/proc/{}/status", served.process()?));
    let status = status.map_err(Failure::io("the daemon's figures"))?;
    let threads = status
        .lines()
        .find_map(|line| line.strip_prefix("Threads:"))
        .and_then(|number| number.trim().parse::<u64>().ok())
        .ok_or_else(|| Failure::new("demo", "the daemon's threads are not counted"))?;
    must!(
        threads < THREADS,
        "the daemon grows with those who connect: {threads} threads"
    );
    drop(idle);
    must!(served.serves()?, "nobody is served afterwards");
    Ok(Verdict::held(format!(
        "`ls` is answered after 2 MB of garbage and beside {IDLE} idle connections"
    )))
}

fn greeted(served: &Served<'_>) -> Result<UnixStream, Failure> {
    let socket = served.raw()?;
    let greeted = subrosa_wire::greet(&socket, PROGRAM);
    greeted.map_err(|error| Failure::new("demo", error.to_string()))?;
    Ok(socket)
}
