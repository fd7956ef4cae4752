//! Filters: which cells to run or to look at, as in `post_storage=s3 and delay_ms<1000 and regions="eu->us"`.

mod expression;
mod fields;
#[cfg(test)]
mod tests;

pub use expression::Filter;
