mod bundles;
mod damage;
mod fixture;
mod forge;
mod hostile;
mod merging;
mod parsing;
#[path = "../../../traces/src/tests/sample.rs"]
mod sample;
mod tools;
