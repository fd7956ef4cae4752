//! From done cells to folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_plan::{Cell, CellInputs, Platform, Region, Regions};
use matrix_store::StoreError;

use crate::describe::write_info;
use crate::error::ExportError;
use crate::imported::{EPOCH_US, Imported, WrittenBy};
use crate::name::{FolderName, PairName};
use crate::number::write_float;
use crate::plot_config::{Written, plot_configs};
use crate::source::{ExportCell, Source};
use crate::staging::Staging;
use crate::stamp::Stamp;
use crate::sums::{Sums, read};
use crate::tags::{self, Scalar, Tags, write_tags};
use crate::traces::{TraceRow, Traces};

/// What times count from where nothing states it: the simulator's epoch, 2021-10-01T00:00:00Z.
const DEFAULT_EPOCH_US: i64 = 1_633_046_400_000_000;

/// How to export.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// The regions' names at AWS.
    pub regions: Regions,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self { regions: Regions::built_in() }
    }
}

/// The result of an export.
#[derive(Clone, Debug, Default)]
pub struct ExportReport {
    /// Where the folders `<post>-<notification>` are.
    pub gather: PathBuf,
    /// The cells' folders, in the order they were written.
    pub folders: Vec<PathBuf>,
    /// The configurations for the plot script.
    pub configs: Vec<PathBuf>,
    /// Cells that are in no configuration, for not one of their requests has a result; by start of their keys.
    pub without_results: Vec<String>,
    /// Rows that count as missing for they lack the reader's beginning or what the read found, though it read.
    pub incomplete_rows: u64,
    /// Cells whose times count from nobody knows what; they were taken to count from 2021-10-01T00:00:00Z.
    pub without_epoch: Vec<String>,
}

/// Where things go in a target directory: `gather/` and `plots/configs/` as in the original's repository; or, where the
/// target itself is named `gather`, the folders and the configurations right into it.
fn places(dir: &Path) -> (PathBuf, PathBuf) {
    if dir.file_name().is_some_and(|name| name == "gather") {
        (PathBuf::new(), PathBuf::new())
    } else {
        (PathBuf::from("gather"), Path::new("plots").join("configs"))
    }
}

/// Writes the cells as folders, and configurations for the plot script, to a new or empty directory. It appears whole or
/// not at all. Memory grows with the rows of one cell, about 130 bytes a row.
///
/// Each result is a line, in order of the reader's beginning; for imported cells in the order that they had. Requests
/// without a read (lost, failed, barrier gave up) are missing results: `NUM_RESULTS` has their number. The folder's time
/// stamp is the second after the last result, and a second later than the round before; for imported cells the one that
/// they had.
///
/// # Errors
/// When the directory is not empty or cannot be written, no cell is done, or a trace cannot be read.
pub fn export(source: &impl Source, dir: &Path, options: &ExportOptions) -> Result<ExportReport, ExportError> {
    prepare(source, dir, options)?.publish()
}

/// An export that is written and not yet to be seen; dropped, it is gone.
pub struct Prepared {
    staging: Staging,
    report: ExportReport,
}

impl Prepared {
    /// Lets it be seen.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn publish(self) -> Result<ExportReport, ExportError> {
        self.staging.publish()?;
        Ok(self.report)
    }
}

