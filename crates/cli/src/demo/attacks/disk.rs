//! Attacks on files: the folder, the log, the records.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::Value;

use super::must;
use crate::demo::invented;
use crate::demo::stage::{Ran, Snapshot, Stage, vault_of};
use crate::demo::verdict::Verdict;
use crate::failure::Failure;

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(Failure::io(
        format!("the permissions of {} cannot be set", path.display()),
    ))
}

/// Row 27: loose permissions, and a link in the place of the folder.
pub(super) fn loosened(stage: &Stage) -> Result<Verdict, Failure> {
    let home = stage.copy("loosened")?;
    let list = || stage.call(&["ls"]).at(&home).run();
    let refused = |ran: &Ran| !ran.ok() && ran.stdout.is_empty();
    must!(list()?.ok(), "a copy of the installation does not open");
    let (data, vault) = (home.join("data"), vault_of(&home));
    for (path, loose, tight) in [
        (&data, 0o755, 0o700),
        (&data, 0o770, 0o700),
        (&vault, 0o644, 0o600),
        (&vault, 0o620, 0o600),
    ] {
        set_mode(path, loose)?;
        let ran = list()?;
        must!(
            refused(&ran),
            "{} with mode {loose:o} was used",
            path.display()
        );
        must!(
            ran.err().contains("try:") || ran.err().contains("chmod"),
            "nothing says how to mend it"
        );
        set_mode(path, tight)?;
    }
    let real = home.join("elsewhere");
    let moved = std::fs::rename(&data, &real).and_then(|()| symlink(&real, &data));
    moved.map_err(Failure::io("a folder cannot be replaced by a link"))?;
    must!(
        refused(&list()?),
        "a link in the place of the vault's folder was followed"
    );
    let back = std::fs::remove_file(&data).and_then(|()| std::fs::rename(&real, &data));
    back.map_err(Failure::io("a folder cannot be put back"))?;
    must!(list()?.ok(), "the mended installation does not open");
    Ok(Verdict::held(
        "refused until it is mended: open folder, open file, link",
    ))
}

/// Row 39: records of the log are edited, and the log is put back.
pub(super) fn log(stage: &Stage) -> Result<Verdict, Failure> {
    let home = stage.copy("edited-log")?;
    let earlier = Snapshot::of(&home)?;
    let listed = stage
        .call(&["--json", "log", "-n", "100000"])
        .at(&home)
        .run()?;
    must!(listed.ok(), "the log cannot be listed: {}", listed.err());
    // The link of a record stands in its row as it is; its sealed content follows.
    let links: Vec<[u8; 32]> = listed.out().lines().filter_map(link_of).collect();
    let now = Snapshot::of(&home)?;
    must!(
        verify(stage, &home)?.ok(),
        "the log does not verify before it is edited"
    );
    let mut edits = 0;
    for link in links.iter().step_by((links.len() / 4).max(1)) {
        let Some(at) = now
            .vault()
            .windows(link.len())
            .position(|window| window == link)
        else {
            continue;
        };
        for offset in [0, 31, 60] {
            let mut edited = now.vault().to_vec();
            let Some(byte) = edited.get_mut(at + offset) else {
                continue;
            };
            *byte ^= 1;
            now.put_back_with(&edited)?;
            let ran = verify(stage, &home)?;
            must!(
                ran.code() == Some(1),
                "an edited record was not found: {}",
                ran.ending()
            );
            edits += 1;
        }
    }
    must!(edits > 0, "no record of the log was found in its file");
    now.put_back()?;
    must!(
        verify(stage, &home)?.ok(),
        "the log does not verify once it is put right"
    );
    // The earlier file: whatever was recorded since is cut off, and the head goes with it.
    now.put_back_with(earlier.vault())?;
    let ran = verify(stage, &home)?;
    must!(
        ran.code() == Some(1) && ran.out().contains("rewound"),
        "a log that was put back was not found: {}",
        ran.ending()
    );
    let ran = stage.call(&["ls"]).at(&home).run()?;
    must!(!ran.ok(), "a vault with a log that was put back was used");
    Ok(Verdict::held(format!(
        "{edits} edits and an older log are found (not with the anchor put back too: that takes a TPM)"
    )))
}

