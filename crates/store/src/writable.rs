//! A store open for writing.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::digest::Digest;
use crate::error::{Rejection, StoreError};
use crate::files::{AttemptFile, Filed, RecordFile};
use crate::fs::Filesystem;
use crate::index;
use crate::layout::{self, Layout, parent};
use crate::lock;
use crate::object::ObjectReader;
use crate::share::{self, Board, Runner, Sign, SignFile};
use crate::store::{self, Store};
use crate::trace::{self, ObjectSink};

/// A store open for writing: the only one, until it and every [`ObjectSink`] and journal made from it is dropped; or, where it was
/// [joined](Self::join_with), one of several.
///
/// Opening an existing store changes nothing in it; the first write signs the lock and sweeps `tmp/`.
#[derive(Debug)]
pub struct WritableStore {
    store: Store,
    pub(crate) shared: Arc<Shared>,
}

/// What everything that writes has in common. The lock lives here, so that it outlives them all.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) layout: Layout,
    pub(crate) fs: Arc<dyn Filesystem>,
    holder: String,
    begun: Mutex<bool>,
    temps: AtomicU64,
    /// The generation of the results that the run makes which is executed here: above the first one, they replace those that are there.
    pub(crate) least: AtomicU32,
    /// This process, where others may write at the same time.
    pub(crate) runner: Option<Runner>,
    _lock: Option<File>,
}

impl Deref for WritableStore {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

impl WritableStore {
    /// Opens the store at `path` for writing, and makes it first if there is none. `holder` is what others are told when
    /// they find it locked.
    ///
    /// # Errors
    /// When the directory holds other things, a newer program or another process has the store, or it cannot be written.
    pub fn open_with(path: &Path, holder: &str, fs: Arc<dyn Filesystem>) -> Result<Self, StoreError> {
        let (layout, new) = prepare(path, fs.as_ref())?;
        let lock = lock::take(fs.as_ref(), &layout)?;
        must_have_no_runner(&layout)?;
        Self::opened(layout, new, holder, fs, None, Some(lock))
    }

    /// Opens the store at `path` for running cells, while others do the same; makes it first if there is none. Others take this runner
    /// for dead when it has given no sign for `expires_after`; without a time, for as long as the file system needs.
    ///
    /// # Errors
    /// As for [`open_with`](Self::open_with), when somebody has the store alone.
    pub fn join_with(
        path: &Path,
        holder: &str,
        fs: Arc<dyn Filesystem>,
        expires_after: Option<Duration>,
    ) -> Result<Self, StoreError> {
        let (layout, new) = prepare(path, fs.as_ref())?;
        let lock = lock::take_shared(fs.as_ref(), &layout)?;
        let runner = Runner::new(path, expires_after);
        Self::opened(layout, new, holder, fs, Some(runner), lock)
    }

    fn opened(
        layout: Layout,
        new: bool,
        holder: &str,
        fs: Arc<dyn Filesystem>,
        runner: Option<Runner>,
        lock: Option<File>,
    ) -> Result<Self, StoreError> {
        let path = layout.root.clone();
        let holder = holder.to_owned();
        let (begun, temps, least) = (Mutex::new(false), AtomicU64::new(0), AtomicU32::new(0));
        let shared = Shared { layout, fs, holder, begun, temps, least, runner, _lock: lock };
        // Another process may have made the store before the lock was ours.
        if new && store::schema_of(&shared.layout)?.is_none() {
            let text = layout::store_toml(layout::FIRST_SCHEMA);
            shared.write_file(&shared.layout.store_toml(), text.as_bytes())?;
        }
        Ok(Self { store: Store::open(&path)?, shared: Arc::new(shared) })
    }

    /// A sink for the rows of a cell with `planned` requests, below a line of heads.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub fn sink(&self, planned: u64, heads: &str) -> Result<ObjectSink, StoreError> {
        ObjectSink::new(Arc::clone(&self.shared), planned, heads)
    }

