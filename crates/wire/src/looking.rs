//! Texts that are looked through, one after the other, on a socket of their own.
//!
//! ```text
//! client: length (4, little-endian), so many bytes of the text; any number of these;
//!         a length of zero ends the text
//! daemon: length (4, little-endian), so many bytes: a Places; one for each text
//! ```
//!
//! The daemon answers when a text has ended, and the client then begins the next: neither ever waits
//! for the other to read.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::{WireError, decode, encode};

/// Most bytes of a text at a time.
pub const PIECE_MAX: usize = 64 * 1024;
/// Most places that are told of one text.
pub const PLACES_MAX: usize = 1000;
/// Longest answer.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// Where values stand in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// In the order of the text, [`PLACES_MAX`] at most.
    pub places: Vec<Place>,
    /// How many more there are.
    pub more: u64,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Offset of its first byte in the text.
    pub start: u64,
    /// Offset after its last byte.
    pub end: u64,
    /// The form in which it stands there.
    pub form: String,
    /// The secret.
    pub key: Option<String>,
}

/// Sends a piece of a text; an empty one ends it.
///
/// # Errors
/// What the socket gave.
pub fn send_piece(socket: &mut dyn Write, piece: &[u8]) -> io::Result<()> {
    debug_assert!(piece.len() <= PIECE_MAX);
    let length = u32::try_from(piece.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    socket.write_all(&length.to_le_bytes())?;
    socket.write_all(piece)
}

/// Reads a piece of a text into `piece`; false when the other side has ended.
///
/// # Errors
/// What the socket gave; [`io::ErrorKind::InvalidData`] for a piece that is too long,
/// [`io::ErrorKind::UnexpectedEof`] for an end within one.
pub fn receive_piece(socket: &mut dyn Read, piece: &mut Vec<u8>) -> io::Result<bool> {
    let Some(length) = length(socket)? else {
        return Ok(false);
    };
    if length > PIECE_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    piece.resize(length, 0);
    socket.read_exact(piece).map(|()| true)
}

/// Sends what was found in a text.
///
/// # Errors
/// What the socket gave.
pub fn send_places(socket: &mut dyn Write, places: &Places) -> io::Result<()> {
    let body = encode(places).map_err(io::Error::other)?;
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    socket.write_all(&length.to_le_bytes())?;
    socket.write_all(&body)
}

/// Reads what was found in a text.
///
/// # Errors
/// [`WireError::Closed`] when there is no answer, [`WireError::Garbled`].
pub fn receive_places(socket: &mut dyn Read) -> Result<Places, WireError> {
    let length = length(socket).ok().flatten().ok_or(WireError::Closed)?;
    if length > ANSWER_MAX {
        return Err(WireError::Garbled {
            what: "places that are too many",
        });
    }
    let mut body = vec![0; length];
    socket
        .read_exact(&mut body)
        .map_err(|_| WireError::Closed)?;
    decode(&body)
}

/// A length; `None` at the end.
fn length(socket: &mut dyn Read) -> io::Result<Option<usize>> {
    let mut bytes = [0; 4];
    let mut have = 0;
    while have < bytes.len() {
        match socket.read(&mut bytes[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(u32::from_le_bytes(bytes) as usize))
}
