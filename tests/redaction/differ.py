#!/usr/bin/env python3
"""Holds the program against the reference on texts that nobody wrote.

    differ.py PROGRAM [--minutes N] [--seed SEED]

Texts are pieces of the corpora's inputs, cut, glued, turned over and sprinkled with signs, with one to
three of their secrets. Bytes that one of the two covers and the other does not are shown, the worst
first: what the program misses.
"""

import argparse
import base64
import json
import pathlib
import random
import subprocess
import sys
import time

import reference

HERE = pathlib.Path(__file__).resolve().parent
SIGNS = [b"\n", b" ", b"\x1b[0m", b'"', b"\\", b"%", b"&", b"=", b"\0", b"\r\n", b"'", b":", b"\xe2\x80\x8b", b"\\n", b"+", b"/"]


def corpus():
    cases = []
    for path in sorted((HERE / "corpora").glob("row*.jsonl")):
        if path.stem != "row17":
            cases += [json.loads(line) for line in path.read_text().splitlines()]
    return cases


def mixed(chance, cases):
    some = [chance.choice(cases) for _ in range(chance.randrange(1, 4))]
    text = b""
    for case in some:
        piece = base64.b64decode(case["input_b64"])
        if case["must"] and chance.random() < 0.5:
            start, end = max(0, case["must"][0][0] - 9), case["must"][-1][1] + 9
            if case["row"] == 11:
                start, end = piece.rfind(b"\n", 0, start) + 1, piece.find(b"\n", end) + 1 or len(piece)
            piece = piece[start:end]
        for _ in range(chance.choice([0, 0, 1, 1, 2, 4])):
            at = chance.randrange(len(piece) + 1)
            way = chance.randrange(5)
            if case["row"] == 11:
                # A line of a dump that was changed is none, and how much of the dump goes with it
                # is nowhere said.
                at, way = piece.find(b"\n", at) + 1 or len(piece), chance.choice([0, 2, 3])
            if way == 0:
                piece = piece[:at] + chance.choice(SIGNS) + piece[at:]
            elif way == 1:
                piece = piece[:at] + piece[at + 1 :]
            elif way == 2:
                piece = piece[at:]
            elif way == 3:
                piece = piece[:at]
            else:
                piece = piece[:at] + bytes([chance.randrange(256)]) + piece[at + 1 :]
        text += piece
    secrets = [one for case in some for one in case["secrets_b64"]]
    length = len(text)
    cuts = sorted({chance.randrange(1, length) for _ in range(chance.randrange(5))}) if length > 1 else []
    return {"secrets_b64": secrets, "input_b64": base64.b64encode(text).decode(), "chunks": cuts}


def bytes_of(answer):
    return {at for one in answer["findings"] for at in range(one["start"], one["end"])}


def is_untouched(asked, given):
    """Whether the output is the input with a mask in the place of each finding, and nothing else."""
    if any(one["form"] == "packed" for one in given["findings"]):
        return True
    text = base64.b64decode(asked["input_b64"])
    return base64.b64decode(given["output_b64"]) == reference.replaced(text, given["findings"])


def compare(program, cases, count, seed):
    """What differs in so many texts made from this seed, the worst first."""
    chance = random.Random(seed)
    lines = []
    for number in range(count):
        case = mixed(chance, cases)
        case["keys"] = [f"key/{at}" for at in range(len(case["secrets_b64"]))]
        lines.append(json.dumps({"id": f"{seed}/{number}", **case}))
    done = subprocess.run([program, "redact", "--jsonl"], input="\n".join(lines).encode() + b"\n", stdout=subprocess.PIPE, check=True)
    differing = []
    for line, given in zip(lines, done.stdout.splitlines(), strict=True):
        asked, given = json.loads(line), json.loads(given)
        expected = reference.answer(line)
        # The zeros at the ends of a value in UTF-16 and UTF-32 say nothing of it.
        zeros = {at for at, byte in enumerate(base64.b64decode(asked["input_b64"])) if byte == 0}
        missed = bytes_of(expected) - bytes_of(given) - zeros
        extra = bytes_of(given) - bytes_of(expected)
        if missed or extra or not is_untouched(asked, given):
            differing.append((len(missed), len(extra), asked, expected, given))
    return sorted(differing, key=lambda one: (-one[0], -one[1]))


def show(differing):
    for missed, extra, asked, expected, given in differing[:12]:
        text = base64.b64decode(asked["input_b64"])
        print(f"\n#{asked['id']}: {missed} bytes missed, {extra} too many")
        print("  secrets ", [base64.b64decode(one)[:60] for one in asked["secrets_b64"]])
        for name, answer in (("expected", expected), ("given   ", given)):
            for one in answer["findings"]:
                print(f"  {name} {one['start']}..{one['end']} {one['form']}: {text[one['start'] : one['end']][:90]}")


def main(arguments):
    options = argparse.ArgumentParser(description="Holds the program against the reference on texts that nobody wrote.")
    options.add_argument("program")
    options.add_argument("--minutes", type=float, default=1, help="how long it goes on")
    options.add_argument("--seed", type=int, default=1, help="the first one; each round of 100 texts takes the next")
    chosen = options.parse_args(arguments)
    end, seed, cases, differing, count = time.monotonic() + 60 * chosen.minutes, chosen.seed, corpus(), [], 0
    while time.monotonic() < end:
        some = compare(chosen.program, cases, 100, seed)
        show(some)
        differing += some
        seed, count = seed + 1, count + 100
        print(f"\rtexts: {count}, differing: {len(differing)}", end="", file=sys.stderr, flush=True)
    print(f"\n{len(differing)} of {count} differ, {sum(1 for one in differing if one[0])} with bytes missed; seeds {chosen.seed} to {seed - 1}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
