//! What is masked in vain in text that holds no secret.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;
use subrosa_redact::{KnownSet, Redactor};

use super::Result;
use super::corpus::{Cache, Kind};
use super::latency::known;
use super::options::Options;
use super::recall;
use super::report::{Report, digits};

/// Secrets that are searched for: those of the corpora, with all their kinds.
const SECRETS: usize = 1000;
const BLOCK: usize = 64 * 1024;

/// Counts masks in generated texts without plants, and in real ones where there are some.
///
/// # Errors
/// When a text cannot be made or read.
pub fn run(options: &Options, cache: &Cache, report: &mut Report) -> Result<()> {
    let set = known(&recall::secrets(SECRETS)?, true);
    let size = options.slow(Kind::Log);
    report.say(&format!(
        "\nfalse masks in ordinary text, {} secrets of the corpora, folded\n  {:<34} {:>7} {:>7} {:>10}   {:>12}",
        set.len(), "", "MB", "masks", "per 100 MB", "with shapes"
    ));
    for kind in [Kind::Log, Kind::Json, Kind::Base64, Kind::Hex, Kind::Elf] {
        let paths = [cache.bare(kind, size)?];
        count(kind.name(), &paths, &set, report)?;
    }
    match sources(size) {
        paths if paths.is_empty() => {
            report.say("  sources of crates: none on this machine; only what is generated counts");
        }
        paths => count("sources of crates, as cargo has them", &paths, &set, report)?,
    }
    Ok(())
}

fn count(name: &str, paths: &[PathBuf], set: &KnownSet, report: &mut Report) -> Result<()> {
    let known = masks(paths, || set.redactor())?;
    let shaped = masks(paths, || set.redactor().with_shapes())?;
    let bytes: u64 = paths
        .iter()
        .filter_map(|path| path.metadata().ok())
        .map(|one| one.len())
        .sum();
    let each = |masks: u64| masks as f64 * 1e8 / bytes as f64;
    report.say(&format!(
        "  {name:<34} {:>7.0} {known:>7} {:>10}   {:>12}",
        bytes as f64 / 1e6,
        digits(each(known)),
        digits(each(shaped)),
    ));
    report.add(
        "ordinary",
        json!({
            "text": name, "bytes": bytes, "masks": known,
            "per_100_mb": each(known), "per_100_mb_with_shapes": each(shaped),
        }),
    );
    if name == Kind::Log.name() {
        report.bar("no false mask in the log", known as f64, 0.0, false);
    }
    Ok(())
}

/// How many masks are set in files, one stream each.
fn masks(paths: &[PathBuf], redactor: impl Fn() -> Redactor) -> Result<u64> {
    let (mut block, mut out, mut masks) = (vec![0; BLOCK], Vec::new(), 0);
    for path in paths {
        let mut redactor = redactor().listing(0);
        let mut file = File::open(path)?;
        loop {
            let count = file.read(&mut block)?;
            if count == 0 {
                break;
            }
            redactor.push(&block[..count], &mut out);
            out.clear();
        }
        redactor.finish(&mut out);
        masks += redactor.counts().total();
    }
    Ok(masks)
}

/// Files of the crates that cargo has unpacked, up to `most` bytes.
fn sources(most: u64) -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    let mut folders: Vec<PathBuf> = home
        .map(|home| home.join("registry/src"))
        .into_iter()
        .collect();
    let (mut files, mut bytes) = (Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir() else {
            continue;
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let is_text = ["rs", "md", "toml"]
                .iter()
                .any(|one| path.extension() == Some(one.as_ref()));
            match path.symlink_metadata() {
                Ok(meta) if meta.is_dir() => folders.push(path),
                Ok(meta) if meta.is_file() && is_text && bytes < most => {
                    bytes += meta.len();
                    files.push(path);
                }
                _ => {}
            }
        }
    }
    files
}
