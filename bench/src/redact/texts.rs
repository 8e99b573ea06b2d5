//! Ordinary texts, piece by piece: what builds print, documents, encodings, programs.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::chance::Chance;

/// What continues a text by a piece.
pub trait Text {
    /// Appends a piece of it: some lines or some KiB.
    fn more(&mut self, out: &mut Vec<u8>);
}

const WORDS: [&str; 64] = [
    "server", "client", "request", "answer", "token", "value", "build", "deploy", "release",
    "worker", "queue", "table", "column", "index", "cache", "region", "parser", "lexer", "macro",
    "runtime", "socket", "stream", "buffer", "config", "session", "account", "billing", "search",
    "report", "export", "import", "schema", "driver", "kernel", "thread", "memory", "policy",
    "vault", "engine", "runner", "model", "string", "number", "object", "module", "package",
    "version", "update", "install", "resolve", "compile", "link", "check", "test", "bench",
    "store", "proxy", "router", "mailer", "backup", "restore", "audit", "event", "signal",
];
const ACTORS: [&str; 8] = [
    "task-scheduler",
    "api-gateway",
    "billing",
    "web",
    "search-index",
    "mailer",
    "auth-proxy",
    "registry",
];
const LEVELS: [&str; 4] = [
    "\x1b[32mINFO\x1b[0m",
    "\x1b[33mWARN\x1b[0m",
    "DEBUG",
    "ERROR",
];

/// The log of a build and its tests: every line with its time, twenty kinds of lines.
#[derive(Debug)]
pub struct Log {
    chance: Chance,
    /// Tenths of microseconds since the job began.
    clock: u64,
}

