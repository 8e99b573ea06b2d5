//! Lines of JSON in, lines of JSON out.

use std::io::{BufRead, BufWriter, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subrosa_redact::{Finding, Known};

use crate::context::Context;
use crate::failure::Failure;

/// A longer line is not read, but answered.
const LINE_MAX: u64 = 256 * 1024 * 1024;

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    secrets_b64: Vec<String>,
    keys: Option<Vec<Option<String>>>,
    input_b64: String,
    chunks: Option<Vec<u64>>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Value,
    output_b64: String,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    start: u64,
    end: u64,
    form: &'static str,
    key: Option<String>,
}

#[derive(Serialize)]
struct Wrong<'a> {
    id: &'a Value,
    error: &'a str,
}

/// Answers each line of standard input.
pub(super) fn answer(context: &Context, no_fold: bool, shapes: bool) -> Result<(), Failure> {
    let mut out = BufWriter::new(context.out.data()?);
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut input)
            .take(LINE_MAX + 1)
            .read_until(b'\n', &mut line)
            .map_err(Failure::io("standard input"))?;
        if read == 0 {
            break;
        }
        let is_too_long = read as u64 > LINE_MAX;
        if is_too_long && !line.ends_with(b"\n") {
            skip_line(&mut input).map_err(Failure::io("standard input"))?;
        }
        let (id, answered) = if is_too_long {
            (Value::Null, Err("the line is longer than 256 MiB"))
        } else {
            one(&line, no_fold, shapes)
        };
        let written = match answered {
            Ok((output, findings)) => serde_json::to_writer(
                &mut out,
                &Answer {
                    id: &id,
                    output_b64: STANDARD.encode(output),
                    findings: findings.into_iter().map(found).collect(),
                },
            ),
            Err(error) => serde_json::to_writer(&mut out, &Wrong { id: &id, error }),
        };
        written
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            // Whoever asks may wait for the answer before the next line.
            .and_then(|()| out.flush())
            .map_err(Failure::io("standard output"))?;
    }
    out.flush().map_err(Failure::io("standard output"))
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(buffer.len(), |end| end + 1);
        let is_over = end.is_some() || buffer.is_empty();
        input.consume(count);
        if is_over {
            return Ok(());
        }
    }
}

type Redacted = (Vec<u8>, Vec<Finding>);

/// Redacts what a line asks for. No error shows anything of the line.
fn one(line: &[u8], no_fold: bool, shapes: bool) -> (Value, Result<Redacted, &'static str>) {
    let Ok(whole) = serde_json::from_slice::<Value>(line) else {
        return (Value::Null, Err("the line is not JSON"));
    };
    let Value::Object(fields) = &whole else {
        return (Value::Null, Err("the line is not a JSON object"));
    };
    let id = fields.get("id").cloned().unwrap_or(Value::Null);
    let Ok(case) = serde_json::from_value::<Case>(whole) else {
        let wrong = "wanted: secrets_b64, a list of texts; keys, a list of names or absent; \
                     input_b64, a text; chunks, a list of offsets or null";
        return (id, Err(wrong));
    };
    (id, redacted(&case, no_fold, shapes))
}

fn redacted(case: &Case, no_fold: bool, shapes: bool) -> Result<Redacted, &'static str> {
    let mut known = Known::new();
    let keys = case.keys.as_deref().unwrap_or_default();
    if case.keys.is_some() && keys.len() != case.secrets_b64.len() {
        return Err("keys has not as many names as secrets_b64 has values");
    }
    for (number, secret) in case.secrets_b64.iter().enumerate() {
        let value = decode(secret).ok_or("secrets_b64 is not base64")?;
        let key = keys.get(number).and_then(Option::as_deref);
        // One that is below the limits is not searched for: nothing is forced here.
        let _ = known.add(key, &value);
    }
    let input = decode(&case.input_b64).ok_or("input_b64 is not base64")?;
    if no_fold {
        known = known.without_fold();
    }
    let mut redactor = known.build().redactor().listing(usize::MAX);
    if shapes {
        redactor = redactor.with_shapes();
    }
    let mut output = Vec::with_capacity(input.len());
    let mut from = 0;
    for to in case.chunks.iter().flatten() {
        let to = usize::try_from(*to).unwrap_or(usize::MAX);
        if to <= from || to >= input.len() {
            return Err("chunks is not a list of ascending offsets inside the input");
        }
        redactor.push(&input[from..to], &mut output);
        from = to;
    }
    redactor.push(&input[from..], &mut output);
    redactor.finish(&mut output);
    Ok((output, redactor.take_findings()))
}

/// Base64 with its padding or without.
fn decode(text: &str) -> Option<Vec<u8>> {
    let decoded = STANDARD.decode(text);
    decoded.or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
}

fn found(finding: Finding) -> Found {
    Found {
        start: finding.start,
        end: finding.end,
        form: finding.form.name(),
        key: finding.key.as_deref().map(str::to_owned),
    }
}
