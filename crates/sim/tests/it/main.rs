//! The simulator as its users see it: cells in, rows out.

#[path = "../../benches/cells/mod.rs"]
mod cells;
mod determinism;
mod faults;
mod fit;
mod laws;
mod model;
mod oracle;
#[path = "../../benches/plain_loop/mod.rs"]
mod plain_loop;
mod rows;
