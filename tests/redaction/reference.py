#!/usr/bin/env python3
"""A slow, obvious reference for redaction: expand every form, search the whole text.

    reference.py < cases.jsonl > answers.jsonl

The lines are those of `subrosa redact --jsonl`, in and out. Chunks make no difference here. It is
written from the specification alone, and shares no code with what makes the corpora.
"""

import base64
import html
import html.entities
import json
import re
import subprocess
import sys
import zlib

import forms



def places(text, needle):
    at = text.find(needle)
    while at >= 0:
        yield at
        at = text.find(needle, at + 1)


ESCAPE = re.compile(
    # ECMA-48: one that something else breaks off is dropped as far as it came, and a text that
    # nothing ends is text.
    rb"(?P<control>\x1b\[[ -?]*[@-~]?|\x1b[\]PX^_](?:[^\x07\x1b\n]|\x1b[^\\])*(?:\x07|\x1b\\)|\x1b[ -/][^\n]?|\x1b[^\[\]PX^_ -/])"
    rb"|%(?:25)*(?P<percent>[0-9a-fA-F]{2})"
    rb"|\\+x(?P<x>[0-9a-fA-F]{2})"
    rb"|\\+u(?P<u>[0-9a-fA-F]{4})"
    rb"|\\+(?P<octal>[0-7]{1,3})"
    rb"|\\+(?P<blank>[nrtbfvae])"
    rb"|&(?:amp;)*(?P<entity>#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{1,6});"
)
PLAIN = re.compile(rb"(?P<control>\x1b\[[0-?]*[ -/]*[@-~])")


def folded(text, pattern=ESCAPE):
    """The folded view: its bytes, and where each of them stands in the text."""
    out, where, at = bytearray(), [], 0

    def keep(data, start, end):
        for byte in data.lower():
            if byte < 128 and chr(byte).isalnum():
                out.append(byte)
                where.append((start, end))

    while at < len(text):
        match = pattern.match(text, at)
        if not match:
            keep(text[at : at + 1], at, at + 1)
            at += 1
            continue
        kind, value = match.lastgroup, match[match.lastgroup]
        if kind in ("percent", "x"):
            keep(bytes([int(value, 16)]), at, match.end())
        elif kind == "octal":
            keep(bytes([int(value, 8) & 255]), at, match.end())
        elif kind == "u":
            keep(chr(int(value, 16)).encode("utf-8", "replace"), at, match.end())
        elif kind == "entity":
            # The names that HTML does not have stand for nothing.
            name = value.decode() + ";"
            plain = html.unescape("&" + name) if name[0] == "#" else html.entities.html5.get(name, "")
            keep(plain.encode("utf-8", "replace"), at, match.end())
        at = match.end()
    return bytes(out), where


def in_folded(text, units):
    view, where = folded(text)
    for unit, secret in units:
        for form, needle in forms.folded_needles(unit):
            # What looks like an escape in the value may be written as it is, or as one.
            for one in {folded(needle)[0], folded(needle, PLAIN)[0]}:
                if forms.may_fold(one):
                    for at in places(view, one):
                        yield where[at][0], where[at + len(one) - 1][1], form, secret


def in_raw(text, units):
    for unit, secret in units:
        for form, needle, left, right in set(forms.needles(unit)):
            if len(needle) < 8 or len(set(needle)) < 6 and not form.startswith("hex"):
                continue
            for at in places(text, needle):
                start, end = at, at + len(needle)
                if start and text[start - 1] in left:
                    start -= 1
                if end < len(text) and text[end] in right:
                    end += 1
                yield start, end, form, secret


def truncated(text, units):
    """Beginnings and ends of at least twelve characters beyond the vendor's prefix."""
    for unit, secret in units:
        prefix = forms.VENDOR.match(unit)
        prefix = prefix.end() if prefix else 0
        least = prefix + 12
        if len(unit) <= least:
            continue
        for start in (0, prefix):
            for at in places(text, unit[start : prefix + 12]):
                count = prefix + 12 - start
                while at + count < len(text) and start + count < len(unit) and text[at + count] == unit[start + count]:
                    count += 1
                if len(set(text[at : at + count])) >= 6:
                    yield at, at + count, "truncated", secret
        for at in places(text, unit[-12:]):
            count = 12
            while at + 12 - count > 0 and count < len(unit) - prefix and text[at + 11 - count] == unit[-count - 1]:
                count += 1
            if len(set(text[at + 12 - count : at + 12])) >= 6:
                yield at + 12 - count, at + 12, "truncated", secret


DUMP = re.compile(
    rb"^(?P<offset>[0-9a-fA-F]{6,16}):?(?P<cells>(?:[ ]{1,2}(?:[0-9a-fA-F]{2})+)+|(?:[ ][0-7]{3})+)[ ]*(?P<gutter>[ ][ |>]?.*)?$"
)


