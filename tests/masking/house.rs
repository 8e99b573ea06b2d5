//! A vault whose secrets one command may have, by every way in which it can be run.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use subrosa_tests::{Done, Place, Served, wait_until};

/// A value of letters, digits and hyphens.
pub(crate) const KEY: &str = "VZLdKX-7Hq2-Zr8v-zd4xncJ0i";
/// A value that every way of writing text has to do something about.
pub(crate) const ODD: &str = "canary\"7Hq2\\Zr8v/Lw4x<n0&Pk'9é";
/// A value of a secret that the agent's token does not reach.
pub(crate) const BEYOND: &str = "canary-3Jd9-Qm5t-Vb1y-s6Fc";

/// By whom a command is run, and through what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the operator, without the daemon.
    Alone,
    /// By the operator, through the daemon.
    Daemon,
    /// By an agent with a token, which goes through the daemon always.
    Agent,
}

pub(crate) const WAYS: [Way; 3] = [Way::Alone, Way::Daemon, Way::Agent];

/// A vault with a rule for everybody: `bash attack` gets what it asks for, as variables. What the
/// script is, each test says.
pub(crate) struct House {
    pub(crate) served: Served,
    pub(crate) token: String,
}

const POLICY: &str = "version: 1\n\
    rules:\n\
    \x20 - { allow: run, command: bash, args: [attack], secrets: [\"**\"], inject: env, exposed: true }\n";

impl House {
    /// `app/key`, `app/odd`, and `ops/beyond` out of the agent's reach.
    pub(crate) fn new() -> Self {
        let served = Served::open();
        for (key, value) in [("app/key", KEY), ("app/odd", ODD), ("ops/beyond", BEYOND)] {
            served.fed(&["set", key, "--stdin"], value.as_bytes()).ok();
        }
        served.apply(POLICY);
        let token = token(&served, "claude", "app/**");
        Self { served, token }
    }

    /// The program that runs the script with these secrets.
    pub(crate) fn command(&self, way: Way, keys: &[&str], script: &str) -> Command {
        self.command_by(way, &self.token, keys, script)
    }

    /// The same, where an agent shows this token.
    pub(crate) fn command_by(&self, way: Way, token: &str, keys: &[&str], script: &str) -> Command {
        fs::write(self.served.path("work/attack"), script).expect("written");
        let mut words = vec!["run"];
        for key in keys {
            words.extend(["-k", key]);
        }
        words.extend(["--", "bash", "attack"]);
        let place: &Place = &self.served;
        let mut command = match way {
            Way::Alone => place.command(&words),
            Way::Daemon | Way::Agent => self.served.command(&words),
        };
        if way == Way::Agent {
            command.env("SUBROSA_TOKEN", token);
        }
        command.env("LANG", "C.UTF-8");
        command
    }

    /// Writes the script that `bash attack` is from now on.
    pub(crate) fn write(&self, script: &str) {
        fs::write(self.served.path("work/attack"), script).expect("written");
    }

    /// Runs the script with `app/key` and `app/odd`.
    #[track_caller]
    pub(crate) fn run(&self, way: Way, script: &str) -> Done {
        self.run_with(way, &["app/key", "app/odd"], script)
    }

    /// Runs the script with these secrets.
    #[track_caller]
    pub(crate) fn run_with(&self, way: Way, keys: &[&str], script: &str) -> Done {
        let done = Done::of(&mut self.command(way, keys, script), b"");
        assert_eq!(done.status, 0, "{way:?}: {done:?}");
        done
    }

    /// Runs the script on a terminal; what is on the screen in the end.
    pub(crate) fn on_terminal(&self, way: Way, script: &str) -> String {
        let mut terminal = self.start_on_terminal(way, script);
        terminal.wait();
        std::mem::take(&mut terminal.seen)
    }

    /// Starts the script on a terminal.
    pub(crate) fn start_on_terminal(&self, way: Way, script: &str) -> Terminal {
        Terminal::start(self.command(way, &["app/key", "app/odd"], script))
    }

    /// A file beside the script.
    pub(crate) fn touch(&self, name: &str) {
        fs::write(self.served.path("work").join(name), "").expect("written");
    }

    /// Waits until the script has made a file.
    pub(crate) fn wait_for(&self, name: &str) {
        let path = self.served.path("work").join(name);
        wait_until(name, || path.exists());
    }

    /// Takes away what scripts have left.
    pub(crate) fn clear(&self, names: &[&str]) {
        for name in names {
            let _ = fs::remove_file(self.served.path("work").join(name));
        }
    }
}

/// Gives an agent a token.
pub(crate) fn token(served: &Served, agent: &str, secrets: &str) -> String {
    let words = [
        "agent",
        "add",
        agent,
        "--json",
        "--here",
        "--secrets",
        secrets,
    ];
    let given = served.proven(&words).ok().text();
    let given: serde_json::Value = serde_json::from_str(&given).expect("JSON");
    given["token"].as_str().expect("a token").to_owned()
}

/// Whatever comes at all comes long before.
const PATIENCE: Timespec = Timespec {
    tv_sec: 30,
    tv_nsec: 0,
};

/// A command on a terminal, and what has come there.
pub(crate) struct Terminal {
    child: Child,
    screen: File,
    pub(crate) seen: String,
}

impl Terminal {
    fn start(mut command: Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a terminal");
        grantpt(&ours).expect("ours");
        unlockpt(&ours).expect("ours");
        let name = ptsname(&ours, Vec::new()).expect("it has a name");
        let theirs = File::options()
            .read(true)
            .write(true)
            .open(name.to_str().expect("UTF-8"))
            .expect("it opens");
        let end = || Stdio::from(theirs.try_clone().expect("a descriptor"));
        let child = command
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("the program starts");
        // Only the program and its command have it then, so that it ends with them.
        drop((theirs, command));
        let ours: OwnedFd = ours;
        Self {
            child,
            screen: ours.into(),
            seen: String::new(),
        }
    }

    /// Reads until a text is on the screen.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert!(self.read(), "{text:?} did not come: {:?}", self.seen);
        }
    }

    /// Reads to the end.
    #[track_caller]
    pub(crate) fn wait(&mut self) {
        while self.read() {}
        let status = self.child.wait().expect("waited for");
        assert!(status.success(), "{status}: {:?}", self.seen);
    }

    /// Whether there was more.
    #[track_caller]
    fn read(&mut self) -> bool {
        let mut waited = [PollFd::new(&self.screen, PollFlags::IN)];
        let count = poll(&mut waited, Some(&PATIENCE)).expect("polled");
        assert!(count > 0, "half a minute without a byte: {:?}", self.seen);
        let mut piece = [0; 4096];
        // The end of a terminal is an error.
        let count = self.screen.read(&mut piece).unwrap_or(0);
        self.seen
            .push_str(&String::from_utf8_lossy(&piece[..count]));
        count > 0
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The masks of both values.
pub(crate) const MASK: &str = "[REDACTED:app/key]";
pub(crate) const ODD_MASK: &str = "[REDACTED:app/odd]";

/// A text with the masks in the places of `<K>` and `<O>`.
pub(crate) fn masked(text: &str) -> String {
    text.replace("<K>", MASK).replace("<O>", ODD_MASK)
}
