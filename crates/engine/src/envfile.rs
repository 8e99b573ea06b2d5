//! A user's file that is changed in place: as a whole or not at all, and never over what somebody
//! else wrote meanwhile.
#![allow(
    clippy::disallowed_methods,
    reason = "changes the file of variables that the user names"
)]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, Stat, fchmod, fchown, fstat, openat, renameat,
    renameat_with, unlinkat,
};
use rustix::io::Errno;
use subrosa_crypto::{SecretBuf, ct_eq};

use crate::EngineError;

/// Longest file, in bytes.
pub(crate) const LENGTH_MAX: usize = 1024 * 1024;

/// What the new file is called until it takes the place of the old one.
pub(crate) const NEW: &str = ".subrosa-new";

/// A file as it was read.
pub(crate) struct EnvFile {
    what: String,
    folder: OwnedFd,
    name: OsString,
    stat: Stat,
    content: SecretBuf,
}

/// How far a change has come, for tests that end it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// The new file is whole, under its other name.
    Written,
    /// New and old have changed names.
    Exchanged,
}

impl EnvFile {
    /// Reads a file that may be changed: a regular one, ours, with one name.
    ///
    /// # Errors
    /// [`EngineError::EnvFile`] for any other, or one that is too long.
    pub(crate) fn open(path: &Path) -> Result<Self, EngineError> {
        let what = path.display().to_string();
        let Some(name) = path.file_name() else {
            return Err(refused(&what, "it is no file"));
        };
        let above = path.parent().filter(|above| !above.as_os_str().is_empty());
        let folder = openat(
            rustix::fs::CWD,
            above.unwrap_or(Path::new(".")),
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        );
        let folder = folder.map_err(|errno| failed(&what, errno))?;
        let (stat, content) = read(&folder, name, &what)?;
        Ok(Self {
            what,
            folder,
            name: name.to_owned(),
            stat,
            content,
        })
    }

    /// What was in it.
    pub(crate) fn content(&self) -> &SecretBuf {
        &self.content
    }

    /// Takes the content out, for one who hands it back in another form.
    pub(crate) fn copy(&self) -> Result<SecretBuf, EngineError> {
        Ok(SecretBuf::copy_from(self.content.as_slice())?)
    }

    /// Puts what `write` writes in its place; owner and permissions stay.
    ///
    /// # Errors
    /// What `write` gave; [`EngineError::EnvFile`] when the file is no longer what was read. Then
    /// it is as somebody else left it.
    pub(crate) fn replace(
        &self,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.replace_watched(write, &mut |_| Ok(()))
    }

    pub(crate) fn replace_watched(
        &self,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<(), EngineError>,
        reached: &mut dyn FnMut(Point) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut new = self.name.clone();
        new.push(NEW);
        let mut file = self.create(&new)?;
        let written = write(&mut file).and_then(|()| self.finish(&file));
        if let Err(error) = written {
            self.remove(&new)?;
            return Err(error);
        }
        reached(Point::Written)?;
        match self.exchange(&new) {
            Ok(()) => {}
            // Not every file system can: what is left open then is the moment between the two.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                if !self.is_same(&self.name)? {
                    self.remove(&new)?;
                    return Err(self.changed());
                }
                renameat(&self.folder, &new, &self.folder, &self.name)
                    .map_err(|errno| failed(&self.what, errno))?;
                return self.sync();
            }
            Err(errno) => {
                self.remove(&new)?;
                return Err(failed(&self.what, errno));
            }
        }
        reached(Point::Exchanged)?;
        // What has the other name now is what was replaced: it must be what was read.
        if !self.is_same(&new).unwrap_or(false) {
            self.exchange(&new)
                .map_err(|errno| failed(&self.what, errno))?;
            self.remove(&new)?;
            return Err(self.changed());
        }
        self.remove(&new)?;
        self.sync()
    }

    fn create(&self, new: &OsStr) -> Result<File, EngineError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        match openat(
            &self.folder,
            new,
            flags | OFlags::NOFOLLOW,
            Mode::RUSR | Mode::WUSR,
        ) {
            Ok(file) => Ok(File::from(file)),
            Err(Errno::EXIST) => Err(refused(
                &self.what,
                &format!(
                    "{} is there, left by a change that was cut short: compare the two, and remove it",
                    new.display()
                ),
            )),
            Err(errno) => Err(failed(&self.what, errno)),
        }
    }

    /// Gives the new file the old one's group and permissions, and makes it durable.
    fn finish(&self, file: &File) -> Result<(), EngineError> {
        let wrong = |errno: Errno| failed(&self.what, errno);
        let group = rustix::fs::Gid::from_raw(self.stat.st_gid);
        if fstat(file).map_err(wrong)?.st_gid != self.stat.st_gid {
            fchown(file, None, Some(group)).map_err(wrong)?;
        }
        fchmod(file, Mode::from_raw_mode(self.stat.st_mode & 0o7777)).map_err(wrong)?;
        file.sync_all()
            .map_err(EngineError::io(format!("{} cannot be written", self.what)))
    }

    fn exchange(&self, new: &OsStr) -> Result<(), Errno> {
        let folder = &self.folder;
        renameat_with(folder, new, folder, &self.name, RenameFlags::EXCHANGE)
    }

    fn is_same(&self, name: &OsStr) -> Result<bool, EngineError> {
        let (stat, content) = read(&self.folder, name, &self.what)?;
        Ok(stat.st_dev == self.stat.st_dev
            && stat.st_ino == self.stat.st_ino
            && ct_eq(content.as_slice(), self.content.as_slice()))
    }

    fn remove(&self, name: &OsStr) -> Result<(), EngineError> {
        unlinkat(&self.folder, name, AtFlags::empty()).map_err(|errno| failed(&self.what, errno))
    }

    fn sync(&self) -> Result<(), EngineError> {
        rustix::fs::fsync(&self.folder).map_err(|errno| failed(&self.what, errno))
    }

    fn changed(&self) -> EngineError {
        refused(
            &self.what,
            "somebody changed it meanwhile; it was left as it is now",
        )
    }
}

