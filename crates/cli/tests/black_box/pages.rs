//! Manual pages, as man shows them.

use std::process::Command;

use crate::house::House;

#[test]
fn manual_pages_are_clean() {
    let house = House::bare();
    let whole = house.call(["man"]).without_proof().run().ok();
    assert!(whole.contains("subrosa\\-key(1)"), "{whole}");
    for words in [
        &["man"][..],
        &["man", "run"],
        &["man", "key", "add", "key-file"],
        &["man", "policy"],
    ] {
        let page = house.write("page.1", house.call(words).without_proof().run().out);
        let mut man = Command::new("man");
        let shown = man
            .args(["--warnings=w", "-l"])
            .arg(&page)
            .env("MANWIDTH", "100")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        assert!(
            shown.status.success() && shown.stderr.is_empty(),
            "{words:?}: {}",
            String::from_utf8_lossy(&shown.stderr)
        );
        let text = String::from_utf8(shown.stdout).unwrap();
        assert!(
            text.contains("Examples") || text.contains("EXAMPLES") || words.len() == 1,
            "{text}"
        );
    }
    let back = house.call(["man", "kye"]).without_proof().run();
    assert!(
        back.failed(2).contains("did you mean: subrosa man key"),
        "{back:?}"
    );
    let back = house.call(["man", "run", "x"]).without_proof().run();
    assert!(back.failed(2).contains("subrosa man run"), "{back:?}");
    house
        .call(["man", "complete-words"])
        .without_proof()
        .run()
        .failed(2);
}
