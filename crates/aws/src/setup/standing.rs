//! A set-up that stands already: what is asked for adds to it and takes nothing from it.

use matrix_plan::Region;

use super::{SetupError, SetupRequest, Site, StackId};
use crate::Datastore;
use crate::template::{AMQ, BASE, DYNAMO, MYSQL, REDIS, ROLES, S3, SNS};

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
    /// The request together with what the set-up has already: `standing` are its stacks. Stacks that all datastores and
    /// regions share would lose what those need that are not asked for again.
    ///
    /// # Errors
    /// When the request cannot be met, or the set-up writes in another region.
    pub fn with_standing(&self, standing: &[StackId]) -> Result<Self, SetupError> {
        let site = Site::new(self)?;
        let stands = |part: &str| {
            let name = site.name(part);
            standing.iter().filter(move |stack| stack.name == name)
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
        }
    }

    fn names(request: &SetupRequest) -> Vec<StackId> {
        stacks(request).unwrap().into_iter().map(|spec| spec.id).collect()
    }

    #[test]
    fn what_stands_is_found_by_its_stacks_and_kept_for_every_pair_of_datastores() {
        for first in Datastore::ALL {
            for second in Datastore::ALL {
                let standing = names(&request(&[first], &["us"]));
                let both = request(&[second], &["sg"]).with_standing(&standing).unwrap();
                assert_eq!(both.stores, BTreeSet::from([first, second]));
                assert_eq!(both.readers, ["sg", "us"].map(|name| Region::new(name).unwrap()));
                let made = names(&both);
                assert!(standing.iter().all(|stack| made.contains(stack)), "{first:?} {second:?}");
                // What was asked for once more is what stands.
                let again = request(&[first], &["us"]);
                assert_eq!(again.with_standing(&standing).unwrap(), again);
            }
        }
    }

    #[test]
    fn a_set_up_that_writes_elsewhere_is_no_place_to_add_to() {
        let standing = names(&request(&[Datastore::Sns], &["us"]));
        let mut other = request(&[Datastore::Sns], &["eu"]);
        other.writer = Region::new("us").unwrap();
        let error = other.with_standing(&standing).unwrap_err();
        assert!(error.to_string().contains("eu-central-1"), "{error}");
    }
}
