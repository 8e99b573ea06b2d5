"""Ordinary text without any secret, any amount of it, to count false masks in."""

import base64
import hashlib
import json
import random

WORDS = (
    "the of and to in is that for it as was with be by on not he his but at are this have from or had an they which "
    "one you were her all their there been has when who will more no if out so said what up its about into than them "
    "can only other new some could time these two may then do first any my now such like our over man even most made "
    "after also did many before must through years where much your way well down should because each just those people "
    "server client request answer token value build deploy release worker queue table column index cache region"
).split()
NAMES = ["task-scheduler", "api-gateway", "billing", "web", "search-index", "mailer", "auth-proxy", "registry"]
VERBS = ["started", "finished", "retried", "skipped", "cached", "fetched", "compiled", "uploaded"]


class Ordinary:
    """Makes pieces of text from one seeded source of chance."""

    def __init__(self, seed):
        self.chance = random.Random(f"ordinary {seed}")

    def raw(self, count):
        return self.chance.randbytes(count)

    def word(self):
        return self.chance.choice(WORDS)

    def stamp(self):
        number = self.chance.randrange
        return f"2026-{number(1, 13):02}-{number(1, 29):02}T{number(24):02}:{number(60):02}:{number(60):02}.{number(1000):03}Z"

    def log(self):
        out = []
        for _ in range(40):
            name, verb = self.chance.choice(NAMES), self.chance.choice(VERBS)
            level = self.chance.choice(["\x1b[32mINFO\x1b[0m", "\x1b[33mWARN\x1b[0m", "DEBUG", "ERROR"])
            out.append(f"{self.stamp()} {level} [{name}] step {self.chance.randrange(99)}/99 {verb} in {self.chance.random() * 9:.3f}s id={self.raw(8).hex()}")
        return "\n".join(out) + "\n"

    def records(self):
        rows = [
            {"id": self.chance.randrange(10**9), "name": self.chance.choice(NAMES), "sha": self.raw(20).hex(), "tags": [self.word() for _ in range(4)], "ok": self.chance.random() < 0.9, "url": f"https://example.com/{self.word()}/{self.chance.randrange(10**6)}?page={self.chance.randrange(50)}&sort=%22{self.word()}%22"}
            for _ in range(12)
        ]
        return json.dumps(rows, indent=self.chance.choice([None, 2])) + "\n"

    def source(self):
        out = []
        for _ in range(14):
            a, b = self.word(), self.word()
            out.append(self.chance.choice([
                f"pub fn {a}_{b}(value: &str) -> Result<usize, Error> {{\n    let {b} = value.len() * {self.chance.randrange(99)};\n    Ok({b})\n}}\n",
                f"def {a}_{b}(self, value=None):\n    \"\"\"{a.title()} the {b}.\"\"\"\n    return self.{b}[{self.chance.randrange(99)}:] or value\n",
                f"#define {a.upper()}_{b.upper()} 0x{self.raw(4).hex()}u /* {self.word()} */\n",
                f"const {a}{b.title()} = async ({{ {a}, {b} }}) => await fetch(`/v1/${{{a}}}/{b}?n={self.chance.randrange(999)}`);\n",
            ]))
        return "\n".join(out)

    def prose(self):
        out = []
        for _ in range(8):
            sentence = " ".join(self.word() for _ in range(self.chance.randrange(6, 22)))
            out.append(sentence.capitalize() + ".")
        return " ".join(out) + "\n\n"

    def dump(self):
        data, out = self.raw(256), []
        for at in range(0, 256, 16):
            line = data[at : at + 16]
            side = "".join(chr(b) if 32 <= b < 127 else "." for b in line)
            cells = " ".join(f"{b:02x}" for b in line)
            out.append(f"{at:08x}  {cells[:23]}  {cells[24:]}  |{side}|")
        return "\n".join(out) + "\n00000100\n"

    def blob(self):
        text = base64.b64encode(self.raw(self.chance.randrange(200, 900))).decode()
        width = self.chance.choice([64, 76, 10**6])
        return "\n".join(text[at : at + width] for at in range(0, len(text), width)) + "\n"

    def minified(self):
        letters = "abcdefghijklmnopqrstuvwxyz"
        out = []
        for _ in range(60):
            a, b, c = (self.chance.choice(letters) for _ in range(3))
            out.append(self.chance.choice([
                f"function {a}({b},{c}){{return {b}[{self.chance.randrange(99)}]||{c}.{self.word()}}}",
                f"var {a}=\"{self.word()}-{self.word()}\",{b}=!{self.chance.randrange(2)};",
                f"{a}.{self.word()}=function({b}){{return \"\\u{self.chance.randrange(0xA0, 0x2FF):04x}\"+{b}}};",
            ]))
        return "".join(out) + "\n"

    def sums(self):
        return "".join(f"{hashlib.sha256(self.raw(8)).hexdigest()}  {self.word()}-{self.chance.randrange(99)}.tar.gz\n" for _ in range(12))

    def identities(self):
        return "".join(f"{self.raw(4).hex()}-{self.raw(2).hex()}-4{self.raw(2).hex()[1:]}-a{self.raw(2).hex()[1:]}-{self.raw(6).hex()} {self.word()}\n" for _ in range(12))


def text(size, seed=0):
    """`size` bytes; the same for the same seed."""
    own = Ordinary(seed)
    kinds = [own.log, own.records, own.source, own.prose, own.dump, own.blob, own.minified, own.sums, own.identities]
    out, length = [], 0
    while length < size:
        piece = own.chance.choice(kinds)().encode()
        out.append(piece)
        length += len(piece)
    return b"".join(out)[:size]
