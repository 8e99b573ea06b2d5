//! Guardians that another process forks.

use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::{Ending, Inherited, RemoteSpawner, Running};

fn start(spawner: &RemoteSpawner, script: &str) -> (Running, Written) {
    let (console, output, _) = buffers();
    let command = command(&["sh", "-c", script], limits()).expect("sh is there");
    let running = run_without_secrets(command, console, spawner, &KnownSet::empty());
    (running.expect("it starts"), output)
}

/// Parent and name of a process.
fn parent(pid: i32) -> Option<(i32, String)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let of = |name: &str| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_owned()))
    };
    Some((of("PPid:")?.parse().ok()?, of("Name:")?))
}

/// The process of that name below this one.
fn below(name: &str) -> Option<i32> {
    let own = std::process::id().cast_signed();
    let all = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = all.filter_map(|item| item.file_name().to_str()?.parse().ok());
    pids.find(|pid| {
        let Some((mut above, found)) = parent(*pid) else {
            return false;
        };
        if found != name {
            return false;
        }
        while above > 1 && above != own {
            above = parent(above).map_or(0, |(above, _)| above);
        }
        above == own
    })
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let patience = BootClock.since_boot() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(BootClock.since_boot() < patience, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).expect("a process"), signal).expect("ours");
}

#[test]
fn a_value_arrives_and_is_masked_and_its_files_go() {
    let spawner = RemoteSpawner::begin().expect("it is forked");
    let (console, output, _) = buffers();
    let line = "echo $KEY; pwd; umask; ulimit -n; exit 3";
    let mut command = command(&["sh", "-c", line], limits()).expect("sh is there");
    command.set_mask(0o031);
    let mut inherited = Inherited::of(std::process::id()).expect("our own");
    inherited.limits[7] = (Some(99), Some(101));
    command.set_inherited(inherited);
    let values: &[(&str, &[u8])] = &[("KEY", b"canary-over-the-line")];
    let mut sink = EnvironmentSink::new(command, console, &spawner).expect("it is staged");
    sink.hand_over(values, &known(values)).expect("it starts");
    let running = sink.finish().expect("it runs");
    let report = running.pump(&BootClock).expect("it is pumped");
    assert_eq!(report.ending, Ending::Exited(3));
    let text = output.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        (lines[0], lines[2], lines[3]),
        ("[REDACTED:KEY]", "0031", "99")
    );
}

#[test]
fn what_failed_is_told() {
    let spawner = RemoteSpawner::begin().expect("it is forked");
    let folder = scratch();
    let path = script(folder.path(), "broken", "#!/no/such/interpreter\n");
    let path = path.to_str().expect("text");
    let (console, ..) = buffers();
    let command = command(&[path], limits()).expect("it is there");
    let running = run_without_secrets(command, console, &spawner, &KnownSet::empty());
    assert!(
        matches!(running, Err(RunError::Execute { .. })),
        "{running:?}"
    );
}

/// A killed spawner: its commands end, and the next one finds a new spawner.
#[test]
fn a_killed_spawner_costs_its_commands_and_is_replaced() {
    let spawner = RemoteSpawner::begin().expect("it is forked");
    let (running, output) = start(
        &spawner,
        "setsid sh -c 'trap \"\" TERM HUP; echo $$; sleep 1000; sleep 1000' & echo $$; sleep 1000",
    );
    let pumped = std::thread::spawn(move || running.pump(&BootClock));
    wait_for("the tree", || {
        (output.text().lines().count() == 2).then_some(())
    });
    let first = below("subrosa-spawner").expect("it runs");
    send(first, Signal::KILL);
    let pumped = pumped.join().expect("no panic");
    assert!(
        matches!(pumped, Err(RunError::SupervisorLost)),
        "{pumped:?}"
    );
    for pid in output.text().lines() {
        let pid: i32 = pid.parse().expect("a number");
        wait_for("the tree gone", || parent(pid).is_none().then_some(()));
    }
    let (running, output) = start(&spawner, "echo again");
    assert_eq!(
        running.pump(&BootClock).expect("it runs").ending,
        Ending::Exited(0)
    );
    assert_eq!(output.text(), "again\n");
    assert_ne!(below("subrosa-spawner"), Some(first));
}

