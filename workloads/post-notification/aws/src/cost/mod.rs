//! What experiments and set-ups cost: estimates, from a dated file of prices.

mod assumptions;
mod cell;
mod item;
mod parse;
mod prices;
mod service;
mod setup;
#[cfg(test)]
mod tests;

pub use cell::{CellCost, Costs};
pub use item::Item;
pub use prices::{NoPrice, Price, Prices};
pub use service::Service;
pub use setup::{HourlyCost, HourlyLine, setup_cost};
