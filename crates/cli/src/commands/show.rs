//! `show`: everything about a secret but its values.

use subrosa_engine::Shown;
use subrosa_model::KeyName;

use super::list::second;
use crate::complete::Takes;
use crate::context::Context;
use crate::failure::Failure;
use crate::near::missed;
use crate::table::Table;
use crate::text::plain;

/// Show everything about a secret but its values
///
/// A value is shown by `subrosa read`, which needs the passphrase.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa show db/main
  subrosa show db/main --json")]
pub(crate) struct Show {
    /// The key
    #[arg(value_name = "KEY", add = Takes::Key)]
    key: KeyName,
}

impl Show {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut session = context.access()?;
        let shown = match session.show(&self.key) {
            Err(error) => return Err(missed(&mut session, self.key.as_str(), error)),
            Ok(shown) => shown,
        };
        session.close()?;
        if context.out.json {
            return context.out.document(&shown);
        }
        context.out.print(&human(&shown))
    }
}

fn human(shown: &Shown) -> String {
    let listed = &shown.listed;
    let place = match &listed.group {
        Some(group) => format!("{}:{group}", listed.workspace),
        None => listed.workspace.to_string(),
    };
    let expires = listed.expires.map(second).unwrap_or_default();
    let lines = [
        ("key", listed.key.to_string()),
        ("workspace", place),
        (
            "version",
            format!("{} of {} kept", listed.version, shown.versions),
        ),
        ("created", second(shown.created)),
        ("changed", second(listed.modified)),
        ("expires", expires),
        ("pinned to", listed.pin.clone().unwrap_or_default()),
        ("tags", listed.tags.join(", ")),
        ("url", plain(&shown.url).into_owned()),
        ("note", plain(&shown.note).into_owned()),
    ];
    let mut text = String::new();
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{name:<10} {value}\n"));
    }
    let mut table = Table::new(&[
        "FIELD",
        "VARIABLE",
        "VALUE",
        "WRITTEN IN",
        "KIND",
        "ALIASES",
        "HINT",
    ]);
    for field in &shown.about {
        let value = match (field.sensitive, field.masked) {
            (false, _) => "not sensitive",
            (true, true) => "masked in output",
            (true, false) => "NOT masked in output",
        };
        let aliases: Vec<&str> = field.aliases.iter().map(|alias| alias.as_str()).collect();
        table.row(&[
            field.name.to_string(),
            field.variable.to_string(),
            value.to_owned(),
            format!("version {}", field.written),
            plain(&field.kind).into_owned(),
            aliases.join(","),
            plain(&field.hint).into_owned(),
        ]);
    }
    format!("{text}\n{}", table.render())
}
