//! Attacks on the masking of output: other encodings, pieces, beginnings, and files in between.

use std::fs;
use std::path::PathBuf;

use subrosa_redact::{Codings, Unpacker};

use super::must;
use super::releases::apply;
use crate::demo::invented;
use crate::demo::stage::{Ran, Stage, write};
use crate::demo::verdict::Verdict;
use crate::failure::Failure;

const MASK: &str = "[REDACTED:shop/STRIPE_KEY]";
/// Letters and digits that may stand beside a mask: of an encoding, what another text before the
/// value makes of it; of colours, their numbers; of a value that comes slowly, three.
const BESIDE: usize = 12;

/// An installation where `sh attack` gets what it asks for.
struct Attacked<'a> {
    stage: &'a Stage,
    home: PathBuf,
}

impl<'a> Attacked<'a> {
    fn new(stage: &'a Stage, name: &str) -> Result<Self, Failure> {
        let home = stage.copy(name)?;
        let rule =
            "{ allow: run, command: sh, args: [attack], secrets: [\"shop/**\"], inject: env }";
        apply(stage, &home, &[rule])?;
        Ok(Self { stage, home })
    }

    /// Runs a script with these secrets.
    fn run(&self, keys: &[&str], script: &str) -> Result<Ran, Failure> {
        write(&self.stage.work.join("attack"), script.as_bytes())?;
        let mut words = vec!["run"];
        for key in keys {
            words.extend(["-k", key]);
        }
        words.extend(["--", "sh", "attack"]);
        self.stage.call(&words).at(&self.home).run()
    }

    /// What is wrong with what each script shows of the value, if anything is.
    fn seen(&self, scripts: &[(&str, &str)]) -> Result<Option<String>, Failure> {
        for (what, script) in scripts {
            let script = format!("V=$STRIPE_KEY; {script}");
            let ran = self.run(&["shop/STRIPE_KEY"], &script)?;
            let text = ran.out();
            let beside = text.replace(MASK, "");
            let beside = beside.chars().filter(char::is_ascii_alphanumeric).count();
            if !ran.ok() || !text.contains(MASK) || beside > BESIDE {
                return Ok(Some(format!("{what} is not masked: {}", ran.ending())));
            }
        }
        Ok(None)
    }
}

/// Row 9: a command writes its value in another encoding.
pub(super) fn encodings(stage: &Stage) -> Result<Verdict, Failure> {
    const WAYS: [(&str, &str); 8] = [
        ("base64", "printf %s \"$V\" | base64 -w0"),
        (
            "base64 of user and password",
            "printf %s \"user:$V\" | base64",
        ),
        (
            "base64 of base64",
            "printf %s \"$V\" | base64 -w0 | base64 -w0",
        ),
        (
            "hexadecimal",
            "printf %s \"$V\" | od -An -v -tx1 | tr -d ' \\n'",
        ),
        ("a dump", "printf %s \"$V\" | od -An -v -tx1"),
        (
            "hexadecimal in capitals",
            "printf %s \"$V\" | od -An -v -tx1 | tr -d ' \\n' | tr a-f A-F",
        ),
        ("lower case", "printf %s \"$V\" | tr A-Z a-z"),
        ("rot13", "printf %s \"$V\" | tr A-Za-z N-ZA-Mn-za-m"),
    ];
    let wrong = Attacked::new(stage, "encodings")?.seen(&WAYS)?;
    must!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    Ok(Verdict::held(format!(
        "masked in {} encodings, by the programs that write them",
        WAYS.len()
    )))
}

/// Row 10: a command compresses what it writes.
pub(super) fn packed(stage: &Stage) -> Result<Verdict, Failure> {
    let attacked = Attacked::new(stage, "packed")?;
    let ran = attacked.run(
        &["shop/STRIPE_KEY"],
        "{ echo \"key: <$STRIPE_KEY>\"; seq 99; } | gzip -c",
    )?;
    must!(ran.ok(), "the command did not run: {}", ran.err());
    let unpacked = unpacked(&ran.stdout);
    must!(
        unpacked.is_some_and(|text| String::from_utf8_lossy(&text).contains(MASK)),
        "what was compressed is not compressed again with a mask"
    );
    Ok(Verdict::held("gzip is opened, and made anew with a mask"))
}

