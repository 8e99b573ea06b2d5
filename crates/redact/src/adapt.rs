//! Adapters for `Read` and `Write`, and for their counterparts that do not block.

#[cfg(feature = "tokio")]
mod asynchronous;

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

use zeroize::Zeroizing;

#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncRedactingReader, AsyncRedactingWriter};

use crate::redactor::Redactor;

/// Writes to `W` what is left after redaction: one write for each write.
///
/// `flush` flushes the inner writer, not what is held back; that is what
/// [`finish`](RedactingWriter::finish) and [`idle`](RedactingWriter::idle) are
/// for. Dropping it finishes it and ignores errors, as `BufWriter` does.
///
/// ```
/// use std::io::Write;
/// use subrosa_redact::{Known, RedactingWriter};
/// let mut known = Known::new();
/// let _ = known.add(None, b"correct-h0rse");
/// let mut writer = RedactingWriter::new(Vec::new(), known.build().redactor());
/// write!(writer, "pw=correct-h0rse")?;
/// let (out, redactor) = writer.finish()?;
/// assert_eq!(out, b"pw=[REDACTED]");
/// assert_eq!(redactor.counts().total(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct RedactingWriter<W: Write> {
    /// `None` once finished.
    parts: Option<(W, Redactor)>,
    out: Vec<u8>,
}

impl<W: Write> RedactingWriter<W> {
    /// Redacts what is written to `inner`.
    pub fn new(inner: W, redactor: Redactor) -> Self {
        RedactingWriter {
            parts: Some((inner, redactor)),
            out: Vec::new(),
        }
    }

    /// As [`Redactor::idle`], writing and flushing what is released.
    ///
    /// # Errors
    ///
    /// Those of the inner writer.
    pub fn idle(&mut self, since: Duration) -> io::Result<()> {
        if self.through(|redactor, out| redactor.idle(since, out))? {
            self.flush()?;
        }
        Ok(())
    }

    /// As [`Redactor::deadline`].
    pub fn deadline(&self) -> Option<Duration> {
        self.redactor().and_then(Redactor::deadline)
    }

    /// The redactor, for its findings and counts; `None` only after an error
    /// in [`finish`](RedactingWriter::finish).
    pub fn redactor(&self) -> Option<&Redactor> {
        self.parts.as_ref().map(|(_, redactor)| redactor)
    }

    /// Ends the stream, writes what is held back and flushes.
    ///
    /// # Errors
    ///
    /// Those of the inner writer, which is then lost.
    pub fn finish(mut self) -> io::Result<(W, Redactor)> {
        self.end()?;
        self.parts.take().ok_or_else(finished)
    }

    fn end(&mut self) -> io::Result<()> {
        self.through(|redactor, out| redactor.finish(out))?;
        self.flush()
    }

    /// Writes what `act` releases, in one write; tells whether it was anything.
    fn through(&mut self, act: impl FnOnce(&mut Redactor, &mut Vec<u8>)) -> io::Result<bool> {
        let (inner, redactor) = self.parts.as_mut().ok_or_else(finished)?;
        self.out.clear();
        act(redactor, &mut self.out);
        if self.out.is_empty() {
            return Ok(false);
        }
        inner.write_all(&self.out)?;
        Ok(true)
    }
}

fn finished() -> io::Error {
    io::Error::other("the redacted stream is finished")
}

impl<W: Write> Write for RedactingWriter<W> {
    /// Takes in all of `input`; after an error, what was released is lost.
    fn write(&mut self, input: &[u8]) -> io::Result<usize> {
        self.through(|redactor, out| redactor.push(input, out))?;
        Ok(input.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let (inner, _) = self.parts.as_mut().ok_or_else(finished)?;
        inner.flush()
    }
}

impl<W: Write> Drop for RedactingWriter<W> {
    fn drop(&mut self) {
        // While panicking the inner writer may be in any state.
        if self.parts.is_some() && !std::thread::panicking() {
            let _ = self.end();
        }
    }
}

impl<W: Write> fmt::Debug for RedactingWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactingWriter")
            .field("redactor", &self.redactor())
            .finish_non_exhaustive()
    }
}

/// Reads from `R` what is left after redaction.
///
/// ```
/// use std::io::Read;
/// use subrosa_redact::{Known, RedactingReader};
/// let mut known = Known::new();
/// let _ = known.add(Some("db"), b"correct-h0rse");
/// let input = &b"pw=correct-h0rse\n"[..];
/// let mut text = String::new();
/// RedactingReader::new(input, known.build().redactor()).read_to_string(&mut text)?;
/// assert_eq!(text, "pw=[REDACTED:db]\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct RedactingReader<R> {
    inner: R,
    redactor: Redactor,
    input: Zeroizing<Vec<u8>>,
    out: Vec<u8>,
    read: usize,
    ended: bool,
}

impl<R: Read> RedactingReader<R> {
    /// Redacts what is read from `inner`.
    pub fn new(inner: R, redactor: Redactor) -> Self {
        RedactingReader {
            inner,
            redactor,
            input: Zeroizing::new(vec![0; 64 * 1024]),
            out: Vec::new(),
            read: 0,
            ended: false,
        }
    }

    /// The redactor, for its findings and counts.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The inner reader and the redactor; what was not read yet is lost.
    pub fn into_parts(self) -> (R, Redactor) {
        (self.inner, self.redactor)
    }
}

impl<R: Read> Read for RedactingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.read == self.out.len() && !self.ended {
            let count = self.inner.read(&mut self.input)?;
            self.out.clear();
            self.read = 0;
            if count == 0 {
                self.ended = true;
                self.redactor.finish(&mut self.out);
            } else {
                self.redactor.push(&self.input[..count], &mut self.out);
            }
        }
        let rest = &self.out[self.read..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}

impl<R> fmt::Debug for RedactingReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactingReader")
            .field("redactor", &self.redactor)
            .finish_non_exhaustive()
    }
}
