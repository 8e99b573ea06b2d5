"""Rows in which the value stays text: exact, escaped, percent encoded, quoted, entities, letters."""

import html
import json
import shlex
import sqlite3
import urllib.parse
from xml.sax import saxutils

import around
import programs
from marked import Marked, MAY, MUST, allowed, characters, each, filled, join, replaced, secret, seen, softened
from values import LINES, SIGNED, TOKENS

ALL = TOKENS + SIGNED + ["spaced", "foreign", "dsn", "jwt", "fine_grained"]


def some(make, kinds, count):
    """As many values as asked for, the kinds in turn, and a number for each."""
    return [(number, make.value(kinds[(number + 5 * make.again) % len(kinds)])) for number in range(count)]


def that_changes(make, kinds, number, way):
    """A value that this way of writing changes; the kinds are tried in turn."""
    for at in range(number, number + 40 * len(kinds)):
        value = make.value(kinds[at % len(kinds)])
        if way(secret(value)).data != value.encode():
            return value
    raise AssertionError("no kind of value is changed")


def exact(make, add):
    for number, value in some(make, ALL, 40):
        add(f"context-{number % len(around.RAW)}", [value], around.put(around.RAW[number % len(around.RAW)], secret(value)))
    for kind in LINES:
        value = make.value(kind)
        add(f"file-{kind}", [value], "$ cat key\n" + secret(value) + "$ exit\n")
    for number, value in some(make, ["plain", "github", "password", "foreign"], 4):
        add("twice", [value], "a=" + secret(value) + secret(value) + ";b=" + secret(value) + "\n")
        longer = value + make.of("abcdef0123456789", 8)
        add("nested", [value, longer], "x " + secret(longer) + " y " + secret(value) + " z\n")
        add("nested-front", [longer, longer[6:]], "x=" + secret(longer) + "\n")
    for number, value in some(make, ["plain", "aws"], 4):
        first, last = value[:-8], value[8:]
        add("overlapping", [first, last], "token " + secret(value) + " was refused\n")
    for number, value in some(make, ["plain"], 3):
        other = make.value("password")
        add("neighbours", [value, other], "k=" + secret(value) + ":" + secret(other) + "@db\n")
    for number, value in some(make, ["github", "stripe"], 2):
        out = programs.curl("-H", "Authorization: Bearer " + value)
        add("curl-header", [value], seen(out, secret(value)))
    value = make.value("gitlab")
    out = programs.run(["git", "-c", "user.name=a", "ls-remote", f"ssh://{value}@127.0.0.1:1/x"], also={"GIT_TRACE": "1", "GIT_SSH_COMMAND": "true"}, status=(128,))
    add("git-trace", [value], seen(programs.re.sub(rb"(?m)^[\d:.]+ ", b"12:00:07.000113 ", out), secret(value)))
    value = make.value("npm")
    out = programs.script("python3", "import os\ndef login(token):\n    raise ValueError('refused ' + token)\nlogin(os.environ['T'])\n", also={"T": value}, status=(1,))
    add("python-traceback", [value], seen(out, secret(value)))
    out = programs.script("node", "try { throw new Error('refused ' + process.env.T) } catch (e) { console.log(e.message, {token: process.env.T}) }\n", also={"T": value})
    add("node-error", [value], seen(out, secret(value)))
    out = programs.run(["env", "-i", "A=1", "TOKEN=" + value, "MODE=fast", "env"])
    add("env", [value], seen(out, secret(value)))


def hexes(form):
    return lambda character: "".join(form % byte for byte in character.encode())


def units(character):
    """JSON and JavaScript name a character by its UTF-16 units."""
    raw = character.encode("utf-16-be")
    return "".join("\\u%04x" % int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2))


def json_plain(text):
    return characters(text, lambda c: json.dumps(c, ensure_ascii=False)[1:-1])


def json_ascii(text):
    return characters(text, lambda c: json.dumps(c)[1:-1])


def json_html(text):
    return characters(text, lambda c: units(c) if c in "<>&" else json.dumps(c, ensure_ascii=False)[1:-1])


def json_upper(text):
    return characters(text, lambda c: "\\u" + units(c)[2:].upper() if c in "<>&'\"+" else json.dumps(c, ensure_ascii=False)[1:-1])


