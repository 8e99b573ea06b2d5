//! The secret that a TPM gives out for a PIN, asked through the programs of `tpm2-tools`.
//!
//! It is a sealed object under the storage key of the owner's hierarchy, which the TPM makes anew
//! from its own seed each time. Its two parts are of use to no other TPM, and stand in the slot. The
//! TPM itself counts wrong PINs and locks itself.
#![allow(
    clippy::disallowed_methods,
    reason = "the programs of the TPM hand each other files, none of them secret"
)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, memfd_create};
use subrosa_crypto::{SecretBuf, random};
use subrosa_vault::{ENVELOPE_MAX, SlotKind, Unlock, Vault, VaultError};

use super::encoded::Source;
use super::tool::{Said, run};
use crate::home::private_folder;
use crate::session::open_store;
use crate::{Effects, EngineError, Home};

/// Bytes of the secret of such a slot.
pub(crate) const TPM_SECRET: usize = 32;
/// Bytes of a PIN, at least and at most: a TPM keeps as many as a SHA-256 digest has.
const PIN: (usize, usize) = (4, 32);
/// Says which TPM there is, as the programs themselves read it.
const WHICH: &str = "TPM2TOOLS_TCTI";

const SOURCE: Source<'_> = Source {
    kind: SlotKind::Tpm,
    what: "the TPM",
};

/// Where the TPM is, and where its programs may put their files.
struct Tpm<'a> {
    variables: &'a [(OsString, OsString)],
    /// Of the user alone; removed with this.
    folder: PathBuf,
}

/// The secret of the first TPM slot whose object this TPM opens for the PIN.
///
/// # Errors
/// [`EngineError::Vault`] with `NoSlot`, or `WrongKey` for a wrong PIN; [`EngineError::Secret`] when
/// the TPM is locked, cannot be asked, or made none of the slots.
pub fn read_tpm(
    home: &Home,
    effects: &Effects,
    pin: &SecretBuf,
    variables: &[(OsString, OsString)],
) -> Result<Unlock, EngineError> {
    let (_, slots) = Vault::peek(&mut open_store(home, &home.vault())?)?;
    let envelopes: Vec<Vec<u8>> = slots
        .into_iter()
        .filter(|slot| slot.kind == Some(SlotKind::Tpm))
        .map(|slot| slot.envelope)
        .collect();
    if envelopes.is_empty() {
        let what = SlotKind::Tpm.name();
        return Err(VaultError::NoSlot { what }.into());
    }
    check_pin(pin)?;
    let tpm = Tpm::at(home, effects, variables)?;
    tpm.primary()?;
    let mut refused = SOURCE.wrong("made none of the vault's slots");
    // Nobody vouches for the envelopes yet. Whatever one gives, it opens no vault that is not pinned.
    for envelope in envelopes {
        let Some((public, private)) = parts(&envelope) else {
            continue;
        };
        tpm.write("public", public)?;
        tpm.write("private", private)?;
        let words = [
            "-Q", "-C", "@primary", "-u", "@public", "-r", "@private", "-c", "@object",
        ];
        let loaded = tpm.ask("tpm2_load", &words, &[])?;
        tpm.flush()?;
        if !loaded.success && is_locked(&loaded) {
            return Err(why(&loaded));
        }
        if !loaded.success {
            // Made by another TPM, or by this one before it was cleared.
            continue;
        }
        let words = ["-c", "@object", "-p", "file:-"];
        let given = tpm.ask("tpm2_unseal", &words, pin.as_slice())?;
        tpm.flush()?;
        if given.success && given.output.len() == TPM_SECRET {
            let secret = given.output;
            return Ok(Unlock::Tpm { secret, envelope });
        }
        refused = why(&given);
    }
    Err(refused)
}

/// Has the TPM seal a secret for a PIN; returns the object.
pub(crate) fn seal_in_tpm(
    home: &Home,
    effects: &Effects,
    (pin, secret): (&SecretBuf, &SecretBuf),
    variables: &[(OsString, OsString)],
) -> Result<Vec<u8>, EngineError> {
    check_pin(pin)?;
    let tpm = Tpm::at(home, effects, variables)?;
    tpm.primary()?;
    // Standard input is taken by the secret. The program inherits this file, which is in memory
    // alone, by its number.
    let memory = || EngineError::io("a file in memory");
    let file = memfd_create("pin", MemfdFlags::empty()).map_err(|errno| memory()(errno.into()))?;
    let mut file = File::from(file);
    file.write_all(pin.as_slice()).map_err(memory())?;
    let auth = format!("file:/proc/self/fd/{}", file.as_raw_fd());
    let words = [
        "-Q", "-C", "@primary", "-g", "sha256", "-u", "@public", "-r", "@private", "-i", "-", "-p",
        &auth,
    ];
    let made = tpm.ask("tpm2_create", &words, secret.as_slice())?;
    drop(file);
    tpm.flush()?;
    if !made.success {
        return Err(why(&made));
    }
    let mut envelope = tpm.read("public")?;
    envelope.extend(tpm.read("private")?);
    match parts(&envelope) {
        Some(_) => Ok(envelope),
        None => Err(SOURCE.wrong("made an object of an unknown form")),
    }
}

