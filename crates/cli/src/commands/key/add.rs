//! `key add`: one more way to open the vault.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use subrosa_crypto::SecretBuf;
use subrosa_engine::{Session, SlotShown, read_command};

use crate::context::{Context, Need};
use crate::descriptor::{Outlet, read_proof};
use crate::failure::Failure;
use crate::files::text as text_of;
use crate::prompt::Terminal;
use crate::text::plain;
use crate::variable::{DEFAULT, check_name};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa key add passphrase --label office
  subrosa key add key-file ~/.config/subrosa.key
  subrosa key add environment
  subrosa key add command -- /usr/bin/pass show subrosa
  subrosa key add age --recipient-file ~/.ssh/id_ed25519.pub
  subrosa key add keyring
  subrosa key add tpm
  subrosa key add recovery")]
pub(super) struct Add {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A passphrase, asked for twice
    #[command(after_help = "Examples:\n  subrosa key add passphrase\n  \
        subrosa key add passphrase --passphrase-fd 3 --new-passphrase-fd 4 3<old 4<new")]
    Passphrase {
        /// Its name
        #[arg(long)]
        label: Option<String>,
        /// Read the new passphrase from this file descriptor, to its end
        #[arg(long, value_name = "N")]
        new_passphrase_fd: Option<u32>,
    },
    /// A file that is made, outside the vault's folder
    ///
    /// Any code of yours can read it and open the vault without you: `subrosa status` says so then.
    #[command(
        after_help = "Examples:\n  subrosa key add key-file ~/.config/subrosa.key\n  \
        SUBROSA_KEY_FILE=~/.config/subrosa.key subrosa ls"
    )]
    KeyFile {
        /// The file, which must be new
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Its name
        #[arg(long)]
        label: Option<String>,
    },
    /// A secret for a variable of the environment, shown once
    ///
    /// Whatever sets the variable keeps a copy, and any code of yours can read that and open the
    /// vault without you: `subrosa status` says so then. This program takes the variable out of its
    /// own environment before it does anything else, and no command that it runs inherits it.
    #[command(after_help = "Examples:\n  subrosa key add environment\n  \
        subrosa key add environment DEPLOY_KEY --label deploy\n  \
        subrosa key add environment --secret-fd 4 4>secret")]
    Environment {
        /// The variable, if not SUBROSA_KEY; --key-variable or key_variable in config.toml names it
        /// then
        #[arg(value_name = "NAME", default_value = DEFAULT, hide_default_value = true)]
        variable: String,
        /// Its name
        #[arg(long)]
        label: Option<String>,
        /// Write the secret to this file descriptor instead of showing it
        #[arg(long, value_name = "N")]
        secret_fd: Option<u32>,
    },
    /// A secret that a command prints, such as one that a password manager keeps
    ///
    /// The secret is put there first: at least 32 bytes of hexadecimal digits or base64. The command
    /// line stands in config.toml alone, never in the vault. It is run without a shell and has 10
    /// seconds. Any code of yours can run it too and open the vault without you: `subrosa status`
    /// says so then.
    #[command(
        after_help = "Examples:\n  openssl rand -hex 32 | pass insert -m subrosa\n  \
        subrosa key add command -- /usr/bin/pass show subrosa\n  \
        subrosa key add command                      the one that config.toml names"
    )]
    Command {
        /// Its name
        #[arg(long)]
        label: Option<String>,
        /// The command and its arguments, if not those of key_command in config.toml
        #[arg(last = true, value_name = "COMMAND")]
        line: Vec<String>,
    },
    /// A secret that is encrypted to an age recipient or an SSH public key
    ///
    /// The vault is then opened with the identity: the private key, in a file of yours alone outside
    /// the vault's folder. Any code of yours can read it and open the vault without you: `subrosa
    /// status` says so then.
    #[command(after_help = "Examples:\n  subrosa key add age age1…\n  \
        subrosa key add age --recipient-file ~/.ssh/id_ed25519.pub\n  \
        subrosa ls --age-identity ~/.ssh/id_ed25519")]
    Age {
        /// The recipient: age1…, or a line ssh-ed25519 … or ssh-rsa …
        #[arg(
            value_name = "RECIPIENT",
            required_unless_present = "recipient_file",
            conflicts_with = "recipient_file"
        )]
        recipient: Option<String>,
        /// A file with the recipient, such as ~/.ssh/id_ed25519.pub
        #[arg(long, value_name = "PATH")]
        recipient_file: Option<PathBuf>,
        /// Its name
        #[arg(long)]
        label: Option<String>,
    },
    /// A secret that the keyring of the desktop keeps, such as GNOME's or KDE's
    ///
    /// While the keyring is unlocked, which it is as long as you are logged in, any code of yours can
    /// read it and open the vault without you: `subrosa status` says so then. It is asked through
    /// `secret-tool` of libsecret.
    #[command(after_help = "Examples:\n  subrosa key add keyring\n  \
        subrosa ls --open-with keyring")]
    Keyring {
        /// Its name
        #[arg(long)]
        label: Option<String>,
    },
    /// A secret that the TPM of this machine gives out for a PIN
    ///
    /// A PIN may be short, since the TPM counts wrong ones and locks itself. It proves that you are
    /// there. The slot is of no use on another machine, or when the TPM is cleared: keep the recovery
    /// code. The TPM is asked through tpm2-tools; TPM2TOOLS_TCTI, or tpm in config.toml, says which
    /// one.
    #[command(after_help = "Examples:\n  subrosa key add tpm\n  \
        subrosa unlock --open-with tpm")]
    Tpm {
        /// Its name
        #[arg(long)]
        label: Option<String>,
        /// Read the new PIN from this file descriptor, to its end
        #[arg(long, value_name = "N")]
        new_pin_fd: Option<u32>,
    },
    /// A recovery code, shown once
    #[command(after_help = "Examples:\n  subrosa key add recovery")]
    Recovery {
        /// Its name
        #[arg(long)]
        label: Option<String>,
    },
}