    /// Writes an object from its uncompressed bytes, which must have the digest `expected`; returns how many they were.
    ///
    /// # Errors
    /// When they have another digest, cannot be read, or the object cannot be written.
    pub fn write_object(&self, expected: &Digest, bytes: &mut dyn Read) -> Result<u64, StoreError> {
        trace::write_object(&self.shared, expected, bytes)
    }

    /// Makes bytes an object, unless a sound one is there.
    ///
    /// # Errors
    /// When they have another digest, cannot be read, or the object cannot be written.
    pub fn keep_object(&self, digest: &Digest, bytes: &mut dyn Read) -> Result<(), StoreError> {
        let present = self.open_object(digest).and_then(ObjectReader::check).is_ok();
        if present { Ok(()) } else { self.write_object(digest, bytes).map(drop) }
    }

    /// Writes a record, in place of one of the same cell and origin. Where others run cells at the same time, a result that is there stays,
    /// unless the run that is executed here replaces it. Its objects come first.
    ///
    /// # Errors
    /// When an object is not in the store, or it cannot be written.
    pub fn write_record<R: RecordFile>(&self, record: &R) -> Result<(), StoreError> {
        self.write_record_of(record, self.shared.least.load(Ordering::Relaxed))
    }

    /// Writes a record in place of the one of the same cell and origin that was read. Of several runners that do so, the first one does.
    ///
    /// # Errors
    /// As for [`write_record`](Self::write_record).
    pub fn replace_record<R: RecordFile>(&self, record: &R) -> Result<(), StoreError> {
        let generation = self.generation(&record.key(), record.origin())?;
        self.write_record_of(record, generation.map_or(0, |generation| generation.saturating_add(1)))
    }

    fn write_record_of<R: RecordFile>(&self, record: &R, least: u32) -> Result<(), StoreError> {
        let filed = Filed::of(record);
        for object in record.objects() {
            if !self.shared.layout.object(&object.sha256).exists() {
                return Err(StoreError::Rejected(Rejection::NoObject { cell: filed.key }));
            }
        }
        let placed = self.shared.write_result(&record.to_bytes()?, |temp| {
            self.shared.ensure_dir(&self.shared.layout.cell(&filed.key))?;
            self.place_record(temp, &filed, least, false)
        })?;
        placed.map_or(Ok(()), |path| self.learn_record(&filed, &path))
    }

    /// Gives a file in `tmp/` the name of a cell's record, of this generation at least; the cell's folder is there, and where it is new it
    /// has no record yet. Where the file is now; nothing where another result stays.
    pub(crate) fn place_record(
        &self,
        temp: &Path,
        filed: &Filed,
        least: u32,
        is_new: bool,
    ) -> Result<Option<PathBuf>, StoreError> {
        let (shared, Filed { key, origin, .. }) = (self.shared.as_ref(), filed);
        if !self.is_joined() {
            let path = self.record_path(key, origin)?;
            return Ok(shared.place_result(temp, &path)?.then_some(path));
        }
        let generation = if is_new {
            least
        } else {
            let is_usable = |generation| self.is_usable(key, origin, generation);
            let target = share::target(shared, &shared.layout.cell(key), origin, least, is_usable)?;
            let Some(generation) = target else { return Ok(None) };
            generation
        };
        if generation > 0 {
            self.keep_generations()?;
        }
        let path = shared.layout.record_at(key, origin, generation);
        Ok(shared.place_result(temp, &path)?.then_some(path))
    }

    /// Makes the store one whose records may have generations, if it is not: programs that do not know them have to refuse it first.
    pub(crate) fn keep_generations(&self) -> Result<(), StoreError> {
        self.look_for_generations()?;
        if !self.has_generations() {
            self.upgrade()?;
        }
        Ok(())
    }

