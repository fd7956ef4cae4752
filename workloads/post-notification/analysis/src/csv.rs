//! Tables as CSV: a header, `\n` ends, fixed decimals. The last columns of every line state where its numbers come from.

use std::fmt::{Display, Write};

use crate::tables::{
    Basis, DelayRow, Estimate, InconsistencyRow, LatencyCurve, OverheadRow, Source, StorageKind, SummaryRow,
    TreatmentRow, WindowRow,
};

/// A row of a table that can be written as CSV.
pub trait CsvRow {
    /// Names of the columns, separated by commas.
    const COLUMNS: &'static str;

    /// Writes the row; one line, or several where a row holds a curve.
    fn write(&self, csv: &mut Csv);
}

/// How percentiles are computed: by nearest rank, so that each is a value that was measured (Hyndman and Fan 1996, type 1).
const PERCENTILES: &str = "nearest_rank";

const SOURCE_COLUMNS: &str = "experiment,simulated,configured_lag,extrapolated,cells_planned,cells_done";

/// The table as CSV. Milliseconds, bytes and percents have three decimals, fractions six; what is not known is empty,
/// and `inf` is an end of an interval that the data cannot bound. `interval_from` names what intervals come from (`blocks`
/// of simulated rows, measured `rounds`, or `none` where there are too few), `percentiles` how they are computed. In `configured_lag` post storages stand by their names,
/// and notification storages as `notification:NAME`; in `extrapolated`, what the model has no data of, as `PAIR:STORAGE` or
/// `PAIR:notification:STORAGE`.
#[must_use]
pub fn to_csv<R: CsvRow>(rows: &[R], source: &Source) -> String {
    let mut lag: Vec<String> = source.nature.configured_lag.iter().map(ToString::to_string).collect();
    lag.extend(source.nature.configured_notification_lag.iter().map(|storage| format!("notification:{storage}")));
    let posts = source.nature.extrapolated.iter().map(|(pair, storage)| format!("{pair}:{storage}"));
    let notifications = source.nature.extrapolated_notifications.iter();
    let notifications = notifications.map(|(pair, storage)| format!("{pair}:notification:{storage}"));
    let extrapolated: Vec<String> = posts.chain(notifications).collect();
    let mut end = Csv::default();
    end.text(&source.experiment).text(&flag(source.nature.simulated)).text(&lag.join(" "));
    end.text(&extrapolated.join(" "));
    end.text(&source.planned).text(&source.done);
    let mut csv = Csv { text: format!("{},{SOURCE_COLUMNS}\n", R::COLUMNS), end: end.text, started: false };
    for row in rows {
        row.write(&mut csv);
    }
    csv.text
}

/// A CSV file in the making.
#[derive(Debug, Default)]
pub struct Csv {
    text: String,
    /// Columns that end every line.
    end: String,
    /// Whether the line has a column.
    started: bool,
}

impl Csv {
    /// Adds a column of text, in quotes if it needs them.
    pub fn text(&mut self, value: &impl Display) -> &mut Self {
        if self.started {
            self.text.push(',');
        }
        self.started = true;
        let value = value.to_string();
        if value.contains([',', '"', '\n', '\r']) {
            self.text.push('"');
            self.text.push_str(&value.replace('"', "\"\""));
            self.text.push('"');
        } else {
            self.text.push_str(&value);
        }
        self
    }

    /// Adds a number with `decimals` decimals; nothing for NaN.
    pub fn number(&mut self, value: f64, decimals: usize) -> &mut Self {
        if value.is_nan() {
            return self.text(&"");
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write!(text, "{value:.decimals$}");
        // What rounds to nothing has no sign.
        let nothing = text.starts_with('-') && text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
        self.text(&if nothing { &text[1..] } else { &text })
    }

    /// Adds an estimate: value, low and high end.
    pub fn estimate(&mut self, estimate: Estimate, decimals: usize) -> &mut Self {
        self.number(estimate.value, decimals).number(estimate.low, decimals).number(estimate.high, decimals)
    }

    /// Adds the rounds behind an interval, and what it comes from.
    pub fn basis(&mut self, basis: &Basis) -> &mut Self {
        self.text(&basis.rounds).text(&basis.as_str())
    }

    /// Ends the line.
    pub fn end(&mut self) {
        self.text.push(',');
        self.text.push_str(&self.end);
        self.text.push('\n');
        self.started = false;
    }
}

fn flag(value: bool) -> u8 {
    u8::from(value)
}

impl CsvRow for WindowRow {
    const COLUMNS: &'static str = "\
        regions,post_storage,notification_storage,original_reads,original_p50_ms,inconsistent,\
        inconsistent_low,inconsistent_high,antipode_reads,antipode_p50_ms,extra_ms,rounds,interval_from,\
        percentiles";

