//! What was handed out once is masked for good, whoever opens the vault later.

use subrosa_engine::{EngineError, MaskOptions, Purpose, Session};
use subrosa_model::{CallerKind, Scope};

use crate::{CANARY, RULE, exported, init, key, open, options, run, set};

/// A vault of which one value was handed out, in a process that is over.
fn handed_out() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let mut session = init(root.path());
    set(&mut session, "api/key", CANARY);
    set(&mut session, "api/other", b"a-value-that-nobody-was-given");
    session.apply_policy(RULE, false).unwrap();
    session.close().unwrap();
    let mut session = open(root.path()).unwrap();
    let wanted = options(&["sh", "-c", "echo $API_KEY"], &["api/key"], None);
    assert_eq!(run(&mut session, wanted).unwrap().1, "[REDACTED:api/key]\n");
    session.close().unwrap();
    root
}

/// What a command that is given nothing prints of a file with both values.
fn printed(root: &std::path::Path) -> String {
    let file = root.join("leaked");
    let text = [CANARY, b" a-value-that-nobody-was-given"].concat();
    std::fs::write(&file, text).unwrap();
    let mut session = open(root).unwrap();
    let path = file.to_str().unwrap().to_owned();
    let told = run(&mut session, options(&["cat", &path], &[], None)).unwrap();
    session.close().unwrap();
    told.1
}

const MASKED: &str = "[REDACTED:api/key] a-value-that-nobody-was-given";

#[test]
fn a_value_that_was_handed_out_before_a_restart_is_masked() {
    let root = handed_out();
    assert_eq!(printed(root.path()), MASKED);
    let mut session = open(root.path()).unwrap();
    let recorded = exported(&mut session);
    let known = |line: &&String| line.contains("\"known\"") && line.contains("api/key#value");
    assert_eq!(
        recorded.iter().filter(known).count(),
        1,
        "once, however often it is used"
    );
}

#[test]
fn it_stays_masked_when_it_gets_a_new_name_or_value_or_is_removed() {
    let root = handed_out();
    let mut session = open(root.path()).unwrap();
    let scope = Scope {
        workspace: Scope::default_workspace(),
        group: None,
    };
    session
        .rename(&key("api/key"), (&scope, &key("moved/key")))
        .unwrap();
    session.close().unwrap();
    assert_eq!(
        printed(root.path()),
        MASKED.replace("api/key", "moved/key"),
        "a new name"
    );
    let mut session = open(root.path()).unwrap();
    set(&mut session, "moved/key", b"a-newer-value-of-it");
    session.remove(&key("moved/key")).unwrap();
    session.close().unwrap();
    assert_eq!(printed(root.path()), MASKED.replace("api/key", "moved/key"));
    let mut session = open(root.path()).unwrap();
    session.purge(&key("moved/key")).unwrap();
    session.close().unwrap();
    assert!(
        printed(root.path()).contains("canary"),
        "what is gone for good cannot be masked"
    );
}

#[test]
fn a_value_that_was_read_is_masked_too() {
    let root = handed_out();
    let mut session = open(root.path()).unwrap();
    let mut out = Vec::new();
    session.read_value("api/other", None, &mut out).unwrap();
    session.close().unwrap();
    assert_eq!(
        printed(root.path()),
        "[REDACTED:api/key] [REDACTED:api/other]"
    );
}

#[test]
fn two_sessions_know_what_the_other_handed_out() {
    let root = handed_out();
    let mut first = open(root.path()).unwrap();
    let mut second = open(root.path()).unwrap();
    let file = root.path().join("other");
    std::fs::write(&file, b"a-value-that-nobody-was-given").unwrap();
    let path = file.to_str().unwrap();
    let before = run(&mut first, options(&["cat", path], &[], None)).unwrap();
    assert_eq!(before.1, "a-value-that-nobody-was-given");
    let mut out = Vec::new();
    second.read_value("api/other", None, &mut out).unwrap();
    let after = run(&mut first, options(&["cat", path], &[], None)).unwrap();
    assert_eq!(after.1, "[REDACTED:api/other]");
    first.close().unwrap();
    second.close().unwrap();
}

