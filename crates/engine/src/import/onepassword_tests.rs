use std::io::Cursor;

use super::super::testing::{all, cut_anywhere, packed, refused};
use super::*;

const DATA: &str = r#"{"accounts": [{
  "attrs": {"accountName": "Wren", "name": "Wren", "avatar": "", "email": "wren@example.com", "uuid": "A1", "domain": "https://my.1password.com/"},
  "vaults": [{
    "attrs": {"uuid": "V1", "desc": "", "avatar": "", "name": "Private", "type": "P"},
    "items": [
      {"uuid": "i1", "favIndex": 1, "createdAt": 1614298956, "updatedAt": 1635346445, "state": "active", "categoryUuid": "001",
       "details": {"loginFields": [
           {"value": "wren", "id": "", "name": "username", "fieldType": "T", "designation": "username"},
           {"value": "pass \"hunter2\" \\ \u00e9", "id": "", "name": "password", "fieldType": "P", "designation": "password"},
           {"value": "on", "id": "r", "name": "remember", "fieldType": "C"},
           {"value": "blue", "id": "c", "name": "colour", "fieldType": "T"}],
         "notesPlain": "line one\nline two",
         "sections": [{"title": "Security", "name": "s1", "fields": [
           {"title": "PIN", "id": "p", "value": {"concealed": "12345"}, "indexAtSource": 0, "guarded": false, "multiline": false, "dontGenerate": false},
           {"title": "one-time password", "id": "TOTP_1", "value": {"totp": "otpauth://totp/x?secret=HUNTER2"}},
           {"title": "recovery", "id": "e", "value": {"email": {"email_address": "w@example.com", "provider": null}}},
           {"title": "see", "id": "l", "value": {"reference": "i2"}},
           {"title": "scan", "id": "f", "value": {"file": {"fileName": "scan.png", "documentId": "d1", "decryptedSize": 5}}},
           {"title": "born", "id": "b", "value": {"date": 631152000}},
           {"title": "home", "id": "h", "value": {"address": {"street": "1 Lane", "city": "Town", "country": "", "zip": "", "state": ""}}},
           {"title": "empty", "id": "x", "value": {"concealed": ""}}]}],
         "passwordHistory": [{"value": "older-hunter2", "time": 1458322355}]},
       "overview": {"subtitle": "wren", "urls": [{"label": "website", "url": "https://dropbox.com/login"}, {"label": "", "url": "https://x.example/?t=hunter2"}],
         "title": "Dropbox", "url": "https://dropbox.com/login", "ps": 100, "pbe": 86.1, "pgrng": true, "tags": ["cloud", "two words"]}},
      {"uuid": "i2", "state": "archived", "categoryUuid": "112",
       "details": {"loginFields": [], "sections": [{"title": "", "name": "", "fields": [
           {"title": "username", "id": "username", "value": {"string": "svc"}},
           {"title": "credential", "id": "credential", "value": {"concealed": "hunter2-api"}},
           {"title": "expires", "id": "expires", "value": {"date": 1893456000}}]}], "passwordHistory": []},
       "overview": {"title": "API", "url": ""}},
      {"uuid": "i3", "state": "active", "categoryUuid": "002",
       "details": {"loginFields": [], "sections": [{"title": "", "fields": [
           {"title": "number", "id": "ccnum", "value": {"creditCardNumber": "4242424242424242"}},
           {"title": "expiry date", "id": "expiry", "value": {"monthYear": 202712}}]}]},
       "overview": {"title": "Visa"}},
      {"uuid": "i4", "state": "active", "categoryUuid": "114",
       "details": {"sections": [{"fields": [
           {"title": "private key", "id": "private_key", "value": {"sshKey": {"privateKey": "-----BEGIN hunter2", "metadata": {"publicKey": "ssh-ed25519 AAAA", "fingerprint": "SHA256:x"}}}}]}]},
       "overview": {"title": "Deploy"}},
      {"uuid": "i5", "state": "active", "categoryUuid": "005", "details": {"password": "hunter2-alone"}, "overview": {"title": "Wifi"}},
      {"item": {"uuid": "i6", "categoryUuid": "003", "details": {"notesPlain": "a note"}, "overview": {"title": "Note"}}},
      {"uuid": "i7", "categoryUuid": "006", "details": {"documentAttributes": {"fileName": "a.pdf", "documentId": "d2", "decryptedSize": 9}}, "overview": {"title": "Paper"}}
    ]}]}]}"#;

