//! `AsyncRead` and `AsyncWrite` of tokio: polled by hand, and in a runtime.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;
use subrosa_redact::{AsyncRedactingReader, AsyncRedactingWriter, KnownSet, Redactor, redact_all};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::known;

const VALUE: &str = "hunter2-s3cret-k9";

fn set() -> KnownSet {
    known(&[("k", VALUE)])
}

/// What the other side does next.
#[derive(Clone, Debug)]
enum Step {
    /// Takes or gives so many bytes at most.
    Bytes(usize),
    /// Is not ready.
    Wait,
    /// Fails.
    Fail,
}

/// The other side of a reader or a writer: what it gives or has got, and what it does in turn. When
/// its steps are over it takes and gives all.
#[derive(Default)]
struct Other {
    steps: VecDeque<Step>,
    text: Vec<u8>,
    writes: Vec<usize>,
    flushes: usize,
    shutdowns: usize,
}

impl Other {
    fn new(text: &[u8], steps: &[Step]) -> Self {
        Self {
            steps: steps.iter().cloned().collect(),
            text: text.to_vec(),
            ..Self::default()
        }
    }

    /// How many bytes may go now.
    fn next(&mut self, context: &Context<'_>) -> Poll<io::Result<usize>> {
        match self.steps.pop_front() {
            Some(Step::Bytes(count)) => Poll::Ready(Ok(count)),
            Some(Step::Wait) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Fail) => Poll::Ready(Err(io::Error::other("the line is cut"))),
            None => Poll::Ready(Ok(usize::MAX)),
        }
    }
}

impl AsyncRead for Other {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.next(context).map_ok(|count| {
            let count = count.min(this.text.len()).min(buffer.remaining());
            buffer.put_slice(&this.text[..count]);
            this.text.drain(..count);
        })
    }
}

impl AsyncWrite for Other {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        input: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.next(context).map_ok(|count| {
            let count = count.min(input.len());
            this.text.extend_from_slice(&input[..count]);
            this.writes.push(count);
            count
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().shutdowns += 1;
        Poll::Ready(Ok(()))
    }
}

/// Polls a future once, and gives it up.
fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls to the end. Whoever is not ready here is ready at the next poll.
fn done<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// A text with the value in it, whole, in base64, over two lines, and cut at the end.
fn text() -> Vec<u8> {
    format!("a {VALUE}, aHVudGVyMi1zM2NyZXQtazk=, hunter2-\ns3cret-k9 and hunter2-s3cret")
        .into_bytes()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..9).prop_map(Step::Bytes),
        1 => Just(Step::Wait),
        1 => Just(Step::Fail),
    ]
}

proptest! {
    /// Whatever the other side does, and however little is asked for at once.
    #[test]
    fn what_is_read_is_what_all_at_once_gives(
        steps in prop::collection::vec(step(), 0..60),
        asked in 1_usize..9,
    ) {
        let (expected, _) = redact_all(&set(), &text());
        let mut reader = AsyncRedactingReader::new(Other::new(&text(), &steps), set().redactor());
        let mut out = Vec::new();
        let mut piece = vec![0; asked];
        loop {
            // Each read is given up when it is not ready, as in a `select!`.
            match once(reader.read(&mut piece)) {
                Poll::Ready(Ok(0)) => break,
                Poll::Ready(Ok(count)) => out.extend_from_slice(&piece[..count]),
                Poll::Ready(Err(error)) => prop_assert_eq!(error.to_string(), "the line is cut"),
                Poll::Pending => {}
            }
        }
        prop_assert_eq!(out, expected);
        prop_assert_eq!(reader.redactor().held_back(), 0);
    }

    #[test]
    fn what_is_written_is_what_all_at_once_gives(
        steps in prop::collection::vec(step(), 0..60),
        pieces in prop::collection::vec(1_usize..20, 1..30),
    ) {
        let (expected, _) = redact_all(&set(), &text());
        let mut writer = AsyncRedactingWriter::new(Other::new(b"", &steps), set().redactor());
        let text = text();
        let mut rest = &text[..];
        let mut sizes = pieces.iter().cycle();
        let mut size = 1;
        while !rest.is_empty() {
            let piece = &rest[..size.min(rest.len())];
            // What was not told to be taken in is not taken in, and is offered again.
            match once(writer.write(piece)) {
                Poll::Ready(Ok(count)) => {
                    rest = &rest[count..];
                    size = *sizes.next().expect("a cycle");
                }
                Poll::Ready(Err(error)) => prop_assert_eq!(error.to_string(), "the line is cut"),
                Poll::Pending => {}
            }
        }
        while !matches!(once(writer.shutdown()), Poll::Ready(Ok(()))) {}
        let (other, redactor) = writer.into_parts();
        prop_assert_eq!(other.text, expected);
        prop_assert_eq!(other.shutdowns, 1);
        prop_assert_eq!(redactor.held_back(), 0);
    }
}

#[test]
fn a_read_of_nothing_asks_for_nothing() {
    let other = Other::new(b"text", &[Step::Fail]);
    let mut reader = AsyncRedactingReader::new(other, set().redactor());
    assert!(matches!(once(reader.read(&mut [])), Poll::Ready(Ok(0))));
    assert!(done(reader.read(&mut [0; 4])).is_err());
}

#[test]
fn the_end_stays_the_end() {
    let mut reader = AsyncRedactingReader::new(Other::new(b"hunter2", &[]), set().redactor());
    let mut out = Vec::new();
    done(reader.read_to_end(&mut out)).expect("read");
    assert_eq!(out, b"hunter2");
    let (mut other, redactor) = reader.into_parts();
    // What comes behind the end of a file that grows is another stream.
    other.text = b"more".to_vec();
    let mut reader = AsyncRedactingReader::new(other, redactor);
    done(reader.read_to_end(&mut out)).expect("read");
    assert_eq!(out, b"hunter2more");
    assert_eq!(done(reader.read(&mut [0; 8])).expect("read"), 0);
}

