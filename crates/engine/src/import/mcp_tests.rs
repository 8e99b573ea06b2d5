use super::super::testing::{all, cut_anywhere, refused};
use super::*;

const CONFIGURATION: &str = r#"// of a team
{
  "mcpServers": {
    "github": {
      "command": "npx", "args": ["-y", "server", "--token=hunter2-in-arguments"],
      "env": {"GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_hunter2\u0030", "LOG_LEVEL": "debug", "RETRIES": 3, "VERBOSE": true,
              "FROM_INPUT": "${input:token}", "OURS": "subrosa://github/token", "EMPTY_TOKEN": ""},
    },
    "remote": {"url": "https://mcp.example.com", "headers": {"Authorization": "Bearer hunter2", "X-Api-Key": "${env:KEY}", "Accept": "*/*"}}
  },
  "servers": {"db": {"type": "stdio", "command": "db", "env": {"DATABASE_URL": "postgres://u:hunter2@h/d"}}},
  "inputs": [{"type": "promptString", "id": "token", "password": true}]
}"#;

#[test]
fn what_looks_like_a_secret_is_taken() {
    let found = items(CONFIGURATION.as_bytes(), false).unwrap();
    assert_eq!(found.references, 3);
    let plain: Vec<String> = found.plain.iter().map(|path| path.join("|")).collect();
    assert_eq!(
        plain,
        [
            "github|LOG_LEVEL",
            "github|RETRIES",
            "github|VERBOSE",
            "remote|Accept"
        ]
    );
    let variables: Vec<_> = found
        .entries
        .iter()
        .map(|entry| entry.variable.as_deref())
        .collect();
    assert_eq!(variables[0], Some("GITHUB_PERSONAL_ACCESS_TOKEN"));
    assert_eq!(variables[2], None, "a header is no variable");
    assert_eq!(
        all(Ok(found)),
        [
            "github|GITHUB_PERSONAL_ACCESS_TOKEN: value()=ghp_hunter20,",
            "github|EMPTY_TOKEN:",
            "remote|Authorization: value()=Bearer hunter2,",
            "db|DATABASE_URL: value()=postgres://u:hunter2@h/d,",
        ]
    );
}

#[test]
fn all_takes_settings_too() {
    let found = items(CONFIGURATION.as_bytes(), true).unwrap();
    let taken = all(Ok(found));
    assert!(
        taken.contains(&"github|LOG_LEVEL: value()=debug,".to_owned()),
        "{taken:?}"
    );
    assert!(
        taken.contains(&"github|RETRIES: value()=3,".to_owned()),
        "{taken:?}"
    );
}

#[test]
fn a_text_with_something_between_two_references_is_a_value() {
    let text = r#"{"servers": {"a": {"command": "x", "env": {"TOKEN": "${A}hunter2${B}"}}}}"#;
    assert_eq!(items(text.as_bytes(), false).unwrap().entries.len(), 1);
}

#[test]
fn what_is_no_configuration_is_refused() {
    for text in [
        "",
        "{}",
        "[]",
        "{\"mcpServers\": []}",
        "{\"mcpServers\": {\"a\": hunter2}}",
        "{\"servers\": {\"a\": {\"env\": {\"K\": [\"hunter2\"]}}}}",
    ] {
        refused(items(text.as_bytes(), false));
    }
    let deep = format!("{{\"servers\": {}", "[".repeat(100_000));
    assert!(refused(items(deep.as_bytes(), true)).contains("deeper"));
    assert!(refused(items(b"{\"servers\": \"hunter2\xff\"}", true)).contains("not UTF-8"));
    cut_anywhere(CONFIGURATION.as_bytes(), |text| items(text, true));
    let known =
        |text: &str| is_configuration(&tree::parse(text.as_bytes(), Dialect::Commented).unwrap());
    assert!(known(CONFIGURATION));
    assert!(
        !known(r#"{"servers": {"host": "a", "password": "b"}}"#),
        "an object of fields"
    );
}
