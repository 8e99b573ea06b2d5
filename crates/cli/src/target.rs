//! `KEY` and `KEY#FIELD` as arguments.

use std::str::FromStr;

use subrosa_model::{FieldName, KeyName, NameError, VarName};

/// A secret, and which of its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) key: KeyName,
    pub(crate) field: FieldName,
}

impl FromStr for Target {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (key, field) = match text.split_once('#') {
            Some((key, field)) => (key, FieldName::new(field)?),
            None => (text, FieldName::default_field()),
        };
        Ok(Self {
            key: KeyName::new(key)?,
            field,
        })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_default() {
            write!(f, "{}", self.key)
        } else {
            write!(f, "{}#{}", self.key, self.field)
        }
    }
}

/// `NAME=WHAT`: a variable and the secret that it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bind {
    pub(crate) variable: VarName,
    pub(crate) what: String,
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (variable, what) = text
            .split_once('=')
            .ok_or("write it as NAME=key or NAME=key#field")?;
        let variable = VarName::new(variable).map_err(|error| error.to_string())?;
        if what.is_empty() {
            return Err("no secret is named after the `=`".to_owned());
        }
        Ok(Self {
            variable,
            what: what.to_owned(),
        })
    }
}

/// `[FIELD=]NAME`: the variable that stands for a field wherever the secret is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) field: FieldName,
    pub(crate) variable: VarName,
}

impl FromStr for Binding {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (field, variable) = match text.split_once('=') {
            Some((field, variable)) => (FieldName::new(field)?, variable),
            None => (FieldName::default_field(), text),
        };
        Ok(Self {
            field,
            variable: VarName::new(variable)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_field() {
        let target: Target = "db/main#password".parse().unwrap();
        assert_eq!(
            (target.key.as_str(), target.field.as_str()),
            ("db/main", "password")
        );
        assert!("api/key".parse::<Target>().unwrap().field.is_default());
        for wrong in ["", "#x", "a#", "a b", "a#b#c"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn binds_name_a_variable() {
        let bind: Bind = "PGPASSWORD=db/main#password".parse().unwrap();
        assert_eq!(
            (bind.variable.as_str(), bind.what.as_str()),
            ("PGPASSWORD", "db/main#password")
        );
        for wrong in ["", "A", "A=", "1A=x", "=x"] {
            assert!(wrong.parse::<Bind>().is_err(), "{wrong}");
        }
        let binding: Binding = "password=PGPASSWORD".parse().unwrap();
        assert_eq!(binding.field.as_str(), "password");
        assert!("PGPASSWORD".parse::<Binding>().unwrap().field.is_default());
    }
}
