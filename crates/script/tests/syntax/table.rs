//! Every row of the language's table, in every way that it may be written.

use subrosa_script::syntax::ast::{
    Cabinet, Command, Comparison, Lens, ListOp, Os, Part, Place, Unit,
};
use subrosa_script::syntax::ast::{MapOp, OperandKind, TextOp};

use crate::support::{codes, kinds, parse, shape};

/// The only statement of a text.
fn one(text: &str) -> subrosa_script::syntax::ast::Statement {
    let mut script = parse(text);
    assert_eq!(script.body.statements.len(), 1, "{text}");
    script.body.statements.remove(0)
}

macro_rules! commands {
    ($($text:literal => $pattern:pat, $shape:literal;)*) => {
        $({
            let statement = one($text);
            assert!(matches!(statement.command, $pattern), "{}: {:?}", $text, statement.command);
            assert_eq!(shape(&statement), $shape, "{}", $text);
        })*
    };
}

#[test]
fn values_go_into_variables_the_vault_and_the_environment() {
    commands! {
        "'x' into @a" => Command::Assign { .. }, "[0] into @a";
        "set 'x' into @a" => Command::Assign { .. }, "set [0] into @a";
        "5 into @a" => Command::Assign { .. }, "[0] into @a";
        "true into @a" => Command::Assign { .. }, "[0] into @a";
        "@b into @a as integer" => Command::Assign { .. }, "[0] into @a as integer";
        "::c into ::d" => Command::Assign { .. }, "[0] into ::d";
        "::c:key into @a" => Command::Assign { .. }, "[0] into @a";
        "@{vault 'N'} into @a" => Command::Assign { .. }, "[0] into @a";
        "'x' into vault 'N'" => Command::Store { .. }, "[0] into vault 'N'";
        "set 'x' into vault 'N'" => Command::Store { .. }, "set [0] into vault 'N'";
        "sensitive 'prefix-@{salt}' into @h" => Command::Assign { .. }, "[0] into @h";
        "'x' into environment 'N'" => Command::Environment { .. }, "[0] into environment [1]";
        "@a into environment @n" => Command::Environment { .. }, "[0] into environment [1]";
        "vault 'N' into @x" => Command::Fetch { .. }, "vault 'N' into @x";
        "vault 'N' into vault 'M'" => Command::Fetch { .. }, "vault 'N' into vault 'M'";
        "system filter 'API*' into vault" => Command::Import { .. }, "system filter [0] into vault";
        "@key append '-suffix' into @c" => Command::Append { .. }, "[0] append [1] into @c";
        "@a + 1 into @b" => Command::Plus { .. }, "[0] + [1] into @b";
        "@a + 1 as integer into @b" => Command::Plus { .. }, "[0] + [1] as integer into @b";
        "'x' append @b into vault 'N'" => Command::Append { .. }, "[0] append [1] into vault 'N'";
    }
    assert_eq!(one("@a + 1 into @b as integer").lens, Some(Lens::Integer));
    assert_eq!(one("@a + 1 into @b").lens, None);
}

#[test]
fn the_console_is_told_and_asked() {
    commands! {
        "say 'x'" => Command::Say { .. }, "say [0]";
        "say ::c:0" => Command::Say { .. }, "say [0]";
        "say ::c" => Command::Say { .. }, "say [0]";
        "ask 'Who?' into @a" => Command::Ask { default: None, mask: false, .. }, "ask [0] into @a";
        "ask 'Who?' into vault 'N'" => Command::Ask { .. }, "ask [0] into vault 'N'";
        "ask 'Who?' with default 'me' into @a" => Command::Ask { default: Some(_), mask: false, .. },
            "ask [0] with default [1] into @a";
        "ask 'Who?' with default 'me' with mask into @a" =>
            Command::Ask { default: Some(_), mask: true, .. },
            "ask [0] with default [1] with mask into @a";
        "ask 'Who?' into @a with mask" => Command::Ask { mask: true, .. }, "ask [0] into @a with mask";
    }
}

