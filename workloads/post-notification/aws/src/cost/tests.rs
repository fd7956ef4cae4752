//! Costs, computed by hand from round prices.

use std::collections::BTreeSet;
use std::fmt::Write;

use matrix_plan::aws::AwsServices;
use matrix_plan::{Aws, Axes, CellInputs, Experiment, Problems, Region, Regions};

use super::assumptions::missed_polls;
use super::*;
use crate::{Datastore, SetupRequest};

/// Prices in round numbers: each item costs a power of ten in every region, so that a sum shows what it is made of.
fn round_prices() -> Prices {
    let mut text = "schema = 1\ndate = \"2000-01-01\"\n".to_owned();
    for item in Item::ALL {
        let class = match item {
            Item::AuroraInstance => "class = \"db.r6g.large\"\n",
            Item::ElasticacheNode => "class = \"cache.r5.large\"\n",
            Item::MqBroker => "class = \"mq.m5.large\"\n",
            _ => "",
        };
        let _ = write!(
            text,
            "[[price]]\nitem = \"{}\"\n{class}region = \"*\"\nusd = 1\nper = 1000\nunit = \"u\"\nsource = \"s\"\ndate = \"2000-01-01\"\n",
            item.as_str()
        );
    }
    Prices::parse(&text).unwrap()
}

/// The first cell of an experiment of 1000 requests.
fn experiment(axes: &str, settings: &str) -> (Experiment, CellInputs) {
    let text = format!(
        "schema = 1\nname = \"n\"\nplatform = \"aws\"\nrequests = 1000\n{settings}\n[[matrix]]\nname = \"m\"\n{axes}\n"
    );
    let experiment = Experiment::parse(&text).unwrap();
    let spec = experiment.cells().remove(0);
    let fingerprint = experiment.aws.fingerprint(&spec.axes.combination, &experiment.regions).unwrap();
    (experiment, spec.with_fingerprint(fingerprint, 1).unwrap().inputs)
}

fn cost(prices: &Prices, axes: &str, settings: &str) -> CellCost {
    let (experiment, cell) = experiment(axes, settings);
    Costs::new(prices, &experiment.aws, &experiment.regions, &experiment.points).cell(&cell).unwrap()
}

fn axes(post: &str, notification: &str, regions: &str, delay: u64, antipode: bool) -> String {
    format!(
        "post_storage = [\"{post}\"]\nnotification_storage = [\"{notification}\"]\nregions = [{regions}]\n\
         delay_ms = [{delay}]\nantipode = [{antipode}]"
    )
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9 * other.abs().max(1.0)
}

#[test]
fn redis_and_sns_by_hand() {
    let cost = cost(&round_prices(), &axes("redis", "sns", "\"eu->us\"", 0, false), "");
    // 1000 invocations in each region; writers run 499.49 ms and readers 250 ms, with an eighth of a GB.
    let lambda = 2000.0 + 1000.0 * (0.49949 + 0.25) / 8.0;
    assert!(close(cost.dollars[&Service::Lambda], lambda / 1000.0), "{cost:?}");
    assert!(close(cost.dollars[&Service::Sqs], 3.0) && close(cost.dollars[&Service::Sns], 1.0));
    // 2,871,000 bytes and 200 of overhead, and 1,000 of the notification: 2.8722 GB.
    assert_eq!(cost.bytes_between_regions, 2_872_200_000);
    assert!(close(cost.dollars[&Service::Transfer], 2.8722 / 1000.0));
    assert_eq!((cost.requests, cost.barrier_polls, cost.dollars.len()), (1000, 0, 4));
    // Eight clients, 599.49 ms each: 74.93625 s; the last request; two minutes of settling.
    assert!(close(cost.minutes, (74.936_25 + 0.749_49) / 60.0 + 2.0), "{}", cost.minutes);
    assert!(close(cost.total(), cost.dollars.values().sum()));
}

#[test]
fn dynamo_by_hand() {
    let cost = cost(&round_prices(), &axes("dynamo", "dynamo", "\"eu->us\", \"eu->sg\"", 0, true), "");
    // Items of 350,200 bytes are 342 KiB, and 86 times 4 KiB; written and removed in three regions; so are notifications
    // of one KiB.
    let written = 2000.0 * 3.0 * (342.0 + 1.0);
    // A weak read (43), a question that finds the item (86), and 27 that do not: see below.
    let read = 1000.0 * (43.0 + 86.0 + 27.0);
    assert!(close(cost.dollars[&Service::Dynamo], (written + read) / 1000.0), "{cost:?}");
    // To two regions, whoever reads.
    assert_eq!(cost.bytes_between_regions, 1000 * 2 * (350_200 + 1000));
    assert_eq!(cost.barrier_polls, 28_000);
    // Readers wait 1379.01 ms; four shards serve one of them at a time: 1000 * 1.62901 s / 4.
    assert!(close(cost.minutes, (407.2525 + 0.679_25 + 1.629_01) / 60.0 + 2.0), "{}", cost.minutes);
}

