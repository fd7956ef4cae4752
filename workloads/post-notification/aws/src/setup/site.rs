//! A request that can be met, and the names that follow from it.

use super::{OutputRef, Place, SetupError, SetupRequest, StackId, validate};
use crate::Datastore;
use crate::template::Stack;

/// A valid request, with its regions.
#[derive(Clone, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) request: &'a SetupRequest,
    pub(crate) writer: Place,
    pub(crate) readers: Vec<Place>,
}

impl<'a> Site<'a> {
    /// The request's, if it can be met.
    pub(crate) fn new(request: &'a SetupRequest) -> Result<Self, SetupError> {
        let (writer, readers) = validate::places(request)?;
        Ok(Self { request, writer, readers })
    }

    /// The regions, the writer's first.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.writer).chain(&self.readers)
    }

    /// Whether a datastore is asked for.
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
    pub(crate) fn local_name(&self, part: &str, place: &Place) -> String {
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
    pub(crate) fn id(&self, place: &Place, part: &str) -> StackId {
        StackId { region: place.aws.clone(), name: self.name(part) }
    }

    /// The stacks of that part in the regions of readers before this one.
    pub(crate) fn readers_before<'s>(&'s self, place: &'s Place, part: &'s str) -> impl Iterator<Item = StackId> + 's {
        let earlier = self.readers.iter().take_while(move |reader| *reader != place);
        earlier.filter(move |_| !place.is_writer).map(move |reader| self.id(reader, part))
    }

    /// An output of a stack.
    pub(crate) fn output(&self, place: &Place, part: &str, output: &str) -> OutputRef {
        OutputRef { stack: self.id(place, part), output: output.to_owned() }
    }

    /// A stack to be written.
    pub(crate) fn stack(&self, place: &Place, part: &str, purpose: &'static str) -> Stack {
        Stack::new(self.id(place, part), purpose, &self.request.name)
    }
}
