//! Every code of an error: what it means, and what to type next where the error itself knows
//! nothing better.
//!
//! A test compares the table with the code, so that none can be missed. The page of errors is made
//! from it.

/// A code.
pub(crate) struct Known {
    /// The stable word.
    pub(crate) code: &'static str,
    /// What failed, and why.
    pub(crate) cause: &'static str,
    /// What to type next.
    pub(crate) remedy: &'static str,
}

/// What is known of a code.
pub(crate) fn known(code: &str) -> Option<&'static Known> {
    let found = KNOWN.binary_search_by(|known| known.code.cmp(code)).ok()?;
    KNOWN.get(found)
}

const fn row(code: &'static str, cause: &'static str, remedy: &'static str) -> Known {
    Known {
        code,
        cause,
        remedy,
    }
}

/// All codes, ascending.
#[rustfmt::skip]
pub(crate) const KNOWN: &[Known] = &[
    row("age", "What should be an age or SSH recipient or identity is none that can be used here.",
        "Make an identity: age-keygen -o FILE; then: subrosa key add age age1…"),
    row("agent", "Whoever shows an agent's token asked for what only a person does.",
        "Have a person do it, without SUBROSA_TOKEN and SUBROSA_TOKEN_FILE."),
    row("ambiguous", "A reference could mean a key of this workspace, or one of the workspace that is named like its first part.",
        "Write subrosa:///KEY for the current workspace, or choose the workspace with -w."),
    row("anchor", "The mark of the log outside the vault's folder cannot be read or says nothing, so the log cannot be compared with it.",
        "Find out who can write there. Move it away, and the next command starts a new anchor."),
    row("approval", "A rule allows this use only once somebody approved it, and approvals are not built yet.",
        "See the rule that asks: subrosa policy explain -k KEY -- COMMAND"),
    row("audit_tampered", "The audit log is not what was written: a record was changed, removed or put elsewhere.",
        "See all that is wrong: subrosa audit verify"),
    row("audit_unavailable", "The audit log cannot be written, and what cannot be recorded is refused.",
        "Make room and run the command again; see the log: subrosa audit verify"),
    row("backup", "A backup is not one, is damaged or was cut short.",
        "Copy it again from where it was kept, or take an earlier one. Nothing was changed."),
    row("backup_key", "The proof that was given does not open the backup.",
        "Give the backup's own passphrase: --backup-passphrase-fd 4 4<FILE"),
    row("bug", "The demonstration met a state that it cannot be in.",
        "Run it again and keep what it made: subrosa demo --keep; then report what it says."),
    row("busy", "Another process holds the vault, or changed the same thing at the same time.",
        "Try again when the other process is done."),
    row("cancelled", "A person interrupted a question; nothing was changed.",
        "Run the command again when you are ready."),
    row("collision", "Two secrets would become the same variable of a command.",
        "Name one of them: --bind NAME=key#field"),
    row("config", "config.toml is wrong; the message names the line.",
        "Mend that line, or move the file away and use flags: subrosa --help, \"Where things are\""),
    row("conflicts", "Secrets of these names are there already with other values; nothing was imported.",
        "Choose what happens to them: --conflict skip or --conflict replace"),
    row("daemon", "The daemon cannot be started or reached, or does not answer as it should.",
        "See why: subrosa daemon run; or do without: subrosa --no-daemon"),
    row("daemon_running", "A daemon serves this vault already.",
        "subrosa status; or end it: subrosa daemon stop"),
    row("damaged", "A file of the vault is not what this program wrote.",
        "Restore a backup: subrosa restore FILE"),
    row("demo", "A step of the demonstration could not be carried out on this machine.",
        "Run it again and keep what it made: subrosa demo --keep"),
    row("descriptor", "No proof can be read from a file descriptor.",
        "Hand it over as in: subrosa --passphrase-fd 3 ls 3<FILE"),
    row("disk_full", "There is no space left; nothing was written.",
        "Make room and run the command again."),
    row("editor", "The editor failed; nothing was changed.",
        "Choose another: EDITOR=nano subrosa policy edit"),
    row("empty", "Nothing was typed, and nothing was stored.",
        "An empty value on purpose: printf '' | subrosa set KEY --stdin"),
    row("exists", "A secret of this name is there already.",
        "Choose another key, or give this one a new version: subrosa set KEY"),
    row("file_exists", "A file of this name is there already; it was left as it is.",
        "Choose another name, or remove the file first."),
    row("file_missing", "A file that is needed is not there.",
        "Check the path; for a key file, make one: subrosa key add key-file PATH"),
    row("file_unchanged", "A file was not changed: it is a link, has other names, belongs to somebody else, or was changed meanwhile.",
        "Mend what the message names, and run the command again. What was stored before that is stored."),
    row("forged", "The vault is not the one that was made in its folder: its root key is another.",
        "If you replaced it yourself, open it once with its passphrase and --accept-root; otherwise restore a backup."),
    row("future", "The vault was written by a later version of this program.",
        "Use a newer subrosa; this one: subrosa --version"),
    row("git", "git is not there, or cannot read the repository; the message says what it said.",
        "See for yourself: git status. A repository of another user: git config --global --add safe.directory FOLDER"),
    row("hardening", "The system does not let this process close itself to debuggers and dumps, so it keeps no secrets here.",
        "Run it outside the tool or sandbox that forbids prctl, and try again: subrosa status"),
    row("home", "The folders of the vault cannot be found or made.",
        "Set SUBROSA_HOME to the absolute path of a folder that you can write to."),
    row("import", "A file cannot be read as what it should be; the message names the line, never what stands in it.",
        "Mend that line, or say what the file is: --format dotenv or --format json. Nothing was stored."),
    row("io", "The system refused to read or write; the message says what it said.",
        "Mend what the system names, and run the command again."),
    row("json", "A result could not be written as JSON.",
        "Leave --json out, and report this."),
    row("last_slot", "The last way to open the vault with a person would go.",
        "subrosa key add passphrase"),
    row("limit", "A bound would be passed: the length of a value, the number of fields, tags, versions or slots.",
        "Use less of it: a shorter value, or several secrets. The bound is in the message."),
    row("locked", "The vault is locked, and whoever asked cannot open it.",
        "Have a person open it: subrosa unlock"),
    row("memory", "The system gives no more locked memory, and secrets are kept nowhere else.",
        "Allow more locked memory: ulimit -l unlimited"),
    row("mismatch", "Two lines that had to be the same were not; nothing was changed.",
        "Run the command again and type the same line twice."),
    row("missing", "There is no such secret in this workspace and group, or in global.",
        "See what there is: subrosa ls --all"),
    row("name", "A name has characters or a form that it may not have; the message says which.",
        "Keys have letters, digits and . _ / -, as in: subrosa set api/key; patterns have * and ** as well: 'api/**'"),
    row("no_editor", "Neither VISUAL nor EDITOR names an editor.",
        "EDITOR=nano subrosa policy edit; or: subrosa policy show >policy.yaml, subrosa apply -f policy.yaml"),
    row("no_field", "The secret has no such field.",
        "See its fields: subrosa show KEY"),
    row("no_proof", "There is no terminal to ask for the passphrase, and no other proof was given.",
        "One of: --passphrase-fd N (3<FILE), --key-file PATH, --recovery-fd N; see \"Opening the vault\" in subrosa --help"),
    row("no_slot", "The vault has no slot of the kind that was tried.",
        "See which slots there are: subrosa status"),
    row("no_terminal", "There is no terminal to ask for the value.",
        "printf %s \"$VALUE\" | subrosa set KEY --stdin"),
    row("no_vault", "There is no vault in the folder.",
        "Make one: subrosa init"),
    row("no_version", "The secret has no such version.",
        "See its versions: subrosa history KEY"),
    row("not_built", "A later part of the program brings this; it is never pretended.",
        "See what is there: subrosa --help"),
    row("nothing_fits", "No secret fits the pattern in this workspace and group, or in global.",
        "See what there is: subrosa ls --all"),
    row("other", "An error that this version of the command line has no word for.",
        "See what was being done: add --debug to the command"),
    row("output_closed", "Whoever read the output went away. Nothing is said, and the exit status is 141.",
        "Nothing is to be done."),
    row("pin_fixed", "A pin is given when a secret is created; this one is there already.",
        "Store it under a new key: subrosa set NEWKEY --pin PROVIDER --host HOST"),
    row("placeholder", "A placeholder stands for nothing here: this vault did not make it, or its secret is gone.",
        "Put a reference in its place: subrosa://KEY; see what there is: subrosa ls --all. A removed secret comes back: subrosa rollback KEY"),
    row("policy_wrong", "The policy cannot be understood; the message names the file and the line.",
        "Mend that line, then: subrosa policy check FILE"),
    row("presence", "The operation needs a proof that a person is there, and a key file is none.",
        "Give the passphrase instead of the key file."),
    row("prune_range", "No records of the log lie before the time that was named.",
        "See what would go: subrosa audit prune --before TIME --dry-run"),
    row("read", "A value could not be read.",
        "Check that the input exists and is shorter than 1 MiB, and run the command again."),
    row("read_only", "The vault or a file can be read but not written.",
        "Mend the permissions or the mount that the message names, and run the command again."),
    row("reference", "A reference is not written as one.",
        "Write subrosa://api/key, subrosa://workspace/api/key or subrosa://api/key#field"),
    row("reference_loop", "A secret that stands for another leads back to itself.",
        "See what it stands for: subrosa show KEY; replace it: subrosa set KEY"),
    row("refused", "The policy does not allow this use.",
        "See why, rule by rule: subrosa policy explain -k KEY -- COMMAND"),
    row("release", "A value was not handed over, because it did not match what was allowed.",
        "See what was decided: subrosa log -n 5"),
    row("replaced", "Another process replaced the root key while the vault was open.",
        "Run the command again."),
    row("request", "The request contradicts itself, so that no rule can decide it.",
        "Choose another way for the value to arrive: subrosa run --help, --inject"),
    row("rolled_back", "The vault or its log was put back to an earlier state.",
        "See what is missing: subrosa audit verify. If you put the old copy back yourself: subrosa audit verify --accept"),
    row("run", "The command could not be started, or not as it was asked for.",
        "Check its name and what is handed to it: subrosa run --help"),
    row("slot_exists", "A slot of this label is there already.",
        "Choose another: --label NAME; see which there are: subrosa key ls"),
    row("slot_missing", "There is no slot of this label or id.",
        "See which slots there are: subrosa key ls"),
    row("slot_secret", "What should open a slot is no secret that could: it is missing, too short, of no known alphabet, or its command failed.",
        "See what the slot needs: subrosa key add --help"),
    row("stale", "Somebody else changed the same document meanwhile; nothing was written.",
        "Look at it again and repeat: subrosa policy show"),
    row("store", "The database of the vault failed; the message says what it said.",
        "Check the disk and the folder's permissions, then: subrosa status --verify"),
    row("tampered", "A record of the vault is not what was sealed, or not where it was put.",
        "See what the log says: subrosa audit verify. Then restore a backup: subrosa restore FILE"),
    row("terminal", "The terminal cannot be used to ask.",
        "Hand the answer over without it: --passphrase-fd 3 3<FILE; set --stdin"),
    row("token", "What was handed over as the token of an agent is none, or is worth nothing any more.",
        "See which there are: subrosa agent ls; make one: subrosa agent add NAME"),
    row("unpinned", "This account never opened this vault with a person, so a slot that proves no presence may not open it.",
        "Open it once with its passphrase: subrosa status --verify"),
    row("unsafe_path", "Others could change a file or folder that must be yours alone; the message says how to mend it.",
        "Mend it as the message says, and run the command again."),
    row("usage", "The arguments make no sense, or not together. The exit status is 2; of `run` it is 125.",
        "See what can be typed: subrosa --help"),
    row("variable", "A secret in a variable could not be put out of reach of other programs, so it is not used.",
        "Hand it over otherwise: subrosa --help, \"Opening the vault\""),
    row("vault", "The vault refused for a reason that this version of the command line has no word for.",
        "See what was being done: add --debug to the command"),
    row("vault_exists", "There is a vault in the folder already.",
        "Use it as it is, or choose another folder: SUBROSA_HOME=/path subrosa init"),
    row("weak_passphrase", "The passphrase has fewer than 8 bytes.",
        "Take four or five words that have nothing to do with each other."),
    row("wrong_key", "The passphrase, recovery code or key file does not open the vault.",
        "Try again, or another slot: subrosa --help, \"Opening the vault\""),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::KNOWN;

    /// The program's own sources without their tests.
    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                found.push((path.display().to_string(), code.to_owned()));
            }
        }
    }

    /// The text literal at the beginning of `text`.
    fn literal(text: &str) -> Option<&str> {
        let text = text.trim_start().strip_prefix('"')?;
        text.split_once('"').map(|(inner, _)| inner)
    }

    /// Every code that the program can give.
    fn given() -> BTreeSet<String> {
        let mut files = Vec::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        sources(&source, &mut files);
        let mut codes = BTreeSet::new();
        for (file, text) in &files {
            let own = file.ends_with("src/failure.rs");
            let makers: &[&str] = if own {
                &["Failure::new(", "Self::new("]
            } else {
                &["Failure::new("]
            };
            for maker in makers {
                for (at, _) in text.match_indices(maker) {
                    let argument = &text[at + maker.len()..];
                    match literal(argument) {
                        Some(code) => codes.insert(code.to_owned()),
                        // The one that takes its code from the table of the engine's errors.
                        None => {
                            assert!(
                                own && argument.starts_with("code::of("),
                                "{file}: a code that cannot be seen"
                            );
                            false
                        }
                    };
                }
            }
            if file.ends_with("src/failure/code.rs") {
                let arms = text
                    .match_indices("=> ")
                    .filter_map(|(at, arrow)| literal(&text[at + arrow.len()..]));
                codes.extend(arms.map(str::to_owned));
            }
        }
        codes
    }

    #[test]
    fn every_code_is_known_and_every_known_code_is_given() {
        let known: BTreeSet<String> = KNOWN.iter().map(|known| known.code.to_owned()).collect();
        let given = given();
        assert!(given.len() > 60, "{given:?}");
        assert_eq!(given, known);
    }

    #[test]
    fn the_table_is_ascending_and_says_what_to_do() {
        assert!(KNOWN.is_sorted_by(|one, next| one.code < next.code));
        for known in KNOWN {
            assert!(super::known(known.code).is_some_and(|found| found.code == known.code));
            assert!(known.cause.ends_with('.'), "{}", known.code);
            assert!(known.remedy.len() > 10, "{}", known.code);
        }
        assert!(super::known("nothing").is_none());
    }

    /// A remedy that cannot be typed is none.
    #[test]
    fn every_command_that_is_named_is_there() {
        let cli = crate::args::command();
        for known in KNOWN {
            for (at, program) in known.remedy.match_indices("subrosa ") {
                let mut words = known.remedy[at + program.len()..].split([' ', ',', ';', '.', ')']);
                let words: Vec<&str> = words.by_ref().take(2).collect();
                if words[0].starts_with('-') {
                    continue;
                }
                let found = cli.find_subcommand(words[0]);
                let found = found.unwrap_or_else(|| panic!("{}: {}", known.code, words[0]));
                if found.has_subcommands() {
                    assert!(
                        found.find_subcommand(words[1]).is_some(),
                        "{}: {words:?}",
                        known.code
                    );
                }
            }
        }
    }
}