    /// Makes the store one of the newest schema. The schema that it had.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn upgrade(&self) -> Result<u32, StoreError> {
        let layout = &self.shared.layout;
        let before = store::schema_of(layout)?.unwrap_or(layout::FIRST_SCHEMA);
        if before < layout::SCHEMA {
            let text = share::store_toml(layout::SCHEMA, share::kept(layout)?.as_ref());
            self.shared.write_file(&layout.store_toml(), text.as_bytes())?;
        }
        self.look_for_generations()?;
        Ok(before)
    }

    /// Writes an attempt.
    ///
    /// # Errors
    /// When there is one of that name, or it cannot be written.
    pub fn write_attempt<A: AttemptFile>(&self, attempt: &A) -> Result<(), StoreError> {
        let path = self.shared.layout.attempt(attempt.id());
        if path.exists() {
            return Err(StoreError::Rejected(Rejection::AttemptExists(attempt.id().clone())));
        }
        let place = |temp: &Path| {
            self.shared.ensure_dir(parent(&path))?;
            Ok(self.shared.place_result(temp, &path)?.then(|| path.clone()))
        };
        match self.shared.write_result(&attempt.to_bytes()?, place)? {
            Some(_) => Ok(()),
            None => Err(StoreError::Rejected(Rejection::AttemptExists(attempt.id().clone()))),
        }
    }

    /// Removes what earlier writers left in `tmp/`, which the first write does too.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn sweep(&self) -> Result<(), StoreError> {
        self.shared.begin()
    }

    /// Ends a session. If it changed what the index should say, the index is written anew.
    ///
    /// # Errors
    /// When the index cannot be written; everything else is safe by then.
    pub fn close(self) -> Result<(), StoreError> {
        let begun = *self.shared.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begun && !self.store.learnt().is_empty() {
            let text = index::render(&self.store.merged_index());
            self.shared.write_file(&self.shared.layout.index(), text.as_bytes())?;
        }
        Ok(())
    }
}

