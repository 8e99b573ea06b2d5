//! Attacks on proofs of presence: who asks must not be who agrees.

use subrosa_model::{KeyName, Scope};
use subrosa_wire::{Answer, Client, Proof, Reply, Request};

use super::must;
use crate::demo::served::Served;
use crate::demo::stage::Stage;
use crate::demo::verdict::Verdict;
use crate::failure::Failure;
use crate::serving::PROGRAM;

/// Speaks to the daemon by hand.
struct Caller(Client);

impl Caller {
    fn of(served: &Served<'_>) -> Result<Self, Failure> {
        subrosa_wire::connect(&served.socket(), PROGRAM)
            .map(Self)
            .map_err(|error| Failure::new("demo", error.to_string()))
    }

    fn ask(&mut self, request: Request, secret: Option<&[u8]>) -> Result<Reply, Failure> {
        let scope = Scope {
            workspace: Scope::default_workspace(),
            group: None,
        };
        let call = subrosa_wire::Call { scope, request };
        let reply = self.0.call(&call, secret, &[]);
        reply.map_err(|error| Failure::new("demo", error.to_string()))
    }

    /// Asks for what needs a proof; what the proof must be for.
    fn demand(&mut self, request: &Request) -> Result<[u8; 32], Failure> {
        match self.ask(request.clone(), None)? {
            Ok(Answer::Presence { digest, .. }) => Ok(digest),
            _ => Err(Failure::new("demo", "no proof of presence was demanded")),
        }
    }

    /// Whether it was done with this proof.
    fn proves(
        &mut self,
        digest: [u8; 32],
        request: &Request,
        code: &[u8],
    ) -> Result<bool, Failure> {
        let proven = Request::Proven {
            digest,
            proof: Proof::Recovery,
            request: Box::new(request.clone()),
        };
        Ok(self.ask(proven, Some(code))?.is_ok())
    }
}

fn purge(key: &str) -> Result<Request, Failure> {
    let key = KeyName::new(key).map_err(|error| Failure::new("bug", error.to_string()))?;
    Ok(Request::Purge(key))
}

/// Row 44: what needs a person is asked for without one, and a proof is used for something else.
pub(super) fn itself(stage: &Stage) -> Result<Verdict, Failure> {
    let served = Served::open(stage, "presence")?;
    let demands: [&[&str]; 5] = [
        &["rm", "shop/STRIPE_KEY", "--purge"],
        &["read", "shop/STRIPE_KEY"],
        &["export"],
        &["apply", "-f", "policy.yaml"],
        &["agent", "add", "claude"],
    ];
    for words in demands {
        let ran = served.call(words).run()?;
        must!(
            !ran.ok() && !stage.shows_a_value(&ran.stdout),
            "`{}` needs nobody while the vault is open",
            words.join(" ")
        );
        must!(
            ran.err().contains("--passphrase-fd"),
            "`{}` was refused for another reason: {}",
            words.join(" "),
            ran.err().trim()
        );
    }
    let code = stage.proof.1.as_bytes();
    let (one, two) = (purge("shop/STRIPE_KEY")?, purge("shop/GITHUB_TOKEN")?);
    let mut caller = Caller::of(&served)?;
    let digest = caller.demand(&one)?;
    must!(
        !caller.proves(digest, &two, code)?,
        "a proof for one request is good for another"
    );
    must!(
        !caller.proves(digest, &one, code)?,
        "a proof is good for two tries"
    );
    let digest = caller.demand(&one)?;
    let mut other = Caller::of(&served)?;
    must!(
        !other.proves(digest, &one, code)?,
        "a proof is good on another connection"
    );
    let _ = other.demand(&one)?;
    must!(
        !other.proves(digest, &one, code)?,
        "a proof is good for what another connection was asked"
    );
    let changed = served
        .call(&["edit", "shop/STRIPE_KEY", "--note", "changed"])
        .run()?;
    must!(changed.ok(), "a note was not kept: {}", changed.err());
    must!(
        !caller.proves(digest, &one, code)?,
        "a proof is good for what was changed since"
    );
    must!(
        served.serves()?,
        "a secret was removed although each proof was refused"
    );
    let digest = caller.demand(&one)?;
    must!(
        caller.proves(digest, &one, code)?,
        "the proof that was asked for is refused too"
    );
    must!(
        !caller.proves(digest, &one, code)?,
        "a proof is good for a second time"
    );
    Ok(Verdict::held(format!(
        "{} actions need a person; a proof is for one request, once",
        demands.len()
    )))
}
