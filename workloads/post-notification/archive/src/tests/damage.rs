//! Damage is found: any bit.

use std::io::Cursor;

use matrix_bundle::Limits;
use proptest::prelude::*;

use super::fixture::{Fate, TestRun, archive, bundle};
use crate::VerifyOptions;
use crate::verify::verify_input;

fn is_sound(bytes: Vec<u8>, quick: bool) -> bool {
    verify_input(Cursor::new(bytes), Limits::default(), VerifyOptions { rows: !quick }).unwrap().is_sound()
}

fn small() -> Vec<u8> {
    bundle(&TestRun::new(&[(0, Fate::Done(1)), (100, Fate::Done(2)), (200, Fate::Failed)]))
}

/// Every byte of a bundle, a bit of each: found, unless it decompresses to the same bytes.
#[test]
fn any_flipped_bit_is_found() {
    let bytes = small();
    assert!(is_sound(bytes.clone(), true));
    let plain = archive(&bytes);
    let mut unchanged = 0;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        // Another bit of each byte, and all eight of the first and last ones, where formats have their spare bits.
        let bits = if at < 64 || at + 64 > bytes.len() { 0..8 } else { at % 8..at % 8 + 1 };
        for bit in bits {
            flipped[at] ^= 1 << bit;
            if is_sound(flipped.clone(), true) {
                assert!(zstd::decode_all(flipped.as_slice()).unwrap() == plain, "bit {bit} of byte {at}");
                unchanged += 1;
            }
            flipped[at] ^= 1 << bit;
        }
    }
    assert!(unchanged * 100 < bytes.len(), "{unchanged} spare bits");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    /// A bit of what a bundle decompresses to, where the compression hides nothing.
    #[test]
    fn any_flipped_bit_of_the_archive_is_found(seeds in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 500)) {
        let plain = archive(&small());
        for (at, bit) in seeds {
            let mut flipped = plain.clone();
            flipped[at.index(plain.len())] ^= 1 << bit;
            prop_assert!(!is_sound(super::fixture::compress(&flipped), true), "bit {} of byte {}", bit, at.index(plain.len()));
        }
    }

    #[test]
    fn a_bundle_cut_or_continued_is_refused(cuts in prop::collection::vec(any::<prop::sample::Index>(), 100), more in prop::collection::vec(any::<u8>(), 1..40)) {
        let bytes = small();
        for cut in cuts {
            prop_assert!(!is_sound(bytes[..cut.index(bytes.len())].to_vec(), true));
        }
        prop_assert!(!is_sound([bytes.as_slice(), &more].concat(), true));
        let plain = archive(&bytes);
        prop_assert!(!is_sound(super::fixture::compress(&[plain.as_slice(), &more].concat()), true));
        prop_assert!(!is_sound([bytes.as_slice(), &bytes].concat(), true));
    }
}
