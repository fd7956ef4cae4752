//! Writes the corpus from which fuzzing starts: small files of each kind, made by the code that makes them for users.
//!
//! `scripts/fuzz --corpus` runs it; it replaces what stands in `fuzz/corpus/*/from-*` and leaves other files alone.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use matrix_app::wire::{deliver_amq, deliver_dynamo, deliver_sns, reply_to};
use matrix_app::{Evaluation, Event, Lineage, LineageId, Micros, Outcome, WriteId};
use matrix_archive::{CreateOptions, Selection, create};
use matrix_bundle::Extras;
use matrix_driver::{Cancel, Driver};
use matrix_fuzz::frames::Frame;
use matrix_plan::{Again, Cell, CellState, Experiment, Part, Plan, order};
use matrix_sim::{Model, SimDriver};
use matrix_store::{AttemptId, Execution, NewRun, Origin, Provenance, Sealed, Store};
use matrix_traces::{Attempt, Record};

type Done<T> = Result<T, Box<dyn Error>>;

const EXPERIMENT: &str = r#"schema = 1
name = "tiny"
requests = 3
seed = 2023

[[matrix]]
name = "pairs"
post_storage = ["redis"]
notification_storage = ["sns"]
regions = ["eu->us"]
delay_ms = [0]
antipode = [false, true]

[[claim]]
id = "antipode-prevents"
says = "With antipode on, no reader misses its post"
where = { antipode = true }
every_row = "consistent"
"#;

fn main() -> Done<()> {
    let fuzz = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run it by cargo, which says where the package is")?;
    let fuzz = Path::new(&fuzz);
    let project = fuzz.join("..");
    let write = |target: &str, name: &str, bytes: &[u8]| -> Done<()> {
        let folder = fuzz.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join(format!("from-{name}")), bytes)?)
    };
    let experiment = Experiment::parse(EXPERIMENT)?;
    let model = Model::builtin(Model::BUILTIN_NAME)?;
    let cells = cells(&experiment, &model)?;

    let directory = tempfile::tempdir()?;
    let root = directory.path().join("results");
    let run = make_store(&root, &experiment, &model, &cells)?;
    let store = Store::open(&root)?;
    let files = store.run(&run)?;
    write("journal", "a-run", &fs::read(files.directory().join("journal.jsonl"))?)?;
    for record in store.records::<Record>()? {
        let record = record?;
        let name = if record.inputs.axes.antipode { "on" } else { "off" };
        write("record", &format!("record-{name}"), &record.to_bytes()?)?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut store.open_object(&record.object.sha256)?, &mut bytes)?;
        write("rows", &format!("object-{name}"), &bytes)?;
    }
    for (number, id) in store.attempts()?.iter().enumerate() {
        let attempt = store.attempt::<Attempt>(id)?.ok_or("an attempt that is listed")?;
        write("record", &format!("attempt-{number}"), &attempt.to_bytes()?)?;
    }

    let extras = Extras {
        readme: b"# Results\n".to_vec(),
        license: b"MIT\n".to_vec(),
        citation: b"cff-version: 1.2.0\n".to_vec(),
        tables: BTreeMap::from([("tiny/summary.csv".to_owned(), b"a,b\n1,2\n".to_vec())]),
        figures: BTreeMap::from([("tiny/window.svg".to_owned(), b"<svg/>\n".to_vec())]),
        source: BTreeMap::from([("Cargo.lock".to_owned(), b"version = 4\n".to_vec())]),
        ..Extras::default()
    };
    let mut bundle = Vec::new();
    let options = CreateOptions { allow_incomplete: true, ..CreateOptions::default() };
    create(&store, &Selection::default(), &extras, &options, &mut bundle)?;
    let archive = zstd::decode_all(bundle.as_slice())?;
    write("verify", "bundle", &bundle)?;
    write("verify", "archive", &archive)?;
    write("extract", "archive", &archive)?;
    parts(&archive, &|name, bytes| write("bundle", name, bytes))?;
    write("bundle", "signers", &fs::read(project.join("crates/bundle/src/tests/test_key.pub"))?)?;

    write("experiment", "tiny", EXPERIMENT.as_bytes())?;
    for name in ["quick", "sosp"] {
        write("experiment", name, &fs::read(project.join(format!("experiments/{name}.toml")))?)?;
    }
    write("experiment", "flags", b"post_storage=mysql,notification_storage=sns,regions=eu->us,antipode=true")?;
    write("filter", "help", b"post_storage=s3 and delay_ms<1000 and regions=\"eu->us\"")?;
    write("filter", "all", b"not (antipode = true or round >= 2) and notification_storage != amq")?;
    write("model", "aws-2021", Model::BUILTIN_TEXT.as_bytes())?;

    let golden = project.join("workloads/post-notification/antipode-artifact/golden/gather");
    for (name, folder) in [
        ("on", "cache-sns/antipode__eu-us__4__delay-0ms-20230915140012"),
        ("off", "cache-sns/eu-us__5__delay-0ms-20230915134647"),
        ("delay", "dynamo-mq/eu-sg__2__delay-1500ms-20230916091501"),
    ] {
        write("gather", name, &fs::read(golden.join(folder).join("traces.csv"))?)?;
        write("tags", name, &fs::read(golden.join(folder).join("tags.yml"))?)?;
        let (pair, folder) = folder.split_once('/').ok_or("two folders")?;
        write("tags", &format!("{name}-folder"), folder.as_bytes())?;
        write("tags", &format!("{name}-pair"), pair.as_bytes())?;
    }
    let aws = project.join("workloads/post-notification/aws");
    write("connection", "original", &fs::read(aws.join("tests/original/connection_info.yaml"))?)?;
    write("prices", "2026-11", &fs::read(aws.join("prices/2026-11.toml"))?)?;
    frames(&|name, bytes| write("stomp", name, bytes))?;
    messages(&|name, bytes| write("event", name, bytes))
}