#[test]
fn polls_follow_the_barrier_s_pauses() {
    let (_, cell) = experiment(&axes("dynamo", "sns", "\"eu->us\"", 0, true), "");
    // Pauses of 1, 2, 4, 8, 16, 32 and then 50 ms, 10 ms for each question: six take 123 ms, the other 20 of 60 ms reach
    // 1323 ms, which is less than 1379.01, and one more is needed.
    assert_eq!(missed_polls(1379.01, cell.barrier), 6 + 21);
    assert_eq!(missed_polls(123.0, cell.barrier), 6);
    assert_eq!(missed_polls(0.0, cell.barrier), 0);
    assert_eq!(missed_polls(1.0, cell.barrier), 1);
}

#[test]
fn s3_and_mysql_by_hand() {
    let prices = round_prices();
    let s3 = cost(&prices, &axes("s3", "amq", "\"eu->us\", \"eu->sg\"", 17_686, true), "");
    // A delay as long as the wait: 0.36 ms are left, one question finds nothing, one finds it, and one reads. Written in
    // three regions.
    assert!(close(s3.dollars[&Service::S3], (3000.0 + 3000.0) / 1000.0), "{s3:?}");
    assert!(!s3.dollars.contains_key(&Service::Sns));

    let mysql = cost(&prices, &axes("mysql", "sns", "\"eu->us\"", 0, false), "");
    // 1,000,200 bytes: 245 writes of 4 KiB there and replicated, 62 pages of 16 KiB read.
    assert!(close(mysql.dollars[&Service::Aurora], f64::from(245 + 245 + 62)), "{mysql:?}");
}

#[test]
fn what_is_set_counts() {
    let prices = round_prices();
    let of = |settings: &str, delay| cost(&prices, &axes("redis", "sns", "\"eu->us\"", delay, false), settings);
    let base = of("", 0);
    let bigger = of("aws.memory_mb = 1024", 0);
    let seconds = |cost: &CellCost| cost.dollars[&Service::Lambda] - 2.0;
    assert!(close(seconds(&bigger), 8.0 * seconds(&base)));
    assert!(of("", 1000).minutes > base.minutes && close(of("", 1000).total() - base.total(), 1.0 / 8.0));
    // Ten a second: 100 s.
    assert!(close(of("rate = 10", 0).minutes, (100.0 + 0.749_49) / 60.0 + 2.0));
    assert_eq!(of("payload = 1", 0).bytes_between_regions, 1000 * 1201);
    let mut twice = base.clone();
    twice.add(&base);
    assert!(close(twice.total(), 2.0 * base.total()) && twice.requests == 2000);
    assert!(CellCost::default().total().is_sign_positive(), "no cells cost 0, not -0");
}

fn request(stores: &[Datastore], readers: &[&str]) -> SetupRequest {
    SetupRequest {
        name: "matrix".into(),
        writer: Region::new("eu").unwrap(),
        readers: readers.iter().map(|reader| Region::new(reader).unwrap()).collect(),
        regions: Regions::built_in(),
        stores: stores.iter().copied().collect::<BTreeSet<_>>(),
        services: AwsServices::default(),
        write_units: None,
    }
}

