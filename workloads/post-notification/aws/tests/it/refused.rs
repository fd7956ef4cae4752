//! Requests that cannot be met.

use matrix_aws::setup::{self, SetupError};
use matrix_aws::{Datastore, SetupRequest};

use crate::requests::{declared, everywhere, full, region, request};

fn refused(request: &SetupRequest) -> SetupError {
    let error = setup::stacks(request).unwrap_err();
    // All that begins with a request refuses it alike.
    assert!(!error.fix().is_empty());
    assert_eq!(setup::lookups(request).err().unwrap_or_else(|| error.clone()), error);
    error
}

#[test]
fn what_cannot_be_met_is_said_with_a_fix() {
    let named = |name: &str| refused(&SetupRequest { name: name.into(), ..full() }).to_string();
    for name in ["", "Matrix", "1x", "a-", "a--b", "-a", "a_b", "twenty-one-characters"] {
        assert!(named(name).contains("use 1 to 20 lower-case letters"), "{name}");
    }
    let mut texts = vec![named("Matrix")];
    let mut say = |request: SetupRequest| texts.push(refused(&request).to_string());
    say(request(&["eu", "us"], &[]));
    say(request(&["eu"], &[Datastore::Sns]));
    say(request(&["eu", "us", "eu"], &[Datastore::Sns]));
    say(request(&["eu", "us", "us"], &[Datastore::Sns]));
    say(request(&["eu", "mars"], &[Datastore::Sns]));
    let regions = declared("[regions]\nmoon = \"cn-north-1\"\nfar-far-away-land = \"eu-west-1\"\n");
    say(SetupRequest { readers: vec![region("moon")], regions: regions.clone(), ..full() });
    say(SetupRequest { readers: vec![region("far-far-away-land")], regions, ..full() });
    let mut long = full();
    long.services.amq_version = "5".repeat(setup::TEMPLATE_BODY_MAX);
    say(long);
    let mut burstable = full();
    burstable.services.redis_class = "cache.t4g.micro".into();
    say(burstable.clone());
    burstable.stores = [Datastore::Sns].into();
    assert!(setup::stacks(&burstable).is_ok(), "nobody asks for Redis");
    let four = SetupRequest { readers: everywhere().readers[..3].to_vec(), regions: everywhere().regions, ..full() };
    say(SetupRequest { stores: [Datastore::Redis].into(), ..four.clone() });
    assert!(setup::stacks(&SetupRequest { stores: [Datastore::Mysql].into(), ..four }).is_ok());
    say(SetupRequest { stores: [Datastore::Mysql].into(), ..everywhere() });
    insta::assert_snapshot!("refusals", texts.join("\n"));
}
