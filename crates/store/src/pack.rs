//! Objects in one file, instead of a file for each.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use crate::digest::Digest;
use crate::error::StoreError;

/// Bytes that wait to be written together.
const BUFFER: usize = 1 << 20;

/// Objects that a store has besides those in its own folder: uncompressed, one after the other in one file. A bundle that is
/// verified has hundreds of thousands of small objects, and to create a file takes longer than to read what is in it.
#[derive(Debug)]
pub struct Pack {
    file: File,
    /// Where each object begins, and its number of bytes.
    places: HashMap<Digest, (u64, u32)>,
    written: u64,
    waiting: Vec<u8>,
}

impl Pack {
    /// A pack without objects, in a file that is empty and open for reading and writing.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self { file, places: HashMap::new(), written: 0, waiting: Vec::with_capacity(BUFFER) }
    }

    /// Adds an object from its uncompressed bytes, which must have this digest.
    ///
    /// # Errors
    /// When they have another digest, are 4 GiB or more, or cannot be written.
    pub fn add(&mut self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let found = Digest::of(bytes);
        if found != *digest {
            let what = format!("its uncompressed bytes have the digest {}", found.short());
            return Err(StoreError::damaged(Path::new(&digest.to_string()), what));
        }
        let Ok(length) = u32::try_from(bytes.len()) else {
            return Err(StoreError::damaged(Path::new(&digest.to_string()), "it is too large for a pack"));
        };
        if self.waiting.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        let start = self.written + self.waiting.len() as u64;
        self.waiting.extend_from_slice(bytes);
        self.places.insert(*digest, (start, length));
        Ok(())
    }

    /// Writes what waits. Until then, what was added last cannot be read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let written = self.file.write_all(&self.waiting);
        written.map_err(|error| StoreError::io("writing", Path::new("a temporary file of objects"), error))?;
        self.written += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// The bytes of an object, if it is here.
    pub(crate) fn bytes(&self, digest: &Digest) -> Option<io::Result<Vec<u8>>> {
        let &(start, length) = self.places.get(digest)?;
        let mut bytes = vec![0; length as usize];
        Some(read_at(&self.file, &mut bytes, start).map(|()| bytes))
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], start: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, start)
}

#[cfg(not(unix))]
fn read_at(file: &File, bytes: &mut [u8], start: u64) -> io::Result<()> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::error::ErrorKind;
    use crate::store::Store;

    #[test]
    fn a_store_reads_objects_of_its_pack_and_checks_them() {
        let folder = tempfile::tempdir().unwrap();
        Store::create_or_open_for_writing(folder.path(), "test").unwrap().close().unwrap();
        let texts: Vec<Vec<u8>> = (0..150).map(|n| format!("object {n}\n").repeat(n * 20).into_bytes()).collect();
        let mut file = tempfile::tempfile().unwrap();
        let mut pack = Pack::new(file.try_clone().unwrap());
        for text in &texts {
            pack.add(&Digest::of(text), text).unwrap();
        }
        assert!(pack.add(&Digest::of(b"a"), b"b").is_err());
        pack.flush().unwrap();
        let store = Store::open(folder.path()).unwrap().with_pack(pack);
        for text in &texts {
            let mut bytes = Vec::new();
            store.open_object(&Digest::of(text)).unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, *text);
        }
        assert!(store.open_object(&Digest::of(b"none")).is_err());

        io::Seek::seek(&mut file, io::SeekFrom::Start(0)).unwrap();
        file.write_all(b"x").unwrap();
        let first = store.open_object(&Digest::of(&texts[1])).unwrap();
        assert_eq!(first.check().unwrap_err().kind(), ErrorKind::Integrity);
    }
}
