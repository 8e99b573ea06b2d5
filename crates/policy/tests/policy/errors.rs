//! The texts of errors, as their readers see them.

use subrosa_policy::{Policy, PolicyError};

fn error(text: &str) -> PolicyError {
    match Policy::parse(text) {
        Ok(_) => panic!("this was read:\n{text}"),
        Err(error) => error,
    }
}

/// The error and its hint for a text after `version: 1`.
fn said(text: &str) -> String {
    let error = error(&format!("version: 1\n{text}"));
    match error.hint() {
        Some(hint) => format!("{error} | {hint}"),
        None => error.to_string(),
    }
}

#[test]
fn unknown_keys_are_told_with_line_and_suggestion() {
    assert_eq!(
        said("alowed_commands: [aws]\n"),
        "line 2, column 1: `alowed_commands` is no key of a policy; did you mean `allowed_commands`? \
         | its keys are version, default_action, allowed_commands, denied_commands, rules, agents, tests"
    );
    assert_eq!(
        said("rules:\n  - allow: run\n    comand: git\n"),
        "line 4, column 5: `comand` is no key of a rule; did you mean `command`? | its keys are allow, \
         deny, name, command, args, hash, secrets, inject, capability, agents, ask, exposed, limits"
    );
    assert_eq!(
        said(
            "rules:\n  - allow: run\n    command: git\n    secrets: []\n    limits: { timout: 5s }\n"
        ),
        "line 6, column 15: `timout` is no key of limits; did you mean `timeout`? | its keys are \
         timeout, output, memory, processes"
    );
    assert!(
        said("frobnicate: 1\n")
            .starts_with("line 2, column 1: `frobnicate` is no key of a policy |")
    );
    assert!(said("tests:\n  - expext: deny\n").contains("did you mean `expect`?"));
}

#[test]
fn repeated_keys_are_told_with_both_lines() {
    assert_eq!(
        said("denied_commands: [rm]\nallowed_commands: [aws]\ndenied_commands: []\n"),
        "line 4, column 1: `denied_commands` stands twice in a policy | it stands first on line 2; \
         keep one"
    );
    assert!(said("version: 1\n").contains("`version` stands twice"));
    assert!(
        said("rules:\n  - { allow: run, allow: run }\n").contains("`allow` stands twice in a rule")
    );
}

#[test]
fn wrong_types_are_told_with_the_line() {
    for (text, want) in [
        (
            "rules: yes\n",
            "line 2, column 8: `rules` is a list, not a text",
        ),
        (
            "rules:\n",
            "line 2, column 1: `rules` has no value | write `rules: []` for none, or leave it out",
        ),
        (
            "rules:\n  - git\n",
            "line 3, column 5: a rule is a mapping of keys to values, not a text",
        ),
        (
            "allowed_commands: aws\n",
            "line 2, column 19: `allowed_commands` is a list, not a text",
        ),
        (
            "allowed_commands: [1]\n",
            "line 2, column 20: `allowed_commands` is a text, and YAML reads this as a number | put it in quotes",
        ),
        (
            "allowed_commands: [true]\n",
            "line 2, column 20: `allowed_commands` is a text, and YAML reads this as true or false | put it in quotes",
        ),
        (
            "allowed_commands: [[a]]\n",
            "line 2, column 20: `allowed_commands` is a text, not a list",
        ),
        (
            "default_action: [deny]\n",
            "line 2, column 17: `default_action` is a text, not a list",
        ),
        (
            "default_action: perhaps\n",
            "line 2, column 17: `default_action`: \"perhaps\" is none of deny, allow",
        ),
        (
            "rules:\n  - { allow: run, command: a, secrets: [], inject: env, exposed: 1 }\n",
            "line 3, column 66: `exposed` is true or false, not a number",
        ),
        (
            "rules:\n  - { allow: run, command: a, secrets: [], ask: false }\n",
            "line 3, column 49: `ask` is a text, and YAML reads this as true or false",
        ),
        (
            "rules:\n  - { allow: run, command: a, secrets: [], limits: 5s }\n",
            "line 3, column 52: limits is a mapping of keys to values, not a text",
        ),
    ] {
        let said = said(text);
        assert!(said.starts_with(want), "{text}\n{said}");
    }
}

