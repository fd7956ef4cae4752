//! `matrix report`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use matrix_archive::{Inventory, Selection};
use matrix_command_derived::{Texts, page as programs};
use matrix_derived::derive::{Part, all_parts, parts};
use matrix_derived::page::{Authors, of_results};
use matrix_plan::CellKey;
use matrix_report::page::{Page, ReportOptions, plain, records_digest};
use matrix_run::{Input, Overrides, results};
use matrix_store::Store;

use super::ReadArgs;
use crate::exit::{CommandResult, Exit, Failure};
use crate::{output, program};

/// Seconds between two pages of a run that goes on.
const EVERY_S: u32 = 3;

/// Write one page of results: claims, figures, the matrix, times, environment and commands
///
/// The page is one HTML file: it opens from disk, loads nothing, and reads without JavaScript. The same results give the
/// same bytes.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Experiments whose results to show [default: all that there are]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The page to write
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// Results to compare with, usually the authors': a bundle or a store
    #[arg(long, value_name = "BUNDLE")]
    against: Option<PathBuf>,
    /// The heading of the page
    #[arg(long, value_name = "T")]
    title: Option<String>,
    /// While a run goes on, write the page again and again; it loads itself again in the browser
    #[arg(long)]
    watch: bool,
    /// Name the place of the results in the page's commands as it was given; without it, absolute paths are cut to their
    /// last part
    #[arg(long)]
    identify: bool,
    #[command(flatten)]
    read: ReadArgs,
}

pub(crate) fn report(args: ReportArgs) -> CommandResult {
    let experiments = args.files.iter().map(|file| experiment(file)).collect::<Result<Vec<_>, _>>()?;
    let mut texts = None;
    loop {
        let store = args.read.open()?;
        let texts = match &mut texts {
            Some(texts) => texts,
            // What is said of them is said once.
            none => {
                experiments.iter().try_for_each(|named| note_unless_saved(&store, named))?;
                none.insert(program::texts(&store, &args.files)?)
            }
        };
        let goes_on = args.watch && store.is_being_written();
        write(&args, &store, &experiments, texts, goes_on.then_some(EVERY_S))?;
        if !goes_on {
            break;
        }
        std::thread::sleep(Duration::from_secs(EVERY_S.into()));
    }
    output::line(args.out.display())?;
    Ok(Exit::Ok)
}

/// An experiment that was named: its file, its text, its name and its cells, unless it is a program's.
struct Named {
    file: PathBuf,
    text: String,
    name: String,
    cells: Option<BTreeSet<CellKey>>,
}

fn experiment(file: &Path) -> Result<Named, Failure> {
    if let Some(name) = program::name_of(file)? {
        return Ok(Named { file: file.to_owned(), text: String::new(), name, cells: None });
    }
    let input = Input::from_file(file, &Overrides::default())?;
    let cells = input.cells.iter().map(|(_, cell)| cell.key).collect();
    Ok(Named { file: file.to_owned(), text: input.text, name: input.experiment.name, cells: Some(cells) })
}

fn write(
    args: &ReportArgs,
    store: &Store,
    experiments: &[Named],
    texts: &Texts,
    refresh_s: Option<u32>,
) -> Result<(), Failure> {
    let theirs = args.against.as_ref().map(|place| results::open_within(place, args.read.size.limits())).transpose()?;
    let against = args
        .against
        .as_ref()
        .map(|place| place.file_name().unwrap_or(place.as_os_str()).to_string_lossy().into_owned());
    let place = &args.read.results.results;
    let options = ReportOptions {
        title: args.title.clone(),
        place: output::word(shown_place(place, args.identify)),
        is_bundle: place.is_file(),
        refresh_s,
    };
    let names = programs::experiments(store)?;
    let is_program = |named: &Named| named.cells.is_none() && names.contains(&named.name);
    if let Some(named) = experiments.iter().find(|named| named.cells.is_none() && !is_program(named)) {
        return Err(nothing_of(&named.file));
    }
    let mut page = Page { against: against.as_deref().map(plain), ..Page::default() };
    if !store.runs()?.is_empty() || names.is_empty() {
        page = built_in(store, experiments, theirs.as_deref(), against, &options)?;
    } else if let Some(named) = experiments.iter().find(|named| !is_program(named)) {
        return Err(nothing_of(&named.file));
    }
    if !names.is_empty() {
        let wanted = |name: &str| {
            experiments.is_empty() || experiments.iter().any(|named| named.name == name && is_program(named))
        };
        programs::add_to(&mut page, store, theirs.as_deref(), texts, &wanted)?;
        let records = programs::records(store, texts)?;
        if page.records.is_empty() {
            page.records = records_digest(records.iter().map(|(key, origin, digest)| (*key, origin, *digest)));
        }
    }
    if let Some(place) = args.against.as_ref().filter(|_| refresh_s.is_none()) {
        for section in page.sections.iter().filter(|section| !section.expected) {
            let (place, name) = (output::path(place), &section.experiment);
            output::note(format_args!("note: {place} has no results of {name}: there is nothing to compare with"));
        }
    }
    page.conclude(&options);
    output::write_file(&args.out, page.render()?.as_bytes())?;
    Ok(())
}