/// A daemon acts for others: nothing that proved a person's presence when it was unlocked serves
/// whoever asks later.
#[test]
fn acting_for_another_proves_no_presence_and_takes_up_a_new_policy() {
    let root = handed_out();
    let mut daemon = open(root.path()).unwrap();
    assert!(daemon.is_present());
    let scope = daemon.scope().clone();
    let mut caller = subrosa_engine::Effects::system().operator();
    caller.kind = CallerKind::Local;
    daemon.act_for(caller.clone(), scope.clone()).unwrap();
    assert!(!daemon.is_present());
    assert!(daemon.read_value("api/key", None, &mut Vec::new()).is_err());
    assert!(daemon.purge(&key("api/key")).is_err());
    let wanted = || options(&["sh", "-c", "echo $API_KEY"], &["api/key"], None);
    run(&mut daemon, wanted()).unwrap();

    let mut other = open(root.path()).unwrap();
    other.apply_policy("version: 1\n", false).unwrap();
    other.close().unwrap();
    daemon.act_for(caller.clone(), scope).unwrap();
    assert!(run(&mut daemon, wanted()).is_err(), "the rule is gone");
    let lines = exported(&mut daemon);
    let pid = format!("\"pid\":{}", caller.pid);
    let local = |line: &&String| line.contains("\"local\"") && line.contains(&pid);
    assert!(lines.iter().any(|line| local(&line)), "{lines:?}");
}

/// What a filter makes of the text with both values.
fn filtered(session: &mut Session, selectors: &[&str]) -> Result<String, EngineError> {
    let text = [CANARY, b" a-value-that-nobody-was-given"].concat();
    let mut masking = session.start_masking(&MaskOptions {
        purpose: Purpose::Redact,
        selectors: selectors.iter().map(|one| (*one).to_owned()).collect(),
        fold: true,
    })?;
    assert!(masking.take_warnings().is_empty());
    let mut out = Vec::new();
    let looked = masking.filter(&mut &text[..], &mut out, false).unwrap();
    masking.complete(Ok(looked.found));
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_filter_has_what_was_handed_out_and_what_is_selected() {
    let root = handed_out();
    let mut session = open(root.path()).unwrap();
    assert_eq!(filtered(&mut session, &[]).unwrap(), MASKED);
    let both = "[REDACTED:api/key] [REDACTED:api/other]";
    assert_eq!(filtered(&mut session, &["api/other"]).unwrap(), both);
    // What was only looked for is learned by nobody.
    assert_eq!(filtered(&mut session, &[]).unwrap(), MASKED);
    session.close().unwrap();
    assert_eq!(printed(root.path()), MASKED);
}

#[test]
fn each_filter_is_recorded_with_what_became_of_it() {
    let root = handed_out();
    let mut session = open(root.path()).unwrap();
    filtered(&mut session, &["api/*"]).unwrap();
    let recorded = exported(&mut session);
    let of = |what: &str| recorded.iter().filter(|line| line.contains(what)).count();
    assert_eq!(of("filter redact"), 1, "{recorded:?}");
    assert_eq!(of("\"redactions\":2"), 1, "{recorded:?}");
}

#[test]
fn an_agent_gets_no_filter_from_the_gate_itself() {
    let root = handed_out();
    let mut session = open(root.path()).unwrap();
    let scope = session.scope().clone();
    let mut caller = session.setting().effects.operator();
    caller.kind = CallerKind::Agent("claude".parse().unwrap());
    session.act_for(caller, scope).unwrap();
    for selectors in [&[][..], &["api/other"]] {
        let refused = filtered(&mut session, selectors).unwrap_err();
        assert!(
            matches!(&refused, EngineError::Refused(refusal) if refusal.rule == "filter"),
            "{refused:?}"
        );
    }
    let recorded = exported(&mut session);
    let denied = |line: &&String| line.contains("filter redact") && line.contains("\"deny\"");
    assert_eq!(recorded.iter().filter(denied).count(), 2, "{recorded:?}");
}
