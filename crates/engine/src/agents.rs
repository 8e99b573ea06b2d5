//! Agents: tokens that are given, shown, and taken away, and who calls with one.
//!
//! A token is 256 random bits; the vault keeps a digest of them in a sealed document, beside what
//! the token reaches, until when, and for whom. It works from one session alone: that of the process
//! that shows it first, or the one that it was given to.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use subrosa_crypto::{Aad, SecretBuf, ct_eq, random, sha256};
use subrosa_model::{
    AgentName, Caller, CallerKind, Change, ChangeKind, Digest, Event, EventBody, Scope, SecretId,
    Timestamp, TokenId,
};
use subrosa_policy::Reach;
use subrosa_vault::{Document, VaultError};

use crate::{EngineError, Session};

/// How a token begins, so that it is known for one wherever it turns up.
const PREFIX: &str = "subrosa-agent-";
/// Most tokens at a time.
const TOKENS_MAX: usize = 1000;
/// Longest life of a token.
const LIFE_MAX: Duration = Duration::from_secs(30 * 86_400);
/// Attempts to write the document while others write it too.
const ATTEMPTS: usize = 8;

/// A process that leads a session, so that no later one passes for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// The boot in which it runs.
    pub boot: String,
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub started: u64,
}

/// Where a caller stands among the processes. Empty where the system tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lineage {
    /// Who leads its session; where that process is not there, the eldest of its ancestors that are
    /// in it.
    pub leader: Option<Leader>,
    /// Itself and its ancestors, from near to far.
    pub line: Vec<Leader>,
}

impl Lineage {
    /// Whether it is in the session of a process, or descends from it: some agents start each
    /// command in a session of its own.
    fn belongs_to(&self, process: &Leader) -> bool {
        self.leader.as_ref() == Some(process) || self.line.contains(process)
    }
}

/// A token to be given.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// To whom.
    pub agent: AgentName,
    /// What it reaches at most.
    pub reach: Reach,
    /// How long it is valid.
    pub life: Duration,
    /// From whose session alone; `None` for the session from which it is shown first.
    pub leader: Option<Leader>,
}

/// A token as `agent ls` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenShown {
    /// Its id; nobody can use it by that.
    pub id: TokenId,
    /// Whose it is.
    pub agent: AgentName,
    /// When it was given.
    pub created: Timestamp,
    /// Until when it is valid.
    pub expires: Timestamp,
    /// Whether it is valid no more.
    pub expired: bool,
    /// The process to whose session it is bound, once it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_to: Option<u32>,
    /// What it reaches at most; a list that is missing bounds nothing.
    pub reach: BTreeMap<String, Vec<String>>,
}

/// What a caller shows: the token taken apart, its secret part as a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenProof {
    id: TokenId,
    digest: Digest,
}

impl TokenProof {
    /// Takes a token apart; `None` for what is none.
    #[must_use]
    pub fn read(token: &SecretBuf) -> Option<Self> {
        let text = std::str::from_utf8(token.as_slice()).ok()?;
        let (id, secret) = text.trim_end().strip_prefix(PREFIX)?.split_once('-')?;
        // 32 digits are an id, 64 are the secret.
        let digits = secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit());
        let id = TokenId::from_hex(id).filter(|_| digits)?;
        let digest = digest(id, secret.as_bytes());
        Some(Self { id, digest })
    }
}

