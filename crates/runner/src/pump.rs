//! One loop over everything that can happen while a command runs.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGTERM, SIGTSTP, SIGWINCH};
use subrosa_model::Clock;

use crate::console::Outlet;
use crate::feed::Feed;
use crate::folder::PrivateFolder;
use crate::keyboard::Keyboard;
use crate::limits::{ANSWER, GRACE, WIND_DOWN};
use crate::signals::{CAUGHT, Signals, may_stop, stop};
use crate::spawn::Guard;
use crate::steering::{Steered, Steering};
use crate::stream::Stream;
use crate::terminal::{RawMode, copy_size};
use crate::wire::{Notice, Request};
use crate::{Ending, Limit, RunError, RunReport, Running};

impl Running {
    /// Carries output, input and signals until nothing of the command is left, and tells what
    /// became of it.
    ///
    /// Our terminal is as it was before when this returns, by a panic too.
    ///
    /// # Errors
    /// [`RunError::SupervisorLost`] when the guardian was killed, [`RunError::System`] when signals
    /// cannot be caught or the terminal cannot be set. The command is ended then.
    pub fn pump(self, clock: &dyn Clock) -> Result<RunReport, RunError> {
        let began = clock.since_boot();
        let mut pump = Pump::new(self, clock)?;
        let outcome = pump.run();
        // First the terminal: the message about what went wrong needs it.
        pump.raw = None;
        outcome?;
        pump.report(clock.since_boot().saturating_sub(began))
    }
}

/// Between two looks at the guardian.
const CHECK: Duration = Duration::from_secs(1);
/// Between two looks whether the terminal is the client's again.
const ASIDE: Duration = Duration::from_millis(200);

/// What a poll entry stands for.
#[derive(Clone, Copy)]
enum Source {
    Guard,
    Signals,
    Leash,
    Steering,
    Read(usize),
    Write(usize),
    Feed,
    Keyboard,
}

/// When a guardian that begins to end a command at that time must be done with it.
fn must_be_done(begun: Duration) -> Duration {
    begun.saturating_add(GRACE).saturating_add(ANSWER)
}

/// Fields are dropped in this order: the terminal is restored, then the command ended, then its
/// folder removed.
struct Pump<'a> {
    clock: &'a dyn Clock,
    raw: Option<RawMode>,
    signals: Option<Signals>,
    guard: Box<dyn Guard>,
    /// Standard output, or the terminal; then standard error, if it is apart.
    streams: Vec<Stream>,
    keyboard: Option<Keyboard>,
    /// Our terminal and the command's, whose size follows.
    size: Option<(OwnedFd, OwnedFd)>,
    feed: Option<Feed>,
    leash: Option<OwnedFd>,
    steering: Option<Steering>,
    /// Whether the client was told that the command stopped: its terminal is somebody else's.
    paused: bool,
    /// Until when what is typed is left to whoever else reads the terminal.
    left: Option<Duration>,
    _folder: Option<PrivateFolder>,
    /// Bytes of output that may still come.
    room: Option<u64>,
    ending: Option<Ending>,
    limited: Option<Limit>,
    abandoned: bool,
    killed: u32,
    /// When the command has run as long as it may.
    expires: Option<Duration>,
    /// When the guardian must have ended it.
    overdue: Option<Duration>,
    /// When the guardian is looked at next.
    next_check: Duration,
    /// Set when nothing of the command is left: until when output is waited for.
    drain: Option<Duration>,
}

