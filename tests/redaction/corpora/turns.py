"""Rows in which the value is torn, cut off or packed."""

import gzip
import json
import zlib

import around
import programs
from marked import MAY, Marked, allowed, base64, filled, hexed, join, secret, softened
from text import json_plain, some
from values import TOKENS

TORN = TOKENS + ["password", "foreign", "fine_grained", "urlish"]
ZERO_WIDTH = ["\u200b", "\u200d", "\ufeff", "\u00ad", "\u2060"]


def pieces(make, value, count):
    """The value cut at some places between characters."""
    at = sorted(make.chance.sample(range(1, len(value)), count))
    return [value[start:end] for start, end in zip([0, *at], [*at, len(value)])]


def torn(parts, separator):
    return softened(filled(join(separator, [secret(part) for part in parts])))


def tearing(make, add):
    colour = lambda: make.chance.choice(["\x1b[31m", "\x1b[0m", "\x1b[1;38;5;208m", "\x1b[K", "\x1b[38;2;1;22;133m"])
    ways = {
        "ansi": lambda v: torn(pieces(make, v, 3), colour()),
        "ansi-each": lambda v: torn(list(v), colour()),
        "zero-width": lambda v: torn(pieces(make, v, 4), make.chance.choice(ZERO_WIDTH)),
        "zero-width-each": lambda v: torn(list(v), "\u200b"),
        "spaced": lambda v: torn(list(v), " "),
        "groups": lambda v: torn([v[at : at + 4] for at in range(0, len(v), 4)], " "),
        "dashes": lambda v: torn([v[at : at + 5] for at in range(0, len(v), 5)], "-"),
        "column": lambda v: torn(list(v), "\n"),
        "column-crlf": lambda v: torn(list(v), "\r\n"),
        "break": lambda v: torn(pieces(make, v, 1), "\n"),
        "breaks": lambda v: torn(pieces(make, v, 3), "\r\n    "),
        "diff": lambda v: torn(pieces(make, v, 2), "\n+"),
        "mail": lambda v: torn(pieces(make, v, 2), "\n> "),
        "plus": lambda v: torn(pieces(make, v, 2), '" + "'),
        "plus-lines": lambda v: torn(pieces(make, v, 2), "' +\n    '"),
        "dots": lambda v: torn(pieces(make, v, 1), "' . '"),
        "adjacent": lambda v: torn(pieces(make, v, 2), '"\n  "'),
        "pipes": lambda v: torn(pieces(make, v, 1), "' || '"),
        "array": lambda v: torn(list(v), "', '"),
        "escaped-break": lambda v: torn(pieces(make, v, 2), "\\n"),
        "backslash": lambda v: torn(pieces(make, v, 1), "\\\n"),
        "table": lambda v: torn(pieces(make, v, 1), " │\n│ "),
        "entity": lambda v: torn(pieces(make, v, 3), "&#8203;"),
    }
    for number, name in enumerate(list(ways) * 3):
        value = make.value(TORN[(number + number // 23) % len(TORN)])
        places = around.CODE if name in ("plus", "plus-lines", "dots", "adjacent", "pipes", "array") else around.RAW
        add(name, [value], around.put(places[(number * 7) % len(places)], ways[name](value)))
    for number, value in some(make, ["fine_grained", "sendgrid"], 2):
        out = programs.run(["fold", "-w", "40"], ("token " + value + "\n").encode())
        text = softened(filled(join("\n", [("token " + secret(value))[at : at + 40] for at in range(0, len(value) + 6, 40)])))
        assert out == text.data + b"\n", out
        add("fold", [value], text + "\n")


PREFIXES = ["ghp_", "gho_", "ghs_", "github_pat_", "sk_live_", "xoxb-", "sk-proj-", "sk-ant-api03-", "npm_", "glpat-", "SG."]


def fixed(value):
    """The vendor's prefix of a value, which alone says nothing."""
    return next((prefix for prefix in PREFIXES if value.startswith(prefix)), "")


def cut_front(value, count):
    """The first characters of a value; its fixed prefix only may be covered."""
    prefix = fixed(value)
    return allowed(prefix) + secret(value[len(prefix) : len(prefix) + count])


def truncated(make, add):
    kinds = ["github", "npm", "gitlab", "stripe", "aws", "plain", "hexadecimal", "key", "password", "fine_grained"]
    for number, value in some(make, kinds, 20):
        count = 12 if number < 10 else make.chance.randrange(13, 20)
        count = min(count, len(value) - len(fixed(value)) - 2)
        end = ["...", "…", "****", "\n", " [truncated]\n", "\"}\n"][number % 6]
        add("front", [value], "token starts with " + cut_front(value, count) + end)
    for number, value in some(make, kinds, 12):
        count = 12 if number < 10 else make.chance.randrange(13, 18)
        text = secret(value[-count:])
        if value.endswith("="):
            text = text[:-1] + allowed("=")
            text = secret(value[-count - 2 : -1]) + allowed("=")
        add("back", [value], ["ends in ...", "***", "token: …"][number % 3] + text + "\n")
    for number, value in some(make, ["github", "npm", "gitlab", "stripe", "model"], 5):
        cut, prefix = 1 + number % 3, fixed(value)
        add("back-of-prefix", [value], "password=" + allowed(prefix[cut:]) + secret(value[len(prefix) :]) + "\n")
    for number, value in some(make, ["github", "plain", "aws", "fine_grained"], 6):
        add("end-of-stream", [value], "reading token " + cut_front(value, make.chance.randrange(16, 20)))
    for number, value in some(make, ["pem", "rsa"], 6):
        line = value.split("\n")[1 + number // 2 % 2 if len(value.split("\n")[2]) == 64 else 1]
        text = [secret(line), base64("k=" + secret(line)), hexed(secret(line)), '"' + secret(line) + '",', secret(line), secret(line)][number]
        add("pem-line", [value], "error near line 2: " + text + "\n")
    for number, value in some(make, ["account"], 4):
        field = json.loads(value)["private_key_id"]
        text = [secret(field), secret(field), base64("kid:" + secret(field)), secret(field[:14])][number]
        add("account-field", [value], 'key "' + text + '" was revoked\n')
    for number, value in some(make, ["dsn"], 8):
        password = value.split("service:")[1].split("@")[0]
        text = [secret(password), base64("service:" + secret(password)), hexed(secret(password)), secret(password[:13]), secret(password[-12:]), secret(password), secret(password[:12]), secret(password)][number]
        around_it = [("password=", "\n"), ("Authorization: Basic ", "\r\n"), ("raw ", "\n"), ("pass ", "...\n"), ("pass ...", "\n"), ('{"password":"', '"}'), ("pass ", "***\n"), ("mysql -p", " -u service\n")][number]
        add("dsn-password", [value], around_it[0] + text + around_it[1])
    for number, value in some(make, ["jwt"], 6):
        header, payload, signature = value.split(".")
        text = [secret(payload), secret(signature), secret(signature[:16]), secret(signature[-12:]), header + "." + secret(payload) + ".", secret(payload)][number]
        if number == 4:
            text = allowed(header + ".") + secret(payload) + allowed(".")
        add("jwt-part", [value], "part " + text + "\n")


def packers():
    def zstd(data):
        return programs.run(["zstd", "-q", "-c"], data)

    def brotli(data):
        code = "process.stdout.write(require('zlib').brotliCompressSync(require('fs').readFileSync(0)))"
        return programs.run(["node", "-e", code], data)

    return {
        "gzip": lambda data: gzip.compress(data, 6, mtime=0),
        "deflate": lambda data: zlib.compress(data, 9),
        "zstd": zstd,
        "br": brotli,
    }


def bodies(make, value):
    """Texts long enough to be packed, with the value in them."""
    rows = [f"{make.of('abcdefgh', 8)},{make.chance.randrange(10**6)},ready" for _ in range(6)]
    return [
        json.dumps({"items": rows, "token": value, "next": None}),
        "\n".join(["[main]", "mode=fast", *rows, "token=" + value, "[end]", *rows[:2]]) + "\n",
        "<html><body><ul>" + "".join(f"<li>{row}</li>" for row in rows) + f"<p>token {value}</p></ul></body></html>",
    ]


def head(coding, length):
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: {coding}\r\nContent-Length: ", f"{length}", "\r\n\r\n"


def packing(make, add):
    """Here the whole packed piece has to change: it is opened, masked and packed anew."""
    pack = packers()
    for number, name in enumerate(list(pack) * 5):
        value = make.value(["github", "plain", "stripe", "uuid"][number // 4 % 4])
        body = bodies(make, value)[number % 3]
        packed = pack[name](body.encode())
        if number % 2 == 0 or name in ("br",):
            before, length, after = head(name, len(packed))
            add("http-" + name, [value], before + allowed(length) + after + secret(packed))
        else:
            add("file-" + name, [value], secret(packed))
    for number, value in some(make, ["github", "plain", "gitlab"], 6):
        packed = pack["gzip"](bodies(make, value)[number % 3].encode())
        text = base64(Marked(packed, b"\2" * len(packed)))
        add("base64-gzip", [value], f"payload: " + Marked(text.data, b"\2" * len(text)) + "\nkind: Release\n")
    for number, value in some(make, ["github", "plain"], 4):
        body = bodies(make, value)[number % 3].encode()
        start = body.index(value.encode())
        cut = start + 5 + number
        marks = bytes(start) + b"\2" * len(value) + bytes(len(body) - start - len(value))
        whole = Marked(body, marks)
        parts = [whole[:cut], whole[cut:]]
        text = Marked()
        for part in parts:
            text += allowed(f"{len(part):x}\r\n") + part + allowed("\r\n")
        text += allowed("0\r\n\r\n")
        add("chunked", [value], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + text)


ROWS = {9: tearing, 16: truncated, 17: packing}
