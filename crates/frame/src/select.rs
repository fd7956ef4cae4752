//! Values by rank, without holding all values: exact percentiles in bounded memory.
//!
//! Values are compared by *keys*: whole numbers that have the order of the values.

/// Most keys that are held at a time, for each percentile.
pub(crate) const MOST_KEYS: usize = 4 << 20;

/// Buckets of a histogram.
const BUCKETS: usize = 1 << 16;

const SIGN: u64 = 1 << 63;

pub(crate) fn key_of_whole(value: i64) -> u64 {
    value as u64 ^ SIGN
}

pub(crate) fn whole_of_key(key: u64) -> i64 {
    (key ^ SIGN) as i64
}

/// The order of keys is that of `f64::total_cmp`.
pub(crate) fn key_of_real(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits ^ SIGN } else { !bits }
}

pub(crate) fn real_of_key(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })
}

/// Keys with how often each was there.
#[derive(Default)]
pub(crate) struct Keys {
    keys: Vec<u64>,
    /// Empty as long as every key was there once.
    weights: Vec<u64>,
    /// Whether there were more than may be held.
    pub(crate) overflowed: bool,
}

impl Keys {
    pub(crate) fn push(&mut self, key: u64, weight: u64, most: usize) {
        if self.overflowed {
            return;
        }
        if self.keys.len() >= most {
            *self = Self { overflowed: true, ..Self::default() };
            return;
        }
        if weight != 1 && self.weights.is_empty() {
            self.weights.resize(self.keys.len(), 1);
        }
        if weight != 1 || !self.weights.is_empty() {
            self.weights.push(weight);
        }
        self.keys.push(key);
    }

    /// The key at a rank, counted from 1.
    pub(crate) fn at(&mut self, rank: u64) -> Option<u64> {
        if self.weights.is_empty() {
            let place = usize::try_from(rank.checked_sub(1)?).ok()?;
            return (place < self.keys.len()).then(|| *self.keys.select_nth_unstable(place).1);
        }
        let mut pairs: Vec<(u64, u64)> = self.keys.iter().copied().zip(self.weights.iter().copied()).collect();
        pairs.sort_unstable();
        let mut below = 0u64;
        pairs
            .into_iter()
            .find(|(_, weight)| {
                below = weight.saturating_add(below);
                below >= rank
            })
            .map(|(key, _)| key)
    }
}

/// The search for the key at a rank among more keys than are held: each pass over the rows narrows the range that it is in.
pub(crate) struct Search {
    /// The rank within the range, counted from 1.
    rank: u64,
    low: u64,
    high: u64,
    /// How far keys are shifted to be the number of a bucket.
    shift: u32,
    buckets: Vec<(u64, u64)>,
    keys: Option<Keys>,
    found: Option<u64>,
}

impl Search {
    /// A search among keys from `low` to `high`.
    pub(crate) fn new(rank: u64, low: u64, high: u64) -> Self {
        let mut search = Self { rank, low, high, shift: 0, buckets: Vec::new(), keys: None, found: None };
        search.divide();
        search
    }

    fn divide(&mut self) {
        let bits = u64::BITS - (self.high - self.low).leading_zeros();
        self.shift = bits.saturating_sub(BUCKETS.trailing_zeros());
        self.buckets = vec![(0, 0); BUCKETS];
    }

    /// What was found.
    pub(crate) fn found(&self) -> Option<u64> {
        self.found
    }

    /// Takes one key of the present pass.
    pub(crate) fn add(&mut self, key: u64, weight: u64) {
        if self.found.is_some() || key < self.low || key > self.high {
            return;
        }
        if let Some(keys) = &mut self.keys {
            keys.push(key, weight, usize::MAX);
            return;
        }
        let bucket = &mut self.buckets[((key - self.low) >> self.shift) as usize];
        bucket.0 = bucket.0.saturating_add(weight);
        bucket.1 += 1;
    }

    /// Ends a pass.
    pub(crate) fn narrow(&mut self, most: usize) {
        if self.found.is_some() {
            return;
        }
        if let Some(keys) = &mut self.keys {
            self.found = keys.at(self.rank);
            return;
        }
        for (number, (weight, count)) in std::mem::take(&mut self.buckets).into_iter().enumerate() {
            if self.rank > weight {
                self.rank -= weight;
                continue;
            }
            let low = self.low + ((number as u64) << self.shift);
            let width = (1u64 << self.shift) - 1;
            (self.low, self.high) = (low, self.high.min(low.saturating_add(width)));
            if self.low == self.high {
                self.found = Some(self.low);
            } else if count <= most as u64 {
                self.keys = Some(Keys::default());
            } else {
                self.divide();
            }
            return;
        }
    }
}
