//! Text that a client has looked through: it comes and goes on the client's socket, and the values
//! stay here.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU32, Ordering};

use subrosa_engine::{Looked, Masking};
use subrosa_wire::Back;
use subrosa_wire::looking::{PIECE_MAX, PLACES_MAX, Place, Places, receive_piece, send_places};

/// Filters at a time: each holds the values that it looks for.
const FILTERS: u32 = 8;

/// One of the filters that may be at a time.
pub(crate) struct Turn<'a>(&'a AtomicU32);

impl<'a> Turn<'a> {
    /// `None` when there are as many as may be.
    pub(crate) fn take(count: &'a AtomicU32) -> Option<Self> {
        let taken = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count < FILTERS).then(|| count + 1)
        });
        // Not made before it is taken: dropping it gives one back.
        taken.is_ok().then(|| Self(count))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Looks through what comes until the client ends; returns what came of it.
///
/// # Errors
/// What the socket gave: the client went away, or says what makes no sense.
pub(crate) fn look(masking: &Masking, back: Back, socket: OwnedFd) -> io::Result<Looked> {
    let mut socket = UnixStream::from(socket);
    match back {
        Back::Text { shapes } => {
            let mut from = socket.try_clone()?;
            masking.filter(&mut from, &mut socket, shapes)
        }
        // Whoever asks for places unpacks as well, and sees what is not looked into.
        Back::Places => places(masking, &mut socket).map(|found| Looked { found, unopened: 0 }),
    }
}

fn places(masking: &Masking, socket: &mut UnixStream) -> io::Result<u64> {
    let mut redactor = masking.known().redactor().listing(PLACES_MAX);
    let mut piece = Vec::with_capacity(PIECE_MAX);
    let mut out = Vec::new();
    let mut found = 0;
    let mut begin = 0;
    while receive_piece(socket, &mut piece)? {
        if !piece.is_empty() {
            redactor.push(&piece, &mut out);
            out.clear();
            continue;
        }
        redactor.finish(&mut out);
        out.clear();
        let listed = redactor.take_findings();
        let total = redactor.counts().total();
        let told = listed.len() as u64;
        let places = listed.into_iter().map(|one| Place {
            start: one.start - begin,
            end: one.end - begin,
            form: one.form.name().to_owned(),
            key: one.key.as_deref().map(str::to_owned),
        });
        let places = Places {
            places: places.collect(),
            more: total - found - told,
        };
        found = total;
        begin = redactor.position();
        send_places(socket, &places)?;
        socket.flush()?;
    }
    Ok(found)
}