def dumped(text):
    """Bytes of each hexdump in the text, with all the places of each byte. A line of something else
    ends one."""
    data, where = bytearray(), []
    for line in re.finditer(rb"[^\n]+", text):
        raw = line[0].rstrip(b"\r")
        if not raw:
            continue
        cells = dump_cells(raw)
        if not cells:
            yield bytes(data), where
            data, where = bytearray(), []
            continue
        side = gutter(raw, cells)
        for i, (at, end, value) in enumerate(cells):
            data.append(value)
            spots = [(line.start() + at, line.start() + end)]
            if side is not None and side + i < len(raw):
                spots.append((line.start() + side + i, line.start() + side + i + 1))
            where.append(spots)
    yield bytes(data), where


OD = {b"\\0": 0, b"\\a": 7, b"\\b": 8, b"\\t": 9, b"\\n": 10, b"\\v": 11, b"\\f": 12, b"\\r": 13}


def dump_cells(line):
    """The bytes of one line of a dump: start, end, value."""
    offset = re.match(rb"([0-9a-fA-F]{6,16})(:?) ", line)
    if not offset:
        return []
    if offset[2]:
        found = re.match(rb"[0-9a-fA-F]+:((?: [0-9a-fA-F]{2,4})+)  ", line)
        if not found:
            return []
        start = found.start(1)
        return [(start + m.start(), start + m.end(), int(m[0], 16)) for m in re.finditer(rb"[0-9a-fA-F]{2}", found[1])]
    rest = line[offset.end() - 1 :]
    if found := re.match(rb"((?: {1,2}[0-9a-fA-F]{2})+)(?: *$| +[|>])", rest):
        start = offset.end() - 1
        return [(start + m.start(), start + m.end(), int(m[0], 16)) for m in re.finditer(rb"[0-9a-fA-F]{2}", found[1])]
    if re.fullmatch(rb"(?: [0-7]{3})+", rest):
        start = offset.end() - 1
        return [(start + m.start(), start + m.end(), int(m[0], 8) & 255) for m in re.finditer(rb"[0-7]{3}", rest)]
    if len(rest) % 4 == 0 and len(rest) <= 64:
        out = []
        for at in range(0, len(rest), 4):
            cell = rest[at : at + 4]
            name = cell.strip()
            start = offset.end() - 1 + at + 4 - len(name or b" ")
            if name in OD:
                value = OD[name]
            elif re.fullmatch(rb"[0-7]{3}", name):
                value = int(name, 8)
            elif len(name) <= 1 and cell[:3] == b"   ":
                value = ord(name or b" ")
            else:
                return []
            out.append((start, offset.end() - 1 + at + 4, value))
        return out
    return []


def gutter(line, cells):
    end = cells[-1][1]
    if found := re.search(rb"[|>](?=.{%d}[|<]$)" % len(cells), line[end:]):
        return end + found.end()
    if b":" in line[: cells[0][0]] and len(line) - end >= len(cells):
        return len(line) - len(cells)
    return None


def in_dumps(text, units):
    for data, where in dumped(text):
        yield from in_dump(text, units, data, where)


def in_dump(text, units, data, where):
    for unit, secret in units:
        spans = [(at, at + len(unit)) for at in places(data, unit)]
        if cuttable(unit, secret):
            spans += [span[:2] for span in truncated(data, [(unit, secret)])]
        for begin, finish in spans:
            sides = [[], []]
            for spots in where[begin:finish]:
                for side, spot in zip(sides, spots):
                    sides[side is sides[1]].append(spot)
            for side in sides:
                # One finding a line: what stands between is other text.
                start = end = None
                for one in side:
                    if end is not None and b"\n" not in text[end : one[0]] and one[0] - end <= 3:
                        end = one[1]
                    else:
                        if start is not None:
                            yield start, end, "dump", secret
                        start, end = one
                if start is not None:
                    yield start, end, "dump", secret


def inflate(data, bits):
    """What a packed piece holds and how long it is; nothing if it is none."""
    opened = zlib.decompressobj(bits)
    try:
        plain = opened.decompress(data, 1 << 22)
    except zlib.error:
        return None
    return (plain, len(data) - len(opened.unused_data)) if opened.eof else None


def program(command, data):
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return (done.stdout, len(data)) if done.returncode == 0 else None


BROTLI = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"


def packed(text):
    """Packed pieces: start, end, plain bytes."""
    found = [(at, inflate(text[at:], 31)) for at in places(text, b"\x1f\x8b\x08")]
    found += [(at, inflate(text[at:], 15)) for at in range(len(text) - 1) if text[at] & 15 == 8 and (text[at] * 256 + text[at + 1]) % 31 == 0 and text[at] == 0x78]
    found += [(at, program(["zstd", "-qdc"], text[at:])) for at in places(text, b"(\xb5/\xfd")]
    for head in re.finditer(rb"(?i)content-encoding: br\r\n(?:[^\r\n]+\r\n)*\r\n", text):
        found.append((head.end(), program(["node", "-e", BROTLI], text[head.end() :])))
    for at, opened in found:
        if opened:
            yield at, at + opened[1], opened[0]
    for blob in re.finditer(rb"H4sI[A-Za-z0-9+/]+=*", text):
        try:
            opened = inflate(base64.b64decode(blob[0]), 31)
        except ValueError:
            opened = None
        if opened:
            yield blob.start(), blob.end(), opened[0]


