//! A vault that somebody else made.

use super::must;
use crate::demo::invented;
use crate::demo::stage::{Stage, make_folder, read, vault_of, write};
use crate::demo::verdict::Verdict;
use crate::failure::Failure;

/// Row 45: a forged vault in the place of the user's, and a planted installation.
pub(super) fn planted(stage: &Stage) -> Result<Verdict, Failure> {
    // The forger knows the passphrase of a vault of their own, and where the user's key file is.
    let forged = stage.root.join("forged");
    make_folder(&forged)?;
    let passphrase = invented::value("forger-", 16);
    let by_forger = |words: &[&'static str]| {
        stage
            .call(words)
            .at(&forged)
            .proof("--passphrase-fd", passphrase.as_bytes())
            .run()
    };
    let made = by_forger(&["init", "--no-recovery"])?;
    must!(made.ok(), "the forger has no vault: {}", made.err());
    let added = by_forger(&["key", "add", "key-file", "forged.key"])?;
    must!(added.ok(), "the forger has no key file: {}", added.err());
    let value = invented::value("sk-stored-", 32);
    let store = |home| {
        let words = [
            "--json",
            "--key-file",
            "forged.key",
            "set",
            "bank/token",
            "--stdin",
        ];
        stage
            .call(&words)
            .without_proof()
            .at(home)
            .input(value.as_str())
            .run()
    };
    // The user has used this installation before; then its vault is exchanged.
    let home = stage.copy("exchanged")?;
    must!(
        stage.call(&["ls"]).at(&home).run()?.ok(),
        "the user's installation does not open"
    );
    write(&vault_of(&home), &read(&vault_of(&forged))?)?;
    let ran = store(&home)?;
    must!(!ran.ok(), "a value was stored into a forged vault");
    must!(
        ran.err().contains("\"forged\""),
        "the forgery was not the reason: {}",
        ran.err()
    );
    // An installation that the user has never seen, pointed to by SUBROSA_HOME.
    let planted = stage.root.join("planted");
    make_folder(&planted.join("data"))?;
    let copied = std::fs::copy(vault_of(&forged), vault_of(&planted));
    copied.map_err(Failure::io("the forged vault cannot be planted"))?;
    let ran = store(&planted)?;
    must!(!ran.ok(), "a value was stored into a planted vault");
    must!(
        ran.err().contains("\"unpinned\""),
        "the plant was not the reason: {}",
        ran.err()
    );
    Ok(Verdict::held(
        "neither an exchanged vault nor a planted one takes a value",
    ))
}
