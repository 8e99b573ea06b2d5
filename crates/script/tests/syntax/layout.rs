//! The one layout.

use subrosa_script::syntax::{self, Source};

use crate::support::{layout, parse};

/// The layout of a text, which says the same and is its own layout.
fn laid(text: &str) -> String {
    let laid = layout(text);
    assert!(parse(text) == parse(&laid), "{text}\n{laid}");
    assert_eq!(layout(&laid), laid, "twice");
    laid
}

#[test]
fn statements_stand_one_a_line_without_dots() {
    assert_eq!(
        laid("say   'a'.say 'b' .  say 5."),
        "say 'a'\nsay 'b'\nsay 5\n"
    );
    assert_eq!(laid(""), "");
    assert_eq!(
        laid("\n\n\nsay 'a'\n\n\n\nsay 'b'\n\n\n"),
        "say 'a'\n\nsay 'b'\n"
    );
    assert_eq!(
        laid("\u{feff}say 'a'\r\n\r\nsay 'b'\r\n"),
        "say 'a'\n\nsay 'b'\n"
    );
}

#[test]
fn modifiers_stand_in_one_order() {
    let canonical = "safe sensitive script 'x' into @o with risk trace elapsed silent timeout 5 seconds on linux\n";
    assert_eq!(
        laid(
            "safe   sensitive script 'x'\n timeout 5 seconds silent\n with risk elapsed into @o trace on linux."
        ),
        canonical
    );
    assert_eq!(laid(canonical), canonical);
    assert_eq!(
        laid("ask 'x' into @a with mask with default 'y'"),
        "ask 'x' with default 'y' with mask into @a\n"
    );
    assert_eq!(
        laid("@a + @b into @c as integer"),
        "@a + @b as integer into @c\n"
    );
    assert_eq!(
        laid("cabinet write 'p' with risk with 'c'"),
        "cabinet write 'p' with 'c' with risk\n"
    );
}

#[test]
fn blocks_are_indented() {
    assert_eq!(
        laid(
            "sensitive\nif @a\nsay 1\nelse if @b is 'x'\nsay 2\nelse\n~ none\nend\n\nend\nfunction #f\ncontainer into ::c\nadd container 'n'\nadd item 1\nend\nend\nsuccess\nend"
        ),
        "sensitive\n    if @a\n        say 1\n    else if @b is 'x'\n        say 2\n    else\n        ~ none\n    end\n\nend\nfunction #f\n    container into ::c\n        add container 'n'\n            add item 1\n        end\n    end\n    success\nend\n"
    );
}

#[test]
fn comments_keep_their_places() {
    assert_eq!(
        laid(
            "~ top  \n\n\n  ~ next\nsay 'a' ~why\nif @a~ head\n~ in\nsay 'b'. say 'c' ~ both\n~ last\nend ~ done\n~ bottom"
        ),
        "~ top\n\n~ next\nsay 'a'  ~why\nif @a  ~ head\n    ~ in\n    say 'b'\n    say 'c'  ~ both\n    ~ last\nend  ~ done\n~ bottom\n"
    );
    assert_eq!(
        laid("say @x ~ one\n\n with risk ~ three\n"),
        "~ one\nsay @x with risk  ~ three\n"
    );
    assert_eq!(laid("say @x ~~~\n with risk\n"), "~ ~~\nsay @x with risk\n");
    assert_eq!(laid("say 'x' ~~~\n"), "say 'x'  ~~~\n");
}

#[test]
fn block_comments_and_long_texts_stay_byte_for_byte() {
    let text = "if @a\n~~~\n  any  \n\tthing . \n~~~\n    say 'one  \n\n\n  two\t\n'\nend\n";
    assert_eq!(laid(text), text);
    assert_eq!(laid("say 'a\r\nb'\r\n"), "say 'a\r\nb'\n");
}

#[test]
fn what_does_not_parse_has_no_layout() {
    assert!(syntax::format(Source::new("t.sky", "say 'x' with rsk")).is_err());
}
