//! The stacks of a set-up, in the order in which they are made, and that in which they are removed.

use crate::Datastore;
use crate::site::{Removal, SetupError, SetupRequest, Site, StackSpec, TEMPLATE_BODY_MAX};
use crate::template::{
    base, broker, database_network, dynamo, mysql, network, peering, peering_routes, reader_bucket, redis,
    redis_global, roles, secrets, sns, writer_bucket,
};

/// The stacks that the request needs, each after those that it takes values from.
///
/// # Errors
/// When the request cannot be met.
pub fn stacks(request: &SetupRequest) -> Result<Vec<StackSpec>, SetupError> {
    let site = Site::new(request)?;
    let mut stacks = vec![roles(&site)];
    stacks.extend(site.places().map(|place| base(&site, place)));
    if site.has_network() {
        stacks.extend(site.places().map(|place| network(&site, place)));
    }
    if site.has(Datastore::Mysql) || site.has(Datastore::Amq) {
        stacks.push(secrets(&site));
    }
    for store in &request.stores {
        stacks.extend(of_store(&site, *store));
    }
    for stack in &stacks {
        let bytes = stack.template_body().len();
        if bytes > TEMPLATE_BODY_MAX {
            return Err(SetupError::TemplateTooLarge { stack: stack.id.clone(), bytes });
        }
    }
    Ok(stacks)
}

fn of_store(site: &Site<'_>, store: Datastore) -> Vec<StackSpec> {
    let (writer, readers) = (&site.writer, &site.readers);
    match store {
        Datastore::Mysql => {
            let networks = site.places().map(|place| database_network(site, place));
            networks.chain(site.places().map(|place| mysql(site, place))).collect()
        }
        Datastore::Dynamo => vec![dynamo(site)],
        Datastore::S3 => {
            let replicas = readers.iter().map(|reader| reader_bucket(site, reader));
            replicas.chain([writer_bucket(site)]).collect()
        }
        Datastore::Redis => {
            let primary = [redis(site, writer), redis_global(site)];
            primary.into_iter().chain(readers.iter().map(|reader| redis(site, reader))).collect()
        }
        Datastore::Sns => vec![sns(site)],
        Datastore::Amq => {
            let ways = readers.iter().flat_map(|reader| [peering(site, reader), peering_routes(site, reader)]);
            // The writer's broker connects to the others, which have to exist.
            let brokers = readers.iter().chain([writer]).map(|place| broker(site, place));
            ways.chain(brokers).collect()
        }
    }
}

/// The stacks in an order in which they can be removed: users before what they use, but for those that are to be removed
/// before their users ([`Removal::BeforeItsUsers`]).
#[must_use]
pub fn removal_order(stacks: &[StackSpec]) -> Vec<&StackSpec> {
    let (first, rest): (Vec<_>, Vec<_>) =
        stacks.iter().rev().partition(|stack| stack.removal == Removal::BeforeItsUsers);
    first.into_iter().chain(rest).collect()
}
