//! The rules as they stand in the data files.

use serde::Deserialize;

/// One kind of credential.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// Stable name in kebab case, for reports and settings.
    pub id: String,
    /// Who issues the credential.
    pub provider: String,
    /// What it is, in words.
    pub name: String,
    /// The provider's page that documents the credential.
    pub page: String,
    /// Where it is rotated or revoked.
    pub rotate: String,
    /// What the form was compared with; none for a rule from knowledge alone.
    pub checked: Option<Checked>,
    /// At least one of them stands on the line of every match.
    pub keywords: Vec<String>,
    /// What else stands on the line of every match: spares most lines the
    /// pattern where the keywords are common.
    pub also: Option<String>,
    /// A regular expression with the secret in group 1; absent for PEM.
    pub pattern: Option<String>,
    /// A regular expression for the name that the secret is assigned to.
    pub context: Option<String>,
    /// Between that name and the secret stands an operator, not a space alone.
    #[serde(default)]
    pub assigned: bool,
    /// Keywords count in any case, as they do with `context`.
    #[serde(default)]
    pub fold: bool,
    /// The label of a PEM block, as in `-----BEGIN label-----`.
    pub pem: Option<String>,
    /// Least Shannon entropy of the secret, in bits a character.
    pub entropy: Option<f64>,
    /// A check that the provider documents.
    pub checksum: Option<Checksum>,
    /// Secrets that match one of these are documented examples.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// What the form in a rule was compared with, and found to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Checked {
    /// The provider's own words: a page, an announcement, an example or its
    /// published code says what marks the credential, read there or quoted
    /// with its address by others. Where it says nothing of length or
    /// alphabet, those agree with what others have seen.
    Page,
    /// What others have seen: published lists of forms agree, and nothing of
    /// the provider's was found that says it.
    Format,
}

/// A check on the characters of a secret beyond its pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Checksum {
    /// The last six characters are the CRC-32 of those after the prefix, in base62.
    Crc32Base62,
    /// The last eight characters are the CRC-32 of what stands before `_`,
    /// little-endian, in hex.
    Crc32Hex,
    /// The last six characters are the CRC-32 of the 54 before them,
    /// little-endian, in base64 without padding.
    Crc32Base64,
    /// Bech32 (BIP 173).
    Bech32,
    /// A macaroon, version 2, in URL-safe base64 after the prefix.
    Macaroon,
    /// The header is JSON in base64 that names an `alg`.
    Jwt,
    /// A JWT whose claims name the role `service_role`.
    ServiceRole,
    /// What follows the prefix begins with a JSON object in base64.
    Base64Json,
    /// The part before the first dot is a decimal number in base64.
    Base64Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

/// The data files, in the order in which rules win: generic ones last.
const FILES: [&str; 13] = [
    include_str!("rules/ai.toml"),
    include_str!("rules/forges.toml"),
    include_str!("rules/registries.toml"),
    include_str!("rules/cloud.toml"),
    include_str!("rules/infrastructure.toml"),
    include_str!("rules/hosting.toml"),
    include_str!("rules/payments.toml"),
    include_str!("rules/chat.toml"),
    include_str!("rules/work.toml"),
    include_str!("rules/observability.toml"),
    include_str!("rules/databases.toml"),
    include_str!("rules/keys.toml"),
    include_str!("rules/generic.toml"),
];

/// All rules. A file that does not parse has none: the tests load each.
pub(super) fn builtin() -> Vec<Rule> {
    FILES
        .iter()
        .filter_map(|file| parse(file).ok())
        .flatten()
        .collect()
}

fn parse(file: &str) -> Result<Vec<Rule>, toml::de::Error> {
    toml::from_str::<File>(file).map(|file| file.rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_parses() {
        for file in FILES {
            parse(file).unwrap();
        }
    }
}
