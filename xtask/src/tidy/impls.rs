//! Every way out of a value (`Sink`) and every computation on one (`Transform`) is listed.

use super::Problem;
use super::architecture::{Architecture, FILE};
use super::source::{is_test_file, line_of, production, tokens};
use super::tree::Tree;

/// A trait and the table of ARCHITECTURE.md that lists all its implementations.
const CLOSED: [(&str, &str); 2] = [("Sink", "Sinks"), ("Transform", "Transforms")];

pub(super) fn check(tree: &Tree, architecture: &Architecture) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, heading) in CLOSED {
        let listed = architecture.table(heading);
        let mut found = Vec::new();
        for (file, text) in tree.ending(".rs").filter(|(file, _)| !is_test_file(file)) {
            let code = production(text);
            for (implementor, position) in implementations(&code, name) {
                let room = room(file);
                if !listed
                    .iter()
                    .any(|e| e.cell(0) == implementor && e.cell(1) == room)
                {
                    let line = line_of(&code, position);
                    let text = format!(
                        "`impl {name} for {implementor}` in {room} is not in {FILE}, `{heading}`"
                    );
                    problems.push(Problem::new("impls", file, line, text));
                }
                found.push((implementor, room));
            }
        }
        for entry in listed {
            let there = |(implementor, room): &(String, &str)| {
                implementor == entry.cell(0) && *room == entry.cell(1)
            };
            if !found.iter().any(there) {
                let text = format!(
                    "`{}` in `{}` is listed, but implements no {name} there",
                    entry.cell(0),
                    entry.cell(1)
                );
                problems.push(Problem::new("impls", FILE, entry.line, text));
            }
        }
    }
    problems
}

/// The room that a file belongs to; the file itself outside crates/.
fn room(file: &str) -> &str {
    file.strip_prefix("crates/")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or(file)
}

/// Types for which masked code implements a trait, with the position of the `impl`.
fn implementations(code: &str, wanted: &str) -> Vec<(String, usize)> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    for (index, (position, _)) in tokens.iter().enumerate().filter(|(_, (_, t))| *t == "impl") {
        let head = head(&tokens[index + 1..]);
        let Some(split) = at_depth_zero(&head, "for") else {
            continue;
        };
        let (path, target) = (&head[..split], &head[split + 1..]);
        if last_name(path) == Some(wanted)
            && let Some(implementor) = last_name(target)
        {
            found.push((implementor.to_owned(), *position));
        }
    }
    found
}

/// Tokens between an `impl` and the end of what it names.
fn head<'a>(tokens: &[(usize, &'a str)]) -> Vec<&'a str> {
    let mut depth = 0;
    let words = tokens.iter().map(|(_, token)| *token);
    let inside = words.take_while(|token| {
        match *token {
            "<" | "(" | "[" => depth += 1,
            ">" | ")" | "]" => depth -= 1,
            "{" | ";" => return false,
            "," | "=" | "where" if depth == 0 => return false,
            _ => {}
        }
        depth >= 0
    });
    inside.collect()
}

/// Index of a token outside `<…>`.
fn at_depth_zero(tokens: &[&str], wanted: &str) -> Option<usize> {
    let mut depth = 0;
    tokens.iter().position(|token| {
        match *token {
            "<" => depth += 1,
            ">" => depth -= 1,
            _ => {}
        }
        depth == 0 && *token == wanted
    })
}

/// The last name of a path outside `<…>`: `Sink` of `<T> a::Sink<Kind = X>`.
fn last_name<'a>(tokens: &[&'a str]) -> Option<&'a str> {
    let mut depth = 0;
    let mut name = None;
    for token in tokens {
        match *token {
            "<" => depth += 1,
            ">" => depth -= 1,
            word if depth == 0 && word.starts_with(|c: char| c.is_alphanumeric() || c == '$') => {
                name = Some(word);
            }
            _ => {}
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::{check, implementations};
    use crate::tidy::testing::{findings, map, said};

    #[test]
    fn implementations_are_found_in_any_dress() {
        for code in [
            "impl Sink for Pipe {",
            "impl<W: Write> egress::Sink for Pipe<W> where W: A {",
            "unsafe impl<'a, F: Fn() -> u8> Sink<Kind = A<u8>> for &'a mut x::Pipe<F> {",
            "impl Sink\n    for Pipe\n{",
        ] {
            let names: Vec<String> = implementations(code, "Sink")
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            assert_eq!(names, ["Pipe"], "{code}");
        }
        for code in [
            "fn f() -> impl Sink {",
            "impl Sink {",
            "impl Source for Sink {",
            "impl From<Sink> for Pipe {",
            "fn f(x: impl Sink, for_: u8) {",
        ] {
            assert!(implementations(code, "Sink").is_empty(), "{code}");
        }
        assert_eq!(
            implementations("impl Sink for $name {", "Sink")[0].0,
            "$name"
        );
    }

    #[test]
    fn what_is_not_listed_fails() {
        let map = map(
            "F0 model ->",
            "## Sinks\n\n| Sink | Room |\n| --- | --- |\n| Pipe | runner |",
        );
        let with = |file: &str, code: &str| {
            let files = [("ARCHITECTURE.md", map.as_str()), (file, code)];
            said(&findings(check, &files))
        };
        assert_eq!(
            with("crates/runner/src/pipe.rs", "impl Sink for Pipe {}"),
            ""
        );
        let two = "impl Sink for Pipe {}\nimpl Sink for Leak {}";
        let said = with("crates/runner/src/pipe.rs", two);
        assert!(
            said.starts_with("crates/runner/src/pipe.rs:2: `impl Sink for Leak`"),
            "{said}"
        );
        let said = with("crates/cli/src/pipe.rs", "impl Sink for Pipe {}");
        assert!(
            said.contains("in cli is not in") && said.contains("is listed, but"),
            "{said}"
        );
        let said = with("crates/egress/src/t.rs", "impl Transform for Rot13 {}");
        assert!(said.contains("`impl Transform for Rot13`"), "{said}");
        let test = "impl Sink for Pipe {}\n#[cfg(test)]\nmod tests { impl Sink for Fake {} }";
        assert_eq!(with("crates/runner/src/pipe.rs", test), "");
    }
}
