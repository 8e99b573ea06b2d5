//! `cargo xtask bench vault`: storing and listing, beside bare SQLite, `pass` and `age`.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark starts programs, writes files and prints"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use subrosa_bench::vaults::{Result, SECRETS, checked, copy_pins, fill, init, program, setting};
use subrosa_bench::{Times, bar, line};
use subrosa_crypto::SecretBuf;
use subrosa_egress::Sensitive;
use subrosa_engine::{ListFilter, Session};
use subrosa_model::{FieldName, KeyName};
use subrosa_vault::{Mode, NewValue, Patch};

const ROUNDS: usize = 11;
const SETS: usize = 1000;
const VALUE: usize = 200;

fn main() -> Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let [word, root, key_file] = &asked[..]
        && word == "fill"
    {
        return fill(Path::new(root), Path::new(key_file));
    }
    let folder = tempfile::tempdir()?;
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|word| word == name);
    if wanted("writes") {
        println!("{SETS} durable writes of a {VALUE}-byte value, {ROUNDS} rounds in turn");
        writes(folder.path())?;
    }
    if wanted("listing") {
        println!("\nlisting {SECRETS} secrets");
        listing(folder.path())?;
    }
    if wanted("others") {
        println!("\nwhat others do of it");
        others(folder.path())?;
    }
    Ok(())
}

fn value(number: usize) -> Vec<u8> {
    let mut value = format!("value-{number:06}-").into_bytes();
    value.resize(VALUE, b'x');
    value
}

fn writes(folder: &Path) -> Result<()> {
    let (mut bare, mut same, mut ours) = (Times::default(), Times::default(), Times::default());
    for round in 0..ROUNDS {
        let path = folder.join(format!("bare-{round}.db"));
        bare.time(|| bare_inserts(&path, &[VALUE + 40]))?;
        let path = folder.join(format!("same-{round}.db"));
        // What one `set` stores, in the same number of rows, without any of the work.
        same.time(|| bare_inserts(&path, &[VALUE + 72, 560, 670, 500, 760, 200]))?;
        let mut session = init(&folder.join(format!("ours-{round}")))?;
        ours.time(|| sets(&mut session))?;
        session.close()?;
    }
    line(
        "bare SQLite, one row of the value's size, synchronous=FULL",
        &bare,
    );
    line("bare SQLite, six rows of the sizes that set writes", &same);
    line("subrosa set, with its audit record", &ours);
    bar(
        "subrosa set / bare SQLite, one row",
        ours.ratio(&bare),
        2.0,
        "x",
    );
    println!(
        "  {:<58} {:>9.2} x",
        "subrosa set / bare SQLite, six rows",
        ours.ratio(&same)
    );
    Ok(())
}

fn sets(session: &mut Session) -> Result<()> {
    for number in 0..SETS {
        let new = NewValue {
            field: FieldName::default_field(),
            value: Sensitive::input(SecretBuf::copy_from(&value(number))?),
            about: None,
        };
        let patch = Patch {
            values: vec![new],
            ..Patch::default()
        };
        session.set(
            &KeyName::new(format!("app/key-{number}"))?,
            &patch,
            Mode::Create,
        )?;
    }
    Ok(())
}

