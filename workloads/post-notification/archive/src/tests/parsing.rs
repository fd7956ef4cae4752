//! Any bytes are read or refused, never a panic.

use proptest::prelude::*;

use super::fixture::{Fate, TestRun, archive, bundle};
use crate::parse;

/// Tries every parser.
fn all(bytes: &[u8]) {
    let _ = parse::parse_header(bytes);
    let _ = parse::parse_manifest(bytes);
    let _ = parse::parse_bag_info(bytes);
    let _ = parse::parse_cells(bytes);
    let _ = parse::parse_path(bytes);
    let _ = parse::parse_journal(bytes);
    let _ = parse::parse_signature(bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000), text in "[ -~\n]{0,300}") {
        all(&bytes);
        all(text.as_bytes());
        prop_assert!(!parse::parse_bundle(&bytes).unwrap().is_sound());
        prop_assert!(!parse::parse_archive(&bytes).unwrap().is_sound());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces of an archive cut out, doubled and moved: what a flipped bit does not reach.
    #[test]
    fn pieces_in_other_places(moves in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..600), 300)) {
        let plain = archive(&bundle(&TestRun::new(&[(0, Fate::Done(1)), (200, Fate::Failed)])));
        prop_assert!(parse::parse_archive(&plain).unwrap().is_sound());
        for (from, to, length) in moves {
            let from = from.index(plain.len() - length);
            let to = to.index(plain.len() - length);
            let piece = &plain[from..from + length];
            let mut copied = plain.clone();
            copied[to..to + length].copy_from_slice(piece);
            let mut inserted = plain.clone();
            inserted.splice(to..to, piece.iter().copied());
            let mut cut = plain.clone();
            cut.drain(from..from + length);
            for changed in [copied, inserted, cut] {
                prop_assert_eq!(parse::parse_archive(&changed).unwrap().is_sound(), changed == plain);
                all(&changed);
            }
        }
    }
}
