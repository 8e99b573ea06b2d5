//! Row 12: a value of which a command shows the beginning or the end alone, and how much of it the
//! masking lets pass.

use subrosa_tests::{Done, held};

use crate::house::{House, KEY, MASK, WAYS};

/// From this length on a part of a value is masked.
const ENOUGH: usize = 12;

/// What is seen of a beginning or an end of the value.
fn part(text: &str) -> &str {
    if text.len() < ENOUGH { text } else { MASK }
}

/// Every beginning and every end.
fn parts() -> String {
    let pairs = (1..KEY.len()).map(|n| (part(&KEY[..n]), part(&KEY[KEY.len() - n..])));
    pairs
        .map(|(first, last)| format!("{first} to {last}\n"))
        .collect()
}

#[test]
fn row_12_beginnings_and_ends_in_a_text() {
    let house = House::new();
    let script = r#"K=$APP_KEY; for n in $(seq 1 25); do echo "${K:0:n} to ${K: -n}"; done"#;
    for way in WAYS {
        assert_eq!(house.run(way, script).text(), parts(), "{way:?}");
        let shown = house.on_terminal(way, script).replace("\r\n", "\n");
        assert_eq!(shown, parts(), "{way:?} on a terminal");
    }
    held(
        12,
        "of a beginning or an end no 12 characters are shown, in pipes and on terminals",
    );
}

/// The beginning that a vendor gives to all of its keys is no secret, and none of the twelve.
#[test]
fn row_12_behind_what_a_vendor_puts_before() {
    const PUBLIC: &str = "sk-ant-api03-";
    let house = House::new();
    let value = format!("{PUBLIC}k7Hq2Zr8vLw4xn0PkQm5t");
    let set = ["set", "app/vendor", "--stdin"];
    house.served.fed(&set, value.as_bytes()).ok();
    let script = format!(
        r#"K=$APP_VENDOR; for n in $(seq 1 {}); do echo "${{K:0:n}}."; done"#,
        value.len()
    );
    let expected: String = (1..=value.len())
        .map(|n| match n < PUBLIC.len() + ENOUGH {
            true => format!("{}.\n", &value[..n]),
            false => "[REDACTED:app/vendor].\n".to_owned(),
        })
        .collect();
    for way in WAYS {
        let done = house.run_with(way, &["app/vendor"], &script);
        assert_eq!(done.text(), expected, "{way:?}");
    }
    held(
        12,
        "a vendor's prefix stays, and no 12 characters behind it",
    );
}

/// A format of the caller's own choosing, by the programs that have one.
#[test]
fn row_12_by_what_cuts() {
    let house = House::new();
    let script = r#"K=$APP_KEY
for n in 8 11 12 16 20; do
  printf '%.*s\n' $n "$K"
  cut -c 1-$n <<<"$K"
  head -c $n <<<"$K"; echo
  tail -c $((n + 1)) <<<"$K"
  awk -v n=$n '{ print substr($0, 1, n) }' <<<"$K"
  jq -rn --argjson n $n 'env.APP_KEY[:$n]'
  python3 -c "import os; print(os.environ['APP_KEY'][:$n] + '...')"
done"#;
    let mut expected = String::new();
    for n in [8, 11, 12, 16, 20] {
        let (first, last) = (part(&KEY[..n]), part(&KEY[KEY.len() - n..]));
        expected.push_str(&format!(
            "{first}\n{first}\n{first}\n{last}\n{first}\n{first}\n{first}...\n"
        ));
    }
    for way in WAYS {
        assert_eq!(house.run(way, script).text(), expected, "{way:?}");
    }
    held(
        12,
        "printf, cut, head, tail, awk, jq and Python show no 12 characters of a value",
    );
}

/// The stream is over before the value is: the command ends, or is killed there.
#[test]
fn row_12_at_the_end() {
    let house = House::new();
    for n in [1, 8, 11, 12, 15, 16, 25] {
        let (first, last) = (part(&KEY[..n]), part(&KEY[KEY.len() - n..]));
        for (end, status) in [("true", 0), ("kill -9 $$", 137)] {
            let script = format!(
                "K=$APP_KEY; printf %s \"${{K:0:{n}}}\"; printf %s \"${{K: -{n}}}\" >&2; {end}"
            );
            for way in WAYS {
                let done = Done::of(&mut house.command(way, &["app/key"], &script), b"");
                assert_eq!(done.status, status, "{way:?}: {done:?}");
                assert_eq!(
                    (done.text().as_str(), done.err.as_str()),
                    (first, last),
                    "{way:?}"
                );
            }
        }
    }
    held(12, "nor at the end of a stream that is cut there");
}