#[test]
fn files_are_named_with_or_without_the_word() {
    for text in [
        "cabinet write 'p' with @v",
        "cabinet file write 'p' with @v",
        "cabinet write file 'p' with @v",
        "cabinet write file 'p' with content @v",
        "cabinet file write 'p' with content @v with risk",
        "cabinet write 'p' with risk with @v",
    ] {
        let statement = one(text);
        let Command::Cabinet(Cabinet::Write { path, content }) = statement.command else {
            panic!("{text}: {:?}", statement.command);
        };
        assert_eq!((path.index(), content.index()), (0, 1), "{text}");
        assert_eq!(kinds(&statement), ["text", "variable"], "{text}");
        assert_eq!(statement.risk.is_some(), text.contains("risk"), "{text}");
    }
    commands! {
        "cabinet append 'p' with 'x'" => Command::Cabinet(Cabinet::Append { .. }),
            "cabinet append [0] with [1]";
        "cabinet file append 'p' with 'risk'" => Command::Cabinet(Cabinet::Append { .. }),
            "cabinet file append [0] with [1]";
        "cabinet read 'p' into @x" => Command::Cabinet(Cabinet::Read { .. }),
            "cabinet read [0] into @x";
        "cabinet file read 'p' into @x" => Command::Cabinet(Cabinet::Read { .. }),
            "cabinet file read [0] into @x";
        "cabinet create 'p'" => Command::Cabinet(Cabinet::Create { .. }), "cabinet create [0]";
        "cabinet file delete 'p'" => Command::Cabinet(Cabinet::Delete { .. }),
            "cabinet file delete [0]";
        "cabinet move 'p' 'q'" => Command::Cabinet(Cabinet::Move { .. }), "cabinet move [0] [1]";
        "cabinet file copy 'p' to 'q'" => Command::Cabinet(Cabinet::Copy { .. }),
            "cabinet file copy [0] to [1]";
        "cabinet list 'p' into @x" => Command::Cabinet(Cabinet::List { .. }),
            "cabinet list [0] into @x";
        "cabinet list 'p' into ::c" => Command::Cabinet(Cabinet::List { .. }),
            "cabinet list [0] into ::c";
    }
}

#[test]
fn processes_and_capabilities() {
    commands! {
        "script 'ls'" => Command::Script { into: None, .. }, "script [0]";
        "script 'ls' into @o" => Command::Script { into: Some(_), .. }, "script [0] into @o";
        "program run 'ls -l'" => Command::Program { into: None, .. }, "program run [0]";
        "program run 'ls' into @o" => Command::Program { into: Some(_), .. },
            "program run [0] into @o";
        "call 'mail'" => Command::Call { with: None, into: None, .. }, "call [0]";
        "call 'mail' with @v into @x" => Command::Call { with: Some(_), into: Some(_), .. },
            "call [0] with [1] into @x";
        "sensitive call 'mail' with @v with risk" => Command::Call { with: Some(_), .. },
            "call [0] with [1]";
        "wait '5' seconds" => Command::Wait(_), "wait [0] seconds";
        "wait 5 minutes." => Command::Wait(_), "wait [0] minutes";
    }
}

