//! A TPM in software, for one test.

use std::process::{Child, Command, Stdio};

use subrosa_tests::{Place, wait_until};

/// A TPM. It ends with this.
pub(crate) struct Chip {
    process: Child,
    /// What the programs of the TPM call it.
    pub(crate) name: String,
}

impl Chip {
    /// A TPM that was just switched on; it keeps what it is in a folder of that name.
    pub(crate) fn start(place: &Place, folder: &str) -> Self {
        let folder = place.path(folder);
        std::fs::create_dir_all(&folder).expect("made");
        let shown = folder.to_str().expect("UTF-8");
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "startup-clear"])
            .arg("--tpmstate")
            .arg(format!("dir={shown}"))
            .arg("--server")
            .arg(format!("type=unixio,path={shown}/s"))
            .arg("--ctrl")
            .arg(format!("type=unixio,path={shown}/s.ctrl"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("swtpm starts");
        wait_until("the TPM's socket", || folder.join("s").exists());
        Self {
            process,
            name: format!("swtpm:path={shown}/s"),
        }
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
