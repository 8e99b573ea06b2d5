//! Level lines.

use super::Desk;

#[test]
fn a_line_a_statement_with_its_tags() {
    let desk = Desk::new();
    let ran = desk.run(
        "'hunter2-secret' into vault 'K'\n\
         vault 'K' into @k\n\
         sensitive say @k\n\
         sensitive say @k with risk\n\
         say 'plain'\n\
         safe say @k\n\
         safe sensitive say @k with risk\n\
         @k append '-x' into @l\n\
         say 'two\nlines'\n\
         success 'done'\n",
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    let lines = [
        "[INFO][SENS] ******** into vault 'K'",
        "[INFO][SENS] vault 'K' into @k",
        "[INFO][SENS] say ********",
        "[INFO][SENS][RISK] say ********",
        "[INFO] say plain",
        "[WARN][SAFE][SENS] say ********",
        "[INFO][SAFE][SENS][RISK] say ********",
        "[INFO][SENS] ******** append -x into @l",
        "[INFO] say two\\nlines",
        "[SUCC] success done",
    ];
    assert_eq!(ran.memo.lines().collect::<Vec<_>>(), lines);
    for line in lines {
        assert!(ran.err.contains(line), "{line}");
    }
    assert_eq!(
        ran.out,
        "********\nhunter2-secret\nplain\nhunter2-secret\ntwo\nlines\n"
    );
    assert!(!ran.memo.contains("hunter2") && !ran.err.contains("hunter2"));
}

/// Masks stand for values by their labels: a value that is short or empty neither shows nor takes
/// other text with it.
#[test]
fn short_and_empty_secrets_are_masked_by_label() {
    for value in ["", "a", "s", "INFO", "say"] {
        let script = format!(
            "'{value}' into vault 'S'\nsensitive say @{{vault 'S'}}\nsay 'as said'\n\
             sensitive say 'x@{{vault 'S'}}y' with risk\nsuccess\n"
        );
        let ran = Desk::new().run(&script);
        assert_eq!(
            ran.out,
            format!("********\nas said\nx{value}y\n"),
            "{}",
            ran.err
        );
        assert_eq!(
            ran.memo,
            "[INFO][SENS] ******** into vault 'S'\n[INFO][SENS] say ********\n\
             [INFO] say as said\n[INFO][SENS][RISK] say ********\n[SUCC] success\n"
        );
    }
}

#[test]
fn the_memo_is_written_anew_and_also_for_what_does_not_run() {
    let desk = Desk::new();
    assert_eq!(
        desk.run("say 'one'\nsay 'two'\nsuccess")
            .memo
            .lines()
            .count(),
        3
    );
    assert_eq!(desk.run("success").memo, "[SUCC] success\n");
    let ran = desk.run("'s3cr3t' into vault 'S\nsay 'x'");
    assert_eq!(ran.status, 2);
    assert!(ran.memo.starts_with("[ERRO] ") && ran.memo.lines().count() == 1);
    assert!(
        !ran.memo.contains("s3cr3t") && !ran.err.contains("s3cr3t"),
        "{}",
        ran.err
    );
}

#[test]
fn results_and_failures_have_levels_of_their_own() {
    let ran = Desk::new().run(
        "function #f\nparameter 1 into @a\nif @a is 'x'\nfail 'no'\nend\nsuccess @a\nend\n\
         #f 'ok' into @r\nsafe #f 'x' into @q\nsay 'a' trace\nsay 'b' elapsed\nsay 'c' silent\n\
         failure 'at the end'\n",
    );
    assert_eq!(ran.status, 1);
    for line in [
        "[SUCC] success ok",
        "[INFO] #f ok into @r",
        "[FAIL] fail no",
        "[WARN][SAFE] #f x into @q",
        "[TRCE] say a",
        "[ELAP] say b took ",
        "[INFO] say c",
        "[FAIL] failure at the end",
    ] {
        assert!(ran.memo.contains(line), "{line}\n{}", ran.memo);
    }
    assert!(!ran.err.contains("say c"), "{}", ran.err);
}

/// One line for each error that keeps a script from running, with its place.
#[test]
fn each_error_of_a_text_has_a_line() {
    let ran = Desk::new().run("sya 'x'\nsay 'a'\nif 1 is 1\nsay 'b'\n");
    assert_eq!(ran.status, 2);
    assert_eq!(
        ran.memo,
        "[ERRO] s.sky:1:1: there is no command `sya`\n[ERRO] s.sky:3:1: this `if` block is not closed\n"
    );
    assert!(ran.err.starts_with(&ran.memo), "{}", ran.err);
    let script = "'k' into vault 'K'\nsensitive say @{vault 'K'}\n  with risk\nsuccess";
    let ran = Desk::new().run_with(script, "", &[], &[("CI", "1")]);
    assert_eq!((ran.status, &*ran.out), (4, ""));
    assert_eq!(
        ran.memo,
        "[ERRO] s.sky:3:3: `with risk` needs --allow-risk where CI is set\n"
    );
    assert!(
        ran.err.contains("3 |   with risk\n  |   ^^^^^^^^^"),
        "{}",
        ran.err
    );
}

/// A function ends as a script does, and what a container is filled with shows in its line.
#[test]
fn functions_and_containers_have_their_lines() {
    let ran = Desk::new().run(
        "'a-secret-value' into vault 'K'\nfunction #f\nend\nsafe #f 'x' into @r\n\
         container into ::c\nadd item @{vault 'K'}\nend\n\
         safe text replace @nope 'a' @{vault 'K'} into @x\nsuccess",
    );
    assert_eq!(
        ran.memo,
        "[INFO][SENS] ******** into vault 'K'\n[FAIL] #f ended without success\n\
         [WARN][SAFE] #f x into @r\n[INFO][SENS] container into ::c\n\
         [WARN][SAFE][SENS] text replace @nope a ******** into @x\n[SUCC] success\n",
        "{}",
        ran.err
    );
}

/// In a block on a secret, what its own clauses let out is told like everywhere, and nothing else is.
#[test]
fn what_is_let_out_in_a_block_on_a_secret_is_told() {
    let ran = Desk::new().run(
        "'a-secret-value' into vault 'K'\nsensitive if @{vault 'K'} is 'a-secret-value'\n'x' into @y\n\
         sensitive say 'public' with risk\nsensitive say @{vault 'K'} with risk\nend\nsuccess",
    );
    assert_eq!(ran.out, "public\na-secret-value\n", "{}", ran.err);
    assert_eq!(
        ran.memo,
        "[INFO][SENS] ******** into vault 'K'\n[INFO][SENS][RISK] say public\n\
         [INFO][SENS][RISK] say ********\n[INFO][SENS] if ******** is a-secret-value\n[SUCC] success\n"
    );
}

/// Signatures hold for whatever ends, also where it ends the script or failed.
#[test]
fn results_and_warnings_have_their_signatures() {
    let ran = Desk::new().run(
        "safe say @nope trace\nfunction #f\nsuccess 'r' trace\nend\n#f into @x\nfail 'why' trace",
    );
    assert_eq!(
        ran.memo,
        "[WARN][SAFE] say @nope\n[TRCE][SAFE] say @nope\n[SUCC] success r\n[TRCE] success r\n\
         [INFO] #f into @x\n[FAIL] fail why\n[TRCE] fail why\n"
    );
}
