//! How fast bundles are made and checked, beside the stock tools that do the least that has to be done: decompress and
//! compress again (without even a `tar` between), decompress and hash. `cargo bench -p matrix-archive -- [MiB of traces]`; needs `zstd` and `sha256sum`.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use matrix_archive::{CreateOptions, Selection, VerifyOptions, create_file, extract, to_store, verify};
use matrix_bundle::{BundleReader, Extraction, Extras, Limits};
use matrix_driver::RowSink;
use matrix_store::{Origin, Store};
use matrix_traces::Record;

#[path = "../../traces/benches/sample/mod.rs"]
mod sample;

use sample::{cell, row};

type Outcomes<T> = Result<T, Box<dyn Error>>;

/// Requests of a cell: about 16 MiB of rows.
const REQUESTS: u64 = 100_000;

/// Makes a store with at least so many bytes of rows; returns how many, and the files of its objects.
fn fill(root: &Path, bytes: u64) -> Outcomes<(u64, Vec<PathBuf>)> {
    let store = Store::create_or_open_for_writing(root, "bench")?;
    let (mut made, mut objects) = (0, Vec::new());
    for number in 0.. {
        if made >= bytes {
            break;
        }
        let mut sink = matrix_traces::TraceSink::new(&store, REQUESTS)?;
        for i in 0..REQUESTS {
            sink.push(row(i, number * REQUESTS + i))?;
        }
        let object = sink.finish()?;
        store.write_record(&Record::new(&cell(number, REQUESTS)?, Origin::default(), &object, false)?)?;
        made += object.bytes;
        let hex = object.digest.to_string();
        objects.push(root.join("objects").join(&hex[..2]).join(hex + ".csv.zst"));
    }
    store.close()?;
    Ok((made, objects))
}

/// Processor time in seconds of this process and of those that it has waited for, where the system tells it in the way
/// of Linux, a hundred ticks a second: what counts when other programs run beside this one.
fn processor_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(4);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Best time and least processor time, both in seconds.
#[derive(Clone, Copy)]
struct Best {
    time_s: f64,
    processor_s: f64,
}

/// A way to do something, by its name.
type Way<'a> = (&'a str, &'a dyn Fn() -> Outcomes<()>);

/// Runs each way a few times, by turns so that what else the machine does meets all alike, and tells the best of each and
/// how it stands to the first.
fn side_by_side(ways: &[Way<'_>]) -> Outcomes<()> {
    let mut best = vec![Best { time_s: f64::INFINITY, processor_s: f64::INFINITY }; ways.len()];
    for _ in 0..3 {
        for ((_, run), best) in ways.iter().zip(&mut best) {
            let (start, processor) = (Instant::now(), processor_s());
            run()?;
            best.time_s = best.time_s.min(start.elapsed().as_secs_f64());
            best.processor_s = best.processor_s.min(processor_s() - processor);
        }
    }
    for ((what, _), Best { time_s, processor_s }) in ways.iter().zip(&best) {
        let (time, processor) = (time_s / best[0].time_s, processor_s / best[0].processor_s);
        println!("{what:<36} {time_s:8.2} s {time:5.2} x, {processor_s:8.2} s of processors {processor:5.2} x");
    }
    Ok(())
}

/// Runs `first | second`, with the output going to a file.
fn pipe(first: &mut Command, second: &mut Command, out: &Path) -> Outcomes<()> {
    let mut first = first.stdout(Stdio::piped()).spawn()?;
    let between = first.stdout.take().ok_or("no pipe")?;
    let second = second.stdin(between).stdout(File::create(out)?).status()?;
    if first.wait()?.success() && second.success() { Ok(()) } else { Err("a stock tool failed".into()) }
}

fn main() -> Outcomes<()> {
    let mib = std::env::args().filter_map(|word| word.parse::<u64>().ok()).next().unwrap_or(1024);
    let directory = tempfile::tempdir()?;
    let root = directory.path().join("results");
    let (bytes, objects) = fill(&root, mib << 20)?;
    println!("{} MiB of rows in {} objects; the best of three", bytes >> 20, objects.len());
    let store = Store::open(&root)?;
    let (bundle, other) = (directory.path().join("bundle.tar.zst"), directory.path().join("other"));

    side_by_side(&[
        ("zstd -dc OBJECTS | zstd -3 -T2", &|| {
            pipe(
                Command::new("zstd").arg("-dcq").args(&objects),
                Command::new("zstd").args(["-3", "-T2", "-cq"]),
                &other,
            )
        }),
        ("create", &|| {
            create_file(&store, &Selection::default(), &Extras::default(), &CreateOptions::default(), &bundle)?;
            Ok(())
        }),
    ])?;
    println!("    {} MiB, the stock tools' {}", size(&bundle)? >> 20, size(&other)? >> 20);

    let check = |quick: bool| -> Outcomes<()> {
        let report = verify(BundleReader::open(&bundle, Limits::default())?, VerifyOptions { rows: !quick })?;
        if report.is_sound() { Ok(()) } else { Err(format!("{:?}", report.faults).into()) }
    };
    let target = directory.path().join("target");
    side_by_side(&[
        ("zstd -dc BUNDLE | sha256sum", &|| {
            pipe(Command::new("zstd").arg("-dcq").arg(&bundle), &mut Command::new("sha256sum"), &other)
        }),
        ("verify, quick", &|| check(true)),
        ("verify", &|| check(false)),
        ("extract", &|| {
            extract(BundleReader::open(&bundle, Limits::default())?, &target, Extraction::default())?;
            Ok(fs::remove_dir_all(&target)?)
        }),
        ("to a store", &|| {
            to_store(BundleReader::open(&bundle, Limits::default())?, &target)?;
            Ok(fs::remove_dir_all(&target)?)
        }),
    ])
}

fn size(path: &Path) -> Outcomes<u64> {
    Ok(fs::metadata(path)?.len())
}
