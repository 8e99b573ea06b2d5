//! The first words. Their form never changes, so that any two versions can tell that they differ.
//!
//! Body: `subrosa\0`, `u32` protocol in little-endian, then the version of the program as text.

use std::os::fd::AsFd;
use std::time::Duration;

use crate::WireError;
use crate::frame::{Bounds, receive, send};

/// The protocol of this program. It grows with every change of a message.
pub const PROTOCOL: u32 = 3;

const MAGIC: &[u8; 8] = b"subrosa\0";
const BOUNDS: Bounds = Bounds {
    body: 128,
    secret: 0,
    descriptors: 0,
};
/// How long the first words may take.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(5));

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The protocol.
    pub protocol: u32,
    /// The version of the program.
    pub program: String,
}

impl Hello {
    fn own(program: &str) -> Self {
        Self {
            protocol: PROTOCOL,
            program: program.to_owned(),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.protocol.to_le_bytes());
        bytes.extend_from_slice(self.program.as_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let garbled = WireError::Garbled {
            what: "its first words",
        };
        let rest = bytes.strip_prefix(MAGIC.as_slice());
        let Some((protocol, program)) = rest.and_then(|rest| rest.split_first_chunk::<4>()) else {
            return Err(garbled);
        };
        let program = std::str::from_utf8(program).map_err(|_| garbled)?;
        if program.chars().any(char::is_control) {
            return Err(WireError::Garbled {
                what: "its version",
            });
        }
        Ok(Self {
            protocol: u32::from_le_bytes(*protocol),
            program: program.to_owned(),
        })
    }

    fn agrees(self) -> Result<Self, WireError> {
        if self.protocol == PROTOCOL {
            return Ok(self);
        }
        Err(WireError::Version {
            ours: PROTOCOL,
            theirs: self.protocol,
            program: self.program,
        })
    }
}

/// Speaks first, as a client does.
///
/// # Errors
/// [`WireError::Version`], and what the connection gives.
pub fn greet(socket: impl AsFd, program: &str) -> Result<Hello, WireError> {
    send(&socket, &Hello::own(program).encode(), None, &[], PATIENCE)?;
    let frame = receive(&socket, &BOUNDS, PATIENCE)?.ok_or(WireError::Closed)?;
    Hello::decode(&frame.body)?.agrees()
}

/// Answers, as a daemon does; a client of another version is told ours.
///
/// # Errors
/// As [`greet`].
pub fn welcome(socket: impl AsFd, program: &str) -> Result<Hello, WireError> {
    let frame = receive(&socket, &BOUNDS, PATIENCE)?.ok_or(WireError::Closed)?;
    let theirs = Hello::decode(&frame.body)?;
    send(&socket, &Hello::own(program).encode(), None, &[], PATIENCE)?;
    theirs.agrees()
}