fn verify(stage: &Stage, home: &Path) -> Result<Ran, Failure> {
    stage.call(&["--json", "audit", "verify"]).at(home).run()
}

fn link_of(line: &str) -> Option<[u8; 32]> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let text = entry["link"].as_str()?;
    let mut link = [0; 32];
    for (index, byte) in link.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(link)
}

/// Row 40: single pages are put back to an earlier state, bytes are edited, the whole file too.
pub(super) fn records(stage: &Stage) -> Result<Verdict, Failure> {
    let home = stage.copy("edited-records")?;
    let before = Snapshot::of(&home)?;
    let value = invented::value("sk_live_", 32);
    let stored = stage
        .call(&["set", "shop/STRIPE_KEY", "--stdin"])
        .at(&home)
        .input(value.as_str())
        .run()?;
    must!(
        stored.ok(),
        "a new version was not stored: {}",
        stored.err()
    );
    let after = Snapshot::of(&home)?;
    let honest = export(stage, &home)?;
    must!(
        honest.ok() && invented::shows(&honest.stdout, &value),
        "the new version is not there"
    );
    let mut attempts = old_pages(before.vault(), after.vault());
    let pages = attempts.len();
    attempts.extend(edits(before.vault(), after.vault()));
    must!(pages > 0, "storing a version changed nothing on the disk");
    let (mut refused, mut harmless) = (0, 0);
    for vault in &attempts {
        after.put_back_with(vault)?;
        let ran = export(stage, &home)?;
        match (ran.ok(), ran.stdout == honest.stdout) {
            (false, _) => refused += 1,
            (true, true) => harmless += 1,
            (true, false) => return Ok(Verdict::fell("an edited vault gave other values")),
        }
    }
    must!(refused > 0, "no edit of the vault's file was noticed");
    after.put_back()?;
    must!(
        export(stage, &home)?.stdout == honest.stdout,
        "the vault does not open once it is put right"
    );
    after.put_back_with(before.vault())?;
    let whole = export(stage, &home)?;
    must!(
        !whole.ok() && whole.err().contains("earlier state"),
        "a vault that was put back was used"
    );
    Ok(Verdict::held(format!(
        "{refused} edits and old pages are refused, {harmless} changed nothing; the whole old file is refused"
    )))
}

/// The vault's file with one page of an earlier state, for each page that differs.
fn old_pages(before: &[u8], after: &[u8]) -> Vec<Vec<u8>> {
    const PAGE: usize = 4096;
    let ranges = (0..after.len() / PAGE).map(|page| page * PAGE..(page + 1) * PAGE);
    ranges
        .filter_map(|range| {
            let old = before
                .get(range.clone())
                .filter(|old| *old != &after[range.clone()])?;
            let mut vault = after.to_vec();
            vault[range].copy_from_slice(old);
            Some(vault)
        })
        .collect()
}

/// The vault's file with one bit turned, at a few of the places that the last change wrote.
fn edits(before: &[u8], after: &[u8]) -> Vec<Vec<u8>> {
    const PLACES: usize = 16;
    let written: Vec<usize> = (0..after.len())
        .filter(|at| before.get(*at) != after.get(*at))
        .collect();
    let chosen = written.iter().step_by((written.len() / PLACES).max(1));
    chosen
        .map(|at| {
            let mut vault = after.to_vec();
            vault[*at] ^= 0x10;
            vault
        })
        .collect()
}

/// What is in the vault. Looking appends to its log, so every attempt begins from a snapshot.
fn export(stage: &Stage, home: &Path) -> Result<Ran, Failure> {
    stage
        .call(&["export", "--format", "json", "shop/**"])
        .at(home)
        .run()
}
