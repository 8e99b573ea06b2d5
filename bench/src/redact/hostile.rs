//! Texts that are made against whoever searches: from the needles themselves.

use super::chance::Chance;
use super::texts::Text;

/// Beginnings of needles, one behind the other.
#[derive(Debug)]
pub struct Glued {
    /// Where the pieces come from.
    pub needles: Vec<Vec<u8>>,
    /// Which and how much of each.
    pub chance: Chance,
}

impl Text for Glued {
    fn more(&mut self, out: &mut Vec<u8>) {
        for _ in 0..64 {
            let needle = &self.needles[self.chance.below(self.needles.len())];
            out.extend(&needle[..4 + self.chance.below(needle.len() - 4)]);
        }
        out.push(b'\n');
    }
}

/// Needles, each with its last byte changed.
#[derive(Debug)]
pub struct Near {
    /// What is nearly there.
    pub needles: Vec<Vec<u8>>,
    /// The order.
    pub chance: Chance,
}

impl Text for Near {
    fn more(&mut self, out: &mut Vec<u8>) {
        for _ in 0..64 {
            let needle = &self.needles[self.chance.below(self.needles.len())];
            out.extend(&needle[..needle.len() - 1]);
            // Another character of the same class: what counts characters cannot tell it apart.
            let last = needle[needle.len() - 1];
            out.push(match last {
                b'0'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => last + 1,
                b'9' => b'0',
                b'z' => b'a',
                b'Z' => b'A',
                other => other ^ 1,
            });
        }
        out.push(b'\n');
    }
}

/// Runs of the periods that the secrets have: seven break off before the shortest secret is there,
/// the eighth holds many.
#[derive(Debug)]
pub struct Periodic {
    /// What is repeated.
    pub periods: Vec<String>,
    /// Which, how often.
    pub chance: Chance,
}

impl Text for Periodic {
    fn more(&mut self, out: &mut Vec<u8>) {
        for number in 0..64 {
            let period = self.periods[self.chance.below(self.periods.len())].as_bytes();
            let start = self.chance.below(period.len());
            // The shortest secret has three periods.
            let length = match number % 8 {
                7 => 64 + self.chance.below(512),
                _ => 2 * period.len() + self.chance.below(period.len()),
            };
            out.extend(period.iter().cycle().skip(start).take(length));
        }
        out.push(b'\n');
    }
}
