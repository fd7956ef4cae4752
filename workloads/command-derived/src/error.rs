//! What can go wrong when something is derived from results of programs, and what a person can do about it.

use std::path::{Path, PathBuf};

use matrix_bundle::BundleError;
use matrix_command::cells::CellError;
use matrix_command::run::InputFailure;
use matrix_core::Problem;
use matrix_core::printable::one_line;
use matrix_figures::FigureError;
use matrix_report::page::PageError;
use matrix_store::verify::Fault;
use matrix_store::{ErrorKind, RunId, StoreError};

/// Why nothing was derived.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DerivedError {
    /// The store cannot be read, or is not what it should be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A bundle is not what it should be, or cannot be made.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A figure cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The page cannot be written.
    #[error(transparent)]
    Page(#[from] PageError),
    /// An experiment, or a file that it names, has mistakes.
    #[error("{}", words(.0))]
    Input(InputFailure),
    /// The plan of a run is not what it should be.
    #[error("plan.json of run {run}: {what}")]
    Plan {
        /// The run.
        run: RunId,
        /// What is wrong with it.
        what: String,
    },
    /// A metric is none of an experiment's.
    #[error("no metric `{name}`")]
    UnknownMetric {
        /// The metric.
        name: String,
        /// Those that the experiment has.
        known: Vec<String>,
    },
    /// A filter has a mistake.
    #[error("{problem}")]
    Filter {
        /// Its text.
        text: String,
        /// What is wrong, at its place.
        problem: Problem,
    },
    /// A filter chooses nothing.
    #[error("the filter matches none of the {cells} cells")]
    NothingMatches {
        /// How many cells there are.
        cells: usize,
    },
    /// A bundle was to be made of a store without naming an experiment, where there are some of programs, and some of schema 1.
    #[error("the store has experiments of two schemas, which do not go into one bundle")]
    TwoSchemasInOneBundle,
    /// A bundle that was to be united with bundles of programs' results is of another kind.
    #[error("{} is a bundle of another kind: results of schema 1", one_line(&file.to_string_lossy()))]
    OtherBundle {
        /// The bundle.
        file: PathBuf,
    },
    /// It is not clear which experiment is meant: there are some of programs, and some of schema 1.
    #[error("the store has experiments of two schemas")]
    TwoSchemas {
        /// The runs of programs.
        runs: Vec<RunId>,
    },
    /// It is not clear which experiment is meant.
    #[error("the store has {} experiments", .experiments.len())]
    Several {
        /// Their names, each with its newest run.
        experiments: Vec<(String, RunId)>,
    },
}

impl DerivedError {
    /// What sort of trouble it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Bundle(BundleError::Store(error)) if error.kind() == ErrorKind::Locked => ErrorKind::Locked,
            Self::Bundle(error) => match error.kind() {
                matrix_bundle::ErrorKind::Input => ErrorKind::Input,
                matrix_bundle::ErrorKind::Integrity => ErrorKind::Integrity,
                _ => ErrorKind::Internal,
            },
            Self::Figure(_) | Self::Page(_) | Self::Input(InputFailure::Cells(CellError::Json(_))) => {
                ErrorKind::Internal
            }
            Self::Plan { .. } => ErrorKind::Integrity,
            Self::Input(_)
            | Self::UnknownMetric { .. }
            | Self::Filter { .. }
            | Self::NothingMatches { .. }
            | Self::TwoSchemasInOneBundle
            | Self::OtherBundle { .. }
            | Self::TwoSchemas { .. }
            | Self::Several { .. } => ErrorKind::Input,
        }
    }

    /// What is wrong with a bundle whose contents are the store at `root`, as a fault of the file.
    ///
    /// # Errors
    /// Other errors, which are not the bundle's.
    pub(crate) fn into_fault(self, root: &Path) -> Result<Fault, Self> {
        match self {
            Self::Bundle(error) => error.into_fault().map_err(Self::Bundle),
            Self::Store(StoreError::Damaged { path, what }) => {
                Ok(Fault { file: path.strip_prefix(root).unwrap_or(&path).to_owned(), what })
            }
            Self::Plan { run, what } => {
                Ok(Fault { file: Path::new("runs").join(run.as_str()).join("plan.json"), what })
            }
            other => Err(other),
        }
    }

    /// What a person can do about it, where that is known.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::Store(error) => return error.help(),
            Self::Bundle(error) => return error.help(),
            Self::UnknownMetric { known, .. } => format!("the metrics are: {}", known.join(", ")),
            Self::NothingMatches { .. } => "`matrix plan FILE --cells` lists the cells".to_owned(),
            Self::TwoSchemasInOneBundle => {
                "name a run, whose experiment is bundled: --run NAME; `matrix status` lists them".to_owned()
            }
            Self::OtherBundle { .. } => {
                "bundles of programs' results can be merged with each other, and so can those of schema 1".to_owned()
            }
            Self::TwoSchemas { runs } => {
                let runs: Vec<String> = runs.iter().map(|run| format!("  --run {run}")).collect();
                format!("name the experiment's file, or a run of it, for example:\n{}", runs.join("\n"))
            }
            Self::Several { experiments } => {
                let runs: Vec<String> =
                    experiments.iter().map(|(name, run)| format!("  {name}: --run {run}")).collect();
                format!("name the experiment's file, or a run of it:\n{}", runs.join("\n"))
            }
            Self::Filter { problem, .. } => return problem.help.clone(),
            Self::Plan { .. } => "`matrix verify` says what is wrong, and what to do about it".to_owned(),
            Self::Figure(_) | Self::Page(_) | Self::Input(_) => return None,
        })
    }
}

impl From<InputFailure> for DerivedError {
    fn from(failure: InputFailure) -> Self {
        Self::Input(failure)
    }
}

fn words(failure: &InputFailure) -> String {
    match failure {
        InputFailure::Text(name, _, problems) => format!("{name}: {problems}"),
        InputFailure::Cells(error) => error.to_string(),
        InputFailure::Read(path, error) => format!("{}: {error}", path.display()),
    }
}
