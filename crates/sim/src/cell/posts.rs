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

/// The posts that somebody may still read.
#[derive(Debug)]
pub(crate) struct Posts {
    /// Looked up, never iterated over.
    by_key: HashMap<PostKey, StoredPost, BuildHasherDefault<SipHasher13>>,
    in_log_order: bool,
    latest: Micros,
}

impl Posts {
    pub(crate) fn new(in_log_order: bool, start: Micros) -> Self {
        Self { by_key: HashMap::default(), in_log_order, latest: start }
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
        self.by_key.insert(key, StoredPost { visible_at, lineage, version });
    }

    /// The post of that key, whether it is visible yet or not.
    pub(crate) fn get(&self, key: &str) -> Option<&StoredPost> {
        self.by_key.get(&PostKey::parse(key)?)
    }

    /// Forgets a post and says from when on it was visible.
    pub(crate) fn forget(&mut self, key: &PostKey) -> Option<Micros> {
        self.by_key.remove(key).map(|post| post.visible_at)
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
        posts.get(key).unwrap().visible_at.0
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
            assert_eq!(posts.get(a.as_str()), None);
        }
    }
}
