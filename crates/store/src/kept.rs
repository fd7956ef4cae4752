//! Small objects that are kept in memory as their files have them, from one reading to the next one: to open a file takes longer than to
//! decompress what is in a small one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::digest::Digest;

/// Compressed objects, each until it is read again.
#[derive(Debug)]
pub(crate) struct Kept(Mutex<Frames>);

#[derive(Debug)]
struct Frames {
    /// Bytes that there still is room for.
    left: usize,
    frames: HashMap<Digest, Box<[u8]>>,
}

impl Kept {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Mutex::new(Frames { left: bytes, frames: HashMap::new() }))
    }

    /// Keeps an object, if there is room for it.
    pub(crate) fn put(&self, digest: Digest, frame: &[u8]) {
        let mut this = self.lock();
        if let Some(left) = this.left.checked_sub(frame.len()) {
            this.left = left;
            this.frames.insert(digest, frame.into());
        }
    }

    /// An object that was kept. Its room is not given to another one, which would go before it is read again.
    pub(crate) fn take(&self, digest: &Digest) -> Option<Box<[u8]>> {
        self.lock().frames.remove(digest)
    }

    fn lock(&self) -> MutexGuard<'_, Frames> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::Store;

    #[test]
    fn a_small_object_is_kept_until_it_is_read_again_as_far_as_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open_for_writing(folder.path(), "a test").unwrap();
        let texts = ["one", "two", "three"];
        let digests: Vec<Digest> = texts.iter().map(|text| Digest::of(text.as_bytes())).collect();
        for (digest, text) in digests.iter().zip(texts) {
            store.keep_object(digest, &mut text.as_bytes()).unwrap();
        }
        store.close().unwrap();
        let size =
            |digest| std::fs::metadata(Store::open(folder.path()).unwrap().layout().object(digest)).unwrap().len();
        let store =
            Store::open(folder.path()).unwrap().keeping_small_objects((size(&digests[0]) + size(&digests[1])) as usize);
        let read = |digest: &Digest| {
            let mut text = String::new();
            store.open_object(digest)?.read_to_string(&mut text).map(|_| text).map_err(crate::StoreError::from_read)
        };
        let all = || digests.iter().map(|digest| read(digest).ok()).collect::<Vec<_>>();
        assert_eq!(all(), texts.map(|text| Some(text.to_owned())));
        std::fs::remove_dir_all(folder.path().join("objects")).unwrap();
        assert_eq!(all(), [Some("one".to_owned()), Some("two".to_owned()), None]);
        assert_eq!(all(), [None, None, None]);
    }
}
