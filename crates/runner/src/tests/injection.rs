//! The three ways in.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::{Ending, FileSink, StdinSink};

fn binary() -> Vec<u8> {
    (0..=255_u8).cycle().take(3 * 1024 * 1024 + 17).collect()
}

fn shared_memory() -> [PathBuf; 1] {
    [PathBuf::from("/dev/shm")]
}

#[test]
fn a_variable_holds_exactly_the_value() {
    let folder = scratch();
    let value = b"two\nlines \"quoted\" $HOME \xff\xfe 'x'=y";
    let expected = folder.path().join("expected");
    put(&expected, value);
    let script = format!(
        "printf %s \"$A_KEY\" | cmp - {} && echo same",
        expected.display()
    );
    let ran = run_with(
        &["sh", "-c", &script],
        &[("A_KEY", value), ("B_KEY", b"0ther-value-1")],
    );
    assert_eq!(ran.output.text(), "same\n");
}

#[test]
fn a_value_replaces_a_plain_variable() {
    let (console, output, _) = buffers();
    let path = SearchPath::default();
    let ours = [("LANG".into(), "plain".into())];
    let mut environment = Environment::inherit(ours, &[], &path).expect("is built");
    let name = subrosa_model::VarName::new("API_KEY").expect("a name");
    environment.set(&name, "placeholder").expect("is set");
    let resolved = path
        .resolve(OsStr::new("env"), Path::new("/"))
        .expect("env is there");
    let command = Command::new(resolved, [], Path::new("/"), environment, limits());
    let mut sink = EnvironmentSink::new(command.expect("is built"), console, &SystemSpawner)
        .expect("is staged");
    let value = b"r3al-value-9".as_slice();
    sink.hand_over(&[("API_KEY", value)], &known(&[("k", value)]))
        .expect("starts");
    sink.finish()
        .expect("runs")
        .pump(&BootClock)
        .expect("is pumped");
    let text = output.text();
    assert_eq!(text.matches("API_KEY=").count(), 1);
    assert!(text.contains("API_KEY=[REDACTED:k]\n"));
}

fn refused(values: &[(&str, &[u8])]) -> RunError {
    let (console, _, _) = buffers();
    let command = command(&["true"], limits()).expect("true is there");
    let mut sink = EnvironmentSink::new(command, console, &SystemSpawner).expect("is staged");
    let told = sink
        .hand_over(values, &KnownSet::empty())
        .expect_err("is refused");
    let error = sink.finish().expect_err("nothing runs");
    assert_eq!(told.to_string(), error.to_string());
    for (_, value) in values {
        let text = format!("{error} {error:?}");
        assert!(
            !text.contains(&*String::from_utf8_lossy(value)),
            "no value in a text"
        );
    }
    error
}

#[test]
fn what_a_variable_cannot_carry_is_refused() {
    let nul = refused(&[("API_KEY", b"canary\0canary")]);
    assert!(matches!(&nul, RunError::Nul { .. }) && nul.to_string().contains("API_KEY"));
    let long = vec![b'c'; 128 * 1024];
    assert!(matches!(
        refused(&[("API_KEY", &long)]),
        RunError::TooLong { .. }
    ));
    let twice: [(&str, &[u8]); 2] = [("API_KEY", b"canary-1"), ("API_KEY", b"canary-2")];
    assert!(matches!(refused(&twice), RunError::Variable { .. }));
    assert!(matches!(
        refused(&[("LD_PRELOAD", b"canary-3")]),
        RunError::Variable { .. }
    ));
    assert!(matches!(
        refused(&[("A=B", b"canary-4")]),
        RunError::Variable { .. }
    ));
}

#[test]
fn a_sink_that_got_nothing_runs_nothing() {
    let (console, output, _) = buffers();
    let command = command(&["echo", "ran"], limits()).expect("echo is there");
    let sink = EnvironmentSink::new(command, console, &SystemSpawner).expect("is staged");
    assert!(matches!(sink.finish(), Err(RunError::NotStarted)));
    assert_eq!(output.text(), "");
}

