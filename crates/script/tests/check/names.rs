//! Names with nothing behind them.

use subrosa_script::syntax::Source;

use super::checked;

/// Line and code of each problem.
fn problems(text: &str) -> Vec<(usize, &'static str)> {
    let source = Source::new("s.sky", text);
    let all = checked(text).problems;
    all.iter()
        .map(|one| (source.line(one.span.start), one.code))
        .collect()
}

#[test]
fn unknown_names_are_told_where_a_run_fails() {
    for (text, code) in [
        ("say @x\nsuccess", "unknown-variable"),
        ("say 'a@{x}'\nsuccess", "unknown-variable"),
        ("increase @x\nsuccess", "unknown-variable"),
        ("say ::c\nsuccess", "unknown-container"),
        ("say ::c:0\nsuccess", "unknown-container"),
        ("open container ::c\nend\nsuccess", "unknown-container"),
        ("#f 'x'\nsuccess", "unknown-function"),
        ("vault 'N' into @x\nsuccess", "missing-entry"),
        ("'@{vault 'N'}' into @x\nsuccess", "missing-entry"),
        ("say @x\n'v' into @x\nsuccess", "unknown-variable"),
        (
            "'n' into vault 'N'. @{vault 'N'} into @n. 'v' into environment @n\nsuccess",
            "secret-name",
        ),
    ] {
        assert_eq!(problems(text), [(1, code)], "{text}");
    }
}

#[test]
fn what_may_be_there_is_no_problem() {
    for text in [
        "if 'a' is 'b'\n'v' into @x\nend\nsafe say @x\nsuccess",
        "repeat 2\nsafe say @x\n'v' into @x\nend\nsuccess",
        "'v' into @x\nfunction #f\nsay @x\nsuccess\nend\n#f\nsuccess",
        "'v' into vault 'N'\nvault 'N' into @x\nsuccess",
        "system filter 'API*' into vault\nvault 'API_KEY' into @x\nsuccess",
        "ask 'p' into @g\nsystem filter @g into vault\nvault 'API_KEY' into @x\nsuccess",
        "success\nsay @x",
    ] {
        assert_eq!(problems(text), [(0, ""); 0], "{text}");
    }
    let text = "system filter 'API*' into vault\nvault 'DB' into @x\nsuccess";
    assert_eq!(problems(text), [(2, "missing-entry")]);
}
