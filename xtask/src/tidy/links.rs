//! Relative links and anchors in Markdown lead somewhere.

use std::collections::BTreeMap;

use super::Problem;
use super::architecture::Architecture;
use super::tree::Tree;

const RULE: &str = "links";

pub(super) fn check(tree: &Tree, _: &Architecture) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, text) in tree.ending(".md") {
        for (line, target) in links(text) {
            if let Some(why) = broken(tree, file, &target) {
                problems.push(Problem::new(RULE, file, line, format!("`{target}`: {why}")));
            }
        }
    }
    problems
}

/// Why a link from a file leads nowhere; none when it is sound or leads outside the tree.
fn broken(tree: &Tree, file: &str, target: &str) -> Option<String> {
    let scheme = target.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
    });
    if scheme {
        return None;
    }
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    let path = path.replace("%20", " ");
    let resolved = if path.is_empty() {
        file.to_owned()
    } else {
        match resolve(file, &path) {
            Some(resolved) => resolved,
            None => return Some("leads out of the repository".to_owned()),
        }
    };
    if !resolved.is_empty() && !tree.exists(&resolved) {
        return Some(format!("there is no {resolved}"));
    }
    let anchor = anchor.filter(|anchor| !anchor.is_empty())?;
    if !resolved.ends_with(".md") {
        return None;
    }
    let known = anchors(tree.text(&resolved).unwrap_or_default());
    (!known.contains(&anchor.to_lowercase()))
        .then(|| format!("{resolved} has no heading `#{anchor}`"))
}

/// Joins a link to the folder of the file it stands in.
fn resolve(file: &str, path: &str) -> Option<String> {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = match path.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Targets of inline links, images and reference definitions, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        if let Some((_, target)) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
        {
            found.extend(
                target
                    .split_whitespace()
                    .next()
                    .map(|t| (number, t.to_owned())),
            );
            continue;
        }
        let mut rest = line.as_str();
        while let Some(start) = rest.find("](") {
            rest = &rest[start + 2..];
            let mut depth = 1;
            let end = rest.find(|c| {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            let target = &rest[..end.unwrap_or(rest.len())];
            // A title may follow in quotes.
            let target = target.split_whitespace().next().unwrap_or_default();
            let target = target.trim_start_matches('<').trim_end_matches('>');
            found.push((number, target.to_owned()));
        }
    }
    found
}

/// Lines outside code blocks, with `code` blanked.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        match fence {
            Some(mark) => {
                if start.starts_with(mark) {
                    fence = None;
                }
            }
            None if start.starts_with("```") => fence = Some("```"),
            None if start.starts_with("~~~") => fence = Some("~~~"),
            None => {
                let mut code = false;
                let plain = line.chars().map(|c| {
                    code ^= c == '`';
                    if code { ' ' } else { c }
                });
                lines.push((index + 1, plain.collect()));
            }
        }
    }
    lines
}

/// Anchors that a page offers, as forges make them from headings.
fn anchors(text: &str) -> Vec<String> {
    let mut counts = BTreeMap::<String, usize>::new();
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced || !line.starts_with('#') {
            continue;
        }
        let title = line.trim_start_matches('#').trim();
        let slug: String = without_targets(title)
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let count = counts.entry(slug.clone()).or_default();
        found.push(if *count == 0 {
            slug.clone()
        } else {
            format!("{slug}-{count}")
        });
        *count += 1;
    }
    for mark in ["id=\"", "name=\""] {
        let ids = text
            .split(mark)
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        found.extend(ids.map(str::to_lowercase));
    }
    found
}

/// A heading without the targets of links in it.
fn without_targets(title: &str) -> String {
    let mut plain = String::new();
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("](") {
        plain.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::{anchors, check};
    use crate::tidy::testing::{findings, map, said};

    fn page(text: &str) -> String {
        let map = map("F0 model ->", "");
        let other = "# Über `it`\n## Two words\n## Two words\n<a id=\"spot\"></a>\n";
        let files = [
            ("ARCHITECTURE.md", map.as_str()),
            ("docs/guide/page.md", text),
            ("docs/other.md", other),
        ];
        said(&findings(check, &files))
    }

    #[test]
    fn sound_links_pass() {
        let text = "# Here\n[a](../other.md) [b](../other.md#two-words-1) [c](#here) [d](/docs)\n\
            [e](https://example.org/x#y) [f](mailto:a@b.c) ![g](<../other.md> \"title\")\n\
            [h]: ../other.md#über-it\n`[i](nowhere.md)`\n```\n[j](nowhere.md)\n```\n\
            [k](../other.md#spot)\n";
        assert_eq!(page(text), "");
    }

    #[test]
    fn broken_links_fail() {
        for (text, why) in [
            ("[a](nowhere.md)", "there is no docs/guide/nowhere.md"),
            (
                "x\n[a](../other.md#three-words)",
                "2: `../other.md#three-words`",
            ),
            ("[a](#gone)", "has no heading `#gone`"),
            ("[a](../../../x.md)", "leads out"),
            ("[a]: nowhere.md", "there is no"),
            ("![a](picture.png)", "there is no"),
        ] {
            let said = page(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn anchors_come_from_headings() {
        let text = "# A (b) c\n```\n# no\n```\n## [D](x.md) e\n";
        assert_eq!(anchors(text), ["a-b-c", "d-e"]);
    }
}