#[test]
fn one_write_in_is_one_write_out() {
    let mut writer = AsyncRedactingWriter::new(Other::default(), set().redactor().interactive());
    for text in [" 10%\r", "hunter2-s3cret-k9 20%\r", "hun", "gry!"] {
        done(writer.write_all(text.as_bytes())).expect("written");
    }
    let (other, _) = writer.into_parts();
    assert_eq!(other.text, b" 10%\r[REDACTED:k] 20%\rhungry!");
    assert_eq!(other.writes, [5, 17, 7]);
}

#[test]
fn nothing_more_is_taken_in_than_the_other_side_takes() {
    let waits = [Step::Wait, Step::Wait, Step::Bytes(2), Step::Wait];
    let mut writer = AsyncRedactingWriter::new(Other::new(b"", &waits), set().redactor());
    // The first is taken in: what is released of it waits here.
    assert!(matches!(once(writer.write(b"first ")), Poll::Ready(Ok(6))));
    assert!(once(writer.write(b"second ")).is_pending());
    assert!(once(writer.write(b"second ")).is_pending());
    assert!(matches!(once(writer.write(b"third ")), Poll::Ready(Ok(6))));
    done(writer.shutdown()).expect("ended");
    assert_eq!(writer.into_parts().0.text, b"first third ");
}

#[test]
fn a_large_text_is_taken_in_by_blocks() {
    let mut writer = AsyncRedactingWriter::new(Other::default(), set().redactor());
    let large = vec![b'.'; 200_000];
    assert_eq!(done(writer.write(&large)).expect("written"), 64 * 1024);
    done(writer.write_all(&large)).expect("written");
    done(writer.shutdown()).expect("ended");
    assert_eq!(writer.into_parts().0.text.len(), 200_000 + 64 * 1024);
}

#[test]
fn a_flush_does_not_let_go_of_what_may_be_a_value() {
    let mut writer = AsyncRedactingWriter::new(Other::default(), set().redactor());
    done(writer.write_all(b"> hunter2-")).expect("written");
    done(writer.flush()).expect("flushed");
    assert_eq!(writer.redactor().held_back(), 8);
    let deadline = writer.deadline().expect("something is held");
    done(writer.idle(Duration::ZERO)).expect("too early for anything");
    done(writer.idle(deadline)).expect("written");
    assert_eq!(writer.deadline(), None);
    done(writer.write_all(b"s3cret-k9 <")).expect("written");
    done(writer.shutdown()).expect("ended");
    done(writer.idle(Duration::MAX)).expect("nothing is left");
    let (other, _) = writer.into_parts();
    assert_eq!(other.text, b"> [REDACTED:k] <");
    assert_eq!((other.flushes, other.shutdowns), (2, 1));
}

#[test]
fn the_end_is_written_once_however_often_it_waits() {
    let steps = [Step::Bytes(2), Step::Wait, Step::Bytes(1), Step::Wait];
    let mut writer = AsyncRedactingWriter::new(Other::new(b"", &steps), set().redactor());
    done(writer.write_all(b"> hunter2")).expect("written");
    assert!(once(writer.shutdown()).is_pending());
    assert!(once(writer.shutdown()).is_pending());
    done(writer.shutdown()).expect("ended");
    let refused = done(writer.write(b"more")).expect_err("it is over");
    assert_eq!(refused.to_string(), "the redacted stream is finished");
    let (other, _) = writer.into_parts();
    assert_eq!(other.text, b"> hunter2");
    assert_eq!(other.shutdowns, 1);
}

#[test]
fn an_error_is_told_once_and_loses_nothing() {
    let steps = [Step::Bytes(3), Step::Fail, Step::Bytes(0)];
    let mut writer = AsyncRedactingWriter::new(Other::new(b"", &steps), set().redactor());
    assert_eq!(done(writer.write(b"before ")).expect("taken in"), 7);
    let error = done(writer.write(b"behind ")).expect_err("of the write before");
    assert_eq!(error.to_string(), "the line is cut");
    let error = done(writer.flush()).expect_err("it takes nothing");
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    done(writer.write_all(b"behind")).expect("written");
    done(writer.shutdown()).expect("ended");
    assert_eq!(writer.into_parts().0.text, b"before behind");
}

#[test]
fn no_value_is_in_a_debug_form() {
    let mut writer = AsyncRedactingWriter::new(Other::default(), set().redactor());
    done(writer.write_all(b"hunter2-s3cret")).expect("written");
    let reader = AsyncRedactingReader::new(Other::new(VALUE.as_bytes(), &[]), set().redactor());
    let shown = format!("{writer:?} {reader:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// Through a pipe of a runtime whose both ends wait for each other.
#[test]
fn a_pipe_in_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let text = text().repeat(500);
    let (expected, _) = redact_all(&set(), &text);
    let out = runtime.expect("a runtime").block_on(async {
        let (ours, theirs) = tokio::io::duplex(13);
        let sending = tokio::spawn(async move {
            let redactor = Redactor::builder().named("k", VALUE.as_bytes()).build();
            let mut writer = AsyncRedactingWriter::new(ours, redactor.expect("searched for"));
            writer.write_all(&text).await?;
            writer.shutdown().await
        });
        let mut out = Vec::new();
        let empty = KnownSet::empty().redactor();
        let mut reader = AsyncRedactingReader::new(theirs, empty);
        reader.read_to_end(&mut out).await.expect("read");
        sending.await.expect("no panic").expect("written");
        out
    });
    assert!(out == expected);
}
