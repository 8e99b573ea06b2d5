use super::super::testing::{all, cut_anywhere, refused};
use super::*;

const GIVEN: &str = r#"{"api_key": "hunter2\n", "db": {"password": "p\"w", "port": 5432, "tls": true, "none": null, "hosts": ["a", {"name": "b"}]}, "empty": "", "big": 12345678901234567890.5}"#;

#[test]
fn every_leaf_is_a_secret() {
    let found = items(GIVEN.as_bytes()).unwrap();
    assert_eq!(found.entries[0].variable.as_deref(), Some("api_key"));
    assert_eq!(found.entries[1].variable, None);
    assert_eq!(
        all(Ok(found)),
        [
            "api_key: value()=hunter2\n,",
            "db|password: value()=p\"w,",
            "db|port: value()=5432,",
            "db|tls: value()=true,",
            "db|none:",
            "db|hosts|0: value()=a,",
            "db|hosts|1|name: value()=b,",
            "empty:",
            "big: value()=12345678901234567890.5,",
        ]
    );
}

#[test]
fn what_sops_cannot_give_is_refused() {
    for text in ["", "[1]", "\"hunter2\"", "{\"a\": hunter2}"] {
        refused(items(text.as_bytes()));
    }
    let bytes = "{\"data\": \"hunter2\u{fffd}\"}";
    assert!(refused(items(bytes.as_bytes())).contains("subrosa set KEY --stdin"));
    let deep = "{\"a\":".repeat(100_000);
    assert!(refused(items(deep.as_bytes())).contains("deeper"));
    cut_anywhere(GIVEN.as_bytes(), items);
}

#[test]
fn encrypted_files_are_known_by_their_own_part() {
    let yaml = b"a: ENC[AES256_GCM,data:x]\nsops:\n    lastmodified: \"2026\"\n    mac: ENC[AES256_GCM,data:y]\n";
    let dotenv =
        b"A=ENC[AES256_GCM,data:x]\nsops_version=3.11.0\nsops_mac=ENC[AES256_GCM,data:y]\n";
    let ini = b"[a]\nb = ENC[AES256_GCM]\n\n[sops]\nmac = ENC[AES256_GCM,data:y]\n";
    assert_eq!(text_type(yaml), Some("yaml"));
    assert_eq!(text_type(dotenv), Some("dotenv"));
    assert_eq!(text_type(ini), Some("ini"));
    for text in [
        &b""[..],
        b"sops: true\n",
        b"mac: ENC[x]\n",
        b"sops:\n  key: groups\nmac: plain\n",
        b"SOPS_MAC=ENC[x]\n",
    ] {
        assert_eq!(text_type(text), None);
    }
    let json = tree::parse(
        br#"{"a": "ENC[]", "sops": {"mac": "ENC[]", "version": "3"}}"#,
        Dialect::Strict,
    );
    assert!(is_encrypted(&json.unwrap()));
    let plain = tree::parse(br#"{"sops": "a-value"}"#, Dialect::Strict);
    assert!(!is_encrypted(&plain.unwrap()));
    assert!(has_documents(b"---\na: 1\n---\nb: 2\n"));
    assert!(!has_documents(b"# first\n---\na: 1\n"));
}
