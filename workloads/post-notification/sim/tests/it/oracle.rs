//! The simulator against a plain event loop without futures.

use matrix_driver::nonce_of;
use matrix_plan::{Arrival, NotificationStorage, PostStorage};
use matrix_sim::SimDriver;
use matrix_sim::cell::Setup;

use crate::rows::{Rows, builtin, run, trace};
use crate::{cells, plain_loop};

#[test]
fn a_plain_event_loop_gives_the_same_bytes() {
    let model = builtin();
    for (seed, clients, requests) in [(1, 8, 3000), (2, 1, 200), (3, 64, 2000), (4, 8, 3)] {
        let mut inputs = cells::inputs(&model, PostStorage::Redis, NotificationStorage::Sns, false, requests);
        inputs.seed = seed;
        inputs.arrival = Arrival::Concurrency(clients);
        let cell = cells::cell(inputs.clone());
        let stream = inputs.pair_key().unwrap();
        let setup = Setup::new(&model, &inputs, &stream, nonce_of(&cell.key)).unwrap();
        let mut plain = Rows::default();
        plain_loop::run(&setup, &mut plain);
        let simulated = run(&SimDriver::new(model.clone()), inputs);
        assert!(trace(&plain.sorted(requests)) == trace(&simulated), "seed {seed}, {clients} clients");
    }
}