/// It has all its bits from a random source: no slow function is needed to keep it from being tried.
fn digest(id: TokenId, secret: &[u8]) -> Digest {
    let parts = Aad::new("subrosa/agent-token/v1");
    Digest::from_bytes(sha256(&parts.bytes(id.as_bytes()).bytes(secret)))
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Register {
    tokens: Vec<Written>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Written {
    id: TokenId,
    agent: AgentName,
    digest: Digest,
    created: Timestamp,
    expires: Timestamp,
    reach: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leader: Option<Leader>,
}

impl Written {
    fn reach(&self) -> Result<Reach, EngineError> {
        Reach::read(|name| self.reach.get(name).cloned()).map_err(|_| tampered().into())
    }

    fn shown(&self, now: Timestamp) -> TokenShown {
        TokenShown {
            id: self.id,
            agent: self.agent.clone(),
            created: self.created,
            expires: self.expires,
            expired: self.expires <= now,
            bound_to: self.leader.as_ref().map(|leader| leader.pid),
            reach: self.reach.clone(),
        }
    }
}

fn tampered() -> VaultError {
    VaultError::Tampered {
        what: Document::AGENTS.to_owned(),
    }
}

impl Session {
    /// Gives an agent a token, which is returned to be shown once.
    ///
    /// # Errors
    /// [`EngineError::Presence`]; [`EngineError::Usage`] for a life that is too long, or an agent
    /// that the policy does not name although it names some.
    pub fn give_token(&mut self, new: NewToken) -> Result<(TokenShown, SecretBuf), EngineError> {
        self.require_presence("giving an agent a token")?;
        let NewToken {
            agent,
            reach,
            life,
            leader,
        } = new;
        let declared = match self.gate.policy().agents() {
            None => None,
            Some(agents) => Some(agents.iter().find(|one| one.name == agent).ok_or_else(|| {
                EngineError::usage(format!(
                    "the policy names agents, and {agent} is none of them; add it: subrosa policy edit"
                ))
            })?),
        };
        let longest = declared.and_then(|one| one.tokens).unwrap_or(LIFE_MAX);
        if life.is_zero() || life > longest.min(LIFE_MAX) {
            let most = longest.min(LIFE_MAX).as_secs();
            let reason = format!("a token of {agent} is valid for at most {most} seconds");
            return Err(EngineError::usage(reason));
        }
        let rng = &*self.setting.effects.rng;
        let id = TokenId::from_bytes(random(rng));
        let mut raw = SecretBuf::zeroed(32)?;
        rng.fill(raw.as_mut_slice());
        let mut secret = SecretBuf::with_capacity(64)?;
        for byte in raw.as_slice() {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let pair = [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ];
            secret.extend(&pair)?;
        }
        let now = self.now();
        let micros = i64::try_from(life.as_micros()).unwrap_or(i64::MAX);
        let written = Written {
            id,
            agent,
            digest: digest(id, secret.as_slice()),
            created: now,
            expires: Timestamp::from_micros(now.as_micros().saturating_add(micros)),
            reach: reach
                .lists()
                .into_iter()
                .filter_map(|(name, list)| Some((name.to_owned(), list?)))
                .collect(),
            leader,
        };
        let shown = written.shown(now);
        let detail = format!("token {id}, until {}", written.expires);
        self.change_register(&shown.agent, &detail, |register| {
            register.tokens.retain(|one| one.expires > now);
            if register.tokens.len() >= TOKENS_MAX {
                return Err(EngineError::usage(format!(
                    "there are {TOKENS_MAX} tokens already; take some away: subrosa agent rm"
                )));
            }
            register.tokens.push(written.clone());
            Ok(true)
        })?;
        let mut token = SecretBuf::copy_from(format!("{PREFIX}{id}-").as_bytes())?;
        token.extend(secret.as_slice())?;
        Ok((shown, token))
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Vault`].
    pub fn tokens(&mut self) -> Result<Vec<TokenShown>, EngineError> {
        let now = self.now();
        let (register, _) = self.register()?;
        Ok(register.tokens.iter().map(|one| one.shown(now)).collect())
    }

    /// Takes away a token by its id, or all tokens of an agent by its name. Whoever has one is
    /// refused from the next request on.
    ///
    /// # Errors
    /// [`EngineError::Usage`] when there is none.
    pub fn revoke_tokens(&mut self, which: &str) -> Result<Vec<TokenShown>, EngineError> {
        let now = self.now();
        let fits = |one: &Written| one.agent.as_str() == which || one.id.to_string() == which;
        let (register, _) = self.register()?;
        let gone: Vec<Written> = register.tokens.into_iter().filter(fits).collect();
        let Some(first) = gone.first() else {
            let reason =
                format!("{which} is no agent with a token, and no token: subrosa agent ls");
            return Err(EngineError::usage(reason));
        };
        let ids: Vec<String> = gone.iter().map(|one| one.id.to_string()).collect();
        let detail = format!("taken away: {}", ids.join(", "));
        self.change_register(&first.agent, &detail, |register| {
            register.tokens.retain(|one| !fits(one));
            Ok(true)
        })?;
        Ok(gone.iter().map(|one| one.shown(now)).collect())
    }

    /// Takes all tokens away, as a vault that was put back from a backup must: which of them were
    /// taken away since then it does not know.
    pub(crate) fn revoke_all_tokens(&mut self) -> Result<usize, EngineError> {
        let (register, revision) = self.register()?;
        let count = register.tokens.len();
        if revision.is_some() && count > 0 {
            let nobody = register.tokens[0].agent.clone();
            self.change_register(
                &nobody,
                "all tokens of all agents are taken away",
                |register| {
                    register.tokens.clear();
                    Ok(true)
                },
            )?;
        }
        Ok(count)
    }

    /// As [`Session::act_for`], for a caller that shows a token. `lineage` is where it stands among
    /// the processes.
    ///
    /// # Errors
    /// [`EngineError::Token`], which is recorded: an unknown token, one that is over, one of another
    /// session, or a scope beyond it.
    pub fn act_for_token(
        &mut self,
        proof: &TokenProof,
        mut caller: Caller,
        lineage: &Lineage,
        scope: Scope,
    ) -> Result<(), EngineError> {
        caller.token = Some(proof.id);
        self.act_for(caller.clone(), scope.clone())?;
        match self.check_token(proof, lineage, &scope) {
            Ok((agent, reach)) => {
                caller.kind = CallerKind::Agent(agent);
                self.journal.set_caller(caller.clone());
                self.caller = caller;
                self.gate.bound_by(reach.first().cloned());
                self.reach = Some(reach);
                Ok(())
            }
            Err(error) => {
                // Whoever showed it is nobody from here on.
                self.reach = Some(vec![nothing()]);
                self.gate.bound_by(Some(nothing()));
                self.caller = caller;
                Err(self.refuse(error))
            }
        }
    }

    /// Records that the present caller was refused, and why.
    pub fn refuse(&self, error: EngineError) -> EngineError {
        self.note_refusal(&error.to_string());
        error
    }

    /// Records that something was refused to the present caller.
    pub fn note_refusal(&self, what: &str) {
        self.writer.submit_later(Event {
            time: self.now(),
            caller: self.caller.clone(),
            body: EventBody::Change(Change {
                kind: ChangeKind::Agent,
                subjects: Vec::new(),
                detail: format!("refused: {what}"),
            }),
        });
    }

    fn check_token(
        &mut self,
        proof: &TokenProof,
        lineage: &Lineage,
        scope: &Scope,
    ) -> Result<(AgentName, Vec<Reach>), EngineError> {
        let refused = |reason: &str| EngineError::Token {
            reason: reason.to_owned(),
        };
        let now = self.now();
        let (register, _) = self.register()?;
        let known = register.tokens.into_iter().find(|one| one.id == proof.id);
        let known = known
            .filter(|one| ct_eq(one.digest.as_bytes(), proof.digest.as_bytes()))
            .ok_or_else(|| refused("nobody has this token, or it was taken away"))?;
        if known.expires <= now {
            return Err(refused("the token is over"));
        }
        match &known.leader {
            Some(leader) if lineage.belongs_to(leader) => {}
            Some(_) => return Err(refused("the token is bound to another session")),
            None => self.bind(&known, lineage.leader.as_ref())?,
        }
        let mut reach = vec![known.reach()?];
        // The policy may have come to say less since the token was given.
        if let Some(agents) = self.gate.policy().agents() {
            let entry = agents.iter().find(|one| one.name == known.agent);
            let entry = entry.ok_or_else(|| refused("the policy names other agents"))?;
            let life = |longest| known.created.plus(longest) <= now;
            if entry.tokens.is_some_and(life) {
                return Err(refused("the token is over: the policy allows it less time"));
            }
            reach.push(entry.reach.clone());
        }
        if !reach.iter().all(|one| one.holds_scope(scope)) {
            return Err(refused(&format!("the token does not reach {scope}")));
        }
        Ok((known.agent, reach))
    }

    /// Binds a token that is shown for the first time.
    fn bind(&mut self, token: &Written, leader: Option<&Leader>) -> Result<(), EngineError> {
        let gone = || EngineError::Token {
            reason: "no process that leads your session is there to bind the token to".to_owned(),
        };
        let leader = leader.ok_or_else(gone)?.clone();
        let detail = format!("token {} is bound to process {}", token.id, leader.pid);
        self.change_register(&token.agent, &detail, |register| {
            let one = register.tokens.iter_mut().find(|one| one.id == token.id);
            match one {
                Some(one) if one.leader.is_none() => one.leader = Some(leader.clone()),
                // Somebody was quicker.
                Some(one) if one.leader.as_ref() == Some(&leader) => return Ok(false),
                _ => return Err(gone()),
            }
            Ok(true)
        })
    }

    /// Whether a secret exists for the present caller.
    pub(crate) fn reaches(&self, scope: &Scope, key: &subrosa_model::KeyName) -> bool {
        let all = |reach: &Vec<Reach>| reach.iter().all(|one| one.holds(scope, key));
        self.reach.as_ref().is_none_or(all)
    }

    /// Of the values that output is masked by, those whose names the present caller may read;
    /// `None` for all.
    pub(crate) fn nameable(&mut self) -> Result<Option<HashSet<SecretId>>, EngineError> {
        if self.reach.is_none() {
            return Ok(None);
        }
        let mut ids = HashSet::new();
        let scope = self.scope().clone();
        for (key, id) in self.gate.learned_names() {
            // Nobody asked for these: what is beyond the reach of the caller was not refused to it.
            match self.vault.locate(&mut self.journal, &scope, &key) {
                Ok(there) if there.head.id == id && self.reaches(&there.scope, &key) => {
                    ids.insert(id);
                }
                Ok(_) | Err(VaultError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(ids))
    }

    fn register(&mut self) -> Result<(Register, Option<u64>), EngineError> {
        let Some(document) = self.vault.document(&mut self.journal, Document::AGENTS)? else {
            return Ok((Register::default(), None));
        };
        let register = serde_json::from_slice(&document.content).map_err(|_| tampered())?;
        Ok((register, Some(document.revision)))
    }

    /// Writes the register anew; `change` says whether there is anything to write.
    fn change_register(
        &mut self,
        agent: &AgentName,
        detail: &str,
        change: impl Fn(&mut Register) -> Result<bool, EngineError>,
    ) -> Result<(), EngineError> {
        for _ in 0..ATTEMPTS {
            let (mut register, revision) = self.register()?;
            if !change(&mut register)? {
                return Ok(());
            }
            // Names and numbers: they can always be written.
            let content = serde_json::to_vec(&register).unwrap_or_default();
            let record = Change {
                kind: ChangeKind::Agent,
                subjects: vec![agent.to_string()],
                detail: detail.to_owned(),
            };
            let written = self.vault.put_document(
                &mut self.journal,
                Document::AGENTS,
                (revision, &content),
                &record,
            );
            match written {
                Err(VaultError::Stale { .. }) => {}
                done => return Ok(done?),
            }
        }
        Err(VaultError::Stale {
            what: Document::AGENTS,
        }
        .into())
    }
}

/// A reach without anything in it.
fn nothing() -> Reach {
    Reach::read(|_| Some(Vec::new())).unwrap_or_default()
}
