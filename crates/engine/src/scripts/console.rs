//! What a script says and asks.

use std::io::Write;
use std::os::fd::AsFd;

use subrosa_crypto::SecretBuf;
use subrosa_egress::Sensitive;
use subrosa_runner::{ConsoleSink, Hidden};
use subrosa_script::world::{Console, Given, Site, Typed, WorldError};

use super::{World, failed};

/// The longest line that is read, in bytes.
const LINE: usize = 1024 * 1024;

impl Console for World {
    fn write(&mut self, site: Site, text: Given<'_>) -> Result<(), WorldError> {
        match text {
            Given::Public(text) => {
                let written = self.out.write_all(text.as_bytes());
                written.map_err(|error| failed("say", error))
            }
            Given::Secret(value) => {
                let mut out = std::mem::replace(&mut self.out, Box::new(std::io::sink()));
                let said = self.hand_over(site, &[("text", value)], &mut ConsoleSink(&mut *out));
                self.out = out;
                said
            }
        }
    }

    fn read(&mut self, is_hidden: bool, is_secret: bool) -> Result<Option<Typed>, WorldError> {
        self.flush()?;
        let hidden = match is_hidden {
            true => Hidden::on(self.input.as_fd()),
            false => None,
        };
        let line = self.line();
        if hidden.is_some() {
            // The line end that was typed does not show either.
            let _ = self.out.write_all(b"\n");
            self.flush()?;
        }
        drop(hidden);
        let Some(line) = line? else {
            return Ok(None);
        };
        if is_secret {
            return Ok(Some(Typed::Secret(Sensitive::input(line))));
        }
        match std::str::from_utf8(line.as_slice()) {
            Ok(text) => Ok(Some(Typed::Public(text.to_owned()))),
            Err(_) => Err(failed("ask", "what was typed is no text in UTF-8")),
        }
    }

    fn warn(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}");
    }
}

impl World {
    /// One line, byte by byte: what is behind it is for whoever reads next, also a child.
    fn line(&self) -> Result<Option<SecretBuf>, WorldError> {
        let mut line = SecretBuf::with_capacity(256).map_err(|error| failed("ask", error))?;
        let mut is_end = true;
        let mut byte = [0];
        loop {
            match rustix::io::read(&self.input, &mut byte) {
                Ok(0) => break,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(failed("ask", error)),
                Ok(_) => is_end = false,
            }
            if byte[0] == b'\n' {
                break;
            }
            if line.len() == LINE {
                return Err(failed("ask", "the line is too long"));
            }
            line.extend(&byte).map_err(|error| failed("ask", error))?;
        }
        if line.as_slice().last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Ok((!is_end).then_some(line))
    }
}
