use super::super::testing::words;
use super::*;

fn read(text: &[u8]) -> String {
    words(&entry("web/site", &SecretBuf::copy_from(text).unwrap()).unwrap())
}

#[test]
fn the_first_line_is_the_password_and_the_rest_is_told_apart() {
    let text =
        b"hunter2: with colon\nuser: wren\nURL: https://example.com/login\nPIN code: 12 34\n\
        otpauth://totp/a?secret=HUNTER2\n\nfree text\nat 10:30\nhttps://example.com/x\n\nlast\n\n";
    assert_eq!(
        read(text),
        "web/site: value(password)=hunter2: with colon, shown username(username)=wren, PIN code()=12 34, \
         otp(totp)=otpauth://totp/a?secret=HUNTER2, notes(note)=free text\nat 10:30\nhttps://example.com/x\n\nlast, \
         at https://example.com/login"
    );
}

#[test]
fn odd_entries_keep_every_byte_that_means_something() {
    assert_eq!(read(b""), "web/site:");
    assert_eq!(read(b"\n\n"), "web/site:");
    assert_eq!(read(b"hunter2"), "web/site: value(password)=hunter2,");
    assert_eq!(
        read(b"hunter2\r\nuser: a\r\n"),
        "web/site: value(password)=hunter2, shown username(username)=a,"
    );
    assert_eq!(
        read(b"\nuser: a\npin: 1\n"),
        "web/site: shown username(username)=a, pin()=1,"
    );
    assert_eq!(
        read(b"otpauth://totp/a"),
        "web/site: otp(totp)=otpauth://totp/a,"
    );
    assert_eq!(
        read(b"x\nkey:\nkey: \n: y\n-a: b\n"),
        "web/site: value(password)=x, notes(note)=key:\nkey: \n: y\n-a: b,"
    );
    assert_eq!(
        read(b"x\nuser: a\nlogin: b\n"),
        "web/site: value(password)=x, shown username(username)=a, login()=b,"
    );
    assert_eq!(
        read(b"-----BEGIN KEY-----\nAAAA\nurl: x\n-----END KEY-----\n"),
        "web/site: value(pem)=-----BEGIN KEY-----\nAAAA\nurl: x\n-----END KEY-----\n,"
    );
}

#[test]
fn bytes_that_are_no_text_stay_as_they_are() {
    let whole = SecretBuf::copy_from(b"\xff\x00\nuser: a\n").unwrap();
    let found = entry("bin", &whole).unwrap();
    assert_eq!(found.fields[0].value.as_slice(), b"\xff\x00\nuser: a\n");
    let latin = SecretBuf::copy_from(b"pa\xdfwort\nPIN: \xe9\n\xe9: x\n").unwrap();
    let found = entry("latin", &latin).unwrap();
    let values: Vec<&[u8]> = found
        .fields
        .iter()
        .map(|field| field.value.as_slice())
        .collect();
    assert_eq!(values, [b"pa\xdfwort".as_slice(), b"\xe9", b"\xe9: x"]);
}
