"""Real outputs that the table of forms does not promise. They are counted, never demanded."""

import re

import programs
from marked import Marked, base64, filled, hexed, join, secret, seen
from text import some


def columns(value, count, form, indent):
    """Bytes in lines, as arrays are printed."""
    one = [hexed(secret(value[at : at + 1]), form) for at in range(len(value))]
    lines = [join(", ", one[at : at + count]) for at in range(0, len(one), count)]
    return filled(join(",\n" + indent, lines))


def numbers(output):
    """All numbers of an output that holds no others than the bytes of the value."""
    marks = bytearray(len(output))
    for found in re.finditer(rb"\d+", output):
        marks[found.start() : found.end()] = b"\2" * len(found[0])
    return filled(Marked(output, marks))


def beyond(make, add):
    for _, value in some(make, ["github", "plain", "aws"], 3):
        out = programs.script("node", "console.log(JSON.stringify({b: Buffer.from(process.env.T)}, null, 2))\n", also={"T": value})
        add("node-pretty", [value], seen(out, columns(value, 1, "%d", "      ")))
        out = programs.script("node", "console.log([...Buffer.from(process.env.T)])\n", also={"T": value})
        add("node-columns", [value], numbers(out))
        out = programs.run(["xxd", "-i"], value.encode())
        add("xxd-i", [value], seen(out, columns(value, 12, "0x%02x", "  ")))
        pieces = [secret(value[at : at + 8]) for at in range(0, len(value), 8)]
        add("stamps-inside", [value], "12:00:07 " + filled(join("\n12:00:07 ", pieces)) + "\n")
        add("base64-three-times", [value], "x=" + base64(base64(base64(secret(value)))) + "\n")
        bits = [secret(f"{byte:08b}") for byte in value.encode()]
        add("binary", [value], filled(join(" ", bits)) + "\n")
    for _, value in some(make, ["foreign"], 3):
        signed = [secret(str(byte - 256 if byte > 127 else byte)) for byte in value.encode()]
        add("java-signed", [value], "[" + filled(join(", ", signed)) + "]\n")
        add("octal-array", [value], "{" + hexed(secret(value), "0%03o", b", ") + "}\n")
