//! Set-ups on a *synthetic* cloud: a server of the tests that answers as the services' published models say, for RDS,
//! ElastiCache, Amazon MQ and peering, which no local part implements. It proves what the command does with such answers, in
//! which order, and how it takes faults; it proves nothing about the services.

mod answers;
mod cloud;
mod faults;
mod http;
mod ill;
mod lab;
mod order;
mod values;
