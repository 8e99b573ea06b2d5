//! Row 9: a value in another encoding, written by the programs that people use.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread::JoinHandle;

use subrosa_tests::held;

use crate::house::{House, WAYS, masked};

/// A way of writing a value: its name, the commands, and what is seen of them. In the commands `$K`
/// and `$O` are the values; in what is seen `<K>` and `<O>` are their masks.
type Form = (&'static str, &'static str, &'static str);

/// What every script has: the values, and Python with both.
const BEGINNING: &str = r#"K=$APP_KEY O=$APP_ODD
py() { python3 -c "import os,sys,json,base64,urllib.parse as url,html,shlex,quopri
k=os.environ['APP_KEY']; o=os.environ['APP_ODD']
$1"; }
"#;

const BASES: &[Form] = &[
    ("base64", r#"printf %s "$K" | base64"#, "<K>=\n"),
    // What is left is the last six bits of the line break.
    ("base64 of a line", r#"base64 <<<"$K""#, "<K>K\n"),
    (
        "user and password",
        r#"printf %s "user:$K" | base64"#,
        "dXNlcj<K>==\n",
    ),
    (
        "at the third place of a group",
        r#"printf %s "me:$O" | base64 -w 20"#,
        "bWU6<O>Q==\n",
    ),
    (
        "openssl base64",
        r#"printf %s "x$K" | openssl base64"#,
        "e<K>\n",
    ),
    (
        "openssl on one line",
        r#"printf %s "$K" | openssl enc -base64 -A; echo"#,
        "<K>=\n",
    ),
    (
        "base64 for addresses",
        r#"py "print(base64.urlsafe_b64encode(o.encode()).decode())""#,
        "<O>==\n",
    ),
    (
        "base64 by node",
        r#"node -e 'console.log(Buffer.from(process.env.APP_KEY).toString("base64url"))'"#,
        "<K>\n",
    ),
    ("base32", r#"printf %s "$K" | base32"#, "<K>======\n"),
    (
        "base85",
        r#"py "print(base64.b85encode(k.encode()).decode(), base64.a85encode(k.encode()).decode())""#,
        "<K> <K>\n",
    ),
    ("xxd -p", r#"printf %s "$K" | xxd -p"#, "<K>\n"),
    ("xxd -p -u", r#"printf %s "$K" | xxd -p -u"#, "<K>\n"),
    (
        "hexadecimal by perl",
        "perl -e 'print unpack(q(H*), $ENV{APP_KEY})'; echo",
        "<K>\n",
    ),
    (
        "hexadecimal with colons",
        r#"py "print(k.encode().hex(':'))""#,
        "<K>\n",
    ),
    (
        "an array of bytes",
        r#"py "print(list(k.encode()))""#,
        "[<K>]\n",
    ),
    (
        "a buffer of node",
        "node -e 'console.log(Buffer.from(process.env.APP_KEY))'",
        "<Buffer <K>>\n",
    ),
    // Of two layers what the value determines is masked whole; a digit with some of its bits is not.
    (
        "base64 twice",
        r#"printf %s "$K" | base64 -w0 | base64 -w0; echo"#,
        "<K>s9\n",
    ),
    (
        "base64 in hexadecimal",
        r#"py "print(base64.b64encode(k.encode()).hex())""#,
        "<K>6b3d\n",
    ),
];

const DUMPS: &[Form] = &[
    (
        "xxd",
        r#"printf %s "$K" | xxd"#,
        "00000000: <K>  <K>\n00000010: <K>                 <K>\n",
    ),
    ("od -t x1", r#"printf %s "$K" | od -An -v -t x1"#, " <K>\n"),
    (
        "od -c",
        r#"printf %s "$K" | od -c"#,
        "0000000   <K>\n0000020   <K>\n0000032\n",
    ),
    (
        "hexdump -C",
        r#"printf %s "$K" | hexdump -C"#,
        "00000000  <K>  |<K>|\n00000010  <K>                    |<K>|\n0000001a\n",
    ),
];

const ESCAPES: &[Form] = &[
    (
        "percent encoding by jq",
        r#"printf %s "$O" | jq -sRr @uri"#,
        "<O>\n",
    ),
    (
        "percent encoding by Python",
        r#"py "print(url.quote(o, safe='')); print(url.quote_plus(o)); print(url.urlencode({'q': o}))""#,
        "<O>\n<O>\nq=<O>\n",
    ),
    (
        "percent encoding by node",
        "node -e 'console.log(encodeURIComponent(process.env.APP_ODD))'",
        "<O>\n",
    ),
    ("a JSON string", r#"printf %s "$O" | jq -Rs ."#, "\"<O>\"\n"),
    (
        "JSON in JSON",
        r#"printf %s "$O" | jq -cRs '{key: .}' | jq -Rs ."#,
        "\"{\\\"key\\\":\\\"<O>\\\"}\\n\"\n",
    ),
    (
        "JSON by Python",
        r#"py "print(json.dumps(o)); print(json.dumps(json.dumps(o)))""#,
        "\"<O>\"\n\"\\\"<O>\\\"\"\n",
    ),
    (
        "JSON by node",
        "node -e 'console.log(JSON.stringify({k: process.env.APP_ODD}))'",
        "{\"k\":\"<O>\"}\n",
    ),
    (
        "as Python prints it",
        r#"py "print(repr(o)); print(repr(o.encode()))""#,
        "'<O>'\nb'<O>'\n",
    ),
    (
        "as node prints it",
        "node -e 'console.log([process.env.APP_ODD])'",
        "[ `<O>` ]\n",
    ),
    ("printf %q", r#"printf '%q\n' "$O""#, "<O>\n"),
    ("declare", "declare -p O", "declare -- O=\"<O>\"\n"),
    ("a trace", r#"( set -x; : "$O" ) 2>&1"#, "+ : '<O>'\n"),
    (
        "quotes of a shell",
        r#"py "print(shlex.quote(o))""#,
        "'<O>'\n",
    ),
    ("entities", r#"py "print(html.escape(o))""#, "<O>\n"),
    (
        "numbered entities",
        r#"perl -pe 's/(.)/sprintf(q(&#%d;), ord($1))/ge' <<<"$K""#,
        "<K>\n",
    ),
    (
        "quoted-printable",
        r#"py "sys.stdout.write(quopri.encodestring(o.encode()).decode())"; echo"#,
        "<O>\n",
    ),
];

const TURNED: &[Form] = &[
    ("reversed", r#"rev <<<"$K""#, "<K>\n"),
    ("reversed by Python", r#"py "print(o[::-1])""#, "<O>\n"),
    ("upper case", r#"tr a-z A-Z <<<"$K""#, "<K>\n"),
    ("upper case by the shell", r#"echo "${K^^}""#, "<K>\n"),
    ("lower case", r#"echo "${K,,}""#, "<K>\n"),
    ("rot13", r#"tr A-Za-z N-ZA-Mn-za-m <<<"$K""#, "<K>\n"),
    (
        "UTF-16, low byte first",
        r#"printf %s "$K" | iconv -t UTF-16LE; echo"#,
        "<K>\n",
    ),
    (
        "UTF-16, high byte first",
        r#"printf %s "$K" | iconv -t UTF-16BE; echo"#,
        "<K>\n",
    ),
    (
        "UTF-16 with its mark",
        r#"printf %s "$O" | iconv -t UTF-16; echo"#,
        "\u{FFFD}\u{FFFD}<O>\n",
    ),
    (
        "UTF-32",
        r#"printf %s "$K" | iconv -t UTF-32LE; echo"#,
        "<K>\n",
    ),
    (
        "UTF-16 in base64",
        r#"printf %s "$K" | iconv -t UTF-16LE | base64 -w0; echo"#,
        "<K>==\n",
    ),
];

/// The forms of one list by every way; a program that the machine does not have writes nothing.
fn each(forms: &[Form]) {
    let has_node = Path::new("/usr/bin/node").exists();
    let forms: Vec<&Form> = forms
        .iter()
        .filter(|(_, commands, _)| has_node || !commands.starts_with("node"))
        .collect();
    let mut script = BEGINNING.to_owned();
    for (name, commands, _) in &forms {
        script.push_str(&format!("echo '== {name}'\n{commands}\n"));
    }
    let house = House::new();
    let mut faults = Vec::new();
    for way in WAYS {
        let done = house.run(way, &script);
        let text = done.text();
        let seen: Vec<_> = text.split("== ").skip(1).collect();
        for ((name, _, expected), seen) in forms.iter().zip(&seen) {
            let expected = format!("{name}\n{}", masked(expected));
            // Zero bytes at the ends of wide text tell nothing.
            let seen = seen.replace('\0', "");
            if seen != expected {
                faults.push(format!("{way:?}: {seen:?} for {expected:?}"));
            }
        }
        assert_eq!(seen.len(), forms.len(), "{way:?}: {text}");
        assert_eq!(done.err, "", "{way:?}");
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn row_09_numbers_and_bases() {
    each(BASES);
    held(
        9,
        "base64, base32, base85 and hexadecimal, by the programs that write them",
    );
}

#[test]
fn row_09_dumps() {
    each(DUMPS);
    held(9, "xxd, od and hexdump, in both columns");
}

#[test]
fn row_09_escapes_and_quotes() {
    each(ESCAPES);
    held(9, "JSON, addresses, shells, HTML, Python and node");
}

#[test]
fn row_09_turned_and_wide_text() {
    each(TURNED);
    held(9, "reversed, in another case, UTF-16 and UTF-32");
}

/// Says back what it was sent, as servers for tests of clients do.
fn echo(listener: TcpListener, requests: usize) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for stream in listener.incoming().take(requests) {
            let _ = say_back(stream.expect("a connection"));
        }
    })
}

fn say_back(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = String::new();
    let mut lines = BufReader::new(stream.try_clone()?);
    while lines.read_line(&mut head)? > 2 {}
    write!(
        stream,
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{head}",
        head.len()
    )
}

/// What a client tells of its own request, and what the server tells of it in its error.
#[test]
fn row_09_a_request_that_curl_shows_and_its_echo() {
    let house = House::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let script = format!(
        r#"unset http_proxy all_proxy
curl -sv -u "user:$APP_KEY" -H "X-Api-Key: $APP_KEY" -G --data-urlencode "q=$APP_ODD" http://127.0.0.1:{port}/ 2>&1"#
    );
    let server = echo(listener, WAYS.len());
    for way in WAYS {
        let text = house.run(way, &script).text();
        // Once as curl tells it, once as the server does.
        for part in [
            "GET /?q=<O> HTTP/1.1\r\n",
            "Authorization: Basic dXNlcj<K>==\r\n",
            "X-Api-Key: <K>\r\n",
        ] {
            let part = masked(part);
            assert_eq!(text.matches(&part).count(), 2, "{way:?} {part}: {text}");
        }
        for mask in ["<K>", "<O>"].map(masked) {
            let times = if mask.ends_with("key]") { 4 } else { 2 };
            assert_eq!(text.matches(&mask).count(), times, "{way:?} {mask}: {text}");
        }
        assert!(!text.contains("canary") && !text.contains("7Hq2"), "{text}");
    }
    server.join().expect("no panic");
    held(
        9,
        "headers and addresses of a request, as curl shows them and as a server repeats them",
    );
}
