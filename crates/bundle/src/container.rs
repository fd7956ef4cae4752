//! A bag from its files to the bytes of a bundle, whatever workload they are of.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::num::NonZeroU32;

use matrix_store::{Digest, Store, parallel};

use crate::bag::{
    BAG_INFO, BAGIT, DECLARATION, MANIFEST, TAG_FILES, TAG_MANIFEST, render_info, render_manifest, tag_manifest,
};
use crate::compress::{compressor, finish};
use crate::error::BundleError;
use crate::item::{Content, Item, Items};
use crate::packed::digest_of;
use crate::tar::TarWriter;
use crate::{ahead, path, tar};

/// The same map in less memory: the nodes of one that was filled in the order of its keys are half empty.
#[must_use]
pub fn dense<K: Ord, V>(map: BTreeMap<K, V>) -> BTreeMap<K, V> {
    map.into_iter().collect()
}

/// All files of a bundle, in the order in which they stand in it.
#[derive(Debug)]
pub struct Container<'a> {
    folder: String,
    /// The bag's own files but for the manifest, which is long and is made again when it is written.
    tags: BTreeMap<&'static str, Vec<u8>>,
    manifest_bytes: u64,
    items: Items<'a>,
}

/// The manifest's lines.
fn manifest<'i>(items: &'i Items<'_>) -> impl Iterator<Item = String> + 'i {
    items.iter().map(|(path, item)| render_manifest([(path.as_str(), item.digest)]))
}

/// Lines as a stream.
struct Lines<I> {
    lines: I,
    line: Vec<u8>,
    at: usize,
}

impl<I: Iterator<Item = String>> Read for Lines<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            (self.line, self.at) = (self.lines.next().unwrap_or_default().into_bytes(), 0);
        }
        let count = (&self.line[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

impl<'a> Container<'a> {
    /// A bag of these files in a folder. `info` is what is said of the bag.
    ///
    /// # Errors
    /// When a file cannot be in a bundle.
    pub fn new(folder: String, info: &BTreeMap<&'static str, String>, items: Items<'a>) -> Result<Self, BundleError> {
        let fits = |(name, item): (&String, &Item<'_>)| {
            let full = format!("{folder}/{name}");
            path::parse(full.as_bytes()).and_then(|full| tar::fits(full, item.size))
        };
        let (collision, (fitting, hashed)) = parallel::beside(
            || path::collisions(items.keys().map(String::as_str)),
            || {
                let hashed = digest_of(|out| manifest(&items).try_for_each(|line| out.write_all(line.as_bytes())));
                (parallel::each(&items, |file| fits(file).is_ok()), hashed)
            },
        );
        for (file, _) in items.iter().zip(fitting).filter(|(_, fits)| !fits) {
            fits(file).map_err(|why| BundleError::Unfit { path: file.0.clone(), why })?;
        }
        collision.map_err(|(path, why)| BundleError::Unfit { path: path.to_owned(), why })?;
        let (digest, manifest_bytes) = hashed.map_err(BundleError::io("hashing the manifest"))?;
        let mut tags =
            BTreeMap::from([(BAGIT, DECLARATION.as_bytes().to_vec()), (BAG_INFO, render_info(info).into_bytes())]);
        let digests = tags.iter().map(|(name, bytes)| (*name, Digest::of(bytes)));
        let last = tag_manifest(digests.chain([(MANIFEST, digest)]));
        tags.insert(TAG_MANIFEST, last.into_bytes());
        Ok(Self { folder, tags, manifest_bytes, items })
    }

    /// The bag's folder.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Files of the payload.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.items.len() as u64
    }

    /// Objects among them.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.items.values().filter(|item| matches!(item.content, Content::Object)).count() as u64
    }

    /// Bytes of the payload.
    #[must_use]
    pub fn payload_bytes(&self) -> u64 {
        self.items.values().fold(0, |all, item| all.saturating_add(item.size))
    }

    /// Writes the bundle, whose objects are in `store`; returns its digest and its bytes. `workers` threads compress, as many
    /// as there are processors if none are named; the bytes are the same.
    ///
    /// # Errors
    /// When an object is damaged, or `out` fails.
    pub fn write(
        &self,
        store: &Store,
        workers: Option<NonZeroU32>,
        out: impl Write,
    ) -> Result<(Digest, u64), BundleError> {
        let available = || std::thread::available_parallelism().ok().and_then(|cpus| u32::try_from(cpus.get()).ok());
        let workers = workers.map(NonZeroU32::get).or_else(available).unwrap_or(1);
        let writing = || BundleError::io("writing the bundle");
        let mut tar = TarWriter::new(compressor(out, workers)?);
        for name in TAG_FILES {
            let path = format!("{}/{name}", self.folder);
            if let Some(bytes) = self.tags.get(name) {
                tar.append(&path, bytes.len() as u64, bytes.as_slice())?;
            } else {
                let lines = Lines { lines: manifest(&self.items), line: Vec::new(), at: 0 };
                tar.append(&path, self.manifest_bytes, lines)?;
            }
        }
        ahead::with_reader(store, self.items.values(), |ahead| {
            for (path, item) in &self.items {
                let path = format!("{}/{path}", self.folder);
                match &item.content {
                    Content::Bytes(bytes) => tar.append(&path, item.size, bytes.as_slice())?,
                    Content::Borrowed(bytes) => tar.append(&path, item.size, *bytes)?,
                    Content::Packed(text) => tar.append(&path, item.size, text.open().map_err(writing())?)?,
                    Content::Made(_) | Content::Object => tar.append(&path, item.size, ahead.next(item))?,
                    Content::Binary(binary) => tar.append(&path, item.size, binary.open()?)?,
                }
            }
            Ok(())
        })?;
        let (_, sha256, bytes) = finish(tar.finish().map_err(writing())?).map_err(writing())?;
        Ok((sha256, bytes))
    }
}
