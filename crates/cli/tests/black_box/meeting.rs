//! The first meeting: from an ordinary .env to a vault and placeholders, and back.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::house::{House, PASSPHRASE, folder};
use crate::terminal::Session;

const TOKEN: &str = "ghp_4711canary0815canary2342canary99";
const DATABASE: &str = "postgres://me:canary-pw-4711@db.example.com/app";

fn ordinary() -> String {
    format!(
        "# for development\r\nexport GITHUB_TOKEN='{TOKEN}'\r\nDATABASE_URL=\"{DATABASE}\" # db\r\nPORT=3000\r\n"
    )
}

/// The variable's value as it stands in the file.
fn variable(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.contains(name)).unwrap();
    let value = line.split_once('=').unwrap().1;
    let value = value.split(" #").next().unwrap();
    value.trim_matches(['"', '\'', '\r']).to_owned()
}

fn rule(script: &str, secrets: &str) -> String {
    format!(
        "version: 1\nrules:\n  - allow: run\n    command: sh\n    args: [\"-c\", '{script}']\n    \
         secrets: [{secrets}]\n    inject: env\n"
    )
}

#[test]
fn a_person_is_asked_before_each_step_and_sees_no_value() {
    let house = House::bare();
    house.write(".env", ordinary());
    house.write(".env.example", "GITHUB_TOKEN=\n");
    folder(&house.path("account/.cursor"));
    fs::write(
        house.path("account/.cursor/mcp.json"),
        r#"{"mcpServers": {"maps": {"command": "x", "env": {"GOOGLE_API_KEY": "AIzacanary-0123456789abcdef"}}}}"#,
    )
    .unwrap();
    fs::create_dir(house.work(".git")).unwrap();
    let mut session = Session::start(&house, &["init", "--no-recovery"]);
    session
        .answer("New passphrase: ", &format!("{PASSPHRASE}\r"))
        .answer("The same again: ", &format!("{PASSPHRASE}\r"))
        .expect("GITHUB_TOKEN")
        .expect("a secret")
        .expect("github    api.github.com, github.com")
        .expect("PORT")
        .expect("maps/GOOGLE_API_KEY")
        .expect("Agents: Cursor (~/.cursor/mcp.json)")
        .expect("Nothing is pinned yet")
        .answer("Store the 2 secrets of .env in the vault? [Y/n] ", "\r")
        .answer("Put placeholders in their place in .env? [Y/n] ", "y\r")
        .expect("2 secrets stored: GITHUB_TOKEN, DATABASE_URL")
        .expect("Undo: subrosa export --undo .env")
        .expect("if .env was ever committed")
        .answer("mcp.json in the vault? [Y/n] ", "n\r");
    let (shown, status) = session.end();
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("subrosa run -- COMMAND"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    let text = fs::read_to_string(house.work(".env")).unwrap();
    assert!(
        variable(&text, "GITHUB_TOKEN").starts_with("ghp_SubRosa"),
        "{text}"
    );
    assert!(
        !text.contains("canary") && text.contains("PORT=3000\r\n"),
        "{text}"
    );

    // A second project meets the same vault; whoever says no changes nothing.
    house.write(".env", "OTHER_TOKEN=canary-1234567890\n");
    let mut session = Session::start(&house, &["init"]);
    session
        .answer("Passphrase: ", &format!("{PASSPHRASE}\r"))
        .answer("Store the secret of .env in the vault? [Y/n] ", "n\r")
        .answer("mcp.json in the vault? [Y/n] ", "n\r");
    let (shown, status) = session.end();
    assert_eq!(status, Some(0), "{shown}");
    let text = fs::read_to_string(house.work(".env")).unwrap();
    assert_eq!(text, "OTHER_TOKEN=canary-1234567890\n");
}

#[test]
fn a_script_that_asks_for_nothing_gets_a_vault_and_nothing_else() {
    let house = House::bare();
    house.write(".env", ordinary());
    let made = house.call(["init", "--json", "--no-recovery"]).run().json();
    assert_eq!(made["made"], true);
    assert_eq!(made["found"], serde_json::json!([]));
    assert_eq!(made["taken"], serde_json::json!([]));
    assert_eq!(fs::read_to_string(house.work(".env")).unwrap(), ordinary());
    assert_eq!(
        house.call(["ls", "--json"]).run().json(),
        serde_json::json!([])
    );
    // And once more is an error, as there is nothing to do.
    assert_eq!(
        house.call(["--json", "init"]).run().error_code(),
        "vault_exists"
    );
    let none = house.call(["--json", "init", "--yes", "--no-scan"]).run();
    assert_eq!(none.code, Some(2), "{none:?}");
}

#[test]
fn yes_takes_everything_and_undo_gives_it_back_byte_for_byte() {
    let house = House::new();
    let path = house.write(".env", ordinary());
    house.write(".env.local", "LOCAL_SECRET=canary-local-0123456789\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let back = house.call(["init", "--json", "--yes"]).run();
    let met = back.json();
    assert_eq!(met["made"], false);
    assert_eq!(met["found"][0]["variables"][0]["provider"], "github");
    let taken = &met["taken"];
    assert_eq!(taken[0]["file"], ".env");
    assert_eq!(
        taken[0]["created"],
        serde_json::json!(["GITHUB_TOKEN", "DATABASE_URL"])
    );
    assert_eq!(taken[0]["undo"], "subrosa export --undo .env");
    assert_eq!(taken[0]["git"], "no");
    assert_eq!(taken[1]["file"], ".env.local");
    for said in [&back.err, &back.text()] {
        assert!(!said.contains("canary"), "{said}");
    }
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        taken[0]["replaced_by_placeholders"][0]["placeholder"],
        variable(&text, "GITHUB_TOKEN")
    );
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );

    // A second time there is nothing to take.
    assert_eq!(
        house.call(["--json", "init", "--yes"]).run().error_code(),
        "vault_exists"
    );

    house.call(["export", "--undo", ".env"]).run().ok();
    assert_eq!(fs::read_to_string(&path).unwrap(), ordinary());
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let log = house.call(["log", "--json"]).run().ok();
    assert!(
        log.contains("\"placeholder\"") && !log.contains("canary"),
        "{log}"
    );
    assert!(log.contains("client"), "{log}");
}

