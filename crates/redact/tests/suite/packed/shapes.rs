//! What is known by its shape alone, in packed data: the rule is told.

use subrosa_redact::shapes::Shapes;

use super::*;

fn rules(input: &[u8], set: &KnownSet) -> Vec<(Form, Option<&'static str>)> {
    let mut redactor = set.redactor().with_shapes();
    let mut out = Vec::new();
    redactor.push(input, &mut out);
    redactor.finish(&mut out);
    let name = |rule: usize| Shapes::builtin().rules()[rule].id.as_str();
    let findings = redactor.take_findings();
    findings
        .iter()
        .map(|one| (one.form, one.rule.map(name)))
        .collect()
}

#[test]
fn the_rule_is_told_in_packed_data_too() {
    let key = ["AKIA", "2B4KHQ7ZTN3XW5RM"].concat();
    let text = format!("first line\nid = {key}\n").into_bytes();
    let rule = Some("aws-access-key-id");
    let none = KnownSet::empty();
    assert_eq!(rules(&text, &none), [(Form::Shape, rule)]);
    for packed in [
        gzip(&text),
        zlib(&text),
        zstd(&text),
        gzip(&zstd(&text)),
        in_base64(&gzip(&text), 76),
        response("Content-Encoding: gzip", &gzip(&text)),
        gzip(&long(600_000, &text)),
    ] {
        assert_eq!(rules(&packed, &none), [(Form::Packed, rule)]);
    }
    let framed = response("Transfer-Encoding: chunked", &chunked(&text, 10));
    assert_eq!(rules(&framed, &none), [(Form::Shape, rule)]);
    // A value that is known has no rule.
    let both = gzip(&[VALUE, b"\n"].concat());
    let beside = [&gzip(&text)[..], b" and ", &both, VALUE].concat();
    assert_eq!(
        rules(&beside, &set()),
        [
            (Form::Packed, rule),
            (Form::Packed, None),
            (Form::Exact, None)
        ]
    );
}
