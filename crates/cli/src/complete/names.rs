//! The names that there are: from the daemon that has the vault open, or by a key file.

use std::collections::BTreeSet;

use subrosa_engine::{ListFilter, Listed, Session, Setting, Unlock, read_key_file};

use super::words::harmless;
use crate::access::Access;
use crate::context::Context;

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Keys that the current scope sees.
    Key,
    /// The same, and keys of what was removed.
    AnyKey,
    /// Keys and their fields: `key` and `key#field`.
    Part,
    /// Workspaces that hold something.
    Workspace,
    /// Groups of the current workspace that hold something.
    Group,
    /// Tags, of all workspaces.
    Tag,
    /// Fields of the secrets that the current scope sees.
    Field,
    /// Slots, by label.
    Slot,
}

/// The names of a kind, ascending, each once; never a value.
///
/// `None` where the vault cannot be opened without a person, or not at all: nobody is asked, and
/// nobody is told why.
pub(super) fn names(context: &Context, kind: Kind) -> Option<Vec<String>> {
    if kind == Kind::Slot {
        return slots(context);
    }
    let mut access = open(context)?;
    let found = found(&mut access, context, kind);
    // The opening is in the log before the names are on the screen.
    access.close().ok()?;
    found.map(|names| names.into_iter().collect())
}

/// The vault where a daemon has it open already; else opened with a key file, the one proof that
/// needs neither a person nor a costly derivation. A daemon is never started.
fn open(context: &Context) -> Option<Access> {
    let global = &context.global;
    if !global.no_daemon
        && let Some(mut remote) = context.daemon().ok().flatten()
        && remote.state().ok()?.unlocked
    {
        return Some(Access::Daemon(remote));
    }
    let path = context.key_file()?;
    // Before the key is read: an installation without a vault is met by every new user.
    if !subrosa_engine::status(&context.home).ok()?.exists {
        return None;
    }
    let key = read_key_file(&path).ok()?;
    let setting = Setting {
        accept_root: false,
        ..context.setting()
    };
    let session = Session::open(setting, &Unlock::KeyFile(key)).ok()?;
    Some(Access::own(session))
}

/// The slots by label. They stand in the clear, since they are needed to open the vault at all.
/// One whose label is no plain word is named by its id by whoever sees it: `subrosa key ls`.
fn slots(context: &Context) -> Option<Vec<String>> {
    let shown = subrosa_engine::status(&context.home).ok()?.slots;
    let label = |slot: &String| Some(slot.rsplit_once(" (")?.0.to_owned());
    let labels: BTreeSet<String> = shown.iter().filter_map(label).collect();
    Some(labels.into_iter().filter(|label| harmless(label)).collect())
}

fn found(access: &mut Access, context: &Context, kind: Kind) -> Option<BTreeSet<String>> {
    let all = ListFilter {
        all: matches!(kind, Kind::Workspace | Kind::Group | Kind::Tag),
        ..ListFilter::default()
    };
    let mut listed = access.list(&all).ok()?;
    if kind == Kind::AnyKey {
        let gone = ListFilter {
            removed: true,
            ..all
        };
        listed.extend(access.list(&gone).ok()?);
    }
    let workspace = context.scope().workspace;
    let named = |one: &Listed| match kind {
        Kind::Workspace => vec![one.workspace.to_string()],
        Kind::Group if one.workspace == workspace => one.group.iter().cloned().collect(),
        Kind::Group | Kind::Slot => Vec::new(),
        Kind::Tag => one.tags.clone(),
        Kind::Field => one.fields.iter().map(ToString::to_string).collect(),
        Kind::Key | Kind::AnyKey => vec![one.key.to_string()],
        Kind::Part => {
            let parts = one
                .fields
                .iter()
                .map(|field| format!("{}#{field}", one.key));
            parts.chain([one.key.to_string()]).collect()
        }
    };
    Some(listed.iter().flat_map(named).collect())
}
