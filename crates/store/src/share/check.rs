//! Whether a place is fit for several runners: of those that create the same file, one may win.
//!
//! Creators are threads of one process, and Linux lets one machine make one change of a folder at a time: what is found is a place that lets a
//! file be overwritten. How a server decides between machines that ask at once, only runners on these machines show.

use std::path::Path;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::fs::{Filesystem, RealFilesystem};
use crate::layout::{self, Layout};
use crate::sealed::read_small;
use crate::writable::WritableStore;

/// Races at a check.
const ROUNDS: u32 = 20;
/// Creators in a race.
const CREATORS: u32 = 16;

/// What a check of a store found, as `store.toml` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedCheck {
    /// When, in UTC.
    pub at: String,
    /// How many threads tried to create each file.
    pub creators: u32,
    /// How many files.
    pub rounds: u32,
    /// How many files one creator made, as it should be.
    pub one_winner: u32,
}

impl SharedCheck {
    /// Whether runners may share the store.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        self.one_winner == self.rounds
    }
}

/// The bytes of `store.toml`, with what a check found.
pub(crate) fn store_toml(schema: u32, check: Option<&SharedCheck>) -> String {
    let first = layout::store_toml(schema);
    let Some(SharedCheck { at, creators, rounds, one_winner }) = check else { return first };
    format!(
        "{first}\n# What `matrix store check` found.\n[shared]\nat = \"{at}\"\ncreators = {creators}\nrounds = {rounds}\n\
         one_winner = {one_winner}\n"
    )
}

#[derive(Deserialize)]
struct Keeps {
    shared: SharedCheck,
}

/// What the last check of a store found, if there was one.
pub(crate) fn kept(layout: &Layout) -> Result<Option<SharedCheck>, StoreError> {
    let bytes = read_small(&layout.store_toml())?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    Ok(toml::from_str::<Keeps>(&text).ok().map(|keeps| keeps.shared))
}

impl WritableStore {
    /// Lets creators race for files of the store, and keeps what was found in `store.toml`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn check_sharing(&self) -> Result<SharedCheck, StoreError> {
        self.shared.begin()?;
        let folder = self.shared.temp();
        self.shared.ensure_dir(&folder)?;
        let raced = race(&RealFilesystem, &folder);
        // What cannot be removed is swept later.
        let _ = self.shared.fs.remove_dir_all(&folder);
        let check = SharedCheck {
            at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            creators: CREATORS,
            rounds: ROUNDS,
            one_winner: raced?,
        };
        // Runs get several journals from now on, which earlier programs would overlook.
        let text = store_toml(layout::SCHEMA, Some(&check));
        self.shared.write_file(&self.shared.layout.store_toml(), text.as_bytes())?;
        self.look_for_generations()?;
        Ok(check)
    }

    /// Checks a store that is shared for the first time.
    pub(crate) fn must_be_shareable(&self) -> Result<(), StoreError> {
        let layout = &self.shared.layout;
        let check = match kept(layout)? {
            Some(check) => check,
            None => self.check_sharing()?,
        };
        if check.is_fit() {
            return self.keep_generations();
        }
        let SharedCheck { rounds, one_winner, .. } = check;
        Err(StoreError::NotShareable { path: layout.root.clone(), rounds, one_winner })
    }
}

/// In how many rounds one creator won, and the file is what it wrote.
fn race(fs: &dyn Filesystem, folder: &Path) -> Result<u32, StoreError> {
    let fail = |error| StoreError::io("writing", folder, error);
    // Closed until every creator has written its own file.
    let gate = RwLock::new(());
    let mut good = 0;
    for round in 0..ROUNDS {
        let (winners, place) = (AtomicU32::new(0), folder.join(round.to_string()));
        let (writing, written) = channel::<()>();
        let raced: Result<Vec<()>, std::io::Error> = std::thread::scope(|scope| {
            let closed = gate.write();
            let creators: Vec<_> = (0..CREATORS)
                .map(|creator| {
                    let (gate, winners, place, writing) = (&gate, &winners, &place, writing.clone());
                    scope.spawn(move || {
                        let temp = folder.join(format!("{round}-{creator}"));
                        let written = std::fs::write(&temp, creator.to_string());
                        drop(writing);
                        drop(gate.read());
                        written?;
                        if fs.link(&temp, place)? {
                            winners.fetch_add(1, Ordering::SeqCst);
                        }
                        Ok(())
                    })
                })
                .collect();
            drop(writing);
            // Nothing is sent: this ends when nobody could send any more.
            let _ = written.recv();
            drop(closed);
            let ended = creators.into_iter().map(|creator| {
                creator.join().unwrap_or_else(|_| Err(std::io::Error::other("a creator ended by itself")))
            });
            ended.collect()
        });
        raced.map_err(fail)?;
        good += u32::from(winners.into_inner() == 1 && place.is_file());
    }
    Ok(good)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// A file system whose links take the place of what is there, as servers do that ignore the condition.
    #[derive(Debug)]
    struct LetsAllWin;

    impl Filesystem for LetsAllWin {
        fn link(&self, from: &Path, to: &Path) -> io::Result<bool> {
            self.rename(from, to).map(|()| true)
        }
    }

    #[test]
    fn one_creator_wins_and_a_place_where_several_do_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(race(&RealFilesystem, folder.path()).unwrap(), ROUNDS);
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(race(&LetsAllWin, folder.path()).unwrap(), 0);
    }

    #[test]
    fn what_was_found_is_kept_in_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::Store::create_or_open_for_writing(folder.path(), "test").unwrap();
        let found = store.check_sharing().unwrap();
        assert!(found.is_fit());
        assert_eq!(kept(&store.layout).unwrap(), Some(found));
        store.close().unwrap();
    }
}