    fn write(&self, csv: &mut Csv) {
        csv.text(&self.regions).text(&self.post_storage).text(&self.notification_storage);
        csv.text(&self.original_reads).number(self.original_p50_ms, 3).estimate(self.missed, 6);
        csv.text(&self.antipode_reads);
        csv.number(self.antipode_p50_ms.unwrap_or(f64::NAN), 3).number(self.extra_ms.unwrap_or(f64::NAN), 3);
        csv.basis(&self.basis).text(&PERCENTILES);
        csv.end();
    }
}

impl CsvRow for DelayRow {
    const COLUMNS: &'static str = "\
        regions,post_storage,notification_storage,delay_ms,planned,misses,lost,failed,inconsistent,\
        inconsistent_low,inconsistent_high,rounds,interval_from";

    fn write(&self, csv: &mut Csv) {
        csv.text(&self.regions).text(&self.post_storage).text(&self.notification_storage).text(&self.delay_ms);
        csv.text(&self.planned).text(&self.misses).text(&self.lost).text(&self.failed).estimate(self.inconsistent, 6);
        csv.basis(&self.basis);
        csv.end();
    }
}

impl CsvRow for OverheadRow {
    const COLUMNS: &'static str = "\
        kind,storage,baseline_objects,baseline_total_bytes,baseline_average_bytes,antipode_objects,\
        antipode_total_bytes,antipode_average_bytes,overhead_bytes,overhead_percent";

    fn write(&self, csv: &mut Csv) {
        let kind = match self.kind {
            StorageKind::Post => "post",
            StorageKind::Notification => "notification",
        };
        csv.text(&kind).text(&self.storage);
        csv.text(&self.baseline_objects).text(&self.baseline_total_bytes).number(self.baseline_average_bytes, 3);
        csv.text(&self.antipode_objects).text(&self.antipode_total_bytes).number(self.antipode_average_bytes, 3);
        csv.number(self.overhead_bytes, 3).number(self.overhead_percent, 3);
        csv.end();
    }
}

impl CsvRow for InconsistencyRow {
    const COLUMNS: &'static str = "\
        regions,post_storage,notification_storage,antipode,planned,misses,lost,failed,inconsistent,\
        inconsistent_low,inconsistent_high,rounds,interval_from";

    fn write(&self, csv: &mut Csv) {
        csv.text(&self.regions).text(&self.post_storage).text(&self.notification_storage).text(&flag(self.antipode));
        csv.text(&self.planned).text(&self.misses).text(&self.lost).text(&self.failed);
        csv.estimate(self.inconsistent, 6).basis(&self.basis);
        csv.end();
    }
}

impl CsvRow for LatencyCurve {
    const COLUMNS: &'static str =
        "regions,post_storage,notification_storage,antipode,consistent_only,reads,share,window_ms";

    fn write(&self, csv: &mut Csv) {
        for point in &self.points {
            csv.text(&self.regions).text(&self.post_storage).text(&self.notification_storage);
            csv.text(&flag(self.antipode)).text(&flag(self.consistent_only)).text(&self.reads);
            csv.number(point.share, 6).number(point.window_ms, 3);
            csv.end();
        }
    }
}

/// One line per treatment.
impl CsvRow for SummaryRow {
    const COLUMNS: &'static str = "\
        post_storage,notification_storage,regions,delay_ms,antipode,planned,rounds,few_blocks,reads,misses,\
        lost,failed,inconsistent,inconsistent_low,inconsistent_high,window_mean_ms,window_mean_low_ms,\
        window_mean_high_ms,window_p50_ms,window_p99_ms,throughput_per_s,throughput_change_percent,\
        throughput_change_low_percent,throughput_change_high_percent,barrier_s,barrier_polls,interval_from,\
        percentiles";

    fn write(&self, csv: &mut Csv) {
        for (antipode, row) in [(false, &self.off), (true, &self.on)] {
            if let Some(row) = row {
                csv.text(&self.post_storage).text(&self.notification_storage).text(&self.regions);
                csv.text(&self.delay_ms).text(&flag(antipode));
                let change = self.throughput_change_percent.filter(|_| antipode);
                treatment(csv, row, change.unwrap_or(Estimate::UNKNOWN));
                csv.end();
            }
        }
    }
}

fn treatment(csv: &mut Csv, row: &TreatmentRow, throughput_change_percent: Estimate) {
    csv.text(&row.planned).text(&row.rounds).text(&flag(row.basis().few_blocks()));
    csv.text(&row.reads).text(&row.misses).text(&row.lost).text(&row.failed);
    csv.estimate(row.inconsistent, 6).estimate(row.window_mean_ms, 3);
    csv.number(row.window_p50_ms, 3).number(row.window_p99_ms, 3).number(row.throughput_per_s, 3);
    csv.estimate(throughput_change_percent, 3);
    csv.number(row.barrier_s, 3).text(&row.barrier_polls).text(&row.basis().as_str()).text(&PERCENTILES);
}
