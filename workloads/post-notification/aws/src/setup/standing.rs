//! A set-up that exists already: a request adds to it and removes nothing.

use matrix_plan::Region;

use crate::Datastore;
use crate::site::{Outputs, SetupError, SetupRequest, Site};
use crate::template::{AMQ, BASE, DYNAMO, MYSQL, REDIS, ROLES, S3, SNS, WRITE_UNITS};

/// Part of the name of the stacks that a datastore has.
fn part(store: Datastore) -> &'static str {
    match store {
        Datastore::Mysql => MYSQL,
        Datastore::Dynamo => DYNAMO,
        Datastore::S3 => S3,
        Datastore::Redis => REDIS,
        Datastore::Sns => SNS,
        Datastore::Amq => AMQ,
    }
}

impl SetupRequest {
    /// The request together with what the set-up has already: `standing` are its stacks and what they gave. Stacks that all
    /// datastores and regions share would lose what those need that are not asked for again.
    ///
    /// # Errors
    /// When the request cannot be met, or the set-up writes in another region.
    pub fn with_standing(&self, standing: &Outputs) -> Result<Self, SetupError> {
        let site = Site::new(self)?;
        let stands = |part: &str| {
            let name = site.name(part);
            standing.keys().filter(move |stack| stack.name == name)
        };
        if let Some(other) = stands(ROLES).find(|stack| stack.region != site.writer.aws) {
            let (asked, standing) = (self.writer.clone(), other.region.clone());
            return Err(SetupError::OtherWriter { name: self.name.clone(), asked, standing });
        }
        let mut request = self.clone();
        request.stores.extend(Datastore::ALL.into_iter().filter(|store| stands(part(*store)).next().is_some()));
        for stack in stands(BASE) {
            // The first of several names for a region.
            let region = self.regions.by_aws_name(&stack.region);
            let known = |region: &Region| *region == self.writer || request.readers.contains(region);
            if let Some(region) = region.filter(|region| !known(region)) {
                request.readers.push(region.clone());
            }
        }
        // A table that is warm does not get colder.
        let dynamo = site.id(&site.writer, DYNAMO);
        let warmed = standing.get(&dynamo).and_then(|outputs| outputs.get(WRITE_UNITS)?.parse().ok());
        request.write_units = request.write_units.max(warmed);
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use matrix_plan::Regions;

    use super::*;
    use crate::setup::stacks;

    fn request(stores: &[Datastore], readers: &[&str]) -> SetupRequest {
        SetupRequest {
            name: "matrix".into(),
            writer: Region::new("eu").unwrap(),
            readers: readers.iter().map(|name| Region::new(name).unwrap()).collect(),
            regions: Regions::built_in(),
            stores: stores.iter().copied().collect(),
            services: matrix_plan::aws::AwsServices::default(),
            write_units: None,
        }
    }

    /// What the stacks of a request gave.
    fn made(request: &SetupRequest) -> Outputs {
        let outputs = |spec: crate::StackSpec| {
            let texts = spec.template["Outputs"].as_object().into_iter().flatten();
            let texts = texts.map(|(name, output)| (name.clone(), output["Value"].as_str().unwrap_or("x").to_owned()));
            (spec.id, texts.collect())
        };
        stacks(request).unwrap().into_iter().map(outputs).collect()
    }

    #[test]
    fn a_table_that_is_warm_stays_so() {
        let warm = |units| SetupRequest { write_units: units, ..request(&[Datastore::Dynamo], &["us"]) };
        let standing = made(&warm(Some(11_000)));
        for (asked, expected) in [(None, 11_000), (Some(6_000), 11_000), (Some(18_000), 18_000)] {
            assert_eq!(warm(asked).with_standing(&standing).unwrap().write_units, Some(expected));
        }
        assert_eq!(warm(None).with_standing(&made(&warm(None))).unwrap().write_units, None);
    }

    #[test]
    fn what_stands_is_found_by_its_stacks_and_kept_for_every_pair_of_datastores() {
        for first in Datastore::ALL {
            for second in Datastore::ALL {
                let standing = made(&request(&[first], &["us"]));
                let both = request(&[second], &["sg"]).with_standing(&standing).unwrap();
                assert_eq!(both.stores, BTreeSet::from([first, second]));
                assert_eq!(both.readers, ["sg", "us"].map(|name| Region::new(name).unwrap()));
                let both = made(&both);
                assert!(standing.keys().all(|stack| both.contains_key(stack)), "{first:?} {second:?}");
                // The request repeats what exists.
                let again = request(&[first], &["us"]);
                assert_eq!(again.with_standing(&standing).unwrap(), again);
            }
        }
    }

    #[test]
    fn a_set_up_that_writes_elsewhere_is_no_place_to_add_to() {
        let standing = made(&request(&[Datastore::Sns], &["us"]));
        let mut other = request(&[Datastore::Sns], &["eu"]);
        other.writer = Region::new("us").unwrap();
        let error = other.with_standing(&standing).unwrap_err();
        assert!(error.to_string().contains("eu-central-1"), "{error}");
    }
}
