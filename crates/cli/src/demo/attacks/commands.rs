//! Attacks on which program is run.

use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::must;
use crate::demo::stage::{Stage, make_folder, write};
use crate::demo::verdict::Verdict;
use crate::failure::Failure;

/// Row 28: another program of the same name, and code by way of variables.
pub(super) fn hijack(stage: &Stage) -> Result<Verdict, Failure> {
    let folder = stage.root.join("hijack");
    make_folder(&folder)?;
    let fake = folder.join("greet");
    write(&fake, b"#!/bin/sh\necho HIJACKED \"$STRIPE_KEY\"\n")?;
    let mode = |path: &std::path::Path, mode| {
        let set = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
        set.map_err(Failure::io("permissions cannot be set"))
    };
    mode(&fake, 0o755)?;
    mode(&folder, 0o777)?;
    let path = || -> OsString {
        let mut path = folder.clone().into_os_string();
        path.push(":");
        path.push(stage.path());
        path
    };
    let line = [
        "run",
        "-k",
        "shop/STRIPE_KEY",
        "--inject",
        "env",
        "--",
        "greet",
    ];
    let ran = stage.call(&line).variable("PATH", path()).run()?;
    let started = ran.out().contains("HIJACKED");
    must!(
        !started && !ran.ok(),
        "a program in a folder that anybody may write was run"
    );
    // The folder may be closed and the program still be somebody else's work.
    mode(&folder, 0o755)?;
    mode(&fake, 0o777)?;
    let ran = stage.call(&line).variable("PATH", path()).run()?;
    must!(
        !ran.out().contains("HIJACKED") && !ran.ok(),
        "a program that anybody may write was run"
    );
    let script = "echo ${LD_PRELOAD-} ${LD_AUDIT-} ${BASH_ENV-} ${ENV-} ${NODE_OPTIONS-} ${PYTHONPATH-} ${GIT_SSH_COMMAND-}";
    let mut call = stage.call(&["run", "--", "sh", "-c", script]);
    for name in [
        "LD_PRELOAD",
        "LD_AUDIT",
        "BASH_ENV",
        "ENV",
        "NODE_OPTIONS",
        "PYTHONPATH",
        "GIT_SSH_COMMAND",
    ] {
        call = call.variable(name, "/nowhere/evil.so");
    }
    let ran = call.run()?;
    must!(
        ran.ok(),
        "a command in a poisoned environment did not run: {}",
        ran.err()
    );
    must!(
        ran.out().trim().is_empty(),
        "a variable that loads code reached the command"
    );
    let ran = stage
        .call(&["run", "--env", "LD_PRELOAD", "--", "true"])
        .variable("LD_PRELOAD", "/nowhere/evil.so")
        .run()?;
    must!(
        !ran.ok(),
        "LD_PRELOAD was passed on, since it was asked for"
    );
    Ok(Verdict::held(
        "unsafe programs are refused, and variables that load code are dropped",
    ))
}

/// Row 29: a shell by another name.
pub(super) fn another_name(stage: &Stage) -> Result<Verdict, Failure> {
    let link = stage.work.join("harmless");
    symlink("/bin/sh", &link).map_err(Failure::io("a link cannot be made"))?;
    let harmless = link.display().to_string();
    // A rule allows `harmless` with any argument; that it is a shell must show all the same.
    let mut names = vec![
        "sh",
        "/bin/sh",
        "./harmless",
        harmless.as_str(),
        "/bin/../bin/sh",
        "//bin/sh",
    ];
    names.extend(
        ["bash", "dash", "env", "printenv"]
            .into_iter()
            .filter(|name| stage.finds(name)),
    );
    for name in &names {
        let line = [
            "run",
            "-k",
            "shop/STRIPE_KEY",
            "--inject",
            "env",
            "--",
            name,
            "-c",
            "echo $STRIPE_KEY; id",
        ];
        let ran = stage.call(&line).run()?;
        must!(
            ran.code() == Some(125),
            "`{name}` was not refused: {}",
            ran.ending()
        );
        must!(ran.stdout.is_empty(), "`{name}` was started");
    }
    let line = [
        "run",
        "-k",
        "shop/STRIPE_KEY",
        "--",
        "sh",
        "-c",
        "echo \"the key is $STRIPE_KEY\"",
    ];
    let ran = stage.call(&line).run()?;
    must!(
        ran.out() == "the key is [REDACTED:shop/STRIPE_KEY]\n",
        "the line that a rule names was refused too"
    );
    Ok(Verdict::held(format!(
        "a shell is refused by {} names, links among them",
        names.len()
    )))
}
