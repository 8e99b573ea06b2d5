//! The block of arguments and variables that a program is executed with.

use std::ffi::OsString;
use std::fmt;
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt;

use crate::environment::never;
use crate::sys::SharedRegion;
use crate::{Environment, RunError};

/// Bytes of a block: more than the system takes in all.
pub(crate) const IMAGE: usize = 8 * 1024 * 1024;
/// Longest single argument or variable, its name and NUL included: the kernel's `MAX_ARG_STRLEN`.
const TEXT: usize = 128 * 1024;

/// Where in the block the two arrays of pointers begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offsets {
    pub(crate) arguments: u32,
    pub(crate) variables: u32,
}

/// What a command is handed as it is started.
#[derive(Clone, Copy, Default)]
pub struct Values<'a> {
    /// Variables by name.
    pub variables: &'a [(&'a str, &'a [u8])],
    /// Whole arguments by their place in the vector, in which something else stands so far; 0 is the
    /// name of the program.
    pub arguments: &'a [(usize, &'a [u8])],
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (variables, arguments) = (self.variables.len(), self.arguments.len());
        write!(f, "Values({variables} variables, {arguments} arguments)")
    }
}

/// Checks values that are to become variables.
///
/// # Errors
/// [`RunError::Variable`] for a name that no command gets or that comes twice, [`RunError::Nul`],
/// [`RunError::TooLong`].
pub(crate) fn check(values: &[(&str, &[u8])]) -> Result<(), RunError> {
    for (index, (name, value)) in values.iter().enumerate() {
        let refused = |why| RunError::Variable {
            name: (*name).to_owned(),
            why,
        };
        if name.is_empty() || name.bytes().any(|byte| byte == b'=' || byte == 0) {
            return Err(refused("this is not the name of a variable"));
        }
        if let Some(why) = never(name) {
            return Err(refused(why));
        }
        if values[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(refused(
                "two secrets are bound to it; bind one to another name",
            ));
        }
        if value.contains(&0) {
            return Err(RunError::Nul {
                what: format!("the value for {name}"),
                carrier: "a variable",
            });
        }
        if name.len() + value.len() + 2 > TEXT {
            return Err(too_long(format!("the value for {name}"), TEXT));
        }
    }
    Ok(())
}

fn too_long(what: String, limit: usize) -> RunError {
    RunError::TooLong { what, limit }
}

/// Writes arguments and variables, `values` among the latter and before them.
///
/// # Errors
/// As [`check`], and [`RunError::TooLong`] for arguments.
pub(crate) fn fill(
    region: &mut SharedRegion,
    arguments: &[OsString],
    environment: &Environment,
    values: Values<'_>,
) -> Result<Offsets, RunError> {
    let given = values.arguments;
    let values = values.variables;
    check(values)?;
    let argument = |index: usize| {
        let given = given.iter().find(|(at, _)| *at == index);
        given.map_or(arguments[index].as_bytes(), |(_, value)| *value)
    };
    let arguments = || (0..arguments.len()).map(argument);
    if arguments().any(|argument| argument.len() + 1 > TEXT) {
        return Err(too_long("an argument".to_owned(), TEXT));
    }
    if arguments().any(|argument| argument.contains(&0)) {
        return Err(RunError::Nul {
            what: "the command line".to_owned(),
            carrier: "an argument",
        });
    }
    let plain: Vec<_> = environment
        .iter()
        .filter(|(name, _)| values.iter().all(|(bound, _)| name != bound))
        .collect();
    let variables = plain.len() + values.len();
    let pointers = (arguments().len() + 1 + variables + 1) * size_of::<usize>();

    let bytes: usize = arguments().map(|text| text.len() + 1).sum::<usize>()
        + plain
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum::<usize>()
        + values
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum::<usize>();
    if pointers + bytes > region.len() {
        let what = "the command line with its variables".to_owned();
        return Err(too_long(what, region.len()));
    }
    region.lock(pointers + bytes);

    let mut writer = Writer {
        region,
        pointer: 0,
        text: pointers,
        whole: true,
    };
    for argument in arguments() {
        writer.string(&[argument]);
    }
    writer.end_of_array();
    let second = writer.pointer;
    for (name, value) in values {
        writer.string(&[name.as_bytes(), b"=", value]);
    }
    for (name, value) in plain {
        writer.string(&[name.as_bytes(), b"=", value.as_bytes()]);
    }
    writer.end_of_array();
    if !writer.whole {
        let what = "the command line with its variables".to_owned();
        return Err(too_long(what, IMAGE));
    }
    Ok(Offsets {
        arguments: 0,
        variables: u32::try_from(second).unwrap_or(u32::MAX),
    })
}

struct Writer<'a> {
    region: &'a mut SharedRegion,
    pointer: usize,
    text: usize,
    whole: bool,
}

impl Writer<'_> {
    fn string(&mut self, parts: &[&[u8]]) {
        let text = self.text;
        for part in parts {
            self.whole &= self.region.put(self.text, part);
            self.text += part.len();
        }
        self.whole &= self.region.put(self.text, &[0]);
        self.text += 1;
        self.push(text);
    }

    fn end_of_array(&mut self) {
        self.push(0);
    }

    /// An offset: where the region lies is another matter in each process.
    fn push(&mut self, text: usize) {
        self.whole &= self.region.put(self.pointer, &text.to_ne_bytes());
        self.pointer += size_of::<usize>();
    }
}
