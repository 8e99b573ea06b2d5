//! What is denied whatever a policy says, unless a rule names exactly that command line.
//!
//! A command stands here when printing an environment, or running a program or a program text that
//! its arguments or standard input name, is what it is *for*. An allow-list of commands means nothing
//! once one of these is on it. The lists are published in spec/policy.md, and a test compares.

use subrosa_model::CommandLine;

use crate::command::names;
use crate::{escapes, procfs};

/// Why a command is always denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlwaysDenied {
    /// It prints the environment that it is given.
    Environment,
    /// A shell.
    Shell,
    /// An interpreter, or an editor with a command language.
    Interpreter,
    /// It starts the program that its arguments name.
    Wrapper,
    /// It reads the memory or the environment of other processes.
    Debugger,
    /// It acts as whichever program it is called by.
    MultiCall,
    /// It loads and starts the program that its arguments name.
    Loader,
}

impl AlwaysDenied {
    /// Every class, in the order in which they are looked up.
    pub const ALL: [Self; 7] = [
        Self::Environment,
        Self::Shell,
        Self::Interpreter,
        Self::Wrapper,
        Self::Debugger,
        Self::MultiCall,
        Self::Loader,
    ];

    /// The names of the class, in lower case. A name also stands for its versions (`python3.11`) and
    /// builds (`bash-static`).
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Environment => ENVIRONMENT,
            Self::Shell => SHELLS,
            Self::Interpreter => INTERPRETERS,
            Self::Wrapper => WRAPPERS,
            Self::Debugger => DEBUGGERS,
            Self::MultiCall => MULTI_CALL,
            Self::Loader => LOADERS,
        }
    }

    /// Why, as the end of a sentence that begins with the name.
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Environment => "can print every value that a process is given",
            Self::Shell => "is a shell and runs whatever it is told",
            Self::Interpreter => "is an interpreter and runs whatever it is told",
            Self::Wrapper => "starts any program that its arguments name",
            Self::Debugger => "reads the memory or the environment of other processes",
            Self::MultiCall => "acts as any of many programs",
            Self::Loader => "loads and starts any program that its arguments name",
        }
    }
}

const ENVIRONMENT: &[&str] = &[
    "env", "printenv", "set", "export", "declare", "typeset", "readonly", "local", "compgen",
    "envsubst", "ps",
];

const SHELLS: &[&str] = &[
    "sh",
    "bash",
    "rbash",
    "dash",
    "ash",
    "zsh",
    "rzsh",
    "fish",
    "ksh",
    "rksh",
    "mksh",
    "lksh",
    "oksh",
    "loksh",
    "pdksh",
    "yash",
    "posh",
    "csh",
    "tcsh",
    "elvish",
    "nu",
    "xonsh",
    "osh",
    "ysh",
    "es",
    "rc",
    "scsh",
    "pwsh",
    "powershell",
    "git-shell",
];

const INTERPRETERS: &[&str] = &[
    "python",
    "pypy",
    "ipython",
    "bpython",
    "micropython",
    "jython",
    "perl",
    "raku",
    "ruby",
    "irb",
    "jruby",
    "node",
    "nodejs",
    "deno",
    "bun",
    "qjs",
    "d8",
    "lua",
    "luajit",
    "php",
    "awk",
    "gawk",
    "mawk",
    "nawk",
    "goawk",
    "original-awk",
    "sed",
    "gsed",
    "tclsh",
    "wish",
    "expect",
    "guile",
    "racket",
    "sbcl",
    "ecl",
    "clisp",
    "ghci",
    "runghc",
    "runhaskell",
    "ocaml",
    "elixir",
    "iex",
    "erl",
    "escript",
    "groovy",
    "groovysh",
    "scala",
    "kotlin",
    "java",
    "jshell",
    "jrunscript",
    "julia",
    "r",
    "rscript",
    "octave",
    "osascript",
    "m4",
    "dc",
    "gnuplot",
    "ed",
    "red",
    "ex",
    "vi",
    "vim",
    "rvim",
    "nvim",
    "view",
    "rview",
    "vimdiff",
    "emacs",
    "emacsclient",
];

const WRAPPERS: &[&str] = &[
    "xargs",
    "parallel",
    "sem",
    "nohup",
    "nice",
    "ionice",
    "chrt",
    "taskset",
    "uclampset",
    "numactl",
    "timeout",
    "gtimeout",
    "time",
    "stdbuf",
    "unbuffer",
    "setsid",
    "setpriv",
    "setarch",
    "linux32",
    "linux64",
    "i386",
    "x86_64",
    "uname26",
    "prlimit",
    "choom",
    "cgexec",
    "unshare",
    "nsenter",
    "chroot",
    "fakeroot",
    "fakechroot",
    "proot",
    "bwrap",
    "firejail",
    "flatpak-spawn",
    "capsh",
    "runcon",
    "aa-exec",
    "sudo",
    "sudoedit",
    "doas",
    "su",
    "runuser",
    "pkexec",
    "run0",
    "gosu",
    "su-exec",
    "sg",
    "newgrp",
    "login",
    "systemd-run",
    "systemd-nspawn",
    "systemd-inhibit",
    "flock",
    "script",
    "watch",
    "watchexec",
    "entr",
    "tmux",
    "screen",
    "dtach",
    "abduco",
    "zellij",
    "dbus-run-session",
    "dbus-launch",
    "xvfb-run",
    "ssh-agent",
    "sshpass",
    "socat",
    "rlwrap",
    "gpg-agent",
    "at",
    "batch",
    "crontab",
    "run-parts",
    "start-stop-daemon",
    "daemonize",
    "tini",
    "dumb-init",
    "catatonit",
    "chpst",
    "envdir",
    "softlimit",
    "setuidgid",
    "s6-setuidgid",
    "faketime",
    "eatmydata",
    "torsocks",
    "proxychains",
    "hyperfine",
    "ldd",
    "command",
    "builtin",
    "exec",
    "eval",
    "source",
    "direnv",
    "npx",
    "pnpx",
    "bunx",
    "uvx",
    "pipx",
    "subrosa",
];