impl Shared {
    /// Before the first change: signs the lock, and removes what earlier writers left in `tmp/`.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if *begun {
            return Ok(());
        }
        match &self.runner {
            None => {
                lock::sign(self.fs.as_ref(), &self.layout.lock(), &self.holder)?;
                // A runner of another machine may have come since the store was opened.
                if let Err(error) = must_have_no_runner(&self.layout) {
                    self.unsign();
                    return Err(error);
                }
                self.sweep()?;
            }
            Some(runner) => {
                runner.start(self, &self.holder)?;
                if let Some(holder) = runner.who_is_alone(self) {
                    runner.stop(self);
                    return Err(StoreError::Locked { path: self.layout.root.clone(), holder: Some(holder) });
                }
                self.ensure_dir(&self.folder_of_temps())?;
                share::sweep(self, &self.layout.tmp(), &self.layout.runners(), &runner.id)?;
            }
        }
        *begun = true;
        Ok(())
    }

    /// Takes the signature of the lock back. If that fails, the next writer overwrites it.
    fn unsign(&self) {
        let _ = self.fs.create(&self.layout.lock());
    }

    fn sweep(&self) -> Result<(), StoreError> {
        // Whoever opens a store alone has made sure that nobody has a sign that counts.
        for item in crate::listing::list(&self.layout.runners())? {
            Board::remove(self, &self.layout.runners().join(item.name))?;
        }
        let tmp = self.layout.tmp();
        let entries = match std::fs::read_dir(&tmp) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.ensure_dir(&tmp),
            Err(error) => return Err(StoreError::io("reading", &tmp, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| StoreError::io("reading", &tmp, error))?;
            let path = entry.path();
            let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if directory { self.fs.remove_dir_all(&path) } else { self.fs.remove_file(&path) };
            removed.map_err(|error| StoreError::io("removing", &path, error))?;
        }
        Ok(())
    }

    /// A name under `tmp/` that nobody else uses.
    pub(crate) fn temp(&self) -> PathBuf {
        self.folder_of_temps().join(format!("{:06}", self.temps.fetch_add(1, Ordering::Relaxed)))
    }

    /// The folder in which only this process writes.
    fn folder_of_temps(&self) -> PathBuf {
        match &self.runner {
            None => self.layout.tmp(),
            Some(runner) => self.layout.tmp().join(&runner.id),
        }
    }

    /// The name of this runner; empty where it is alone.
    pub(crate) fn runner_id(&self) -> String {
        self.runner.as_ref().map(|runner| runner.id.clone()).unwrap_or_default()
    }

    /// Gives a file in `tmp/` the name of a result; of several runners that do so, the first one does. Whether it did.
    pub(crate) fn place_result(&self, temp: &Path, path: &Path) -> Result<bool, StoreError> {
        match &self.runner {
            None => {
                let renamed = self.fs.rename(temp, path);
                renamed.map(|()| true).map_err(|error| StoreError::io("writing", path, error))
            }
            Some(_) => share::publish(self, temp, path),
        }
    }

    /// Writes the file of a result, which `place` gives its name. Where it is now; nothing where another one stays: of several runners, the
    /// first one does it.
    fn write_result(
        &self,
        bytes: &[u8],
        place: impl FnOnce(&Path) -> Result<Option<PathBuf>, StoreError>,
    ) -> Result<Option<PathBuf>, StoreError> {
        self.begin()?;
        let temp = self.temp();
        let written = self.write_synced(&temp, bytes).map_err(|error| StoreError::io("writing", &temp, error));
        let placed = written.and_then(|()| place(&temp));
        if placed.is_err() || self.runner.is_some() {
            // What cannot be removed is swept later.
            let _ = self.fs.remove_file(&temp);
        }
        let placed = placed?;
        if let Some(path) = &placed {
            self.sync_dir(parent(path))?;
        }
        Ok(placed)
    }

    /// Writes a whole file: under `tmp/`, synced, renamed.
    pub(crate) fn write_file(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        self.make_file(path, |temp| {
            self.write_synced(temp, bytes).map_err(|error| StoreError::io("writing", path, error))
        })
    }

    /// Makes a file of what `write` writes and syncs under another name.
    pub(crate) fn make_file(
        &self,
        path: &Path,
        write: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.begin()?;
        let temp = self.temp();
        let written = write(&temp).and_then(|()| {
            self.ensure_dir(parent(path))?;
            self.fs.rename(&temp, path).map_err(|error| StoreError::io("writing", path, error))
        });
        if written.is_err() {
            // A full disk should not stay full because of us; what cannot be removed is swept later.
            let _ = self.fs.remove_file(&temp);
        }
        written?;
        self.sync_dir(parent(path))
    }

    pub(crate) fn write_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.fs.create(path)?;
        file.write_all(bytes)?;
        file.sync()
    }

    /// Makes a directory of the store, and those above it, unless it is there.
    pub(crate) fn ensure_dir(&self, path: &Path) -> Result<(), StoreError> {
        make_dirs(self.fs.as_ref(), path)
    }

    /// The same for a directory that a power cut may take. Whether it was made here.
    pub(crate) fn ensure_dir_unsynced(&self, path: &Path) -> Result<bool, StoreError> {
        if path.is_dir() {
            return Ok(false);
        }
        self.ensure_dir_unsynced(parent(path))?;
        match self.fs.create_dir(path) {
            Ok(()) => Ok(true),
            // Another thread was faster.
            Err(_) if path.is_dir() => Ok(false),
            Err(error) => {
                store::must_lead_somewhere(path)?;
                Err(StoreError::io("creating", path, error))
            }
        }
    }

    pub(crate) fn sync_dir(&self, path: &Path) -> Result<(), StoreError> {
        self.fs.sync_dir(path).map_err(|error| StoreError::io("syncing", path, error))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if *self.begun.get_mut().unwrap_or_else(PoisonError::into_inner) {
            if let Some(runner) = &self.runner {
                runner.stop(self);
                return;
            }
            self.unsign();
        }
    }
}