def json_slash(text):
    return characters(text, lambda c: "\\/" if c == "/" else json.dumps(c, ensure_ascii=False)[1:-1])


def quoted_as_python(text):
    value = text.data.decode()
    quote = '"' if "'" in value and '"' not in value else "'"
    return characters(text, lambda c: "\\" + c if c in quote + "\\" else c)


def quoted_as_bytes(text):
    value = text.data
    quote = b'"' if b"'" in value and b'"' not in value else b"'"
    return each(text, lambda b: b"\\" + bytes([b]) if bytes([b]) in quote + b"\\" else repr(bytes([b]))[2:-1])


def octal_unprintable(text):
    table = {0x22: '\\"', 0x5C: "\\\\"}
    return each(text, lambda b: table.get(b) or (chr(b) if 32 <= b < 127 else "\\%03o" % b))


def script_escapes(text):
    return characters(text, lambda c: "\\x%02x" % ord(c) if c in "'\"<>&\\`" else c)


ESCAPES = {
    "json": json_plain,
    "json-ascii": json_ascii,
    "json-html": json_html,
    "json-upper": json_upper,
    "json-slash": json_slash,
    "json-twice": lambda text: json_plain(json_plain(text)),
    "python-repr": quoted_as_python,
    "python-bytes": quoted_as_bytes,
    "c-octal": octal_unprintable,
    "octal-all": lambda text: each(text, lambda b: "\\%03o" % b),
    "js-x": script_escapes,
    "x-all": lambda text: each(text, lambda b: "\\x%02x" % b),
    "x-all-upper": lambda text: each(text, lambda b: "\\x%02X" % b),
    "u-all": lambda text: characters(text, units),
}


def mixed(make, text, *ways):
    """Every character in a way of its own; what only the folded view finds."""
    return filled(characters(softened(text), lambda c: make.chance.choice(ways)(c)))


def escapes(make, add):
    kinds = SIGNED + ["foreign", "spaced", "quoted", "password", "aws"]
    for number, name in enumerate(list(ESCAPES) * 4):
        value = that_changes(make, kinds, number, ESCAPES[name])
        places = around.JSON if name.startswith("json") else around.CODE
        text = around.put(places[number % len(places)], ESCAPES[name](secret(value)))
        add(name, [value], text)
    for number, value in some(make, TOKENS + ["password"], 8):
        text = mixed(make, secret(value), str, str, lambda c: "\\x%02x" % ord(c), units)
        add("mixture", [value], around.put(around.CODE[number % len(around.CODE)], text))
    for number, value in some(make, ["pem", "account"], 4):
        add("json-lines", [value], around.put(around.JSON[number], json_plain(secret(value))))
    for number, value in some(make, ["quoted", "foreign", "shellish", "backslashed"], 4):
        out = programs.script("node", "const t = process.env.T; console.log(JSON.stringify({a: 1, t}), JSON.stringify(JSON.stringify({t})))\n", also={"T": value})
        add("node-stringify", [value], seen(out, json_plain(secret(value)), json_plain(json_plain(secret(value)))))
        out = programs.script("python3", "import os\nt = os.environ['T']\nprint([t], repr(t.encode()), ascii(t))\n", also={"T": value})
        add("python-print", [value], seen(out, quoted_as_python(secret(value)), quoted_as_bytes(secret(value))) if value.isascii() else seen(out, quoted_as_bytes(secret(value)), quoted_as_python(secret(value)), ascii_of(value)))
        out = programs.run(["jq", "-R", "-c", "{token: ., again: (. | @json)}"], value.encode() + b"\n")
        add("jq", [value], seen(out, json_plain(secret(value)), json_plain(json_plain(secret(value)))))
    for number, value in some(make, ["quoted", "backslashed"], 2):
        with open_folder() as folder:
            with open(folder + "/main.tf", "w", encoding="utf-8") as file:
                file.write('variable "t" {}\noutput "token" { value = var.t }\n')
            out = programs.run(["terraform", "plan", "-no-color"], also={"TF_VAR_t": value}, folder=folder)
        out = out[out.index(b"Changes to Outputs") :]
        add("terraform", [value], seen(out, replaced(secret(value), {'"': '\\"', "\\": "\\\\"})))


def open_folder():
    return programs.tempfile.TemporaryDirectory()


