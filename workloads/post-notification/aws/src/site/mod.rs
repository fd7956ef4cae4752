//! A request that can be met, and the regions and names that follow from it. Both templates and their order are made of it.

mod cidr;
mod error;
mod limits;
mod region;
mod request;
mod stack;
mod validate;

pub(crate) use cidr::{Cidr, Subnet};
pub(crate) use region::SetupRegion;

pub use error::SetupError;
pub use request::SetupRequest;
pub use stack::{OutputRef, Outputs, Parameter, Removal, StackId, StackSpec};

use crate::Datastore;

/// Tag of everything that set-up makes; its value is the name of the set-up.
pub const SETUP_TAG: &str = "matrix:setup";

/// Longest template that a call to CloudFormation takes inline, in bytes (AWS CloudFormation quotas).
pub const TEMPLATE_BODY_MAX: usize = 51_200;

/// A valid request, with its regions.
#[derive(Clone, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) request: &'a SetupRequest,
    pub(crate) writer: SetupRegion,
    pub(crate) readers: Vec<SetupRegion>,
}

impl<'a> Site<'a> {
    /// The request's, if it can be met.
    pub(crate) fn new(request: &'a SetupRequest) -> Result<Self, SetupError> {
        let (writer, readers) = validate::places(request)?;
        Ok(Self { request, writer, readers })
    }

    /// The regions, the writer's first.
    pub(crate) fn places(&self) -> impl Iterator<Item = &SetupRegion> {
        std::iter::once(&self.writer).chain(&self.readers)
    }

    /// Whether a datastore is requested.
    pub(crate) fn has(&self, store: Datastore) -> bool {
        self.request.stores.contains(&store)
    }

    /// Whether functions are in a network.
    pub(crate) fn has_network(&self) -> bool {
        self.request.stores.iter().any(|store| store.needs_vpc())
    }

    /// A name of something that is the only one of its kind.
    pub(crate) fn name(&self, part: &str) -> String {
        format!("{}-{part}", self.request.name)
    }

    /// A name of something that every region has one of, where names should differ all the same.
    pub(crate) fn local_name(&self, part: &str, place: &SetupRegion) -> String {
        format!("{}-{part}-{}", self.request.name, place.short)
    }

    /// What the names of the set-up's things and of the functions' begin with.
    pub(crate) fn stems(&self) -> impl Iterator<Item = String> {
        let functions = "matrix-".to_owned();
        let own = self.name("");
        let distinct = !own.starts_with(&functions);
        std::iter::once(functions).chain(distinct.then_some(own))
    }

    /// A stack of a region.
    pub(crate) fn id(&self, place: &SetupRegion, part: &str) -> StackId {
        StackId { region: place.aws.clone(), name: self.name(part) }
    }

    /// The stacks of that part in the regions of readers before this one.
    pub(crate) fn readers_before<'s>(
        &'s self,
        place: &'s SetupRegion,
        part: &'s str,
    ) -> impl Iterator<Item = StackId> + 's {
        let earlier = self.readers.iter().take_while(move |reader| *reader != place);
        earlier.filter(move |_| !place.is_writer).map(move |reader| self.id(reader, part))
    }

    /// An output of a stack.
    pub(crate) fn output(&self, place: &SetupRegion, part: &str, output: &str) -> OutputRef {
        OutputRef { stack: self.id(place, part), output: output.to_owned() }
    }
}
