//! What a child finds in its environment, and who else sees it.

use std::io::Read;

use subrosa_model::VarName;

use super::*;
use crate::environment::never;

const HOSTILE: &[&str] = &[
    "LD_PRELOAD",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
    "BASH_ENV",
    "ENV",
    "PS4",
    "PROMPT_COMMAND",
    "SHELLOPTS",
    "BASHOPTS",
    "BASH_FUNC_ls%%",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PERL5LIB",
    "PERL5OPT",
    "RUBYOPT",
    "RUBYLIB",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "GIT_SSH_COMMAND",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_0",
    "GIT_EXTERNAL_DIFF",
    "GIT_EXEC_PATH",
    "EDITOR",
    "PAGER",
    "VISUAL",
    "LESSOPEN",
    "IFS",
    "GCONV_PATH",
    "LOCPATH",
    "HOSTALIASES",
    "RES_OPTIONS",
    "MALLOC_CHECK_",
    "GLIBC_TUNABLES",
    "SUBROSA_HOME",
    "SUBROSA_PASSPHRASE",
    "XDG_RUNTIME_DIR",
];
const PRIVATE: &[&str] = &[
    "SSH_AUTH_SOCK",
    "AWS_SECRET_ACCESS_KEY",
    "HTTPS_PROXY",
    "ANYTHING",
];
const KEPT: &[&str] = &[
    "HOME",
    "LANG",
    "LC_ALL",
    "TERM",
    "TZ",
    "NO_COLOR",
    "XDG_CONFIG_HOME",
];

fn everything() -> Vec<(OsString, OsString)> {
    let names = HOSTILE.iter().chain(PRIVATE).chain(KEPT).chain(&["PATH"]);
    names
        .map(|name| (name.into(), "/tmp/evil".into()))
        .collect()
}

fn var(name: &str) -> VarName {
    VarName::new(name).expect("a name")
}

#[test]
fn the_child_sees_what_is_listed_and_no_more() {
    let path = SearchPath::default();
    let environment = Environment::inherit(everything(), &[var("SSH_AUTH_SOCK")], &path);
    let environment = environment.expect("is built");
    let resolved = path
        .resolve(OsStr::new("env"), Path::new("/"))
        .expect("env is there");
    let (console, output, _) = buffers();
    let command = Command::new(resolved, [], Path::new("/"), environment, limits());
    let command = command.expect("is built");
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty());
    running
        .expect("starts")
        .pump(&BootClock)
        .expect("is pumped");
    let text = output.text();
    let mut names: Vec<&str> = text
        .lines()
        .map(|line| line.split('=').next().expect("a name"))
        .collect();
    names.sort_unstable();
    let mut expected = [KEPT, &["PATH", "PWD", "SSH_AUTH_SOCK"]].concat();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert!(text.contains(&format!("PATH={}\n", path.to_os_string().display())));
}

#[test]
fn hostile_names_are_neither_passed_on_nor_bound() {
    let path = SearchPath::default();
    for name in HOSTILE.iter().chain(&["PATH", "HOME"]) {
        assert!(never(name).is_some(), "{name}");
        let Ok(name) = VarName::new(*name) else {
            continue;
        };
        let passed = Environment::inherit([], std::slice::from_ref(&name), &path);
        assert!(matches!(passed, Err(RunError::Variable { .. })), "{name}");
        let bound = crate::image::check(&[(name.as_str(), b"value")]);
        assert!(matches!(bound, Err(RunError::Variable { .. })), "{name}");
        let mut environment = Environment::inherit([], &[], &path).expect("is built");
        assert!(environment.set(&name, "value").is_err(), "{name}");
    }
    for name in [
        "API_KEY",
        "GIT_TOKEN",
        "PYTHON_API_KEY",
        "NODE_AUTH_TOKEN",
        "DATABASE_URL",
    ] {
        assert_eq!(never(name), None, "{name}");
    }
}

#[test]
fn debug_shows_no_value() {
    let ours = [("LANG".into(), "quite-private".into())];
    let environment = Environment::inherit(ours, &[], &SearchPath::default());
    let text = format!("{:?}", environment.expect("is built"));
    assert!(text.contains("LANG") && !text.contains("quite-private"));
}

/// A value that is nowhere in memory before this is called: the guardian is forked before.
fn canary() -> Vec<u8> {
    let mut bytes = [0; 16];
    let mut source = std::fs::File::open("/dev/urandom").expect("is there");
    source.read_exact(&mut bytes).expect("is readable");
    bytes.iter().map(|byte| b'a' + byte % 26).collect()
}

fn holds(text: &[u8], value: &[u8]) -> bool {
    text.windows(value.len()).any(|window| window == value)
}

#[test]
fn the_value_is_in_the_child_and_nowhere_else() {
    let (ours, theirs) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
    let output = Written::default();
    let console = Console::new(
        Some(ours),
        Outlet::writer(output.clone()),
        Outlet::discard(),
    );
    // Its number and its guardian's; then it waits until the test has looked.
    let words = [
        "sh",
        "-c",
        "echo $$ $PPID; read line; [ -n \"$API_KEY\" ] && echo given",
    ];
    let command = command(&words, limits()).expect("sh is there");
    let mut sink = EnvironmentSink::new(command, console, &SystemSpawner).expect("is staged");
    let value = canary();
    sink.hand_over(&[("API_KEY", &value)], &known(&[("api/key", &value)]))
        .expect("starts");
    let running = sink.finish().expect("runs");
    let looker = std::thread::spawn({
        let (output, value) = (output.clone(), value.clone());
        move || {
            // The command writes nothing more before it is told to go on.
            let numbers = loop {
                let text = output.text();
                if let Some(line) = text.strip_suffix('\n') {
                    break line.to_owned();
                }
                std::thread::yield_now();
            };
            let (child, guardian) = numbers.split_once(' ').expect("two numbers");
            let found = look(&value);
            let memory = memory_holds(guardian, &value);
            rustix::io::write(&theirs, b"\n").expect("it waits");
            (child.to_owned(), found, memory)
        }
    });
    let report = running.pump(&BootClock).expect("is pumped");
    let (child, found, memory) = looker.join().expect("no panic");
    assert_eq!(
        found,
        [format!("{child}/environ")],
        "in the child's environment alone"
    );
    assert_ne!(memory, Some(true), "the guardian's memory holds no copy");
    assert!(output.text().ends_with("given\n"));
    assert_eq!(report.redacted, 0);
}

/// Environments and argument vectors of all processes that hold the value.
fn look(value: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for item in std::fs::read_dir("/proc").expect("is there").flatten() {
        for file in ["environ", "cmdline"] {
            let text = std::fs::read(item.path().join(file)).unwrap_or_default();
            if holds(&text, value) {
                found.push(format!("{}/{file}", item.file_name().display()));
            }
        }
    }
    found
}

/// Whether the writable memory of a process holds the value; `None` when it may not be read.
fn memory_holds(pid: &str, value: &[u8]) -> Option<bool> {
    use std::os::unix::fs::FileExt;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        let from = u64::from_str_radix(from, 16).ok()?;
        let to = u64::from_str_radix(to, 16).ok()?;
        let mut bytes = vec![0; usize::try_from(to - from).ok()?];
        if memory.read_exact_at(&mut bytes, from).is_ok() && holds(&bytes, value) {
            return Some(true);
        }
    }
    Some(false)
}