/// Row 5: what lies in the project is a placeholder, and only a rule gives a command the value.
#[test]
fn row_05_a_placeholder_is_resolved_under_a_rule_alone() {
    let house = House::new();
    house.write(".env", ordinary());
    house
        .call(["init", "--import", ".env", "--replace"])
        .run()
        .ok();
    let script = format!("test \"$GITHUB_TOKEN\" = {TOKEN} && echo yes; echo $GITHUB_TOKEN");
    let run = || house.call(["run", "--", "sh", "-c", &script]).run();
    let refused = run();
    let said = refused.failed(125).to_owned();
    assert!(
        said.contains("try:") && said.contains("allow: run"),
        "{said}"
    );
    house.apply(&rule(&script, "GITHUB_TOKEN, DATABASE_URL"));
    assert_eq!(run().ok(), "yes\n[REDACTED:GITHUB_TOKEN]\n");
    // Another line than the rule's has nothing.
    let other = house.call(["run", "--", "sh", "-c", "env"]).run();
    other.failed(125);
    // By name it is the same secret.
    let named = ["run", "--env-file", ".env", "--", "sh", "-c", &script];
    assert_eq!(
        house.call(named).run().ok(),
        "yes\n[REDACTED:GITHUB_TOKEN]\n"
    );
    println!(
        "REDTEAM row=05 verdict=held why=the file and a refused command have the placeholder alone"
    );
}