/// A new slot, and what is to be said of it.
struct Added {
    slot: SlotShown,
    /// Whose doing opens the vault without the user, where that is so.
    warning: Option<&'static str>,
    /// How to open the vault with it, where something is to be set up for that.
    hint: Option<String>,
    /// A secret, with what is said before it is shown.
    shown: Option<(String, SecretBuf)>,
}

impl Added {
    fn new(slot: SlotShown) -> Self {
        Self {
            slot,
            warning: None,
            hint: None,
            shown: None,
        }
    }
}

impl Add {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        // Before anything is asked: what cannot be done is said first.
        let outlet = self.what.outlet()?;
        let mut session = context.open(Need::Presence)?;
        let added = self.what.add(context, &mut session)?;
        session.close()?;
        let slot = &added.slot;
        if context.out.json {
            context.out.document(slot)?;
        }
        context.out.done(&format!(
            "{} ({}) opens the vault now",
            plain(&slot.label),
            slot.kind
        ));
        if let Some(warning) = added.warning {
            context.out.warn(warning);
        }
        if let Some(hint) = &added.hint {
            context.out.notice(hint);
        }
        match (added.shown, outlet) {
            (None, _) => Ok(()),
            (Some((_, secret)), Some(mut outlet)) => outlet.write(&secret).map_err(|failure| {
                failure.remedy(format!(
                    "nobody has its secret now: subrosa key rm {}",
                    plain(&slot.label)
                ))
            }),
            (Some((text, secret)), None) => {
                context.out.warn(&text);
                context.out.show_once(secret.as_slice())
            }
        }
    }
}

impl What {
    /// Where the secret goes, if not on standard error.
    fn outlet(&self) -> Result<Option<Outlet>, Failure> {
        match self {
            Self::Environment {
                secret_fd,
                variable,
                ..
            } => {
                check_name(variable)?;
                secret_fd.map(Outlet::open).transpose()
            }
            _ => Ok(None),
        }
    }

