//! Requests, as short as they can be written.

use std::ffi::OsString;
use std::path::PathBuf;

use subrosa_model::{
    Action, AgentName, Caller, CallerKind, CapabilityName, CommandLine, Destination, Digest,
    FieldName, GroupName, Inject, KeyName, Label, Pin, ProviderId, RequestId, Scope, SecretId,
    SecretUse, SessionId, SinkKind, Timestamp, UseRequest, Verdict, WorkspaceId, WorkspaceName,
};
use subrosa_policy::{Decision, Policy};

/// The time of every request.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_000_000);

/// Reads a policy that is known to be right. `version` is put in front.
pub(crate) fn policy(text: &str) -> Policy {
    match Policy::parse(&format!("version: 1\n{text}")) {
        Ok(policy) => policy,
        Err(error) => panic!("{error} ({:?})\n{text}", error.hint()),
    }
}

/// A request that runs `line`, split at spaces, as an operator, with `api/key` as a placeholder.
pub(crate) fn run(line: &str) -> Ask {
    let words: Vec<&str> = line.split(' ').collect();
    run_words(&words)
}

pub(crate) fn run_words(words: &[&str]) -> Ask {
    let requested = words[0];
    let file = requested.rsplit('/').next().unwrap_or(requested);
    let executable = if requested.starts_with('/') {
        PathBuf::from(requested)
    } else {
        PathBuf::from(format!("/usr/bin/{file}"))
    };
    let command = CommandLine {
        requested: OsString::from(requested),
        executable,
        arguments: words.iter().map(OsString::from).collect(),
        digest: None,
    };
    let mut ask = bare(Action::Run);
    ask.0.command = Some(command);
    ask.placed(Inject::Placeholder)
}

/// A request of another kind, to a way out that fits it.
pub(crate) fn other(action: Action) -> Ask {
    let mut ask = bare(action);
    (ask.0.sink, ask.0.destination) = match action {
        Action::Http => {
            ask.0.capability = Some(CapabilityName::new("openai/chat").unwrap());
            (
                SinkKind::HttpInjection,
                Destination::Http {
                    scheme: "https".into(),
                    host: "api.example.com".into(),
                    port: 443,
                    method: "POST".into(),
                    target: "/v1".into(),
                },
            )
        }
        Action::Sign => (
            SinkKind::Signature,
            Destination::Signature {
                algorithm: "ed25519".into(),
                message: Digest::from_bytes([7; 32]),
            },
        ),
        Action::Client => (
            SinkKind::Client,
            Destination::Client {
                purpose: "helper".into(),
            },
        ),
        Action::Mask => (
            SinkKind::Filter,
            Destination::Filter {
                purpose: "scan".into(),
            },
        ),
        _ => (SinkKind::Console, Destination::Console),
    };
    ask
}

fn bare(action: Action) -> Ask {
    Ask(UseRequest {
        id: RequestId::from_bytes([1; 16]),
        caller: Caller {
            kind: CallerKind::Operator,
            uid: 1000,
            pid: 2,
            executable: None,
            token: None,
            session: SessionId::from_bytes([2; 16]),
        },
        action,
        secrets: vec![secret("api/key")],
        sink: SinkKind::Console,
        destination: Destination::Console,
        place: None,
        command: None,
        capability: None,
        time: NOW,
    })
}

/// One secret: `[workspace:[group:]]key[#field]`.
pub(crate) fn secret(text: &str) -> SecretUse {
    let (scoped, field) = text.split_once('#').unwrap_or((text, "value"));
    let parts: Vec<&str> = scoped.split(':').collect();
    let (workspace, group, key) = match parts[..] {
        [key] => ("global", None, key),
        [workspace, key] => (workspace, None, key),
        [workspace, group, key] => (workspace, Some(group), key),
        _ => panic!("{text}"),
    };
    SecretUse {
        label: Label {
            workspace: WorkspaceId::from_bytes([3; 16]),
            secret: SecretId::from_bytes([4; 16]),
            key: KeyName::new(key).unwrap(),
            field: FieldName::new(field).unwrap(),
            version: 1,
            pin: None,
        },
        scope: Scope {
            workspace: WorkspaceName::new(workspace).unwrap(),
            group: group.map(|group| GroupName::new(group).unwrap()),
        },
        expires: None,
        searched: true,
    }
}

/// A request under construction.
#[derive(Clone)]
pub(crate) struct Ask(pub(crate) UseRequest);

impl Ask {
    fn placed(mut self, inject: Inject) -> Self {
        let command = self.0.command.clone().expect("a request to run something");
        self.0.sink = match inject {
            Inject::File => SinkKind::File,
            Inject::Stdin => SinkKind::Stdin,
            _ => SinkKind::Environment,
        };
        self.0.destination = Destination::Process {
            executable: command.executable,
            arguments: command.arguments,
            directory: PathBuf::from("/home/dev/project"),
            inject,
        };
        self
    }

    pub(crate) fn inject(self, inject: Inject) -> Self {
        self.placed(inject)
    }

    pub(crate) fn env(self) -> Self {
        self.placed(Inject::Env)
    }

    fn current(&self) -> Inject {
        match &self.0.destination {
            Destination::Process { inject, .. } => *inject,
            _ => Inject::Placeholder,
        }
    }

    /// The file that the command resolved to.
    pub(crate) fn resolved(mut self, path: &str) -> Self {
        let inject = self.current();
        self.0.command.as_mut().unwrap().executable = PathBuf::from(path);
        self.placed(inject)
    }

    pub(crate) fn with(mut self, keys: &[&str]) -> Self {
        self.0.secrets = keys.iter().map(|key| secret(key)).collect();
        self
    }

    pub(crate) fn agent(self, name: &str) -> Self {
        let name = AgentName::new(name).unwrap();
        self.by(CallerKind::Agent(name))
    }

    pub(crate) fn by(mut self, kind: CallerKind) -> Self {
        self.0.caller.kind = kind;
        self
    }

    pub(crate) fn in_folder(mut self, path: &str) -> Self {
        if let Destination::Process { directory, .. } = &mut self.0.destination {
            *directory = PathBuf::from(path);
        }
        self
    }

    pub(crate) fn pinned(mut self) -> Self {
        for secret in &mut self.0.secrets {
            secret.label.pin = Some(Pin {
                provider: ProviderId::new("openai").unwrap(),
                hosts: Digest::from_bytes([5; 32]),
            });
        }
        self
    }

    pub(crate) fn under(&self, policy: &Policy) -> Decision {
        let decision = policy.decide(&self.0);
        assert_eq!(policy.explain(&self.0).decision, decision);
        decision
    }

    pub(crate) fn verdict(&self, policy: &Policy) -> Verdict {
        self.under(policy).verdict
    }

    pub(crate) fn allowed(&self, policy: &Policy) -> bool {
        self.verdict(policy) == Verdict::Allow
    }

    /// The rule that decided, as text.
    pub(crate) fn rule(&self, policy: &Policy) -> String {
        self.under(policy).rule.to_string()
    }
}
