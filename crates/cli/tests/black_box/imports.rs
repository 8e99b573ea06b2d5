//! Imports from exports of other secret stores.

use std::process::Command;

use crate::house::{Back, House};

/// Stands in every value; may stand in nothing that is said.
pub(crate) const CANARY: &str = "canary-5d1q8s3x";

/// An archive, as Python writes one: `name` and content in turn.
fn archive(house: &House, file: &str, members: &[(&str, &str)]) {
    let script = "import sys, zipfile\n\
        with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:\n    \
            for name, content in zip(sys.argv[2::2], sys.argv[3::2]): z.writestr(name, content)\n";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(house.work(file));
    for (name, content) in members {
        python.args([name, content]);
    }
    assert!(python.status().unwrap().success());
}

#[track_caller]
pub(crate) fn keys(found: &serde_json::Value) -> Vec<&str> {
    let keys = found.as_array().expect("a list").iter();
    keys.map(|key| key.as_str().expect("a key")).collect()
}

/// Everything that was said, without a value.
#[track_caller]
pub(crate) fn silent(back: Back) -> Back {
    let said = String::from_utf8_lossy(&back.out).into_owned() + &back.err;
    assert!(!said.contains("canary"), "{said}");
    back
}

/// Imports after a dry run that says the same and stores nothing.
#[track_caller]
fn import(house: &House, words: &[&str]) -> serde_json::Value {
    let words = [&["--debug", "--json", "import"], words].concat();
    let dry = [&words[..], &["--dry-run"]].concat();
    let before = house.call(["--json", "ls"]).run().json();
    let tried = silent(house.call(dry).run()).json();
    assert_eq!(house.call(["--json", "ls"]).run().json(), before);
    let done = silent(house.call(words).run()).json();
    assert_eq!(tried, done);
    done
}

/// An import that fails in each way of saying so, and stores nothing.
#[track_caller]
pub(crate) fn refused(house: &House, words: &[&str]) -> String {
    let mut said = String::new();
    for options in [&["--debug", "import"][..], &["--json", "import"]] {
        let back = silent(house.call([options, words].concat()).run());
        assert_eq!(back.code, Some(1), "{back:?}");
        said.push_str(&back.err);
    }
    assert_eq!(
        house.call(["--json", "ls"]).run().json(),
        serde_json::json!([])
    );
    said
}

const ONEPASSWORD: &str = r#"{"accounts": [{"attrs": {"name": "Wren"}, "vaults": [{"attrs": {"name": "Private"}, "items": [
  {"state": "active", "categoryUuid": "001", "details": {"loginFields": [
     {"value": "wren@example.com", "designation": "username", "fieldType": "T", "name": "u", "id": ""},
     {"value": "canary-5d1q8s3x \"one\"", "designation": "password", "fieldType": "P", "name": "p", "id": ""}],
     "notesPlain": "canary-5d1q8s3x notes", "sections": [{"title": "", "name": "", "fields": [
       {"title": "recovery code", "id": "r", "value": {"concealed": "canary-5d1q8s3x-recovery"}}]}]},
   "overview": {"title": "My Login", "url": "https://example.com/in", "tags": ["two words"]}},
  {"state": "active", "categoryUuid": "005", "details": {"password": "canary-5d1q8s3x-second"}, "overview": {"title": "My-Login"}},
  {"state": "active", "categoryUuid": "001", "details": {"loginFields": [{"value": "", "designation": "password"}]}, "overview": {"title": "Empty"}},
  {"state": "active", "categoryUuid": "112", "details": {"sections": [{"fields": [
     {"title": "credential", "id": "credential", "value": {"concealed": "canary-5d1q8s3x-api"}},
     {"title": "expires", "id": "expires", "value": {"date": 946684800}}]}]}, "overview": {"title": "Old API"}}
]}]}]}"#;

