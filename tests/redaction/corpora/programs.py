"""Real programs, and what they print about a value. Everything that varies is made the same."""

import http.server
import os
import re
import subprocess
import tempfile
import threading


def run(command, given=b"", also=None, folder=None, status=(0,)):
    """Both outputs of a program that sees nothing of this environment."""
    surroundings = {"PATH": os.environ["PATH"], "HOME": folder or "/nonexistent", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    surroundings.update(also or {})
    with tempfile.TemporaryDirectory() as own:
        done = subprocess.run(
            command,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=surroundings,
            cwd=folder or own,
            check=False,
        )
    assert done.returncode in status, (command, done)
    return done.stdout + done.stderr


def script(interpreter, text, *arguments, **more):
    """A script in a file of a plain name, as the programs name it in what they print."""
    with tempfile.TemporaryDirectory() as folder:
        name = {"python3": "deploy.py", "node": "deploy.js", "bash": "deploy.sh", "perl": "deploy.pl", "java": "Main.java"}[interpreter]
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
        out = run([interpreter, name, *arguments], folder=folder, **more)
        return out.replace(folder.encode(), b"/app")


class Answer(http.server.BaseHTTPRequestHandler):
    """Says no, always with the same words."""

    def do_GET(self):
        body = b'{"message":"Bad credentials"}\n'
        self.wfile.write(
            b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )

    do_POST = do_GET

    def log_message(self, *_):
        pass


def served(make):
    """Runs a program that is given the address of a server on loopback."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    try:
        out = make(f"http://127.0.0.1:{port}")
    finally:
        server.shutdown()
        server.server_close()
    out = re.sub(rb"\b%d\b" % port, b"8080", out)
    out = re.sub(rb"port \d{4,5}\b", b"port 8080", out)
    return re.sub(rb"\d\d:\d\d:\d\d\.\d{6}", b"12:00:07.000113", out)


def curl(*arguments):
    return served(lambda url: run(["curl", "-s", "-v", *arguments, url + "/v1/me"]))


def dump_of(marks, output, shape):
    """Carries marks to the output of xxd, hexdump or od, by where each byte stands in a line.

    `shape` says how many bytes a line has, the column of each byte, its width, and the column of
    the gutter (None when there is none).
    """
    count, column, width, gutter = shape
    lines, out, at = output.split(b"\n"), bytearray(), 0
    for number, line in enumerate(lines):
        own = bytearray(len(line))
        here = marks[at : at + count]
        at += len(here)
        side = column(count, None) if gutter is None else gutter
        for i, mark in enumerate(here):
            for where in range(column(i, line), column(i, line) + width):
                own[where] = max(own[where], mark)
            if gutter is not None:
                own[side + i] = max(own[side + i], mark)
        fill_blanks(line, own)
        out += own
        if number + 1 < len(lines):
            out.append(0)
    assert at == len(marks)
    # Between lines of one value stand a line break and the next offset.
    bounds, at = [], 0
    for line in lines:
        bounds.append((at, at + len(line)))
        at += len(line) + 1
    for (start, end), (begin, stop) in zip(bounds, bounds[1:]):
        if any(out[start:end]) and any(out[begin:stop]):
            last = max(i for i in range(start, end) if out[i])
            first = min(i for i in range(begin, stop) if out[i])
            blanks(output, out, last + 1, first)
    return bytes(out)


def fill_blanks(line, own):
    """Blanks and frames between what is marked in a line may be covered."""
    at = [i for i, mark in enumerate(own) if mark]
    for first, last in zip(at, at[1:]):
        between = line[first + 1 : last]
        if between and not between.strip(b" |>"):
            own[first + 1 : last] = b"\1" * len(between)


def blanks(output, out, start, end):
    """The rest of a line, the line break and the offset: only if nothing else stands there."""
    if re.fullmatch(rb"[ |>]*\n[0-9a-f]+:? *", output[start:end]):
        for i in range(start, end):
            out[i] = max(out[i], 1)


def xxd(given):
    return run(["xxd"], given), (16, lambda i, _: 10 + i * 2 + i // 2, 2, 51)


def hexdump(given):
    return run(["hexdump", "-C"], given), (16, lambda i, _: 10 + i * 3 + (i >= 8), 2, 61)


def od_hex(given):
    return run(["od", "-A", "x", "-t", "x1z"], given), (16, lambda i, _: 7 + i * 3, 2, 57)


def od_plain(given):
    return run(["od", "-t", "x1"], given), (16, lambda i, _: 8 + i * 3, 2, None)


def od_c(given):
    return run(["od", "-c"], given), (16, lambda i, _: 8 + i * 4, 3, None)


def od_b(given):
    return run(["od", "-b"], given), (16, lambda i, _: 8 + i * 4, 3, None)


DUMPS = {"xxd": xxd, "hexdump": hexdump, "od-x1z": od_hex, "od-x1": od_plain, "od-c": od_c, "od-b": od_b}
