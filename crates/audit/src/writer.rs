//! The one thread of a process that writes the log.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use subrosa_crypto::Rng;
use subrosa_model::{Event, StoreError, Timestamp};

use crate::AuditError;
use crate::anchor::{Anchor, Mark, Strength, check_head};
use crate::chain::{Chain, Payload, Prepared};
use crate::finding::Finding;
use crate::port::LogStore;
use crate::ticket::{Promise, Ticket, promise};

/// How long the anchor may be behind commits that others made.
pub const ANCHOR_DELAY: Duration = Duration::from_millis(20);
/// Messages that may wait for the writer; whoever submits more blocks.
pub const QUEUE_MAX: usize = 1024;
/// Events that are committed together at most.
pub const GROUP_MAX: usize = 256;
/// Completion records that wait for a failing store to recover; more are counted as lost.
pub const BACKLOG_MAX: usize = 1024;
/// How often one group is prepared again because other processes were faster.
const ATTEMPTS: usize = 64;

/// What the writer knows about itself.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// How much the anchor proves.
    pub strength: Strength,
    /// What the anchor said against the log when the writer started. While this is set the anchor
    /// is left as it is, as evidence.
    pub anchor_finding: Option<Finding>,
    /// Whether there was no anchor when the writer started, though there is a log.
    pub anchor_missing: bool,
    /// Why the anchor could not be read or written last; the log itself goes on.
    pub anchor_error: Option<String>,
    /// Completion records that wait for the store to recover.
    pub waiting: usize,
    /// Completion records that were lost and are not counted in the log yet.
    pub lost: u64,
}

/// The writer: hands events to its thread, which commits them in groups.
///
/// Dropping it commits what was submitted and ends the thread.
pub struct Writer {
    queue: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    status: Arc<Mutex<Status>>,
    /// Whether the thread knows already that the anchor is behind.
    anchor_due: Arc<AtomicBool>,
}

enum Message {
    /// An awaited event with its promise, or one that nobody waits for.
    Event(Payload, Option<Promise>),
    /// One that does not fit into a row.
    Lost(Timestamp),
    Checkpoint(Timestamp, Promise),
    Prune(u64, Payload, Promise),
    Flush(Promise),
    Anchor,
}