#[test]
fn versions() {
    let hint = "this program reads version 1; begin with: version: 1";
    for (text, want) in [
        (
            "default_action: deny\n",
            "line 1, column 1: `version` is missing",
        ),
        (
            "version: 2\n",
            "line 1, column 10: version 2 is not supported",
        ),
        (
            "version: '1'\n",
            "line 1, column 10: `version` is a whole number, not a text",
        ),
        (
            "version: 1.0\n",
            "line 1, column 10: `version` is a whole number, not a number",
        ),
        (
            "version:\n",
            "line 1, column 8: `version` is a whole number, not nothing",
        ),
    ] {
        let error = error(text);
        assert_eq!(
            (error.to_string().as_str(), error.hint()),
            (want, Some(hint)),
            "{text}"
        );
    }
    for empty in ["", "\n", "# only a comment\n", "---\n", "~\n"] {
        let error = error(empty);
        assert_eq!(error.message(), "the policy is empty", "{empty:?}");
    }
}

#[test]
fn rules_that_cannot_mean_anything() {
    for (rule, want) in [
        ("command: git", "this rule neither allows nor denies"),
        ("allow: run, deny: run", "a rule either allows or denies"),
        (
            "allow: runn",
            "`allow`: \"runn\" is none of run, http, script, read, client, sign; did you mean run?",
        ),
        ("allow: run, secrets: []", "`allow: run` needs a command"),
        (
            "allow: run, command: git",
            "`allow: run` needs to say which secrets",
        ),
        ("allow: read", "`allow: read` needs to say which secrets"),
        ("allow: http", "`allow: http` needs a capability"),
        (
            "allow: read, secrets: [a], command: git",
            "`command` has no meaning in a rule",
        ),
        (
            "allow: http, capability: a/b, inject: env",
            "`inject` has no meaning in a rule",
        ),
        (
            "allow: run, command: git, secrets: [], capability: a/b",
            "`capability` has no meaning in a rule",
        ),
        ("deny: run, ask: each", "`ask` has no meaning in a rule"),
        ("deny: run, limits: {}", "`limits` has no meaning in a rule"),
        (
            "deny: run, exposed: true",
            "`exposed` has no meaning in a rule",
        ),
        ("deny: run, args: [x]", "`args` without a `command`"),
        (
            "allow: run, command: '*', secrets: []",
            "`command`: name the command; only a rule that denies may use `*` here",
        ),
        (
            "allow: run, command: git push, secrets: []",
            "`command`: a command is one word; its arguments go into a rule's `args`",
        ),
        (
            "allow: run, command: ./git, secrets: []",
            "`command`: a command is a bare name or an absolute path",
        ),
        (
            "allow: run, command: /usr/../bin/git, secrets: []",
            "`command`: write the path without detours: /bin/git",
        ),
        (
            "allow: run, command: git, args: ['**', x], secrets: []",
            "`**` is all the arguments that follow and stands last",
        ),
        (
            "allow: run, command: git, args: ['a**'], secrets: []",
            "`args`: `**` stands alone, as the last argument; `*` is any run within one",
        ),
        (
            "allow: run, command: git, secrets: [a b]",
            "`secrets`: ' ' may not stand in a pattern; allowed are letters, digits, . _ - / and the wildcards * and **",
        ),
        (
            "allow: run, command: git, secrets: [a], inject: enf",
            "`inject`: \"enf\" is none of placeholder, env, file, stdin",
        ),
        (
            "allow: run, command: git, secrets: [a], ask: always",
            "`ask`: \"always\" is none of no, session, each",
        ),
        (
            "allow: run, command: git, secrets: [a], exposed: true",
            "`exposed` without a value that is injected",
        ),
        (
            "allow: run, command: git, secrets: [a], hash: abc",
            "`hash`: write it as sha256: and 64 lower-case hexadecimal digits",
        ),
        (
            "allow: run, command: git, secrets: [a], agents: [a/b]",
            "`agents`: an agent's name has no `/`",
        ),
        (
            "allow: run, command: git, secrets: [a], limits: { timeout: 5 parsecs }",
            "`timeout`: \"5 parsecs\" has an unknown unit; units are ms, s, m, h, d",
        ),
        (
            "allow: run, command: git, secrets: [a], limits: { timeout: 0 }",
            "`timeout`: a time lies between 1ms and 7d",
        ),
        (
            "allow: run, command: git, secrets: [a], limits: { timeout: -1 }",
            "`timeout` is a number with a unit, not a number",
        ),
        (
            "allow: run, command: git, secrets: [a], limits: { output: 10M }",
            "`output`: \"10M\" has an unknown unit; units are B, kB, KB, MB, GB, TB, KiB, MiB, GiB, TiB",
        ),
        (
            "allow: run, command: git, secrets: [a], limits: { processes: 0 }",
            "`processes`: a number between 1 and 65536",
        ),
        (
            "deny: run, name: 'a\"b'",
            "`name`: a name has 1 to 64 bytes, no control characters, quotes or backslashes",
        ),
    ] {
        let error = error(&format!("version: 1\nrules:\n  - {{ {rule} }}\n"));
        assert_eq!(error.message(), want, "{rule}");
        assert_eq!(error.line(), Some(3), "{rule}");
    }
    let twice = said("rules:\n  - { deny: run, name: a }\n  - { deny: read, name: a }\n");
    assert_eq!(
        twice,
        "line 4, column 5: rules[0] has the same name | give each rule a name of its own"
    );
}

