//! What a proof, an approval or a record is for: the digest of a whole request.

use std::os::unix::ffi::OsStrExt;

use subrosa_crypto::Aad;
use subrosa_model::{Destination, Digest, UseRequest};

use crate::gate::Gate;

impl Gate {
    /// The keyed digest of what a request stands in, for [`Facts::surroundings`](crate::Facts::surroundings).
    #[must_use]
    pub fn surroundings(&self, parts: &Aad) -> Digest {
        self.keys.digest(parts)
    }

    /// The keyed digest that binds proofs and records to exactly this request: caller, action,
    /// secrets with their versions, sink, destination, whole argument vector, directory,
    /// surroundings, policy revision. Not the request's id or time.
    #[must_use]
    pub fn digest(&self, request: &UseRequest, surroundings: Option<Digest>) -> Digest {
        let caller = &request.caller;
        let mut aad = Aad::new("subrosa/request/v1")
            .text(&caller.kind.to_string())
            .u32(caller.uid)
            .text(caller.executable.as_deref().unwrap_or_default())
            .text(request.action.name())
            .text(request.sink.name())
            .u64(self.revision)
            .optional(
                surroundings
                    .as_ref()
                    .map(|digest| digest.as_bytes().as_slice()),
            )
            .optional(
                request
                    .capability
                    .as_ref()
                    .map(|name| name.as_str().as_bytes()),
            )
            .u64(request.secrets.len() as u64);
        for wanted in &request.secrets {
            aad = aad
                .bytes(wanted.label.secret.as_bytes())
                .text(wanted.label.field.as_str())
                .u32(wanted.label.version);
        }
        aad = digest_destination(aad, &request.destination);
        if let Some(command) = &request.command {
            aad = aad
                .bytes(command.requested.as_bytes())
                .bytes(command.executable.as_os_str().as_bytes())
                .optional(
                    command
                        .digest
                        .as_ref()
                        .map(|digest| digest.as_bytes().as_slice()),
                )
                .u64(command.arguments.len() as u64);
            aad = command
                .arguments
                .iter()
                .fold(aad, |aad, argument| aad.bytes(argument.as_bytes()));
        }
        self.keys.digest(&aad)
    }
}

fn digest_destination(aad: Aad, destination: &Destination) -> Aad {
    match destination {
        Destination::Process {
            executable,
            arguments,
            directory,
            inject,
        } => {
            let aad = aad
                .text("process")
                .bytes(executable.as_os_str().as_bytes())
                .bytes(directory.as_os_str().as_bytes())
                .text(inject.name())
                .u64(arguments.len() as u64);
            arguments
                .iter()
                .fold(aad, |aad, argument| aad.bytes(argument.as_bytes()))
        }
        Destination::File { path } => aad.text("file").bytes(path.as_os_str().as_bytes()),
        Destination::Http {
            scheme,
            host,
            port,
            method,
            target,
        } => aad
            .text("http")
            .text(scheme)
            .text(host)
            .u32(u32::from(*port))
            .text(method)
            .text(target),
        Destination::Signature { algorithm, message } => aad
            .text("signature")
            .text(algorithm)
            .bytes(message.as_bytes()),
        // The rest is whole in its text.
        other => aad.text("other").text(&other.to_string()),
    }
}
