"""Texts that only resemble a secret: the output has to be the input."""

import hashlib
import json
import string

import around
import programs
from marked import base32, base64, base85, each, hexed, wrapped
from text import ENTITIES, ESCAPES, PERCENT, SHELL, TURNED, lines_of, some
from turns import fixed, head, packers, pieces, torn, bodies
from layers import HEXES, WIDE, MARKS, widened
from values import TOKENS

SOME = ["github", "aws", "plain", "password", "stripe", "npm", "hexadecimal", "gitlab"]


def other(make, character):
    """Another character of the same kind, unlike it in every letter case and under rot13."""
    for kind in (string.digits, string.ascii_letters):
        if character in kind:
            choice = [c for c in kind if c.lower() not in (character.lower(), TURNED["rot13"](character).lower())]
            return make.chance.choice(choice)
    return character


def changed(make, value, every=9):
    """Every ninth letter or digit is another: no beginning and no end of twelve is left."""
    out, since = list(value), every // 2
    for at in range(len(fixed(value)), len(out)):
        if out[at].isascii() and out[at].isalnum():
            since += 1
            if since >= every:
                out[at], since = other(make, out[at]), 0
    assert out != list(value)
    return "".join(out)


def once(make, value):
    """One character in the middle is another. Of twenty characters no beginning of twelve is left."""
    at = len(value) // 2
    while not value[at].isalnum():
        at += 1
    return value[:at] + other(make, value[at]) + value[at + 1 :]


def plainly(make):
    """A value of twenty characters."""
    while True:
        value = make.value("plain")[:20]
        if sum(c.isdigit() for c in value) > 1 and len({c.lower() for c in value}) > 9:
            return value


SMALL = ["hunter2", "s3cr3t", "abcabcabcabc", "1111111111111", "a1b2c3", "zzzzzzzzzzzzzzzz", "x7", "0000000000000001"]
WORDS = ["password", "localhost", "production", "development", "postgres", "changeme", "administrator", "password123"]


def exact(make, add):
    for number in range(8):
        value = plainly(make)
        add("near-once", [value], around.put(around.RAW[number], once(make, value)))
    for number, value in some(make, SOME, 12):
        add("near", [value], around.put(around.RAW[number + 4], changed(make, value)))
    for value in SMALL:
        add("near-small", [value], f"user {value} said {value}, {value}\n{value}")
    for value in WORDS:
        add("near-word", [value], f"connect to {value} as {value}: {value}={value}\n")
    for number, value in some(make, ["github", "stripe", "npm"], 3):
        add("near-prefix", [value], f"tokens start with {fixed(value)} here, {value[:len(fixed(value)) + 8]} is short\n")


def encoded(change, kinds=tuple(SOME), places=tuple(around.BLOB), count=16, way=changed):
    """Negatives of a row: the encoding of something that is nearly the value."""

    def write(make, add):
        for number, value in some(make, list(kinds), count):
            text = change(way(make, value), number)
            add("near", [value], around.put(places[number % len(places)], text))

    return write


def both(*writers):
    def write(make, add):
        for writer in writers:
            writer(make, add)

    return write


def nothing_like(row):
    """The right form of another value, and short pieces of the right one."""

    def write(make, add):
        for number, value in some(make, SOME, 4):
            add("near-piece", [value], f"row {row}: {value[: len(fixed(value)) + 7]} and {value[-8:]} are left\n")

    return write


def b64(text, number):
    return base64("user:"[: number % 6] + text + "\n", number % 2 > 0, number % 3 > 0)


def multiline(make, add):
    for number, value in some(make, ["pem", "rsa"], 8):
        text = "\n".join(line if line.startswith("-") or len(line) < 16 else changed(make, line, 20) for line in value.split("\n"))
        add("near", [value], ["", "    "][number % 2] + text.replace("\n", ["\n", "\n    "][number % 2]))
    for number, value in some(make, ["pem", "rsa"], 6):
        add("near-other", [value], lines_of(make, make.value(["pem", "rsa"][number % 2]), "> ").data)
    for number, value in some(make, ["pem", "rsa", "account"], 6):
        lines = value.split("\n")
        add("near-boundary", [value], lines[0] + "\n" + ("(removed)\n" if number % 2 else "\n") + (lines[-2] or lines[-1]) + "\n")


def broken(make, add):
    kinds = ["plain", "fine_grained", "dsn", "model"]
    for number, value in some(make, kinds, 16):
        text = "TOKEN=" + changed(make, value) + "\nMODE=fast\nREGION=eu-central\nUSER=build\n"
        add("near", [value], "data:\n    " + wrapped(base64(text), [60, 64, 76][number % 3], "\n    ").data.decode() + "\n")


def tearing(make, add):
    separators = [" ", "\n", "\x1b[31m", "\u200b", '" + "', "\n+", "-", "\\n"]
    for number, value in some(make, SOME, 16):
        add("near", [value], "see " + torn(pieces(make, changed(make, value), 5), separators[number % 8]).data.decode() + "\n")
    for value in ["a1!b2@c3#d", "48151623421084", "4815-1623-4210-8427", "quietlanternmeadow"]:
        add("near-limit", [value], "so " + " ".join(value.replace("-", "")) + " it is\n")


def dumps(make, add):
    for number, value in some(make, ["github", "plain", "aws", "password"], 18):
        name = list(programs.DUMPS)[number % 6]
        text = make.of("abcdefghij0123456789", number + 3) + "=" + once_each(make, value) + "\n"
        add("near-" + name, [value], programs.DUMPS[name](text.encode())[0])