/// Refuses a PIN that no TPM takes, before the TPM counts it.
fn check_pin(pin: &SecretBuf) -> Result<(), EngineError> {
    let (least, most) = PIN;
    match (least..=most).contains(&pin.len()) {
        true => Ok(()),
        false => Err(SOURCE.wrong(format!("takes a PIN of {least} to {most} bytes"))),
    }
}

/// The public and the private part: each has its length in front, as two bytes.
fn parts(envelope: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = |bytes: &[u8]| {
        let length = bytes.first_chunk::<2>()?;
        Some(2 + usize::from(u16::from_be_bytes(*length)))
    };
    let (public, private) = envelope.split_at_checked(end(envelope)?)?;
    let sound = end(private)? == private.len() && public.len() > 2 && private.len() > 2;
    sound.then_some((public, private))
}

/// Whether it takes no PIN for a while: TPM_RC_LOCKOUT of the TPM 2.0 library, part 2.
fn is_locked(said: &Said) -> bool {
    said.complaint.contains("(0x921)")
}

/// What it means that the TPM refused.
fn why(said: &Said) -> EngineError {
    let complaint = said.complaint.to_lowercase();
    // TPM_RC_AUTH_FAIL of the first session: TPM 2.0 library, part 2.
    if complaint.contains("(0x98e)") {
        return VaultError::WrongKey { what: "PIN" }.into();
    }
    if is_locked(said) {
        return SOURCE.wrong("is locked, because too many wrong PINs were given");
    }
    SOURCE.wrong(format!("refused: {}", said.why()))
}

impl<'a> Tpm<'a> {
    fn at(
        home: &Home,
        effects: &Effects,
        variables: &'a [(OsString, OsString)],
    ) -> Result<Self, EngineError> {
        private_folder(&home.runtime)?;
        let name: [u8; 8] = random(&*effects.rng);
        let folder = home.runtime.join(format!("tpm-{}", hex::encode(name)));
        private_folder(&folder)?;
        Ok(Self { variables, folder })
    }

    /// The key under which everything is sealed.
    fn primary(&self) -> Result<(), EngineError> {
        let words = [
            "-Q", "-C", "o", "-g", "sha256", "-G", "ecc", "-c", "@primary",
        ];
        let made = self.ask("tpm2_createprimary", &words, &[])?;
        self.flush()?;
        match made.success {
            true => Ok(()),
            false => Err(why(&made)),
        }
    }

    /// Makes room: without a resource manager a TPM holds three objects.
    fn flush(&self) -> Result<(), EngineError> {
        self.ask("tpm2_flushcontext", &["-t"], &[]).map(drop)
    }

    /// Runs a program; a word with an `@` in front is a file of ours.
    fn ask(&self, program: &str, words: &[&str], input: &[u8]) -> Result<Said, EngineError> {
        let words: Vec<OsString> = words
            .iter()
            .map(|word| match word.strip_prefix('@') {
                Some(name) => self.folder.join(name).into_os_string(),
                None => OsString::from(word),
            })
            .collect();
        let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
        run((program, &words), self.variables, &[WHICH], input, SOURCE)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), EngineError> {
        fs::write(self.folder.join(name), bytes).map_err(EngineError::io("a file for the TPM"))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, EngineError> {
        let mut bytes = Vec::new();
        File::open(self.folder.join(name))
            .and_then(|file| file.take(ENVELOPE_MAX as u64).read_to_end(&mut bytes))
            .map_err(EngineError::io("a file of the TPM"))?;
        Ok(bytes)
    }
}

impl Drop for Tpm<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn an_envelope_has_two_parts_and_nothing_else() {
        let sound = [0, 2, 7, 8, 0, 1, 9];
        assert_eq!(parts(&sound), Some((&sound[..4], &sound[4..])));
        for wrong in [
            &[][..],
            &[0],
            &[0, 0, 0, 0],
            &[0, 2, 7, 8],
            &[0, 2, 7, 8, 0],
            &[0, 2, 7, 8, 0, 0],
            &[0, 2, 7, 8, 0, 1],
            &[0, 2, 7, 8, 0, 1, 9, 9],
            &[0xff, 0xff, 1, 2, 3],
            &[0, 1, 9, 0xff, 0xff, 3],
        ] {
            assert_eq!(parts(wrong), None, "{wrong:?}");
        }
    }
}
