use super::super::testing::{all, cut_anywhere, refused};
use super::*;

const TABLE: &str = "url,username,password,totp,extra,name,grouping,fav\n\
    https://example.com/login,wren,\"p,\"\"hunter2\"\"\",JBSWY3DPEHPK3PXP,\"note\nof two lines\",Example,Work\\Cloud,0\n\
    http://sn,,,,\"NoteType:Server\nHostname:db\nPassword:hunter2\",Database,Secure Notes,0\n\
    http://,,,,,Nothing,,1\n";

#[test]
fn logins_and_notes_are_read() {
    assert!(is_table(&csv::head(TABLE.as_bytes()).unwrap()));
    assert_eq!(
        all(table(TABLE.as_bytes())),
        [
            "Work/Cloud|Example: value(password)=p,\"hunter2\", shown username(username)=wren, \
             otp(totp)=JBSWY3DPEHPK3PXP, notes(note)=note\nof two lines, at https://example.com/login",
            "Secure Notes|Database: notes(note)=NoteType:Server\nHostname:db\nPassword:hunter2,",
            "|Nothing: at http://",
        ]
    );
}

#[test]
fn the_older_form_without_one_time_passwords_is_read() {
    let text =
        "url,username,password,extra,name,grouping,fav\r\nhttps://a.example,u,hunter2,,A,,0\r\n";
    assert_eq!(
        all(table(text.as_bytes())),
        ["|A: value(password)=hunter2, shown username(username)=u, at https://a.example"]
    );
}

#[test]
fn what_is_no_export_is_refused_with_its_line() {
    assert!(refused(table(b"a,b\nhunter2,x\n")).contains("LastPass did not write it"));
    assert!(refused(table(b"")).contains("there is no row"));
    let head = "url,username,password,totp,extra,name,grouping,fav\n";
    let short = format!("{head}https://x,hunter2\n");
    assert!(refused(table(short.as_bytes())).contains("line 2"));
    let latin = [head.as_bytes(), b"u,n,hunter2\xe9,,,,,\n"].concat();
    assert!(refused(table(&latin)).contains("line 2: this is not UTF-8"));
    let wide: Vec<u8> = format!("{head}x")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    refused(table(&wide));
    cut_anywhere(TABLE.as_bytes(), table);
}