fn read(folder: &OwnedFd, name: &OsStr, what: &str) -> Result<(Stat, SecretBuf), EngineError> {
    // A pipe would be waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(folder, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP) => {
            return Err(refused(
                what,
                "it is a link; name the file that it leads to",
            ));
        }
        Err(errno) => return Err(failed(what, errno)),
    };
    let stat = fstat(&file).map_err(|errno| failed(what, errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(refused(what, "it is no regular file"));
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(refused(what, "it belongs to somebody else"));
    }
    if stat.st_nlink != 1 {
        return Err(refused(
            what,
            "it has other names (hard links), which would keep the old content",
        ));
    }
    let mut file = file;
    let content = SecretBuf::read_to_end(&mut file, LENGTH_MAX)?;
    Ok((stat, content))
}

fn refused(what: &str, reason: &str) -> EngineError {
    EngineError::EnvFile {
        what: what.to_owned(),
        reason: reason.to_owned(),
    }
}

fn failed(what: &str, errno: Errno) -> EngineError {
    EngineError::io(format!("{what} cannot be changed"))(errno.into())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const OLD: &str = "A=old\n";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".env"), OLD).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn put(out: &mut dyn Write) -> Result<(), EngineError> {
        out.write_all(b"A=new\n").map_err(EngineError::io("test"))
    }

    fn reason(result: Result<(), EngineError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode() {
        let folder = folder();
        let path = folder.path().join(".env");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        EnvFile::open(&path).unwrap().replace(&mut put).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=new\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
        assert_eq!(names(folder.path()), [".env"]);
    }

    #[test]
    fn what_is_no_file_of_ours_alone_is_refused() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        symlink(".env", at("link")).unwrap();
        fs::hard_link(at(".env"), at("other")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        for (name, said) in [
            ("link", "a link"),
            ("other", "hard links"),
            ("folder", "no regular file"),
            ("pipe", "no regular file"),
            ("none", "cannot be changed"),
        ] {
            let error = EnvFile::open(&at(name)).map(drop);
            assert!(reason(error).contains(said), "{name}");
        }
        fs::write(at("long"), vec![b'#'; LENGTH_MAX + 1]).unwrap();
        assert!(EnvFile::open(&at("long")).is_err());
        assert_eq!(fs::read_to_string(at(".env")).unwrap(), OLD);
    }

    /// Changed before the exchange: in place, by another file, by a link, by nothing.
    #[test]
    fn what_somebody_wrote_meanwhile_stays() {
        type Attack = fn(&Path);
        let attacks: [(Attack, Option<&str>); 4] = [
            (
                |path| fs::write(path, "A=theirs\n").unwrap(),
                Some("A=theirs\n"),
            ),
            (
                |path| {
                    fs::write(path.with_extension("x"), OLD).unwrap();
                    fs::rename(path.with_extension("x"), path).unwrap();
                },
                Some(OLD),
            ),
            (
                |path| {
                    let aside = path.with_file_name("aside");
                    fs::rename(path, &aside).unwrap();
                    symlink(&aside, path).unwrap();
                },
                Some(OLD),
            ),
            (|path| fs::remove_file(path).unwrap(), None),
        ];
        for (attack, left) in attacks {
            let folder = folder();
            let path = folder.path().join(".env");
            let file = EnvFile::open(&path).unwrap();
            let outcome = file.replace_watched(&mut put, &mut |point| {
                if point == Point::Written {
                    attack(&path);
                }
                Ok(())
            });
            assert!(outcome.is_err());
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), left);
            assert!(!names(folder.path()).iter().any(|name| name.ends_with(NEW)));
        }
    }

    #[test]
    fn a_write_that_fails_leaves_nothing() {
        let folder = folder();
        let path = folder.path().join(".env");
        let outcome = EnvFile::open(&path).unwrap().replace(&mut |out| {
            put(out)?;
            Err(EngineError::usage("no"))
        });
        assert_eq!(reason(outcome), "no");
        assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
        assert_eq!(names(folder.path()), [".env"]);
    }

    /// Ended at each point: the file is the old or the new one, whole, and the next change says what
    /// is left.
    #[test]
    fn whoever_is_killed_leaves_a_whole_file() {
        for (ended, content, other) in [
            (Point::Written, OLD, "A=new\n"),
            (Point::Exchanged, "A=new\n", OLD),
        ] {
            let folder = folder();
            let path = folder.path().join(".env");
            let outcome = EnvFile::open(&path)
                .unwrap()
                .replace_watched(&mut put, &mut |point| match point == ended {
                    true => Err(EngineError::usage("killed")),
                    false => Ok(()),
                });
            assert_eq!(reason(outcome), "killed");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            let left = folder.path().join(".env.subrosa-new");
            assert_eq!(fs::read_to_string(&left).unwrap(), other);
            let again = EnvFile::open(&path).unwrap().replace(&mut put);
            assert!(reason(again).contains(".env.subrosa-new is there"));
        }
    }
}
