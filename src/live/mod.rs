//! Drivers of real services. They come with feature `live`; without it, what needs them says how to build them in.

#[cfg(feature = "live")]
pub(crate) mod driver;
#[cfg(feature = "live")]
pub(crate) mod local;
#[cfg(feature = "live")]
mod on_aws;
#[cfg(feature = "live")]
mod packages;
#[cfg(feature = "live")]
mod quarantine;

#[cfg(not(feature = "live"))]
mod absent;

#[cfg(not(feature = "live"))]
pub(crate) use absent::{driver, not_built_in};
#[cfg(feature = "live")]
pub(crate) use driver::driver;