def ascii_of(value):
    """How Python's `ascii` spells it."""
    quote = '"' if "'" in value and '"' not in value else "'"
    return characters(secret(value), lambda c: "\\" + c if c in quote + "\\" else ascii(c)[1:-1])


def percent(safe="", upper=True, space="%20"):
    def one(character):
        if character == " ":
            return space
        out = urllib.parse.quote(character, safe=safe)
        return out if upper or out == character else out.lower()

    return lambda text: characters(text, one)


PERCENT = {
    "quote": percent(),
    "quote-lower": percent(upper=False),
    "plus": percent(space="+"),
    "quote-path": percent("/"),
    "component": percent("!'()*"),
    "uri": percent(";,/?:@&=+$!'()*#"),
    "all": lambda text: each(text, lambda b: "%%%02X" % b),
    "all-lower": lambda text: each(text, lambda b: "%%%02x" % b),
    "twice": lambda text: percent()(percent()(text)),
}


def urls(make, add):
    kinds = ["urlish", "aws", "password", "foreign", "spaced", "key", "quoted", "dsn"]
    for number, name in enumerate(list(PERCENT) * 4):
        value = that_changes(make, kinds, number + number // len(PERCENT), PERCENT[name])
        add(name, [value], around.put(around.URL[number % len(around.URL)], PERCENT[name](secret(value))))
    for number, value in some(make, ["github", "urlish", "plain", "aws"], 10):
        text = mixed(make, secret(value), str, str, str, lambda c: "%%%02X" % ord(c), lambda c: "%%%02x" % ord(c))
        add("partly", [value], around.put(around.URL[number % len(around.URL)], text))
    for number, value in some(make, ["urlish", "foreign", "aws"], 3):
        out = programs.script("node", "const t = process.env.T; console.log(encodeURIComponent(t), new URLSearchParams({a: 1, t}).toString())\n", also={"T": value})
        add("node", [value], seen(out, PERCENT["component"](secret(value)), PERCENT["quote"](secret(value))))
        out = programs.run(["jq", "-R", "-r", "@uri"], value.encode() + b"\n")
        add("jq", [value], seen(out, PERCENT["quote"](secret(value))))
        out = programs.curl("-G", "--data-urlencode", "token=" + value)
        add("curl", [value], seen(out, PERCENT["quote" if b"%2F" in out else "quote-lower"](secret(value))))


def single(inner):
    return lambda text: replaced(text, {"'": inner})


def signs(sign, of):
    return lambda text: replaced(text, {one: sign + one for one in of})


SHELL = {
    "single": single("'\\''"),
    "single-double": single("'\"'\"'"),
    "double": signs("\\", '$`"\\'),
    "double-history": signs("\\", '$`"\\!'),
    "words": signs("\\", " !\"#$&'()*,;<>?[\\]^`{|}"),
    "ansi-c": lambda text: replaced(text, {"'": "\\'", "\\": "\\\\"}),
    "powershell": signs("`", '`$"'),
    "cmd": signs("^", '&|<>^%"'),
    "sql": single("''"),
}


def shells(make, add):
    kinds = ["shellish", "quoted", "password", "backslashed", "shellish", "spaced", "urlish"]
    for number, name in enumerate(list(SHELL) * 4):
        value = that_changes(make, kinds, number, SHELL[name])
        add(name, [value], around.put(around.SHELL[number % len(around.SHELL)], SHELL[name](secret(value))))
    for number, value in some(make, ["shellish", "quoted", "spaced", "backslashed"], 4):
        out = programs.script("bash", "set -x\n: \"$T\"\ncurl_token=$T\n", also={"T": value})
        pieces = secret(value) if "'" not in value else SHELL["single"](secret(value))
        add("set-x", [value], seen(out, pieces))
        out = programs.script("bash", "printf '%q\\n' \"$T\"\n", also={"T": value})
        add("printf-q", [value], found(out, value, SHELL["words"]))
        out = programs.script("bash", "declare -p T\n", also={"T": value})
        add("declare", [value], seen(out, SHELL["double"](secret(value))))
        out = programs.run(["jq", "-R", "-r", "@sh"], value.encode() + b"\n")
        add("jq", [value], seen(out, SHELL["single"](secret(value))))
        add("shlex", [value], "+ ./deploy --token " + seen(shlex.quote(value).encode(), SHELL["single-double"](secret(value))) + "\n")
        base = sqlite3.connect(":memory:")
        base.execute("CREATE TABLE account (id INTEGER, secret TEXT)")
        base.execute("INSERT INTO account VALUES (1, ?)", (value,))
        add("sql-dump", [value], seen("\n".join(base.iterdump()).encode() + b"\n", SHELL["sql"](secret(value))))
    for number, value in some(make, ["quoted", "shellish"], 2):
        text = filled(replaced(softened(secret(value)), {'"': '""'}))
        add("csv", [value], 'id,secret\n1,"' + text + '"\n')
        out = programs.script("perl", "use Data::Dumper; $Data::Dumper::Useqq = 0; print Dumper({token => $ENV{T}});\n", also={"T": value})
        add("perl-dumper", [value], seen(out, replaced(secret(value), {"'": "\\'", "\\": "\\\\"})))
    value = make.value("foreign")
    out = programs.script("bash", "printf '%q\\n' \"$T\"\n", also={"T": value, "LC_ALL": "C"})
    add("printf-q-c", [value], seen(out, each(secret(value), lambda b: chr(b) if b < 128 else "\\%03o" % b)))
    value = make.value("pem")
    out = programs.script("bash", "declare -p T; printf '%q\\n' \"$T\"\n", also={"T": value})
    add("lines", [value], seen(out, replaced(secret(value), {"\n": "\\n"})))


def found(out, value, way):
    """What bash left as it is carries no sign before it."""
    return seen(out, way(secret(value)))


NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
ENTITIES = {
    "named": lambda text: replaced(text, {**NAMED, "'": "&#39;"}),
    "named-hex": lambda text: replaced(text, {**NAMED, "'": "&#x27;"}),
    "apos": lambda text: replaced(text, {**NAMED, "'": "&apos;"}),
    "php": lambda text: replaced(text, {**NAMED, "'": "&#039;"}),
    "decimal": lambda text: characters(text, lambda c: c if c.isalnum() and c.isascii() else f"&#{ord(c)};"),
    "hex": lambda text: characters(text, lambda c: c if c.isalnum() and c.isascii() else f"&#x{ord(c):X};"),
    "hex-lower": lambda text: characters(text, lambda c: c if c.isalnum() and c.isascii() else f"&#x{ord(c):x};"),
    "decimal-all": lambda text: characters(text, lambda c: f"&#{ord(c)};"),
    "hex-all": lambda text: characters(text, lambda c: f"&#x{ord(c):x};"),
    "twice": lambda text: replaced(replaced(text, {**NAMED, "'": "&#39;"}), NAMED),
}


def entities(make, add):
    kinds = ["quoted", "urlish", "foreign", "shellish", "password", "quoted"]
    for number, name in enumerate(list(ENTITIES) * 4):
        value = that_changes(make, kinds, number + number // 10, ENTITIES[name])
        add(name, [value], around.put(around.XML[number % len(around.XML)], ENTITIES[name](secret(value))))
    for number, value in some(make, ["github", "quoted", "plain", "aws"], 8):
        text = mixed(make, secret(value), html.escape, html.escape, lambda c: f"&#{ord(c)};", lambda c: f"&#x{ord(c):X};")
        add("mixture", [value], around.put(around.XML[number % len(around.XML)], text))
    for number, value in some(make, ["quoted", "shellish"], 4):
        out = programs.run(["jq", "-R", "-r", '"<p>" + (. | @html) + "</p>"'], value.encode() + b"\n")
        add("jq", [value], seen(out, ENTITIES["apos" if b"&apos;" in out else "named"](secret(value))))
        out = f"<a b={saxutils.quoteattr(value, {chr(39): '&apos;', chr(34): '&quot;'})}>".encode()
        add("sax", [value], seen(out, ENTITIES["apos"](secret(value))))
    for value in [make.value("pem") for _ in range(2)]:
        add("lines", [value], around.put(around.XML[0], softened(filled(newlines(replaced(secret(value), {"+": "&#43;"}), "&#10;")))))


def lines_of(make, value, before, end="\n", whole=True):
    """The value with something before each line. Where digits stand between the lines, only the
    lines themselves are found: the short ones and the boundaries of a PEM are none."""
    out = []
    for line in value.rstrip("\n").split("\n"):
        front = before() if callable(before) else before
        text = secret(line)
        counts = len(line) >= 16 and any(c.isdigit() for c in line) and " " not in line
        if not whole and not counts:
            text = allowed(line)
        out.append((front, text))
    text = Marked()
    for at, (front, line) in enumerate(out):
        text += (end if at else "") + front + line
    return softened(filled(text)) + (allowed(end) if value.endswith("\n") else end)


def newlines(text, by):
    """Other signs for line breaks, which only may be covered: nothing of the value is in them."""
    out, start = Marked(), 0
    for at, byte in enumerate(text.data + b"\n"):
        if byte == 0x0A:
            out += text[start:at] + (allowed(by) if at < len(text) else "")
            start = at + 1
    return out


def multiline(make, add):
    kinds = ["pem", "rsa", "account", "pem"]
    ways = {
        "crlf": ("", "\r\n", True),
        "indent-2": ("  ", "\n", True),
        "indent-6": ("      ", "\n", True),
        "tab": ("\t", "\n", True),
        "mail": ("> ", "\n", True),
        "mail-twice": (">> ", "\r\n", True),
        "diff": ("+", "\n", True),
        "quotes": ('"', '",\n', True),
        "comment": ("# ", "\n", True),
        "bars": ("| ", "\n", True),
    }
    for number, name in enumerate(list(ways) * 3):
        value = make.value(kinds[(number + number // 10) % len(kinds)])
        before, end, whole = ways[name]
        add(name, [value], "key: |\n" + lines_of(make, value, before, end, whole) + "done\n")

    def stamp():
        return f"2026-03-01T12:00:{make.chance.randrange(10, 60)}.{make.chance.randrange(100, 999)}Z "

    def coloured():
        return f"\x1b[36mweb_1  |\x1b[0m {make.chance.randrange(10, 60)} "

    for number, value in some(make, ["pem", "rsa"], 8):
        add("stamps", [value], lines_of(make, value, stamp if number % 3 else coloured, "\n", False))
    for number, value in some(make, ["pem", "account", "rsa"], 9):
        text = secret(value)
        if value.startswith("{"):
            text = newlines(replaced(text, {'"': '\\"', "\\": "\\\\"}), "\\n")
        else:
            text = newlines(text, ["\\n", "\\r\\n", "\\\\n"][number // 3])
        add("literal", [value], "PRIVATE_KEY=\"" + softened(filled(text)) + "\"\n")
    for number, value in some(make, ["pem"], 4):
        out = programs.run(["sed", ["s/^/    /", "s/^/> /", "s/$/\\r/", "s/^/-  /"][number]], value.encode())
        text = Marked()
        for line in out.decode().splitlines(keepends=True):
            body = line.rstrip("\r\n").lstrip(" >") if number < 3 else line[3:].rstrip("\r\n")
            at = line.index(body)
            text += line[:at] + secret(body) + line[at + len(body) :]
        last = max(i for i, mark in enumerate(text.marks) if mark)
        add("sed", [value], softened(filled(text[: last + 1])) + allowed(text[last + 1 :]))


TURNED = {
    "upper": lambda v: v.upper(),
    "lower": lambda v: v.lower(),
    "reversed": lambda v: v[::-1],
    "rot13": lambda v: "".join(rot13(c) for c in v),
}


def rot13(character):
    for first in "aA":
        at = ord(character) - ord(first)
        if 0 <= at < 26:
            return chr(ord(first) + (at + 13) % 26)
    return character


def turned(make, add):
    for number, name in enumerate(list(TURNED) * 12):
        value = make.value((TOKENS + ["password", "urlish", "fine_grained"])[(number + number // 4) % 15])
        text = TURNED[name](value)
        add(name, [value], around.put(around.RAW[(number * 3) % len(around.RAW)], secret(text)))
    value = make.value("plain")
    for command, name in ((["rev"], "reversed"), (["tr", "a-z", "A-Z"], "upper"), (["tr", "A-Za-z", "N-ZA-Mn-za-m"], "rot13")):
        out = programs.run(command, value.encode() + b"\n")
        add("real-" + name, [value], seen(out, secret(TURNED[name](value))))


ROWS = {1: exact, 3: escapes, 4: urls, 5: shells, 6: entities, 7: multiline, 13: turned}
