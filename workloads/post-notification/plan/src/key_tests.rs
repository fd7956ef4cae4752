//! Keys: golden ones, and that each field of the inputs counts and nothing else does.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::axes::{NotificationStorage, Platform, PostStorage};
use crate::cell::{Arrival, Barrier, Cell, CellInputs, Fingerprint, Invocation};
use crate::point::{Axes, Combination};

fn example() -> CellInputs {
    CellInputs {
        axes: Axes {
            combination: Combination::new(PostStorage::Mysql, NotificationStorage::Sns, "eu->us".parse().unwrap()),
            delay_ms: 100,
            antipode: true,
        },
        arrival: Arrival::Concurrency(8),
        barrier: Barrier { min_ms: 1, max_ms: 50, deadline_ms: 120_000 },
        fingerprint: Fingerprint::new(&json!({ "sim": 1, "b": 0.5, "a": [1, "ü"] })).unwrap(),
        invocation: Invocation::RequestResponse,
        payload_bytes: 1_000_000,
        platform: Platform::Sim,
        requests: 1000,
        round: 1,
        seed: u64::MAX,
        workload_version: 1,
    }
}

/// Inputs that differ from the example in one field each: every field, and every part of a field.
fn variants() -> Vec<(&'static str, CellInputs)> {
    fn one(name: &'static str, change: impl FnOnce(&mut CellInputs)) -> (&'static str, CellInputs) {
        let mut inputs = example();
        change(&mut inputs);
        (name, inputs)
    }
    vec![
        one("post_storage", |inputs| inputs.axes.combination.post_storage = PostStorage::Redis),
        one("notification_storage", |inputs| {
            inputs.axes.combination.notification_storage = NotificationStorage::Dynamo;
        }),
        one("reader", |inputs| inputs.axes.combination.regions = "eu->sg".parse().unwrap()),
        one("writer", |inputs| inputs.axes.combination.regions = "sg->us".parse().unwrap()),
        one("direction", |inputs| inputs.axes.combination.regions = "us->eu".parse().unwrap()),
        one("delay_ms", |inputs| inputs.axes.delay_ms = 101),
        one("antipode", |inputs| inputs.axes.antipode = false),
        one("concurrency", |inputs| inputs.arrival = Arrival::Concurrency(9)),
        one("rate", |inputs| inputs.arrival = Arrival::RatePerSecond(8.0)),
        one("another rate", |inputs| inputs.arrival = Arrival::RatePerSecond(8.5)),
        one("min_ms", |inputs| inputs.barrier.min_ms = 2),
        one("max_ms", |inputs| inputs.barrier.max_ms = 51),
        one("deadline_ms", |inputs| inputs.barrier.deadline_ms = 120_001),
        one("fingerprint", |inputs| inputs.fingerprint = Fingerprint::new(&json!({ "sim": 2 })).unwrap()),
        one("invocation", |inputs| inputs.invocation = Invocation::Event),
        one("payload_bytes", |inputs| inputs.payload_bytes = 1_000_001),
        one("platform", |inputs| inputs.platform = Platform::Local),
        one("requests", |inputs| inputs.requests = 1001),
        one("round", |inputs| inputs.round = 2),
        one("seed", |inputs| inputs.seed = u64::MAX - 1),
        one("workload_version", |inputs| inputs.workload_version = 2),
    ]
}

/// Keys of the example, of the first variant, and of the example in an open loop.
const GOLDEN: [&str; 3] = [
    "72500632c853c3ca6711e13cbe2d9aed1f6f510814e612085db68607226445d9",
    "919d11282c2a3bce071fb2d3c026e0d1f99af27dc99da2f1d6681ed5b8f07335",
    "22463853a0360375d3c49fcd7df5289833c376496a82c11e94e88357f8e4ed36",
];
/// What the example has in common with its counterpart without antipode.
const GOLDEN_PAIR: &str = "4f349e388581908031448c082af0ce18615817101b8c745dd2b64684843e467f";

#[test]
fn golden_keys() {
    // A change here makes every stored result unreachable. It is right only with a new schema or workload version.
    let open = CellInputs { arrival: Arrival::RatePerSecond(0.5), invocation: Invocation::Event, ..example() };
    let inputs = [example(), variants().remove(0).1, open];
    let keys: Vec<String> = inputs.into_iter().map(|inputs| Cell::new(inputs).unwrap().key.to_string()).collect();
    assert_eq!(keys, GOLDEN);
    assert_eq!(example().pair_key().unwrap().to_string(), GOLDEN_PAIR);
}

#[test]
fn the_canonical_json_reads_like_this() {
    insta::assert_snapshot!(example().canonical().unwrap());
}

