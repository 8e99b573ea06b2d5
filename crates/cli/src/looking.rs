//! Text that is looked through for values of the vault, wherever that is open: in this process, or in
//! the daemon, which then gets the text and gives back no value.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use subrosa_engine::{Looked, MaskOptions, Masking, Session};
use subrosa_redact::{RedactingWriter, Redactor};
use subrosa_wire::looking::{PIECE_MAX, PLACES_MAX, Place, Places, receive_places, send_piece};
use subrosa_wire::{Back, Mask};

use crate::access::Access;
use crate::context::Context;
use crate::failure::Failure;
use crate::near::missed;
use crate::remote::Remote;

/// Where text comes from: each piece of it is given to the argument.
pub(crate) type Source<'a> =
    dyn FnMut(&mut dyn FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> + 'a;

/// Writes text to `out` with every value masked; returns how many were.
pub(crate) fn mask(
    context: &Context,
    options: &MaskOptions,
    shapes: bool,
    source: &mut Source<'_>,
    mut out: std::fs::File,
) -> Result<u64, Failure> {
    match context.access()? {
        Access::Own(mut session) => {
            let masking = begin(context, &mut session, options)?;
            let looked = mask_here(&masking, shapes, source, out);
            let found = looked.as_ref().map(|looked| looked.found);
            masking.complete(found.map_err(|failure| failure.message.clone()));
            session.close()?;
            let looked = looked?;
            if let Some(warning) = looked.warning() {
                context.out.warn(&warning);
            }
            Ok(looked.found)
        }
        Access::Daemon(mut remote) => {
            let (mut ours, theirs) = UnixStream::pair().map_err(Failure::io("a socket"))?;
            let asked = Mask {
                selectors: options.selectors.clone(),
                fold: options.fold,
                back: Back::Text { shapes },
            };
            remote.look(asked, OwnedFd::from(theirs))?;
            let mut back = ours.try_clone().map_err(Failure::io("a socket"))?;
            let taker = std::thread::spawn(move || {
                let taken = take(&mut back, &mut out);
                // Nobody takes the rest: whoever writes it is to stop.
                let _ = back.shutdown(Shutdown::Both);
                taken
            });
            let mut ended = false;
            let given = source(&mut |piece| {
                ours.write_all(piece).map_err(|_| {
                    ended = true;
                    Failure::gone()
                })
            });
            let _ = ours.shutdown(Shutdown::Write);
            let taken = taker
                .join()
                .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            taken.map_err(Failure::io("standard output"))?;
            if !ended {
                given?;
            }
            // Where the daemon ended first, it says why.
            let masked = remote
                .looked()
                .map_err(|trouble| missed(&mut remote, "", trouble))?;
            for warning in &masked.warnings {
                context.out.warn(warning);
            }
            Ok(masked.found)
        }
    }
}

fn take(from: &mut UnixStream, out: &mut dyn Write) -> io::Result<()> {
    let mut block = vec![0; PIECE_MAX];
    loop {
        match from.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) => out.write_all(&block[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // It closed its end without having read all of ours: it says why in its answer.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn mask_here(
    masking: &Masking,
    shapes: bool,
    source: &mut Source<'_>,
    out: std::fs::File,
) -> Result<Looked, Failure> {
    let mut redactor = masking.known().redactor().listing(0);
    if shapes {
        redactor = redactor.with_shapes();
    }
    let mut writer = RedactingWriter::new(out, redactor);
    source(&mut |piece| {
        writer
            .write_all(piece)
            .map_err(Failure::io("standard output"))
    })?;
    let (_, redactor) = writer.finish().map_err(Failure::io("standard output"))?;
    Ok(Looked {
        found: redactor.counts().total(),
        unopened: redactor.unopened(),
    })
}

fn begin(
    context: &Context,
    session: &mut Session,
    options: &MaskOptions,
) -> Result<Masking, Failure> {
    let mut masking = session
        .start_masking(options)
        .map_err(|error| missed(session, "", error))?;
    for warning in masking.take_warnings() {
        context.out.warn(&warning);
    }
    Ok(masking)
}

/// Texts that are looked through one after the other.
pub(crate) enum Looking {
    /// In this process.
    Own(Box<Own>),
    /// In the daemon.
    Daemon(Remote, UnixStream),
}

pub(crate) struct Own {
    session: Box<Session>,
    masking: Masking,
    redactor: Redactor,
    /// Where the text begins in what the redactor has seen.
    begin: u64,
    found: u64,
    out: Vec<u8>,
}

impl Looking {
    pub(crate) fn begin(context: &Context, options: &MaskOptions) -> Result<Self, Failure> {
        match context.access()? {
            Access::Own(mut session) => {
                let masking = begin(context, &mut session, options)?;
                let redactor = masking.known().redactor().listing(PLACES_MAX);
                Ok(Self::Own(Box::new(Own {
                    session,
                    masking,
                    redactor,
                    begin: 0,
                    found: 0,
                    out: Vec::new(),
                })))
            }
            Access::Daemon(mut remote) => {
                let (ours, theirs) = UnixStream::pair().map_err(Failure::io("a socket"))?;
                let asked = Mask {
                    selectors: options.selectors.clone(),
                    fold: options.fold,
                    back: Back::Places,
                };
                remote.look(asked, OwnedFd::from(theirs))?;
                Ok(Self::Daemon(remote, ours))
            }
        }
    }

    /// The next bytes of a text.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Own(own) => {
                own.redactor.push(piece, &mut own.out);
                own.out.clear();
                Ok(())
            }
            Self::Daemon(remote, socket) => {
                let mut pieces = piece.chunks(PIECE_MAX);
                let sent = pieces.try_for_each(|piece| send_piece(socket, piece));
                sent.map_err(|_| ended(remote, socket))
            }
        }
    }

    /// The end of a text: the daemon may begin with its end.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        match self {
            Self::Own(own) => {
                own.redactor.finish(&mut own.out);
                own.out.clear();
                Ok(())
            }
            Self::Daemon(remote, socket) => {
                send_piece(socket, &[]).map_err(|_| ended(remote, socket))
            }
        }
    }

    /// What was found in the text that was ended.
    pub(crate) fn places(&mut self) -> Result<Places, Failure> {
        match self {
            Self::Own(own) => {
                let listed = own.redactor.take_findings();
                let total = own.redactor.counts().total();
                let more = total - own.found - listed.len() as u64;
                let begin = std::mem::replace(&mut own.begin, own.redactor.position());
                own.found = total;
                let places = listed.into_iter().map(|one| Place {
                    start: one.start - begin,
                    end: one.end - begin,
                    form: one.form.name().to_owned(),
                    key: one.key.as_deref().map(str::to_owned),
                });
                Ok(Places {
                    places: places.collect(),
                    more,
                })
            }
            Self::Daemon(remote, socket) => {
                receive_places(socket).map_err(|_| ended(remote, socket))
            }
        }
    }

    /// Ends the use: the completion record is written.
    pub(crate) fn finish(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Own(own) => {
                let Own {
                    session,
                    masking,
                    found,
                    ..
                } = *own;
                masking.complete(Ok(found));
                Ok(session.close()?)
            }
            Self::Daemon(mut remote, socket) => {
                let _ = socket.shutdown(Shutdown::Write);
                let masked = remote
                    .looked()
                    .map_err(|trouble| missed(&mut remote, "", trouble))?;
                for warning in &masked.warnings {
                    context.out.warn(warning);
                }
                Ok(())
            }
        }
    }
}

/// Why the daemon has ended its side.
fn ended(remote: &mut Remote, socket: &UnixStream) -> Failure {
    // It may wait for more of ours: then it would not answer.
    let _ = socket.shutdown(Shutdown::Both);
    match remote.looked() {
        Err(trouble) => missed(remote, "", trouble),
        Ok(_) => Failure::new("daemon", "the daemon ended before the text did"),
    }
}
