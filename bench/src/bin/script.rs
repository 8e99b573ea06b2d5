//! `cargo xtask bench script`: starting a script, and a million statements, beside Python and a
//! POSIX shell.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark starts programs, writes files and prints"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use subrosa_bench::vaults::{Result, program};
use subrosa_bench::{Times, bar, line};

const STARTS: usize = 31;
const ROUNDS: usize = 7;
const STATEMENTS: usize = 1_000_000;

/// The same work in three languages; each counts as many statements.
struct Work {
    name: &'static str,
    /// Statements that a turn of the loop counts for.
    statements: usize,
    feather: &'static str,
    python: &'static str,
    shell: &'static str,
}

/// `TURNS` stands for the number of turns.
const WORKS: [Work; 4] = [
    Work {
        name: "assignments",
        statements: 2,
        feather: "repeat TURNS\n'some text' into @x\n@x into @y\nend\nsuccess\n",
        python: "for _ in range(TURNS):\n    x = 'some text'\n    y = x\n",
        shell: "i=0\nwhile [ $i -lt TURNS ]; do x='some text'; y=$x; i=$((i+1)); done\n",
    },
    Work {
        name: "counting and a condition",
        statements: 4,
        feather: "'0' into @i\n'0' into @n\nwhile @i < 'TURNS'\nif @i > '7'\nincrease @n by '2'\nend\n\
                  increase @i by '1'\nend\nsuccess\n",
        python: "i = 0\nn = 0\nwhile i < TURNS:\n    if i > 7:\n        n += 2\n    i += 1\n",
        shell: "i=0\nn=0\nwhile [ $i -lt TURNS ]; do if [ $i -gt 7 ]; then n=$((n+2)); fi; i=$((i+1)); done\n",
    },
    Work {
        name: "text put into text",
        statements: 2,
        feather: "'name' into @a\nrepeat TURNS\n'value of @{a} here' into @x\ntext length @x into @n\n\
                  end\nsuccess\n",
        python: "a = 'name'\nfor _ in range(TURNS):\n    x = f'value of {a} here'\n    n = len(x)\n",
        shell: "a=name\ni=0\nwhile [ $i -lt TURNS ]; do x=\"value of $a here\"; n=${#x}; i=$((i+1)); done\n",
    },
    Work {
        name: "the same of a secret",
        statements: 2,
        feather: "'the-secret' into vault 'S'\nvault 'S' into @a\nrepeat TURNS\n\
                  'value of @{a} here' into @x\ntext length @x into @n\nend\nsuccess\n",
        python: "a = 'the-secret'\nfor _ in range(TURNS):\n    x = f'value of {a} here'\n    n = len(x)\n",
        shell: "a=the-secret\ni=0\nwhile [ $i -lt TURNS ]; do x=\"value of $a here\"; n=${#x}; i=$((i+1)); done\n",
    },
];

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let python = python();
    starts(folder.path(), python.as_deref())?;
    for work in &WORKS {
        statements(folder.path(), python.as_deref(), work)?;
    }
    Ok(())
}

/// The interpreter itself: what stands in the path may be a script that looks for it.
fn python() -> Option<PathBuf> {
    let mut ask = Command::new("python3");
    ask.args(["-c", "import sys; print(sys.executable)"]);
    let told = ask.output().ok().filter(|told| told.status.success());
    if told.is_none() {
        println!("python3 is not here, and is left out");
    }
    let path = String::from_utf8(told?.stdout).ok()?;
    Some(PathBuf::from(path.trim_end()))
}

/// Runs a program to its end with nothing to read and nobody to read it.
fn run(program: &Path, words: &[&Path], folder: &Path) -> Result<()> {
    let status = Command::new(program)
        .args(words)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{} {words:?}: {status}", program.display()).into())
}

fn feather(script: &Path, folder: &Path) -> Result<()> {
    let words = ["script", "run"].map(Path::new);
    run(&program()?, &[words[0], words[1], script], folder)
}

fn starts(folder: &Path, python: Option<&Path>) -> Result<()> {
    println!("starting a script that does nothing, {STARTS} rounds in turn");
    let script = folder.join("nothing.sky");
    fs::write(&script, "success\n")?;
    let nothing = folder.join("nothing");
    fs::write(&nothing, "")?;
    let [mut ours, mut snake, mut shell] = [Times::default(), Times::default(), Times::default()];
    for _ in 0..STARTS {
        ours.time(|| feather(&script, folder))?;
        if let Some(python) = python {
            snake.time(|| run(python, &[&nothing], folder))?;
        }
        shell.time(|| run(Path::new("/bin/sh"), &[&nothing], folder))?;
    }
    line("subrosa script run", &ours);
    if python.is_some() {
        line("python3", &snake);
    }
    line("sh", &shell);
    bar(
        "subrosa script run",
        ours.median().as_secs_f64() * 1e3,
        20.0,
        "ms",
    );
    Ok(())
}

fn statements(folder: &Path, python: Option<&Path>, work: &Work) -> Result<()> {
    println!(
        "\n{STATEMENTS} statements: {}, {ROUNDS} rounds in turn",
        work.name
    );
    let turns = (STATEMENTS / work.statements).to_string();
    let written = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text.replace("TURNS", &turns)).map(|()| path)
    };
    let script = written("work.sky", work.feather)?;
    let snake = written("work.py", work.python)?;
    let shell = written("work.sh", work.shell)?;
    let [mut ours, mut theirs, mut posix] = [Times::default(), Times::default(), Times::default()];
    for _ in 0..ROUNDS {
        ours.time(|| feather(&script, folder))?;
        if let Some(python) = python {
            theirs.time(|| run(python, &[&snake], folder))?;
        }
        posix.time(|| run(Path::new("/bin/sh"), &[&shell], folder))?;
    }
    line("subrosa script run, a memo line for each", &ours);
    if python.is_some() {
        line("python3", &theirs);
        println!(
            "  {:<58} {:>9.2} x",
            "subrosa / python3",
            ours.ratio(&theirs)
        );
    }
    line("sh", &posix);
    println!("  {:<58} {:>9.2} x", "subrosa / sh", ours.ratio(&posix));
    bar("subrosa script run", ours.median().as_secs_f64(), 1.0, "s");
    Ok(())
}
