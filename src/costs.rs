//! What cells on AWS are estimated to cost, and what may be spent.

use std::collections::{BTreeMap, BTreeSet};

use matrix_aws::cost::{CellCost, Costs, NoPrice, Prices};
use matrix_plan::{CellKey, Platform};
use serde::Serialize;

use crate::cli::budget::{BudgetArgs, PricesArgs};
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::output;

/// What is not in any cell's cost.
pub(crate) const WITHOUT: &str = "without what the set-up costs by the hour";

/// The estimated cost of each cell of an experiment on AWS.
pub(crate) struct Estimate {
    /// Date of the prices.
    pub(crate) prices_of: String,
    cells: BTreeMap<CellKey, CellCost>,
}

impl Estimate {
    /// The estimate for an experiment, if it runs on AWS.
    pub(crate) fn of(input: &Input, args: &PricesArgs) -> Result<Option<Self>, Failure> {
        let platform = input.experiment.platform;
        if platform != Platform::Aws {
            return match args.prices {
                Some(_) => Err(only_on_aws("--prices", platform)),
                None => Ok(None),
            };
        }
        let prices = prices(args)?;
        let experiment = &input.experiment;
        let costs = Costs::new(&prices, &experiment.aws, &experiment.regions, &experiment.points);
        let cost = |(_, cell): &(u32, matrix_plan::Cell)| Ok((cell.key, costs.cell(&cell.inputs)?));
        let cells = input.cells.iter().map(cost).collect::<Result<_, NoPrice>>();
        let cells = cells.map_err(|error| Failure::usage(error.to_string(), error.mend()))?;
        Ok(Some(Self { prices_of: prices.date().to_owned(), cells }))
    }

    /// What a cell costs.
    pub(crate) fn cell(&self, key: &CellKey) -> Option<&CellCost> {
        self.cells.get(key)
    }

    /// What these cells cost together.
    pub(crate) fn sum(&self, keys: impl IntoIterator<Item = CellKey>) -> CellCost {
        let mut sum = CellCost::default();
        keys.into_iter().filter_map(|key| self.cells.get(&key)).for_each(|cost| sum.add(cost));
        sum
    }

    /// One sentence about cells that would run.
    pub(crate) fn describe(&self, cells: usize, sum: &CellCost) -> String {
        format!(
            "estimate for {cells} cells: {} requests, {} GB between regions, {} minutes one after the other, \
             {} dollars with prices of {}, {WITHOUT}",
            sum.requests,
            gigabytes(sum),
            minutes(sum),
            dollars(sum.total()),
            self.prices_of
        )
    }
}

/// The prices that are to be used.
pub(crate) fn prices(args: &PricesArgs) -> Result<Prices, Failure> {
    let Some(file) = &args.prices else {
        return Prices::builtin().map_err(|problems| Failure::new(Exit::Internal, problems.to_string()));
    };
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::usage(format!("{name}: {error}"), "docs/guide.md shows the form of a file of prices")
    })?;
    Prices::parse(&text).map_err(|problems| Failure::in_text(&name, &text, problems))
}

/// Says what the cells to run are estimated to cost, and refuses more than may be spent. On other platforms nothing is
/// spent, money is not spoken of, and nobody asks which cells `to_run` gives.
pub(crate) fn check(
    input: &Input,
    args: &BudgetArgs,
    to_run: impl FnOnce() -> Result<BTreeSet<CellKey>, Failure>,
) -> Result<(), Failure> {
    if let (Some(_), platform) = (args.max_cost, input.experiment.platform)
        && platform != Platform::Aws
    {
        return Err(only_on_aws("--max-cost", platform));
    }
    let Some(estimate) = Estimate::of(input, &args.prices)? else { return Ok(()) };
    let to_run = to_run()?;
    if to_run.is_empty() {
        return Ok(());
    }
    let sum = estimate.sum(to_run.iter().copied());
    let total = sum.total();
    match args.max_cost {
        Some(most) if total > most => Err(Failure::usage(
            format!(
                "{} cells to run are estimated to cost {} dollars with prices of {}, and --max-cost is {}",
                to_run.len(),
                dollars(total),
                estimate.prices_of,
                dollars(most)
            ),
            "raise --max-cost, or run a part with --filter; `matrix plan FILE --cells` shows what each cell costs",
        )),
        _ => {
            output::note(estimate.describe(to_run.len(), &sum));
            Ok(())
        }
    }
}

fn only_on_aws(flag: &str, platform: Platform) -> Failure {
    Failure::usage(
        format!("{flag} means nothing on platform `{platform}`, where nothing costs anything"),
        format!("leave {flag} out, or run on platform `aws`"),
    )
}

/// Dollars as they are shown: never less than they are.
pub(crate) fn dollars(amount: f64) -> String {
    format!("{:.2}", (amount * 100.0 - 1e-6).ceil().max(0.0) / 100.0)
}

/// GB (10^9 bytes) between regions as they are shown.
pub(crate) fn gigabytes(cost: &CellCost) -> String {
    format!("{:.2}", cost.bytes_between_regions as f64 / 1e9)
}

/// Minutes as they are shown.
pub(crate) fn minutes(cost: &CellCost) -> String {
    format!("{:.0}", cost.minutes.ceil())
}

/// A cost as JSON.
#[derive(Serialize)]
pub(crate) struct CostJson {
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