/// Writes what [`export`] does, for the moment where only [`partial`](crate::partial) says.
///
/// # Errors
/// As [`export`].
pub fn prepare(source: &impl Source, dir: &Path, options: &ExportOptions) -> Result<Prepared, ExportError> {
    let staging = Staging::new(dir)?;
    let (gather, configs) = places(&staging.target);
    let mut report = ExportReport { gather: dir.join(&gather), ..ExportReport::default() };
    let mut written: Vec<Written> = Vec::new();
    let mut stamps = Stamps::default();
    for n in order(source.cells())? {
        let Some(cell) = source.cells().get(n) else { continue };
        let key = Cell::new(cell.inputs.clone()).map_err(StoreError::from)?.key.short();
        let imported = Imported::of(&cell.inputs);
        let epoch = imported.as_ref().map(|_| EPOCH_US).or(cell.epoch_us);
        let simulated = cell.inputs.platform == Platform::Sim;
        if epoch.is_none() && !simulated {
            report.without_epoch.push(key.clone());
        }
        let mut sums = read(source, n, &key, epoch.unwrap_or(DEFAULT_EPOCH_US))?;
        report.incomplete_rows += sums.incomplete;
        let is_empty = sums.rows.is_empty();
        if is_empty {
            report.without_results.push(key);
        }
        match &imported {
            Some(imported) => restore(&mut sums.rows, imported),
            None => sums.rows.sort_by_key(|row| row.reader_received_us),
        }
        let (pair, name, folder_name) = stamps.name(&cell.inputs, imported.as_ref(), sums.last_us);
        let folder = Folder::new(cell, imported, sums, options)?;
        let sizes = tags::NOTIFICATION_BYTES.iter().chain(&tags::POST_BYTES);
        let sizes = sizes.into_iter().all(|tag| folder.tags.others.get(*tag).is_some_and(|v| v.as_number().is_some()));
        let one = Written { pair, name, folder: folder_name, sizes, simulated };
        let path = gather.join(pair.to_string()).join(&one.folder);
        folder.write(&staging, &path)?;
        report.folders.push(dir.join(path));
        // There is nothing to draw of no result.
        written.extend((!is_empty).then_some(one));
    }
    if report.folders.is_empty() {
        return Err(ExportError::Nothing);
    }
    for (name, text) in plot_configs(&written) {
        let path = configs.join(name);
        staging.write(&path, &text)?;
        report.configs.push(dir.join(path));
    }
    Ok(Prepared { staging, report })
}

/// The order of the cells, whatever order they came in. Imported ones first: their time stamps are given.
fn order(cells: &[ExportCell]) -> Result<Vec<usize>, StoreError> {
    let mut keyed = Vec::with_capacity(cells.len());
    for (n, cell) in cells.iter().enumerate() {
        let key = Cell::new(cell.inputs.clone())?.key;
        let inputs = &cell.inputs;
        keyed.push((Imported::of(inputs).is_none(), inputs.axes.clone(), inputs.requests, inputs.round, key, n));
    }
    keyed.sort();
    Ok(keyed.into_iter().map(|(.., n)| n).collect())
}

/// Time stamps that are taken.
#[derive(Default)]
struct Stamps {
    used: BTreeSet<(PairName, String)>,
    /// The last stamp of measured and simulated cells, by name with a stamp that is always the same.
    last: BTreeMap<(PairName, FolderName), Stamp>,
}

impl Stamps {
    fn name(
        &mut self,
        inputs: &CellInputs,
        imported: Option<&Imported>,
        last_us: i64,
    ) -> (PairName, FolderName, String) {
        let combination = &inputs.axes.combination;
        let pair =
            PairName { post_storage: combination.post_storage, notification_storage: combination.notification_storage };
        let given = imported.and_then(Imported::gathered);
        let mut name = FolderName {
            antipode: inputs.axes.antipode,
            regions: combination.regions.clone(),
            requests: imported.and_then(|imported| imported.requests_in_name).unwrap_or(inputs.requests),
            delay_ms: inputs.axes.delay_ms,
            stamp: Stamp::at_or_after(0),
        };
        let alike = (pair, name.clone());
        let own = given.unwrap_or_else(|| Stamp::at_or_after(last_us));
        let after_last = self.last.get(&alike).filter(|_| given.is_none()).map(|last| last.following());
        name.stamp = after_last.map_or(own, |after| after.max(own));
        let label = imported.and_then(|imported| imported.label.as_deref());
        let folder = |name: &FolderName| match label {
            Some(label) => format!("{label}-{}", name.stamp),
            None => name.to_string(),
        };
        while !self.used.insert((pair, folder(&name))) {
            name.stamp = name.stamp.following();
        }
        if given.is_none() {
            self.last.insert(alike, name.stamp);
        }
        let folder = folder(&name);
        (pair, name, folder)
    }
}

