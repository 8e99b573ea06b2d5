//! The gate: decide, record, release.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin as StdPin;
use std::sync::Arc;
use std::task::{Context, Poll};

use subrosa_audit::{KeyRing, Ticket, Writer};
use subrosa_model::{
    Action, Clock, DecisionEvent, Destination, Digest, Event, EventBody, Inject, KeyName, Label,
    Outcome, SecretId, SinkKind, Timestamp, UseRequest, Verdict,
};
use subrosa_policy::{Decision, Policy, Reach};
use subrosa_redact::{Known, KnownSet};

use crate::known::Learned;
use crate::{
    Kind, Labels, Lent, Permit, Refusal, RefusalKind, ReleaseError, Released, Sensitive, Sink,
};

/// A fresh proof that the person is there, for one request.
///
/// Only whoever has just checked a passphrase or another presence slot may make one.
#[derive(Debug)]
pub struct Presence {
    digest: Digest,
}

impl Presence {
    /// States that a presence slot was opened for the request with this digest
    /// ([`Gate::digest`]).
    #[must_use]
    pub fn proven_for(digest: Digest) -> Self {
        Self { digest }
    }
}

/// An operator's approval of one request.
#[derive(Debug)]
pub struct Approval {
    digest: Digest,
    expires: Timestamp,
}

impl Approval {
    /// States that an operator, with presence, approved the request with this digest until then.
    #[must_use]
    pub fn given_for(digest: Digest, expires: Timestamp) -> Self {
        Self { digest, expires }
    }
}

/// What is known beside the request itself. The default is nothing.
#[derive(Debug, Default)]
pub struct Facts {
    /// Digest of what the request stands in: the environment, standard input, body.
    pub surroundings: Option<Digest>,
    /// A proof of presence.
    pub presence: Option<Presence>,
    /// An approval.
    pub approval: Option<Approval>,
}

/// The gate of one open vault. A clone is the same gate, for whoever completes a run while others
/// are decided on.
#[derive(Clone)]
pub struct Gate {
    policy: Arc<Policy>,
    pub(crate) revision: u64,
    pub(crate) keys: Arc<KeyRing>,
    writer: Arc<Writer>,
    clock: Arc<dyn Clock>,
    learned: Arc<Learned>,
    /// What the token of the present caller reaches at most.
    reach: Option<Arc<Reach>>,
    /// The secrets that masks name to the present caller; all without it.
    named: Option<Arc<HashSet<SecretId>>>,
}

impl Gate {
    /// A gate that decides by `policy` and records through `writer`.
    ///
    /// `revision` counts changes of the policy; it goes into the digest of every request, so that
    /// an approval does not outlive the policy it was given under.
    #[must_use]
    pub fn new(
        policy: Policy,
        revision: u64,
        keys: Arc<KeyRing>,
        writer: Arc<Writer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            policy: Arc::new(policy),
            revision,
            keys,
            writer,
            clock,
            learned: Arc::new(Learned::new()),
            reach: None,
            named: None,
        }
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Decides by another policy from now on. What was learned stays known.
    pub fn replace_policy(&mut self, policy: Policy, revision: u64) {
        self.policy = Arc::new(policy);
        self.revision = revision;
    }

    /// Refuses what is beyond a reach from now on, whatever the policy says; `None` for a caller
    /// without a token.
    pub fn bound_by(&mut self, reach: Option<Reach>) {
        self.reach = reach.map(Arc::new);
        self.named = None;
    }

    /// Has masks name only these secrets until the next [`Gate::bound_by`]; all with `None`.
    pub fn name_only(&mut self, named: Option<HashSet<SecretId>>) {
        self.named = named.map(Arc::new);
    }

    /// The secrets that masks could name.
    #[must_use]
    pub fn learned_names(&self) -> BTreeSet<(KeyName, SecretId)> {
        self.learned.names()
    }

    /// All that was released here so far, compiled for masking.
    #[must_use]
    pub fn known(&self) -> KnownSet {
        self.learned.known(self.named.as_deref())
    }

    /// All that was released here so far, to which a filter adds its own.
    pub(crate) fn released_values(&self) -> Known {
        self.learned.collected(self.named.as_deref())
    }

