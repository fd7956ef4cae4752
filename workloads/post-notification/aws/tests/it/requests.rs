//! Requests: every one that differs in its stores and regions.

use std::fmt::Write as _;

use matrix_aws::setup::SetupError;
use matrix_aws::{Datastore, SetupRequest, StackSpec, setup};
use matrix_plan::aws::AwsServices;
use matrix_plan::{Experiment, Region, Regions};

pub(crate) fn region(name: &str) -> Region {
    Region::new(name).unwrap()
}

/// A request of the default name, with the writer in the first region.
pub(crate) fn request(regions: &[&str], stores: &[Datastore]) -> SetupRequest {
    let [writer, readers @ ..] = regions else { panic!("no region") };
    SetupRequest {
        name: "matrix".into(),
        writer: region(writer),
        readers: readers.iter().map(|reader| region(reader)).collect(),
        regions: Regions::built_in(),
        stores: stores.iter().copied().collect(),
        services: AwsServices::default(),
        write_units: None,
    }
}

/// All six stores, in the original's regions.
pub(crate) fn full() -> SetupRequest {
    request(&["eu", "us", "sg"], &Datastore::ALL)
}

/// Every set of stores but the empty one, with one reader and with two.
pub(crate) fn all() -> Vec<SetupRequest> {
    let regions: [&[&str]; 2] = [&["eu", "us"], &["eu", "us", "sg"]];
    let mut requests = Vec::new();
    for set in 1_u32..1 << Datastore::ALL.len() {
        let stores = Datastore::ALL.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0);
        let stores: Vec<Datastore> = stores.map(|(_, store)| *store).collect();
        requests.extend(regions.map(|regions| request(regions, &stores)));
    }
    // Names that do not begin as the functions' do, and a table that is warmed.
    requests.push(SetupRequest { name: "twenty-characters-xx".into(), write_units: Some(11_000), ..full() });
    assert_eq!(requests.len(), 63 * 2 + 1);
    requests
}

pub(crate) fn stacks(request: &SetupRequest) -> Vec<StackSpec> {
    setup::stacks(request).unwrap()
}

/// Requests with as many readers as there may be: in every region that set-up knows, and in those that Aurora replicates to.
pub(crate) fn crowded() -> [SetupRequest; 2] {
    let mut everywhere = everywhere();
    everywhere.stores.retain(|store| !matches!(store, Datastore::Mysql | Datastore::Redis));
    let mut with_mysql = everywhere.clone();
    with_mysql.stores.insert(Datastore::Mysql);
    with_mysql.readers.truncate(10);
    [everywhere, with_mysql]
}

/// A request with a reader in every region that set-up knows, which not every service can meet.
pub(crate) fn everywhere() -> SetupRequest {
    let mut request = full();
    let mut unknown = request.clone();
    unknown.regions = declared("[regions]\nmoon = \"moon-north-1\"\n");
    unknown.readers = vec![region("moon")];
    let refused = setup::stacks(&unknown).unwrap_err();
    let SetupError::UnknownAwsRegion { known, .. } = refused else { panic!("{refused}") };
    let mut text = "[regions]\n".to_owned();
    let others = known.iter().filter(|aws| request.regions.by_aws_name(aws).is_none());
    for (number, aws) in others.enumerate() {
        writeln!(text, "r{number} = \"{aws}\"").unwrap();
        request.readers.push(region(&format!("r{number}")));
    }
    request.regions = declared(&text);
    request
}

/// Regions that an experiment declares.
pub(crate) fn declared(text: &str) -> Regions {
    let experiment = "schema = 1\nname = \"x\"\nplatform = \"sim\"\nrequests = 1\nrounds = 1\nseed = 1\n";
    let matrix = "[[matrix]]\nname = \"m\"\npost_storage = [\"s3\"]\nnotification_storage = [\"sns\"]\n\
                  regions = [\"us->eu\"]\ndelay_ms = [0]\nantipode = [true]\n";
    Experiment::parse(&format!("{experiment}{text}{matrix}")).unwrap().regions
}
