//! Reads results of single tests: nextest's JUnit file, or libtest's own output.

/// Where nextest leaves the results, below the workspace and whatever the build folder is.
pub(crate) const FILE: &str = "target/nextest/ci/junit.xml";

/// One test that ran.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TestCase {
    /// Path inside its binary, `module::row_03_core_dump`.
    pub(crate) name: String,
    /// Held.
    pub(crate) passed: bool,
    /// What it printed.
    pub(crate) output: String,
}

/// Reads a JUnit file as nextest writes it.
pub(crate) fn parse(xml: &str) -> Vec<TestCase> {
    let mut cases = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find("<testcase ") {
        rest = &rest[start..];
        let Some(tag_end) = end_of_tag(rest) else {
            break;
        };
        let tag = &rest[..tag_end];
        let (body, next) = if tag.ends_with('/') {
            ("", &rest[tag_end..])
        } else {
            let close = rest.find("</testcase>").unwrap_or(rest.len());
            (
                rest.get(tag_end + 1..close).unwrap_or_default(),
                &rest[close..],
            )
        };
        let failed = body.contains("<failure") || body.contains("<error");
        cases.push(TestCase {
            name: unescape(attribute(tag, "name").unwrap_or_default()),
            passed: !failed,
            output: ["system-out", "system-err"]
                .map(|tag| element(body, tag))
                .join("\n"),
        });
        rest = next;
    }
    cases
}

/// Reads libtest's output as printed with `--show-output`.
pub(crate) fn parse_libtest(text: &str) -> Vec<TestCase> {
    let mut cases = Vec::<TestCase>::new();
    let mut shown: Option<String> = None;
    for line in text.lines() {
        if let Some((name, verdict)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "))
        {
            shown = None;
            if verdict == "ok" || verdict.starts_with("FAILED") {
                let (name, passed) = (name.to_owned(), verdict == "ok");
                cases.push(TestCase {
                    name,
                    passed,
                    output: String::new(),
                });
            }
        } else if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            shown = Some(name.to_owned());
        } else if let Some(name) = &shown
            && let Some(case) = cases.iter_mut().rev().find(|case| case.name == *name)
        {
            case.output.push_str(line);
            case.output.push('\n');
        }
    }
    cases
}

/// Index of the `>` that ends the tag at the text's start; one inside a quoted value does not.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    text.char_indices().find_map(|(index, c)| {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '>') => return Some(index),
            _ => {}
        }
        None
    })
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = tag.get(start..)?;
    value.find('"').and_then(|end| value.get(..end))
}

fn element(body: &str, name: &str) -> String {
    let open = format!("<{name}");
    let Some(start) = body.find(&open) else {
        return String::new();
    };
    let inner = &body[start..];
    let Some(from) = end_of_tag(inner) else {
        return String::new();
    };
    let to = inner.find(&format!("</{name}>")).unwrap_or(inner.len());
    unescape(inner.get(from + 1..to).unwrap_or_default())
}

fn unescape(text: &str) -> String {
    let text = text.replace("<![CDATA[", "").replace("]]>", "");
    let mut plain = text.replace("&lt;", "<").replace("&gt;", ">");
    for (entity, c) in [
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#10;", "\n"),
        ("&#13;", "\r"),
    ] {
        plain = plain.replace(entity, c);
    }
    // Last, or `&amp;lt;` would be read twice.
    plain.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_libtest};

    const XML: &str = r#"<?xml version="1.0"?><testsuites><testsuite name="a::b">
        <testcase name="ok_one" classname="a" time="0.1"/>
        <testcase name="m::row_03_x" classname="a">
            <system-out>running
REDTEAM row=03 verdict=held why=a &lt;b&gt; &amp;amp; c
</system-out></testcase>
        <testcase name="row_04_y" classname="a"><failure message="a > b" type="x">panicked</failure>
            <system-out>said &quot;no&quot;</system-out></testcase>
        </testsuite></testsuites>"#;

    #[test]
    fn reads_names_verdicts_and_output() {
        let cases = parse(XML);
        let names: Vec<_> = cases
            .iter()
            .map(|case| (case.name.as_str(), case.passed))
            .collect();
        assert_eq!(
            names,
            [("ok_one", true), ("m::row_03_x", true), ("row_04_y", false)]
        );
        assert!(cases[1].output.contains("why=a <b> &amp; c"));
        assert!(cases[2].output.contains("said \"no\""));
    }

    #[test]
    fn reads_libtest() {
        let text = "running 2 tests\ntest m::row_03_x ... ok\ntest row_04_y ... FAILED\n\
            test slow ... ignored\n\nsuccesses:\n\n---- m::row_03_x stdout ----\nREDTEAM row=03 \
            verdict=held why=w\n\nfailures:\n\n---- row_04_y stdout ----\npanicked\n";
        let cases = parse_libtest(text);
        assert_eq!(cases.len(), 2);
        assert!(cases[0].passed && cases[0].output.contains("REDTEAM row=03"));
        assert!(!cases[1].passed && cases[1].output.contains("panicked"));
    }
}
