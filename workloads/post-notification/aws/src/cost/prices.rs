//! Prices, and looking one up.

use std::collections::BTreeMap;

use matrix_plan::Problems;

use super::item::Item;

/// Region of prices for every region that has none of its own.
pub(super) const ANYWHERE: &str = "*";

/// A price.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// US dollars for `per` units.
    pub usd: f64,
    /// Number of units.
    pub per: u64,
    /// What a unit is, in words.
    pub unit: String,
    /// Where the price was read; begins with `assumed:` where it was not.
    pub source: String,
    /// The day on which it was read, as `2026-11-25`.
    pub date: String,
}

/// Item, instance class (where the item has such) and region.
pub(super) type Key = (Item, Option<String>, String);

/// The prices of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    pub(super) date: String,
    pub(super) prices: BTreeMap<Key, Price>,
}

/// A price that the file does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the prices of {date} have none of {what} in {region}")]
pub struct NoPrice {
    /// The file's date.
    pub date: String,
    /// The item and its class.
    pub what: String,
    /// The region's AWS name.
    pub region: String,
}

impl NoPrice {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        format!("name a file of prices that has one of {} with --prices; docs/guide.md shows the form", self.what)
    }
}

impl Prices {
    /// The file that comes with the program, as text.
    pub const BUILTIN_TEXT: &str = include_str!("../../prices/2026-11.toml");

    /// The prices that come with the program.
    ///
    /// # Errors
    /// None that could happen: a test reads them.
    pub fn builtin() -> Result<Self, Problems> {
        Self::parse(Self::BUILTIN_TEXT)
    }

    /// The file's date, as `2026-11-25`.
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// The price of an item in a region: its own, or the one for every region.
    ///
    /// # Errors
    /// When the file has neither.
    pub fn of(&self, item: Item, class: Option<&str>, region: &str) -> Result<&Price, NoPrice> {
        let key = |region: &str| (item, class.map(str::to_owned), region.to_owned());
        self.prices.get(&key(region)).or_else(|| self.prices.get(&key(ANYWHERE))).ok_or_else(|| NoPrice {
            date: self.date.clone(),
            what: [Some(item.as_str()), class].into_iter().flatten().collect::<Vec<_>>().join(" "),
            region: region.to_owned(),
        })
    }

    /// What so many units cost, in US dollars.
    pub(super) fn dollars(&self, item: Item, region: &str, units: f64) -> Result<f64, NoPrice> {
        let price = self.of(item, None, region)?;
        Ok(units * price.usd / price.per as f64)
    }

    /// Every price with its item, class and region.
    pub fn iter(&self) -> impl Iterator<Item = (Item, Option<&str>, &str, &Price)> {
        self.prices.iter().map(|((item, class, region), price)| (*item, class.as_deref(), region.as_str(), price))
    }
}
