//! Blocks of private addresses.

use std::fmt;

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    address: [u8; 4],
    bits: u8,
}

/// A subnet of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subnet {
    /// Of functions, brokers and primaries: in zone `a`.
    A,
    /// Of replicas within the region: in another zone.
    B,
}

impl Cidr {
    /// `10.second.0.0/16`: the largest network that AWS makes.
    pub(crate) fn network(second: u8) -> Self {
        Self { address: [10, second, 0, 0], bits: 16 }
    }

    /// A subnet of a network: a sixteenth of it, as in the original.
    pub(crate) fn subnet(self, subnet: Subnet) -> Self {
        let [first, second, _, _] = self.address;
        let third = match subnet {
            Subnet::A => 0,
            Subnet::B => 16,
        };
        Self { address: [first, second, third, 0], bits: 20 }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third, fourth] = self.address;
        write!(f, "{first}.{second}.{third}.{fourth}/{}", self.bits)
    }
}