/// What gzip says; nothing if it is not sound.
fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    const MOST: u64 = 1 << 20;
    let mut text = Vec::new();
    let mut take = |piece: &[u8]| text.extend_from_slice(piece);
    let mut unpacker = Unpacker::new(&Codings::parse("gzip").ok()?, MOST);
    unpacker.push(packed, &mut take).ok()?;
    unpacker.finish(&mut take).ok()?;
    Some(text)
}

/// Row 11: a command writes its value in pieces.
pub(super) fn pieces(stage: &Stage) -> Result<Verdict, Failure> {
    const WAYS: [(&str, &str); 5] = [
        ("a byte a write", "printf %s \"$V\" | dd bs=1 2>/dev/null"),
        ("five characters a line", "echo \"$V\" | fold -w 5"),
        (
            "a value in quoted lines",
            "echo \"$V\" | fold -w 7 | sed 's/^/> /'",
        ),
        ("a value with spaces in it", "echo \"$V\" | sed 's/./& /g'"),
        (
            "a value with a colour in it",
            "printf '%s\\033[31m%s\\033[0m\\n' \"${V%??????}\" \"${V#\"${V%??????}\"}\"",
        ),
    ];
    let wrong = Attacked::new(stage, "pieces")?.seen(&WAYS)?;
    must!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    Ok(Verdict::held(
        "masked over writes and lines, and with spaces and colours inside",
    ))
}

/// Row 12: a command writes only a beginning or an end of its value.
pub(super) fn beginnings(stage: &Stage) -> Result<Verdict, Failure> {
    let attacked = Attacked::new(stage, "beginnings")?;
    // No value has a 0: what follows a beginning may not complete it, in whatever case.
    let script = "V=$STRIPE_KEY; for n in 20 24 30 39; do printf \"%.${n}s 0\\n\" \"$V\"; \
                  echo \"$V\" | cut -c1-$n; echo 0; echo \"$V\" | tail -c $n; echo 0; done; \
                  printf %.30s \"$V\"";
    let ran = attacked.run(&["shop/STRIPE_KEY"], script)?;
    must!(ran.ok(), "the command did not run: {}", ran.err());
    must!(
        !stage.shows_a_value(&ran.stdout),
        "twelve characters of a value were seen"
    );
    must!(
        ran.out().matches(MASK).count() == 13,
        "a part of a value is not masked"
    );
    // What is public of it is, and a few characters are nobody's secret.
    let ran = attacked.run(&["shop/STRIPE_KEY"], "printf %.8s \"$STRIPE_KEY\"")?;
    must!(
        ran.out() == "sk_live_",
        "a vendor's prefix is taken for a value"
    );
    Ok(Verdict::held(
        "no beginning or end with 12 characters beyond a vendor's prefix is seen",
    ))
}

/// Row 32: one run writes a value to a file, and another reads it.
pub(super) fn kept(stage: &Stage) -> Result<Verdict, Failure> {
    let attacked = Attacked::new(stage, "kept")?;
    let wrote = attacked.run(
        &["shop/STRIPE_KEY"],
        "echo \"$STRIPE_KEY\" >kept; base64 <kept >>kept",
    )?;
    must!(wrote.ok(), "the command did not run: {}", wrote.err());
    let kept = stage.work.join("kept");
    let there = fs::read(&kept).map_err(Failure::io("kept"))?;
    must!(
        stage
            .values
            .iter()
            .any(|value| invented::shows(&there, value)),
        "the attack wrote no value"
    );
    let another = invented::value("sk_live_", 32);
    let set = stage.call(&["set", "shop/STRIPE_KEY", "--stdin"]);
    for keys in [&[][..], &["shop/GITHUB_TOKEN"], &["shop/STRIPE_KEY"]] {
        let ran = attacked.run(keys, "cat kept")?;
        let masked = ran.out().matches(MASK).count() == 2;
        must!(
            masked && !stage.shows_a_value(&ran.stdout),
            "another run shows what one run wrote"
        );
    }
    // Also when the secret has another value by now.
    let stored = set.at(&attacked.home).input(another).run()?;
    must!(stored.ok(), "a value was not stored: {}", stored.err());
    let ran = attacked.run(&["shop/STRIPE_KEY"], "cat kept")?;
    must!(
        ran.out().matches(MASK).count() == 2 && !stage.shows_a_value(&ran.stdout),
        "an older value is not masked any more"
    );
    fs::remove_file(&kept).map_err(Failure::io("kept"))?;
    Ok(Verdict::held(
        "runs with other secrets, with none and with a newer value mask it",
    ))
}
