//! Whether something looks like a secret: a guess from names and forms, for files that mix both.
//!
//! A guess errs towards secret: what is taken for one and is none costs a line in `ls`.

/// Parts of names that secrets have.
const NAMES: &[&str] = &[
    "token",
    "secret",
    "passw",
    "passphrase",
    "pwd",
    "credential",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "access-key",
    "accesskey",
    "private",
    "auth",
    "bearer",
    "cookie",
    "session",
    "dsn",
    "connection",
    "webhook",
    "signing",
    "encryption",
    "license",
    "jwt",
    "pat",
    "key",
];

/// How values begin that are secrets by their form.
const BEGINNINGS: &[&str] = &[
    "sk-",
    "sk_",
    "pk_live",
    "rk_live",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "akia",
    "asia",
    "aiza",
    "eyj",
    "hf_",
    "npm_",
    "pypi-",
    "dop_v1_",
    "sq0",
    "shpat_",
    "lin_api_",
    "ntn_",
    "bearer ",
    "basic ",
    "token ",
    "-----begin",
];

/// Whether a named value looks like a secret.
pub(crate) fn is_secret(name: &str, value: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let named = NAMES.iter().any(|part| match *part {
        // Short ones stand for themselves, or PATH and KEYBOARD would be secrets.
        "pat" | "key" => name.split(['_', '-', '.']).any(|word| word == *part),
        part => name.contains(part),
    });
    (named && !is_switch(value)) || is_token(value) || is_address_with_user(value)
}

/// On, off and small numbers: settings, whatever their name says.
fn is_switch(value: &[u8]) -> bool {
    let word = |known: &str| value.eq_ignore_ascii_case(known.as_bytes());
    ["true", "false", "yes", "no", "on", "off", "none"]
        .iter()
        .any(|known| word(known))
        || ((1..4).contains(&value.len()) && value.iter().all(u8::is_ascii_digit))
}

/// Whether the value alone looks like a token: a known beginning, or long and well mixed.
pub(crate) fn is_token(value: &[u8]) -> bool {
    let begins = |known: &&str| {
        value.len() > known.len() + 8 && value[..known.len()].eq_ignore_ascii_case(known.as_bytes())
    };
    if BEGINNINGS.iter().any(begins) {
        return true;
    }
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+=.~".contains(byte);
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    value.len() >= 20 && value.iter().all(token) && digits >= 3 && letters >= 3
}

/// `scheme://user:password@host`.
fn is_address_with_user(value: &[u8]) -> bool {
    let scheme = value.windows(3).position(|part| part == b"://");
    scheme.is_some_and(|at| {
        let rest = &value[at + 3..];
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        rest[..end.unwrap_or(rest.len())].contains(&b'@')
    })
}

/// Whether an address holds nothing but a place: it may be shown beside a secret.
pub(crate) fn is_plain_address(url: &str) -> bool {
    const LONG: usize = 1024;
    url.len() <= LONG
        && !url.contains(['@', '?', '#', '%'])
        && !url.chars().any(char::is_control)
        && !url
            .split(['/', ';', '=', '&'])
            .any(|part| looks_mixed(part.as_bytes()))
}

/// A part of a path that may be a token: webhooks have them.
fn looks_mixed(part: &[u8]) -> bool {
    let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = part
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    is_token(part) || (part.len() >= 8 && digits >= 2 && letters >= 2 && !part.contains(&b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name_or_form() {
        for (name, value) in [
            ("GITHUB_TOKEN", "x"),
            ("OPENAI_API_KEY", "short"),
            ("KEY", "abcd"),
            ("Authorization", "whatever"),
            ("DB_PASSWORD", ""),
            ("X", "ghp_0123456789abcdefghij"),
            ("X", "Bearer abcdefghijkl"),
            ("DATABASE_URL", "postgres://me:pw@host/db"),
            ("X", "a8f5f167f44f4964e6c998dee827110c"),
        ] {
            assert!(is_secret(name, value.as_bytes()), "{name}={value}");
        }
    }

    #[test]
    fn settings_are_no_secrets() {
        for (name, value) in [
            ("LOG_LEVEL", "debug"),
            ("PATH", "/usr/local/bin:/usr/bin"),
            ("KEYBOARD", "us"),
            ("USE_AUTH", "true"),
            ("TOKEN_LIMIT", "100"),
            ("BASE_URL", "https://api.example.com/v1"),
            ("REGION", "eu-central-1"),
            ("NODE_ENV", "production"),
        ] {
            assert!(!is_secret(name, value.as_bytes()), "{name}={value}");
        }
    }

    #[test]
    fn an_address_with_anything_in_it_is_not_shown() {
        for plain in [
            "https://github.com/login",
            "example.com",
            "http://10.0.0.1:8080/admin",
            "https://eu-central-1.console.aws.amazon.com/",
        ] {
            assert!(is_plain_address(plain), "{plain}");
        }
        for open in [
            "https://me:hunter2@example.com",
            "https://example.com/?token=hunter2",
            "https://example.com/#hunter2",
            "https://hooks.example.com/services/T0AB12CD3/B0EF45GH6/abcDEF123456",
            "https://example.com/a\nb",
        ] {
            assert!(!is_plain_address(open), "{open}");
        }
    }
}
