//! Adapters for tokio's `AsyncRead` and `AsyncWrite`.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use zeroize::Zeroizing;

use super::finished;
use crate::redactor::Redactor;

/// The most that is taken in at once.
const BLOCK: usize = 64 * 1024;

/// Reads from `R` what is left after redaction, without blocking.
///
/// As [`RedactingReader`](crate::RedactingReader): what is held back comes when it can be no value
/// any more, or at the end. A read that is cancelled loses nothing; after an error of the inner
/// reader reading may go on. An inner reader that is not `Unpin` goes in as `Box::pin(reader)`.
///
/// ```
/// use subrosa_redact::{AsyncRedactingReader, Redactor};
/// use tokio::io::AsyncReadExt;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let redactor = Redactor::builder().named("db", b"correct-h0rse").build()?;
/// let input = &b"pw=correct-h0rse\n"[..];
/// let mut text = String::new();
/// AsyncRedactingReader::new(input, redactor).read_to_string(&mut text).await?;
/// assert_eq!(text, "pw=[REDACTED:db]\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AsyncRedactingReader<R> {
    inner: R,
    redactor: Redactor,
    input: Zeroizing<Vec<u8>>,
    out: Vec<u8>,
    read: usize,
    ended: bool,
}

impl<R: AsyncRead + Unpin> AsyncRedactingReader<R> {
    /// Redacts what is read from `inner`.
    pub fn new(inner: R, redactor: Redactor) -> Self {
        AsyncRedactingReader {
            inner,
            redactor,
            input: Zeroizing::new(vec![0; BLOCK]),
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

impl<R: AsyncRead + Unpin> AsyncRead for AsyncRedactingReader<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        while this.read == this.out.len() && !this.ended {
            let mut input = ReadBuf::new(&mut this.input);
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut input))?;
            this.out.clear();
            this.read = 0;
            if input.filled().is_empty() {
                this.ended = true;
                this.redactor.finish(&mut this.out);
            } else {
                this.redactor.push(input.filled(), &mut this.out);
            }
        }
        let rest = &this.out[this.read..];
        let count = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..count]);
        this.read += count;
        Poll::Ready(Ok(()))
    }
}

impl<R> fmt::Debug for AsyncRedactingReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncRedactingReader")
            .field("redactor", &self.redactor)
            .finish_non_exhaustive()
    }
}

/// Writes to `W` what is left after redaction, without blocking.
///
/// - **Writing** takes in what it tells, at most 64 KiB at once, and hands what is released to the
///   inner writer, as far as that takes it; the rest goes before anything else is taken in. A write
///   that is cancelled while it is pending has taken in nothing.
/// - **Flushing** writes and flushes what is released, and not what is held back: that is what
///   [`idle`](AsyncRedactingWriter::idle) is for on a terminal.
/// - **Shutting down** ends the stream: what is held back is written, then the inner writer is shut
///   down. Without it what is held back is lost, since nothing can be awaited in a drop.
/// - **An error** of the inner writer is told once. What was not written by then is kept, and goes
///   with the next call.
///
/// An inner writer that is not `Unpin` goes in as `Box::pin(writer)`.
///
/// ```
/// use subrosa_redact::{AsyncRedactingWriter, Redactor};
/// use tokio::io::AsyncWriteExt;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let redactor = Redactor::builder().value(b"correct-h0rse").build()?;
/// let mut writer = AsyncRedactingWriter::new(Vec::new(), redactor);
/// writer.write_all(b"pw=correct-").await?;
/// writer.write_all(b"h0rse").await?;
/// writer.shutdown().await?;
/// let (out, redactor) = writer.into_parts();
/// assert_eq!(out, b"pw=[REDACTED]");
/// assert_eq!(redactor.counts().total(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AsyncRedactingWriter<W> {
    inner: W,
    redactor: Redactor,
    out: Vec<u8>,
    written: usize,
    ended: bool,
    /// Of a write that has taken in its text by then: the next call tells.
    error: Option<io::Error>,
}

impl<W: AsyncWrite + Unpin> AsyncRedactingWriter<W> {
    /// Redacts what is written to `inner`.
    pub fn new(inner: W, redactor: Redactor) -> Self {
        AsyncRedactingWriter {
            inner,
            redactor,
            out: Vec::new(),
            written: 0,
            ended: false,
            error: None,
        }
    }

    /// As [`Redactor::idle`], writing and flushing what is released.
    ///
    /// # Errors
    ///
    /// Those of the inner writer.
    pub async fn idle(&mut self, since: Duration) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        let before = self.out.len();
        self.redactor.idle(since, &mut self.out);
        if self.out.len() == before {
            return Ok(());
        }
        poll_fn(|context| Pin::new(&mut *self).poll_flush(context)).await
    }

    /// As [`Redactor::deadline`].
    pub fn deadline(&self) -> Option<Duration> {
        self.redactor.deadline()
    }

    /// The redactor, for its findings and counts.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The inner writer and the redactor; what was not written yet is lost.
    pub fn into_parts(self) -> (W, Redactor) {
        (self.inner, self.redactor)
    }

    /// Writes what is released.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(error) = self.error.take() {
            return Poll::Ready(Err(error));
        }
        while self.written < self.out.len() {
            let rest = &self.out[self.written..];
            match ready!(Pin::new(&mut self.inner).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        self.out.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for AsyncRedactingWriter<W> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        input: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(Err(finished()));
        }
        ready!(this.poll_drain(context))?;
        let input = &input[..input.len().min(BLOCK)];
        this.redactor.push(input, &mut this.out);
        // It is taken in whatever becomes of it now.
        if let Poll::Ready(Err(error)) = this.poll_drain(context) {
            this.error = Some(error);
        }
        Poll::Ready(Ok(input.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(context))?;
        Pin::new(&mut this.inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.ended {
            this.ended = true;
            this.redactor.finish(&mut this.out);
        }
        ready!(this.poll_drain(context))?;
        Pin::new(&mut this.inner).poll_shutdown(context)
    }
}

impl<W> fmt::Debug for AsyncRedactingWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncRedactingWriter")
            .field("redactor", &self.redactor)
            .finish_non_exhaustive()
    }
}