const DEBUGGERS: &[&str] = &[
    "gdb",
    "gdbserver",
    "lldb",
    "lldb-server",
    "strace",
    "ltrace",
    "perf",
    "bpftrace",
    "rr",
    "valgrind",
    "gcore",
    "crash",
    "uftrace",
    "dtrace",
    "dtruss",
    "sysdig",
    "radare2",
    "r2",
    "frida",
];

const MULTI_CALL: &[&str] = &["busybox", "toybox", "coreutils", "uutils", "snap"];

/// Beginnings of names; see [`is_loader`].
const LOADERS: &[&str] = &["ld.so", "ld-linux", "ld-musl", "ld64.so", "ld-2"];

/// Endings that distributions give to builds of the same program.
const BUILDS: [&str; 17] = [
    "static", "dbg", "debug", "cgi", "fpm", "real", "orig", "original", "distrib", "nox", "gtk",
    "tiny", "basic", "full", "small", "huge", "exe",
];

/// What is always denied about a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// One of its names.
    Name { name: String, class: AlwaysDenied },
    /// An argument names a file of another process, or of its own, in /proc.
    ProcessFile { argument: usize },
    /// Its working directory lies in /proc.
    ProcessFolder,
    /// A part of its arguments starts another program or prints the environment.
    Escape { command: String, marker: String },
}

impl Found {
    /// One sentence, without a full stop, that repeats no argument.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Name { name, class } => format!("`{name}` is always denied: it {}", class.why()),
            Self::ProcessFile { argument } => format!(
                "argument {argument} is always denied: it names the environment or memory of a \
                 process in /proc"
            ),
            Self::ProcessFolder => {
                "a working directory in /proc is always denied: the environment \
                                    and memory of processes are files there"
                    .to_owned()
            }
            Self::Escape { command, marker } => format!(
                "`{marker}` of `{command}` is always denied: it starts another program or prints the \
                 environment"
            ),
        }
    }
}

/// What is always denied about a command line in a folder, if anything is.
pub(crate) fn find(command: &CommandLine, directory: &str) -> Option<Found> {
    let names = names(command);
    for name in &names {
        if let Some(class) = class_of(name) {
            return Some(Found::Name {
                name: name.clone(),
                class,
            });
        }
    }
    if procfs::is_inside(directory) {
        return Some(Found::ProcessFolder);
    }
    let arguments: Vec<String> = command
        .arguments
        .iter()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    if let Some(index) = arguments
        .iter()
        .position(|text| procfs::names_process(text, directory))
    {
        return Some(Found::ProcessFile {
            argument: index + 1,
        });
    }
    names.into_iter().find_map(|name| {
        let marker = escapes::find(&name, &arguments)?;
        Some(Found::Escape {
            command: name,
            marker,
        })
    })
}

/// The class of a folded file name.
pub(crate) fn class_of(name: &str) -> Option<AlwaysDenied> {
    let name = name.strip_suffix(".exe").unwrap_or(name);
    AlwaysDenied::ALL.into_iter().find(|class| match class {
        AlwaysDenied::Loader => is_loader(name),
        _ => class.names().iter().any(|known| {
            name.strip_prefix(known)
                .is_some_and(|rest| rest.is_empty() || is_variant(rest))
        }),
    })
}

/// Whether a file name is that of a program that serves many names.
pub(crate) fn is_multi_call(file: &str) -> bool {
    class_of(&crate::command::fold(file)) == Some(AlwaysDenied::MultiCall)
}

fn is_loader(name: &str) -> bool {
    LOADERS.iter().any(|start| name.starts_with(start))
}

/// Whether the rest of a name is a version: `3.11`, `-12`, `5.4t`.
pub(crate) fn is_version(rest: &str) -> bool {
    version_end(rest).is_some_and(|end| end == rest.len())
}

/// Whether the rest of a name tells a version or a build of the same program: `3.11-dbg`, `-static`.
pub(crate) fn is_variant(rest: &str) -> bool {
    let parted = |rest: &str| rest.is_empty() || rest.starts_with(['-', '.', '_']);
    if version_end(rest).is_some_and(|end| parted(&rest[end..])) {
        return true;
    }
    let Some(word) = rest.strip_prefix(['-', '.', '_']) else {
        return false;
    };
    BUILDS
        .iter()
        .any(|build| word.strip_prefix(build).is_some_and(parted))
}

/// Where a version at the start of `rest` ends: an optional separator, digits and dots, and up to
/// three of the letters with which Python marks its builds.
fn version_end(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let start = usize::from(matches!(bytes.first(), Some(b'-' | b'.' | b'_')));
    let digits = bytes[start..]
        .iter()
        .take_while(|b| b.is_ascii_digit() || **b == b'.')
        .count();
    if !bytes.get(start)?.is_ascii_digit() {
        return None;
    }
    let letters = bytes[start + digits..]
        .iter()
        .take_while(|b| b"dmut".contains(b))
        .count()
        .min(3);
    Some(start + digits + letters)
}
