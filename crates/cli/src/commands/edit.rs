//! `edit`: what is known of a secret, not its values.

use subrosa_engine::Mode;
use subrosa_model::{FieldName, KeyName, Tag};

use super::set::{Metadata, bindable};
use crate::complete::Takes;
use crate::context::Context;
use crate::failure::Failure;
use crate::near::missed;
use crate::target::Binding;

/// Change what is known of a secret, not its values
///
/// Only what is named changes. A value is changed by `subrosa set`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa edit api/key --tag prod --no-tag test
  subrosa edit api/key --expires 90d --note 'from the console, team account'
  subrosa edit db/main --bind password=PGPASSWORD --unbind user")]
pub(crate) struct Edit {
    /// The key
    #[arg(value_name = "KEY", add = Takes::Key)]
    key: KeyName,
    #[command(flatten)]
    metadata: Metadata,
    /// Take a tag away; repeat for several
    #[arg(long, value_name = "TAG", add = Takes::Tag)]
    no_tag: Vec<Tag>,
    /// The variable that stands for a field; repeat for several
    #[arg(long, value_name = "[FIELD=]VAR")]
    bind: Vec<Binding>,
    /// Name the variable of a field after the key again; repeat for several
    #[arg(long, value_name = "FIELD", add = Takes::Field)]
    unbind: Vec<FieldName>,
    /// Drop a field and its value, in a new version; repeat for several
    #[arg(long, value_name = "FIELD", add = Takes::Field)]
    drop_field: Vec<FieldName>,
}

impl Edit {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let nothing = self.metadata.tag.is_empty()
            && self.metadata.note.is_none()
            && self.metadata.url.is_none()
            && self.metadata.expires.is_none()
            && self.no_tag.is_empty()
            && self.bind.is_empty()
            && self.unbind.is_empty()
            && self.drop_field.is_empty();
        if nothing {
            return Err(
                Failure::usage("nothing is named that should change").remedy(format!(
                    "subrosa edit {} --tag NAME; see subrosa edit --help",
                    self.key
                )),
            );
        }
        for binding in &self.bind {
            bindable(&binding.variable)?;
        }
        let mut session = context.access()?;
        let current = match session.show(&self.key) {
            Err(error) => return Err(missed(&mut session, self.key.as_str(), error)),
            Ok(shown) => shown.listed.tags,
        };
        let mut patch = self.metadata.patch(context, &current, &self.no_tag)?;
        let bound = self
            .bind
            .into_iter()
            .map(|binding| (binding.field, Some(binding.variable)));
        let unbound = self.unbind.into_iter().map(|field| (field, None));
        patch.bindings = bound.chain(unbound).collect();
        patch.remove_fields = self.drop_field;
        let shown = session.set(&self.key, patch, None, Mode::Update)?.shown;
        session.close()?;
        if context.out.json {
            return context.out.document(&shown);
        }
        context.out.done(&format!("{}: changed", self.key));
        Ok(())
    }
}
