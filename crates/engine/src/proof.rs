//! What a caller hands over to open the vault, or to pin a secret.

mod age;
mod command;
mod encoded;
mod keyring;
mod tool;
mod tpm;

use std::collections::BTreeSet;
use std::path::Path;

use subrosa_crypto::{Aad, SecretBuf, sha256};
use subrosa_model::{Digest, Pin, ProviderId};
use subrosa_store::files::read_private;

use crate::EngineError;

pub use age::read_age;
pub(crate) use age::{AGE_SECRET, encrypt as encrypt_to};
pub use command::read_command;
pub(crate) use encoded::draw_secret;
pub use encoded::{SECRET_TEXT_MAX, Source, decode_secret};
pub use keyring::read_keyring;
pub(crate) use keyring::{clear_keyring, store_in_keyring};
pub use tpm::read_tpm;
pub(crate) use tpm::{TPM_SECRET, seal_in_tpm};

/// Longest key file, in bytes.
const KEY_FILE_MAX: usize = 4096;

/// Longest name of a host, in bytes (RFC 1035 §2.3.4).
const HOST_MAX: usize = 253;

/// Reads a key file into locked memory.
///
/// # Errors
/// [`EngineError::File`] when others may read or exchange it.
pub fn read_key_file(path: &Path) -> Result<SecretBuf, EngineError> {
    Ok(SecretBuf::take(read_private(path, KEY_FILE_MAX, true)?)?)
}

/// The pin of a secret to a provider: its digest is over the hosts in lower case, each once and
/// ascending, so that the order in which they are named means nothing.
///
/// # Errors
/// [`EngineError::Usage`] without hosts, or for what is no name of one.
pub fn pin_to(provider: ProviderId, hosts: &[String]) -> Result<Pin, EngineError> {
    let hosts: BTreeSet<String> = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
    if hosts.is_empty() {
        return Err(EngineError::usage(
            "a pin names the hosts that the secret may reach: --host NAME",
        ));
    }
    if let Some(host) = hosts.iter().find(|host| !is_host(host)) {
        let reason = format!(
            "{host:?} is no name of a host; write it as api.example.com, without scheme and path"
        );
        return Err(EngineError::usage(reason));
    }
    let canonical = hosts
        .iter()
        .fold(Aad::new("subrosa/pin/hosts/v1"), |aad, host| aad.text(host));
    Ok(Pin {
        provider,
        hosts: Digest::from_bytes(sha256(&canonical)),
    })
}

pub(crate) fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= HOST_MAX && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(hosts: &[&str]) -> Result<Pin, EngineError> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        pin_to(ProviderId::new("openai").unwrap(), &hosts)
    }

    #[test]
    fn order_case_and_repetition_mean_nothing() {
        let one = pin(&["api.openai.com", "files.openai.com"]).unwrap();
        assert_eq!(
            one,
            pin(&["FILES.openai.com", "api.openai.com", "api.openai.com"]).unwrap()
        );
        assert_ne!(one, pin(&["api.openai.com"]).unwrap());
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for hosts in [
            &[][..],
            &["https://a.b"],
            &["a..b"],
            &["a/b"],
            &["-a.b"],
            &[""],
            &["a:443"],
        ] {
            assert!(pin(hosts).is_err(), "{hosts:?}");
        }
    }
}
