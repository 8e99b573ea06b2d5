//! Attempts to open the vault from before the key is known.
//!
//! A failed attempt has no key to seal a record with. It is noted as one line of JSON in a file
//! that the store keeps, and merged into the log by the next attempt that succeeds. Whoever can
//! write the folder can make such lines up, so what comes of them is marked.

use serde::{Deserialize, Serialize};
use subrosa_model::{Caller, Event, EventBody, Timestamp, Unlock};

/// Attempts that a merge takes over; of more, the newest.
pub const ATTEMPTS_MAX: usize = 256;
/// Longest encoded attempt, in bytes.
pub const ATTEMPT_LEN_MAX: usize = 1024;
/// Longest slot's name and executable in an attempt, in bytes of JSON text; the rest is cut off.
const SLOT_MAX: usize = 128;
const EXECUTABLE_MAX: usize = 512;

/// One failed attempt to open the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub caller: Caller,
    /// The slot's label, or its kind.
    pub slot: String,
}

impl Attempt {
    /// One line without its end, at most [`ATTEMPT_LEN_MAX`] bytes. Long names are cut.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut short = self.clone();
        short.slot = cut(&short.slot, SLOT_MAX);
        short.caller.executable = short
            .caller
            .executable
            .map(|path| cut(&path, EXECUTABLE_MAX));
        let line = serde_json::to_vec(&short).unwrap_or_default();
        debug_assert!(line.len() <= ATTEMPT_LEN_MAX);
        line
    }

    /// Reads a line; `None` for what is none of ours, or too long for one.
    #[must_use]
    pub fn decode(line: &[u8]) -> Option<Self> {
        if line.len() > ATTEMPT_LEN_MAX {
            return None;
        }
        serde_json::from_slice(line).ok()
    }

    fn into_event(self) -> Event {
        let slot = self.slot;
        event(self.time, self.caller, slot)
    }
}

/// Turns noted attempts into events for the log, oldest first, each marked as unauthenticated.
///
/// `dropped` and `unreadable` count lines that are not among `lines`; together with those that are
/// left out here they become an event of their own, by `caller` at `now`.
#[must_use]
pub fn merge_attempts<'l>(
    lines: impl IntoIterator<Item = &'l [u8]>,
    dropped: u64,
    unreadable: u64,
    caller: &Caller,
    now: Timestamp,
) -> Vec<Event> {
    let (mut dropped, mut unreadable) = (dropped, unreadable);
    let mut attempts = std::collections::VecDeque::new();
    for line in lines {
        match Attempt::decode(line) {
            Some(attempt) => attempts.push_back(attempt),
            None => unreadable = unreadable.saturating_add(1),
        }
        if attempts.len() > ATTEMPTS_MAX {
            attempts.pop_front();
            dropped = dropped.saturating_add(1);
        }
    }
    let mut events = Vec::with_capacity(attempts.len() + 1);
    if dropped > 0 || unreadable > 0 {
        let note = format!("({dropped} earlier attempts dropped, {unreadable} unreadable)");
        events.push(event(now, caller.clone(), note));
    }
    events.extend(attempts.into_iter().map(Attempt::into_event));
    events
}

fn event(time: Timestamp, caller: Caller, slot: String) -> Event {
    Event {
        time,
        caller,
        body: EventBody::Unlock(Unlock {
            slot,
            opened: false,
            unauthenticated: true,
        }),
    }
}

/// The beginning of a text whose JSON form takes at most `max` bytes.
fn cut(text: &str, max: usize) -> String {
    let mut left = max;
    text.chars()
        .take_while(|letter| {
            // Escaped: `\u0000` at the longest, `\"` otherwise.
            let size = match letter {
                '"' | '\\' => 2,
                letter if (*letter as u32) < 0x20 => 6,
                letter => letter.len_utf8(),
            };
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        })
        .collect()
}
