//! What cells on AWS are estimated to cost, and what may be spent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_aws::cost::{CellCost, Costs, NoPrice, Prices};
use matrix_core::text::counted;
use matrix_plan::{CellInputs, CellKey, Experiment, Platform};
use serde::Serialize;

use crate::error::{FailureKind, RunError};
use crate::input::Input;
use crate::observer::Observer;

/// What is not in any cell's cost.
pub const WITHOUT: &str = "without what the set-up costs by the hour";

/// How much may be spent.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// Most US dollars that the cells may be estimated to cost.
    pub max_cost: Option<f64>,
    /// The file of prices, where they are not those that come with the program.
    pub prices: Option<PathBuf>,
}

/// The estimated cost of each cell of an experiment on AWS.
pub struct Estimate {
    /// Date of the prices.
    pub prices_of: String,
    cells: BTreeMap<CellKey, CellCost>,
}

impl Estimate {
    /// The estimate for an experiment, if it runs on AWS.
    pub fn of(input: &Input, file: Option<&Path>) -> Result<Option<Self>, RunError> {
        let platform = input.experiment.platform;
        if platform != Platform::Aws {
            return match file {
                Some(_) => Err(only_on_aws("--prices", platform)),
                None => Ok(None),
            };
        }
        let prices = prices(file)?;
        let experiment = &input.experiment;
        let costs = Costs::new(&prices, &experiment.aws, &experiment.regions, &experiment.points);
        let cost = |(_, cell): &(u32, matrix_plan::Cell)| Ok((cell.key, costs.cell(&cell.inputs)?));
        let cells = input.cells.iter().map(cost).collect::<Result<_, NoPrice>>();
        let cells = cells.map_err(|error| RunError::usage(error.to_string(), error.fix()))?;
        Ok(Some(Self { prices_of: prices.date().to_owned(), cells }))
    }

    /// What a cell costs.
    pub fn cell(&self, key: &CellKey) -> Option<&CellCost> {
        self.cells.get(key)
    }

    /// What these cells cost together.
    pub fn sum(&self, keys: impl IntoIterator<Item = CellKey>) -> CellCost {
        let mut sum = CellCost::default();
        keys.into_iter().filter_map(|key| self.cells.get(&key)).for_each(|cost| sum.add(cost));
        sum
    }

    /// One sentence about cells that would run.
    pub fn describe(&self, cells: usize, sum: &CellCost) -> String {
        format!(
            "estimate for {}: {} requests, {} GB between regions, {} minutes one after the other, \
             {} dollars with prices of {}, {WITHOUT}",
            counted(cells, "cell"),
            sum.requests,
            gigabytes(sum),
            minutes(sum),
            dollars(sum.total()),
            self.prices_of
        )
    }
}

/// Seconds that `matrix plan` expects cells of an experiment to take, one after the other. Empty where the experiment does not
/// run on AWS: there is no estimate.
pub fn expected_seconds<'a>(
    experiment: &Experiment,
    cells: impl Iterator<Item = (CellKey, &'a CellInputs)>,
) -> BTreeMap<CellKey, f64> {
    let prices = (experiment.platform == Platform::Aws).then(Prices::builtin).and_then(Result::ok);
    let Some(prices) = prices else { return BTreeMap::new() };
    let costs = Costs::new(&prices, &experiment.aws, &experiment.regions, &experiment.points);
    cells.filter_map(|(key, inputs)| Some((key, costs.cell(inputs).ok()?.minutes * 60.0))).collect()
}

/// The prices that are to be used.
fn prices(file: Option<&Path>) -> Result<Prices, RunError> {
    let Some(file) = file else {
        return Prices::builtin().map_err(|problems| RunError::new(FailureKind::Internal, problems.to_string()));
    };
    let name = crate::wording::path(file);
    let text = crate::text::read(file, || "docs/guide.md shows the form of a file of prices".to_owned())?;
    Prices::parse(&text).map_err(|problems| RunError::in_text(&name, &text, problems))
}