/// Row 46: what somebody writes into .env is a placeholder of this vault or nothing, and needs the
/// same rule as any other use.
#[test]
fn row_46_a_placeholder_that_nobody_made_gives_nothing() {
    let house = House::new();
    let own = House::new();
    for one in [&house, &own] {
        one.write(".env", format!("GITHUB_TOKEN={TOKEN}\n"));
        one.call(["init", "--import", ".env", "--replace"])
            .run()
            .ok();
    }
    let foreign = fs::read_to_string(own.work(".env")).unwrap();
    house.write(".env", &foreign);
    house.apply(&rule("echo $GITHUB_TOKEN", "GITHUB_TOKEN"));
    let run = |words: &[&str]| {
        let mut call = vec!["--json", "run"];
        call.extend(words);
        call.extend(["--", "sh", "-c", "echo $GITHUB_TOKEN"]);
        house.call(call).run()
    };
    let back = run(&[]);
    assert_eq!(back.error_code(), "placeholder");
    assert_eq!(back.code, Some(125));
    assert!(
        back.err.contains("GITHUB_TOKEN is a placeholder"),
        "{back:?}"
    );
    assert!(!back.err.contains("ghp_"), "{back:?}");
    assert_eq!(
        house
            .call(["--json", "export", "--undo", ".env"])
            .run()
            .error_code(),
        "placeholder"
    );
    assert_eq!(fs::read_to_string(house.work(".env")).unwrap(), foreign);
    println!("REDTEAM row=46 verdict=held why=a placeholder of another vault is refused by name");
}

/// Row 25: a pinned value goes nowhere but to its provider, by a placeholder neither.
#[test]
fn row_25_a_pinned_secret_is_not_given_by_a_placeholder() {
    let house = House::new();
    house
        .call([
            "set",
            "GITHUB_TOKEN",
            "--stdin",
            "--pin",
            "github",
            "--host",
            "api.github.com",
        ])
        .input(TOKEN)
        .run()
        .ok();
    house.write(".env", format!("GITHUB_TOKEN={TOKEN}\n"));
    let back = house.call(["init", "--import", ".env", "--replace"]).run();
    back.ok();
    assert!(back.err.contains("pinned to github"), "{back:?}");
    assert_eq!(
        fs::read_to_string(house.work(".env")).unwrap(),
        format!("GITHUB_TOKEN={TOKEN}\n")
    );
    println!(
        "REDTEAM row=25 verdict=held why=a pinned secret gets no placeholder that would give it"
    );
}

#[test]
fn a_file_that_is_not_ours_alone_is_not_changed() {
    let house = House::new();
    house.write("real", ordinary());
    symlink("real", house.work(".env")).unwrap();
    let words = ["--json", "init", "--import", ".env", "--replace"];
    assert_eq!(house.call(words).run().error_code(), "file_unchanged");
    assert_eq!(
        house.call(["ls", "--json"]).run().json(),
        serde_json::json!([])
    );
    fs::remove_file(house.work(".env")).unwrap();
    fs::hard_link(house.work("real"), house.work(".env")).unwrap();
    assert_eq!(house.call(words).run().error_code(), "file_unchanged");
    assert_eq!(fs::read_to_string(house.work("real")).unwrap(), ordinary());
}

#[test]
fn what_is_there_with_another_value_is_kept_apart() {
    let house = House::new();
    house.set("GITHUB_TOKEN", "another-value-0123456789");
    house.write(".env", ordinary());
    let back = house.call(["init", "--import", ".env", "--replace"]).run();
    assert!(back.failed(1).contains("--prefix NAME/"), "{back:?}");
    assert_eq!(fs::read_to_string(house.work(".env")).unwrap(), ordinary());
    house
        .call(["init", "--import", ".env", "--replace", "--prefix", "app/"])
        .run()
        .ok();
    assert_eq!(house.read("app/GITHUB_TOKEN"), TOKEN.as_bytes());
    assert_eq!(house.read("GITHUB_TOKEN"), b"another-value-0123456789");
}

/// The values that git keeps are said to be kept, by git's own index.
#[test]
fn a_file_in_git_is_told() {
    let house = House::new();
    house.write(".env", ordinary());
    for words in [&["init", "-q"][..], &["add", "-f", ".env"]] {
        let done = std::process::Command::new("git")
            .args(words)
            .current_dir(house.path("work"))
            .env("HOME", house.path("account"))
            .status()
            .unwrap();
        assert!(done.success());
    }
    let back = house.call(["init", "--import", ".env", "--replace"]).run();
    back.ok();
    assert!(
        back.err.contains(".env is in git, and so are its values"),
        "{back:?}"
    );
}
