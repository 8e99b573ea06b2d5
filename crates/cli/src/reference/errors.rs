//! The page of errors.

use super::text_cell;
use crate::failure::KNOWN;

pub(super) fn page() -> String {
    let mut page = "\
# Errors

An error says what failed, why, and what to type next. With `--json` it is one line on standard error:

```json
{\"error\":{\"code\":\"no_vault\",\"message\":\"there is no vault in /home/me/.local/share/subrosa\",\"remedy\":\"Make one: subrosa init\"}}
```

`code` is a stable word: it is never given another meaning, and new ones may come. `message` is for people and may change. `remedy` says what to type next; where the error knows the key or file that it is about, it is more exact than below. No error holds a value.

The exit status is 1, and 2 for `usage`, 130 for `cancelled`, 141 for `output_closed`. Where 1 is an answer it is another one: `scan` has 3 for whatever fails, since 1 says that something was found, and `run` 125; see [exit status](cli.md#exit-status).

| Code | What failed, and why | What to type next |
| --- | --- | --- |
"
    .to_owned();
    for known in KNOWN {
        page.push_str(&format!(
            "| `{}` | {} | {} |\n",
            known.code,
            text_cell(known.cause),
            text_cell(known.remedy)
        ));
    }
    page
}
