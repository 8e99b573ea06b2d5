//! A promise that a record is durable.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::AuditError;

type Answer = Result<u64, AuditError>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole at every await point of a holder, so a panic leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, answer: Answer) {
        let mut state = self.lock();
        if state.answer.is_some() {
            return;
        }
        state.answer = Some(answer);
        let waker = state.waker.take();
        drop(state);
        self.ready.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Waits until a record is durable. A use may only begin when this says so.
///
/// Both blocking ([`Ticket::wait`]) and a future; the answer is the record's place in the log.
#[must_use = "a decision that is not known to be durable must count as a refusal"]
pub struct Ticket {
    shared: Arc<Shared>,
}

impl Ticket {
    /// Blocks until the record is durable.
    ///
    /// # Errors
    /// Why it is not. Whoever waits must then refuse.
    pub fn wait(self) -> Result<u64, AuditError> {
        let mut state = self.shared.lock();
        loop {
            match &state.answer {
                Some(answer) => return answer.clone(),
                None => {
                    state = self
                        .shared
                        .ready
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// A ticket that is answered already.
    pub(crate) fn answered(answer: Answer) -> Self {
        let (promise, ticket) = promise();
        promise.keep(answer);
        ticket
    }
}

impl Future for Ticket {
    type Output = Result<u64, AuditError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.lock();
        match &state.answer {
            Some(answer) => Poll::Ready(answer.clone()),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket")
            .field("answer", &self.shared.lock().answer)
            .finish()
    }
}

/// The writer's side of a ticket. Dropped without an answer, it answers that the writer stopped.
pub(crate) struct Promise {
    shared: Arc<Shared>,
}

impl Promise {
    pub(crate) fn keep(self, answer: Answer) {
        self.shared.answer(answer);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.shared.answer(Err(AuditError::Stopped));
    }
}

/// A promise and the ticket that waits for it.
pub(crate) fn promise() -> (Promise, Ticket) {
    let shared = Arc::new(Shared::default());
    let ticket = Ticket {
        shared: Arc::clone(&shared),
    };
    (Promise { shared }, ticket)
}