def once_each(make, value):
    """One character in every eight is another, so that no line of a dump has a piece of twelve."""
    return changed(make, value, 8)


def wide(make, add):
    for number, value in some(make, SOME, 12):
        form = WIDE[number % 4]
        text = widened("token=" + changed(make, value) + "\r\n", form)
        add("near", [value], (MARKS[form] if number % 2 else b"") + text.data)
    for number, value in some(make, SOME, 6):
        filler = make.of("klmnop", len(value))
        add("near-mixed", [value], "".join(a + b for a, b in zip(value, filler)) + "\n")


def truncated(make, add):
    for number, value in some(make, ["github", "npm", "stripe", "plain", "aws", "gitlab", "model"], 14):
        count = len(fixed(value)) + make.chance.randrange(8, 12)
        text = [value[:count] + "...", "..." + value[-11:], value[:count]][number % 3]
        add("near", [value], f"token {text}\n" if number % 4 else f"token {text}")
    for number, value in some(make, ["jwt"], 3):
        mine = make.value("jwt").split(".")
        theirs = value.split(".")
        text = [".".join(mine), theirs[0], theirs[0] + "." + mine[1] + "." + mine[2]][number]
        add("near-jwt", [value], "Authorization: Bearer " + text + "\r\n")
    for number, value in some(make, ["dsn"], 4):
        host = value.split("@")[1]
        text = [value.split("service:")[0] + "service@" + host, host, value.split("//")[0] + "//service:***@" + host, "service@db.internal"][number]
        add("near-dsn", [value], "connecting to " + text + "\n")
    for number, value in some(make, ["account"], 3):
        text = ['"type": "service_account",', '"project_id": "shop-eu"', "-----BEGIN PRIVATE KEY-----"][number]
        add("near-account", [value], text + "\n")
    for number, value in some(make, ["rsa"], 2):
        line = value.split("\n")[1 + number]
        add("near-line", [value], f"line {line[:24]} ... {line[-22:]} is bad\n")


def packing(make, add):
    pack = packers()
    for number, value in some(make, ["github", "plain"], 8):
        name = list(pack)[number % 4]
        packed = pack[name](bodies(make, changed(make, value))[number % 3].encode())
        before, length, after = head(name, len(packed))
        add("near-" + name, [value], (before + length + after).encode() + packed if number % 2 else packed)
    for number, value in some(make, ["github", "plain"], 8):
        packed = pack["gzip"](bodies(make, value)[number % 3].encode())
        text = [b"\x1f\x8b\x08 no gzip", packed[:12] + b"\xff" * 9, b"H4sIAAAAAAAA no gzip", b"(\xb5/\xfd not zstd", b"x\x9c not zlib at all", b"Content-Encoding: gzip\r\n\r\nplain", b"5\r\nhello\r\n0\r\n\r\n", b"\x1f\x8b"][number]
        add("near-broken", [value], text)


def hashes(make, add):
    for number, value in some(make, SOME, 16):
        way = [hashlib.sha256, hashlib.md5, hashlib.sha1, hashlib.sha512][number % 4]
        digest = way(value.encode()).hexdigest()
        add("hash", [value], f"{digest if number % 3 else digest.upper()}  token.txt\n")
    for number, value in some(make, ["hexadecimal", "key"], 4):
        add("hash-like", [value], f"sha256:{make.of('0123456789abcdef', 64)} {hashlib.md5(value.encode()).hexdigest()}\n")


def way(table):
    names = list(table)
    return lambda text, number: table[names[number % len(names)]](text)


B85 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
LAYERS = [
    lambda v: base64(base64(v)),
    lambda v: hexed(base64(v)),
    lambda v: base64(hexed(v)),
    lambda v: base64(json.dumps({"t": v})),
    lambda v: base64('{"alg":"HS256"}', True, False) + "." + base64(json.dumps({"t": v}), True, False) + ".x",
]
QUOTED = ["quoted", "shellish", "password", "urlish"]

ROWS = {
    1: exact,
    2: both(encoded(b64), nothing_like(2)),
    3: both(encoded(lambda v, n: way(ESCAPES)(v_marked(v), n), QUOTED, around.CODE), nothing_like(3)),
    4: both(encoded(lambda v, n: way(PERCENT)(v_marked(v), n), QUOTED, around.URL), nothing_like(4)),
    5: both(encoded(lambda v, n: way(SHELL)(v_marked(v), n), QUOTED, around.SHELL), nothing_like(5)),
    6: both(encoded(lambda v, n: way(ENTITIES)(v_marked(v), n), QUOTED, around.XML), nothing_like(6)),
    7: multiline,
    8: broken,
    9: tearing,
    10: both(
        encoded(lambda v, n: hexed(v, *[(f, s.encode()) for f, s in HEXES.values()][n % len(HEXES)]), way=once_each),
        nothing_like(10),
    ),
    11: dumps,
    12: both(encoded(lambda v, n: [base32(v), base85(v, B85), base32("ab" + v), base85(v, bytes(range(33, 118)))][n % 4]), nothing_like(12)),
    13: both(encoded(lambda v, n: way(TURNED)(v, n), ["plain", "aws", "github", "hexadecimal"], around.RAW), nothing_like(13)),
    14: wide,
    15: both(encoded(lambda v, n: LAYERS[n % 5](v)), nothing_like(15)),
    16: truncated,
    17: packing,
    18: hashes,
}


def v_marked(text):
    return each(text, lambda byte: bytes([byte]))