impl Log {
    /// The log of a seed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            chance: Chance::of("log"),
            clock: 0,
        }
    }

    fn stamp(&mut self, out: &mut Vec<u8>) {
        self.clock += self.chance.number() % 900_000;
        let (parts, seconds) = (self.clock % 10_000_000, self.clock / 10_000_000);
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        let _ = write!(
            out,
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.{parts:07}Z ",
            1 + hours / 672 % 12,
            1 + hours / 24 % 28,
            hours % 24,
            minutes % 60,
            seconds % 60
        );
    }

    fn line(&mut self, out: &mut Vec<u8>) {
        self.stamp(out);
        let c = &mut self.chance;
        let (a, b) = (c.pick(&WORDS), c.pick(&WORDS));
        let n = c.below(1000);
        let hash = c.number();
        // Writing to a vector cannot fail.
        let _ = match c.below(20) {
            0..=2 => writeln!(out, "   Compiling {a}-{b} v{}.{}.{}", n % 4, n % 30, n % 17),
            3..=5 => writeln!(out, "test {a}::{b}::tests::{a}_is_{b}_{n} ... ok"),
            6 => writeln!(
                out,
                "warning: unused variable: `{a}`\n  --> crates/{a}/src/{b}.rs:{n}:{}",
                n % 80
            ),
            7 => writeln!(
                out,
                "npm http fetch GET 200 https://packages.example.com/@{a}/{b}/-/{b}-{}.{}.0.tgz {n}ms (cache miss)",
                n % 9,
                n % 40
            ),
            8 => writeln!(
                out,
                "#{} {}.{:03} sha256:{hash:016x}{:016x}{:016x}{:016x} {}.{}MB / 84.2MB",
                n % 40,
                n % 90,
                n,
                c.number(),
                c.number(),
                c.number(),
                n % 84,
                n % 10
            ),
            9 => writeln!(
                out,
                "#{} [{a} {}/9] RUN apt-get install -y --no-install-recommends lib{b}-dev && rm -rf /var/lib/apt/lists/*",
                n % 40,
                n % 9
            ),
            10 => writeln!(
                out,
                "tests/test_{a}.py::Test{b}::test_{a}_{n}[chromium-{}] PASSED [{:3}%]",
                n % 9,
                n % 100
            ),
            11 => writeln!(
                out,
                "Traceback (most recent call last):\n  File \"/usr/lib/python3.11/site-packages/{a}/{b}.py\", line {n}, in {b}\n    return self._{a}({b}, timeout={})\n{a}.errors.TimeoutError: {b} took too long",
                n % 60
            ),
            12 => writeln!(
                out,
                "    at com.example.{a}.{b}.Handler.invoke(Handler.java:{n}) ~[{a}-{b}-2.{}.jar:?]\n    at java.base/java.lang.Thread.run(Thread.java:1583) [?:?]",
                n % 30
            ),
            13 | 14 => writeln!(
                out,
                "{} [{}] {a} {b} finished in {}.{:03}s id={hash:016x}",
                c.pick(&LEVELS),
                c.pick(&ACTORS),
                n % 9,
                n
            ),
            15 => writeln!(
                out,
                "{{\"level\":\"info\",\"ts\":{}.{n:03},\"caller\":\"{a}/{b}.go:{n}\",\"msg\":\"{a} {b}\",\"trace\":\"{hash:016x}{:016x}\",\"took\":{n}}}",
                1_767_225_600 + n,
                c.number()
            ),
            16 => writeln!(
                out,
                "10.{}.{}.{} - - \"POST /v1/{a}/{n}/{b}?page={}&sort=-{a} HTTP/1.1\" 200 {n} \"https://{b}.example.com/\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
                n % 256,
                n % 199,
                n % 251,
                n % 50
            ),
            17 => writeln!(
                out,
                "commit {hash:016x}{:016x}{:08x}\nAuthor: build <build@example.com>\n    {a}: {b} without {a}",
                c.number(),
                c.number() >> 32
            ),
            18 => writeln!(
                out,
                "-rw-r--r-- 1 root root {:8} Jan 12 09:{:02} /build/target/release/deps/lib{a}_{b}-{hash:016x}.rlib",
                n * 811,
                n % 60
            ),
            _ => writeln!(
                out,
                "+ cp -r /home/build/{a}/{b}/node_modules/.cache/{a}-{n}.js dist/assets/{b}.{:08x}.js",
                hash >> 32
            ),
        };
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

impl Text for Log {
    fn more(&mut self, out: &mut Vec<u8>) {
        (0..16).for_each(|_| self.line(out));
    }
}

/// JSON documents, one a line.
#[derive(Debug)]
pub struct Json(pub Chance);

impl Text for Json {
    fn more(&mut self, out: &mut Vec<u8>) {
        let c = &mut self.0;
        for _ in 0..8 {
            let (a, b, n) = (c.pick(&WORDS), c.pick(&WORDS), c.below(1_000_000));
            let _ = writeln!(
                out,
                "{{\"id\":{n},\"uuid\":\"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}\",\"name\":\"{a} {b}\",\
                 \"tags\":[\"{a}\",\"{b}\",\"{}\"],\"ok\":{},\"sha\":\"{:016x}{:016x}\",\
                 \"url\":\"https://{a}.example.com/v2/{b}/{n}?q=%22{a}%22&page={}\",\
                 \"text\":\"the {a} of \\\"{b}\\\" is\\n{a}\\u00e9 {}.{}\",\"nested\":{{\"{a}\":null,\"{b}\":-{n}.5e3}}}}",
                c.number() >> 32,
                c.below(65_536),
                c.below(4096),
                c.below(4096),
                c.number() >> 16,
                c.pick(&WORDS),
                n % 2 == 0,
                c.number(),
                c.number(),
                n % 50,
                n % 77,
                n % 13
            );
        }
    }
}

/// Base64 of chance, 76 characters a line.
#[derive(Debug)]
pub struct Base64(pub Chance);

impl Text for Base64 {
    fn more(&mut self, out: &mut Vec<u8>) {
        let mut bytes = Vec::new();
        for _ in 0..32 {
            bytes.clear();
            self.0.bytes(57, &mut bytes);
            out.extend(STANDARD.encode(&bytes).into_bytes());
            out.push(b'\n');
        }
    }
}

/// Hexadecimal digits of chance, 64 a line.
#[derive(Debug)]
pub struct Hex(pub Chance);

impl Text for Hex {
    fn more(&mut self, out: &mut Vec<u8>) {
        for _ in 0..32 {
            for _ in 0..4 {
                let _ = write!(out, "{:016x}", self.0.number());
            }
            out.push(b'\n');
        }
    }
}

/// Bytes of any value.
#[derive(Debug)]
pub struct Random(pub Chance);

impl Text for Random {
    fn more(&mut self, out: &mut Vec<u8>) {
        self.0.bytes(4096, out);
    }
}

/// What a program's file looks like: code, addresses, zeros, names.
#[derive(Debug)]
pub struct Elf(pub Chance);

impl Text for Elf {
    fn more(&mut self, out: &mut Vec<u8>) {
        // Prologues, moves, calls, jumps: what stands most often in code.
        const CODE: [&[u8]; 10] = [
            b"\x55\x48\x89\xe5",
            b"\x48\x8b\x45",
            b"\x48\x89\x44\x24",
            b"\xe8",
            b"\x0f\x84",
            b"\x48\x8d\x3d",
            b"\xc3\x90\x90",
            b"\x31\xc0",
            b"\x66\x0f\x1f\x44\x00\x00",
            b"\x48\x83\xc4",
        ];
        let c = &mut self.0;
        for _ in 0..220 {
            out.extend(c.pick(&CODE));
            let count = 1 + c.below(4);
            c.bytes(count, out);
        }
        for number in 0..64 {
            let address = 0x0040_0000 + c.number() % 0x0010_0000 + number * 16;
            out.extend(address.to_le_bytes());
            out.extend((number * 3).to_le_bytes());
        }
        for _ in 0..40 {
            let _ = write!(
                out,
                "_ZN4{}5{}17h{:016x}E\0",
                c.pick(&WORDS),
                c.pick(&WORDS),
                c.number()
            );
        }
        let zeros = c.below(1024);
        out.resize(out.len() + zeros, 0);
    }
}
