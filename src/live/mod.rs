//! Real services. The drivers come with feature `live`; without it everything here says how to build them in.

#[cfg(feature = "live")]
mod aws;
#[cfg(feature = "live")]
mod driver;
#[cfg(feature = "live")]
mod kept;
#[cfg(feature = "live")]
mod on_aws;
#[cfg(feature = "live")]
mod packages;
#[cfg(feature = "live")]
mod phases;
#[cfg(feature = "live")]
mod strays;
#[cfg(feature = "live")]
mod testbed;

#[cfg(not(feature = "live"))]
mod absent;

#[cfg(not(feature = "live"))]
pub(crate) use absent::{aws, driver, phase, testbed};
#[cfg(feature = "live")]
pub(crate) use {aws::aws, driver::driver, phases::phase, testbed::testbed};
