//! The regions of AWS that set-up knows, and what differs between them.

use matrix_plan::Region;

use super::Cidr;

/// AWS name and second zone of each region that set-up knows. A region's networks have their addresses from its place in
/// this list, so that they stay the same whatever other regions a set-up has: append only. The first three are the
/// original's, in its order. The first zone is `a` as in the original; the second is one that every account has (in
/// Northern California, São Paulo and Tokyo newer accounts may have no `b`).
const KNOWN: &[(&str, char)] = &[
    ("eu-central-1", 'b'),
    ("us-east-1", 'b'),
    ("ap-southeast-1", 'b'),
    ("us-east-2", 'b'),
    ("us-west-1", 'c'),
    ("us-west-2", 'b'),
    ("ca-central-1", 'b'),
    ("ca-west-1", 'b'),
    ("mx-central-1", 'b'),
    ("sa-east-1", 'c'),
    ("eu-west-1", 'b'),
    ("eu-west-2", 'b'),
    ("eu-west-3", 'b'),
    ("eu-north-1", 'b'),
    ("eu-south-1", 'b'),
    ("eu-south-2", 'b'),
    ("eu-central-2", 'b'),
    ("ap-south-1", 'b'),
    ("ap-south-2", 'b'),
    ("ap-east-1", 'b'),
    ("ap-northeast-1", 'c'),
    ("ap-northeast-2", 'b'),
    ("ap-northeast-3", 'b'),
    ("ap-southeast-2", 'b'),
    ("ap-southeast-3", 'b'),
    ("ap-southeast-4", 'b'),
    ("ap-southeast-5", 'b'),
    ("ap-southeast-7", 'b'),
    ("me-south-1", 'b'),
    ("me-central-1", 'b'),
    ("il-central-1", 'b'),
    ("af-south-1", 'b'),
];

/// Second number of the first region's network: 10.50.0.0/16, as the original's 50.0.0.0/16, but private.
const FIRST_NETWORK: u8 = 50;
/// Second number of the first region's network of the database.
const FIRST_DATABASE_NETWORK: u8 = 150;

/// A region of a set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetupRegion {
    /// Short name.
    pub(crate) short: Region,
    /// AWS name.
    pub(crate) aws: String,
    /// Whether writers run here; else readers do.
    pub(crate) is_writer: bool,
    /// Letter of the zone of replicas within the region.
    pub(crate) second_zone: char,
    index: u8,
}

impl SetupRegion {
    /// The place of that AWS name; `None` if set-up does not know it.
    pub(super) fn new(short: &Region, aws: &str, is_writer: bool) -> Option<Self> {
        let index = KNOWN.iter().position(|(known, _)| *known == aws)?;
        let (_, second_zone) = KNOWN.get(index)?;
        let index = u8::try_from(index).ok().filter(|index| *index < FIRST_DATABASE_NETWORK - FIRST_NETWORK)?;
        Some(Self { short: short.clone(), aws: aws.to_owned(), is_writer, second_zone: *second_zone, index })
    }

    /// Addresses of the network of functions, brokers and Redis.
    pub(crate) fn cidr(&self) -> Cidr {
        Cidr::network(FIRST_NETWORK + self.index)
    }

    /// Addresses of the database's network.
    pub(crate) fn database_cidr(&self) -> Cidr {
        Cidr::network(FIRST_DATABASE_NETWORK + self.index)
    }

    /// AWS names of the regions that set-up knows.
    pub(super) fn known() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|(aws, _)| *aws)
    }
}