def unchunked(text):
    """The body of a chunked answer and where its bytes stand."""
    for head in re.finditer(rb"(?i)transfer-encoding: chunked\r\n(?:[^\r\n]+\r\n)*\r\n", text):
        at, where = head.end(), []
        while size := re.match(rb"([0-9a-fA-F]{1,8})[^\r\n]*\r\n", text[at : at + 64]):
            at, count = at + size.end(), int(size[1], 16)
            where += range(at, min(at + count, len(text)))
            at += count + 2
        yield bytes(text[i] for i in where), where


def found(text, units, depth=0):
    yield from in_raw(text, units)
    yield from in_dumps(text, units)
    yield from in_folded(text, units)
    yield from truncated(text, [(unit, secret) for unit, secret in units if cuttable(unit, secret)])
    if depth:
        return
    for start, end, plain in packed(text):
        for _, _, _, secret in found(plain, units, depth + 1):
            yield start, end, "packed", secret
            break
    for plain, where in unchunked(text):
        for start, end, _, secret in found(plain, units, depth + 1):
            yield where[start], where[end - 1] + 1, "chunked", secret


CUTTABLE = {}


def cuttable(unit, secret):
    return CUTTABLE.get((unit, secret), False)


def find(secrets, keys, text):
    units = []
    CUTTABLE.clear()
    for at, value in enumerate(secrets):
        if forms.is_searched(value):
            for unit, cut in forms.units(value):
                units.append((unit, at))
                CUTTABLE[unit, at] = cut
    return merged(even_first(sorted(set(found(text, units)))), secrets, keys)


def even_first(spans):
    """UTF-16 and UTF-32 at an odd offset counts only where no match at an even one overlaps."""
    wide = [span for span in spans if span[2].startswith("utf-")]
    even = [span for span in wide if span[0] % 2 == 0]
    return [
        span
        for span in spans
        if span not in wide or span in even or not any(span[0] < other[1] and other[0] < span[1] for other in even)
    ]


def merged(spans, secrets, keys):
    """Overlapping findings become one, named after the longest; of equals, after what is whole."""
    out = []
    for start, end, form, secret in spans:
        best = (end - start, form != "truncated", len(secrets[secret]), form, secret)
        if out and start < out[-1][1]:
            last = out[-1]
            out[-1] = (last[0], max(last[1], end), max(last[2], best, key=lambda one: one[:3]))
        else:
            out.append((start, end, best))
    return [
        {"start": start, "end": end, "form": best[3], "key": keys[best[4]] if keys else None}
        for start, end, best in out
    ]


def replaced(text, findings):
    out, at = b"", 0
    for one in findings:
        name = f"[REDACTED:{one['key']}]" if one["key"] else "[REDACTED]"
        out += text[at : one["start"]] + name.encode()
        at = one["end"]
    return out + text[at:]


def answer(line):
    asked = json.loads(line)
    text = base64.b64decode(asked["input_b64"])
    secrets = [base64.b64decode(one) for one in asked["secrets_b64"]]
    findings = find(secrets, asked.get("keys"), text)
    output = base64.b64encode(replaced(text, findings)).decode()
    return {"id": asked["id"], "output_b64": output, "findings": findings}


def covered(ranges, findings):
    """How many of the ranges are wholly covered by findings."""

    def is_covered(start, end):
        for one in findings:
            if one["start"] <= start:
                start = max(start, one["end"])
        return start >= end

    return sum(is_covered(*one) for one in ranges)


def spilt(case, findings):
    """Bytes in findings that neither must nor may be covered."""
    fine = set()
    for start, end in case["must"] + case["may"]:
        fine.update(range(start, end))
    return [i for one in findings for i in range(one["start"], one["end"]) if i not in fine]


def check(paths):
    """Holds the corpora against the reference; what differs is wrong in one of the two."""
    failures = 0
    for path in paths:
        ranges = hit = false = cases = 0
        for line in path.read_text().splitlines():
            case = json.loads(line)
            findings = answer(line)["findings"]
            here, extra = covered(case["must"], findings), spilt(case, findings)
            cases, ranges, hit, false = cases + 1, ranges + len(case["must"]), hit + here, false + bool(extra)
            if here < len(case["must"]) or extra:
                failures += 1
                print(f"  {case['id']}: {here} of {len(case['must'])} ranges, {len(extra)} bytes too many")
        print(f"{path.stem}: {cases} cases, {hit} of {ranges} ranges found, {false} cases with bytes too many")
    return failures > 0


def main():
    for line in sys.stdin:
        print(json.dumps(answer(line)))


if __name__ == "__main__":
    main()
