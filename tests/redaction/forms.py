"""Every form of a value that the specification lists, written out. Used by the reference alone."""

import base64
import binascii
import codecs
import functools
import json
import re
import urllib.parse

# A few of the words that are not searched for; the program's own list is longer.
WORDS = {
    "password", "password1", "password123", "localhost", "production", "development", "postgres",
    "changeme", "administrator", "undefined", "staging", "true", "false", "test", "default",
}
VENDOR = re.compile(
    rb"(?:gh[opsur]_|github_pat_|sk_(?:live|test)_|xox[abprs]-|sk-proj-|sk-ant-api03-|sk-ant-|sk-|npm_|glpat-|SG\.|pypi-|AKIA|hf_|dop_v1_)"
)


def is_searched(raw):
    return len(raw) >= 8 and len(set(raw)) >= 6 and raw.lower() not in {w.encode() for w in WORDS}


def is_line(line):
    boundary = line.startswith(b"-----") and line.rstrip().endswith(b"-----")
    return len(line) >= 16 and re.search(rb"\d", line) and b" " not in line and not boundary


def strings(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


JWT = re.compile(rb"^(eyJ[\w-]+)\.([\w-]+)\.([\w-]+)$")
DSN = re.compile(rb"^[a-z][a-z0-9+.-]*://[^:/@\s]*:([^@\s]+)@", re.I)


def units(value):
    """What is searched for of a value: pairs of bytes and whether they may be cut off."""
    out, simple = [], True
    if b"\n" in value.rstrip(b"\n"):
        simple = False
        out += [(line.rstrip(b"\r"), False) for line in value.split(b"\n") if is_line(line.rstrip(b"\r"))]
    try:
        parsed = json.loads(value)
        if isinstance(parsed, (dict, list)):
            simple = False
            for field in strings(parsed):
                raw = field.encode()
                if "\n" in field:
                    out += [(raw, False)] + [(line, False) for line in raw.split(b"\n") if is_line(line)]
                elif is_line(raw) and (b"://" not in raw or b"@" in raw):
                    out.append((raw, True))
    except ValueError:
        pass
    if found := JWT.match(value):
        simple = False
        out += [(found[2], False), (found[3], True)]
    if found := DSN.match(value):
        simple = False
        out += [(found[1], True), (urllib.parse.unquote_to_bytes(found[1]), True)]
    bare = value.rstrip(b"\r\n")
    # Programs that read a file drop the line end at its end.
    out += [(bare, simple)] if bare != value else []
    return [(value, simple)] + [(unit, cut) for unit, cut in out if is_searched(unit)]


def cores(data, encode, bits, aligned):
    """The characters of base32 or base64 that the data fully determines, with the bits left over at
    both sides: needle, the characters before it and those after it that carry the value's bits."""
    out = []
    for before in aligned:
        whole = encode(b"\0" * before + data + b"\0" * 5)
        first, last = -(-before * 8 // bits), (before + len(data)) * 8 // bits
        beside = [[], []]
        for other in range(256):
            filler = bytes([other])
            if before * 8 % bits:
                beside[0].append(encode(filler * before + data[:8])[first - 1])
            if (before + len(data)) * 8 % bits:
                skipped = (before + len(data) - 1) // 15 * 15
                tail = (b"\0" * before + data)[skipped:] + filler * 5
                beside[1].append(encode(tail)[last - skipped * 8 // bits])
        out.append((whole[first:last], *map(frozenset, beside)))
    return out


def around(inner, outer):
    """The neighbours of base64 of base64: where the outer text ends with a character of the inner
    one, those of the inner one."""
    beside = []
    for mine, theirs, digit in ((outer[1], inner[1], lambda one: one & 63), (outer[2], inner[2], lambda one: one >> 2)):
        digits = {digit(one) for one in theirs}
        beside.append(mine or frozenset(byte for one in digits for byte in (B64[one], B64[one].replace(b"+", b"-").replace(b"/", b"_"))))
    return (outer[0], *(frozenset(byte if isinstance(byte, int) else byte[0] for byte in side) for side in beside))


B64 = [base64.b64encode(bytes([digit << 2]))[:1] for digit in range(64)]
NONE = frozenset()


@functools.lru_cache(maxsize=512)
def base64s(data):
    return cores(data, base64.b64encode, 6, range(3)) + cores(data, base64.urlsafe_b64encode, 6, range(3))


@functools.lru_cache(maxsize=512)
def base32s(data):
    return cores(data, base64.b32encode, 5, range(5))


def per_byte(data, table, otherwise=None):
    out = b""
    for byte in data:
        one = bytes([byte])
        out += table.get(one, otherwise(byte) if otherwise else one)
    return out


def per_character(text, change):
    return "".join(change(c) for c in text).encode()


def units16(character):
    raw = character.encode("utf-16-be")
    return "".join("\\u%04x" % int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2))


def upper_hex(escaped):
    return re.sub(r"\\(u[0-9a-f]{4}|x[0-9a-f]{2})", lambda m: "\\" + m[1][0] + m[1][1:].upper(), escaped)


def escapes(data):
    """Rows 3: JSON, JavaScript, C, Go, Python."""
    out = [
        per_byte(data, {}, lambda b: b"\\%03o" % b),
        per_byte(data, {b'"': b'\\"', b"\\": b"\\\\", b"\n": b"\\n", b"\t": b"\\t"}, lambda b: bytes([b]) if 32 <= b < 127 else b"\\%03o" % b),
        per_byte(data, {b"\n": b"\\n"}, lambda b: bytes([b]) if 32 <= b < 127 else b"\\%03o" % b),
        repr(data)[2:-1].encode(),
        per_byte(data, {b"'": b"\\'", b"\\": b"\\\\", b"\n": b"\\n"}),
    ]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return out
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    ascii_ = json.dumps(text)[1:-1]
    some = [plain, ascii_, plain.replace("/", "\\/"), ascii_.replace("/", "\\/")]
    for base in (plain, ascii_):
        some.append("".join(units16(c) if c in "<>&" else c for c in base))
        some.append("".join(units16(c) if c in "<>&'" else c for c in base))
        some.append("".join(units16(c) if c in "<>&'+" else c for c in base.replace('\\"', "\\u0022")))
    some.append("".join("\\x%02x" % ord(c) if c in "'\"<>&\\`" else c for c in text))
    some.append("".join(units16(c) for c in text))
    some += [repr(text)[1:-1], ascii(text)[1:-1]]
    some += [upper_hex(one) for one in some]
    some += [json.dumps(one, ensure_ascii=False)[1:-1] for one in some[:6]]
    return out + [one.encode() for one in some]


def percents(data):
    out = []
    for safe in ("", "/", "!'()*", ";,/?:@&=+$!'()*#"):
        one = urllib.parse.quote_from_bytes(data, safe=safe)
        lower = re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), one)
        for way in (one, lower):
            out += [way, way.replace("%20", "+"), way.replace("%", "%25")]
    out += ["".join(form % byte for byte in data) for form in ("%%%02X", "%%%02x")]
    return [one.encode() for one in out]


def signs(data, sign, of):
    return per_byte(data, {bytes([one]): sign + bytes([one]) for one in of})


def shells(data):
    quoted = {b"'": b"'\\''"}
    return [
        per_byte(data, quoted),
        per_byte(data, {b"'": b"'\"'\"'"}),
        signs(data, b"\\", b'$`"\\'),
        signs(data, b"\\", b'$`"\\!'),
        signs(data, b"\\", b' !"#$&\'()*,;<>?[\\]^`{|}'),
        signs(data, b"\\", b' !"#$&\'()*,;<>?[\\]^`{|}~='),
        per_byte(data, {b"'": b"\\'", b"\\": b"\\\\", b"\n": b"\\n"}, lambda b: bytes([b]) if 32 <= b < 127 else b"\\%03o" % b),
        signs(data, b"`", b'`$"'),
        signs(data, b"^", b'&|<>^%"'),
        per_byte(data, {b"'": b"''"}),
    ]


NAMED = {b"&": b"&amp;", b"<": b"&lt;", b">": b"&gt;", b'"': b"&quot;"}


def entities(data):
    out = [per_byte(data, {**NAMED, b"'": one}) for one in (b"'", b"&#39;", b"&#039;", b"&#x27;", b"&apos;", b"&#34;")]
    out.append(per_byte(data, {b"&": b"&amp;", b"<": b"&lt;", b">": b"&gt;"}))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return out
    for form in ("&#%d;", "&#x%x;", "&#x%X;"):
        out.append(per_character(text, lambda c: form % ord(c)))
        out.append(per_character(text, lambda c: c if c.isascii() and c.isalnum() else form % ord(c)))
    return out + [one.replace(b"&", b"&amp;") for one in out]


def hexes(data):
    out = []
    for form in ("%02x", "%02X"):
        for separator in ("", ":", " ", "-", ", "):
            out.append(separator.join(form % b for b in data))
        out += [separator.join("0x" + form % b for b in data) for separator in (",", ", ", " ")]
        out.append("".join("\\x" + form % b for b in data))
    out += [separator.join(str(b) for b in data) for separator in (" ", ",", ", ")]
    return [one.encode() for one in out]


def quoted_printable(data):
    return [per_byte(data, {b"=": b"=3D"}, lambda b: bytes([b]) if 32 <= b < 127 else b"=%02X" % b)]


def base85s(data):
    whole = data[: len(data) // 4 * 4]
    # Of the rest, the last character is not determined where something follows.
    out = []
    for encode in (base64.b85encode, base64.a85encode):
        every, some = encode(data), encode(whole)
        out += [every, every[: -2 if len(every) > len(some) else None]]
    return [one for one in out if one]


def letters(data):
    return [data.upper(), data.lower(), data[::-1], codecs.encode(data.decode("latin-1"), "rot13").encode("latin-1")]


def wides(data):
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return []
    return [(form, text.encode(form)) for form in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")]


def wrapped(encoded):
    """Row 8: lines of 60, 64 and 76 characters, where the value is what was encoded."""
    for one, _, _ in (encoded[0], encoded[3]):
        for width in (60, 64, 76):
            lines = [one[at : at + width] for at in range(0, len(one), width)]
            if len(lines) > 1:
                yield from (end.join(lines) for end in (b"\n", b"\r\n"))


@functools.lru_cache(maxsize=512)
def needles(data):
    """Everything that is searched for as bytes: form, needle, whether it widens to both sides."""
    plain = [("exact", data)]
    plain += [("escape", one) for one in escapes(data)]
    plain += [("percent", one) for one in percents(data)]
    plain += [("shell", one) for one in shells(data)]
    plain += [("entity", one) for one in entities(data)]
    plain += [("hex", one) for one in hexes(data)]
    plain += [("base85", one) for one in base85s(data)]
    plain += [("quoted-printable", one) for one in quoted_printable(data)]
    plain += [("letters", one) for one in letters(data)]
    crlf = data.replace(b"\n", b"\r\n")
    plain += [("crlf", crlf)]
    if crlf != data:
        # Row 7: line ends of the other kind, and both of them written out.
        plain += [("crlf", data.replace(b"\n", end)) for end in (b"\r", b"\\n", b"\\r\\n", b"\\\\n", b"\\\\r\\\\n")]
        plain += [("crlf-escape", one) for one in escapes(crlf)]
    out = [(form, one, NONE, NONE) for form, one in plain]
    for one, left, right in base64s(data):
        out.append(("base64", one, left, right))
        for outer in base64s(one):
            out.append(("base64-base64", *around((one, left, right), outer)))
        out += [("base64-base64", inner, NONE, NONE) for inner in wrapped(base64s(one))]
        out += [("hex-base64", inner, NONE, NONE) for inner in hexes(one)]
        out += [("percent-base64", inner, NONE, NONE) for inner in percents(one)]
    for one, left, right in base32s(data):
        out.append(("base32", one, left, right))
    two = hexes(data)[:1] + [binascii.hexlify(data).upper()] + percents(data) + escapes(data) + entities(data)
    out += [("base64", one, NONE, NONE) for one in wrapped(base64s(data))]
    for one in set(two) - {data}:
        out += [("base64-of", inner, left, right) for inner, left, right in base64s(one)]
        out += [("base64-of", inner, NONE, NONE) for inner in wrapped(base64s(one))]
    for form, one in wides(data):
        out.append((form, one, NONE, NONE))
        out += [("base64-" + form, inner, NONE, NONE) for inner in wrapped(base64s(one))]
        out += [("base64-" + form, inner, left, right) for inner, left, right in base64s(one)]
        out += [("hex-" + form, binascii.hexlify(one), NONE, NONE), ("hex-" + form, binascii.hexlify(one).upper(), NONE, NONE)]
    for one in set(escapes(data)):
        out += [("escape-twice", inner, NONE, NONE) for inner in escapes(one)]
    return out


def folded_needles(data):
    """What is searched for in the folded view: form and bytes before folding."""
    out = [("folded", data), ("folded-reversed", data[::-1])]
    out += [("folded-base64", one) for one, _, _ in base64s(data)]
    out += [("folded-base32", one) for one, _, _ in base32s(data)]
    out.append(("folded-hex", binascii.hexlify(data)))
    out += [("folded-quoted-printable", one) for one in quoted_printable(data)]
    out.append(("folded-hex", ("".join("0x%02x" % b for b in data)).encode()))
    return out


def may_fold(plain):
    return (
        len(plain) >= 12
        and len(set(plain)) >= 8
        and re.search(rb"\d", plain) is not None
        and re.search(rb"[a-z]", plain) is not None
    )
