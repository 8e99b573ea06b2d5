//! What a caller is and has, as the daemon goes by it.

use std::fs;
use std::process::{Command, Stdio};

use subrosa_tests::{Done, Served, held, is_root, program, skipped};

fn opened() -> Served {
    let served = Served::open();
    served
        .fed(&["set", "api/key", "--stdin"], b"canary-4p9zk2-row-value")
        .ok();
    served
}

fn sh(served: &Served, script: &str) -> Command {
    let mut command = Command::new("/bin/bash");
    served.admit(&mut command);
    command.env("S", program()).args(["-c", script]);
    command
}

/// Row 36, and nobody else is served: not `ls`, not `lock`, not `daemon stop`.
#[test]
fn row_36_a_file_of_references_that_never_ends_holds_up_nobody() {
    let served = opened();
    let done = Done::of(
        &mut sh(
            &served,
            "mkfifo pipe; timeout 3 $S run --env-file pipe -- true & sleep 1; timeout 10 $S ls; echo status=$?",
        ),
        b"",
    );
    let text = done.text();
    // Whoever waits for the pipe is let go before the daemon is stopped.
    let _ = Command::new("timeout")
        .args(["2", "sh", "-c", ": >pipe"])
        .current_dir(served.path("work"))
        .status();
    assert!(text.contains("status=0"), "{text}");
    held(
        36,
        "a file that never ends is waited for by the client, and `ls` is answered beside it",
    );
}

/// Row 36: descriptors and files mean what they mean to the caller.
#[test]
fn row_36_references_come_from_the_callers_own_descriptors() {
    let served = opened();
    for (script, what) in [
        (
            "$S run --env-file <(printf FOUND=subrosa://no/such) -- true",
            "no/such",
        ),
        (
            "printf FOUND=subrosa://no/such | $S run --env-file /dev/stdin -- true",
            "no/such",
        ),
    ] {
        let done = Done::of(&mut sh(&served, script), b"");
        assert!(
            done.status == 125 && done.err.contains(what),
            "{script}: {done:?}"
        );
    }
    held(36, "files and descriptors are opened by the caller alone");
}

/// What holds for a caller holds for what it runs: no way out of a sandbox leads over the socket.
#[test]
fn a_caller_in_other_namespaces_is_refused() {
    if !is_root() {
        return;
    }
    let served = opened();
    fs::write(served.path("work/marker"), "outer").expect("written");
    for which in ["-n", "-i", "-u", "-m", "-p -f"] {
        let done = Done::of(
            &mut sh(&served, &format!("unshare {which} $S run -- cat marker")),
            b"",
        );
        assert!(
            done.status == 125 && done.err.contains("namespace"),
            "unshare {which}: {done:?}"
        );
    }
}

#[test]
fn a_command_makes_files_as_its_caller_does() {
    let served = opened();
    let done = Done::of(&mut sh(&served, "umask 077; $S run -- sh -c umask"), b"").ok();
    assert_eq!(done.text(), "0077\n");
}

/// The same for a user who may not look into processes that are closed to debuggers, as a caller is.
#[test]
fn row_34_a_sandbox_of_the_same_user_is_not_served() {
    let user = crate::custody::Unprivileged::new();
    let mut probe = user.command("unshare");
    if Done::of(probe.args(["-U", "-r", "true"]), b"").status != 0 {
        skipped(34, "this machine lets no user make namespaces");
        return;
    }
    let _daemon = user.daemon();
    let served = |wrapper: &[&str]| {
        let mut command = user.command("env");
        Done::of(command.args(wrapper).arg(user.program()).args(["ls"]), b"")
    };
    served(&[]).ok();
    for which in [
        &["unshare", "-U", "-r"][..],
        &["unshare", "-U"],
        &["unshare", "-U", "-r", "-n"],
        &["unshare", "-U", "-r", "-m"],
        &["unshare", "-U", "-r", "-p", "-f"],
        &["unshare", "-U", "-r", "-i", "-u"],
    ] {
        let done = served(which);
        assert!(
            done.status != 0 && done.err.contains("namespace"),
            "{which:?}: {done:?}"
        );
    }
    if is_root() {
        // What only root can make: everything but one namespace is the same.
        for which in ["-n", "-m"] {
            let mut command = Command::new("unshare");
            let inner = user.command("env");
            command
                .arg(which)
                .arg(inner.get_program())
                .args(inner.get_args());
            command.envs(
                inner
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
            command.arg(user.program()).arg("ls");
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.current_dir(inner.get_current_dir().expect("set"));
            let done = Done::of(&mut command, b"");
            assert!(
                done.status != 0 && done.err.contains("namespace"),
                "{which:?}: {done:?}"
            );
        }
    }
    held(
        34,
        "a caller in namespaces that its user made is refused, though it is closed to debuggers",
    );
}

/// A client names a folder, and the daemon opens nothing in it: what the folder says is for the
/// caller to read.
#[test]
fn row_36_the_daemon_reads_no_file_in_the_callers_folder() {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    let served = opened();
    fs::write(served.path("work/.env"), "FOUND=subrosa://no/such\n").expect("written");
    let mut client = subrosa_wire::connect(&served.socket(), "tests").expect("it listens");
    let run = subrosa_wire::Run {
        command: vec![b"true".to_vec()],
        patterns: Vec::new(),
        binds: Vec::new(),
        inject: None,
        pass: Vec::new(),
        limits: subrosa_model::ProcessLimits::default(),
        variables: vec![(b"PATH".to_vec(), b"/usr/bin:/bin".to_vec())],
        directory: served.path("work").into_os_string().into_encoded_bytes(),
        mask: 0o077,
        streams: [false; 3],
    };
    let call = subrosa_wire::Call {
        scope: subrosa_model::Scope {
            workspace: subrosa_model::Scope::default_workspace(),
            group: None,
        },
        request: subrosa_wire::Request::Run(Box::new(run)),
    };
    let (_ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .expect("a pair of sockets");
    let theirs = std::os::fd::AsFd::as_fd(&theirs);
    let reply = client.call(&call, None, &[theirs]).expect("an answer");
    assert!(
        matches!(reply, Ok(subrosa_wire::Answer::Ran(_))),
        "{reply:?}"
    );
    // The program itself reads it, and says what is wrong with it.
    let own = served.run(&["run", "--", "true"]);
    assert!(own.status == 125 && own.err.contains("no/such"), "{own:?}");
    held(
        36,
        "a `.env` in the caller's folder is read by the caller alone",
    );
}
