use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;

use matrix_app::row::RowError;
use matrix_app::{Outcome, PostKey, Row};
use matrix_plan::claims::Column;
use proptest::prelude::*;

use super::*;
use crate::testing::{Memory, bare, csv, read};
use crate::{CellMeta, LoadErrorKind, Traces};

/// What loading should keep of rows, found in the plainest way.
#[derive(Debug, PartialEq)]
struct Naive {
    totals: Totals,
    findings: Vec<Finding>,
    windows: Vec<i64>,
    barriers: Vec<(Option<i64>, Option<u64>)>,
    gaps_s: Vec<f64>,
}

fn naive(trace: &[u8]) -> Result<Naive, RowError> {
    let mut found =
        Naive { totals: Totals::default(), findings: vec![], windows: vec![], barriers: vec![], gaps_s: vec![] };
    let totals = &mut found.totals;
    let (mut sent, mut ends) = (vec![], vec![]);
    for line in String::from_utf8_lossy(trace).split_terminator('\n').skip(1) {
        let row = Row::parse_csv(line)?;
        totals.planned += 1;
        totals.outcomes.add(row.outcome, 1);
        sent.extend(row.client_sent_us);
        ends.extend(row.reply_us.filter(|_| row.outcome != Outcome::WriterError));
        totals.barrier_us += i128::from(row.barrier_us.unwrap_or_default());
        totals.barrier_polls += i128::from(row.barrier_polls.unwrap_or_default());
        for (objects, bytes) in
            [(&mut totals.posts, row.post_bytes), (&mut totals.notifications, row.notification_bytes)]
        {
            objects.count += u64::from(bytes.is_some());
            objects.bytes += i128::from(bytes.unwrap_or_default());
        }
        let finding = match (row.outcome, row.consistent_read) {
            (Outcome::Ok, Some(true)) => Finding::Consistent,
            (Outcome::Ok, _) => Finding::Missed,
            (Outcome::Lost, _) => Finding::Lost,
            _ => Finding::Failed,
        };
        totals.misses += u64::from(finding == Finding::Missed);
        found.findings.push(finding);
        found.windows.extend(row.window_us().filter(|_| row.outcome == Outcome::Ok));
        found.barriers.push((row.barrier_us, row.barrier_polls));
    }
    ends.sort_unstable();
    if let (Some(&first), Some(&last)) = (sent.iter().min(), ends.last()) {
        totals.ended = Ended { requests: ends.len() as u64, span_us: i128::from(last - first) };
        let starts = [first].into_iter().chain(ends.iter().copied());
        found.gaps_s = starts.zip(&ends).map(|(start, end)| (end - start) as f64 / 1e6).collect();
    }
    Ok(found)
}

fn kept(cell: &CellData) -> Naive {
    let whole = |column| cell.column(column).into_iter().map(|value| (!value.is_nan()).then_some(value));
    Naive {
        totals: cell.totals.clone(),
        findings: cell.findings(&(0..u64::MAX)).to_vec(),
        windows: cell.windows(&(0..u64::MAX)).collect(),
        barriers: whole(Column::BarrierMs)
            .map(|ms| ms.map(|ms| (ms * 1e3).round() as i64))
            .zip(whole(Column::BarrierPolls).map(|polls| polls.map(|polls| polls as u64)))
            .collect(),
        gaps_s: cell.gaps_s().collect(),
    }
}

fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 1..most).prop_map(|mut rows| {
        for (row, i) in rows.iter_mut().zip(0..) {
            row.i = i;
            row.key = row.key.and_then(|_| PostKey::new(i, 7));
        }
        rows
    })
}