#[test]
fn tests_that_cannot_mean_anything() {
    for (test, want) in [
        ("command: git", "a test needs `expect`"),
        ("expect: deny", "a test of `run` needs a command"),
        (
            "expect: deny, action: read, command: git",
            "a command belongs to a test of `run`",
        ),
        (
            "expect: deny, action: http",
            "a test of `http` needs a capability",
        ),
        (
            "expect: deny, command: git, capability: a/b",
            "a capability belongs to a test of `http`",
        ),
        (
            "expect: deny, command: git, agent: a, caller: local",
            "a test has one caller",
        ),
        (
            "expect: never, command: git",
            "`expect`: \"never\" is none of allow, deny, ask",
        ),
        (
            "expect: deny, command: git, caller: root",
            "`caller`: \"root\" is none of operator, local, application, script",
        ),
        (
            "expect: deny, command: git, directory: tmp",
            "`directory`: write the absolute path",
        ),
        (
            "expect: deny, command: git, secrets: ['a/*']",
            "`secrets`: '*' may not stand in a key; allowed are letters, digits and . _ / -",
        ),
    ] {
        let error = error(&format!("version: 1\ntests:\n  - {{ {test} }}\n"));
        assert_eq!(error.message(), want, "{test}");
    }
}

#[test]
fn yaml_that_a_policy_is_not_written_in() {
    for text in [
        "version: 1\nrules: [\n",
        "version: 1\n\tx: 1\n",
        "version: 1\n---\nversion: 1\n",
        "version: 1\nx: &a [1]\n",
        "version: 1\nx: *a\n",
        "version: 1\n<<: { rules: [] }\n",
        "version: 1\nrules: !custom []\n",
        "version: 1\n? [a]\n: b\n",
        "- version: 1\n",
        "version",
        "\"unterminated",
    ] {
        let error = error(text);
        assert!(
            error.line().is_some_and(|line| line > 0),
            "{text}: {error:?}"
        );
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    let anchors = error("version: 1\nallowed_commands: &a [aws]\ndenied_commands: *a\n");
    assert!(
        anchors
            .hint()
            .is_some_and(|hint| hint.contains("no anchors")),
        "{anchors:?}"
    );
}

#[test]
fn bombs_are_refused_in_no_time() {
    let deep = format!(
        "version: 1\nrules: {}{}\n",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let mut billion = String::from("version: 1\na: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for level in b'b'..=b'z' {
        let (this, last) = (char::from(level), char::from(level - 1));
        billion.push_str(&format!(
            "{this}: &{this} [{}]\n",
            vec![format!("*{last}"); 10].join(", ")
        ));
    }
    let wide = format!(
        "version: 1\nallowed_commands: [{}]\n",
        vec!["a"; 300_000].join(",")
    );
    let many = format!(
        "version: 1\nallowed_commands: [{}]\n",
        vec!["a"; 1001].join(",")
    );
    let long = format!("version: 1\n# {}\n", "x".repeat(1024 * 1024));
    let block: String = (0..400)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    for text in [&deep, &billion, &wide, &many, &long, &block] {
        let error = error(text);
        assert!(error.to_string().len() < 400, "{error}");
    }
    assert!(matches!(error(&long), PolicyError::TooLarge { .. }));
    assert!(matches!(error(&many), PolicyError::TooLarge { .. }));
    let rules = "  - { deny: run, secrets: [a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a] }\n";
    let sum = format!("version: 1\nrules:\n{}", rules.repeat(1000));
    assert_eq!(
        error(&sum).message(),
        "the lists of a policy have at most 20000 entries together; these have 21000"
    );
}

#[test]
fn json_is_read_as_well() {
    let json = r#"{
  "version": 1,
  "default_action": "deny",
  "allowed_commands": ["aws"],
  "rules": [{"allow": "run", "command": "git", "args": ["push"], "secrets": ["a"], "limits": {"timeout": 300}}]
}"#;
    let policy = Policy::parse(json).unwrap();
    assert_eq!(policy.rules().count(), 1);
    assert_eq!(
        policy
            .rules()
            .next()
            .unwrap()
            .limits
            .timeout
            .unwrap()
            .as_secs(),
        300
    );
}