    /// Teaches the redactor values that go out inside another one, such as a document of them.
    ///
    /// # Errors
    /// [`MemoryError`](subrosa_crypto::MemoryError) when there is no locked memory left.
    pub fn learn<'a>(
        &self,
        values: impl Iterator<Item = &'a Sensitive>,
    ) -> Result<(), subrosa_crypto::MemoryError> {
        self.learned.learn(values)
    }

    /// Waits until every record that was handed to the log is durable.
    ///
    /// # Errors
    /// What the log gave.
    pub fn flush(&self) -> Result<(), subrosa_audit::AuditError> {
        self.writer.flush()
    }

    /// Decides a request and hands the decision record to the log.
    ///
    /// Nothing is permitted before [`Pending::wait`] has seen the record durable. A refusal is
    /// recorded as well.
    pub fn authorize<K: Kind>(&self, request: UseRequest, facts: Facts) -> Pending<K> {
        let digest = self.digest(&request, facts.surroundings);
        let decision = self.decide::<K>(&request, &facts, digest);
        let event = Event {
            time: self.clock.now(),
            caller: request.caller.clone(),
            body: EventBody::Decision(DecisionEvent {
                request: request.id,
                verdict: decision.verdict,
                rule: decision.rule.clone(),
                action: request.action,
                secrets: request.secrets.clone(),
                sink: K::SINK,
                destination: destination(&request),
                digest,
            }),
        };
        Pending {
            ticket: self.writer.submit(event),
            outcome: Some(outcome(request, decision)),
        }
    }

    fn decide<K: Kind>(&self, request: &UseRequest, facts: &Facts, digest: Digest) -> Answer {
        if let Some(answer) = contradiction::<K>(request) {
            return answer;
        }
        if let Some(answer) = invariant::<K>(request) {
            return answer;
        }
        if let Some(beyond) = self.reach.as_ref().and_then(|reach| reach.refusal(request)) {
            return Answer::deny(
                RefusalKind::Policy,
                "token",
                format!("it is beyond what its token reaches: {beyond}"),
                "Ask an operator for a token that reaches it: subrosa agent add",
            );
        }
        let decision: Decision = self.policy.decide(request);
        let mut answer = Answer {
            verdict: decision.verdict,
            kind: RefusalKind::Policy,
            rule: decision.rule.to_string(),
            reason: decision.reason,
            remedy: decision.remedy,
            inject: decision.inject,
            limits: decision.limits,
        };
        let approved =
            |approval: &Approval| approval.digest == digest && request.time < approval.expires;
        match answer.verdict {
            Verdict::Ask if facts.approval.as_ref().is_some_and(approved) => {
                answer.verdict = Verdict::Allow
            }
            Verdict::Ask => answer.kind = RefusalKind::Approval,
            Verdict::Allow | Verdict::Deny => {}
        }
        let present = facts
            .presence
            .as_ref()
            .is_some_and(|proof| proof.digest == digest);
        if answer.verdict == Verdict::Allow && needs_presence(request.action) && !present {
            return Answer {
                verdict: Verdict::Deny,
                kind: RefusalKind::Presence,
                rule: "presence".to_owned(),
                reason: "a value is shown only after a fresh proof that you are there".to_owned(),
                remedy: "Give the passphrase for this command: what opened the vault proves nothing about who is there."
                    .to_owned(),
                ..answer
            };
        }
        answer
    }

    /// Lends the values to `sink`, once.
    ///
    /// The permit is used up whatever happens. A failure is recorded as the request's completion.
    ///
    /// # Errors
    /// [`ReleaseError::Labels`] and [`ReleaseError::Destination`] when the values or the sink are
    /// not those of the permit; nothing moved then. Otherwise what the sink gave.
    pub fn release<S: Sink>(
        &self,
        permit: Permit<S::Kind>,
        values: &[(&str, &Sensitive)],
        sink: &mut S,
    ) -> Result<Released, ReleaseError> {
        let released = Released::new(permit.request, permit.caller.clone());
        match self.lend(&permit, values, sink) {
            Ok(()) => Ok(released),
            Err(error) => {
                released.complete(
                    self,
                    Outcome::Failed {
                        reason: error.to_string(),
                    },
                    0,
                );
                Err(error)
            }
        }
    }

    fn lend<S: Sink>(
        &self,
        permit: &Permit<S::Kind>,
        values: &[(&str, &Sensitive)],
        sink: &mut S,
    ) -> Result<(), ReleaseError> {
        if !values
            .iter()
            .all(|(_, value)| value.labels().is_subset(&permit.labels))
        {
            return Err(ReleaseError::Labels);
        }
        if sink.destination() != permit.destination {
            return Err(ReleaseError::Destination);
        }
        // Whether a guess is masked tells an agent that it is right.
        let agent = permit.caller.kind.agent().is_some();
        if agent && values.iter().any(|(_, value)| value.is_guessable()) {
            return Err(ReleaseError::Guessable);
        }
        // Before the value moves: what comes back may come at once.
        self.learned.learn(values.iter().map(|(_, value)| *value))?;
        sink.accept(Lent::new(values, &self.learned, self.named.as_deref()))?;
        Ok(())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn record_later(&self, event: Event) {
        self.writer.submit_later(event);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// A decision whose record is on its way to the disk. Wait for it, or poll it as a future.
#[must_use = "nothing is permitted before the decision is durable"]
pub struct Pending<K: Kind> {
    ticket: Ticket,
    outcome: Option<Result<Permit<K>, Refusal>>,
}

impl<K: Kind> Pending<K> {
    /// Blocks until the decision is durable.
    ///
    /// # Errors
    /// [`Refusal`]: the decision was no, or it could not be recorded.
    pub fn wait(self) -> Result<Permit<K>, Refusal> {
        let Self { ticket, outcome } = self;
        settle(outcome, ticket.wait())
    }
}

impl<K: Kind> Future for Pending<K> {
    type Output = Result<Permit<K>, Refusal>;

    fn poll(mut self: StdPin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match StdPin::new(&mut self.ticket).poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(recorded) => Poll::Ready(settle(self.outcome.take(), recorded)),
        }
    }
}

// The permit holds no pointer into itself.
impl<K: Kind> Unpin for Pending<K> {}

impl<K: Kind> fmt::Debug for Pending<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending<{}>", K::SINK)
    }
}