#[test]
fn a_set_up_costs_what_it_has() {
    let prices = round_prices();
    let hourly = |stores: &[Datastore], readers: &[&str]| setup_cost(&request(stores, readers), &prices).unwrap();
    // What scales to nothing costs nothing by the hour.
    let nothing = hourly(&[Datastore::Sns, Datastore::Dynamo, Datastore::S3], &["us", "sg"]);
    assert_eq!(nothing.lines, []);
    assert!(nothing.to_string().contains(" 0.0000 $/h, 0.00 $ a day"), "{nothing}");
    // Two nodes in each of two regions, and an endpoint where readers are.
    assert!(close(hourly(&[Datastore::Redis], &["us"]).total(), (4.0 + 1.0) / 1000.0));
    // With SNS, writers need one as well.
    assert!(close(hourly(&[Datastore::Redis, Datastore::Sns], &["us"]).total(), (4.0 + 2.0) / 1000.0));
    // An instance in each of three regions, a secret where the writer is, and endpoints where readers are.
    let mysql = hourly(&[Datastore::Mysql], &["us", "sg"]);
    assert!(close(mysql.total(), (3.0 + 2.0 + 1.0 / 730.0) / 1000.0));
    // A broker and a secret in each of two regions, and four endpoints for the reader's event source.
    assert!(close(hourly(&[Datastore::Amq], &["us"]).total(), (2.0 + 4.0 + 2.0 / 730.0) / 1000.0));
    let mut bigger = request(&[Datastore::Mysql], &["us"]);
    bigger.services.mysql_class = "db.r6g.xlarge".into();
    let error = setup_cost(&bigger, &prices).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the prices of 2000-01-01 have none of aurora.instance db.r6g.xlarge in eu-central-1"
    );
}

#[test]
fn a_set_up_of_everything_reads_like_this() {
    let cost = setup_cost(&request(&Datastore::ALL, &["us", "sg"]), &Prices::builtin().unwrap()).unwrap();
    insta::assert_snapshot!(cost.to_string());
    let documented = format!("{:.2} dollars an hour with all six stores in three regions", cost.total());
    let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let text = std::fs::read_to_string(std::path::Path::new(&root).join("../../../docs/aws.md")).unwrap();
    assert!(text.contains(&documented), "docs/aws.md: {documented}");
}

#[test]
fn the_shipped_prices_are_whole_and_say_where_they_are_from() {
    let prices = Prices::builtin().unwrap();
    for item in Item::ALL {
        let (_, class, ..) = prices.iter().find(|(of, ..)| *of == item).unwrap();
        assert!(prices.of(item, class, "mars-north-1").is_ok(), "{}", item.as_str());
    }
    for (item, _, region, price) in prices.iter() {
        // No list of prices was at hand for regions that have no price of their own.
        assert!(region != "*" || price.source.starts_with("assumed: "), "{} {region}", item.as_str());
        let anywhere = prices.iter().find(|(of, _, there, _)| *of == item && *there == "*").unwrap().3;
        assert!(anywhere.usd >= price.usd, "{} elsewhere is cheaper than in {region}", item.as_str());
    }
}

/// What is wrong with the shipped prices after a change.
fn changed(from: &str, to: &str) -> String {
    assert!(Prices::BUILTIN_TEXT.contains(from), "{from}");
    let text = Prices::BUILTIN_TEXT.replacen(from, to, 1);
    let Problems(problems) = Prices::parse(&text).unwrap_err();
    let mut shown = String::new();
    for problem in problems {
        let span = problem.span.clone().unwrap();
        let line = text[..span.start].matches('\n').count() + 1;
        let _ = writeln!(shown, "line {line}: {} <{}>", problem.message, problem.label.unwrap_or_default());
    }
    shown
}

#[test]
fn a_file_of_prices_that_is_wrong_is_pointed_at() {
    let shown = [
        ("schema = 1", "schema = 2"),
        ("date = \"2026-11-25\"", "date = \"November\""),
        ("lambda.request", "lambda.requests"),
        ("region = \"us-east-1\"", "region = \"us\""),
        ("region = \"*\"", "region = \"us-east-1\""),
        ("usd = 0.2\n", "usd = -0.2\n"),
        ("usd = 0.2\n", "usd = nan\n"),
        ("usd = 0.2\n", "usd = \"0.2\"\n"),
        ("usd = 0.2\n", "eur = 0.2\n"),
        ("per = 1000000", "per = 0"),
        ("unit = \"request\"", "unit = \"\""),
        ("class = \"mq.m5.large\"\n", ""),
        ("unit = \"request\"", "class = \"x\"\nunit = \"request\""),
        ("[[price]]", "[[price"),
    ]
    .map(|(from, to)| format!("{} => {}\n{}", from.trim(), to.trim(), changed(from, to)));
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn the_settings_of_an_experiment_reach_its_costs() {
    let aws = Aws { memory_mb: 256, ..Aws::default() };
    let (experiment, cell) = experiment(&axes("s3", "sns", "\"eu->us\"", 0, false), "");
    let points: &[Axes] = &experiment.points;
    let prices = round_prices();
    let of = |aws: &Aws| Costs::new(&prices, aws, &experiment.regions, points).cell(&cell).unwrap().total();
    assert!(of(&aws) > of(&Aws::default()));
}
