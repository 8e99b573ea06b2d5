//! Row 32: one run writes a value to a file, and another, which has other secrets or none, reads it.

use subrosa_tests::{Done, held};

use crate::house::{BEYOND, House, KEY, MASK, Way, token};

/// Writes a value to a file, as it is and in base64.
const WRITES: &str = "echo \"$APP_KEY\" >kept; base64 <<<\"$APP_KEY\" >>kept";
/// Reads it back.
const READS: &str = "cat kept";

/// What is seen of the file.
fn seen() -> String {
    format!("{MASK}\n{MASK}K\n")
}

/// Runs of which none has the secret whose value is in the file.
#[track_caller]
fn all_masked(house: &House, when: &str) {
    masked_as(house, when, MASK);
}

/// The same, where an agent sees another mask.
#[track_caller]
fn masked_as(house: &House, when: &str, by_agent: &str) {
    for way in [Way::Alone, Way::Daemon] {
        for keys in [&[][..], &["app/odd"], &["ops/beyond"]] {
            let done = house.run_with(way, keys, READS);
            assert_eq!(done.text(), seen(), "{when}: {way:?} with {keys:?}");
        }
    }
    // An agent has commands run for secrets alone.
    let done = house.run_with(Way::Agent, &["app/odd"], READS);
    let expected = seen().replace(MASK, by_agent);
    assert_eq!(done.text(), expected, "{when}: an agent");
}

#[test]
fn row_32_a_file_is_read_by_a_run_with_other_secrets() {
    let house = House::new();
    // Nobody has had it yet: what stands there is anybody's text, and not looked for.
    let kept = house.served.path("work/kept");
    std::fs::write(&kept, format!("{KEY}\n")).expect("written");
    let before = house.run_with(Way::Daemon, &[], READS).text();
    assert_eq!(before, format!("{KEY}\n"));
    for way in [Way::Alone, Way::Daemon, Way::Agent] {
        let house = House::new();
        house.run_with(way, &["app/key"], WRITES);
        all_masked(&house, "at once");
        house.served.run(&["lock"]).ok();
        house.served.unlock();
        all_masked(&house, "after the vault was locked");
        house.served.run(&["daemon", "stop"]).ok();
        house.served.unlock();
        all_masked(&house, "by another daemon");
        house.served.kill();
        house.served.unlock();
        all_masked(&house, "after the daemon was killed");
    }
    held(
        32,
        "other runs mask what one run wrote, after a lock and by another daemon too",
    );
}

#[test]
fn row_32_a_value_that_is_not_the_present_one() {
    let house = House::new();
    house.run_with(Way::Daemon, &["app/key"], WRITES);
    let set = ["set", "app/key", "--stdin"];
    house.served.fed(&set, b"k9Vt3-another-Wq71-value").ok();
    all_masked(&house, "after another value was set");
    house.run_with(Way::Daemon, &["app/key"], "true");
    all_masked(&house, "when both were handed out");
    house.served.run(&["generate", "app/key"]).ok();
    house.served.run(&["daemon", "stop"]).ok();
    house.served.unlock();
    all_masked(&house, "after one was drawn");
    house.served.run(&["rm", "app/key"]).ok();
    // There is no such name any more that an agent could reach.
    masked_as(&house, "after it was removed", "[REDACTED]");
    house.served.run(&["daemon", "stop"]).ok();
    house.served.unlock();
    let when = "after it was removed, by another daemon";
    masked_as(&house, when, "[REDACTED]");
    held(
        32,
        "older values of a secret, and those of a removed one, are masked",
    );
}

/// Under its new name: who reads the mask looks for the secret there.
#[test]
fn row_32_a_secret_that_was_renamed() {
    let house = House::new();
    house.run_with(Way::Daemon, &["app/key"], WRITES);
    house.served.run(&["mv", "app/key", "app/renamed"]).ok();
    house.served.run(&["daemon", "stop"]).ok();
    house.served.unlock();
    for way in [Way::Alone, Way::Daemon, Way::Agent] {
        let done = house.run_with(way, &["app/odd"], READS);
        let renamed = "[REDACTED:app/renamed]";
        assert_eq!(done.text(), format!("{renamed}\n{renamed}K\n"), "{way:?}");
    }
    held(32, "a renamed secret is masked under its new name");
}

#[test]
fn row_32_another_agent_of_the_workspace() {
    let house = House::new();
    house.run_with(Way::Agent, &["app/key"], WRITES);
    house
        .served
        .fed(&["set", "web/key", "--stdin"], b"k9Vt3-another-Wq71-value")
        .ok();
    // One that reaches the secret may know its name; one that does not gets a mask without it.
    for (agent, secrets, mask) in [
        ("codex", "**", "[REDACTED:app/key]"),
        ("cursor", "web/**", "[REDACTED]"),
    ] {
        let other = token(&house.served, agent, secrets);
        let mut command = house.command_by(Way::Agent, &other, &["web/key"], READS);
        let done = Done::of(&mut command, b"").ok();
        assert_eq!(done.text(), format!("{mask}\n{mask}K\n"), "{agent}");
    }
    held(
        32,
        "another agent gets masks, with the name only where its token reaches",
    );
}

#[test]
fn row_32_a_value_out_of_the_callers_scope() {
    let house = House::new();
    house.run_with(Way::Daemon, &["ops/beyond"], "echo \"$OPS_BEYOND\" >kept");
    let by_agent = house.run_with(Way::Agent, &["app/key"], READS);
    assert_eq!(by_agent.text(), "[REDACTED]\n");
    let by_operator = house.run_with(Way::Daemon, &["app/key"], READS);
    assert_eq!(by_operator.text(), "[REDACTED:ops/beyond]\n");
    // Neither the run's account nor an error tells the agent more.
    let words = ["--json", "run", "-k", "app/key", "--", "bash", "attack"];
    house.write(READS);
    let mut command = house.served.command(&words);
    command.env("SUBROSA_TOKEN", &house.token);
    let done = Done::of(&mut command, b"").ok();
    assert!(!done.err.contains("beyond"), "{done:?}");
    assert!(!done.text().contains("beyond") && !done.text().contains(BEYOND));
    held(
        32,
        "a value out of an agent's reach is masked without its name",
    );
}
