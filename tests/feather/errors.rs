//! What is told of a script that goes wrong, as its author reads it: `errors/NAME.sky` against
//! `errors/NAME.txt`.

use std::fs;
use std::path::Path;

use super::Desk;

#[test]
fn told_errors_are_as_they_were_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("feather/errors");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the folder")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".sky").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 20, "{names:?}");
    for name in names {
        let script = fs::read_to_string(folder.join(format!("{name}.sky"))).expect("a script");
        let ran = Desk::new().run(&script);
        assert_ne!(ran.status, 0, "{name} goes well");
        let told = format!("{}status {}\n", ran.err, ran.status);
        for text in [&told, &ran.memo] {
            assert!(!text.contains("hunter"), "{name} shows a secret:\n{text}");
        }
        let golden = folder.join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &told).expect("written");
        }
        let known = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(
            told, known,
            "{name} changed: look at it, then UPDATE_GOLDEN=1"
        );
    }
}
