//! Values that stand in the texts, and whether they are still there behind a program.

use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader, Read};

use memchr::memmem;

use super::Result;
use super::secrets::{Needles, torn};

/// How the line of a plant begins; its number follows.
const LABEL: &[u8] = b"plant:";
/// Every so many plants one is torn.
const TORN: usize = 8;
/// Goes through the needles so that neighbours differ in secret and form.
const STRIDE: usize = 21;

/// What is planted, by number.
#[derive(Debug)]
pub struct Plants {
    secrets: Vec<String>,
    needles: Needles,
}

/// One value that was planted.
#[derive(Debug)]
pub struct Plant {
    /// As it stands in the text.
    pub bytes: Vec<u8>,
    /// The number of the secret.
    pub owner: usize,
    /// Whether something stands inside it, so that only the folded view finds it.
    pub is_torn: bool,
}

impl Plants {
    /// The plants of these secrets.
    #[must_use]
    pub fn of(secrets: &[String]) -> Self {
        Self {
            secrets: secrets.to_vec(),
            needles: Needles::of(secrets),
        }
    }

    /// The plant of a number.
    #[must_use]
    pub fn plant(&self, number: usize) -> Plant {
        if number % TORN == TORN - 1 {
            let owner = number / TORN % self.secrets.len();
            return Plant {
                bytes: torn(&self.secrets[owner], number / TORN),
                owner,
                is_torn: true,
            };
        }
        let at = number * STRIDE % self.needles.needles.len();
        Plant {
            bytes: self.needles.needles[at].clone(),
            owner: self.needles.owners[at],
            is_torn: false,
        }
    }

    /// Appends the line of a plant.
    pub fn set(&self, number: usize, out: &mut Vec<u8>) {
        out.push(b'\n');
        out.extend(LABEL);
        out.extend(format!("{number}: \"").into_bytes());
        out.extend(self.plant(number).bytes);
        out.extend(b"\"\n");
    }
}

/// What a text holds: its plants, and everything else as one number.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The numbers of the plants whose lines are there, and whether the value is still in it.
    pub plants: Vec<(usize, bool)>,
    /// The lines of no plant, hashed.
    pub rest: u64,
}

impl Seen {
    /// Reads a text to its end.
    ///
    /// # Errors
    /// What reading gave.
    pub fn of(text: impl Read, plants: &Plants) -> Result<Self> {
        let mut reader = BufReader::with_capacity(1 << 20, text);
        let mut seen = Self::default();
        let mut rest = DefaultHasher::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let Some(number) = number(&line) else {
                rest.write(&line);
                continue;
            };
            let value = plants.plant(number).bytes;
            let stands = memmem::find(&line, &value).is_some();
            seen.plants.push((number, stands));
        }
        seen.rest = rest.finish();
        Ok(seen)
    }
}

/// The number of the plant whose line this is.
fn number(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(LABEL)?;
    let end = rest.iter().position(|byte| *byte == b':')?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}

/// What became of the plants behind a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Plants that it was told to find.
    pub planted: usize,
    /// Those that are still there, or whose line is gone.
    pub missing: usize,
    /// Whether all other lines are as they were.
    pub is_rest_same: bool,
}

/// Compares what a program wrote with what it read.
///
/// `known` tells whether a program was told to find a plant.
#[must_use]
pub fn checked(input: &Seen, output: &Seen, known: impl Fn(usize) -> bool) -> Checked {
    // The end of a text may cut a plant: then it proves nothing.
    let whole = input.plants.iter().filter(|(_, stands)| *stands);
    let numbers = whole.map(|(number, _)| *number);
    let told: Vec<usize> = numbers.filter(|number| known(*number)).collect();
    let is_masked = |number: &usize| output.plants.contains(&(*number, false));
    Checked {
        planted: told.len(),
        missing: told.iter().filter(|number| !is_masked(number)).count(),
        is_rest_same: input.rest == output.rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plants() -> Plants {
        Plants::of(&super::super::secrets::secrets(4))
    }

    fn text(plants: &Plants) -> Vec<u8> {
        let mut text = b"first\n".to_vec();
        (0..16).for_each(|number| plants.set(number, &mut text));
        text
    }

    #[test]
    fn what_nobody_masked_is_missing() {
        let plants = plants();
        let input = Seen::of(&text(&plants)[..], &plants).expect("read");
        assert_eq!(input.plants.len(), 16);
        assert!(input.plants.iter().all(|(_, stands)| *stands));
        let told = checked(&input, &input, |_| true);
        assert_eq!((told.planted, told.missing), (16, 16));
        assert!(told.is_rest_same);
    }

    #[test]
    fn a_mask_and_a_change_beside_it_are_told_apart() {
        let plants = plants();
        let text = text(&plants);
        let input = Seen::of(&text[..], &plants).expect("read");
        let value = plants.plant(3).bytes;
        let at = memmem::find(&text, &value).expect("planted");
        let mut masked = text.clone();
        masked.splice(at..at + value.len(), *b"[REDACTED]");
        let output = Seen::of(&masked[..], &plants).expect("read");
        let told = checked(&input, &output, |number| number == 3 || number == 4);
        assert_eq!(
            (told.planted, told.missing, told.is_rest_same),
            (2, 1, true)
        );
        masked[0] = b'F';
        let output = Seen::of(&masked[..], &plants).expect("read");
        assert!(!checked(&input, &output, |_| true).is_rest_same);
    }
}
