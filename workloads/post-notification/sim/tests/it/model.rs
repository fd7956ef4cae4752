//! Models: fingerprints and errors.

use matrix_app::Micros;
use matrix_driver::{Cancel, Driver};
use matrix_plan::{Combination, NotificationStorage, PostStorage};
use matrix_sim::{EPOCH, Model, SimDriver};

use crate::cells;
use crate::rows::{Rows, builtin};

fn combination(regions: &str) -> Combination {
    Combination::new(PostStorage::Redis, NotificationStorage::Sns, regions.parse().unwrap())
}

fn fingerprint(text: &str) -> String {
    Model::parse(text).unwrap().fingerprint(&combination("eu->us")).unwrap().as_str().to_owned()
}

/// The built-in text with the first `from` after `after` replaced.
fn edited(after: &str, from: &str, to: &str) -> String {
    let text = Model::BUILTIN_TEXT;
    let start = text.find(after).unwrap_or_else(|| panic!("`{after}` is not in the model"));
    let (head, tail) = text.split_at(start);
    assert!(tail.contains(from), "`{from}` is not after `{after}`");
    format!("{head}{}", tail.replacen(from, to, 1))
}

#[test]
fn a_fingerprint_has_the_parameters_that_the_cell_uses_and_no_others() {
    let reference = fingerprint(Model::BUILTIN_TEXT);
    let unused = [
        edited("[post_storage.s3.write]", "value = 380", "value = 381"),
        edited("[notification_storage.amq]", "value = 1,", "value = 2,"),
        edited("[post_storage.redis.regions.\"eu->sg\"]", "lag_factor = { value = ", "lag_factor = { value = 1"),
        edited("[[anchor]]", "mean = { value = ", "mean = { value = 1"),
        edited("[post_storage.redis.write]", "assumption: ", "published: nowhere, "),
        format!("# A comment.\n{}", Model::BUILTIN_TEXT),
        // The same time in another unit.
        edited("[post_storage.redis.write]", "value = 70, unit = \"ms\"", "value = 70000, unit = \"us\""),
    ];
    for text in unused {
        assert_eq!(fingerprint(&text), reference);
    }
    let used = [
        edited("[post_storage.redis.write]", "value = 70", "value = 71"),
        edited("[post_storage.redis.poll]", "value = 2", "value = 3"),
        edited("[post_storage.redis.lag]", "cv = { value = 0.25", "cv = { value = 0.26"),
        edited("[post_storage.redis.regions.\"eu->us\"]", "value = ", "value = 1"),
        edited("[notification_storage.sns]", "value = 2", "value = 3"),
        edited("[rtt]", "value = 91", "value = 90"),
        edited("[functions]", "value = 1000", "value = 10"),
        edited("[client.leg]", "value = 20", "value = 21"),
    ];
    for text in used {
        assert_ne!(fingerprint(&text), reference);
    }
}

#[test]
fn a_fingerprint_is_canonical_and_says_what_was_extrapolated() {
    let model = builtin();
    let [known, other] =
        ["eu->us", "us->sg"].map(|pair| model.fingerprint(&combination(pair)).unwrap().as_str().to_owned());
    assert!(known.contains(r#""extrapolated":false"#) && !known.contains(r#""extrapolated":true"#));
    assert!(other.contains(r#""extrapolated":true"#));
    assert!(other.contains(r#""lag_shift_ms":60"#), "half of 211 - 91 ms: {other}");
    assert!(known.contains(r#""sim_version":1"#) && !known.contains("assumption") && !known.contains("published"));
}

#[test]
fn a_pair_without_a_round_trip_time_is_an_error_that_names_it() {
    let error = builtin().fingerprint(&combination("eu->br")).unwrap_err();
    assert_eq!(error.to_string(), "the model has no round-trip time for `eu->br`: add it under [rtt]");
}

#[test]
fn a_cell_of_another_model_is_refused() {
    let cell = cells::cell(cells::inputs(&builtin(), PostStorage::Redis, NotificationStorage::Sns, false, 5));
    let other = Model::parse(&edited("[post_storage.redis.write]", "value = 70", "value = 71")).unwrap();
    let error = SimDriver::new(other).attempt(&cell, &mut Rows::default(), &Cancel::default()).unwrap_err();
    assert_eq!(error.to_string(), "the cell was planned under another model or version of the simulator");
}

#[test]
fn errors_say_where_and_what() {
    let cases = [
        edited("[post_storage.redis.write]", "mean =", "maen ="),
        edited("[post_storage.redis.write]", "unit = \"ms\"", "unit = \"hours\""),
        edited("[post_storage.redis.write]", "value = 70", "value = -70"),
        edited("[post_storage.redis.write]", "value = 70", "value = nan"),
        edited("[post_storage.redis.write]", "law = \"lognormal\"", "law = \"gauss\""),
        edited("[post_storage.redis.write]", "cv = ", "value = "),
        edited("[post_storage.redis]", "[post_storage.redis]", "[post_storage.rediss]"),
        edited("[post_storage.redis.regions.\"eu->us\"]", "\"eu->us\"", "\"eu->eu\""),
        edited("[notification_storage.sns]", "concurrent", "ordered"),
        edited("[notification_storage.amq]", "lanes = { value = 1", "lanes = { value = 0.5"),
        edited("[notification_storage.sns.trigger]", "[0.5, 73]", "[0.5, 50]"),
        edited(
            "[functions]",
            "published: AWS Lambda operator guide, scaling and concurrency, the default limit of a region",
            " ",
        ),
        edited("schema = 1", "schema = 1", "schema = 2"),
        "schema = ".to_owned(),
    ];
    let errors: Vec<String> = cases.iter().map(|text| Model::parse(text).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(errors.join("\n"));
    assert_eq!(
        Model::builtin("gcp").unwrap_err().to_string(),
        "there is no built-in model `gcp`: the only one is `aws-2021`"
    );
}

#[test]
fn the_epoch_is_the_first_of_october_2021() {
    // 2021-10-01 is day 18901 since 1970-01-01.
    assert_eq!(EPOCH, Micros(18_901 * 86_400 * 1_000_000));
}