fn row() -> impl Strategy<Value = Row> {
    let outcome = prop_oneof![3 => Just(Outcome::Ok), 2 => prop::sample::select(Outcome::ALL.to_vec())];
    let time = || prop::option::weighted(0.8, -9_000_000_000i64..9_000_000_000_000);
    let count = || prop::option::weighted(0.8, 0u64..1 << 40);
    let flag = || any::<Option<bool>>();
    let times = (time(), time(), time(), time(), time(), time(), time(), time());
    (outcome, any::<bool>(), times, (count(), count(), count(), count()), (any::<bool>(), flag(), flag())).prop_map(
        |(outcome, key, times, counts, flags)| Row {
            key: key.then(|| PostKey::new(0, 7)).flatten(),
            client_sent_us: times.0,
            writer_start_us: times.1,
            post_written_us: times.2,
            reply_us: times.3,
            barrier_us: times.4,
            barrier_last_miss_us: times.5,
            post_read_us: times.6,
            post_visible_us: times.7,
            barrier_polls: counts.0,
            notification_bytes: counts.1,
            post_bytes: counts.2,
            writer_instance: counts.3,
            consistent_read: if outcome == Outcome::Ok { Some(flags.0) } else { flags.1 },
            reader_cold: flags.2,
            ..bare(0, outcome)
        },
    )
}

/// Hands out a few bytes at a time.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}

struct Dribbling(Memory, usize);

impl Traces for Dribbling {
    fn cells(&self) -> &[Arc<CellMeta>] {
        self.0.cells()
    }

    fn open(&self, n: usize) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Dribble(&self.0.traces[n], self.1)))
    }
}

fn options(jobs: usize, block_bytes: usize) -> Options {
    let keep = Keep { windows: true, ends: true, barriers: true };
    Options { jobs: NonZeroUsize::new(jobs).unwrap(), block_bytes, keep }
}

const UNREAD: [&str; 12] = [
    "key",
    "post_written_us",
    "notification_written_us",
    "reader_received_us",
    "barrier_last_miss_us",
    "read_start_us",
    "post_visible_us",
    "lineage_bytes",
    "writer_instance",
    "reader_instance",
    "writer_cold",
    "reader_cold",
];