/// The page of what there is of the built-in workload.
fn built_in(
    store: &Store,
    experiments: &[Named],
    theirs: Option<&Store>,
    against: Option<String>,
    options: &ReportOptions,
) -> Result<Page, Failure> {
    let inventory = Inventory::gather(store, &Selection::default(), None)?;
    let shown = chosen(store, all_parts(store, &inventory)?, experiments)?;
    let their_inventory = theirs.map(|theirs| Inventory::gather(theirs, &Selection::default(), None)).transpose()?;
    let authors = match (against, theirs, &their_inventory) {
        (Some(name), Some(theirs), Some(inventory)) => {
            Some(Authors { name, parts: parts(theirs, inventory)?, inventory })
        }
        _ => None,
    };
    Ok(of_results(&shown, &inventory, authors.as_ref(), options)?)
}

fn note_unless_saved(store: &Store, named: &Named) -> Result<(), Failure> {
    if named.cells.is_none() {
        return Ok(());
    }
    note_unsaved(store, &named.file, &named.name, &named.text)
}

/// Says that no run saved an experiment of schema 1 as its file is now, if runs saved it otherwise: claims and figures are theirs.
pub(super) fn note_unsaved(store: &Store, file: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let mut newest = None;
    for id in store.runs()? {
        let run = store.run_documents(id.as_str())?;
        if results::plan_of(&run)?.experiment == name {
            if run.experiment()? == text.as_bytes() {
                return Ok(());
            }
            newest = Some(id);
        }
    }
    let Some(run) = newest else { return Ok(()) };
    let file = output::path(file);
    output::note(format_args!(
        "note: no run saved {file} as it is now; its claims and figures are those that runs saved, the newest of them {run}. `matrix run {file}` \
         saves it, and executes only what is not done"
    ));
    Ok(())
}

pub(super) fn nothing_of(file: &Path) -> Failure {
    Failure::usage(
        format!("there are no results of {}", file.display()),
        "`matrix status` lists what there is; `matrix run FILE` makes results",
    )
}

/// The parts of the experiments that were named, or all. Of an experiment that runs saved with several texts, those of the text that
/// its file has, if a run saved it.
fn chosen<'a>(store: &Store, mut parts: Vec<Part<'a>>, experiments: &[Named]) -> Result<Vec<Part<'a>>, Failure> {
    if experiments.is_empty() {
        return Ok(parts);
    }
    let is_of = |part: &Part<'_>, named: &Named| {
        let cells = named.cells.iter().flatten();
        part.source.experiment == named.name && cells.into_iter().any(|key| part.cells.contains(key))
    };
    let ours = || experiments.iter().filter(|named| named.cells.is_some());
    if let Some(named) = ours().find(|named| !parts.iter().any(|part| is_of(part, named))) {
        return Err(nothing_of(&named.file));
    }
    parts.retain(|part| experiments.iter().any(|named| is_of(part, named)));
    for named in ours() {
        let mut has_text = BTreeSet::new();
        for run in parts.iter().filter(|part| is_of(part, named)).filter_map(|part| part.run.as_ref()) {
            if store.run_documents(run)?.has_experiment(named.text.as_bytes())? {
                has_text.insert(run.clone());
            }
        }
        let is_wanted = |part: &Part<'_>| part.run.as_ref().is_none_or(|run| has_text.contains(run));
        parts.retain(|part| has_text.is_empty() || !is_of(part, named) || is_wanted(part));
    }
    Ok(parts)
}

/// The results' place as the page may name it: not where it lies on this machine, unless that is wanted.
pub(super) fn shown_place(place: &Path, identify: bool) -> &Path {
    let is_local = place.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if identify || is_local { place } else { place.file_name().map_or(place, Path::new) }
}
