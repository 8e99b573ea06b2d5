//! Questions on the terminal. What is typed is not shown and goes straight into locked memory.
#![allow(clippy::disallowed_methods, reason = "questions are asked on /dev/tty")]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use subrosa_crypto::{SecretBuf, ct_eq};

use crate::failure::Failure;

/// Longest line that is read, in bytes.
const LINE_MAX: usize = 64 * 1024;

/// The terminal of this process, if it has one.
pub(crate) struct Terminal {
    file: File,
}

/// Puts the terminal back as it was.
struct Restore<'a> {
    file: &'a File,
    before: Termios,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        // There is nobody to tell, and the line was read.
        let _ = tcsetattr(self.file, OptionalActions::Now, &self.before);
    }
}

impl Terminal {
    /// The controlling terminal; `None` without one.
    pub(crate) fn open() -> Option<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .ok()?;
        tcgetattr(&file).is_ok().then_some(Self { file })
    }

    /// Asks for a line that is not shown.
    pub(crate) fn hidden(&mut self, question: &str) -> Result<SecretBuf, Failure> {
        let before = tcgetattr(&self.file).map_err(|errno| broken(errno.into()))?;
        let mut silent = before.clone();
        // Byte by byte: in the line mode of the terminal the kernel would cut a long line, and its
        // keys for interrupting would leave the terminal without an echo.
        silent.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        let mut file = &self.file;
        let restore = Restore {
            file: &self.file,
            before,
        };
        // Before the question: what is typed once it is seen is an answer, and not thrown away.
        tcsetattr(&self.file, OptionalActions::Flush, &silent)
            .map_err(|errno| broken(errno.into()))?;
        file.write_all(question.as_bytes()).map_err(broken)?;
        let line = read_line(&mut file);
        drop(restore);
        file.write_all(b"\n").map_err(broken)?;
        line
    }

    /// Asks a question that return alone answers with yes.
    pub(crate) fn yes(&mut self, question: &str) -> Result<bool, Failure> {
        let answer = self.hidden(question)?;
        Ok(matches!(answer.as_slice(), b"" | b"y" | b"Y" | b"yes"))
    }

    /// Asks twice for a new secret.
    pub(crate) fn hidden_twice(
        &mut self,
        question: &str,
        again: &str,
    ) -> Result<SecretBuf, Failure> {
        let first = self.hidden(question)?;
        let second = self.hidden(again)?;
        if ct_eq(first.as_slice(), second.as_slice()) {
            Ok(first)
        } else {
            Err(Failure::new(
                "mismatch",
                "the two lines are not the same; nothing was changed",
            ))
        }
    }
}

/// Reads to the end of the line, with the keys that edit one.
fn read_line(input: &mut dyn Read) -> Result<SecretBuf, Failure> {
    const INTERRUPT: u8 = 3;
    const END: u8 = 4;
    const CLEAR: u8 = 21;
    const ESCAPE: u8 = 27;
    let mut line = SecretBuf::new();
    let mut byte = [0];
    loop {
        if input.read(&mut byte).map_err(broken)? == 0 {
            return Err(Failure::cancelled());
        }
        match byte[0] {
            b'\r' | b'\n' => return Ok(line),
            INTERRUPT => return Err(Failure::cancelled()),
            END if line.is_empty() => return Err(Failure::cancelled()),
            END => return Ok(line),
            CLEAR => line.truncate(0),
            8 | 127 => line.truncate(before_last_character(line.as_slice())),
            ESCAPE => skip_sequence(input)?,
            0..32 => {}
            typed if line.len() < LINE_MAX => line.extend(&[typed])?,
            _ => {
                let text = format!("a line has at most {LINE_MAX} bytes; use --stdin");
                return Err(Failure::new("limit", text));
            }
        }
    }
}

/// Arrow keys and the like are sequences, and no part of a secret.
fn skip_sequence(input: &mut dyn Read) -> Result<(), Failure> {
    let mut byte = [0];
    let mut next = |input: &mut dyn Read| -> Result<u8, Failure> {
        match input.read(&mut byte).map_err(broken)? {
            0 => Err(Failure::cancelled()),
            _ => Ok(byte[0]),
        }
    };
    match next(input)? {
        b'[' => while !matches!(next(input)?, 0x40..=0x7e) {},
        b'O' => {
            next(input)?;
        }
        _ => {}
    }
    Ok(())
}

/// Where the last character of UTF-8 text begins.
fn before_last_character(line: &[u8]) -> usize {
    line.iter()
        .rposition(|byte| byte & 0xc0 != 0x80)
        .unwrap_or(0)
}

fn broken(error: std::io::Error) -> Failure {
    Failure::new("terminal", format!("the terminal cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> Result<Vec<u8>, String> {
        read_line(&mut &bytes[..])
            .map(|line| line.as_slice().to_vec())
            .map_err(|failure| failure.code.into_owned())
    }

    #[test]
    fn a_line_ends_with_return() {
        assert_eq!(typed(b"hunter2\nrest"), Ok(b"hunter2".to_vec()));
        assert_eq!(typed(b"\r"), Ok(Vec::new()));
        assert_eq!(
            typed("pässword\n".as_bytes()),
            Ok("pässword".as_bytes().to_vec())
        );
    }

    #[test]
    fn a_line_can_be_edited() {
        assert_eq!(typed("axä\x7f\x7fb\n".as_bytes()), Ok(b"ab".to_vec()));
        assert_eq!(typed(b"wrong\x15right\n"), Ok(b"right".to_vec()));
        assert_eq!(typed(b"\x7f\x7fa\n"), Ok(b"a".to_vec()));
        assert_eq!(typed(b"a\x1b[D\x1b[3~\x1bOPb\n"), Ok(b"ab".to_vec()));
    }

    #[test]
    fn it_can_be_cancelled() {
        assert_eq!(typed(b"abc\x03"), Err("cancelled".to_owned()));
        assert_eq!(typed(b"\x04"), Err("cancelled".to_owned()));
        assert_eq!(typed(b"abc"), Err("cancelled".to_owned()));
        assert_eq!(typed(b"abc\x04"), Ok(b"abc".to_vec()));
    }

    #[test]
    fn a_line_has_a_bound() {
        assert_eq!(typed(&vec![b'x'; LINE_MAX + 1]), Err("limit".to_owned()));
    }
}
