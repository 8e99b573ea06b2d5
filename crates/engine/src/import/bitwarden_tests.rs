use std::io::Cursor;

use super::super::testing::{all, cut_anywhere, packed, refused};
use super::*;

const PERSONAL: &str = r#"{"encrypted": false,
  "folders": [{"id": "f1", "name": "Work/Cloud"}, {"id": "f2", "name": "Home"}],
  "items": [
    {"passwordHistory": [{"lastUsedDate": "2020-01-01T00:00:00.000Z", "password": "older-hunter2"}],
     "revisionDate": "2022-03-10T15:04:13.446Z", "creationDate": "2021-03-10T15:04:13.446Z", "deletedDate": null,
     "id": "1", "organizationId": null, "folderId": "f1", "type": 1, "reprompt": 0, "name": "AWS root", "notes": "say \"hi\"", "favorite": false,
     "fields": [{"name": "PIN", "value": "hunter2-pin", "type": 1, "linkedId": null}, {"name": "linked", "value": null, "type": 3, "linkedId": 100},
                {"name": "note", "value": null, "type": 0}],
     "login": {"fido2Credentials": [{"credentialId": "x", "keyValue": "hunter2"}],
       "uris": [{"match": null, "uri": "https://aws.amazon.com"}, {"match": 1, "uri": "https://a.example/?q=hunter2"}],
       "username": "root", "password": "hunter2\/\u0041", "totp": "otpauth://totp/a?secret=HUNTER2"}, "collectionIds": null},
    {"id": "2", "folderId": null, "type": 2, "name": "Plan", "notes": "hunter2 in a note", "secureNote": {"type": 0}},
    {"id": "3", "folderId": "f2", "type": 3, "name": "Visa", "card": {"cardholderName": "W", "brand": "Visa", "number": "4242", "expMonth": "3", "expYear": "2030", "code": "hunter2"}},
    {"id": "4", "folderId": "gone", "type": 4, "name": "Me", "identity": {"title": null, "firstName": "Wren", "ssn": "hunter2"}},
    {"id": "5", "type": 5, "name": "Key", "sshKey": {"privateKey": "-----BEGIN hunter2", "publicKey": "ssh-ed25519 AAAA", "keyFingerprint": "SHA256:x"}},
    {"id": "6", "type": 1, "name": "Empty", "login": {"username": "only", "password": null, "uris": []}}
  ]}"#;

#[test]
fn every_kind_of_item_becomes_what_it_was() {
    let found = items(PERSONAL.as_bytes()).unwrap();
    assert_eq!((found.attachments, found.references), (1, 1));
    assert_eq!(
        all(Ok(found)),
        [
            "Work/Cloud|AWS root: value(password)=hunter2/A, shown username(username)=root, \
             otp(totp)=otpauth://totp/a?secret=HUNTER2, url(url)=https://a.example/?q=hunter2, \
             PIN()=hunter2-pin, notes(note)=say \"hi\", at https://aws.amazon.com",
            "|Plan: notes(note)=hunter2 in a note,",
            "Home|Visa: cardholderName(card)=W, brand(card)=Visa, number(card)=4242, expMonth(card)=3, \
             expYear(card)=2030, code(card)=hunter2,",
            "|Me: firstName(identity)=Wren, ssn(identity)=hunter2,",
            "|Key: value(pem)=-----BEGIN hunter2, shown public-key()=ssh-ed25519 AAAA,",
            "|Empty: shown username(username)=only,",
        ]
    );
}

#[test]
fn an_organisation_has_collections() {
    let text = r#"{"encrypted": false, "collections": [{"id": "c1", "organizationId": "o", "name": "Ops", "externalId": null}],
      "items": [{"id": "1", "organizationId": "o", "folderId": null, "type": 1, "name": "DB", "login": {"password": "hunter2"}, "collectionIds": ["c1", "c2"]}]}"#;
    assert_eq!(
        all(items(text.as_bytes())),
        ["Ops|DB: value(password)=hunter2,"]
    );
    let tree = tree::parse(text.as_bytes(), Dialect::Strict).unwrap();
    assert!(is_export(&tree));
}

#[test]
fn an_archive_with_attachments_is_read() {
    let file = packed(&[
        ("data.json", PERSONAL.as_bytes()),
        ("attachments/1/scan.png", b"image"),
    ]);
    let found = archive(&mut Archive::open(Cursor::new(&file)).unwrap()).unwrap();
    assert_eq!((found.entries.len(), found.attachments), (6, 2));
}

#[test]
fn an_encrypted_export_is_refused_with_what_to_do() {
    for text in [
        r#"{"encrypted": true, "passwordProtected": true, "salt": "x", "kdfType": 0, "kdfIterations": 600000, "encKeyValidation_DO_NOT_EDIT": "2.hunter2", "data": "2.hunter2"}"#,
        r#"{"encrypted": true, "encKeyValidation_DO_NOT_EDIT": "2.hunter2", "folders": [], "items": [{"name": "2.hunter2"}]}"#,
    ] {
        let tree = tree::parse(text.as_bytes(), Dialect::Strict).unwrap();
        assert!(is_export(&tree));
        let said = refused(items(text.as_bytes()));
        assert!(
            said.contains("is encrypted") && said.contains("--format json"),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_export_is_refused() {
    for text in [
        "",
        "null",
        "{\"encrypted\": false}",
        "{\"items\": {\"a\": \"hunter2\"}}",
        "{\"items\": [hunter2]}",
    ] {
        refused(items(text.as_bytes()));
    }
    let deep = format!("{{\"items\": {}", "{\"a\":".repeat(100_000));
    assert!(refused(items(deep.as_bytes())).contains("deeper"));
    assert!(refused(items(b"{\"items\": [\"hunter2 \xff\"]}")).contains("not UTF-8"));
    cut_anywhere(PERSONAL.as_bytes(), items);
    let odd = r#"{"items": [1, {"name": 2, "login": [], "fields": {}, "card": [], "notes": {}}, {"login": {"uris": [1, {}]}}]}"#;
    assert_eq!(items(odd.as_bytes()).unwrap().entries.len(), 3);
}
