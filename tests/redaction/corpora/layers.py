"""Rows in which the value becomes other characters: base64, hexadecimal, dumps, UTF-16, two layers."""

import json
import string

import around
import programs
from marked import (
    URL_SAFE,
    Marked,
    base32,
    base64,
    base85,
    characters,
    each,
    filled,
    hexed,
    join,
    secret,
    seen,
    softened,
    wrapped,
)
from text import ENTITIES, PERCENT, json_plain, some
from values import SIGNED, TOKENS

KINDS = TOKENS + SIGNED + ["foreign", "spaced", "dsn", "fine_grained", "jwt"]


def basic(make, add):
    for number, value in some(make, KINDS, 48):
        before = make.of(string.ascii_lowercase + "0123456789", number % 3 + 5) if number % 8 else ""
        after = ["", "\n", ":x", "\nMODE=fast\n", '"}'][number % 5]
        whole = before[: -1 if before else None] + (":" if before else "") + secret(value) + after
        url, pad = number % 4 == 1, number % 3 != 1
        text = base64(whole, url, pad)
        add(f"base64-{'url' if url else 'standard'}", [value], around.put(around.BLOB[number % len(around.BLOB)], text))
    for number, value in some(make, ["github", "password", "gitlab"], 6):
        name = ["build", "service", "oauth2"][number % 3]
        out = programs.curl("-u", f"{name}:{value}")
        add("curl-basic", [value], seen(out, base64(f"{name}:" + secret(value))))
        text = json.dumps({"auths": {"registry.example.com": {"auth": "|"}}}, indent=2)
        add("docker-config", [value], around.put(text, base64(f"{name}:" + secret(value))))
    for number, value in some(make, ["password", "stripe", "pem"], 3):
        out = programs.run(["kubectl", "create", "secret", "generic", "db", f"--from-literal=value={value}", "--dry-run=client", "-o", ["yaml", "json"][number % 2]])
        add("kubectl", [value], seen(out, base64(secret(value))))
    value = make.value("password")
    out = programs.run(["kubectl", "create", "secret", "docker-registry", "pull", "--docker-server=registry.example.com", "--docker-username=build", f"--docker-password={value}", "--dry-run=client", "-o", "json"])
    whole = json.loads(out)["data"][".dockerconfigjson"]
    plain = bytes.fromhex(__import__("base64").b64decode(whole).hex()).decode()
    auth = base64("build:" + secret(value))
    inner = json.loads(plain)["auths"]["registry.example.com"]
    text = Marked()
    for piece in plain.replace(inner["auth"], "\0a").replace(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"), "\0p").split("\0"):
        text += (auth + piece[1:]) if piece[:1] == "a" else ('"' + go_json(value) + '"' + piece[1:]) if piece[:1] == "p" else piece
    assert text.data.decode() == plain, (text.data, plain)
    add("dockerconfigjson", [value], seen(out, base64(text)))


def go_json(value):
    return characters(secret(value), lambda c: "\\u%04x" % ord(c) if c in "<>&" else json_plain(Marked(c)).data)


def broken(make, add):
    """Wrapped base64: only such in which the value goes over the end of a line."""
    widths = [60, 64, 76, 60, 64, 76, 72]
    ends = ["\n", "\n    ", "\r\n", "\n  ", "\\n", "\r\n\t", "\n> "]
    for number, value in some(make, ["github", "plain", "aws", "password", "fine_grained", "dsn", "key", "sendgrid"], 44):
        width, end = widths[number % 7], ends[number // 2 % 7]
        before = "TOKEN_" + make.of(string.ascii_uppercase, 12 + number % 3) + "="
        while True:
            whole = before + secret(value) + "\nMODE=fast\nREGION=eu\nUSER=build\nDEBUG=0\n"
            text = base64(whole, pad=number % 3 > 0)
            first = next(i for i, mark in enumerate(text.marks) if mark)
            cut = (first // width + 1) * width
            if cut + 9 < first + text.marks.count(2):
                break
            before = make.of(string.ascii_uppercase, 1) + before
        if first > 4 * width:
            before = before[-width:]
        text = softened(wrapped(text, width, end))
        start = {"\n    ": "data:\n  .env: |\n    ", "\n  ": "body:\n  ", "\n> ": "> "}.get(end, "")
        add(f"w{width}-{ascii(end)[1:-1].replace(' ', '_')}", [value], start + text + "\n")
    for number, value in some(make, ["rsa", "fine_grained", "pem"], 6):
        given = (b"key=" + value.encode(), secret(value))
        whole = "key=" + secret(value)
        out = programs.run([["base64", "-w76"], ["openssl", "base64"], ["base64", "-w60"]][number % 3], given[0])
        text = softened(wrapped(base64(whole), [76, 64, 60][number % 3]))
        add("program", [value], seen(out, text))
    for number, value in some(make, ["fine_grained", "rsa", "model", "jwt"], 4):
        out = programs.script("python3", "import os\nfrom email.mime.application import MIMEApplication\nprint(MIMEApplication(b'a=1;token=' + os.environ['T'].encode() + b';'))\n", also={"T": value})
        add("mail", [value], seen(out, softened(wrapped(base64("a=1;token=" + secret(value) + ";"), 76))))


HEXES = {
    "lower": ("%02x", ""),
    "upper": ("%02X", ""),
    "colons": ("%02x", ":"),
    "colons-upper": ("%02X", ":"),
    "spaces": ("%02x", " "),
    "spaces-upper": ("%02X", " "),
    "x": ("\\x%02x", ""),
    "x-upper": ("\\x%02X", ""),
    "commas": ("0x%02x", ","),
    "commas-spaces": ("0x%02x", ", "),
    "commas-upper": ("0x%02X", ", "),
    "go": ("%d", " "),
    "decimal": ("%d", ", "),
    "decimal-tight": ("%d", ","),
}


def hexadecimal(make, add):
    for number, name in enumerate(list(HEXES) * 3):
        value = make.value((TOKENS + SIGNED + ["foreign"])[(number * 5) % 18])
        form, separator = HEXES[name]
        front, back = [("raw=", "\n"), ("[", "]\n"), ("<Buffer ", ">\n"), ("{", "}\n"), ('{"type":"Buffer","data":[', "]}\n")][number % 5]
        text = hexed(secret(value), form, separator.encode())
        add(name, [value], "got " + front + text + back)
    for number, value in some(make, ["github", "password", "foreign"], 6):
        whole = "ab: " + secret(value) + "\n"
        form, separator = HEXES[["lower", "spaces", "go", "decimal", "colons", "commas-spaces"][number]]
        add("inside", [value], "body " + hexed(whole, form, separator.encode()) + "\n")
    for number, value in some(make, ["github", "quoted", "npm"], 3):
        out = programs.script("node", "const b = Buffer.from(process.env.T); console.log(b, b.toString('hex'), b.toJSON().data.join(', ')); console.log(JSON.stringify({b}))\n", also={"T": value})
        pieces = [hexed(secret(value), *HEXES[name][:1], HEXES[name][1].encode()) for name in ("spaces", "lower", "decimal", "decimal-tight")]
        add("node-buffer", [value], seen(out, *pieces))
        out = programs.run(["xxd", "-p"], value.encode() + b"\n")
        add("xxd-p", [value], seen(out, softened(wrapped(hexed(secret(value) + "\n"), 60))))
        out = programs.script("python3", "import os\nb = os.environ['T'].encode()\nprint(list(b), b.hex(), b.hex(':'), b.hex(' '), bytearray(b).hex().upper())\n", also={"T": value})
        names = ("decimal", "lower", "colons", "spaces", "upper")
        add("python-hex", [value], seen(out, *[hexed(secret(value), HEXES[name][0], HEXES[name][1].encode()) for name in names]))
    value = make.value("password")
    code = "class Main { public static void main(String[] a) throws Exception { byte[] b = System.getenv(\"T\").getBytes(\"UTF-8\"); System.out.println(java.util.Arrays.toString(b)); throw new Exception(\"refused \" + System.getenv(\"T\")); } }\n"
    out = programs.script("java", code, also={"T": value}, status=(1,))
    add("java", [value], seen(out, hexed(secret(value), "%d", b", "), secret(value)))
    for number, value in some(make, ["fine_grained", "sendgrid"], 2):
        out = programs.run(["xxd", "-p"], value.encode())
        add("xxd-p-lines", [value], seen(out, filled(wrapped(hexed(secret(value)), 60))))


def dumps(make, add):
    kinds = ["github", "plain", "password", "aws", "dsn", "foreign", "quoted", "stripe"]
    for number, name in enumerate(list(programs.DUMPS) * 9):
        value = make.value(kinds[(number + number // 6) % len(kinds)])
        before = make.of(string.ascii_lowercase, 3 + number * 7 % 41) + "="
        whole = before + secret(value) + ["\n", "\nMODE=fast\nLEVEL=2\n", "\0\0\x01rest of it"][number % 3]
        if name == "xxd" and "foreign" == kinds[(number + number // 6) % len(kinds)]:
            whole = before + secret(value) + "\n"
        out, shape = programs.DUMPS[name](whole.data)
        marks = programs.dump_of(whole.marks, out, shape)
        if name == "od-c":
            marks = bytes(1 if mark and byte == 0x20 else mark for mark, byte in zip(marks, out))
        add(name, [value], "$ dump\n" + Marked(out, marks) + "$ exit\n" if number % 2 else Marked(out, marks))


def others(make, add):
    for number, value in some(make, TOKENS + ["password", "foreign"], 20):
        before = make.of(string.ascii_lowercase, 5 + number % 5)
        text = base32(before + secret(value) + ["", "\n", "; end"][number % 3], pad=number % 4 != 0)
        add("base32", [value], around.put(around.BLOB[number % len(around.BLOB)], text))
    for number, value in some(make, ["github", "plain"], 3):
        text = base32(secret(value) + "\n")
        add("base32-wrapped", [value], softened(wrapped(text, 24 + 8 * number)) + "\n")
    b85 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
    a85 = bytes(range(33, 118))
    for number, value in some(make, TOKENS + ["password"], 14):
        text = base85(secret(value), b85 if number % 2 else a85)
        add("b85" if number % 2 else "a85", [value], ("blob " + text + "\n") if number % 2 else ("<~" + text + "~>"))
    for number, value in some(make, ["foreign", "urlish", "key", "password", "spaced"], 15):
        text = characters(secret(value), lambda c: c if 32 <= ord(c) < 127 and c != "=" else "".join("=%02X" % b for b in c.encode()))
        add("quoted-printable", [value], "Content-Transfer-Encoding: quoted-printable\r\n\r\npassword: " + text + "\r\n")
    for number, value in some(make, ["fine_grained", "plain", "github"], 6):
        text = "The token of the deploy account for this quarter is " + secret(value) + " and so on, see below."
        text = softened(wrapped(text, 75 if number % 2 else 70, "=\n" if number % 3 else "=\r\n"))
        add("soft-breaks", [value], "Content-Transfer-Encoding: quoted-printable\n\n" + text + "\n")
    for number, value in some(make, ["github", "foreign"], 4):
        out = programs.script("python3", "import base64, os, quopri\nt = os.environ['T'].encode()\nprint(base64.b32encode(b'x:' + t).decode(), base64.b85encode(t).decode(), base64.a85encode(t).decode())\nprint(quopri.encodestring(t).decode())\n", also={"T": value})
        quoted = characters(secret(value), lambda c: c if 32 <= ord(c) < 127 and c != "=" else "".join("=%02X" % b for b in c.encode()))
        add("python", [value], seen(out, base32("x:" + secret(value)), base85(secret(value), b85), base85(secret(value), a85), quoted))


WIDE = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-32-le": b"\xff\xfe\0\0", "utf-32-be": b"\0\0\xfe\xff"}


def widened(text, form):
    """The zero bytes at both ends of the value say nothing: they only may be covered."""
    text = characters(text, lambda c: c.encode(form))
    marks = bytearray(text.marks)
    at = [i for i, mark in enumerate(marks) if mark]
    for side in (at, at[::-1]):
        for i in side:
            if text.data[i]:
                break
            marks[i] = 1
    return Marked(text.data, marks)


def blank_beside(text):
    """Packed once more, a zero byte beside the value cannot be told from one of its own: read in the
    other order of bytes, the value begins or ends with it."""
    marks = bytearray(text.marks)
    for at, byte in enumerate(text.data):
        if byte == 0 and not text.marks[at] and any(text.marks[max(at - 1, 0) : at + 2]):
            marks[at] = 1
    return Marked(text.data, marks)


def wide(make, add):
    kinds = TOKENS + ["password", "foreign", "quoted", "spaced"]
    for number, value in some(make, kinds, 24):
        form = WIDE[number % 4]
        text = widened("[main]\r\npassword=" + secret(value) + "\r\nmode=fast\r\n", form)
        add(form + "-file", [value], (MARKS[form] if number % 3 else b"") + text)
    for number, value in some(make, kinds, 6):
        text = widened(secret(value), WIDE[number % 2])
        add("odd-offset", [value], "log: " + ["", "a"][number // 2 % 2] + text + "\x01 rest\n")
    for number, value in some(make, kinds, 12):
        command = "$t = '" + secret(value) + "'; ./deploy -Token $t"
        text = base64(blank_beside(widened("x" * (number % 3) + command, "utf-16-le" if number % 4 else "utf-16-be")))
        add("encoded-command", [value], "powershell.exe -NoProfile -EncodedCommand " + text + "\r\n")
    for number, value in some(make, kinds, 8):
        text = blank_beside(widened("p=" + secret(value) + "\n", WIDE[number % 2]))
        add("hex", [value], "raw " + hexed(text, "%02X" if number % 3 == 0 else "%02x") + "\n")
    for number, value in some(make, ["github", "foreign"], 2):
        out = programs.run(["iconv", "-f", "UTF-8", "-t", "UTF-16"], ("a=" + value).encode())
        add("iconv", [value], seen(out, widened(secret(value), "utf-16-le")))


def layered(make, add):
    def claims(value):
        part = base64('{"sub":"build","token":"' + json_plain(value) + '","iat":1760000000}', True, False)
        head = base64('{"alg":"HS256","typ":"JWT"}', True, False)
        return head + "." + part + "." + make.of(URL_SAFE.decode(), 43)

    ways = {
        "base64-base64": lambda v, n: base64("x" * (n % 3) + base64("ab:"[: n % 4] + v + "\n") + "\n"),
        "hex-base64": lambda v, n: hexed(base64("user:"[: n % 6] + v)),
        "base64-hex": lambda v, n: base64("id="[: n % 4] + hexed(v, "%02x" if n % 2 else "%02X") + "\n"),
        "base64-url": lambda v, n: base64("t="[: n % 3] + PERCENT["quote"](v) + "&a=1"),
        "base64-json": lambda v, n: base64('{"token":"' + json_plain(v) + '","n":1}', n % 2 > 0),
        "url-base64": lambda v, n: PERCENT["quote" if n % 2 else "quote-lower"](base64("build:"[: n % 7] + v)),
        "jwt-claims": lambda v, n: claims(v),
        "base64-xml": lambda v, n: base64("<p>" + ENTITIES["named"](v) + "</p>"),
        "json-json": lambda v, n: json_plain('{"body":"' + json_plain('{"t":"' + json_plain(v) + '"}') + '"}'),
    }
    kinds = ["github", "aws", "password", "urlish", "quoted", "plain", "uuid", "foreign"]
    for number, name in enumerate(list(ways) * 6):
        value = make.value(kinds[(number + number // 9) % len(kinds)])
        if name in ("json-json", "base64-xml") and number >= 18:
            continue
        text = ways[name](secret(value), number // len(ways))
        add(name, [value], around.put(around.BLOB[number % 5], text))
    value = make.value("github")
    out = programs.run(["bash", "-c", "base64 -w0 | base64 -w0"], value.encode() + b"\n")
    add("program", [value], seen(out, base64(base64(secret(value) + "\n"))))


ROWS = {2: basic, 8: broken, 10: hexadecimal, 11: dumps, 12: others, 14: wide, 15: layered}