impl<'a> Pump<'a> {
    fn new(running: Running, clock: &'a dyn Clock) -> Result<Self, RunError> {
        let Running {
            guard,
            console,
            sources,
            limits,
            known,
            feed,
            _folder,
        } = running;
        let duplicate = |descriptor: BorrowedFd<'_>| {
            fcntl_dupfd_cloexec(descriptor, 3).map_err(RunError::system("duplicating a descriptor"))
        };
        let signals = match console.signals {
            true => Some(Signals::catch().map_err(|source| RunError::System {
                what: "catching signals",
                source,
            })?),
            false => None,
        };
        let mut size = None;
        if let (true, Some(own)) = (sources.terminal, console.output.terminal()) {
            size = Some((duplicate(own)?, duplicate(sources.output.as_fd())?));
        }
        let mut keyboard = None;
        let mut raw = None;
        if let (true, Some(own)) = (sources.input, console.input_terminal()) {
            keyboard = Some(Keyboard::new(
                duplicate(own)?,
                duplicate(sources.output.as_fd())?,
            ));
            let entered = RawMode::enter(own);
            raw = Some(entered.map_err(RunError::system("setting the terminal"))?);
        }
        let now = clock.since_boot();
        let expires = limits.timeout.map(|timeout| now.saturating_add(timeout));
        let through = |source: OwnedFd, outlet: Outlet| {
            let redactor = match console.held {
                // Nobody waits, and what comes must not tell how it was written.
                true => known.redactor(),
                // Whoever reads a pipe may answer what comes, line by line.
                false => known.redactor().interactive(),
            };
            Stream::new(source, outlet, redactor, now).held(console.held)
        };
        let mut streams = vec![through(sources.output, console.output)];
        if let Some(error) = sources.error {
            streams.push(through(error, console.error));
        }
        Ok(Self {
            clock,
            raw,
            signals,
            guard,
            streams,
            keyboard,
            size,
            feed,
            leash: console.leash,
            steering: console.steering,
            paused: false,
            left: None,
            _folder,
            room: limits.output,
            ending: None,
            limited: None,
            abandoned: false,
            killed: 0,
            expires,
            overdue: expires.map(must_be_done),
            next_check: now.saturating_add(CHECK),
            drain: None,
        })
    }

    fn run(&mut self) -> Result<(), RunError> {
        self.resize();
        while !self.is_over() {
            for source in self.wait()? {
                self.serve(source)?;
            }
            if self.streams[0].is_broken() {
                // Our terminal is gone: letting go of the command's hangs it up.
                self.keyboard = None;
                self.size = None;
            }
            self.look_after()?;
            let now = self.clock.since_boot();
            self.left = self.left.filter(|until| now < *until);
            for stream in &mut self.streams {
                if stream.deadline().is_some_and(|deadline| now >= deadline) {
                    stream.idle(now);
                }
            }
        }
        self.streams.iter_mut().for_each(Stream::end);
        Ok(())
    }

    /// Whether all that may come has come, and all that may be written is.
    fn is_over(&mut self) -> bool {
        let Some(until) = self.drain else {
            return false;
        };
        let late = self.clock.since_boot() >= until;
        if late {
            // What was held until the end is written now: this is the end.
            self.streams.iter_mut().for_each(Stream::release);
        }
        if self.streams.iter().all(Stream::is_finished) {
            return true;
        }
        // Whoever holds the command's output open now is outside our tree and is not waited for.
        // A reader who stalls is, unless a bound was reached: that is hard.
        late && (self.limited.is_some() || self.streams.iter().all(Stream::is_written))
    }

    /// Sleeps until something can be done; tells what.
    fn wait(&self) -> Result<Vec<Source>, RunError> {
        let entries = self.entries();
        let mut events: Vec<PollFd<'_>> = entries
            .iter()
            .map(|(_, descriptor, flags)| PollFd::from_borrowed_fd(*descriptor, *flags))
            .collect();
        let now = self.clock.since_boot();
        let deadlines = self.streams.iter().filter_map(Stream::deadline);
        let guarded = self.drain.is_none();
        let checks = self.overdue.into_iter().chain([self.next_check]);
        let checks = checks.chain(self.left);
        let checks = checks.filter(|_| guarded);
        let timeout = deadlines.chain(self.drain).chain(checks).min().map(|due| {
            let left = due.saturating_sub(now);
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        match poll(&mut events, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(errno) => return Err(RunError::system("waiting")(errno)),
        }
        let ready = entries
            .iter()
            .zip(&events)
            .filter(|(_, event)| !event.revents().is_empty());
        Ok(ready.map(|((source, ..), _)| *source).collect())
    }

    fn entries(&self) -> Vec<(Source, BorrowedFd<'_>, PollFlags)> {
        let mut entries = Vec::with_capacity(8);
        if self.drain.is_none() {
            entries.push((Source::Guard, self.guard.descriptor(), PollFlags::IN));
            if let Some(leash) = &self.leash {
                entries.push((Source::Leash, leash.as_fd(), PollFlags::IN));
            }
            if let Some(pipe) = self.feed.as_ref().and_then(Feed::waits_on) {
                entries.push((Source::Feed, pipe, PollFlags::OUT));
            }
            let waits = self.paused || self.left.is_some();
            let keyboard = self.keyboard.as_ref().filter(|_| !waits);
            if let Some((descriptor, flags)) = keyboard.and_then(Keyboard::waits_on) {
                entries.push((Source::Keyboard, descriptor, flags));
            }
        }
        if let Some(steering) = &self.steering {
            entries.push((Source::Steering, steering.descriptor(), PollFlags::IN));
        }
        if let Some(signals) = &self.signals {
            entries.push((Source::Signals, signals.descriptor(), PollFlags::IN));
        }
        for (index, stream) in self.streams.iter().enumerate() {
            if let Some(descriptor) = stream.reads_from() {
                entries.push((Source::Read(index), descriptor, PollFlags::IN));
            }
            if let Some(descriptor) = stream.writes_to() {
                entries.push((Source::Write(index), descriptor, PollFlags::OUT));
            }
        }
        entries
    }

    fn serve(&mut self, source: Source) -> Result<(), RunError> {
        match source {
            Source::Guard => return self.heed(),
            Source::Signals => self.pass_on(),
            Source::Leash => {
                self.leash = None;
                self.abandon();
            }
            Source::Steering => return self.follow(),
            Source::Read(index) => self.read(index),
            Source::Write(index) => self.streams[index].put(),
            Source::Feed => self.feed.iter_mut().for_each(Feed::go_on),
            Source::Keyboard => self.type_on(),
        }
        Ok(())
    }

    /// Takes what is typed, or passes it on; unless the client was stopped or put into the
    /// background behind our back: its shell reads there now.
    fn type_on(&mut self) {
        let from = self.keyboard.as_ref().and_then(Keyboard::reads_from);
        if let (Some(steering), Some(from)) = (&self.steering, from)
            && !steering.may_type(from)
        {
            self.left = Some(self.clock.since_boot().saturating_add(ASIDE));
            return;
        }
        self.keyboard.iter_mut().for_each(Keyboard::go_on);
    }

    fn read(&mut self, index: usize) {
        let now = self.clock.since_boot();
        let count = self.streams[index].take(self.room, now);
        let Some(room) = self.room else {
            return;
        };
        self.room = Some(room.saturating_sub(count));
        if count > room && self.limited.is_none() {
            self.limited = Some(Limit::Output);
            self.end(Some(Limit::Output));
        }
    }

    fn end(&mut self, limit: Option<Limit>) {
        self.ask(Request::End(limit));
        let due = must_be_done(self.clock.since_boot());
        self.overdue = Some(self.overdue.map_or(due, |overdue| overdue.min(due)));
    }

    /// Whoever it ran for went away.
    fn abandon(&mut self) {
        if self.drain.is_some() {
            // Only their reading was waited for.
            self.give_up();
            return;
        }
        // The terminal is somebody else's from here on: what is typed is not for the command, which
        // may take its time to end.
        self.keyboard = None;
        self.raw = None;
        self.abandoned = true;
        self.end(None);
    }

    /// Looks whether the guardian does its work. The command may be able to stop it.
    fn look_after(&mut self) -> Result<(), RunError> {
        let now = self.clock.since_boot();
        if self.drain.is_some() {
            return Ok(());
        }
        if let Some(overdue) = self.overdue.filter(|overdue| now >= *overdue) {
            if now > overdue.saturating_add(CHECK) {
                // We did not run ourselves (a suspended machine): nor did the guardian, perhaps.
                self.overdue = Some(must_be_done(now));
            } else {
                self.killed = self.guard.give_up();
                return self.lost(now, true);
            }
        }
        if now >= self.next_check {
            self.next_check = now.saturating_add(CHECK);
            if self.guard.check().is_err() {
                return self.lost(now, false);
            }
        }
        Ok(())
    }

    /// The guardian is gone, and the command with it, at that time. A run that is over its time, or
    /// was being ended by us, ends as it would have.
    fn lost(&mut self, now: Duration, overdue: bool) -> Result<(), RunError> {
        if self.limited.is_none() && self.expires.is_some_and(|expires| now >= expires) {
            self.limited = Some(Limit::Timeout);
        }
        if !overdue && self.limited != Some(Limit::Timeout) {
            return Err(RunError::SupervisorLost);
        }
        self.drain = Some(self.clock.since_boot().saturating_add(WIND_DOWN));
        Ok(())
    }

    /// Asks the guardian. That it is gone shows when its notices are read, and is not a fault when
    /// it is gone because it is done.
    fn ask(&mut self, request: Request) {
        let _ = self.guard.ask(request);
    }

    /// Takes what the guardian tells.
    fn heed(&mut self) -> Result<(), RunError> {
        loop {
            let now = self.clock.since_boot();
            let notice = match self.guard.next() {
                Ok(Some(notice)) => notice,
                Ok(None) => return Ok(()),
                Err(_) => return self.lost(now, false),
            };
            match notice {
                Notice::Exited(status) => self.ending = Some(Ending::Exited(status)),
                Notice::Signalled(signal) => self.ending = Some(Ending::Signalled(signal)),
                Notice::Limited(limit) => self.limited = self.limited.or(Some(limit)),
                Notice::Stopped(signal) => self.stop_too(signal)?,
                Notice::Done(killed) => {
                    self.killed = killed;
                    self.drain = Some(self.clock.since_boot().saturating_add(WIND_DOWN));
                    return Ok(());
                }
                Notice::Started(_) | Notice::Failed { .. } => {}
            }
        }
    }

    /// The command was stopped, by Ctrl-Z mostly: so are we, for the shell that waits for us.
    fn stop_too(&mut self, signal: i32) -> Result<(), RunError> {
        if let Some(steering) = &self.steering {
            if let Some(raw) = &self.raw {
                raw.suspend();
            }
            self.paused = steering.stopped(signal);
            return match self.paused {
                true => Ok(()),
                false => self.go_on(),
            };
        }
        if self.signals.is_none() {
            return Ok(());
        }
        if may_stop() {
            if let Some(raw) = &self.raw {
                raw.suspend();
            }
            stop();
            return self.go_on();
        }
        self.ask(Request::Signal(SIGCONT));
        Ok(())
    }

    /// After a stop: the terminal as the command has it, and the command continued.
    fn go_on(&mut self) -> Result<(), RunError> {
        self.paused = false;
        self.left = None;
        if let Some(raw) = &self.raw {
            raw.resume()
                .map_err(RunError::system("setting the terminal"))?;
        }
        self.resize();
        self.ask(Request::Signal(SIGCONT));
        Ok(())
    }

    fn pass_on(&mut self) {
        let caught = self.signals.as_ref().map(Signals::take).unwrap_or_default();
        for signal in caught {
            if signal != SIGTSTP || may_stop() {
                self.pass(signal);
            }
        }
    }

    /// Does with the client's signals what is done with our own.
    fn follow(&mut self) -> Result<(), RunError> {
        loop {
            match self
                .steering
                .as_ref()
                .map_or(Steered::Nothing, Steering::next)
            {
                Steered::Nothing => return Ok(()),
                Steered::Gone => {
                    self.steering = None;
                    self.abandon();
                    return Ok(());
                }
                Steered::Signal(SIGCONT) => self.go_on()?,
                Steered::Signal(signal) if CAUGHT.contains(&signal) => self.pass(signal),
                // Nothing that a client catches.
                Steered::Signal(_) => {}
            }
        }
    }

    /// Passes a signal on to the command.
    fn pass(&mut self, signal: i32) {
        if signal == SIGWINCH {
            self.resize();
        } else if self.drain.is_some() {
            // Nothing is left to end but the wait for a reader.
            self.give_up();
        } else {
            self.ask(Request::Signal(signal));
            if matches!(signal, SIGTERM | SIGHUP) {
                // What is stopped has to run to see it.
                self.ask(Request::Signal(SIGCONT));
            }
        }
    }

    /// Waits for no reader any longer.
    fn give_up(&mut self) {
        self.drain = Some(Duration::ZERO);
        self.streams.iter_mut().for_each(Stream::give_up);
    }

    fn resize(&self) {
        if let Some((from, to)) = &self.size {
            let _ = copy_size(from.as_fd(), to.as_fd());
        }
    }

    fn report(&self, duration: Duration) -> Result<RunReport, RunError> {
        let mut by_key = BTreeMap::new();
        let mut redacted = 0;
        for stream in &self.streams {
            let counts = stream.counts();
            redacted += counts.total();
            for (key, count) in counts.by_key() {
                *by_key.entry(key.map(str::to_owned)).or_insert(0) += count;
            }
        }
        let ended = match (self.limited, self.abandoned) {
            (Some(limit), _) => Some(Ending::Limited(limit)),
            (None, true) => Some(Ending::Abandoned),
            (None, false) => self.ending,
        };
        let bytes = |index: usize| self.streams.get(index).map_or(0, Stream::bytes);
        Ok(RunReport {
            ending: ended.ok_or(RunError::SupervisorLost)?,
            stdout_bytes: bytes(0),
            stderr_bytes: bytes(1),
            redactions: by_key.into_iter().collect(),
            redacted,
            unopened: self.streams.iter().map(Stream::unopened).sum(),
            truncated: self.streams.iter().any(Stream::is_cut),
            output_error: self.streams.iter().find_map(Stream::lost),
            stragglers_killed: self.killed,
            duration,
        })
    }
}
