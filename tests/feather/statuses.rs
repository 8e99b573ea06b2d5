//! Exit statuses, CI, and an ephemeral run.

use std::fs;

use super::Desk;

#[test]
fn each_end_has_its_status() {
    for (script, status) in [
        ("success", 0),
        ("success 'with a value'", 0),
        ("failure", 1),
        ("fail 'why'", 1),
        ("say 'the end is a failure'", 1),
        ("say @unknown\nsuccess", 1),
        ("vault 'missing' into @x\nsuccess", 1),
        ("script 'exit 7'\nsuccess", 1),
        ("sya 'hello'\nsuccess", 2),
        ("if true\nsay 'x'", 2),
        ("'s' into vault 'S'\nsay @{vault 'S'}\nsuccess", 3),
        ("'s' into vault 'S'\nsafe say @{vault 'S'}\nsuccess", 0),
    ] {
        let ran = Desk::new().run(script);
        assert_eq!(ran.status, status, "{script}\n{}", ran.err);
    }
}

#[test]
fn ci_refuses_risk_before_anything_runs() {
    let script = "cabinet create 'made'\nsensitive say 'x' with risk\nsuccess";
    for (ci, words, status) in [
        (Some("true"), &[][..], 4),
        (Some("1"), &[], 4),
        (Some(""), &[], 0),
        (Some("0"), &[], 0),
        (Some("false"), &[], 0),
        (None, &[], 0),
        (Some("true"), &["--allow-risk"], 0),
    ] {
        let desk = Desk::new();
        let variables: Vec<(&str, &str)> = ci.map(|ci| ("CI", ci)).into_iter().collect();
        let ran = desk.run_with(script, "", words, &variables);
        assert_eq!(ran.status, status, "{ci:?} {words:?} {}", ran.err);
        assert_eq!(desk.path("made").exists(), status == 0, "{ci:?}");
        if status == 4 {
            assert!(ran.out.is_empty(), "{}", ran.out);
            assert!(ran.memo.starts_with("[ERRO] ") && ran.memo.lines().count() == 1);
            assert!(ran.err.contains("--allow-risk"), "{}", ran.err);
        }
    }
    // In a function that nobody calls it is contained as well.
    let hidden = "function #f\nsay 'x' with risk\nsuccess\nend\nsuccess";
    let ran = Desk::new().run_with(hidden, "", &[], &[("CI", "true")]);
    assert_eq!(ran.status, 4, "{}", ran.err);
    // A word in a text or a comment is none.
    let quoted = "say 'with risk' ~ with risk\nsuccess";
    let ran = Desk::new().run_with(quoted, "", &[], &[("CI", "true")]);
    assert_eq!((ran.status, ran.out.as_str()), (0, "with risk\n"));
}

#[test]
fn an_ephemeral_run_needs_no_home_and_writes_nothing_but_the_memo() {
    let desk = Desk::new();
    let ran = desk.run("'value-of-a-secret' into vault 'S'\nsay 'ok'\nsuccess");
    assert_eq!((ran.status, ran.out.as_str()), (0, "ok\n"), "{}", ran.err);
    let work = fs::read_dir(desk.path("")).expect("the folder");
    assert_eq!(work.count(), 1, "the script alone");
    let home = fs::read_dir(desk.path("../home")).expect("the home");
    assert_eq!(home.count(), 0, "nothing at home");
    // A home that is not there, and no memo that was asked for.
    fs::write(desk.path("s.sky"), "say 'still'\nsuccess").expect("written");
    let mut command = desk.command(&["s.sky"]);
    command.env("HOME", "/proc/nowhere");
    let done = subrosa_tests::Done::of(&mut command, b"");
    assert_eq!(done.status, 0, "{}", done.err);
    assert_eq!(done.out, b"still\n");
    assert!(done.err.contains("no memo is written"), "{}", done.err);
}

#[test]
fn files_of_the_kernel_and_of_the_vault_are_not_read() {
    let desk = Desk::new();
    for path in ["/proc/self/environ", "/proc/version", "/dev/zero", "."] {
        let ran = desk.run(&format!("cabinet read '{path}' into @x\nsuccess"));
        assert_eq!(ran.status, 1, "{path}");
        assert!(ran.err.contains("no regular file"), "{path}: {}", ran.err);
    }
    let data = desk.path("../home/.local/share/subrosa");
    fs::create_dir_all(&data).expect("made");
    fs::write(data.join("vault.db"), "x").expect("written");
    std::os::unix::fs::symlink(&data, desk.path("link")).expect("linked");
    for script in [
        "cabinet read '../home/.local/share/subrosa/vault.db' into @x",
        "cabinet read 'link/vault.db' into @x",
        "cabinet write 'link/vault.db' with 'y'",
        "cabinet delete 'link/vault.db'",
        "cabinet copy 'link/vault.db' 'copy'",
    ] {
        let ran = desk.run(&format!("{script}\nsuccess"));
        assert_eq!(ran.status, 1, "{script}");
        assert!(ran.err.contains("folders of the vault"), "{}", ran.err);
    }
    assert_eq!(fs::read(data.join("vault.db")).expect("there"), b"x");
}
