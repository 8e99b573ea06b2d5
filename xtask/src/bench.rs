//! Builds and runs the side-by-side benchmarks of `bench/`.

use anyhow::{Context, Result, bail};

use crate::house::House;
use crate::shell::{self, Show};
use crate::tools;

/// `cargo xtask bench NAME [ARG…]`: runs `bench-NAME`, beside the release build of subrosa.
pub(crate) fn command(house: &House, args: &[String]) -> Result<bool> {
    let manifest = house.root.join("bench/Cargo.toml");
    let Ok(text) = std::fs::read_to_string(&manifest) else {
        bail!("there is no bench/ in this tree yet: nothing to measure");
    };
    let names = benches(&text).with_context(|| manifest.display().to_string())?;
    let Some((name, rest)) = args.split_first() else {
        bail!("which bench? there are: {}", names.join(" "));
    };
    if !names.contains(name) {
        bail!("no bench `{name}`; there are: {}", names.join(" "));
    }
    // With `--json` the document stands alone: what is there is used.
    let is_json = rest.iter().any(|word| word == "--json");
    if !is_json {
        // The programs that a bench compares with; what is missing is named and left out.
        tools::provide(house)?;
        tools::offer(house, name)?;
    }
    let program = format!("bench-{name}");
    let mut build = house.cargo();
    build.args([
        "build",
        "--release",
        "--package",
        "subrosa-cli",
        "--package",
        &package(&text)?,
    ]);
    let show = if is_json { Show::Kept } else { Show::Live };
    if !shell::run(build, show)?.success {
        bail!("the release build failed");
    }
    let release = house.target.join("release");
    let mut bench = house.command(release.join(&program));
    bench.args(rest).env("SUBROSA_BIN", release.join("subrosa"));
    Ok(shell::run(bench, Show::Live)?.success)
}

/// Names of the programs `bench-NAME` in the manifest, without the prefix.
fn benches(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse()?;
    let bins = manifest
        .get("bin")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    Ok(bins
        .filter_map(|bin| {
            bin.get("name")?
                .as_str()?
                .strip_prefix("bench-")
                .map(str::to_owned)
        })
        .collect())
}

fn package(manifest: &str) -> Result<String> {
    let manifest: toml::Table = manifest.parse()?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name")?.as_str());
    Ok(name
        .context("bench/Cargo.toml names no package")?
        .to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_come_from_the_manifest() {
        let text = "[package]\nname = \"subrosa-bench\"\n[[bin]]\nname = \"bench-vault\"\n\
                    [[bin]]\nname = \"other\"\n";
        assert_eq!(super::benches(text).expect("valid"), ["vault"]);
        assert_eq!(super::package(text).expect("valid"), "subrosa-bench");
    }
}