fn settle<K: Kind>(
    outcome: Option<Result<Permit<K>, Refusal>>,
    recorded: Result<u64, subrosa_audit::AuditError>,
) -> Result<Permit<K>, Refusal> {
    let outcome = outcome.expect("a future is not polled after it was ready");
    match (outcome, recorded) {
        (outcome, Ok(_)) => outcome,
        // A refusal stands whether or not it could be recorded.
        (Err(refusal), Err(_)) => Err(refusal),
        (Ok(permit), Err(error)) => Err(Refusal {
            kind: RefusalKind::Audit,
            request: permit.request,
            what: permit.caller.kind.to_string(),
            rule: "audit".to_owned(),
            reason: format!("the decision could not be recorded, so nothing was released: {error}"),
            remedy: "Make room or mend the audit log (subrosa audit verify), then try again."
                .to_owned(),
        }),
    }
}

struct Answer {
    verdict: Verdict,
    kind: RefusalKind,
    rule: String,
    reason: String,
    remedy: String,
    inject: Inject,
    limits: subrosa_model::ProcessLimits,
}

impl Answer {
    fn deny(kind: RefusalKind, rule: &str, reason: String, remedy: &str) -> Self {
        Self {
            verdict: Verdict::Deny,
            kind,
            rule: rule.to_owned(),
            reason,
            remedy: remedy.to_owned(),
            inject: Inject::Placeholder,
            limits: subrosa_model::ProcessLimits::default(),
        }
    }
}

/// Where values go, for the record.
fn destination(request: &UseRequest) -> String {
    match &request.place {
        Some(place) => format!("{} at {place}", request.destination),
        None => request.destination.to_string(),
    }
}

fn needs_presence(action: Action) -> bool {
    matches!(action, Action::Read | Action::Client)
}

