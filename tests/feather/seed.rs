//! The page that the language grew from, sentence by sentence; its examples run.

use std::fs;

use super::{Desk, says};

const KEY: &str = "'my-secret' into vault 'API_KEY'\n";

/// §1: secrets are created in the vault or imported into it, and are sensitive from then on.
#[test]
fn secrets_are_created_or_imported_and_always_sensitive() {
    let desk = Desk::new();
    let script = format!(
        "{KEY}system filter 'API*' into vault\nsafe say @{{vault 'API_KEY'}}\n\
         safe say @{{vault 'API_TOKEN'}}\nsensitive say @{{vault 'API_TOKEN'}} with risk\n\
         script 'echo ${{API_TOKEN:-gone}} $OTHER'\nsuccess"
    );
    let variables = [("API_TOKEN", "imported-value"), ("OTHER", "left")];
    let ran = desk.run_with(&script, "", &[], &variables);
    assert_eq!(ran.out, "imported-value\ngone left\n", "{}", ran.err);
    assert_eq!(
        ran.memo.matches("[WARN][SAFE][SENS] say ********").count(),
        2
    );
}

/// §1: what is fetched is sensitive, and so is the variable that it is in.
#[test]
fn what_is_fetched_is_sensitive() {
    let ran = Desk::new().run(&format!(
        "{KEY}vault 'API_KEY' into @key\nsay @key\nsuccess"
    ));
    assert_eq!((ran.status, ran.out.as_str()), (3, ""), "{}", ran.err);
    assert!(ran.err.contains("'API_KEY'"), "{}", ran.err);
}

/// §1: append, interpolation, and whatever takes a sensitive part, is sensitive.
#[test]
fn any_sensitive_part_makes_the_result_sensitive() {
    for made in [
        "@key append '-suffix' into @x",
        "'Bearer @{key}' into @x",
        "'pre-' + @key into @x",
        "text upper @key into @x",
        "text length @key into @x",
        "text compare @key 'a' into @x",
        "text contains @key 'a' into @x",
        "text join 'a' @key into @x",
        "list length ::c into @x",
        "list join ::c with '-' into @x",
        "::c:0 into @x",
        "#id @key into @x",
        "@key into @y\n@y into @x",
    ] {
        let head = format!(
            "{KEY}vault 'API_KEY' into @key\ncontainer into ::c\nadd item 'public'\nadd item @key\n\
             end\nfunction #id\nparameter 1 into @a\nsuccess @a\nend\n"
        );
        let ran = Desk::new().run(&format!("{head}{made}\nsay @x\nsuccess"));
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (3, ""),
            "{made}: {}",
            ran.err
        );
        let ran = Desk::new().run(&format!("{head}{made}\n'public' into @x\nsay @x\nsuccess"));
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (0, "public\n"),
            "{made}: {}",
            ran.err
        );
    }
}

/// §2 and its example: masked with `sensitive`, shown with `with risk`, masked in the log in both.
/// The page shows a raw value in one line of a log; three of its rules forbid it, and they hold.
#[test]
fn the_console_shows_asterisks_or_the_value_and_the_log_never() {
    let ran = Desk::new().run(
        "'my-secret' into vault 'my_secret'\nvault 'my_secret' into @secret\n\
         ~ Masked\nsensitive say @secret\n~ Explicit egress\nsensitive say @secret with risk\nsuccess",
    );
    assert_eq!(ran.out, "********\nmy-secret\n", "{}", ran.err);
    assert!(ran.memo.contains("[INFO][SENS] say ********\n"));
    assert!(ran.memo.contains("[INFO][SENS][RISK] say ********\n"));
    assert!(!ran.memo.contains("my-secret") && !ran.err.contains("my-secret"));
}

/// §3: computing with a value needs no leave.
#[test]
fn sensitive_values_are_computed_with_freely() {
    assert_eq!(
        says(
            "'pepper' into vault 'SALT'\nvault 'SALT' into @salt\n\
              sensitive 'prefix-@{salt}' into @hash_base\nsensitive say @hash_base"
        ),
        "********\n"
    );
}

/// §6: a key for a process, with `with risk`; what the process prints is the script's to decide.
#[test]
fn a_key_is_handed_to_a_process() {
    let script = format!(
        "{KEY}vault 'API_KEY' into @key\n\
         sensitive script 'test \"Authorization: Bearer @{{key}}\" = \"Authorization: Bearer my-secret\" && echo got it' with risk\n\
         success"
    );
    let ran = Desk::new().run(&script);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (0, "got it\n"),
        "{}",
        ran.err
    );
    let without = script.replace(" with risk", "");
    let ran = Desk::new().run(&without);
    assert_eq!((ran.status, ran.out.as_str()), (3, ""), "{}", ran.err);
}

/// §6: a password into a file, with `with risk`; without it there is no file.
#[test]
fn a_secret_is_written_to_a_file() {
    let desk = Desk::new();
    let script = "'pass-of-db' into vault 'DB_PASS'\nvault 'DB_PASS' into @pass\n\
                  sensitive cabinet file write 'secrets.txt' with @pass with risk\nsuccess";
    assert_eq!(desk.run(script).status, 0);
    let written = fs::read_to_string(desk.path("secrets.txt")).expect("written");
    assert_eq!(written, "pass-of-db");
    let desk = Desk::new();
    assert_eq!(
        desk.run(&script.replace("@pass with risk", "@pass")).status,
        3
    );
    assert!(!desk.path("secrets.txt").exists());
}

/// §7: all that lets something out is found by one word.
#[test]
fn what_lets_out_says_so() {
    let silent = format!(
        "{KEY}vault 'API_KEY' into @k\nsafe say @k\nsafe script 'echo @{{k}}'\n\
         safe cabinet write 'f' with @k\nsafe @k into environment 'K'\n\
         safe program run 'echo @{{k}}'\nsafe ask @k with default 'd' into @x\nsuccess"
    );
    let desk = Desk::new();
    let ran = desk.run(&silent);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(!desk.path("f").exists());
    assert!(!ran.err.contains("my-secret"));
}
