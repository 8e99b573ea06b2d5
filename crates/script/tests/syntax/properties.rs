//! What holds for every text and every script.

use proptest::prelude::*;
use proptest::sample::select;
use subrosa_script::syntax::{self, Source};

fn operand() -> impl Strategy<Value = String> {
    let known = select(vec![
        "@a",
        "@b_2",
        "::c",
        "::c:key",
        "::c:0",
        "@{a}",
        "@{::c:k}",
        "@{vault 'N'}",
        "true",
        "false",
        "0",
        "-1.5",
        "''",
        "'it\\'s'",
        "'a\\\\'",
        "'@{a} @{vault 'N'} @{::c:0}'",
        "'a\n  b. \n~ c'",
        "'~~~'",
        "'\r\n~~~\n'",
        "'with risk'",
    ])
    .prop_map(str::to_owned);
    let any =
        "[a-zA-Z0-9 .~@{}:#\t\n漢]{0,12}".prop_map(|text| format!("'{}'", text.replace("@{", "")));
    prop_oneof![3 => known, 1 => any]
}

/// A head, and the modifiers that it takes.
fn plain() -> impl Strategy<Value = (String, Vec<String>)> {
    let heads = select(vec![
        ("V", vec!["into @x"]),
        ("set V", vec!["into vault 'N'", "as integer"]),
        ("V", vec!["into environment 'E'"]),
        ("V append V", vec!["into @x"]),
        ("V + V", vec!["into @x", "as integer"]),
        ("vault 'N'", vec!["into @x"]),
        ("say V", vec![]),
        (
            "ask V",
            vec!["with default 'd'", "with mask", "into vault 'N'"],
        ),
        ("cabinet write file V", vec!["with content 'c'"]),
        ("cabinet file append V", vec!["with 'risk'"]),
        ("cabinet read V", vec!["into @x"]),
        ("cabinet move V to V", vec![]),
        ("script V", vec!["into @o"]),
        ("program run V", vec![]),
        ("call V", vec!["with @v", "into @x"]),
        ("text replace V V V", vec!["into @x"]),
        ("math add V V V", vec!["into @x"]),
        ("list join ::xs", vec!["with ','", "into @x"]),
        ("map set ::m V V", vec![]),
        ("increase @i by V", vec![]),
        ("wait V minutes", vec![]),
        ("success V", vec![]),
        ("#f V V", vec!["into @r"]),
    ]);
    let signatures = prop::collection::vec(
        select(vec![
            "trace",
            "elapsed",
            "silent",
            "timeout 5 seconds",
            "with risk",
        ]),
        0..3,
    );
    (
        heads,
        prop::collection::vec(operand(), 3),
        signatures,
        any::<u64>(),
    )
        .prop_map(|((head, takes), operands, signatures, order)| {
            let mut text = head.to_owned();
            for operand in &operands {
                // A hole at a time: what is filled in is not looked at again.
                text = text.replacen('V', &operand.replace('V', "v"), 1);
            }
            let text = text.replace('V', "'last'");
            let mut modifiers: Vec<String> = takes.into_iter().map(str::to_owned).collect();
            for one in signatures {
                let refused = head.starts_with('#') && one == "with risk";
                if !refused && !modifiers.iter().any(|other| other == one) {
                    modifiers.push(one.to_owned());
                }
            }
            if !modifiers.is_empty() {
                let middle = usize::try_from(order).unwrap_or(0) % modifiers.len();
                modifiers.rotate_left(middle);
            }
            (text, modifiers)
        })
}

/// White space and comments between the words of a statement.
fn gap() -> impl Strategy<Value = &'static str> {
    select(vec![
        " ",
        "  ",
        "\t",
        "\n  ",
        " ~ note\n",
        " ~ note\n\n  ",
        " ~~~\n",
    ])
}

fn statement() -> impl Strategy<Value = String> {
    let clauses = select(vec!["", "safe ", "sensitive ", "safe  sensitive "]);
    let end = select(vec![
        "\n",
        ".\n",
        "\n\n\n",
        " ~ end\n",
        ". ",
        ".\n~~~\nblock\n~~~\n",
        " ~~~\n",
    ]);
    (clauses, plain(), prop::collection::vec(gap(), 6), end).prop_map(
        |(clauses, (head, modifiers), gaps, end)| {
            let mut text = format!("{clauses}{head}");
            for (modifier, gap) in modifiers.iter().zip(gaps.iter().cycle()) {
                text.push_str(gap);
                text.push_str(modifier);
            }
            text + end
        },
    )
}

fn script() -> impl Strategy<Value = String> {
    let leaf = prop::collection::vec(statement(), 0..4).prop_map(|all| all.concat());
    let heads = select(vec![
        "if @a is 'x'\nB\nelse if @b > 2 ~ c\nB\n\n\nelse\nB\n~ last\nend ~ e\n",
        "safe\nB\nend\n",
        "sensitive while @a\nB\nend\n",
        "repeat 3\n\nB\n~ in\n\nend\n",
        "foreach from ::c into @i\nB\nend\n",
        "open container ::c\nadd item 1. add map 'k' @v\nremove item 2 ~ x\nadd container 'n'\nend\nend\nB\n",
        "B\n~ between\n\n\nB\n",
    ]);
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (heads.clone(), prop::collection::vec(inner, 3)).prop_map(|(head, bodies)| {
            let mut parts = head.split('B');
            let mut text = parts.next().unwrap_or_default().to_owned();
            for (part, body) in parts.zip(bodies.iter().cycle()) {
                text.push_str(body);
                text.push_str(part);
            }
            text
        })
    })
}

fn check(text: &str) -> Result<bool, TestCaseError> {
    let source = Source::new("t.sky", text);
    let script = match syntax::parse(source.clone()) {
        Ok(script) => script,
        Err(errors) => {
            prop_assert!(!errors.diagnostics.is_empty());
            prop_assert!(errors.render().contains("error["));
            prop_assert!(syntax::format(source).is_err());
            return Ok(false);
        }
    };
    let laid = syntax::format(source).unwrap();
    let again = syntax::parse(Source::new("t.sky", &laid));
    let again = again.map_err(|errors| {
        TestCaseError::fail(format!("{text}\n--\n{laid}\n--\n{}", errors.render()))
    })?;
    prop_assert!(script == again, "{}\n--\n{}", text, laid);
    prop_assert_eq!(syntax::format(Source::new("t.sky", &laid)).unwrap(), laid);
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn scripts_survive_their_layout(text in script()) {
        if !check(&text)? {
            let errors = syntax::parse(Source::new("t.sky", &text)).unwrap_err();
            return Err(TestCaseError::fail(format!("{text}\n{}", errors.render())));
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        check(&text)?;
    }

    #[test]
    fn no_run_of_words_panics(words in prop::collection::vec(select(vec![
        "say", "'x'", "'", "@x", "::c", "#f", "@{", "@{x}", "into", "vault", "with", "risk", "safe",
        "sensitive", "if", "else", "else if", "end", "while", "repeat", "iterate", "function", "add",
        "item", "container", "open", "~", "~~~", "\n", "\n", ".", "5", "+", "is", "not", ">", "on",
        "linux", "timeout", "seconds", "text", "upper", "cabinet", "write", "\\", "\r", "\u{feff}",
    ]), 0..40), glue in select(vec![" ", "", "\n"])) {
        check(&words.join(glue))?;
    }
}