impl Writer {
    /// Starts the writer. The anchor, if any, is compared with the chain first; what it has to say
    /// is in [`Writer::status`].
    ///
    /// # Errors
    /// [`AuditError::Store`] when the row that the anchor names cannot be read;
    /// [`AuditError::Thread`].
    pub fn spawn(
        mut store: Box<dyn LogStore>,
        chain: Arc<Mutex<Chain>>,
        rng: Arc<dyn Rng>,
        mut anchor: Option<Box<dyn Anchor>>,
    ) -> Result<Self, AuditError> {
        let mut status = Status::default();
        if let Some(anchor) = &mut anchor {
            status.strength = anchor.strength();
            match anchor.read() {
                Ok(Some(mark)) => {
                    status.anchor_finding = compare(&mut lock(&chain), &mark, &mut *store)?;
                }
                Ok(None) => status.anchor_missing = lock(&chain).mark().is_some(),
                Err(error) => status.anchor_error = Some(error.to_string()),
            }
        }
        if status.anchor_finding.is_some() {
            anchor = None;
        }
        let status = Arc::new(Mutex::new(status));
        let (sender, queue) = sync_channel(QUEUE_MAX);
        let anchor_due = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            store,
            chain,
            rng,
            anchor,
            queue,
            status: Arc::clone(&status),
            backlog: Vec::new(),
            lost: 0,
            last_error: None,
            last_time: Timestamp::EPOCH,
            anchored: 0,
            anchor_due: Arc::clone(&anchor_due),
        };
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| AuditError::Thread(Arc::new(error)))?;
        Ok(Self {
            queue: Some(sender),
            thread: Some(thread),
            status,
            anchor_due,
        })
    }

    /// Submits an event that somebody waits for. Blocks while [`QUEUE_MAX`] messages wait.
    pub fn submit(&self, event: Event) -> Ticket {
        match Payload::encode(&event) {
            Ok(payload) => self.ask(|promise| Message::Event(payload, Some(promise))),
            Err(error) => Ticket::answered(Err(error)),
        }
    }

    /// Submits an event that nobody waits for: a completion. It is committed with the next group.
    /// If the store fails, it is tried again with later groups; if too many wait, the log says how
    /// many were lost, one that does not fit into a row included. Blocks while [`QUEUE_MAX`]
    /// messages wait.
    pub fn submit_later(&self, event: Event) {
        let message = match Payload::encode(&event) {
            Ok(payload) => Message::Event(payload, None),
            Err(_) => Message::Lost(event.time),
        };
        // After a panic of the writer there is nobody to tell; an absent completion means unknown.
        let _gone = self.send(message);
    }

    /// Asks for a checkpoint now; the ticket answers its place.
    pub fn checkpoint(&self, time: Timestamp) -> Ticket {
        self.ask(|promise| Message::Checkpoint(time, promise))
    }

    /// Removes all rows below `keep_from` and records `event` about it; the ticket answers the
    /// place of the event. Verify the log before.
    pub fn prune(&self, keep_from: u64, event: Event) -> Ticket {
        match Payload::encode(&event) {
            Ok(payload) => self.ask(|promise| Message::Prune(keep_from, payload, promise)),
            Err(error) => Ticket::answered(Err(error)),
        }
    }

    /// Tells the writer that somebody else committed to the chain, so that the anchor follows within
    /// [`ANCHOR_DELAY`]: it is written once for many commits, and waking the writer for each would
    /// cost a good part of one.
    ///
    /// # Errors
    /// [`AuditError::Stopped`].
    pub fn anchor(&self) -> Result<(), AuditError> {
        if self.anchor_due.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.send(Message::Anchor)
    }

    /// Blocks until everything submitted before is durable and anchored.
    ///
    /// # Errors
    /// Why records that nobody waited for are still not durable.
    pub fn flush(&self) -> Result<(), AuditError> {
        self.ask(Message::Flush).wait().map(drop)
    }

    /// What the writer knows about itself.
    #[must_use]
    pub fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    fn ask(&self, message: impl FnOnce(Promise) -> Message) -> Ticket {
        let (promise, ticket) = promise();
        // When the thread is gone the promise is dropped with the message, and that is an answer.
        let _gone = self.send(message(promise));
        ticket
    }

    fn send(&self, message: Message) -> Result<(), AuditError> {
        self.queue
            .as_ref()
            .and_then(|queue| queue.send(message).ok())
            .ok_or(AuditError::Stopped)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was reported there, and every ticket says that it stopped.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

struct Worker {
    store: Box<dyn LogStore>,
    chain: Arc<Mutex<Chain>>,
    rng: Arc<dyn Rng>,
    anchor: Option<Box<dyn Anchor>>,
    queue: Receiver<Message>,
    status: Arc<Mutex<Status>>,
    /// Events nobody waits for that the store refused so far.
    backlog: Vec<Payload>,
    /// Such events that were given up and are not counted in the log yet.
    lost: u64,
    last_error: Option<AuditError>,
    last_time: Timestamp,
    /// The last row that the anchor knows.
    anchored: u64,
    /// Whether somebody committed since the anchor was last written.
    anchor_due: Arc<AtomicBool>,
}

type Group = Vec<(Payload, Option<Promise>)>;

impl Worker {
    fn run(mut self) {
        while let Some(first) = self.next() {
            let mut group = Group::new();
            let mut flushes = Vec::new();
            let mut next = Some(first);
            // Whatever has arrived meanwhile is committed together; nobody is waited for.
            while let Some(message) = next.take() {
                match message {
                    Message::Event(payload, promise) => group.push((payload, promise)),
                    Message::Lost(time) => {
                        self.lost += 1;
                        self.last_time = time;
                    }
                    Message::Flush(promise) => flushes.push(promise),
                    Message::Anchor => {}
                    Message::Checkpoint(time, promise) => {
                        self.commit(std::mem::take(&mut group));
                        promise.keep(self.checkpoint(time));
                    }
                    Message::Prune(keep_from, event, promise) => {
                        self.commit(std::mem::take(&mut group));
                        promise.keep(self.prune(keep_from, event));
                    }
                }
                if group.len() < GROUP_MAX {
                    next = self.queue.try_recv().ok();
                }
            }
            self.commit(group);
            self.write_anchor();
            self.tell_status();
            for promise in flushes {
                promise.keep(self.outcome());
            }
        }
        self.commit(Group::new());
        self.write_anchor();
        self.tell_status();
    }

    /// The next message; an anchor that is due waits a little for the commits that follow.
    fn next(&self) -> Option<Message> {
        match self.queue.recv() {
            Ok(Message::Anchor) => match self.queue.recv_timeout(ANCHOR_DELAY) {
                Ok(message) => Some(message),
                Err(_) => Some(Message::Anchor),
            },
            received => received.ok(),
        }
    }

    /// What a flush answers.
    fn outcome(&self) -> Result<u64, AuditError> {
        if self.backlog.is_empty() && self.lost == 0 {
            return Ok(lock(&self.chain).sequence());
        }
        Err(self.last_error.clone().unwrap_or(AuditError::Stopped))
    }

    /// Commits a group together with what waits from earlier ones.
    fn commit(&mut self, group: Group) {
        if group.is_empty() && self.backlog.is_empty() && self.lost == 0 {
            return;
        }
        if let Some((payload, _)) = group.last() {
            self.last_time = payload.time;
        }
        let lost = (self.lost > 0).then_some((self.last_time, self.lost));
        let backlog = std::mem::take(&mut self.backlog);
        let before = backlog.len();
        let written = {
            let rng = Arc::clone(&self.rng);
            let events = || backlog.iter().chain(group.iter().map(|(event, _)| event));
            self.append(
                |chain, _| chain.prepare_encoded(&*rng, events(), lost),
                None,
            )
        };
        match written {
            Ok(sequences) => {
                self.lost = 0;
                self.last_error = None;
                for ((_, promise), sequence) in group.into_iter().zip(&sequences[before..]) {
                    if let Some(promise) = promise {
                        promise.keep(Ok(*sequence));
                    }
                }
            }
            Err(error) => {
                self.backlog = backlog;
                for (payload, promise) in group {
                    match promise {
                        Some(promise) => promise.keep(Err(error.clone())),
                        None => self.keep_for_later(payload),
                    }
                }
                self.last_error = Some(error);
            }
        }
    }

    fn keep_for_later(&mut self, payload: Payload) {
        if self.backlog.len() < BACKLOG_MAX {
            self.backlog.push(payload);
        } else {
            self.lost += 1;
        }
    }

    fn checkpoint(&mut self, time: Timestamp) -> Result<u64, AuditError> {
        let rng = Arc::clone(&self.rng);
        self.append(|chain, _| chain.prepare_checkpoint(&*rng, time), None)?;
        Ok(lock(&self.chain).sequence())
    }

    fn prune(&mut self, keep_from: u64, event: Payload) -> Result<u64, AuditError> {
        let rng = Arc::clone(&self.rng);
        let time = event.time;
        let events = [event];
        // Whoever chose the place read the store, where other processes may have appended.
        lock(&self.chain).follow(&mut *self.store)?;
        let sequences = self.append(
            |chain, store| chain.prepare_prune_encoded(&*rng, keep_from, store, &events, time),
            Some(keep_from),
        )?;
        sequences.first().copied().ok_or(AuditError::Stopped)
    }

    /// Prepares and appends; when another process was faster, takes up what it wrote and tries
    /// again.
    fn append(
        &mut self,
        prepare: impl Fn(&Chain, &mut dyn LogStore) -> Result<Prepared, AuditError>,
        keep_from: Option<u64>,
    ) -> Result<Vec<u64>, AuditError> {
        let mut chain = lock(&self.chain);
        for _ in 0..ATTEMPTS {
            let prepared = prepare(&chain, &mut *self.store)?;
            let outcome = match keep_from {
                None => self.store.append(&prepared.append),
                Some(keep_from) => self.store.prune(keep_from, &prepared.append),
            };
            match outcome {
                Ok(()) => {
                    let sequences = prepared.sequences().to_vec();
                    prepared.commit(&mut chain);
                    return Ok(sequences);
                }
                Err(StoreError::Conflict) => chain.follow(&mut *self.store)?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(AuditError::Contended)
    }

    fn write_anchor(&mut self) {
        let Some(anchor) = &mut self.anchor else {
            return;
        };
        // Before the chain is read: who commits from here on asks again.
        self.anchor_due.store(false, Ordering::Release);
        let mark = lock(&self.chain).mark();
        let Some(mark) = mark.filter(|mark| mark.sequence() != self.anchored) else {
            return;
        };
        let outcome = anchor.write(&mark);
        if outcome.is_ok() {
            self.anchored = mark.sequence();
        }
        lock(&self.status).anchor_error = outcome.err().map(|error| error.to_string());
    }

    fn tell_status(&self) {
        let mut status = lock(&self.status);
        status.waiting = self.backlog.len();
        status.lost = self.lost;
    }
}

/// Compares the chain with the anchor's mark. The chain was read before the mark: another process
/// may have appended and anchored in between, so a chain that seems to be behind is brought up to
/// date before it is accused.
fn compare(
    chain: &mut Chain,
    mark: &Mark,
    store: &mut dyn LogStore,
) -> Result<Option<Finding>, AuditError> {
    let finding = check_head(chain, mark, store)?;
    if finding.is_none() {
        return Ok(None);
    }
    match chain.follow(store) {
        Ok(()) => check_head(chain, mark, store),
        // What does not continue this chain is no excuse for it.
        Err(AuditError::Tampered(_)) => Ok(finding),
        Err(error) => Err(error),
    }
}

/// A chain and a status are whole between any two statements of a holder, so the lock is taken even
/// when one panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
