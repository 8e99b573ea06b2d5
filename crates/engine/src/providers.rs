//! Well-known providers: by which names and beginnings their credentials are known, to which hosts
//! they belong, and what stands for them. Data, compiled in; nothing is pinned by it yet.

use serde::Deserialize;
use subrosa_model::ProviderId;

use crate::placeholder::{Alphabet, Shape};
use crate::proof::is_host;

/// The table.
const TABLE: &str = include_str!("providers.toml");

/// A value has at least so many bytes behind a known beginning.
const BEHIND_PREFIX: usize = 12;

/// All providers that are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Providers(Vec<Provider>);

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Where its credentials may go; `*.` in front stands for any labels.
    pub hosts: Vec<String>,
    credentials: Vec<Credential>,
}

/// One kind of credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    names: Vec<String>,
    prefixes: Vec<String>,
    /// What stands for it.
    pub shape: Shape,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    provider: Vec<ProviderEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderEntry {
    id: ProviderId,
    hosts: Vec<String>,
    secret: Vec<SecretEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretEntry {
    names: Vec<String>,
    #[serde(default)]
    prefixes: Vec<String>,
    shape: String,
    #[serde(default)]
    alphabet: Alphabet,
}

impl Providers {
    /// Those that are compiled in.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse(TABLE).expect("invariant: the table is compiled in, and a test reads it")
    }

    /// Reads a table.
    ///
    /// # Errors
    /// Which entry is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
        let providers = table.provider.into_iter().map(Provider::check);
        let providers = providers.collect::<Result<Vec<_>, _>>()?;
        if let Some(pair) = providers.windows(2).find(|pair| pair[0].id >= pair[1].id) {
            return Err(format!(
                "{} does not come behind {}",
                pair[1].id, pair[0].id
            ));
        }
        Ok(Self(providers))
    }

    /// All of them, ascending by id.
    #[must_use]
    pub fn all(&self) -> &[Provider] {
        &self.0
    }

    /// Whose credential a variable holds. What the value begins with counts more than the name:
    /// many programs read another provider's key under a well-known name.
    #[must_use]
    pub fn claim(&self, name: &str, value: &[u8]) -> Option<(&Provider, &Credential)> {
        let all = || {
            self.0.iter().flat_map(|provider| {
                let credentials = provider.credentials.iter();
                credentials.map(move |credential| (provider, credential))
            })
        };
        let by_value = all()
            .filter_map(|found| Some((found.1.begins(value)?, found)))
            .max_by_key(|(length, _)| *length)
            .map(|(_, found)| found);
        by_value.or_else(|| all().find(|(_, credential)| credential.is_called(name)))
    }
}

impl Provider {
    fn check(entry: ProviderEntry) -> Result<Self, String> {
        let id = entry.id;
        let wrong = |why: String| format!("{id}: {why}");
        if entry.hosts.is_empty() || entry.secret.is_empty() {
            return Err(wrong(
                "it has neither hosts nor secrets, or lacks one".to_owned(),
            ));
        }
        for host in &entry.hosts {
            let name = host.strip_prefix("*.").unwrap_or(host);
            let plain = is_host(name) && name.contains('.') && *name == name.to_ascii_lowercase();
            if !plain {
                return Err(wrong(format!("{host:?} is no host")));
            }
        }
        let mut credentials = Vec::new();
        for secret in entry.secret {
            let is_name = |name: &String| {
                let mut bytes = name.bytes();
                name.matches('*').count() <= 1
                    && bytes.next().is_some_and(|b| b.is_ascii_uppercase())
                    && bytes
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_*".contains(&b))
            };
            if secret.names.is_empty() {
                return Err(wrong("a secret without a name".to_owned()));
            }
            if let Some(name) = secret.names.iter().find(|name| !is_name(name)) {
                return Err(wrong(format!("{name:?} is no pattern of a variable")));
            }
            if let Some(prefix) = secret.prefixes.iter().find(|prefix| prefix.len() < 3) {
                return Err(wrong(format!("{prefix:?} is too short to tell anything")));
            }
            credentials.push(Credential {
                shape: Shape::new(&secret.shape, secret.alphabet).map_err(wrong)?,
                names: secret.names,
                prefixes: secret.prefixes,
            });
        }
        Ok(Self {
            id,
            hosts: entry.hosts,
            credentials,
        })
    }
}

