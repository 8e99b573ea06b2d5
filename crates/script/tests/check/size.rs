//! Large scripts, and scripts that were made to take long.

use std::fmt::Write as _;

use super::checked;

/// A chain through a loop takes as many turns as it has links; the check does not.
#[test]
fn a_long_chain_is_cut_short() {
    let mut text = "vault 'S' into @v0\nrepeat 2\n".to_owned();
    for link in (0..2000).rev() {
        let _ = writeln!(text, "@v{link} into @v{}", link + 1);
    }
    text.push_str("end\nsay @v2000\nsuccess\n");
    assert_eq!(checked(&text).refused(), 1);
}

/// Loops within loops are gone through together.
#[test]
fn deep_loops_take_no_longer_than_flat_ones() {
    let mut text = "vault 'S' into @s\n'p' into @x\n".to_owned();
    for _ in 0..60 {
        text.push_str("repeat 2\n");
    }
    text.push_str("@y into @z\n@x into @y\n@s into @x\n");
    text.push_str(&"end\n".repeat(60));
    text.push_str("safe say @z\nsuccess\n");
    assert_eq!(checked(&text).refused(), 1);
}

#[test]
fn functions_that_call_each_other_end() {
    let mut text = String::new();
    for at in 0..200 {
        let _ = writeln!(
            text,
            "function #f{at}\nparameter 1 into @a\nif 'a' is 'b'\n#f{} @a into @a\n#f{} 'x'\nend\nsuccess @a\nend",
            (at + 1) % 200,
            (at + 7) % 200
        );
    }
    text.push_str("vault 'S' into @s\n#f0 @s into @x\nsay @x\nsuccess\n");
    assert_eq!(checked(&text).refused(), 1);
}

#[test]
fn many_branches_and_names_take_little() {
    let mut text = "vault 'S' into @s\n".to_owned();
    for at in 0..12_000 {
        let _ = writeln!(text, "if 'a' is 'b'\n@s into @v{at}\nend");
    }
    text.push_str("say @v11999\nsuccess\n");
    assert_eq!(checked(&text).refused(), 1);
}

/// A result comes up through every call, and an argument down.
#[test]
fn a_chain_of_calls_is_followed_to_its_end() {
    let mut text = String::new();
    for at in 0..2000 {
        let _ = writeln!(
            text,
            "function #f{at}\nparameter 1 into @a\n#f{} @a into @b\nsuccess @b\nend",
            at + 1
        );
    }
    text.push_str("function #f2000\nparameter 1 into @a\nsay @a\nsuccess @a\nend\n");
    text.push_str("vault 'S' into @s\n#f0 @s into @x\nsay @x\nsuccess\n");
    assert_eq!(checked(&text).refused(), 2);
}

#[test]
fn many_early_results_take_little() {
    let mut text = "function #f\nparameter 1 into @a\n".to_owned();
    for at in 0..400 {
        let _ = writeln!(
            text,
            "sensitive if @a is '{at}'\n'v' into @v{at}\nsuccess\nend"
        );
    }
    text.push_str("say 'x'\nsuccess\nend\nvault 'S' into @s\n#f @s\nsuccess\n");
    assert_eq!(checked(&text).refused(), 1);
}

/// Blocks in calls in blocks: on the stack that a thread has by itself.
#[test]
fn calls_out_of_deep_blocks_take_a_bounded_stack() {
    let mut text = String::new();
    for at in 0..40 {
        let _ = writeln!(
            text,
            "function #f{at}\nparameter 1 into @a\n{}#f{} @a into @b\n{}success @b\nend",
            "if 'a' is 'b'\n".repeat(60),
            at + 1,
            "end\n".repeat(60)
        );
    }
    text.push_str("function #f40\nparameter 1 into @a\nsay @a\nsuccess @a\nend\n");
    text.push_str("vault 'S' into @s\n#f0 @s into @x\nsay @x\nsuccess\n");
    assert_eq!(checked(&text).refused(), 2);
}