/// Frames of both sides of a conversation with a broker.
fn frames(write: &dyn Fn(&str, &[u8]) -> Done<()>) -> Done<()> {
    let connect = Frame::new("CONNECT").with("accept-version", "1.2").with("login", "someone").with("passcode", "a:b");
    write("connect", &connect.encode())?;
    let send =
        Frame::new("SEND").with("destination", "/queue/notifications").with("receipt", "1").with_body("{\"i\":1}");
    write("send", &send.encode())?;
    write("connected", b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0\n")?;
    write("message", b"\r\n\nMESSAGE\r\nmessage-id:ID\\c1\r\nack:7\r\n\r\n{\"i\":1}\0\nRECEIPT\nreceipt-id:1\n\n\0")
}

fn cells(experiment: &Experiment, model: &Model) -> Done<Vec<(u32, Cell)>> {
    let placed = order::arrange(experiment.seed, experiment.cells()).into_iter();
    placed
        .map(|placed| {
            let fingerprint = model.fingerprint(&placed.spec.axes.combination)?;
            Ok((placed.block, placed.spec.with_fingerprint(fingerprint, matrix_app::WORKLOAD_VERSION)?))
        })
        .collect()
}

/// A store in which the cells were tried twice, and failed first.
fn make_store(root: &Path, experiment: &Experiment, model: &Model, cells: &[(u32, Cell)]) -> Done<String> {
    let store = Store::create_or_open_for_writing(root, "corpus")?;
    let planned = cells.iter().map(|(block, cell)| (*block, cell));
    let plan =
        serde_json::to_vec(&Plan::new(experiment, &Part::default(), &Again::None, planned, |_| CellState::Pending))?;
    let text = EXPERIMENT.as_bytes();
    let new =
        NewRun { time: "20261122T130000Z", name: "tiny", experiment: text, model: Some(b"# a model\n"), plan: &plan };
    let (run, journal) = store.create_run(&new)?;
    let driver = SimDriver::new(model.clone());
    for (number, (_, cell)) in cells.iter().enumerate() {
        let execution = |second: usize| -> Done<Execution> {
            Ok(Execution {
                id: format!("20261122T13000{second}.000000Z-{}", cell.key.short()).parse::<AttemptId>()?,
                key: cell.key,
                origin: Origin::default(),
                run: Some(run.id().clone()),
                started: format!("2026-11-22T13:00:0{second}.000Z"),
                ended: format!("2026-11-22T13:00:0{}.000Z", second + 1),
                provenance: Provenance { matrix: "0.2.0".to_owned(), cpus: Some(2), ..Provenance::default() }.into(),
            })
        };
        if number == 0 {
            let attempt = Attempt::failed(execution(1)?, &cell.inputs, "the storage \"broke\"".to_owned())?;
            store.write_attempt(&attempt)?;
            let (attempt, error) = (attempt.id, "the storage \"broke\"".to_owned());
            journal.append(&matrix_store::Event::Failed { attempt, cell: cell.key, error })?;
        }
        let attempt = execution(5)?;
        journal.append(&matrix_store::Event::Started { attempt: attempt.id.clone(), cell: cell.key })?;
        let mut sink = matrix_traces::TraceSink::new(&store, cell.inputs.requests)?;
        let told = driver.attempt(cell, &mut sink, &Cancel::default())?;
        let object = sink.finish()?;
        let attempt = Attempt::done(attempt, &told, object.digest)?;
        store.write_attempt(&attempt)?;
        store.write_record(&Record::new(cell, Origin::default(), &object, false)?)?;
        journal.append(&matrix_store::Event::Done { attempt: attempt.id, cell: cell.key })?;
    }
    journal.append(&matrix_store::Event::Finished)?;
    drop(journal);
    store.close()?;
    Ok(run.id().to_string())
}

/// The small parts of a bundle: a header, the files of the bag, the list of cells.
fn parts(archive: &[u8], write: &dyn Fn(&str, &[u8]) -> Done<()>) -> Done<()> {
    let mut rest = archive;
    while let Some((header, after)) = rest.split_first_chunk::<512>() {
        let name =
            String::from_utf8_lossy(header[..100].split(|&byte| byte == 0).next().unwrap_or_default()).into_owned();
        let Some((_, path)) = name.split_once('/') else { break };
        let size = usize::from_str_radix(str::from_utf8(&header[124..135])?, 8)?;
        let file = path.rsplit('/').next().unwrap_or_default();
        if ["bag-info.txt", "manifest-sha256.txt", "cells.csv"].contains(&file) {
            write(file, &after[..size])?;
            write(&format!("{file}-header"), header)?;
            write(&format!("{file}-path"), path.as_bytes())?;
        }
        rest = &after[size.next_multiple_of(512)..];
    }
    Ok(())
}

/// An event on every way that it travels, and the evaluation of it.
fn messages(write: &dyn Fn(&str, &[u8]) -> Done<()>) -> Done<()> {
    let at = |ms: i64| Micros(1_633_046_400_000_000 + ms * 1000);
    let mut lineage = Lineage::new(LineageId(7));
    lineage.append(WriteId { key: "AB0000000001".into(), version: None });
    let context = lineage.to_context()?;
    let mut event = Event::new(1, "AB0000000001", at(0));
    write("event-plain", event.to_json()?.as_bytes())?;
    event.context = Some(context.as_str().into());
    event.attempt = Some("0123456789abcdef".into());
    (event.antipode, event.delay_ms, event.payload_bytes) = (Some(true), Some(100), Some(1_000_000));
    (event.writer_start_at, event.post_written_at, event.notification_written_at) =
        (Some(at(20)), Some(at(400)), Some(at(501)));
    let text = event.to_json()?;
    write("event", text.as_bytes())?;
    write("lineage", context.as_bytes())?;
    write("sns", &deliver_sns(&text)?)?;
    write("amq", &deliver_amq(&text)?)?;
    write("dynamo", &deliver_dynamo(event.to_dynamo_item())?)?;
    write("reply", &reply_to(&event)?)?;
    let evaluation = Evaluation { outcome: Some(Outcome::Ok), ..Evaluation::from_json(EVALUATION.as_bytes())? };
    write("evaluation", &evaluation.to_json()?)
}

const EVALUATION: &str = r#"{"i":1,"client_sent_at":1633046400.5,"reader_received_at":1633046401.25,"read_start_at":1633046401.5,"post_read_at":1633046402.0,"consistent_read":1,"lineage_bytes":120,"reader_instance":3,"reader_cold":true}"#;
