//! `matrix submit`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, Subcommand};
use matrix_command::slurm::{hosts_with_a_place, hosts_without_a_place};
use matrix_plan::printable::one_line;
use matrix_plan::{Experiment, Platform};
use matrix_run::{Input, Overrides};

use super::ResultsArgs;
use crate::exit::{CommandResult, Exit, Failure};
use crate::{output, program};

/// Give an experiment to a scheduler, which starts N runners
///
/// The runners work on one store, which all machines must see under the same path, and divide the cells between them. A runner
/// that is stopped or dies is started again by the scheduler, and loses what it was executing at most.
#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    #[command(subcommand)]
    scheduler: Scheduler,
}

#[derive(Debug, Subcommand)]
enum Scheduler {
    Slurm(SlurmArgs),
}

/// Submit an array job to Slurm
///
/// Slurm ends a task with TERM a minute before its time is over, which lets the runner give back what it has not begun. Tasks
/// that are preempted, or whose machine fails, are queued again. Where services of the experiment run on hosts that its
/// `[site]` names without a place, `hosts = { server = [] }`, each task gets a node for each of them besides its own.
#[derive(Debug, Args)]
#[command(
    after_help = "What follows `--` is given to sbatch, as in `matrix submit slurm sosp.toml -n 8 -- --partition=short --time=1:00:00`."
)]
struct SlurmArgs {
    /// The experiment
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many runners
    #[arg(short = 'n', long = "runners", value_name = "N")]
    runners: NonZeroU32,
    /// Print the job's script; submit nothing
    #[arg(long)]
    print: bool,
    /// Only the cells that match, as for `matrix run`
    #[arg(long, value_name = "E")]
    filter: Option<String>,
    /// Cells that a runner executes at the same time [default: as `matrix run` has it]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroU32>,
    #[command(flatten)]
    results: ResultsArgs,
    /// Options of sbatch
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<String>,
}

pub(crate) fn submit(args: SubmitArgs) -> CommandResult {
    match args.scheduler {
        Scheduler::Slurm(args) => slurm(&args),
    }
}

fn slurm(args: &SlurmArgs) -> CommandResult {
    let is_divided = args.runners.get() > 1;
    // What cannot run is refused here, and not by every task of a job that has waited for its turn.
    let (name, hosts) = match program::experiment_of(&args.file)? {
        Some(experiment) => {
            args.filter.as_deref().map_or(Ok(()), |filter| program::check_filter(&experiment, filter))?;
            if let (true, [host, ..]) = (is_divided, hosts_with_a_place(&experiment).as_slice()) {
                return Err(Failure::usage(
                    format!(
                        "all {} runners would use the services on the host `{host}` at the same time: what uses them needs the store alone",
                        args.runners
                    ),
                    format!(
                        "let each task get a node of its own for it, `[site] hosts = {{ {host} = [] }}`, or submit one runner: -n 1"
                    ),
                ));
            }
            (experiment.name.clone(), hosts_without_a_place(&experiment))
        }
        None => {
            let input = Input::from_file(&args.file, &Overrides::default())?;
            input.part(args.filter.as_deref(), None)?;
            let Experiment { name, platform, .. } = &input.experiment;
            if is_divided && *platform != Platform::Sim {
                return Err(Failure::usage(
                    format!(
                        "cells of services (platform = \"{platform}\") need the store alone: {} runners cannot divide them",
                        args.runners
                    ),
                    "let each task run a shard into a store of its own, `matrix run FILE --shard auto/N --results \
                     results-$SLURM_ARRAY_TASK_ID`, and unite their bundles (docs/scale.md); or submit one runner: -n 1",
                ));
            }
            (name.clone(), 0)
        }
    };
    let script = script(args, &name, hosts)?;
    if args.print {
        output::bytes(script.as_bytes())?;
        return Ok(Exit::Ok);
    }
    let job = sbatch(&script, &args.options)?;
    let tasks = args.runners;
    output::line(format_args!("submitted job {job}: {tasks} runners of {name}"))?;
    output::line(format_args!("how far it is: matrix status --results {}", quoted_path(&args.results.results)?))?;
    output::line(format_args!("to stop it:    scancel {job}"))?;
    Ok(Exit::Ok)
}

/// The script of an array job, each of whose tasks needs so many nodes beside its own. The runner replaces the shell, so that
/// Slurm's signal reaches it.
fn script(args: &SlurmArgs, name: &str, hosts: usize) -> Result<String, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(Exit::Internal, format!("where this program is: {error}")))?;
    let last = args.runners.get() - 1;
    let nodes = if hosts == 0 { String::new() } else { format!("#SBATCH --nodes={}\n", hosts + 1) };
    let mut script = format!(
        "#!/bin/sh\n#SBATCH --job-name={}\n#SBATCH --array=0-{last}\n#SBATCH --requeue\n#SBATCH --signal=B:TERM@60\n\
         #SBATCH --open-mode=append\n{nodes}exec {} run {} --results {}",
        quoted(&format!("matrix-{name}"))?,
        quoted_path(&program)?,
        quoted_path(&args.file)?,
        quoted_path(&args.results.results)?,
    );
    if let Some(filter) = &args.filter {
        // Writing into a string cannot fail.
        let _ = write!(script, " --filter {}", quoted(filter)?);
    }
    if let Some(jobs) = args.jobs {
        let _ = write!(script, " --jobs {jobs}");
    }
    script.push('\n');
    Ok(script)
}

/// Submits a script, and returns the job's number.
fn sbatch(script: &str, options: &[String]) -> Result<String, Failure> {
    let missing = "install Slurm's commands (Debian: slurm-client), or print the script with --print and submit it where they are";
    let mut child = Command::new("sbatch")
        .arg("--parsable")
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::usage(format!("sbatch cannot be run: {error}"), missing))?;
    if let Some(mut input) = child.stdin.take() {
        // One that ends before it has read everything says why.
        let _ = input.write_all(script.as_bytes());
    }
    let said = child
        .wait_with_output()
        .map_err(|error| Failure::new(Exit::Internal, format!("waiting for sbatch: {error}")))?;
    let printed = String::from_utf8_lossy(&said.stdout);
    // The cluster's name may follow.
    let job = printed.trim().split(';').next().unwrap_or_default().to_owned();
    if said.status.success() && !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(job);
    }
    let errors = String::from_utf8_lossy(&said.stderr);
    let why = errors.trim().lines().last().unwrap_or("it printed no job number").to_owned();
    Err(Failure::usage(format!("sbatch refused the job: {}", one_line(&why)), "the options after `--` are sbatch's"))
}

/// A word of a shell's command.
fn quoted(word: &str) -> Result<String, Failure> {
    match shlex::try_quote(word) {
        Ok(quoted) if !word.contains(['\n', '\r']) => Ok(quoted.into_owned()),
        _ => Err(Failure::usage(format!("{} cannot stand in a script", one_line(word)), "use a name of one line")),
    }
}

fn quoted_path(path: &Path) -> Result<String, Failure> {
    match path.to_str() {
        Some(text) => quoted(text),
        None => Err(Failure::usage(format!("{} is not UTF-8", path.display()), "use a path that is text")),
    }
}
