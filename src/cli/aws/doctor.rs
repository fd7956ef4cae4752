//! `matrix aws doctor`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use matrix_aws::{ConnectionInfo, Datastore};
use matrix_live::aws::{Examination, Finding, Verdict};
use matrix_plan::{Combination, Experiment, Regions};

use super::access::{listen, operator};
use super::{endpoints, request};
use crate::cli::Format;
use crate::cli::aws::DoctorArgs;
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

pub(super) fn doctor(args: &DoctorArgs) -> CommandResult {
    let experiment = request::experiment(args.file.as_deref())?;
    let experiment = experiment.as_ref();
    let path = endpoints::path(&args.place, experiment);
    let info = endpoints::read(&path)?;
    let regions = regions(args, experiment, info.as_ref())?;
    let shown = Shown::new(args.format.format);
    // Without credentials nothing can be asked.
    let operator = operator(info.as_ref().and_then(|info| info.credentials_profile.as_deref()))?;
    shown.add(Finding::ok("credentials", "AWS takes them"));
    entries(&path, info.as_ref(), experiment).into_iter().for_each(|finding| shown.add(finding));
    let cancel = listen()?;
    let all = || Datastore::ALL.into();
    let stores = experiment.map_or_else(all, |experiment| Datastore::needed_by(&experiment.points));
    let what = Examination { name: args.place.name.clone(), regions, info, stores };
    let examined = operator.examine(&what, &cancel, &|finding| shown.add(finding));
    let findings = shown.end()?;
    let problems = findings.iter().filter(|finding| finding.verdict == Verdict::Problem).count();
    let unchecked = findings.iter().filter(|finding| finding.verdict == Verdict::NotChecked).count();
    output::note(format_args!("{problems} problems, {unchecked} not checked, of {}", findings.len()));
    examined?;
    Ok(if problems == 0 { Exit::Ok } else { Exit::Cells })
}

/// Findings, shown as they come: an interruption loses none.
struct Shown {
    format: Format,
    findings: RefCell<Vec<Finding>>,
    /// Why a line could not be written.
    failure: RefCell<Option<Failure>>,
}

impl Shown {
    fn new(format: Format) -> Self {
        Self { format, findings: RefCell::default(), failure: RefCell::default() }
    }

    fn add(&self, finding: Finding) {
        if self.format != Format::Json
            && let Err(failure) = show(&finding)
        {
            self.failure.borrow_mut().get_or_insert(failure);
        }
        self.findings.borrow_mut().push(finding);
    }

    /// All of them; as JSON they are one array, by what they are about.
    fn end(self) -> Result<Vec<Finding>, Failure> {
        let mut findings = self.findings.into_inner();
        if self.format == Format::Json {
            findings.sort_by(|a, b| a.about.cmp(&b.about));
            output::json(&findings)?;
        }
        self.failure.into_inner().map_or(Ok(findings), Err)
    }
}

/// AWS names of the regions to look at.
fn regions(
    args: &DoctorArgs,
    experiment: Option<&Experiment>,
    info: Option<&ConnectionInfo>,
) -> Result<BTreeSet<String>, Failure> {
    let known = experiment.map_or_else(Regions::built_in, |experiment| experiment.regions.clone());
    let of_file = info.map(endpoints::regions).filter(|regions| !regions.is_empty());
    if args.regions.is_empty()
        && let Some(regions) = of_file
    {
        return Ok(regions);
    }
    let names = match experiment {
        _ if !args.regions.is_empty() => args.regions.clone(),
        Some(experiment) => {
            let pairs = experiment.points.iter().map(|point| &point.combination.regions);
            pairs.flat_map(|pair| [pair.writer.to_string(), pair.reader.to_string()]).collect()
        }
        None => request::REGIONS.map(str::to_owned).to_vec(),
    };
    let regions = request::named(&names, &known)?;
    Ok(regions.iter().filter_map(|region| known.aws_name(region)).map(str::to_owned).collect())
}

/// Whether the file of endpoints has what the experiment needs.
fn entries(path: &Path, info: Option<&ConnectionInfo>, experiment: Option<&Experiment>) -> Vec<Finding> {
    let about = path.display().to_string();
    let Some(info) = info else {
        let fix = "`matrix aws setup` writes it; by hand: docs/aws.md#connection_infoyaml";
        return vec![Finding::problem(about, "there is no such file", fix)];
    };
    let Some(experiment) = experiment else { return vec![Finding::ok(about, "it can be read")] };
    let needed: BTreeSet<Combination> = experiment.points.iter().map(|point| point.combination.clone()).collect();
    let needed: Vec<Combination> = needed.into_iter().collect();
    let problems = info.check(&needed, &experiment.regions);
    if problems.is_empty() {
        return vec![Finding::ok(about, format!("it has what the {} combinations need", needed.len()))];
    }
    problems.iter().map(|problem| Finding::problem(about.clone(), problem.to_string(), problem.fix())).collect()
}

fn show(Finding { verdict, about, seen, fix }: &Finding) -> Result<(), Failure> {
    output::line(format_args!("{verdict:11}  {about}: {seen}"))?;
    if let Some(fix) = fix {
        output::line(format_args!("{:11}  -> {fix}", ""))?;
    }
    Ok(())
}
