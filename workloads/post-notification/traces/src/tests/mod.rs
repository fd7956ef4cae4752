//! Tests of the store as a whole.

mod crash;
mod damage;
mod fixture;
mod garbage;
mod index;
mod lock;
mod object;
mod sample;
