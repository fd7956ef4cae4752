//! What a set-up costs as long as it stands.

use std::fmt;

use matrix_plan::Region;

use super::item::Item;
use super::prices::{ANYWHERE, NoPrice, Prices};
use crate::setup::ON_DEMAND_WRITE_UNITS;
use crate::template::{endpoint_addresses, secrets_in};
use crate::{Datastore, SetupRequest};

/// Hours of a month, as Amazon counts them.
const HOURS_OF_A_MONTH: f64 = 730.0;

/// Nodes of ElastiCache in each region: a primary and a replica, as in the original. (A global datastore needs no replica;
/// automatic failover within a region does.)
const NODES: u32 = 2;

/// A kind of resource in a region.
#[derive(Clone, Debug, PartialEq)]
pub struct HourlyLine {
    /// What it is.
    pub resource: String,
    /// AWS name of its region.
    pub region: String,
    /// How many there are.
    pub count: u32,
    /// US dollars an hour of all of them.
    pub usd_per_hour: f64,
}

/// What a set-up costs an hour. It prints as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct HourlyCost {
    /// The resources that cost by the hour, those of the writer's region first.
    pub lines: Vec<HourlyLine>,
    /// US dollars that are charged once, for a table of DynamoDB that takes more writes from the first on.
    pub usd_once: f64,
    /// Date of the prices.
    pub prices_of: String,
}

impl HourlyCost {
    /// US dollars an hour of everything.
    #[must_use]
    pub fn total(&self) -> f64 {
        // The sum of no numbers would be -0.
        self.lines.iter().map(|line| line.usd_per_hour).fold(0.0, |sum, line| sum + line)
    }
}

impl fmt::Display for HourlyCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&HourlyLine) -> usize| self.lines.iter().map(of).max().unwrap_or(0);
        let resource = width(|line| line.resource.len()).max("all together".len());
        let region = width(|line| line.region.len());
        for line in &self.lines {
            let HourlyLine { resource: name, region: place, count, usd_per_hour } = line;
            writeln!(f, "{name:resource$}  {place:region$}  {count:>2}  {usd_per_hour:>8.4} $/h")?;
        }
        if self.usd_once > 0.0 {
            writeln!(f, "warm table of posts in DynamoDB, once: {:.2} $", self.usd_once)?;
        }
        let total = self.total();
        writeln!(f, "{:resource$}  {:region$}      {total:>8.4} $/h, {:.2} $ a day", "all together", "", total * 24.0)?;
        write!(
            f,
            "An estimate, with prices of {}: see `source` in the file of prices for what is assumed. What runs on it costs \
             extra: `matrix plan FILE`.",
            self.prices_of
        )
    }
}

/// What a set-up costs an hour: counted from what is requested. Tables, buckets, topics, queues, networks, peerings, gateway
/// endpoints and functions cost nothing by the hour.
///
/// # Errors
/// When the file of prices lacks one, for example of an instance class.
pub fn setup_cost(request: &SetupRequest, prices: &Prices) -> Result<HourlyCost, NoPrice> {
    let name = |region: &Region| request.regions.aws_name(region).unwrap_or(ANYWHERE).to_owned();
    let writer = name(&request.writer);
    let readers: Vec<String> = request.readers.iter().map(name).collect();
    let mut cost = HourlyCost { lines: Vec::new(), usd_once: 0.0, prices_of: prices.date().to_owned() };
    let mut add = |resource: String, region: &str, count: u32, item: Item, class: Option<&str>| {
        let price = prices.of(item, class, region)?;
        let hours = if item == Item::SecretMonth { HOURS_OF_A_MONTH } else { 1.0 };
        let usd_per_hour = f64::from(count) * price.usd / price.per as f64 / hours;
        cost.lines.push(HourlyLine { resource, region: region.to_owned(), count, usd_per_hour });
        Ok(())
    };
    let has = |store| request.stores.contains(&store);
    let services = &request.services;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    for region in std::iter::once(&writer).chain(&readers) {
        if has(Datastore::Mysql) {
            let class = services.mysql_class.as_str();
            add(format!("Aurora instance {class}"), region, 1, Item::AuroraInstance, Some(class))?;
        }
        if has(Datastore::Redis) {
            let class = services.redis_class.as_str();
            add(format!("ElastiCache nodes {class}"), region, NODES, Item::ElasticacheNode, Some(class))?;
        }
        if has(Datastore::Amq) {
            let class = services.amq_class.as_str();
            add(format!("ActiveMQ broker {class}"), region, 1, Item::MqBroker, Some(class))?;
        }
        let is_writer = region == &writer;
        let addresses = count(endpoint_addresses(&request.stores, is_writer));
        if addresses > 0 {
            add("interface endpoints".to_owned(), region, addresses, Item::EndpointHour, None)?;
        }
        let secrets = count(secrets_in(&request.stores, is_writer).len());
        if secrets > 0 {
            add("secrets".to_owned(), region, secrets, Item::SecretMonth, None)?;
        }
    }
    if let Some(units) = request.write_units.filter(|_| has(Datastore::Dynamo)) {
        let more = f64::from(units.saturating_sub(ON_DEMAND_WRITE_UNITS));
        for region in std::iter::once(&writer).chain(&readers) {
            cost.usd_once += prices.dollars(Item::DynamoWarmWriteUnit, region, more)?;
        }
    }
    Ok(cost)
}
