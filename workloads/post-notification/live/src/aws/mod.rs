//! AWS itself: getting in, staying in when credentials expire, setting up, examining and cleaning.

mod access;
mod chain;
mod clean;
mod doctor;
mod error;
mod operator;
mod pause;
mod provision_error;
mod refusal;
mod renewal;
mod setup;
mod watch;

pub use access::Access;
pub use clean::{Elsewhere, Inventory, Thing};
pub use doctor::{Examination, Finding, Verdict};
pub use error::AwsError;
pub use operator::Operator;
pub use pause::{Pause, Stopwatch};
pub use provision_error::{Failed, ProvisionError};
pub(crate) use refusal::{error_code, is_refusal};
pub use renewal::Renewal;
pub use setup::{Action, Done, Planned, Progress, Tell};
