//! Completion in real shells: bash and zsh on a terminal, fish by its own word.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::house::{House, PROGRAM};
use crate::names::{attacked, key_file, named};

/// The folder with the program under its own name, first on the path of a shell.
fn path(house: &House) -> std::ffi::OsString {
    let folder = house.path("bin");
    if !folder.exists() {
        crate::house::folder(&folder);
        std::os::unix::fs::symlink(PROGRAM, folder.join("subrosa")).unwrap();
    }
    let mut all = vec![folder];
    all.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    std::env::join_paths(all).unwrap()
}

fn environment(command: &mut Command, house: &House) {
    command
        .env_clear()
        .env("PATH", path(house))
        .env("SUBROSA_HOME", house.path("home"))
        .env("XDG_STATE_HOME", house.path("state"))
        .env("HOME", house.path("account"))
        .env("SUBROSA_KEY_FILE", key_file(house))
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm")
        .current_dir(house.path("work"));
}

/// A shell whose terminal is ours to type on. ^X prints the line that is being typed.
struct Shell {
    terminal: File,
    child: Child,
    seen: String,
}

impl Shell {
    fn start(house: &House, shell: &[&str], setup: &str) -> Self {
        let terminal =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new())
            .unwrap()
            .into_string()
            .unwrap();
        let file = house.write("setup", setup);
        let mut command = Command::new("setsid");
        environment(&mut command, house);
        let child = command
            .args([
                "-w",
                "sh",
                "-c",
                "name=$1; shift; exec <>\"$name\" >&0 2>&0; stty cols 200 rows 50; exec \"$@\"",
                "sh",
                &name,
            ])
            .args(shell)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut shell = Self {
            terminal: File::from(terminal),
            child,
            seen: String::new(),
        };
        shell.send(&format!(". {}\r", file.display()));
        shell.until("READY-", '\n');
        shell
    }

    fn send(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// What stands between a mark and an end, once it is there.
    #[track_caller]
    fn until(&mut self, mark: &str, end: char) -> String {
        let mut chunk = [0; 4096];
        loop {
            if let Some((_, behind)) = self.seen.split_once(mark)
                && let Some((found, rest)) = behind.split_once(end)
            {
                let (found, rest) = (found.to_owned(), rest.to_owned());
                self.seen = rest;
                return found;
            }
            match self.terminal.read(&mut chunk) {
                Ok(count) if count > 0 => self
                    .seen
                    .push_str(&String::from_utf8_lossy(&chunk[..count])),
                _ => panic!("{mark:?} was not shown: {:?}", self.seen),
            }
        }
    }

    /// The line after these keys; the line is empty again afterwards.
    #[track_caller]
    fn line(&mut self, keys: &str) -> String {
        self.send(keys);
        self.send("\u{18}");
        let line = self.until("LINE<", '>');
        self.send("\u{15}");
        line
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // It has no unsaved work.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bash(house: &House) -> Shell {
    let setup = "PS1='' PS2=''\n\
        source <(subrosa completions bash)\n\
        bind 'set bell-style none' 'set show-all-if-ambiguous on' 'set completion-query-items 0' 'set page-completions off'\n\
        bind -x '\"\\C-x\": printf \"LINE<%s>\" \"$READLINE_LINE\"'\n\
        printf 'READY-%s\\n' go\n";
    Shell::start(house, &["bash", "--norc", "--noprofile", "-i"], setup)
}

fn zsh(house: &House) -> Shell {
    let setup = "PS1='' PS2=''\nunsetopt zle_bracketed_paste prompt_cr prompt_sp\n\
        autoload -Uz compinit && compinit -u -D\n\
        source <(subrosa completions zsh)\n\
        setopt no_beep no_auto_menu\n\
        line() { print -rn -- \"LINE<$BUFFER>\" }\nzle -N line\nbindkey -e\nbindkey '^X' line\nbindkey '^U' kill-whole-line\n\
        printf 'READY-%s\\n' go\n";
    Shell::start(house, &["zsh", "-f", "-i"], setup)
}

/// What is typed, and what stands in the line after the tabulator.
const TYPED: [(&str, &str); 8] = [
    ("subrosa roll\t", "subrosa rollback "),
    ("subrosa show ap\t", "subrosa show api/key "),
    ("subrosa read db/main#p\t", "subrosa read db/main#password "),
    ("subrosa run --inject=e\t", "subrosa run --inject=env "),
    (
        "subrosa run --bind PGPASSWORD=db/main#p\t",
        "subrosa run --bind PGPASSWORD=db/main#password ",
    ),
    (
        "subrosa -w work -g staging show p\t",
        "subrosa -w work -g staging show payments/key ",
    ),
    ("subrosa ls --tag p\t", "subrosa ls --tag prod "),
    ("subrosa import 'my f\t", "subrosa import 'my file.env' "),
];

#[test]
fn bash_completes() {
    let house = named();
    house.write("my file.env", "A=b\n");
    let mut shell = bash(&house);
    for (keys, line) in TYPED {
        assert_eq!(shell.line(keys), line, "{keys:?}");
    }
    assert_eq!(shell.line("subrosa show 'so\t"), "subrosa show 'solo' ");
    assert_eq!(
        shell.line("subrosa run -- setsi\t"),
        "subrosa run -- setsid "
    );
    assert_eq!(
        shell.line("true; subrosa show so\t"),
        "true; subrosa show solo "
    );
}

#[test]
fn zsh_completes() {
    let house = named();
    house.write("my file.env", "A=b\n");
    let mut shell = zsh(&house);
    for (keys, line) in TYPED {
        // zsh quotes a `#`, which may be a pattern there.
        assert_eq!(shell.line(keys).replace("\\#", "#"), line, "{keys:?}");
    }
    assert_eq!(
        shell.line("subrosa run -- setsi\t"),
        "subrosa run -- setsid "
    );
}

#[test]
fn fish_completes() {
    let house = named();
    house.write("my file.env", "A=b\n");
    let complete = |line: &str| {
        let mut command = Command::new("fish");
        environment(&mut command, &house);
        let script = "subrosa completions fish | source; complete --do-complete $argv[1]";
        let output = command
            .args(["--no-config", "-c", script, line])
            .output()
            .unwrap();
        assert!(
            output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .filter_map(|line| line.split('\t').next().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(complete("subrosa roll"), ["rollback"]);
    assert_eq!(complete("subrosa show "), ["api/key", "db/main", "solo"]);
    assert_eq!(complete("subrosa read db/main#p"), ["db/main#password"]);
    assert_eq!(complete("subrosa run --inject=e"), ["--inject=env"]);
    assert_eq!(complete("subrosa ls --tag p"), ["prod"]);
    assert_eq!(
        complete("subrosa -w work -g staging show p"),
        ["payments/key"]
    );
    assert_eq!(complete("subrosa import my"), ["my file.env"]);
    assert_eq!(complete("subrosa --key-file=job"), ["--key-file=job.key"]);
    assert!(complete("subrosa run -- setsi").contains(&"setsid".to_owned()));
}

/// The whole attack: hostile names in the vault, a person who presses the key and then return.
#[test]
fn completing_and_running_the_line_executes_nothing_of_the_vault() {
    let house = attacked();
    let planted = house.work("pwned");
    for (mut shell, name) in [(bash(&house), "bash"), (zsh(&house), "zsh")] {
        for keys in [
            "subrosa ls --tag \t\t",
            "subrosa key rm \t\t",
            "subrosa '$(touch pwned)\t",
        ] {
            shell.line(keys);
        }
        // zsh itself expands what a person typed; bash does not.
        if name == "bash" {
            shell.line("subrosa ls --tag $(touch pwned)\t");
            shell.line("subrosa $(touch pwned) \t");
        }
        // What these become is run: each is the beginning of one name alone.
        for prefix in ["x", "y", "p"] {
            shell.send(&format!("subrosa ls --tag {prefix}\t\r"));
        }
        shell.send("printf 'DONE-%s\\n' go\r");
        shell.until("DONE-go", '\n');
        assert!(!planted.exists(), "{name} executed a name");
    }
    let mut fish = Command::new("fish");
    environment(&mut fish, &house);
    let script = "subrosa completions fish | source; for one in (complete --do-complete 'subrosa ls --tag ') (complete --do-complete 'subrosa key rm ') (complete --do-complete 'subrosa ls --tag (touch pwned)'); eval \"true $one\"; end";
    let output = fish.args(["--no-config", "-c", script]).output().unwrap();
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!planted.exists(), "fish executed a name");
}

/// Another program of the same name in another folder is not started to complete for it.
#[test]
fn a_program_that_is_being_typed_is_not_run() {
    let house = named();
    let trap = house.work("subrosa");
    std::fs::write(&trap, "#!/bin/sh\ntouch pwned\n").unwrap();
    std::fs::set_permissions(&trap, std::fs::Permissions::from_mode(0o755)).unwrap();
    for mut shell in [bash(&house), zsh(&house)] {
        assert!(
            shell
                .line("./subrosa show so\t")
                .starts_with("./subrosa show solo")
        );
    }
    assert!(!house.work("pwned").exists());
}
