//! The posts of one cell, as both regions see them. Content is counted, not kept.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use matrix_app::{LineageId, Micros, PostKey};
use siphasher::sip::SipHasher13;

/// A stored post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredPost {
    /// From when on the reader's region has it.
    pub(crate) visible_at: Micros,
    /// The lineage stored beside it.
    pub(crate) lineage: Option<LineageId>,
    /// Version id of the object, where there are versions.
    pub(crate) version: Option<u128>,
}

/// The end of the storage that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The writer's region: it has a post from its commit on.
    Writer,
    /// The reader's region.
    Reader,
}

/// The posts that somebody may still read.
#[derive(Debug)]
pub(crate) struct Posts {
    /// The last write of each key. Looked up, never iterated over.
    by_key: HashMap<PostKey, StoredPost, BuildHasherDefault<SipHasher13>>,
    /// Earlier writes of keys that were written again, in their order. In the course of a cell there are none.
    earlier: Vec<(PostKey, StoredPost)>,
    in_log_order: bool,
    latest: Micros,
}

impl Posts {
    pub(crate) fn new(in_log_order: bool, start: Micros) -> Self {
        Self { by_key: HashMap::default(), earlier: Vec::new(), in_log_order, latest: start }
    }

    /// Commits a post at `now`; it reaches the replica after `lag_us`, or after those committed before it.
    pub(crate) fn commit(
        &mut self,
        key: PostKey,
        lineage: Option<LineageId>,
        version: Option<u128>,
        now: Micros,
        lag_us: i64,
    ) {
        let mut visible_at = now + lag_us;
        if self.in_log_order {
            visible_at = visible_at.max(self.latest);
            self.latest = visible_at;
        }
        if let Some(before) = self.by_key.insert(key, StoredPost { visible_at, lineage, version }) {
            self.earlier.push((key, before));
        }
    }

    /// The writes of that key that an end has at `now`, the last one first: it is what a read finds there.
    pub(crate) fn at(&self, end: End, key: &str, now: Micros) -> impl Iterator<Item = &StoredPost> {
        let key = PostKey::parse(key);
        let last = key.and_then(|key| self.by_key.get(&key));
        let earlier = self.earlier.iter().rev().filter(move |(other, _)| Some(*other) == key).map(|(_, post)| post);
        last.into_iter().chain(earlier).filter(move |post| end == End::Writer || post.visible_at <= now)
    }

    /// Forgets a post and returns from when on its last write was visible.
    pub(crate) fn forget(&mut self, key: &PostKey) -> Option<Micros> {
        if !self.earlier.is_empty() {
            self.earlier.retain(|(other, _)| other != key);
        }
        self.by_key.remove(key).map(|post| post.visible_at)
    }

    /// The last write of that key: for tests that interfere with replication.
    #[cfg(test)]
    pub(super) fn last_mut(&mut self, key: &PostKey) -> Option<&mut StoredPost> {
        self.by_key.get_mut(key)
    }
}

/// A version id as the object store writes it: 32 characters.
pub(crate) fn version_text(version: u128) -> String {
    format!("{version:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(posts: &Posts, key: &str) -> i64 {
        posts.at(End::Writer, key, Micros(0)).next().unwrap().visible_at.0
    }

    #[test]
    fn a_log_keeps_commit_order_and_objects_do_not() {
        let [a, b] = ["0AAAAAAAAA", "1BBBBBBBBB"].map(|key| PostKey::parse(key).unwrap());
        for (in_log_order, expected) in [(true, 100), (false, 30)] {
            let mut posts = Posts::new(in_log_order, Micros(0));
            posts.commit(a, None, None, Micros(0), 100);
            posts.commit(b, None, None, Micros(10), 20);
            assert_eq!((visible(&posts, a.as_str()), visible(&posts, b.as_str())), (100, expected));
            assert_eq!(posts.forget(&a), Some(Micros(100)));
            assert_eq!(posts.at(End::Writer, a.as_str(), Micros(0)).next(), None);
        }
    }

    #[test]
    fn until_another_write_of_a_key_is_visible_the_one_before_it_is_found() {
        let key = PostKey::parse("0AAAAAAAAA").unwrap();
        let mut posts = Posts::new(false, Micros(0));
        posts.commit(key, None, Some(1), Micros(0), 10);
        posts.commit(key, None, Some(2), Micros(5), 20);
        let found =
            |end, now| -> Vec<_> { posts.at(end, key.as_str(), Micros(now)).filter_map(|post| post.version).collect() };
        assert_eq!((found(End::Writer, 5), found(End::Reader, 5)), (vec![2, 1], vec![]));
        assert_eq!((found(End::Reader, 24), found(End::Reader, 25)), (vec![1], vec![2, 1]));
        posts.forget(&key);
        assert_eq!(posts.at(End::Writer, key.as_str(), Micros(99)).next(), None);
    }
}
