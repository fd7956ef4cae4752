//! Opening files of a store to be read. A store may come from anybody: what has the name of a file in it need not be one.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::StoreError;

/// What is wrong with something that has the name of a file.
pub(crate) const NOT_PLAIN: &str = "it is no plain file, but a pipe or a device";

/// Opens a file, or the one that a link leads to; nothing if there is none, or a folder.
///
/// # Errors
/// When it cannot be opened, or is no plain file: a pipe, for example, would keep its reader waiting.
pub(crate) fn open_plain(path: &Path) -> Result<Option<File>, StoreError> {
    let opened = open(path);
    let found = match &opened {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // A socket is not even opened.
        Err(_) => fs::metadata(path),
        Ok(file) => file.metadata(),
    };
    match (opened, found) {
        (Ok(_), Ok(found)) if found.is_dir() => Ok(None),
        (_, Ok(found)) if !found.is_file() && !found.is_dir() => Err(StoreError::damaged(path, NOT_PLAIN)),
        (Ok(file), Ok(_)) => Ok(Some(file)),
        (Err(error), _) | (_, Err(error)) => Err(StoreError::unreadable(path, error)),
    }
}

/// Opens what is there without waiting for anybody.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    match File::options().read(true).custom_flags(flags).open(path) {
        // A file that a server of files has promised to somebody: who has it gives it back in time.
        Err(error) if error.kind() == ErrorKind::WouldBlock && fs::metadata(path)?.is_file() => File::open(path),
        opened => opened,
    }
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::fs::symlink;
    use std::sync::Arc;

    use matrix_core::CellKey;
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;
    use crate::fs::RealFilesystem;
    use crate::generic::NoTraces;
    use crate::{AttemptId, Digest, Event, NewRun, Origin, Share, Store, VerifyOptions, WritableStore};

    /// Makes a pipe in a folder, which is made if need be.
    pub(crate) fn make_pipe(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    }

    #[test]
    fn what_is_behind_a_name_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "text").unwrap();
        fs::create_dir(path("folder")).unwrap();
        make_pipe(&path("pipe"));
        drop(std::os::unix::net::UnixListener::bind(path("socket")).unwrap());
        for (name, target) in [
            ("to file", "file"),
            ("to folder", "folder"),
            ("to pipe", "pipe"),
            ("to nothing", "absent"),
            ("to zeros", "/dev/zero"),
        ] {
            symlink(target, path(name)).unwrap();
        }
        for name in ["file", "to file"] {
            let file = open_plain(&path(name)).unwrap().unwrap();
            assert_eq!(io::read_to_string(file).unwrap(), "text");
        }
        for name in ["folder", "to folder", "absent", "to nothing"] {
            assert!(open_plain(&path(name)).unwrap().is_none(), "{name}");
        }
        for name in ["pipe", "to pipe", "socket", "to zeros"] {
            let error = open_plain(&path(name)).unwrap_err();
            assert!(matches!(&error, StoreError::Damaged { what, .. } if what == NOT_PLAIN), "{name}: {error}");
        }
    }

    /// What is said of a store by who looks at all of it.
    fn said_of(root: &Path, key: &CellKey, object: &Digest) -> Result<Vec<String>, StoreError> {
        let store = Store::open(root)?;
        let _ = (store.is_being_written(), store.writer());
        let report = store.verify::<NoTraces>(VerifyOptions { rows: true })?;
        let mut said: Vec<String> = report.faults.into_iter().map(|fault| fault.what).collect();
        let mut tell = |result: Result<(), StoreError>| said.extend(result.err().map(|error| error.to_string()));
        for id in store.all_runs()? {
            tell(store.run_documents(id.as_str()).map(drop));
            tell(
                store
                    .run(id.as_str())
                    .and_then(|run| run.write_journal(&mut io::sink()).and(store.progress_of(&run, false)))
                    .map(drop),
            );
        }
        tell(store.open_object(object).and_then(|object| object.check()).map(drop));
        tell(crate::object::has_its_size(&store.layout().object(object)).map(drop));
        tell(store.kept_beside("places.json").map(drop));
        tell(store.garbage().map(drop));
        tell(store.done(&[*key]).map(drop));
        Ok(said)
    }

    fn files_below(folder: &Path, found: &mut BTreeSet<std::path::PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_below(&path, found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn no_pipe_in_the_place_of_any_file_of_a_store_keeps_its_reader_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let key: CellKey = "ab".repeat(32).parse().unwrap();
        let attempt: AttemptId = format!("20261122T130000Z-{}-1", key.short()).parse().unwrap();
        // A runner at work: it has a sign, a claim and a journal of its own.
        let store = WritableStore::join_with(root, "test", Arc::new(RealFilesystem), None).unwrap();
        let new = NewRun { time: "20261122T130000Z", name: "test", experiment: b"", model: None, plan: b"{}" };
        let (run, journal, _) = store.join_run(&Digest::of(b"test"), &new, &[], &|_| Ok(true)).unwrap();
        let division = store.division(&run, &[(key, 0)], BTreeSet::new()).unwrap().unwrap();
        let Share::Cells(_) = division.next_share(&store).unwrap() else { panic!("nothing is left") };
        journal.append(&Event::Started { attempt: attempt.clone(), cell: key }).unwrap();
        let (layout, object) = (store.layout(), Digest::of(b""));
        let mut files = BTreeSet::new();
        files_below(root, &mut files);
        let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let begins = ["store.toml", "lock", "claims/", "runners/", "runs/"];
        assert!(begins.iter().all(|begin| files.iter().any(|file| name(file).starts_with(begin))), "{files:?}");
        files.extend([layout.object(&object), layout.record(&key, &Origin::default()), layout.attempt(&attempt)]);
        files.extend(["index", "places.json"].map(|name| root.join(name)));
        files.insert(layout.received());
        let aside = root.with_extension("aside");
        for folder in
            [layout.objects(), layout.cells(), layout.attempts(), layout.runs(), layout.claims(), layout.runners()]
        {
            let was_there = fs::rename(&folder, &aside).is_ok();
            make_pipe(&folder);
            let _ = said_of(root, &key, &object);
            fs::remove_file(&folder).unwrap();
            if was_there {
                fs::rename(&aside, &folder).unwrap();
            }
        }
        for file in files {
            let was_there = fs::rename(&file, &aside).is_ok();
            make_pipe(&file);
            let said = said_of(root, &key, &object).unwrap_or_else(|error| vec![error.to_string()]);
            // Nothing follows from the lock's text, the index and what is no sign; what a claim is for is read by who joins.
            let passed = ["lock", "index", "claims/", "runners/"];
            let is_read = !passed.iter().any(|begin| name(&file).starts_with(begin));
            assert!(!is_read || said.iter().any(|what| what.contains(NOT_PLAIN)), "{}: {said:?}", file.display());
            fs::remove_file(&file).unwrap();
            if was_there {
                fs::rename(&aside, &file).unwrap();
            }
        }
    }
}
