//! Whatever a script does, it ends, and with a bounded stack and memory.

use subrosa_script::run::{Ending, run};
use subrosa_script::syntax::{Source, parse};

use super::shown;
use super::world::Recorded;

fn told(text: &str) -> String {
    let shown = shown(text, "a secret");
    assert_eq!(shown.ending, Ending::Failure, "{text}");
    shown.seen.last().cloned().unwrap_or_default()
}

/// Containers within containers, one more with every turn: their depth is that of no stack.
#[test]
fn containers_are_nested_to_a_depth() {
    for nest in [
        "container into ::d\nadd item ::c\nend\n::d into ::c",
        "container into ::d\nend\nlist add ::d ::c\n::d into ::c",
        "container into ::d\nend\nmap set ::d 'k' ::c\n::d into ::c",
        "container into ::e\nadd map 'k' ::c\nend\ncontainer into ::d\nend\n\
         map merge ::d ::e\n::d into ::c",
    ] {
        for first in ["'x'", "@{vault 'S1'}"] {
            let text = format!(
                "container into ::c\nadd item {first}\nend\nrepeat 2000000\n{nest}\nend\nsuccess"
            );
            let told = told(&text);
            assert!(told.contains("containers within each other"), "{told}");
        }
    }
}

/// One text after another in a container: 8 of 8 MiB are as many as there may be.
#[test]
fn a_container_holds_so_much_text() {
    let long = "'0123456789abcdef' into @x\nrepeat 19\n@x append @x into @x\nend\n";
    let items = "add item @x\n".repeat(7);
    let full = format!(
        "{long}container into ::d\nadd item @x\nend\ncontainer into ::c\n{items}add item ::d\nend\n"
    );
    for more in [
        "list add ::c 'y'",
        "container into ::i\nadd item 'y'\nend\nlist add ::c ::i",
        "open container ::c\nadd item 'y'\nend",
        "container into ::e\nadd map 'k' ::c\nend",
    ] {
        let told = told(&format!("{full}{more}\nsuccess"));
        assert!(told.contains("bytes of text"), "{told}");
    }
    // What is taken out, or put in another's place, makes room.
    let text = format!(
        "{long}container into ::m\n{}end\ncontainer into ::l\nend\nopen container ::l\n{}end\nsuccess",
        "add map 'k' @x\n".repeat(20),
        "add item @x\nremove item @x\n".repeat(20)
    );
    assert_eq!(shown(&text, "x").ending, Ending::Success);
}

/// A world may end a script that goes on and on, also one that does nothing but that.
#[test]
fn a_world_ends_a_run() {
    for text in [
        "while true\nend\nsuccess",
        "repeat 99999999\nend\nsuccess",
        "safe while true\nsafe say 'x'\nend\nsafe while true\nend\nsuccess",
        "function #f\nwhile true\nend\nend\nsafe #f\nsafe #f\nsuccess",
        "container into ::c\nadd item 'x'\nend\nwhile true\niterate ::c as @i\nend\nend",
    ] {
        let script = parse(Source::new("s.sky", text)).expect("a script");
        let mut world = Recorded::new(&[]);
        world.steps_left = 500;
        let report = run(&script, &mut world, &mut Vec::new());
        assert_eq!(report.ending, Ending::Failure, "{text}");
        assert_eq!(report.diagnostic.expect("why").code, "over", "{text}");
        assert!(!report.is_by_secret);
    }
}

/// Where that comes about in a block on a secret, how far it came may be by the secret.
#[test]
fn an_end_in_a_block_on_a_secret_is_by_it() {
    let text = "vault 'S1' into @s\nsensitive while @s\nend\nsuccess";
    let script = parse(Source::new("s.sky", text)).expect("a script");
    let mut world = Recorded::new(&[("S1", "true")]);
    world.steps_left = 500;
    let report = run(&script, &mut world, &mut Vec::new());
    assert!(report.is_by_secret);
    assert_eq!(report.diagnostic.expect("why").code, "failed-within");
}