/// Says what the cells to run are estimated to cost, and refuses more than may be spent. On other platforms nothing is
/// spent, money is not spoken of, and nobody asks which cells `to_run` gives.
pub fn check(
    input: &Input,
    budget: &Budget,
    observer: &dyn Observer,
    to_run: impl FnOnce() -> Result<BTreeSet<CellKey>, RunError>,
) -> Result<(), RunError> {
    if let (Some(_), platform) = (budget.max_cost, input.experiment.platform)
        && platform != Platform::Aws
    {
        return Err(only_on_aws("--max-cost", platform));
    }
    let Some(estimate) = Estimate::of(input, budget.prices.as_deref())? else { return Ok(()) };
    let to_run = to_run()?;
    if to_run.is_empty() {
        return Ok(());
    }
    let sum = estimate.sum(to_run.iter().copied());
    let total = sum.total();
    match budget.max_cost {
        Some(most) if total > most => Err(RunError::usage(
            format!(
                "{} to run {} estimated to cost {} dollars with prices of {}, and --max-cost is {}",
                counted(to_run.len(), "cell"),
                if to_run.len() == 1 { "is" } else { "are" },
                dollars(total),
                estimate.prices_of,
                dollars(most)
            ),
            "raise --max-cost, or run a part with --filter; `matrix plan FILE --cells` shows what each cell costs",
        )),
        _ => {
            observer.note(format_args!("{}", estimate.describe(to_run.len(), &sum)));
            Ok(())
        }
    }
}

fn only_on_aws(flag: &str, platform: Platform) -> RunError {
    RunError::usage(
        format!("{flag} means nothing on platform `{platform}`, where nothing costs anything"),
        format!("leave {flag} out, or run on platform `aws`"),
    )
}

/// Dollars as they are shown: never less than they are.
pub fn dollars(amount: f64) -> String {
    format!("{:.2}", (amount * 100.0 - 1e-6).ceil().max(0.0) / 100.0)
}

/// GB (10^9 bytes) between regions as they are shown.
pub fn gigabytes(cost: &CellCost) -> String {
    format!("{:.2}", cost.bytes_between_regions as f64 / 1e9)
}

/// Minutes as they are shown.
pub fn minutes(cost: &CellCost) -> String {
    format!("{:.0}", cost.minutes.ceil())
}

/// A cost as JSON.
#[derive(Serialize)]
pub struct CostJson {
    requests: u64,
    bytes_between_regions: u64,
    barrier_polls: u64,
    minutes: f64,
    dollars: f64,
    dollars_by_service: BTreeMap<&'static str, f64>,
}

impl From<&CellCost> for CostJson {
    fn from(cost: &CellCost) -> Self {
        Self {
            requests: cost.requests,
            bytes_between_regions: cost.bytes_between_regions,
            barrier_polls: cost.barrier_polls,
            minutes: cost.minutes,
            dollars: cost.total(),
            dollars_by_service: cost.dollars.iter().map(|(service, dollars)| (service.as_str(), *dollars)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPERIMENT: &str = "schema = 1\nname = \"small\"\nplatform = \"aws\"\nrequests = 1000\n[[matrix]]\nname = \"all\"\n\
        post_storage = [\"redis\", \"s3\"]\nnotification_storage = [\"sns\", \"dynamo\"]\nregions = [\"eu->us\"]\n\
        delay_ms = [0]\nantipode = [false, true]\n";

    #[test]
    fn expected_times_are_those_of_the_plan_and_only_on_aws() {
        let seconds = |input: &Input| {
            expected_seconds(&input.experiment, input.cells.iter().map(|(_, cell)| (cell.key, &cell.inputs)))
        };
        let input = Input::from_text(EXPERIMENT).unwrap();
        let estimate = Estimate::of(&input, None).unwrap().unwrap();
        let expected = seconds(&input);
        assert_eq!(expected.len(), 8);
        for (key, seconds) in expected {
            assert!((seconds - 60.0 * estimate.cell(&key).unwrap().minutes).abs() < 1e-9);
        }
        assert!(seconds(&Input::from_text(&EXPERIMENT.replace("\"aws\"", "\"sim\"")).unwrap()).is_empty());
    }
}
