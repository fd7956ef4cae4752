//! What stands beside a program's results in a bundle: tables, figures and the README, all of which follow from them.

use std::fmt::Write as _;

use matrix_bundle::layout::DERIVER as DERIVER_FILE;
use matrix_bundle::{Deriver, Extras, about_binary};
use matrix_command::results::{self, Loaded, findings};
use matrix_core::text::free_name;
use matrix_figures::{FigureError, Picture, picture};
use matrix_store::{Digest, Store};

use crate::chosen::{Chosen, runs_of};
use crate::error::DerivedError;
use crate::figures::about as about_figure;
use crate::page;
use crate::shards::Shards;

/// Which version of the rules derives these files: only its own version's have to be the same, byte for byte.
pub const DERIVER_VERSION: u32 = 6;

pub(super) const DERIVER: Deriver = Deriver { name: "matrix-command ", first: 1, version: DERIVER_VERSION };

/// Tables of every experiment. A figure may be called like one of them.
const TABLES: [&str; 3] = ["cells", "metrics", "claims"];

/// By which version of the rules what stands beside results was derived; in words if it does not say so.
pub(super) fn deriver_of(extras: &Extras) -> Result<u32, String> {
    extras.tables.get(DERIVER_FILE).map_or_else(|| Err("it is missing".to_owned()), |text| DERIVER.parse(text))
}

/// Everything that stands beside the results of these experiments. `binary` is the digest of the program that is in the
/// bundle, if one is.
///
/// # Errors
/// When the store cannot be read, what it holds is not what its records say, or a figure cannot be drawn.
pub fn extras(store: &Store, experiments: &[Chosen], binary: Option<Digest>) -> Result<Extras, DerivedError> {
    let mut extras = Extras {
        license: include_bytes!("../../../../LICENSE-MIT").to_vec(),
        citation: include_bytes!("../../../../CITATION.cff").to_vec(),
        ..Extras::default()
    };
    extras.tables.insert(DERIVER_FILE.to_owned(), DERIVER.render(DERIVER.version).into_bytes());
    let mut readme = String::new();
    let names: Vec<&str> = experiments.iter().map(|chosen| chosen.experiment.name.as_str()).collect();
    let _ = writeln!(readme, "# Results of {}\n\n{INTRODUCTION}", names.join(", "));
    if let Some(shards) = Shards::of(store, &runs_of(store, experiments)?)?.missing() {
        let _ = writeln!(readme, "> **Missing shards:** {}. `matrix bundle merge` adds them.\n", cell(&shards));
    }
    for chosen in experiments {
        let loaded = results::load(store, &chosen.experiment, &chosen.cells, None)?;
        let name = &chosen.experiment.name;
        let table = |table: &str| format!("{name}/{table}.csv");
        let own = [results::cells_csv(&loaded), results::metrics_csv(&loaded), results::claims_csv(&loaded)];
        extras.cells.extend_from_slice(own[0].as_bytes());
        extras.tables.extend(TABLES.map(table).into_iter().zip(own.map(String::into_bytes)));
        let figures: Vec<&str> = chosen.experiment.figures.iter().map(|figure| figure.name.as_str()).collect();
        for figure in &chosen.experiment.figures {
            let is_taken = TABLES.contains(&figure.name.as_str());
            let csv_name = if is_taken { free_name("figure", &figure.name, &figures) } else { figure.name.clone() };
            let (csv, drawing) = picture(figure, &about_figure(&loaded, figure), &loaded);
            match drawing {
                Ok(Picture::Drawing(drawing)) => {
                    extras.tables.insert(table(&csv_name), csv.into_bytes());
                    extras.figures.insert(format!("{name}/{}.svg", figure.name), drawing.svg.into_bytes());
                }
                Ok(Picture::Latex(text)) => {
                    extras.tables.insert(table(&csv_name), csv.into_bytes());
                    extras.tables.insert(format!("{name}/{}.tex", figure.name), text.into_bytes());
                }
                Err(FigureError::Empty { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        about(&mut readme, &loaded);
    }
    readme += &binary.map(about_binary).unwrap_or_default();
    extras.readme = readme.into_bytes();
    extras.report = page::of_bundle(store, &names)?;
    Ok(extras)
}

/// Words of an experiment as a table's cell shows them.
fn cell(words: &str) -> String {
    matrix_report::cell(words, char::is_control)
}

fn about(readme: &mut String, loaded: &Loaded<'_>) {
    let experiment = loaded.experiment;
    // Writing to a string does not fail.
    let _ = writeln!(readme, "## {}\n", experiment.name);
    let _ = writeln!(readme, "{} of {} cells are done.", loaded.done(), loaded.cells.len());
    for (key, value) in &experiment.artifact {
        let _ = writeln!(readme, "- {}: {}", cell(key), cell(value));
    }
    let walls = loaded.cells.iter().filter_map(|cell| cell.record.as_ref()?.costs.get("run.wall_us"));
    let wall = walls.fold(0, |all: i64, wall| all.saturating_add(*wall));
    let _ = writeln!(readme, "\nThe measured runs took {:.1} s altogether, without set-up.", wall as f64 / 1e6);
    let disturbed = loaded.disturbed().count();
    if disturbed > 0 {
        let _ = writeln!(readme, "Other work disturbed {disturbed} cells while they ran.");
    }
    for version in loaded.versions() {
        let _ = writeln!(readme, "Version: {}", cell(version));
    }
    if !experiment.claims.is_empty() {
        let _ = writeln!(readme, "\n| claim | paper | verdict | says |\n|---|---|---|---|");
        for finding in findings(loaded) {
            let claim = finding.claim;
            let paper = claim.paper.as_deref().unwrap_or_default();
            let verdict = finding.judged.verdict.name();
            let _ = writeln!(readme, "| {} | {} | {verdict} | {} |", cell(&claim.id), cell(paper), cell(&claim.says));
        }
    }
    readme.push('\n');
}

const INTRODUCTION: &str = "\
This is a result bundle of `matrix`: a program was run over a matrix of values, and this is what came of it. All numbers were measured.

| path | what it is |
|---|---|
| `experiments/`, `plans/` | the declared matrix, the command, and the cells it expands to |
| `objects/` | rows: CSV, named by their SHA-256 |
| `outputs/` | what the program left: what it printed, and its files, named by their SHA-256 |
| `records/`, `attempts/`, `runs/` | which of these belong to which cell, and how they came to be |
| `tables/`, `figures/` | derived from the rows, byte for byte |
| `report.html` | the results as one page, to be opened in a browser; it loads nothing from elsewhere |

With stock tools alone, in the unpacked folder: `sha256sum -c manifest-sha256.txt` checks every byte. With `matrix`:

```console
$ matrix verify FILE.tar.zst           # digests, keys, references; tables and figures derived again and compared
$ matrix check --results FILE.tar.zst  # judges the claims
```

Neither runs anything that is in the bundle.
";