#[test]
fn each_field_changes_the_key() {
    let mut keys = BTreeSet::from([Cell::new(example()).unwrap().key]);
    for (field, inputs) in variants() {
        assert!(keys.insert(Cell::new(inputs).unwrap().key), "{field} does not count");
    }
    // All but antipode also change what an on/off pair has in common.
    for (field, inputs) in variants() {
        assert_eq!(inputs.pair_key().unwrap() == example().pair_key().unwrap(), field == "antipode", "{field}");
    }
}

#[test]
fn every_field_of_the_json_has_a_variant() {
    // So that a field that is added later cannot be forgotten above.
    let fields = |inputs: &CellInputs| -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(&inputs.canonical().unwrap()).unwrap()
    };
    let base = fields(&example());
    let mut changed: BTreeSet<String> = BTreeSet::from(["schema".to_owned()]);
    for (_, inputs) in variants() {
        let differing = fields(&inputs).into_iter().filter(|(name, value)| base.get(name) != Some(value));
        changed.extend(differing.map(|(name, _)| name));
    }
    assert_eq!(changed, base.keys().cloned().collect());
}

#[test]
fn spelling_and_order_of_the_fingerprint_do_not_count() {
    let other = r#"{ "a" : [1.0, "\u00fc"], "sim": 1e0, "b": 5E-1 }"#;
    let other: serde_json::Value = serde_json::from_str(other).unwrap();
    let inputs = CellInputs { fingerprint: Fingerprint::new(&other).unwrap(), ..example() };
    assert_eq!(Cell::new(inputs).unwrap().key, Cell::new(example()).unwrap().key);
}

fn any_inputs() -> impl Strategy<Value = CellInputs> {
    let region = "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?";
    let regions =
        (region, region).prop_filter_map("two regions", |(writer, reader)| format!("{writer}->{reader}").parse().ok());
    let combination = (select(PostStorage::ALL), select(NotificationStorage::ALL), regions);
    let axes = (combination, 0u64..=900_000, any::<bool>());
    let arrival = prop_oneof![
        (1u32..=1000).prop_map(Arrival::Concurrency),
        (0.001f64..=1e6).prop_map(Arrival::RatePerSecond),
        (1u32..=1_000_000).prop_map(|rate| Arrival::RatePerSecond(f64::from(rate))),
        (1u32..=1_000_000).prop_map(|rate| Arrival::RatePerSecond(f64::from(rate) / 1000.0)),
    ];
    let barrier = (1u64..100, 1u64..1000, 1u64..=86_400_000);
    let fingerprint = prop::collection::btree_map(
        ".{0,6}",
        prop_oneof![
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| json!(number)),
            ".{0,6}".prop_map(|text| json!(text)),
            prop::collection::vec(any::<i32>(), 0..3).prop_map(|numbers| json!(numbers)),
        ],
        0..4,
    );
    let counts = (1u64..=1_000_000_000, 1u64..=5 << 30, 1u32..1000, any::<u64>(), any::<u32>());
    let names = (select(Platform::ALL), select(vec![Invocation::RequestResponse, Invocation::Event]));
    (axes, arrival, barrier, fingerprint, counts, names).prop_map(
        |(axes, arrival, barrier, fingerprint, counts, names)| {
            let ((post_storage, notification_storage, regions), delay_ms, antipode) = axes;
            let (requests, payload_bytes, round, seed, workload_version) = counts;
            CellInputs {
                axes: Axes {
                    combination: Combination { post_storage, notification_storage, regions },
                    delay_ms,
                    antipode,
                },
                arrival,
                barrier: Barrier { min_ms: barrier.0, max_ms: barrier.1, deadline_ms: barrier.2 },
                fingerprint: Fingerprint::new(&fingerprint).unwrap(),
                invocation: names.1,
                payload_bytes,
                platform: names.0,
                requests,
                round,
                seed,
                workload_version,
            }
        },
    )
}

proptest! {
    #[test]
    fn the_canonical_form_is_canonical_and_nothing_gets_lost_in_it(inputs in any_inputs()) {
        let canonical = inputs.canonical().unwrap();
        let value: serde_json::Value = serde_json::from_str(&canonical).unwrap();
        prop_assert_eq!(&serde_json_canonicalizer::to_string(&value).unwrap(), &canonical);
        let back: CellInputs = serde_json::from_str(&canonical).unwrap();
        prop_assert_eq!(&back, &inputs);
        let cell = Cell::new(inputs).unwrap();
        prop_assert_eq!(Cell::new(back).unwrap().key, cell.key);
        let digest = crate::key::CellKey::of(canonical.as_bytes());
        prop_assert_eq!(cell.key, digest);
        prop_assert_eq!(digest.to_string().parse(), Ok(digest));
    }
}
