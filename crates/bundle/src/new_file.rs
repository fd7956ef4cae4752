//! A file that appears whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::error::BundleError;
use crate::temporary;

/// Bytes after which the disk begins to take what was written, beside the making of more.
const SYNC_BYTES: usize = 8 << 20;

/// Writes a file whole or not at all.
pub fn whole_file<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, BundleError>,
) -> Result<T, BundleError> {
    let doing = || BundleError::io(format!("writing {}", path.display()));
    let naming = || BundleError::path(format!("writing {}", path.display()));
    if path.is_dir() {
        return Err(naming()(io::ErrorKind::IsADirectory.into()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(naming())?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bundle-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temp = builder.tempfile_in(folder).map_err(naming())?;
    temporary::list_file(temp.path());
    let file = temp.as_file();
    let (written, synced) = thread::scope(|scope| {
        let (tell, told) = sync_channel(1);
        let syncing = scope.spawn(move || sync_when_told(file, &told));
        let mut out = BufWriter::with_capacity(256 << 10, Telling { file, tell, bytes: 0 });
        let value = write(&mut out).and_then(|value| out.flush().map_err(doing()).map(|()| value));
        drop(out);
        (value, syncing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let value = written?;
    synced.and_then(|()| file.sync_all()).map_err(doing())?;
    temp.persist(path).map_err(|error| naming()(error.error))?;
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(doing())?;
    }
    Ok(value)
}

/// Syncs a file whenever there is more to sync. What the disk refuses is told once, and not again by later syncs.
fn sync_when_told(file: &File, told: &Receiver<()>) -> io::Result<()> {
    told.iter().try_for_each(|()| file.sync_data())
}

/// Writes a file, and tells whenever there is much to sync.
struct Telling<'a> {
    file: &'a File,
    tell: SyncSender<()>,
    bytes: usize,
}

impl Write for Telling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.bytes += count;
        if self.bytes >= SYNC_BYTES {
            self.bytes = 0;
            // Whoever syncs is busy, or has failed, which is told at the end.
            let _ = self.tell.try_send(());
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