fn run_stdin(words: &[&str], value: &[u8]) -> Ran {
    let (console, output, error) = buffers();
    let command = command(words, limits()).expect("is there");
    let mut sink = StdinSink::new(command, console, &SystemSpawner).expect("is staged");
    sink.hand_over(&[("value", value)], &KnownSet::empty())
        .expect("starts");
    let report = sink
        .finish()
        .expect("runs")
        .pump(&BootClock)
        .expect("is pumped");
    Ran {
        report,
        output,
        error,
    }
}

#[test]
fn standard_input_is_exactly_the_value() {
    let folder = scratch();
    let expected = folder.path().join("expected");
    let path = expected.to_str().expect("an ordinary name");
    for value in [b"".as_slice(), b"short", b"nul\0inside\n", &binary()] {
        put(&expected, value);
        let ran = run_stdin(&["cmp", "-", path], value);
        assert_eq!(ran.report.ending, Ending::Exited(0), "{}", ran.error.text());
    }
}

#[test]
fn a_command_that_reads_nothing_of_a_long_value_ends() {
    assert_eq!(
        run_stdin(&["true"], &binary()).report.ending,
        Ending::Exited(0)
    );
    assert_eq!(
        run_stdin(&["head", "-c", "5"], &binary()).report.ending,
        Ending::Exited(0)
    );
}

#[test]
fn standard_input_takes_one_value() {
    let values: [(&str, &[u8]); 2] = [("a", b"one"), ("b", b"two")];
    for values in [&values[..], &[]] {
        let (console, _, _) = buffers();
        let command = command(&["cat"], limits()).expect("cat is there");
        let mut sink = StdinSink::new(command, console, &SystemSpawner).expect("is staged");
        sink.hand_over(values, &KnownSet::empty())
            .expect_err("is refused");
        assert!(matches!(sink.finish(), Err(RunError::OneValue { .. })));
    }
}

#[test]
fn a_file_is_private_and_gone_afterwards() {
    let folder = scratch();
    let (expected, value) = (folder.path().join("expected"), binary());
    put(&expected, &value);
    let (console, output, error) = buffers();
    // Descriptors are closed on the way to the last process, as runtimes do it.
    let script = format!(
        r#"echo "$API_KEY"; stat -c %a "$API_KEY" "$(dirname "$API_KEY")"
           stat -f -c %T "$API_KEY"
           sh -c 'cmp "$API_KEY" {}' && echo same; touch "$(dirname "$API_KEY")/mine""#,
        expected.display()
    );
    let command = command(&["sh", "-c", &script], limits()).expect("sh is there");
    let mut sink =
        FileSink::new(command, console, &SystemSpawner, &shared_memory()).expect("is staged");
    let values: [(&str, &[u8]); 2] = [("API_KEY", &value), ("OTHER", b"other")];
    sink.hand_over(&values, &KnownSet::empty()).expect("starts");
    sink.finish()
        .expect("runs")
        .pump(&BootClock)
        .expect("is pumped");
    let text = output.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[1..],
        ["600", "700", "tmpfs", "same"],
        "{}",
        error.text()
    );
    let path = Path::new(lines[0]);
    assert!(path.ends_with("API_KEY"));
    assert!(!path.exists() && !path.parent().expect("a folder").exists());
}

#[test]
fn a_folder_for_values_is_in_memory_and_ours() {
    let build = |folders: &[PathBuf]| {
        let (console, _, _) = buffers();
        let command = command(&["true"], limits()).expect("true is there");
        FileSink::new(command, console, &SystemSpawner, folders).map(|_| ())
    };
    let on_disk = scratch();
    for folders in [
        vec![],
        vec![on_disk.path().to_owned()],
        vec![PathBuf::from("/nowhere")],
    ] {
        assert!(matches!(
            build(&folders),
            Err(RunError::NoPrivateFolder { .. })
        ));
    }
    let base = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    make_mode(base.path(), 0o777);
    assert!(matches!(
        build(&[base.path().to_owned()]),
        Err(RunError::NoPrivateFolder { .. })
    ));
    make_mode(base.path(), 0o700);
    build(&[PathBuf::from("/nowhere"), base.path().to_owned()]).expect("the second will do");
    let left = std::fs::read_dir(base.path()).expect("is there").count();
    assert_eq!(left, 0, "a sink that was given up leaves nothing");
    let mode = base
        .path()
        .metadata()
        .expect("is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}
