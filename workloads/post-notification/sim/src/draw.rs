//! Randomness with an address.

use matrix_plan::CellKey;
use siphasher::sip::SipHasher13;

/// What a draw is for. With the request's number and an index it is the draw's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Letters of the post's key.
    Key = 1,
    /// Identity of the lineage; index 0 and 1 are its halves.
    Lineage = 2,
    /// Version id of the object (s3); index 0 and 1 are its halves.
    Version = 3,
    /// The way from the client to the writer's function.
    LegOut = 4,
    /// The way back.
    LegBack = 5,
    /// Start of the writer's function.
    WriterStart = 6,
    /// Start of the reader's function.
    ReaderStart = 7,
    /// Writing the post.
    Write = 8,
    /// Replicating the post.
    Lag = 9,
    /// Publishing the notification.
    Publish = 10,
    /// Replicating the notification's item (DynamoDB).
    ItemLag = 11,
    /// Triggering the reader.
    Trigger = 12,
    /// The lane (shard) that a notification belongs to.
    Lane = 13,
    /// A poll of the barrier; the index counts the request's polls.
    Poll = 14,
    /// Reading the post.
    Read = 15,
    /// Transferring the post to the reader.
    Transfer = 16,
}

/// The random streams of a cell: a keyed pseudo-random function from addresses to uniform 64-bit numbers, so that no draw
/// depends on when, or whether, another one is made.
#[derive(Clone, Copy, Debug)]
pub struct Draws(SipHasher13);

impl Draws {
    /// The streams that `key` names. An on/off pair of cells shares its key.
    #[must_use]
    pub fn new(key: &CellKey) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&key.as_bytes()[..16]);
        Self(SipHasher13::new_with_key(&half))
    }

    /// The draw at an address.
    #[must_use]
    pub fn at(&self, i: u64, purpose: Purpose, index: u32) -> u64 {
        let mut address = [0; 16];
        address[..8].copy_from_slice(&i.to_le_bytes());
        address[8..12].copy_from_slice(&(purpose as u32).to_le_bytes());
        address[12..].copy_from_slice(&index.to_le_bytes());
        self.0.hash(&address)
    }

    /// The 128-bit draw at an address: indices 0 and 1.
    #[must_use]
    pub fn wide(&self, i: u64, purpose: Purpose) -> u128 {
        u128::from(self.at(i, purpose, 0)) << 64 | u128::from(self.at(i, purpose, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn draws_do_not_change_between_versions() {
        let draws = Draws::new(&CellKey::of(b"a cell"));
        insta::assert_snapshot!(format!(
            "{:016x} {:032x}",
            draws.at(7, Purpose::Write, 0),
            draws.wide(7, Purpose::Lineage)
        ));
    }

    proptest! {
        #[test]
        fn every_part_of_the_address_matters(i in 0u64..1000, index in 0u32..1000) {
            let draws = Draws::new(&CellKey::of(b"a cell"));
            let draw = draws.at(i, Purpose::Poll, index);
            prop_assert_ne!(draw, draws.at(i + 1, Purpose::Poll, index));
            prop_assert_ne!(draw, draws.at(i, Purpose::Poll, index + 1));
            prop_assert_ne!(draw, draws.at(i, Purpose::Read, index));
            prop_assert_ne!(draw, Draws::new(&CellKey::of(b"another")).at(i, Purpose::Poll, index));
        }
    }
}