#[test]
fn a_1password_archive_is_imported_with_all_that_it_says() {
    let house = House::new();
    let members = [
        ("export.attributes", r#"{"version": 3}"#),
        ("export.data", ONEPASSWORD),
        ("files/d1___scan.png", "an image"),
    ];
    archive(&house, "account.1pux", &members);
    let done = import(&house, &["account.1pux", "--prefix", "1p/"]);
    assert_eq!(done["form"], "1password");
    assert_eq!(
        keys(&done["created"]),
        [
            "1p/Private/My-Login",
            "1p/Private/My-Login-2",
            "1p/Private/Old-API"
        ]
    );
    assert_eq!(keys(&done["numbered"]), ["1p/Private/My-Login-2"]);
    assert_eq!(keys(&done["expired"]), ["1p/Private/Old-API"]);
    assert_eq!(keys(&done["empty"]), ["Private/Empty"]);
    assert_eq!(done["attachments"], 1);
    let key = "1p/Private/My-Login";
    assert_eq!(house.read(key), b"canary-5d1q8s3x \"one\"");
    assert_eq!(
        house.read(&format!("{key}#password")),
        house.read(key),
        "its other name"
    );
    assert_eq!(
        house.read(&format!("{key}#notes")),
        b"canary-5d1q8s3x notes"
    );
    assert_eq!(
        house.read(&format!("{key}#recovery-code")),
        b"canary-5d1q8s3x-recovery"
    );
    let shown = house.call(["--json", "show", key]).run().json();
    assert_eq!(shown["url"], "https://example.com/in");
    assert_eq!(shown["tags"], serde_json::json!(["two-words"]));
    let about = shown["about"].as_array().unwrap();
    let sensitive =
        |name: &str| about.iter().find(|one| one["name"] == name).unwrap()["sensitive"].clone();
    assert_eq!(
        (sensitive("username"), sensitive("value")),
        (false.into(), true.into())
    );
    // Again: everything is there, under the same keys.
    let again = import(&house, &["account.1pux", "--prefix", "1p/"]);
    assert_eq!(again["unchanged"].as_array().unwrap().len(), 3);
    // The same from a pipe.
    let file = std::fs::read(house.work("account.1pux")).unwrap();
    let piped = house
        .call(["--json", "import", "-", "--prefix", "1p/"])
        .input(file)
        .run()
        .json();
    assert_eq!(piped["unchanged"].as_array().unwrap().len(), 3);
    let told = house
        .call(["import", "account.1pux", "--conflict", "replace"])
        .run();
    for part in [
        "3 secrets stored",
        "1 attachment left out",
        "1 item without a secret",
        "a number was added",
        "expired already",
    ] {
        assert!(format!("{told:?}").contains(part), "{part}: {told:?}");
    }
}

#[test]
fn a_1password_archive_that_is_hostile_is_refused() {
    let house = House::new();
    archive(&house, "whole.1pux", &[("export.data", ONEPASSWORD)]);
    let whole = std::fs::read(house.work("whole.1pux")).unwrap();
    house.write("cut.1pux", &whole[..whole.len() / 2]);
    assert!(refused(&house, &["cut.1pux"]).contains("only a part of one"));
    let at = whole
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    let mut bomb = whole.clone();
    bomb[at + 24..at + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    house.write("bomb.1pux", &bomb);
    assert!(refused(&house, &["bomb.1pux"]).contains("longer than"));
    let mut changed = whole.clone();
    changed[at + 16] ^= 1;
    house.write("changed.1pux", &changed);
    assert!(refused(&house, &["changed.1pux"]).contains("checksum"));
    archive(&house, "other.zip", &[("a.txt", CANARY)]);
    assert!(refused(&house, &["other.zip"]).contains("neither 1Password's nor Bitwarden's"));
    let broken = ONEPASSWORD.replacen("\"vaults\"", "vaults", 1);
    archive(&house, "broken.1pux", &[("export.data", &broken)]);
    assert!(refused(&house, &["broken.1pux"]).contains("line 1: this is not JSON"));
}

#[test]
fn a_1password_table_is_imported() {
    let house = House::new();
    let head = "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\n";
    house.write(
        "1p.csv",
        format!("{head}Git Hub,https://github.com,wren,\"{CANARY},\"\"\",,false,true,dev,\n"),
    );
    let done = import(&house, &["1p.csv"]);
    assert_eq!(
        (&done["form"], keys(&done["created"])),
        (&"1password".into(), vec!["Git-Hub"])
    );
    assert_eq!(house.read("Git-Hub"), format!("{CANARY},\"").as_bytes());
    let other = House::new();
    other.write("1p.csv", format!("{head}a,b,c,\"{CANARY}\n"));
    assert!(refused(&other, &["1p.csv"]).contains("1p.csv: line 2: the quote"));
    other.write("who.csv", format!("name,what\nx,{CANARY}\n"));
    assert!(refused(&other, &["who.csv"]).contains("--format 1password"));
}

#[test]
fn bitwarden_is_imported_from_persons_and_organisations() {
    let house = House::new();
    let export = serde_json::json!({"encrypted": false,
        "folders": [{"id": "f", "name": "Work/Cloud"}],
        "collections": [{"id": "c", "organizationId": "o", "name": "Ops"}],
        "items": [
            {"type": 1, "name": "AWS", "folderId": "f", "notes": null, "fields": [{"name": "PIN", "value": format!("{CANARY}-pin"), "type": 1}],
             "login": {"username": "root", "password": format!("{CANARY}\n\u{e9}"), "totp": format!("otpauth://totp/x?secret={CANARY}"),
                       "uris": [{"uri": format!("https://a.example/?k={CANARY}")}], "fido2Credentials": [{"keyValue": CANARY}]}},
            {"type": 2, "name": "Plan", "collectionIds": ["c"], "notes": format!("{CANARY} note"), "secureNote": {"type": 0}},
            {"type": 1, "name": "Nothing", "login": {"username": null, "password": ""}}]});
    house.write("bitwarden.json", export.to_string());
    let done = import(&house, &["bitwarden.json"]);
    assert_eq!(done["form"], "bitwarden");
    assert_eq!(keys(&done["created"]), ["Work/Cloud/AWS", "Ops/Plan"]);
    assert_eq!(
        (keys(&done["empty"]), &done["attachments"]),
        (vec!["Nothing"], &1.into())
    );
    assert_eq!(
        house.read("Work/Cloud/AWS"),
        format!("{CANARY}\n\u{e9}").as_bytes()
    );
    assert_eq!(
        house.read("Work/Cloud/AWS#otp"),
        format!("otpauth://totp/x?secret={CANARY}").as_bytes()
    );
    assert_eq!(house.read("Ops/Plan"), format!("{CANARY} note").as_bytes());
    let shown = silent(house.call(["show", "Work/Cloud/AWS"]).run()).ok();
    assert!(
        !shown.contains("a.example"),
        "an address with a token is no address to show: {shown}"
    );
    archive(
        &house,
        "bitwarden.zip",
        &[("data.json", &export.to_string()), ("attachments/1/a", "x")],
    );
    let again = import(&house, &["bitwarden.zip"]);
    assert_eq!(
        (
            again["unchanged"].as_array().unwrap().len(),
            &again["attachments"]
        ),
        (2, &2.into())
    );
}

#[test]
fn bitwarden_that_is_encrypted_or_broken_is_refused() {
    let house = House::new();
    house.write(
        "locked.json",
        format!("{{\"encrypted\": true, \"passwordProtected\": true, \"data\": \"2.{CANARY}\"}}"),
    );
    let said = refused(&house, &["locked.json"]);
    assert!(
        said.contains("is encrypted") && said.contains("try: export it anew"),
        "{said}"
    );
    house.write(
        "cut.json",
        format!("{{\"encrypted\": false, \"items\": [{{\"name\": \"{CANARY}"),
    );
    assert!(
        refused(&house, &["--format", "bitwarden", "cut.json"])
            .contains("line 1: the file ends too early")
    );
    house.write(
        "deep.json",
        "{\"items\": ".to_owned() + &"[".repeat(200_000),
    );
    assert!(refused(&house, &["--format", "bitwarden", "deep.json"]).contains("nested deeper"));
    house.write(
        "latin.json",
        [b"{\"items\": \"".as_slice(), CANARY.as_bytes(), b"\xe9\"}"].concat(),
    );
    assert!(refused(&house, &["--format", "bitwarden", "latin.json"]).contains("not UTF-8"));
    let long = "x".repeat(1024 * 1024 + 1);
    house.write(
        "long.json",
        format!(
            "{{\"items\": [{{\"name\": \"a\", \"login\": {{\"password\": \"{CANARY}{long}\"}}}}]}}"
        ),
    );
    assert!(
        refused(&house, &["--format", "bitwarden", "long.json"])
            .contains("item 1: a value has at most")
    );
}

#[test]
fn lastpass_is_imported() {
    let house = House::new();
    let head = "url,username,password,totp,extra,name,grouping,fav\n";
    house.write(
        "lastpass.csv",
        format!("{head}https://example.com,wren,\"{CANARY}\"\"q\",,\"{CANARY}\nnote\",Example,Work\\Cloud,0\n\
                 http://sn,,,,\"NoteType:Server\nPassword:{CANARY}\",Example,Work\\Cloud,0\n"),
    );
    let done = import(&house, &["lastpass.csv"]);
    assert_eq!(done["form"], "lastpass");
    assert_eq!(
        keys(&done["created"]),
        ["Work/Cloud/Example", "Work/Cloud/Example-2"]
    );
    assert_eq!(
        house.read("Work/Cloud/Example"),
        format!("{CANARY}\"q").as_bytes()
    );
    assert_eq!(
        house.read("Work/Cloud/Example-2"),
        format!("NoteType:Server\nPassword:{CANARY}").as_bytes()
    );
    let other = House::new();
    other.write("short.csv", format!("{head}https://x,{CANARY}\n"));
    assert!(refused(&other, &["short.csv"]).contains("short.csv: line 2: this row has 2 cells"));
    other.write(
        "latin.csv",
        [head.as_bytes(), CANARY.as_bytes(), b"\xe9,,,,,,,\n"].concat(),
    );
    assert!(refused(&other, &["latin.csv"]).contains("line 2: this is not UTF-8"));
}

#[test]
fn a_configuration_of_tool_servers_is_imported() {
    let house = House::new();
    house.write(
        "mcp.json",
        format!(
            "{{\n  // by hand\n  \"mcpServers\": {{\n    \"git hub\": {{\"command\": \"npx\", \"env\": {{\"GITHUB_TOKEN\": \"{CANARY}\", \
             \"LOG_LEVEL\": \"debug-canary\", \"X\": \"${{input:x}}\"}}}},\n    \"web\": {{\"url\": \"https://x\", \
             \"headers\": {{\"Authorization\": \"Bearer {CANARY}\"}}}},\n  }}\n}}\n"
        ),
    );
    let done = import(&house, &["mcp.json"]);
    assert_eq!(done["form"], "mcp");
    assert_eq!(
        keys(&done["created"]),
        ["git-hub/GITHUB_TOKEN", "web/Authorization"]
    );
    assert_eq!(
        (keys(&done["not_secret"]), &done["references"]),
        (vec!["git-hub/LOG_LEVEL"], &1.into())
    );
    assert_eq!(house.read("git-hub/GITHUB_TOKEN"), CANARY.as_bytes());
    let shown = house
        .call(["--json", "show", "git-hub/GITHUB_TOKEN"])
        .run()
        .json();
    assert_eq!(shown["about"][0]["variable"], "GITHUB_TOKEN");
    let all = import(&house, &["mcp.json", "--all"]);
    assert_eq!(keys(&all["created"]), ["git-hub/LOG_LEVEL"]);
    let other = House::new();
    other.write("mcp.json", format!("{{\"mcpServers\": {{\"a\": {{\"command\": \"x\", \"env\": {{\"K\": [\"{CANARY}\"]}}}}}}}}"));
    assert!(refused(&other, &["mcp.json"]).contains("a list or an object"));
    other.write("cut.json", format!("{{\"mcpServers\": {{\"a\": \"{CANARY}"));
    refused(&other, &["--format", "mcp", "cut.json"]);
}