    fn add(self, context: &Context, session: &mut Session) -> Result<Added, Failure> {
        Ok(match self {
            Self::Passphrase {
                label,
                new_passphrase_fd,
            } => {
                if new_passphrase_fd.is_some() && new_passphrase_fd == context.global.passphrase_fd
                {
                    let text = "--passphrase-fd and --new-passphrase-fd are the same descriptor";
                    return Err(Failure::usage(text));
                }
                let label = free_label(session, label, "passphrase")?;
                let passphrase =
                    context.new_passphrase(new_passphrase_fd, "--new-passphrase-fd")?;
                Added::new(session.add_passphrase(&label, passphrase)?)
            }
            Self::KeyFile { path, label } => {
                let label = free_label(session, label, "key-file")?;
                Added {
                    warning: Some("whoever can read that file can open the vault without you"),
                    ..Added::new(session.add_key_file(&label, &path)?)
                }
            }
            Self::Environment {
                variable, label, ..
            } => {
                let label = free_label(session, label, "environment")?;
                let (slot, secret) = session.add_environment(&label)?;
                let hint = (variable != DEFAULT).then(|| {
                    format!("say where it is: --key-variable {variable}, or in config.toml: key_variable = \"{variable}\"")
                });
                let text = format!(
                    "this secret opens the vault and is shown this once; it is for the variable \
                     {variable}:"
                );
                Added {
                    warning: Some(
                        "what sets the variable keeps a copy of it; whoever can read that can open the \
                         vault without you",
                    ),
                    hint,
                    shown: Some((text, secret)),
                    ..Added::new(slot)
                }
            }
            Self::Command { label, line } => {
                let configured = context.config.key_command.as_ref();
                let chosen = match (line.is_empty(), configured) {
                    (false, _) => &line,
                    (true, Some(configured)) => configured,
                    (true, None) => {
                        let text = "no command is named, here or in config.toml";
                        return Err(Failure::usage(text)
                            .remedy("subrosa key add command -- /usr/bin/pass show subrosa"));
                    }
                };
                let label = free_label(session, label, "command")?;
                let words: Vec<OsString> = chosen.iter().map(OsString::from).collect();
                let secret = read_command(&words, context.variables())?;
                let hint = (configured != Some(chosen))
                    .then(|| format!("say it in config.toml: key_command = {chosen:?}"));
                Added {
                    warning: Some("whoever can run that command can open the vault without you"),
                    hint,
                    ..Added::new(session.add_command(&label, secret)?)
                }
            }
            Self::Age {
                recipient,
                recipient_file,
                label,
            } => {
                let recipient = match (recipient, recipient_file) {
                    (Some(recipient), _) => recipient,
                    (None, Some(path)) => recipient_in(context, &path)?,
                    (None, None) => String::new(),
                };
                let label = free_label(session, label, "age")?;
                Added {
                    warning: Some("whoever can read the identity can open the vault without you"),
                    ..Added::new(session.add_age(&label, &recipient)?)
                }
            }
            Self::Keyring { label } => {
                let label = free_label(session, label, "keyring")?;
                Added {
                    warning: Some(
                        "while the keyring is unlocked, any code of yours can open the vault without you",
                    ),
                    hint: Some("open it so: --open-with keyring, or in config.toml: open_with = \"keyring\"".to_owned()),
                    ..Added::new(session.add_keyring(&label, &context.variables())?)
                }
            }
            Self::Tpm { label, new_pin_fd } => {
                let label = free_label(session, label, "tpm")?;
                let pin = match (new_pin_fd, Terminal::open()) {
                    (Some(number), _) => read_proof(number, "PIN")?,
                    (None, Some(mut terminal)) => {
                        terminal.hidden_twice("New PIN: ", "The same again: ")?
                    }
                    (None, None) => {
                        let text = "there is no terminal to ask for a PIN";
                        return Err(Failure::new("no_proof", text)
                            .remedy("hand it over on a descriptor: --new-pin-fd 4 4<FILE"));
                    }
                };
                let slot = session.add_tpm(&label, &pin, &context.tpm_variables())?;
                Added {
                    hint: Some(
                        "open it so: --open-with tpm, or in config.toml: open_with = \"tpm\""
                            .to_owned(),
                    ),
                    ..Added::new(slot)
                }
            }
            Self::Recovery { label } => {
                let label = free_label(session, label, "recovery")?;
                let (slot, code) = session.add_recovery(&label)?;
                let text =
                    "this recovery code opens the vault and is shown this once; keep it elsewhere:";
                Added {
                    shown: Some((text.to_owned(), code)),
                    ..Added::new(slot)
                }
            }
        })
    }
}

/// The one recipient in a file; empty lines and comments are passed over.
fn recipient_in(context: &Context, path: &Path) -> Result<String, Failure> {
    let text = text_of(context, path)?;
    let mut lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(line.to_owned()),
        _ => {
            let text = format!("{} does not hold one recipient", path.display());
            Err(Failure::new("age", text).remedy("a slot is for one recipient: add one for each"))
        }
    }
}

/// The label that was asked for, or the first that is free.
fn free_label(session: &mut Session, asked: Option<String>, kind: &str) -> Result<String, Failure> {
    if let Some(label) = asked {
        return Ok(label);
    }
    let taken: Vec<String> = session
        .slots()?
        .into_iter()
        .map(|slot| slot.label)
        .collect();
    let mut label = kind.to_owned();
    let mut number = 2;
    while taken.contains(&label) {
        label = format!("{kind}-{number}");
        number += 1;
    }
    Ok(label)
}
