//! A PostgreSQL server for the tests of one process.
//!
//! It lives in a temporary folder, listens on a Unix socket in it and on nothing else, and writes
//! without `fsync`. A supervisor ends it and removes the folder when the test process is gone, in
//! whichever way that happens.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const INSTALL: &str = "PostgreSQL's server is needed for this test and was not found; \
                       type: apt-get install postgresql";
/// The database role of the tests.
const ROLE: &str = "subrosa";
/// A socket's path has 107 bytes at most, and `/.s.PGSQL.5432` is to fit.
const FOLDER_MAX: usize = 80;

/// Runs as the server's user: `$1` PostgreSQL's programs, `$2` the folder, `$3` the role. It reads
/// its standard input, whose other end the test process holds, until that process is gone.
const SUPERVISOR: &str = r#"
trap '' INT TERM HUP
options="-k $2 -c listen_addresses= -c fsync=off -c synchronous_commit=off"
options="$options -c full_page_writes=off -c max_connections=200"
if "$1/initdb" -D "$2/data" -U "$3" -A trust -E UTF8 --locale=C -N >"$2/log" 2>&1 \
    && "$1/pg_ctl" -D "$2/data" -l "$2/log" -w -t 60 -o "$options" start >/dev/null 2>&1
then
    echo ready
    cat >/dev/null
    "$1/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null 2>&1
else
    cat "$2/log"
fi
rm -rf "$2"
"#;

/// A running server.
#[derive(Debug)]
pub struct PostgresServer {
    programs: PathBuf,
    folder: PathBuf,
    supervisor: Child,
    databases: AtomicU32,
}

/// The server of this process, started when it is first asked for.
///
/// # Panics
/// With what to install when PostgreSQL is missing, and with the server's log when it does not
/// start: a test that needs it fails, it is never skipped.
#[must_use]
pub fn postgres() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(|| match PostgresServer::start() {
        Ok(server) => server,
        Err(reason) => panic!("{reason}"),
    })
}

impl PostgresServer {
    /// Starts a server of one's own. It ends when this is dropped.
    ///
    /// # Errors
    /// What is missing, or the server's log.
    pub fn start() -> Result<Self, String> {
        let programs = programs().ok_or(INSTALL)?;
        let user = server_user()?;
        let folder = make_folder(user.as_ref())?;
        let mut command = match &user {
            None => Command::new("sh"),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={}", user.uid))
                    .arg(format!("--regid={}", user.gid))
                    .args(["--clear-groups", "sh"]);
                command
            }
        };
        command
            .args(["-c", SUPERVISOR, "sh"])
            .args([&programs, &folder])
            .arg(ROLE)
            .env("LC_ALL", "C")
            .current_dir("/")
            // A Ctrl-C at the tests is not for it: it sees the end of the tests by itself.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut supervisor = command
            .spawn()
            .map_err(|e| format!("PostgreSQL's supervisor does not start: {e}"))?;
        let said = wait_until_ready(&mut supervisor);
        let server = Self {
            programs,
            folder,
            supervisor,
            databases: AtomicU32::new(0),
        };
        match said {
            None => Ok(server),
            Some(log) => Err(format!("PostgreSQL does not start:\n{log}")),
        }
    }

    /// Makes an empty database and answers how to connect to it, as libpq writes it.
    ///
    /// # Panics
    /// When the server does not do it.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let folder = self.folder.display();
        let made = Command::new(self.programs.join("createdb"))
            .arg(format!("--host={folder}"))
            .args(["-U", ROLE, "-w", &name])
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("createdb does not start: {error}. {INSTALL}"));
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "createdb failed: {said}");
        format!("host={folder} user={ROLE} dbname={name}")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// `None` when the server is ready, else what the supervisor said.
fn wait_until_ready(supervisor: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(supervisor.stdout.take()?);
    let mut said = String::new();
    if lines.read_line(&mut said).is_ok() && said == "ready\n" {
        return None;
    }
    let _ = lines.read_to_string(&mut said);
    Some(said)
}

/// The folder of PostgreSQL's programs, the server's among them.
fn programs() -> Option<PathBuf> {
    let complete = |folder: &Path| {
        ["initdb", "pg_ctl", "postgres", "createdb"]
            .iter()
            .all(|name| folder.join(name).is_file())
    };
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.and_then(|output| String::from_utf8(output.stdout).ok());
    let told = told
        .map(|text| PathBuf::from(text.trim()))
        .filter(|folder| complete(folder));
    told.or_else(|| {
        // Debian keeps each version in a folder of its own, and pg_config in another package.
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let version = |entry: &std::fs::DirEntry| {
            entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u32>().ok())
        };
        let newest = versions.flatten().max_by_key(version)?;
        Some(newest.path().join("bin")).filter(|folder| complete(folder))
    })
}

struct User {
    uid: u32,
    gid: u32,
}

/// Whose server it is: ours, or a user without rights when we are root, which PostgreSQL refuses.
fn server_user() -> Result<Option<User>, String> {
    if id("-u", None) != Some(0) {
        return Ok(None);
    }
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| {
            Some(User {
                uid: id("-u", Some(name))?,
                gid: id("-g", Some(name))?,
            })
        })
        .map(Some)
        .ok_or_else(|| "PostgreSQL refuses root, and there is no user `nobody`".into())
}

fn id(what: &str, user: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(what).args(user).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn make_folder(user: Option<&User>) -> Result<PathBuf, String> {
    let own = std::env::temp_dir();
    // Another user may not get through to a folder of root's.
    let fits = user.is_none() && own.as_os_str().len() < FOLDER_MAX - 24;
    let home = if fits { own } else { PathBuf::from("/tmp") };
    let folder = unused_folder(&home)?;
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    if let Some(user) = user {
        std::os::unix::fs::chown(&folder, Some(user.uid), Some(user.gid)).map_err(failed)?;
    }
    Ok(folder)
}

fn unused_folder(home: &Path) -> Result<PathBuf, String> {
    for number in 0..1000 {
        let folder = home.join(format!("subrosa-pg-{}-{number}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("{}: {error}", folder.display())),
        }
    }
    Err(format!(
        "{} is full of old servers' folders",
        home.display()
    ))
}