/// Puts back what an imported cell's rows could not hold.
fn restore(rows: &mut [TraceRow], imported: &Imported) {
    for (place, writer_latency) in &imported.writer_latency_ms {
        if let Some(row) = usize::try_from(*place).ok().and_then(|place| rows.get_mut(place)) {
            row.writer_latency_ms = row.writer_latency_ms.map(|_| *writer_latency);
        }
    }
    for (latency, runs) in &imported.not_told {
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        // Whoever wrote the record may have written anything: no row is looked at twice.
        let mut from = 0;
        for (first, last) in runs {
            let run = from.max(place(*first))..place(last.saturating_add(1)).min(rows.len());
            from = from.max(run.end);
            rows.get_mut(run).into_iter().flatten().for_each(|row| row.forget(*latency));
        }
    }
}

/// A folder's files.
struct Folder {
    tags: Tags,
    traces: Traces,
    comment: Vec<String>,
}

impl Folder {
    fn new(
        cell: &ExportCell,
        imported: Option<Imported>,
        sums: Sums,
        options: &ExportOptions,
    ) -> Result<Self, ExportError> {
        let inputs = &cell.inputs;
        let axes = &inputs.axes;
        let aws = |region: &Region| {
            let name = options.regions.aws_name(region);
            name.map(str::to_owned).ok_or_else(|| ExportError::UnknownRegion(region.to_string()))
        };
        let mut others = match &imported {
            // What the folder said; and the share that the plot script needs, should it have said nothing.
            Some(imported) => {
                let mut tags = sums.tags();
                tags.retain(|name, _| name == tags::INCONSISTENCIES);
                tags.extend(imported.tags.clone());
                tags
            }
            None => sums.tags(),
        };
        if imported.as_ref().is_none_or(|imported| imported.by == WrittenBy::Matrix) {
            others.insert(tags::PLATFORM.to_owned(), Scalar::Text(inputs.platform.to_string()));
            others.insert(tags::ROUND.to_owned(), Scalar::Number(inputs.round.to_string()));
            if cell.configured_lag {
                others.insert(tags::CONFIGURED_LAG.to_owned(), Scalar::Flag(true));
            }
        }
        let tags = Tags {
            post_storage: axes.combination.post_storage,
            notification_storage: axes.combination.notification_storage,
            antipode: axes.antipode,
            delay_ms: axes.delay_ms,
            writer_region: aws(&axes.combination.regions.writer)?,
            reader_region: aws(&axes.combination.regions.reader)?,
            results: sums.rows.len() as u64,
            requests: inputs.requests,
            others,
        };
        let mut comment = comment(cell);
        if imported.as_ref().is_none_or(|imported| imported.by == WrittenBy::Matrix) {
            comment.extend(sums.bounds(inputs.requests));
        }
        let column = imported.is_none_or(|imported| !imported.without_antipode_column);
        let traces = Traces { antipode: axes.antipode && column, rows: sums.rows };
        Ok(Self { tags, traces, comment })
    }

    fn write(&self, staging: &Staging, path: &Path) -> Result<(), ExportError> {
        let Self { tags, traces, comment } = self;
        let mut head = vec![("NUM_RESULTS", format!("{}/{}", tags.results, tags.requests))];
        for name in [tags::INCONSISTENCIES, tags::THROUGHPUT] {
            if let Some(number) = tags.others.get(name).and_then(Scalar::as_number) {
                head.push((name, write_float(number)));
            }
        }
        staging.write(&path.join("traces.csv"), &traces.to_csv())?;
        staging.write(&path.join("tags.yml"), &write_tags(tags, comment))?;
        staging.write(&path.join("traces.info"), &write_info(comment, &head, traces))
    }
}

/// What the original's readers pass over, and people should not.
fn comment(cell: &ExportCell) -> Vec<String> {
    let mut lines = Vec::new();
    match cell.inputs.platform {
        Platform::Sim => lines.push("SIMULATED results: no service was measured."),
        Platform::Local => lines.push("Measured on services of one machine, not on AWS."),
        Platform::Aws => {}
    }
    if cell.configured_lag {
        lines.push("The replication lag was CONFIGURED, not native.");
    }
    lines.into_iter().map(str::to_owned).collect()
}
