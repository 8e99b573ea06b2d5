//! A session bus with a real keyring on it, for one test.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use subrosa_tests::Place;

/// A session of a desktop. It ends with this.
pub(crate) struct Desktop {
    bus: Child,
    /// Where its bus is.
    pub(crate) address: String,
}

impl Desktop {
    /// A bus, and a keyring on it that is unlocked.
    pub(crate) fn start(place: &Place) -> Self {
        let folder = place.path("desktop");
        fs::create_dir_all(folder.join("run")).expect("made");
        let mut bus = around(&folder, "dbus-daemon", "")
            .args(["--session", "--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon (Debian: dbus) starts");
        let mut address = String::new();
        let mut said = BufReader::new(bus.stdout.take().expect("piped"));
        said.read_line(&mut address).expect("it says where it is");
        let address = address.trim().to_owned();
        let mut keyring = around(&folder, "gnome-keyring-daemon", &address)
            .args(["--daemonize", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon (Debian: gnome-keyring) starts");
        let mut password = keyring.stdin.take().expect("piped");
        password.write_all(b"of the login").expect("taken");
        drop(password);
        // It goes into the background once it is there, and ends with its bus.
        assert!(keyring.wait().expect("it ends").success());
        Self { bus, address }
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

fn around(folder: &Path, program: &str, address: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("DBUS_SESSION_BUS_ADDRESS", address);
    command
}