/// A request that says one kind of sink here and another there.
fn contradiction<K: Kind>(request: &UseRequest) -> Option<Answer> {
    let same_kind = request.sink == K::SINK && request.destination.fits(K::SINK);
    // A value goes the way that was decided on; a placeholder is none, and needs no release.
    let same_way = match (&request.destination, K::SINK) {
        (Destination::Process { inject, .. }, sink) => matches!(
            (inject, sink),
            (Inject::Env, SinkKind::Environment)
                | (Inject::File, SinkKind::File)
                | (Inject::Stdin, SinkKind::Stdin | SinkKind::Descriptor)
        ),
        _ => true,
    };
    let same_command = match (&request.destination, &request.command) {
        (
            Destination::Process {
                executable,
                arguments,
                ..
            },
            Some(command),
        ) => *executable == command.executable && *arguments == command.arguments,
        (Destination::Process { .. }, None) => false,
        (_, command) => command.is_none(),
    };
    if same_kind && same_way && same_command {
        return None;
    }
    let reason = "the request names one sink or command and its destination another".to_owned();
    Some(Answer::deny(
        RefusalKind::Request,
        "request",
        reason,
        "This is a fault of the program; report it.",
    ))
}

/// What no rule can allow.
fn invariant<K: Kind>(request: &UseRequest) -> Option<Answer> {
    if K::SINK == SinkKind::Filter {
        // Nothing is handed over: an expired or pinned value is looked for as any other.
        let agent = request.caller.kind.agent().is_some();
        let reason = "an agent could ask a filter whether a guess is a value".to_owned();
        let remedy = "Have a person look through the text: subrosa redact, subrosa scan";
        return agent.then(|| Answer::deny(RefusalKind::Policy, "filter", reason, remedy));
    }
    for wanted in &request.secrets {
        let Label {
            key, field, pin, ..
        } = &wanted.label;
        if wanted
            .expires
            .is_some_and(|expires| expires <= request.time)
        {
            let reason = format!("{key}#{field} has expired");
            let remedy = format!(
                "Store a new value and expiry: subrosa set {key} --expires 90d. Keep the present one: \
                 subrosa edit {key} --expires never"
            );
            return Some(Answer::deny(RefusalKind::Policy, "expiry", reason, &remedy));
        }
        let brokered = matches!(K::SINK, SinkKind::HttpInjection | SinkKind::Connection);
        if let Some(pin) = pin.as_ref().filter(|_| !brokered) {
            let reason = format!(
                "{key} is pinned to {}: its value goes to that provider's hosts and nowhere else",
                pin.provider
            );
            let remedy = "Use it through the broker, or store a separate secret for this use.";
            return Some(Answer::deny(RefusalKind::Policy, "pin", reason, remedy));
        }
        let is_process = matches!(request.destination, Destination::Process { .. });
        let into_child = is_process
            && matches!(
                K::SINK,
                SinkKind::Environment | SinkKind::Stdin | SinkKind::Descriptor | SinkKind::File
            );
        if into_child && !wanted.searched {
            let reason =
                format!("the value of {key}#{field} is too short or too common to be masked");
            let remedy =
                format!("Store a longer value, or accept the risk: subrosa set {key} --force");
            return Some(Answer::deny(
                RefusalKind::Policy,
                "maskable",
                reason,
                &remedy,
            ));
        }
    }
    None
}

fn outcome<K: Kind>(request: UseRequest, answer: Answer) -> Result<Permit<K>, Refusal> {
    let what = format!(
        "{} {} of {}",
        request.caller.kind,
        request.action,
        names(&request.secrets)
    );
    if answer.verdict != Verdict::Allow {
        return Err(Refusal {
            kind: answer.kind,
            request: request.id,
            what,
            rule: answer.rule,
            reason: answer.reason,
            remedy: answer.remedy,
        });
    }
    let labels: Labels = request
        .secrets
        .into_iter()
        .map(|wanted| wanted.label)
        .collect();
    Ok(Permit {
        request: request.id,
        caller: request.caller,
        labels,
        destination: request.destination,
        inject: answer.inject,
        limits: answer.limits,
        kind: PhantomData,
    })
}

fn names(secrets: &[subrosa_model::SecretUse]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> = secrets
        .iter()
        .take(SHOWN)
        .map(|wanted| wanted.label.key.to_string())
        .collect();
    if secrets.is_empty() {
        return "no secrets".to_owned();
    }
    if secrets.len() > SHOWN {
        names.push(format!("{} more", secrets.len() - SHOWN));
    }
    names.join(", ")
}