/// Where the store is or will be, and whether it has to be made.
fn prepare(path: &Path, fs: &dyn Filesystem) -> Result<(Layout, bool), StoreError> {
    let layout = Layout { root: path.to_owned() };
    let new = store::schema_of(&layout)?.is_none();
    store::must_lead_somewhere(path)?;
    if new {
        may_become_a_store(&layout)?;
        make_dirs(fs, path)?;
    }
    must_be_together(&layout)?;
    Ok((layout, new))
}

/// Refuses a store in which a runner of another machine may live, whose lock need not be seen here.
fn must_have_no_runner(layout: &Layout) -> Result<(), StoreError> {
    let folder = layout.runners();
    // A clock that is wrong by less than a day does no harm.
    let now_ns = std::time::UNIX_EPOCH.elapsed().ok().map(|since| since.as_nanos());
    for item in crate::listing::list(&folder)? {
        if let Some(name) = item.file().filter(|name| name.ends_with(".json"))
            && let Sign::Seen { abandoned: false, .. } = share::look(&folder.join(name), now_ns)?
        {
            let sign = SignFile::read(&folder.join(name))?;
            return Err(StoreError::Locked { path: layout.root.clone(), holder: sign.map(|sign| sign.holder) });
        }
    }
    Ok(())
}

/// A directory may become a store if there is nothing in it but what an interrupted start left, and what may lie beside a
/// store.
fn may_become_a_store(layout: &Layout) -> Result<(), StoreError> {
    let not_a_store = || StoreError::NotAStore { path: layout.root.clone() };
    let entries = match std::fs::read_dir(&layout.root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(not_a_store()),
        Err(error) => return Err(StoreError::io("reading", &layout.root, error)),
    };
    for entry in entries {
        let name = entry.map_err(|error| StoreError::io("reading", &layout.root, error))?.file_name();
        let beside = name.to_str().is_some_and(layout::may_lie_beside);
        let begun = ["lock", "tmp", "runners", "claims"].iter().any(|known| name == *known);
        if !begun && !beside {
            return Err(not_a_store());
        }
    }
    Ok(())
}

/// Refuses a store whose folders cannot take what is moved into them: links to nothing, other file systems. Better before
/// anything is measured than after.
fn must_be_together(layout: &Layout) -> Result<(), StoreError> {
    let folders = [
        layout.tmp(),
        layout.objects(),
        layout.cells(),
        layout.attempts(),
        layout.runs(),
        layout.claims(),
        layout.runners(),
    ];
    for path in folders.iter().chain([&layout.lock(), &layout.index(), &layout.store_toml()]) {
        store::must_lead_somewhere(path)?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let device = |path: &Path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), mount(path)));
        let Some(from) = [layout.tmp(), layout.root.clone()].into_iter().find(|path| path.exists()) else {
            return Ok(());
        };
        let other = folders.into_iter().find(|path| device(path).is_some_and(|it| Some(it) != device(&from)));
        if let Some(path) = other {
            return Err(StoreError::OtherFilesystem { path, other: from });
        }
    }
    Ok(())
}

/// The mount that a path is on: nothing is renamed from one to another, even of the same file system. 0 where the system does not say.
#[cfg(target_os = "linux")]
fn mount(path: &Path) -> u64 {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).map_or(0, |found| found.stx_mnt_id)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn mount(_: &Path) -> u64 {
    0
}

fn make_dirs(fs: &dyn Filesystem, path: &Path) -> Result<(), StoreError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    store::must_lead_somewhere(path)?;
    let above = parent(path);
    if above != path {
        make_dirs(fs, above)?;
    }
    match fs.create_dir(path) {
        Ok(()) => {}
        // Another thread was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(StoreError::io("creating", path, error)),
    }
    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    fs.sync_dir(above).map_err(|error| StoreError::io("syncing", above, error))
}
