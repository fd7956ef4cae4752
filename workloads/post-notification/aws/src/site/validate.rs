//! Whether a request can be met.

use std::collections::BTreeSet;

use matrix_plan::Region;

use super::{SetupError, SetupRegion, SetupRequest, limits};

/// Longest name: it goes into names of brokers (50 characters) and replication groups (40).
const NAME_MAX: usize = 20;
/// Longest short name of a region: with the longest name it is in a replication group's (`NAME-redis-REGION`).
const REGION_MAX: usize = 12;

/// The places of a request: the writer's and the readers'.
pub(super) fn places(request: &SetupRequest) -> Result<(SetupRegion, Vec<SetupRegion>), SetupError> {
    if !is_name(&request.name) {
        return Err(SetupError::Name(request.name.clone()));
    }
    if request.stores.is_empty() {
        return Err(SetupError::NoStore);
    }
    if request.readers.is_empty() {
        return Err(SetupError::NoReader);
    }
    let writer = place(request, &request.writer, true)?;
    let readers = request.readers.iter().map(|reader| place(request, reader, false));
    let readers: Vec<SetupRegion> = readers.collect::<Result<_, _>>()?;
    let mut seen = BTreeSet::new();
    for place in std::iter::once(&writer).chain(&readers) {
        if !seen.insert(&place.aws) {
            return Err(SetupError::RegionTwice(place.short.clone()));
        }
    }
    limits::check(request, &readers)?;
    Ok((writer, readers))
}

fn is_name(name: &str) -> bool {
    let good = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    // Aurora takes no two hyphens in a row.
    good && begins && name.len() <= NAME_MAX && !name.ends_with('-') && !name.contains("--")
}

fn place(request: &SetupRequest, region: &Region, is_writer: bool) -> Result<SetupRegion, SetupError> {
    let Some(aws) = request.regions.aws_name(region) else {
        let known = request.regions.iter().map(|(short, _)| short.to_string()).collect();
        return Err(SetupError::UnknownRegion { region: region.clone(), known });
    };
    if region.as_str().len() > REGION_MAX || region.as_str().contains("--") {
        return Err(SetupError::RegionName(region.clone()));
    }
    SetupRegion::new(region, aws, is_writer).ok_or_else(|| SetupError::UnknownAwsRegion {
        region: region.clone(),
        aws: aws.to_owned(),
        known: SetupRegion::known().collect(),
    })
}
