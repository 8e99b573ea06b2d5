//! What a person sees.

use std::fs;

use subrosa_tests::Done;

use crate::repository::Repository;
use crate::{RULE, VALUE, place, shape, silent};

#[test]
fn the_table_says_where_what_and_what_to_do() {
    let place = place();
    let repository = Repository::new(&place.path("work/repository"));
    repository.write("a", format!("{VALUE}\n{}\n", shape()));
    let commit = repository.commit("one");
    let mut command = place.command(&["scan"]);
    let done = Done::of(command.current_dir(&repository.folder), b"");
    silent(&done);
    assert_eq!(done.status, 1);
    let text = done.text();
    for part in [
        "a:1:1",
        "api/key",
        "a:2:1",
        RULE,
        "subrosa set api/key",
        "https://",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(done.err.contains("2 findings in"), "{done:?}");
    let mut command = place.command(&["scan", "--history"]);
    let done = Done::of(command.current_dir(&repository.folder), b"");
    silent(&done);
    assert!(
        done.text().contains(&format!("{}:a:1:1", &commit[..12])),
        "{done:?}"
    );
    // Nothing on standard output where nothing is found.
    fs::write(repository.folder.join("a"), "clean").expect("written");
    let mut command = place.command(&["scan", "a"]);
    let done = Done::of(command.current_dir(&repository.folder), b"");
    assert_eq!((done.status, done.text().as_str()), (0, ""));
    assert!(done.err.contains("0 findings in 1 text"), "{done:?}");
}

/// A standard is no place where a password is replaced.
#[test]
fn a_page_is_named_only_where_it_is_the_issuers() {
    let place = place();
    let address = ["ldap://app:", "Vb7kQz2xLm9w", "@db.local/x"].concat();
    fs::write(place.path("work/a"), format!("{address}\n{}\n", shape())).expect("written");
    let scanned = crate::scan(&place, &place.path("work"), &["a"]);
    let findings = scanned.report["findings"].as_array().expect("a list");
    let page = |rule: &str| {
        let one = findings.iter().find(|one| one["rule"] == rule);
        one.expect("found")["rotate"].clone()
    };
    assert!(page("url-password").is_null(), "{scanned:?}");
    assert!(page(RULE).is_string());
    for options in [&["scan", "a"][..], &["scan", "--sarif", "a"]] {
        let done = place.run(options);
        assert!(!done.text().contains("Replace it: https://www.rfc-editor"));
        assert!(done.text().contains("where it is from"), "{done:?}");
    }
}