#[test]
fn every_kind_of_item_becomes_what_it_was() {
    let found = items(DATA.as_bytes()).unwrap();
    assert_eq!(found.references, 1);
    let expires = found.entries[1].expires.unwrap().to_string();
    assert_eq!(expires, "2030-01-01T00:00:00Z");
    assert_eq!(
        all(Ok(found)),
        [
            "Private|Dropbox: url(url)=https://x.example/?t=hunter2, shown username(username)=wren, \
             value(password)=pass \"hunter2\" \\ \u{e9}, colour()=blue, PIN(password)=12345, \
             otp(totp)=otpauth://totp/x?secret=HUNTER2, shown recovery(email)=w@example.com, \
             born(date)=1990-01-01, home-street()=1 Lane, home-city()=Town, notes(note)=line one\nline two, \
             at https://dropbox.com/login tags cloud,two words",
            "Private|API: shown username(username)=svc, value(password)=hunter2-api, tags archived",
            "Private|Visa: number()=4242424242424242, expiry date(date)=2027-12,",
            "Private|Deploy: value(pem)=-----BEGIN hunter2, shown public-key()=ssh-ed25519 AAAA,",
            "Private|Wifi: value(password)=hunter2-alone,",
            "Private|Note: notes(note)=a note,",
            "Private|Paper:",
        ]
    );
}

#[test]
fn an_archive_is_read_and_its_files_are_counted() {
    let file = packed(&[
        ("export.attributes", br#"{"version": 3}"#),
        ("export.data", DATA.as_bytes()),
        ("files/d1___scan.png", b"image"),
        ("files/d2___a.pdf", b"paper"),
    ]);
    let mut opened = Archive::open(Cursor::new(&file)).unwrap();
    let found = archive(&mut opened).unwrap();
    assert_eq!((found.entries.len(), found.attachments), (7, 2));
    let other = packed(&[("word/document.xml", b"hunter2")]);
    let mut opened = Archive::open(Cursor::new(&other)).unwrap();
    assert!(refused(archive(&mut opened)).contains("1Password did not write it"));
}

#[test]
fn what_is_no_export_is_refused() {
    for text in [
        "",
        "[]",
        "{\"accounts\": \"hunter2\"}",
        "{\"accounts\": [{\"vaults\": [{\"items\": [{\"x\": hunter2}]}]}]}",
        "{\"accounts\": [], \"accounts\": [\"hunter2\"]}",
    ] {
        refused(items(text.as_bytes()));
    }
    let deep = format!("{{\"accounts\": {}", "[".repeat(100_000));
    assert!(refused(items(deep.as_bytes())).contains("deeper"));
    let latin = [b"{\"accounts\": [\"hunter2 ".as_slice(), b"\xe9\"]}"].concat();
    assert!(refused(items(&latin)).contains("not UTF-8"));
    cut_anywhere(DATA.as_bytes(), items);
}

#[test]
fn parts_of_another_type_are_passed_over() {
    let text = r#"{"accounts": [7, {"vaults": {"a": 1}}, {"vaults": [{"attrs": 3, "items": [
        null, {"overview": {"title": 9, "tags": "x", "urls": [1]}, "details": {"loginFields": {}, "sections": [
          {"fields": [{"value": {}}, {"value": {"date": "x"}}, {"value": {"date": 9223372036854775807}}, {"value": {"monthYear": -9223372036854775808}},
            {"value": {"sshKey": 1}}, {"value": {"totp": 1}}, {"value": {"new": true}}]}]}}]}]}]}"#;
    let found = items(text.as_bytes()).unwrap();
    assert_eq!(found.entries.len(), 2);
}

const TABLE: &str = "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\r\n\
    GitHub,https://github.com/login,wren,\"hunter2,\"\"x\"\"\",otpauth://totp/a,false,false,dev;two words,\"one\ntwo\"\r\n\
    Old,,,,,false,true,,\r\n";

#[test]
fn a_table_is_read() {
    assert!(is_table(&csv::head(TABLE.as_bytes()).unwrap()));
    assert_eq!(
        all(table(TABLE.as_bytes())),
        [
            "GitHub: value(password)=hunter2,\"x\", shown username(username)=wren, otp(totp)=otpauth://totp/a, \
             notes(note)=one\ntwo, at https://github.com/login tags dev,two words",
            "Old: tags ,archived",
        ]
    );
    let own = "Title,Password,PIN\nBank,hunter2,1234\n";
    assert_eq!(
        all(table(own.as_bytes())),
        ["Bank: value(password)=hunter2, PIN()=1234, tags "]
    );
    assert!(refused(table(b"a,b\nhunter2,hunter2\n")).contains("1Password did not write it"));
    cut_anywhere(TABLE.as_bytes(), table);
}