#[test]
fn tools_take_their_operands() {
    let text = [
        ("length", "@v"),
        ("lower", "@v"),
        ("upper", "@v"),
        ("trim", "@v"),
        ("concat", "@v 'x' 3"),
        ("join", "::c ','"),
        ("join", "::c"),
        ("split", "@v ','"),
        ("replace", "@v 'a' 'b'"),
        ("contains", "@v 'a'"),
        ("startswith", "@v 'a'"),
        ("endswith", "@v 'a'"),
        ("slice", "@v 1"),
        ("slice", "@v 1 2"),
        ("compare", "@v @w"),
    ];
    for (op, args) in text {
        let statement = one(&format!("text {op} {args} into @x"));
        let Command::Text {
            op: found,
            args: ids,
            ..
        } = &statement.command
        else {
            panic!("{op}");
        };
        assert_eq!(found.word(), op);
        assert_eq!(ids.len(), args.split(' ').count());
    }
    for op in [
        "add", "sub", "mul", "div", "mod", "min", "max", "pow", "compare",
    ] {
        let statement = one(&format!("math {op} @v 2.5 into @x"));
        assert!(
            matches!(&statement.command, Command::Math { op: found, .. } if found.word() == op)
        );
    }
    for op in ["abs", "round", "floor", "ceil"] {
        let statement = one(&format!("math {op} -2.5 into @x"));
        assert!(
            matches!(&statement.command, Command::Math { op: found, .. } if found.word() == op)
        );
    }
    commands! {
        "bool all @a true false into @x" => Command::Bool { .. }, "bool all [0] [1] [2] into @x";
        "bool any @a into @x" => Command::Bool { .. }, "bool any [0] into @x";
        "text split @v with ',' into ::c" => Command::Text { op: TextOp::Split, .. },
            "text split [0] with [1] into ::c";
        "list add ::xs 'x'" => Command::List { op: ListOp::Add, value: Some(_), .. },
            "list add ::xs [1]";
        "list remove ::xs 'x' into @r" => Command::List { op: ListOp::Remove, .. },
            "list remove ::xs [1] into @r";
        "list length ::xs into @n" => Command::List { op: ListOp::Length, .. },
            "list length ::xs into @n";
        "list join ::xs with ', ' into @s" => Command::List { op: ListOp::Join, separator: Some(_), .. },
            "list join ::xs with [1] into @s";
        "list join ::xs into @s" => Command::List { op: ListOp::Join, separator: None, .. },
            "list join ::xs into @s";
        "map set ::m 'k' 'v'" => Command::Map { op: MapOp::Set, value: Some(_), .. },
            "map set ::m [1] [2]";
        "map set ::m 'k' with 'v'" => Command::Map { op: MapOp::Set, value: Some(_), .. },
            "map set ::m [1] with [2]";
        "map get ::m 'k' into @x" => Command::Map { op: MapOp::Get, .. }, "map get ::m [1] into @x";
        "map has ::m 'k' into @x" => Command::Map { op: MapOp::Has, .. }, "map has ::m [1] into @x";
        "map merge ::m ::n into ::o" => Command::Map { op: MapOp::Merge, .. },
            "map merge ::m ::n into ::o";
    }
}

#[test]
fn containers_hold_entries() {
    let text = "container into ::c\n add item 'a'\n add map 'k' @v\n add container 'n'\n  add item 1\n \
                end\nend\nopen container ::c\n add item 2\n remove item 'a'\nend\n";
    let script = parse(text);
    let [
        Command::Container { body, .. },
        Command::Open { body: changes, .. },
    ] = [
        &script.body.statements[0].command,
        &script.body.statements[1].command,
    ]
    else {
        panic!("{script:?}");
    };
    assert!(matches!(
        body.statements[0].command,
        Command::AddItem { .. }
    ));
    assert!(matches!(body.statements[1].command, Command::AddMap { .. }));
    assert!(
        matches!(&body.statements[2].command, Command::AddContainer { body, .. }
        if body.statements.len() == 1)
    );
    assert!(matches!(
        changes.statements[1].command,
        Command::RemoveItem { .. }
    ));
    assert_eq!(shape(&body.statements[1]), "add map [0] [1]");
}