/// Who stops it has killed it: nobody waits for what does not answer.
#[test]
fn a_stopped_spawner_is_replaced() {
    let spawner = RemoteSpawner::begin().expect("it is forked");
    start(&spawner, "true").0.pump(&BootClock).expect("it runs");
    for signal in [Signal::STOP, Signal::KILL] {
        let first = wait_for("a spawner", || below("subrosa-spawner"));
        send(first, signal);
        let (running, _) = start(&spawner, "true");
        running.pump(&BootClock).expect("it runs");
    }
}

/// With both gone nothing can be forked that has none of our memory: it says so.
#[test]
fn without_both_it_says_what_to_do() {
    let spawner = RemoteSpawner::begin().expect("it is forked");
    let (running, output) = start(&spawner, "echo $$; sleep 1000");
    let pumped = std::thread::spawn(move || running.pump(&BootClock));
    wait_for("the command", || output.text().trim().parse::<i32>().ok());
    for name in ["subrosa-nursery", "subrosa-spawner"] {
        // Without the first, the second is nobody's below us.
        let pid = below(name).or_else(|| {
            let all = std::fs::read_dir("/proc").ok()?.flatten();
            let mut pids = all.filter_map(|item| item.file_name().to_str()?.parse().ok());
            pids.find(|pid| {
                parent(*pid).is_some_and(|(above, found)| above == 1 && found == name)
                    && std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
                        .is_ok_and(|line| line.contains(&exe()))
            })
        });
        send(pid.unwrap_or_else(|| panic!("no {name}")), Signal::KILL);
    }
    assert!(pumped.join().expect("no panic").is_err());
    let (console, ..) = buffers();
    let command = command(&["true"], limits()).expect("it is there");
    let running = run_without_secrets(command, console, &spawner, &KnownSet::empty());
    let error = running.expect_err("nobody is there");
    assert!(error.to_string().contains("subrosa daemon stop"), "{error}");
}

fn exe() -> String {
    let path = std::env::current_exe().expect("we run");
    path.file_name().expect("a name").display().to_string()
}

#[test]
fn all_ends_with_whoever_made_it() {
    let spawner = RemoteSpawner::begin().expect("it is forked");
    let (running, output) = start(&spawner, "echo $$; sleep 1000");
    let nursery = below("subrosa-nursery").expect("it runs");
    let pumped = std::thread::spawn(move || running.pump(&BootClock));
    let main = wait_for("the command", || output.text().trim().parse::<i32>().ok());
    drop(spawner);
    assert!(parent(main).is_some(), "what runs goes on");
    send(main, Signal::KILL);
    let report = pumped.join().expect("no panic").expect("it ends");
    assert_eq!(report.ending, Ending::Signalled(9));
    // Nobody collects it here before the test ends.
    let ended = || {
        let stat = std::fs::read_to_string(format!("/proc/{nursery}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    };
    wait_for("the nursery gone", ended);
}

#[test]
fn limits_of_another_process_are_never_raised() {
    let mut inherited = Inherited::of(std::process::id()).expect("our own");
    for bounds in &mut inherited.limits {
        *bounds = (None, None);
    }
    let spawner = RemoteSpawner::begin().expect("it is forked");
    let (console, output, _) = buffers();
    let mut command = command(&["sh", "-c", "ulimit -Hn; ulimit -c"], limits()).expect("is there");
    command.set_inherited(inherited);
    let running = run_without_secrets(command, console, &spawner, &KnownSet::empty());
    running
        .expect("it starts")
        .pump(&BootClock)
        .expect("it runs");
    let own = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let own = own.map_or("unlimited".to_owned(), |most| most.to_string());
    assert_eq!(output.text(), format!("{own}\n0\n"));
    assert!(Inherited::of(u32::MAX).is_err() && Inherited::of(0).is_err());
}