fn bare_inserts(path: &Path, sizes: &[usize]) -> Result<()> {
    let connection = rusqlite::Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE t (id BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID")?;
    for number in 0..SETS {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for (row, size) in sizes.iter().enumerate() {
            let mut insert = connection.prepare_cached("INSERT INTO t VALUES (?1, ?2)")?;
            let mut body = value(number);
            body.resize(*size, b'x');
            // Scattered, as the hashes and random ids of a vault are.
            let id = (number as u64)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .to_be_bytes();
            insert.execute(rusqlite::params![[&id[..], &[row as u8]].concat(), body])?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}

fn listing(folder: &Path) -> Result<()> {
    let root = folder.join("large");
    let key_file = folder.join("bench.key");
    // In a process of its own: what an import leaves of this one's memory is not what `ls` meets.
    let own = std::env::current_exe()?;
    let mut imported = Times::default();
    imported.time(|| checked(Command::new(own).arg("fill").arg(&root).arg(&key_file)))?;
    line("import of all, one transaction", &imported);
    let unlock = subrosa_vault::Unlock::KeyFile(subrosa_engine::read_key_file(&key_file)?);
    let mut session = Session::open(setting(&root), &unlock)?;
    // The first list finds no index and writes it.
    let mut first = Times::default();
    first.time(|| session.list(&ListFilter::default()))?;
    line("the first ls, every secret opened, index written", &first);
    let mut inside = Times::default();
    for _ in 0..ROUNDS {
        let listed = inside.time(|| session.list(&ListFilter::default()))?;
        assert_eq!(listed.len(), SECRETS);
    }
    line("ls inside an open process", &inside);
    session.close()?;
    bar(
        "ls inside an open process",
        ms(inside.median()),
        300.0,
        "ms",
    );

    let program = program()?;
    let mut whole = Times::default();
    for _ in 0..ROUNDS {
        let mut command = Command::new(&program);
        command
            .args(["ls", "--key-file"])
            .arg(&key_file)
            .env("SUBROSA_HOME", &root)
            .env("XDG_STATE_HOME", folder.join("xdg"))
            .stdout(Stdio::piped());
        // The account's pin is where the program looks for it.
        copy_pins(&root.join("pins"), &folder.join("xdg/subrosa/pins"))?;
        let output = whole.time(|| command.output())?;
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.stdout.iter().filter(|byte| **byte == b'\n').count() >= SECRETS);
    }
    line("subrosa ls, whole process, opened by a key file", &whole);
    bar("subrosa ls, whole process", ms(whole.median()), 300.0, "ms");
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn others(folder: &Path) -> Result<()> {
    const FEW: usize = 50;
    match age(folder, FEW)? {
        Some(times) => line(
            &format!("age: {FEW} files encrypted to one key (no index, no log)"),
            &times,
        ),
        None => println!("  age is not installed: not measured"),
    }
    match pass(folder, FEW)? {
        Some((insert, list)) => {
            line(&format!("pass: {FEW} inserts (no fsync, no log)"), &insert);
            line(&format!("pass ls of {FEW} (names in clear)"), &list);
        }
        None => println!("  pass is not installed: not measured"),
    }
    let mut session = init(&folder.join("few"))?;
    let mut times = Times::default();
    times.time(|| -> Result<()> {
        for number in 0..FEW {
            let new = NewValue {
                field: FieldName::default_field(),
                value: Sensitive::input(SecretBuf::copy_from(&value(number))?),
                about: None,
            };
            let patch = Patch {
                values: vec![new],
                ..Patch::default()
            };
            session.set(
                &KeyName::new(format!("app/key-{number}"))?,
                &patch,
                Mode::Create,
            )?;
        }
        Ok(())
    })?;
    line(
        &format!("subrosa: {FEW} sets in one process (durable, audited)"),
        &times,
    );
    Ok(())
}

fn installed(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output()
        .is_ok_and(|o| o.status.success())
}

fn age(folder: &Path, count: usize) -> Result<Option<Times>> {
    if !installed("age") {
        return Ok(None);
    }
    let key = folder.join("age.key");
    checked(Command::new("age-keygen").arg("-o").arg(&key))?;
    let public = Command::new("age-keygen").arg("-y").arg(&key).output()?;
    let public = String::from_utf8(public.stdout)?.trim().to_owned();
    let plain = folder.join("plain");
    std::fs::write(&plain, value(0))?;
    let mut times = Times::default();
    times.time(|| -> Result<()> {
        for number in 0..count {
            let out = folder.join(format!("{number}.age"));
            checked(
                Command::new("age")
                    .args(["-r", &public, "-o"])
                    .arg(out)
                    .arg(&plain),
            )?;
        }
        Ok(())
    })?;
    Ok(Some(times))
}

fn pass(folder: &Path, count: usize) -> Result<Option<(Times, Times)>> {
    if !installed("pass") || !installed("gpg") {
        return Ok(None);
    }
    let home = folder.join("gnupg");
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(&home)?;
    let store = folder.join("pass");
    let with = |command: &mut Command| -> Result<()> {
        checked(
            command
                .env("GNUPGHOME", &home)
                .env("PASSWORD_STORE_DIR", &store),
        )
    };
    with(Command::new("gpg").args([
        "--batch",
        "--passphrase",
        "",
        "--quick-gen-key",
        "bench@localhost",
        "default",
        "default",
    ]))?;
    with(Command::new("pass").args(["init", "bench@localhost"]))?;
    let (mut insert, mut list) = (Times::default(), Times::default());
    insert.time(|| -> Result<()> {
        for number in 0..count {
            let script = format!("printf %s x | pass insert -m -f app/key-{number}");
            with(Command::new("sh").args(["-c", &script]))?;
        }
        Ok(())
    })?;
    list.time(|| with(Command::new("pass").arg("ls")))?;
    Ok(Some((insert, list)))
}