#[test]
fn blocks_and_conditions() {
    let comparisons = [
        ("is", Comparison::Is),
        ("is not", Comparison::IsNot),
        (">", Comparison::Greater),
        ("<", Comparison::Less),
        (">=", Comparison::GreaterOrEqual),
        ("<=", Comparison::LessOrEqual),
        ("contains", Comparison::Contains),
    ];
    for (word, comparison) in comparisons {
        let statement = one(&format!("while @a {word} 'b'\nend"));
        let Command::While { condition, .. } = &statement.command else {
            panic!("{word}")
        };
        assert_eq!(condition.compared.map(|(found, _)| found), Some(comparison));
        assert_eq!(shape(&statement), format!("while [0] {word} [1]"));
    }
    let chain =
        one("safe sensitive if @a\nsay 1\nelse if @b is 2\nsay 2\nelse if 'x'\nelse\nsay 3\nend");
    assert!(chain.clauses.safe.is_some() && chain.clauses.sensitive.is_some());
    let Command::If { arms, otherwise } = &chain.command else {
        panic!("{chain:?}")
    };
    let shapes: Vec<_> = arms
        .iter()
        .map(|arm| arm.phrase.line(|_| "V".to_owned()))
        .collect();
    assert_eq!(shapes, ["if V", "else if V is V", "else if V"]);
    assert_eq!(
        otherwise.as_ref().map(|block| block.statements.len()),
        Some(1)
    );
    for text in [
        "iterate ::c as @i\nsay @i\nend",
        "foreach from ::c into @i\nsay @i\nend",
    ] {
        assert!(
            matches!(one(text).command, Command::Iterate { .. }),
            "{text}"
        );
    }
    assert!(matches!(
        one("repeat 3\nend").command,
        Command::Repeat { .. }
    ));
    assert!(matches!(
        one("repeat '3'\nend").command,
        Command::Repeat { .. }
    ));
    commands! {
        "increase @i by 'n'" => Command::Step { by: Some(_), down: false, .. }, "increase @i by [0]";
        "decrease @i by 2" => Command::Step { by: Some(_), down: true, .. }, "decrease @i by [0]";
        "increase @i" => Command::Step { by: None, .. }, "increase @i";
        "success" => Command::Success { value: None }, "success";
        "success @x" => Command::Success { value: Some(_) }, "success [0]";
        "failure 'why'" => Command::Failure { value: Some(_) }, "failure [0]";
        "fail" => Command::Failure { value: None }, "fail";
    }
}

#[test]
fn functions_are_called_before_they_are_defined() {
    let script = parse(
        "#f 'x' 2 into @r\n#g\nfunction #f\n  parameter 1 into @a\n  safe parameter '2' into @b\n  \
         success @a\nend\n",
    );
    let Command::Invoke {
        function,
        args,
        into,
    } = &script.body.statements[0].command
    else {
        panic!("{script:?}");
    };
    assert_eq!((args.len(), into.is_some()), (2, true));
    assert_eq!(
        script
            .function(*function)
            .map(|one| one.body.statements.len()),
        Some(3)
    );
    let Command::Invoke { function, .. } = &script.body.statements[1].command else {
        panic!("{script:?}");
    };
    assert!(
        script.function(*function).is_none(),
        "#g is defined nowhere"
    );
    assert!(matches!(
        script.body.statements[2].command,
        Command::Define(_)
    ));
    assert_eq!(shape(&script.body.statements[0]), "#f [0] [1] into @r");
}

#[test]
fn clusters_and_clauses() {
    let script =
        parse("safe sensitive\n  say 'a'\n  sensitive\n    say 'b'\n  end\nend\nsensitive say 'c'");
    let Command::Cluster { body } = &script.body.statements[0].command else {
        panic!()
    };
    assert!(script.body.statements[0].clauses.safe.is_some());
    assert!(body.statements[0].clauses.safe.is_none(), "not repeated");
    assert!(matches!(
        body.statements[1].command,
        Command::Cluster { .. }
    ));
    assert!(script.body.statements[1].clauses.sensitive.is_some());
}