impl Credential {
    fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|known| match known.split_once('*') {
            None => known == name,
            Some((before, behind)) => {
                name.len() > before.len() + behind.len()
                    && name.starts_with(before)
                    && name.ends_with(behind)
            }
        })
    }

    /// How much of the value is a known beginning.
    fn begins(&self, value: &[u8]) -> Option<usize> {
        let fits = |prefix: &&String| {
            value.starts_with(prefix.as_bytes()) && value.len() >= prefix.len() + BEHIND_PREFIX
        };
        let lengths = self.prefixes.iter().filter(fits).map(String::len);
        lengths.max()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use subrosa_crypto::SystemRng;

    use super::*;
    use crate::placeholder::is_ours;

    #[test]
    fn every_entry_is_well_formed() {
        let providers = Providers::parse(TABLE).unwrap();
        assert!(providers.all().len() >= 25, "{}", providers.all().len());
        let mut names = BTreeSet::new();
        for provider in providers.all() {
            for credential in &provider.credentials {
                for name in &credential.names {
                    assert!(names.insert(name.clone()), "{name} is claimed twice");
                }
                let drawn = credential.shape.draw(&SystemRng);
                assert!(is_ours(drawn.as_bytes()), "{}: {drawn}", provider.id);
            }
        }
    }

    /// A format check of an SDK looks at the beginning, and takes the placeholder.
    #[test]
    fn a_placeholder_begins_as_its_credential_and_is_claimed_by_its_provider() {
        let providers = Providers::built_in();
        for provider in providers.all() {
            for credential in provider
                .credentials
                .iter()
                .filter(|one| !one.prefixes.is_empty())
            {
                let drawn = credential.shape.draw(&SystemRng);
                assert!(credential.begins(drawn.as_bytes()).is_some(), "{drawn}");
                let (claimed, _) = providers.claim("X", drawn.as_bytes()).unwrap();
                assert_eq!(claimed.id, provider.id, "{drawn}");
            }
        }
    }

    /// GitHub's tokens end in a checksum of the rest, and so do npm's; ours never has it.
    #[test]
    fn a_placeholder_is_no_valid_credential() {
        for name in ["GITHUB_TOKEN", "NPM_TOKEN"] {
            let providers = Providers::built_in();
            let (_, credential) = providers.claim(name, b"").unwrap();
            let drawn = credential.shape.draw(&SystemRng);
            let body = drawn.split_once('_').unwrap().1;
            let (body, sum) = body.split_at(30);
            let mut crc = crc32fast::hash(body.as_bytes());
            let mut expected = Vec::new();
            for _ in 0..6 {
                let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
                expected.insert(0, digits[(crc % 62) as usize]);
                crc /= 62;
            }
            assert_ne!(sum.as_bytes(), expected, "{drawn}");
        }
    }

    #[test]
    fn the_beginning_of_a_value_counts_more_than_its_name() {
        let providers = Providers::built_in();
        let claim = |name: &str, value: &str| {
            let found = providers.claim(name, value.as_bytes());
            found.map(|(provider, _)| provider.id.to_string())
        };
        assert_eq!(claim("OPENAI_API_KEY", "whatever"), Some("openai".into()));
        assert_eq!(
            claim("OPENAI_API_KEY", "sk-or-v1-0123456789ab"),
            Some("openrouter".into())
        );
        assert_eq!(
            claim("MY_KEY", "ghp_0123456789abcdef"),
            Some("github".into())
        );
        assert_eq!(claim("GITHUB_DEPLOY_TOKEN", "x"), Some("github".into()));
        assert_eq!(claim("GITHUB__TOKENS", "x"), None);
        assert_eq!(claim("MY_KEY", "ghp_short"), None);
        assert_eq!(claim("PORT", "3000"), None);
    }

    #[test]
    fn what_is_wrong_with_a_table_is_said() {
        let entry = |id: &str, hosts: &str, shape: &str| {
            format!(
                "[[provider]]\nid = \"{id}\"\nhosts = [{hosts}]\n[[provider.secret]]\n\
                 names = [\"A_KEY\"]\nshape = \"{shape}\"\n"
            )
        };
        assert!(Providers::parse(&entry("a", "\"a.example\"", "{32}")).is_ok());
        let twice = entry("a", "\"a.example\"", "{32}").repeat(2);
        for (table, said) in [
            (entry("a", "", "{32}"), "hosts"),
            (entry("a", "\"https://a.example\"", "{32}"), "no host"),
            (entry("a", "\"a.*.example\"", "{32}"), "no host"),
            (entry("a", "\"localhost\"", "{32}"), "no host"),
            (entry("a", "\"a.example\"", "{3}"), "mark"),
            (entry("a", "\"a.example\"", "'{32}"), "character"),
            (twice, "behind"),
            (entry("a", "\"a.example\"", "{32}") + "pin = true\n", "pin"),
        ] {
            let error = Providers::parse(&table).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