/// Blocks of a part of a trace, and of several traces.
fn block_bytes() -> impl Strategy<Value = usize> {
    prop_oneof![4096usize..5000, 5000usize..1 << 16]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn loads_what_a_plain_reader_finds(
        cells in prop::collection::vec(rows(120), 1..4), block in block_bytes(), bytes in 1usize..9000, jobs in 1usize..4,
    ) {
        let mut memory = Memory::default();
        for rows in &cells {
            memory.add("redis sns eu->us 0 off", rows);
        }
        let traces = Dribbling(memory, bytes);
        let loaded = load(&traces, &options(jobs, block)).unwrap();
        for (cell, trace) in loaded.cells().iter().zip(&traces.0.traces) {
            prop_assert_eq!(kept(cell), naive(trace).unwrap());
        }
    }

    #[test]
    fn a_changed_trace_is_refused_or_read_alike(
        rows in rows(12), others in prop::collection::vec(rows(12), 0..3), at in any::<prop::sample::Index>(), byte: u8,
        block in block_bytes(),
    ) {
        let mut memory = Memory::default();
        for rows in [&rows].into_iter().chain(&others) {
            memory.add("redis sns eu->us 0 off", rows);
        }
        let trace = &mut memory.traces[0];
        let at = at.index(trace.len());
        trace[at] = byte;
        let trace = trace.clone();
        if let Ok(loaded) = load(&memory, &options(1, block)) {
            match naive(&trace) {
                Ok(naive) => prop_assert_eq!(kept(&loaded.cells()[0]), naive),
                // Columns that no table needs are not looked into.
                Err(RowError::Value { column, .. }) => prop_assert!(UNREAD.contains(&column), "{column}"),
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }
}

/// The error for a trace of three reads after `change`, as a user sees it, without the start of the key.
fn error_after(change: impl Fn(&mut String)) -> String {
    let mut memory = Memory::default();
    memory.add("redis sns eu->us 0 off", &[0, 1, 2].map(|i| read(i, 100, true)));
    let mut text = String::from_utf8(memory.traces[0].clone()).unwrap();
    change(&mut text);
    memory.traces[0] = text.into_bytes();
    let error = load(&memory, &options(1, 4096)).unwrap_err().to_string();
    error.replace(&memory.cells[0].key.short(), "<key>")
}

#[test]
fn errors_name_cell_line_and_column() {
    let replace = |from: &'static str, to: &'static str| {
        move |text: &mut String| {
            assert!(text.contains(from), "{text}");
            *text = text.replacen(from, to, 1);
        }
    };
    let last_row = "2,,ok,20000,21000,,,25000,,,,,,21100,1,,200,,1000,,,,\n";
    type Change = Box<dyn Fn(&mut String)>;
    let changes: [(&str, Change); 13] = [
        ("header", Box::new(replace("outcome", "result"))),
        ("number", Box::new(replace("11100", "111oo"))),
        ("outcome", Box::new(replace("1,,ok", "1,,fine"))),
        ("flag", Box::new(replace("21100,1", "21100,2"))),
        ("no read", Box::new(replace("21100,1", "21100,"))),
        ("short line", Box::new(replace("1100,1,,200,,1000,,,,\n1", "1100,1\n1"))),
        ("short and long", Box::new(replace(",,\n1,,ok", "\n1,,ok,,,"))),
        ("blank", Box::new(replace(",5000,", ", 5000,"))),
        ("carriage return", Box::new(replace("\n1,", "\r\n1,"))),
        ("order", Box::new(replace("\n2,", "\n3,"))),
        ("implausible", Box::new(replace("11100", "9000000000000000"))),
        ("missing row", Box::new(replace(last_row, ""))),
        ("cut short", Box::new(|text| text.truncate(text.len() - 4))),
    ];
    let seen: Vec<String> = changes.iter().map(|(what, change)| format!("{what}: {}", error_after(change))).collect();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn a_record_that_counts_otherwise_is_refused() {
    let mut memory = Memory::default();
    memory.add("redis sns eu->us 0 off", &[read(0, 100, true), bare(1, Outcome::Lost)]);
    Arc::make_mut(&mut memory.cells[0]).outcomes = [(Outcome::Ok, 2)].into_iter().collect();
    let error = load(&memory, &options(1, 4096)).unwrap_err();
    assert!(matches!(error.kind, LoadErrorKind::Outcomes { outcome: Outcome::Ok, recorded: 2, found: 1 }), "{error}");
}

#[test]
fn the_first_cell_at_fault_is_reported_whatever_the_number_of_jobs() {
    let mut memory = Memory::default();
    for _ in 0..20 {
        memory.add("redis sns eu->us 0 off", &[read(0, 100, true)]);
    }
    for bad in [5, 6, 7, 19] {
        memory.traces[bad] = csv(&[]);
    }
    for jobs in 1..8 {
        let error = load(&memory, &options(jobs, 4096)).unwrap_err();
        assert_eq!(error.cell, memory.cells[5].name());
    }
}

#[test]
fn a_reader_that_fails_is_no_short_trace() {
    struct Broken(Memory);
    impl Traces for Broken {
        fn cells(&self) -> &[Arc<CellMeta>] {
            self.0.cells()
        }
        fn open(&self, n: usize) -> io::Result<Box<dyn Read + Send + '_>> {
            let good = self.0.open(n)?;
            Ok(Box::new(good.take(450).chain(Fails)))
        }
    }
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("checksum"))
        }
    }
    let mut memory = Memory::default();
    memory.add("redis sns eu->us 0 off", &[0, 1, 2].map(|i| read(i, 100, true)));
    let error = load(&Broken(memory), &Options::default()).unwrap_err();
    assert!(matches!(error.kind, LoadErrorKind::Read { .. }), "{error}");
}
