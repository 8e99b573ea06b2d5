//! The user's own editor on a private file.
#![allow(
    clippy::disallowed_methods,
    reason = "the user's editor is started on a file made for it"
)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::process::Command;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::fail;
use crate::prompt::Terminal;

/// Lets the user change a text; the file is in a folder that only the user enters, and is gone
/// afterwards.
pub(super) fn edit(context: &Context, text: &str) -> Result<String, Failure> {
    let variables = context.variables();
    let set = |name: &str| {
        let found = variables.iter().find(|(variable, _)| variable == name);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    };
    let Some(editor) = set("VISUAL").or_else(|| set("EDITOR")) else {
        return Err(Failure::new("no_editor", "neither VISUAL nor EDITOR names an editor")
            .remedy("EDITOR=nano subrosa policy edit; or: subrosa policy show >policy.yaml, subrosa apply -f policy.yaml"));
    };
    let failed = |what: &'static str| Failure::io(what);
    let folder = tempfile::Builder::new()
        .prefix("subrosa-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir()
        .map_err(failed("no private folder can be made"))?;
    let path = folder.path().join("policy.yaml");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed("the policy cannot be written for the editor"))?;
    file.write_all(text.as_bytes())
        .map_err(failed("the policy cannot be written for the editor"))?;
    drop(file);
    // The variable may hold arguments, which a shell takes apart.
    let mut line = editor.clone();
    line.push(" \"$@\"");
    let ended = Command::new("sh")
        .arg("-c")
        .arg(line)
        .arg(editor)
        .arg(&path)
        .status()
        .map_err(failed("the editor cannot be started"))?;
    if !ended.success() {
        let text = format!("the editor ended with {ended}; nothing was changed");
        return Err(Failure::new("editor", text));
    }
    fs::read_to_string(&path).map_err(failed("the edited policy cannot be read"))
}

/// Asks whether to go back into the editor with a policy that is wrong.
pub(super) fn again(context: &Context, failure: Failure) -> Result<(), Failure> {
    let Some(mut terminal) = Terminal::open() else {
        return Err(failure);
    };
    fail(&failure, context.out.json);
    if terminal.yes("Edit again? [Y/n] ")? {
        Ok(())
    } else {
        Err(failure)
    }
}