#[test]
fn modifiers_come_in_any_order_and_on_the_next_line() {
    let texts = [
        "sensitive script 'x' into @o with risk trace elapsed silent timeout 5 seconds on linux",
        "sensitive script 'x' silent with risk timeout 5 seconds into @o elapsed trace on linux",
        "sensitive script 'x' ~ why\n\n  with risk ~ why\n\n\t\n  into @o trace elapsed\n silent timeout 5 seconds\n on linux.",
    ];
    for text in texts {
        let statement = one(text);
        assert!(statement.risk.is_some(), "{text}");
        let signatures = statement.signatures;
        assert!(signatures.trace.is_some() && signatures.elapsed.is_some());
        assert!(signatures.silent.is_some());
        assert_eq!(
            signatures.timeout.map(|delay| delay.unit),
            Some(Unit::Seconds)
        );
        assert_eq!(signatures.on, Some(Os::Linux));
        assert_eq!(shape(&statement), "script [0] into @o", "{text}");
    }
}

#[test]
fn dots_end_statements_and_not_numbers() {
    assert_eq!(
        parse("say 'a.b'. say 1.5. say 2.\nsay ::c:0.")
            .body
            .statements
            .len(),
        4
    );
    let number = one("say 5.\n");
    assert!(
        matches!(&number.phrase.operands[0].kind, OperandKind::Number(text) if text.as_str() == "5")
    );
    assert_eq!(codes("say 'a'.. say 'b'"), ["stray-dot"]);
    assert_eq!(codes("say 5x"), ["bad-number"]);
}

#[test]
fn texts_resolve_escapes_and_names() {
    let statement = one(r"say 'it\'s \\ \n @{x} @{::c:0} @{vault 'N'} @{} a@b @{1}'");
    let OperandKind::Text(text) = &statement.phrase.operands[0].kind else {
        panic!()
    };
    let shown: Vec<String> = text
        .parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.as_str().to_owned(),
            Part::Variable(_) => "variable".to_owned(),
            Part::Field(field) => format!("field {}", field.key),
            Part::Vault(entry) => format!("vault {entry}"),
        })
        .collect();
    assert_eq!(
        shown,
        [
            r"it's \ \n ",
            "variable",
            " ",
            "field 0",
            " ",
            "vault N",
            " @{} a@b @{1}"
        ]
    );
    let lines = one("say 'one\n  two.\n~ three'");
    let OperandKind::Text(text) = &lines.phrase.operands[0].kind else {
        panic!()
    };
    assert_eq!(text.literal(), Some("one\n  two.\n~ three"));
    assert_eq!(one("say ''").phrase.operands.len(), 1);
}

#[test]
fn comments_are_not_read() {
    let text =
        "~ one\nsay 'a ~ b' ~ two. say 'c'\n~~~\nsay 'd'\n~~~ not the end\n ~~~\n~~~\nsay 'e'\n";
    assert_eq!(parse(text).body.statements.len(), 2);
    assert_eq!(codes("~~~\nsay 'x'\n"), ["unclosed-comment"]);
    assert_eq!(codes("  ~~~\nsay 'x'\n"), ["blanks-beside-comment"]);
    assert_eq!(codes("~~~ \nsay 'x'\n"), ["blanks-beside-comment"]);
}

#[test]
fn the_examples_of_the_vault_page_parse() {
    let script = parse(
        "'my-secret' into vault 'API_KEY'\nsystem filter 'API*' into vault\nvault 'API_KEY' into @key\n\
         @key append '-suffix' into @composite  ~ @composite is now sensitive\n\
         'Bearer @{key}' into @auth_header ~ interpolation taints the string\n\
         sensitive say @secret\nsensitive say @secret with risk\n\
         sensitive script 'curl -H \"Authorization: Bearer @{key}\" https://api.example.com' with risk\n\
         sensitive cabinet file write 'secrets.txt' with @pass with risk\n\
         sensitive 'prefix-@{salt}' into @hash_base\n",
    );
    assert_eq!(script.body.statements.len(), 10);
    let risky: Vec<usize> = (0..10)
        .filter(|at| script.body.statements[*at].risk.is_some())
        .collect();
    assert_eq!(risky, [6, 7, 8]);
    let Command::Assign { into, .. } = &script.body.statements[9].command else {
        panic!()
    };
    assert!(matches!(into.place, Place::Variable(id) if script.variables.text(id) == "hash_base"));
}
