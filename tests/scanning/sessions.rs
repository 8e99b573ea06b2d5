//! What agents and shells have written down.

use std::fs;

use subrosa_tests::Done;

use crate::{RULE, Scanned, VALUE, place, shape};

#[test]
fn the_logs_of_agents_and_shells_are_searched_where_they_are() {
    let place = place();
    let home = place.path("live/user");
    let line = format!("{{\"type\":\"user\",\"message\":\"use {VALUE}\"}}\n");
    let logs = [
        (".claude/projects/-home-x/0.jsonl", "Claude Code"),
        (".codex/sessions/2026/01/02/rollout-1.jsonl", "Codex"),
        (".gemini/tmp/ab12/chats/session-1.json", "Gemini CLI"),
        (".cursor/projects/x/agent-transcripts/1.jsonl", "Cursor"),
        (".config/Cursor/User/globalStorage/state.vscdb", "Cursor"),
        (".aider.chat.history.md", "Aider"),
        (".local/share/opencode/storage/message/1.json", "opencode"),
        (".bash_history", "shells"),
        (".local/share/fish/fish_history", "shells"),
        (".psql_history", "interpreters and clients"),
    ];
    for (path, _) in logs {
        let path = home.join(path);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        fs::write(path, &line).expect("written");
    }
    // What is ignored there is searched too, and what is no log is not.
    fs::write(home.join(".gitignore"), "*\n").expect("written");
    fs::write(home.join("notes"), &line).expect("written");
    fs::write(home.join(".claude/settings.json"), &line).expect("written");
    // In the folder where the scan is started.
    fs::write(place.path("work/.aider.input.history"), shape()).expect("written");
    let scan = |set: &[(&str, &str)]| {
        let mut command = place.command(&["--json", "scan", "--sessions"]);
        Scanned::of(command.envs(set.iter().copied()))
    };
    let scanned = scan(&[]);
    assert_eq!(scanned.status, 1);
    let mut found: Vec<(String, String)> = scanned.report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            assert_eq!(one["in"], "session");
            let text = |name: &str| one[name].as_str().expect("text").to_owned();
            (text("path"), text("of"))
        })
        .collect();
    let mut wanted: Vec<(String, String)> = logs
        .iter()
        .map(|(path, who)| (home.join(path).display().to_string(), (*who).to_owned()))
        .collect();
    let here = place.path("work/.aider.input.history");
    wanted.push((here.display().to_string(), "Aider".to_owned()));
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    assert!(scanned.places().iter().any(|one| one.ends_with(RULE)));
    // And for a person.
    let table = Done::of(&mut place.command(&["scan", "--sessions"]), b"").text();
    assert!(
        table.contains(".psql_history:1:") && table.contains(" (Codex)"),
        "{table}"
    );
    // Where a variable names the folder, that is where they are.
    let moved = place.path("live/moved");
    fs::create_dir_all(moved.join("projects/x")).expect("made");
    fs::write(moved.join("projects/x/1.jsonl"), &line).expect("written");
    let moved = scan(&[("CLAUDE_CONFIG_DIR", moved.to_str().expect("UTF-8"))]);
    let places = moved.places();
    assert!(
        places
            .iter()
            .any(|one| one.contains("moved/projects/x/1.jsonl")),
        "{places:?}"
    );
    assert!(
        !places.iter().any(|one| one.contains(".claude/projects")),
        "{places:?}"
    );
}
