#!/usr/bin/env python3
"""Makes the corpora by which redaction is judged: `rowNN.jsonl` beside this file.

    make.py                     writes all rows
    make.py --check             tells for every row what the reference finds in the files
    make.py --ordinary BYTES    prints ordinary text

A case is one line: {"id", "row", "secrets_b64", "keys", "input_b64", "must", "may"}. `must` are the
ranges of the input that carry a secret and have to be covered, `may` those that may be covered too;
everything else must come through as it is. Both are empty where the text only resembles a secret.
`beyond.jsonl` has, as row 0, what the specification does not promise.
Everything is made up from one seed a row.
"""

import base64
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import marked
import values

NAMES = ["api/token", "db/password", "ci/deploy-key", "cloud/access", "mail/relay"]


def folded(value):
    return bytes(b for b in value.lower().encode() if marked.is_alnum(b))


def is_searched(value):
    """Whether both the raw and the folded limits of the specification hold."""
    plain = folded(value)
    raw = value.encode()
    return (
        len(raw) >= 8
        and len(set(raw)) >= 6
        and len(plain) >= 12
        and len(set(plain)) >= 8
        and any(48 <= b < 58 for b in plain)
        and any(b >= 97 for b in plain)
    )


class Chance(values.Maker):
    """Makes only values that are searched for in every form."""

    again = 0

    def value(self, kind):
        while True:
            made = getattr(self, kind)()
            if is_searched(made):
                return made


def encoded(data):
    data = data.encode() if isinstance(data, str) else data
    return base64.b64encode(data).decode()


def made(row, write):
    make = Chance(random.Random(f"row {row}"))
    cases, count = [], {}

    def add(name, secrets, text, names=None):
        text = marked.marked(text)
        number = count[name] = count.get(name, 0) + 1
        names = names or [NAMES[(len(cases) + at) % len(NAMES)] for at in range(len(secrets))]
        cases.append(
            {
                "id": f"row{row:02}/{name}/{number}",
                "row": row,
                "secrets_b64": [encoded(one) for one in secrets],
                "keys": names,
                "input_b64": encoded(text.data),
                "must": text.ranges(marked.MUST),
                "may": text.ranges(marked.MAY),
            }
        )

    for make.again in range(2):
        write(make, add)
    return cases


def rows():
    import beyond
    import layers
    import near
    import text
    import turns

    positive = {**text.ROWS, **layers.ROWS, **turns.ROWS}
    yield 0, made(0, beyond.beyond)
    for row in range(1, 19):

        def write(make, add, row=row):
            if row in positive:
                positive[row](make, add)
            near.ROWS[row](make, add)

        yield row, made(row, write)


def main(arguments):
    if arguments[:1] == ["--ordinary"]:
        import ordinary

        sys.stdout.buffer.write(ordinary.text(int(arguments[1])))
        return 0
    if arguments == ["--check"]:
        import reference

        return reference.check(sorted(HERE.glob("row*.jsonl")))
    assert not arguments, __doc__
    for row, cases in rows():
        lines = [json.dumps(case, separators=(",", ":")) + "\n" for case in cases]
        content = "".join(lines)
        (HERE / (f"row{row:02}.jsonl" if row else "beyond.jsonl")).write_text(content)
        positive = sum(1 for case in cases if case["must"])
        print(f"row {row:2}: {positive:3} with a secret, {len(cases) - positive:3} without, {len(content)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
