//! The file of endpoints of an experiment on AWS: one place decides which file that is, and what it must have.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use matrix_aws::ConnectionInfo;
use matrix_aws::connection::{Guide, Problem};
use matrix_plan::printable::one_line;
use matrix_plan::{Aws, Cell, Combination, Regions};
use matrix_run::{Input, RunError};
use miette::MietteDiagnostic;

use crate::exit::{Exit, Failure};
use crate::output;

/// The file: relative to the directory in which the command runs, wherever the experiment's file is. So `run`, `resume`,
/// `--cell` and `aws setup` mean the same one, in a checkout the one at its root.
pub(crate) fn path(aws: &Aws) -> PathBuf {
    beside_template(PathBuf::from(&aws.connection_info))
}

/// The file that is meant by a path. Where there is a template, with comments and nothing else, as at the root of a
/// checkout, it is the file beside it that ends with `.local.yaml`: so nothing that is written here changes what is
/// committed.
pub(crate) fn beside_template(path: PathBuf) -> PathBuf {
    let is_template = std::fs::read_to_string(&path).is_ok_and(|text| is_template(&text));
    if is_template { path.with_extension("local.yaml") } else { path }
}

/// Whether a text has comments, and nothing but comments.
fn is_template(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    lines.peek().is_some() && lines.all(|line| line.starts_with('#'))
}

/// Reads the file, if there is one.
pub(crate) fn read_if_present(path: &Path) -> Result<Option<ConnectionInfo>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let text = matrix_run::text::decode_secret(&output::path(path), bytes)?;
            ConnectionInfo::parse(&text).map(Some).map_err(|problems| failure(path, problems))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::usage(format!("{}: {error}", output::path(path)), by_hand())),
    }
}

/// Reads the file that an experiment names.
fn read(input: &Input) -> Result<ConnectionInfo, Failure> {
    let path = path(&input.experiment.aws);
    let text = (input.name.as_str(), input.text.as_str());
    let missing = || {
        let message = format!("{} is not there", output::path(&path));
        RunError::named_file(text, ("aws", "connection_info"), message, &by_hand()).into()
    };
    read_if_present(&path)?.ok_or_else(missing)
}

/// How to come by a file.
fn by_hand() -> String {
    let fix = "`matrix aws setup` writes it into the directory in which it runs; [aws] connection_info of the experiment names \
                another file; by hand: see ";
    format!("{fix}{}", Guide::File.link())
}

/// Reads the file and makes sure that it has what these cells of an experiment need, and that the passwords which it takes from
/// the environment are there.
pub(crate) fn needed(input: &Input, cells: &[Cell]) -> Result<ConnectionInfo, Failure> {
    let experiment = &input.experiment;
    let info = read(input)?;
    let combinations: BTreeSet<&Combination> = cells.iter().map(|cell| &cell.axes().combination).collect();
    let combinations: Vec<Combination> = combinations.into_iter().cloned().collect();
    let missing = missing(&info, &combinations, &experiment.regions);
    if missing.is_empty() { Ok(info) } else { Err(failure(&path(&experiment.aws), missing)) }
}

/// What the combinations need and the file, or the environment that it speaks of, lacks.
fn missing(info: &ConnectionInfo, combinations: &[Combination], regions: &Regions) -> Vec<Problem> {
    let mut missing = info.check(combinations, regions);
    missing.extend(info.check_variables(combinations, |name| std::env::var(name).is_ok()));
    missing
}

/// What is wrong with the file. Its text is not shown: there are passwords in it.
pub(crate) fn failure(path: &Path, problems: Vec<Problem>) -> Failure {
    let report = |problem: Problem| {
        let message = format!("{}: {}", output::path(path), one_line(&problem.to_string()));
        MietteDiagnostic::new(message).with_help(problem.fix()).into()
    };
    Failure { exit: Exit::Usage, reports: problems.into_iter().map(report).collect() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use matrix_plan::{NotificationStorage, PostStorage};

    use super::*;

    /// The template at the root of a checkout.
    fn template() -> String {
        let top = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        std::fs::read_to_string(Path::new(&top).join("connection_info.yaml")).unwrap()
    }

    #[test]
    fn the_template_has_every_entry_and_nothing_in_force() {
        let template = template();
        assert!(is_template(&template) && ConnectionInfo::parse(&template).is_err());
        let entries = template.lines().filter(|line| !line.starts_with("##"));
        let entries = entries.map(|line| line.strip_prefix("# ").unwrap_or(line)).collect::<Vec<_>>().join("\n");
        let info = ConnectionInfo::parse(&entries).unwrap();
        let regions = Regions::built_in();
        let mut needed = Vec::new();
        for post_storage in PostStorage::ALL {
            for notification_storage in NotificationStorage::ALL {
                let regions = "eu->us".parse().unwrap();
                let (post_storage, notification_storage) = (*post_storage, *notification_storage);
                needed.push(Combination { post_storage, notification_storage, regions });
            }
        }
        assert_eq!(info.check(&needed, &regions), []);
    }

    #[test]
    fn what_is_written_beside_a_template_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connection_info.yaml");
        assert_eq!(beside_template(path.clone()), path);
        std::fs::write(&path, template()).unwrap();
        assert_eq!(beside_template(path.clone()), folder.path().join("connection_info.local.yaml"));
        std::fs::write(&path, format!("{}\naws_credentials_profile: mine\n", template())).unwrap();
        assert_eq!(beside_template(path.clone()), path);
        assert!(!is_template("") && !is_template("\n\n"));
    }

    #[test]
    fn a_password_from_a_variable_that_is_not_set_is_missed_by_who_needs_it() {
        let original = include_str!("../workloads/post-notification/aws/tests/original/connection_info.yaml");
        let missed = |password: &str, post_storage| {
            let info = ConnectionInfo::parse(&original.replace("'antipode'", password)).unwrap();
            let regions = "eu->us".parse().unwrap();
            let needed = Combination { post_storage, notification_storage: NotificationStorage::Sns, regions };
            let missing = missing(&info, &[needed], &Regions::built_in());
            missing.into_iter().map(|problem| problem.entry).collect::<Vec<_>>()
        };
        let unset = "${MATRIX_A_PASSWORD_THAT_NOBODY_SETS}";
        assert_eq!(missed(unset, PostStorage::Mysql), ["datastores.mysql.password"]);
        assert_eq!(missed(unset, PostStorage::Redis), [""; 0]);
        assert_eq!(missed("${PATH}", PostStorage::Mysql), [""; 0]);
    }
}
