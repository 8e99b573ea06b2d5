//! What no rule can allow, and the one thing that needs no rule.

use subrosa_model::{Action, CallerKind, Destination, Inject, SecretUse, SinkKind, UseRequest};

/// Why a request is refused whatever the rules say.
pub(crate) struct Refused {
    /// The name behind `builtin:`.
    pub(crate) name: &'static str,
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

impl Refused {
    fn new(name: &'static str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            name,
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}

/// How the values of a request reach a process; placeholders where no process is started.
pub(crate) fn inject_of(request: &UseRequest) -> Inject {
    match &request.destination {
        Destination::Process { inject, .. } => *inject,
        _ => Inject::Placeholder,
    }
}

/// Whether an allowed request would hand over values, and not only placeholders.
pub(crate) fn hands_over_values(request: &UseRequest) -> bool {
    request.action != Action::Run || inject_of(request) != Inject::Placeholder
}

/// What refuses a request before any rule is looked at.
pub(crate) fn refusal(request: &UseRequest) -> Option<Refused> {
    if let Some(why) = contradiction(request) {
        let remedy = "this is a fault of the program that asks; report it";
        return Some(Refused::new("request", why, remedy));
    }
    let agent = match &request.caller.kind {
        CallerKind::Agent(_) => true,
        CallerKind::Operator | CallerKind::Local | CallerKind::Application | CallerKind::Script => {
            false
        }
        other => {
            let reason = format!("no policy can allow anything to the caller `{other}` yet");
            return Some(Refused::new("caller", reason, "ask as an operator"));
        }
    };
    if agent && matches!(request.action, Action::Read | Action::Client) {
        let reason = "an agent uses secrets and is never handed the value of one";
        let remedy = "run the command that needs the value (subrosa run), or have a person read it";
        return Some(Refused::new("agent-read", reason, remedy));
    }
    if agent && request.action == Action::Script {
        // It could write any script: a rule would have to name the text of this one.
        let reason = "an agent runs no scripts on the vault as yet";
        let remedy = "run the command that needs the value (subrosa run), or have a person run it";
        return Some(Refused::new("agent-script", reason, remedy));
    }
    if agent && request.action == Action::Mask {
        // Whoever chooses the text asks with it whether a guess is a value.
        let reason =
            "what is found in a text of its choice would tell an agent which guess is a value";
        let remedy = "have a person look through it: subrosa redact, subrosa scan";
        return Some(Refused::new("agent-mask", reason, remedy));
    }
    request
        .secrets
        .iter()
        .find_map(|secret| secret_refusal(request, secret, agent))
}

fn secret_refusal(request: &UseRequest, secret: &SecretUse, agent: bool) -> Option<Refused> {
    let key = &secret.label.key;
    if request.action == Action::Mask {
        // The value goes nowhere, and one that is no longer used must be found all the same.
        return None;
    }
    if secret
        .expires
        .is_some_and(|expires| expires <= request.time)
    {
        let remedy =
            format!("store a new value or a later expiry: subrosa set {key}, subrosa edit {key}");
        return Some(Refused::new(
            "expired",
            format!("{key} has expired"),
            remedy,
        ));
    }
    let brokered = matches!(request.sink, SinkKind::HttpInjection | SinkKind::Connection);
    if let Some(pin) = secret.label.pin.as_ref().filter(|_| !brokered) {
        let reason = format!(
            "{key} is pinned to {}: it goes to the hosts of that provider and nowhere else",
            pin.provider
        );
        let remedy = "use it through a capability of that provider, or store another secret";
        return Some(Refused::new("pinned", reason, remedy));
    }
    if agent && !secret.searched && request.action == Action::Run && hands_over_values(request) {
        let reason = format!("the value of {key} is too easily guessed to be masked for an agent");
        let remedy = format!("store a longer, random value: subrosa generate {key}");
        return Some(Refused::new("guessable", reason, remedy));
    }
    None
}

/// What in a request contradicts the rest of it, so that a rule might look at one thing and the
/// value go another way.
fn contradiction(request: &UseRequest) -> Option<String> {
    if !request.destination.fits(request.sink) {
        return Some(format!(
            "the request goes to {} and not through a sink of kind {}",
            request.destination, request.sink
        ));
    }
    let fits = match request.action {
        Action::Run => matches!(request.destination, Destination::Process { .. }),
        Action::Http => matches!(request.sink, SinkKind::HttpInjection | SinkKind::Connection),
        Action::Sign => request.sink == SinkKind::Signature,
        Action::Client => request.sink == SinkKind::Client,
        Action::Mask => request.sink == SinkKind::Filter,
        Action::Read | Action::Script => {
            !matches!(request.destination, Destination::Process { .. })
                && matches!(
                    request.sink,
                    SinkKind::Console | SinkKind::File | SinkKind::Client
                )
        }
        other => return Some(format!("`{other}` is no kind of use that a policy knows")),
    };
    if !fits {
        return Some(format!(
            "`{}` does not go to {}",
            request.action, request.destination
        ));
    }
    match (request.action == Action::Http, request.capability.is_some()) {
        (true, false) => return Some("a brokered request names no capability".to_owned()),
        (false, true) => return Some("only a brokered request names a capability".to_owned()),
        _ => {}
    }
    command_contradiction(request)
}

fn command_contradiction(request: &UseRequest) -> Option<String> {
    let (command, process) = match (&request.command, &request.destination) {
        (
            Some(command),
            Destination::Process {
                executable,
                arguments,
                inject,
                ..
            },
        ) => (command, (executable, arguments, *inject)),
        (None, Destination::Process { .. }) => return Some("no command is named".to_owned()),
        (Some(_), _) => return Some("a command is named and none is started".to_owned()),
        (None, _) => return None,
    };
    let (executable, arguments, inject) = process;
    if *executable != command.executable || *arguments != command.arguments {
        return Some("the command that is named is not the one that is started".to_owned());
    }
    if command.requested.is_empty() || command.arguments.is_empty() || !executable.is_absolute() {
        return Some("the command is not resolved to a file".to_owned());
    }
    let fits = match inject {
        Inject::Placeholder => true,
        Inject::Env => request.sink == SinkKind::Environment,
        Inject::File => matches!(request.sink, SinkKind::File | SinkKind::Descriptor),
        Inject::Stdin => matches!(request.sink, SinkKind::Stdin | SinkKind::Descriptor),
        _ => false,
    };
    (!fits).then(|| format!("`inject: {inject}` does not go through {}", request.sink))
}

/// Whether a person may do this without a rule: read, export or back up what is theirs. That the
/// person is there is for the engine to prove, anew for each request.
pub(crate) fn operator_reads(request: &UseRequest) -> bool {
    const PURPOSES: [&str; 3] = ["read", "export", "backup"];
    if request.caller.kind != CallerKind::Operator {
        return false;
    }
    match (request.action, &request.destination) {
        (Action::Read, _) => true,
        (Action::Client, Destination::Client { purpose }) => PURPOSES.contains(&purpose.as_str()),
        _ => false,
    }
}

/// Whether a person may have text looked through without a rule: nothing of a value leaves, and what
/// is found is where it should not be.
pub(crate) fn person_masks(request: &UseRequest) -> bool {
    let person = matches!(
        request.caller.kind,
        CallerKind::Operator | CallerKind::Local
    );
    person && request.action == Action::Mask
}
