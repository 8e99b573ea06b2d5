//! Arguments that name the environment or memory of a process in /proc.
//!
//! Only spellings are looked at: nothing here reads a file system, so a link under another name is
//! seen by the sandbox and the redactor, not by this.

/// Files of a process that hold its environment or memory, and the ones that lead to more of them.
const FILES: [&str; 3] = ["environ", "mem", "map_files"];

/// Whether a folder lies in /proc.
pub(crate) fn is_inside(directory: &str) -> bool {
    clean(directory)
        .first()
        .is_some_and(|first| *first == "proc")
}

/// Whether an argument, in any spelling, names the environment or memory of a process, a process's
/// folder as a whole, or /proc itself.
pub(crate) fn names_process(argument: &str, directory: &str) -> bool {
    // An address of a file may spell any character with a percent sign; once is enough for what
    // opens it.
    [argument.to_owned(), unescape(argument)]
        .iter()
        .any(|text| {
            text.split(|c: char| !(c.is_alphanumeric() || "._-~/+".contains(c)))
                .any(|token| {
                    // The path may stand behind an option's letter: `-I/proc`.
                    let absolute = match token.find('/') {
                        Some(slash) if token.starts_with('-') => &token[slash..],
                        _ => token,
                    };
                    let joined = format!("{directory}/{token}");
                    [absolute, &joined]
                        .iter()
                        .any(|path| names_file(path) || names_folder(path))
                })
        })
}

/// Whether a path passes a process of a /proc, wherever that is mounted, to one of its files. Steps
/// upwards count as nothing, so that no detour hides one.
fn names_file(path: &str) -> bool {
    let mut proc = false;
    let mut process = false;
    for segment in path
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "." | ".."))
    {
        if process && (segment == "environ" || (proc && FILES.contains(&segment))) {
            return true;
        }
        process |= is_process(segment);
        proc |= segment == "proc";
    }
    false
}

/// Whether an absolute path is /proc, or a folder there from which a program that descends would
/// reach a process's files.
fn names_folder(path: &str) -> bool {
    if !path.starts_with('/') {
        return false;
    }
    let segments = clean(path);
    match segments.as_slice() {
        ["proc"] | ["proc", "kcore"] => true,
        ["proc", process] | ["proc", process, "task" | "root"] => is_process(process),
        ["proc", process, "task", thread] => is_process(process) && is_process(thread),
        _ => false,
    }
}

fn is_process(segment: &str) -> bool {
    matches!(segment, "self" | "thread-self") || segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// The segments of a path, with steps upwards taken.
fn clean(path: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    segments
}

fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |digit: Option<&u8>| digit.and_then(|d| char::from(*d).to_digit(16));
        match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits fit a byte.
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{is_inside, names_process};

    #[test]
    fn every_spelling_of_a_process_file_is_found() {
        for text in [
            "/proc/self/environ",
            "/proc/1/environ",
            "/proc/thread-self/environ",
            "/proc/self/task/7/environ",
            "/proc/self/mem",
            "//proc//self/./environ",
            "/tmp/../proc/self/environ",
            "/proc/../proc/self/../self/environ",
            "/proc/self/root/proc/1/environ",
            "/proc/self/cwd/../environ",
            "../../../proc/self/environ",
            "proc/self/environ",
            "/host/proc/12/environ",
            "if=/proc/self/environ",
            "@/proc/self/environ",
            "--file=/proc/self/environ",
            "-f/proc/self/environ",
            "file:///proc/self/environ",
            "file:///proc/self/%65nviron",
            "r /proc/self/environ",
            "BEGIN{while(getline<\"/proc/self/environ\")print}",
            "x:/proc/self/environ:y",
            "/proc",
            "/proc/",
            "/proc/self",
            "/proc/self/",
            "/proc/self/task",
            "/proc/self/task/1",
            "/proc/self/root",
            "/proc/42",
            "/proc/kcore",
            "-r/proc",
        ] {
            assert!(names_process(text, "/home/dev"), "{text}");
        }
    }

    #[test]
    fn the_working_directory_counts() {
        assert!(names_process("environ", "/proc/self"));
        assert!(names_process("../proc/self/environ", "/usr"));
        assert!(names_process("self/environ", "/mnt/p"));
        assert!(names_process("../proc", "/usr"));
        assert!(is_inside("/proc/self"));
        assert!(is_inside("/usr/../proc"));
        assert!(!is_inside("/home/proc"));
    }

    #[test]
    fn what_only_looks_alike_is_not() {
        for text in [
            "",
            "environ",
            "/proc/cpuinfo",
            "/proc/meminfo",
            "/proc/self/status",
            "/proc/self/fd/3",
            "src/proc/mem.c",
            "src/proc",
            "process/environment",
            "100%",
            "%zz",
            "/etc/environment",
            "12/mem",
        ] {
            assert!(!names_process(text, "/home/dev"), "{text}");
        }
    }
}
