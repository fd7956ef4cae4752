//! Tests of the store as a whole.

mod copying;
mod crash;
mod damage;
mod fixture;
mod garbage;
mod generations;
mod index;
mod lock;
mod object;
mod sample;
