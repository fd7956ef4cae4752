//! Making what `[[prepare]]` declares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use matrix_core::placeholder::Segment;
use matrix_core::{Point, Value};
use matrix_driver::Cancel;

use super::turn::Turn;
use super::{Made, Product, beside, found, recipe, tree, values};
use crate::attempt::last_lines;
use crate::cells::{CellError, Here, flat};
use crate::file::{Experiment, Making, PASSED, Prepare};
use crate::inputs::{Digests, InputError, digest};
use crate::probe::environment;
use crate::supervise::{Ended, Job, Supervisors};

/// Time between two looks whether others have made a product.
const LOOK: Duration = Duration::from_millis(100);

/// Why a product was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// A stop was asked for.
    #[error("interrupted")]
    Interrupted,
    /// It went wrong; what, in words.
    #[error("{0}")]
    Failed(String),
    /// Files that products are made of, or the keys that follow from products.
    #[error(transparent)]
    Cells(#[from] CellError),
}

impl From<InputError> for MakeError {
    fn from(error: InputError) -> Self {
        Self::Cells(error.into())
    }
}

impl MakeError {
    fn failed(what: impl ToString) -> Self {
        Self::Failed(what.to_string())
    }
}

/// Makes products.
pub struct Maker<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// What runs programs.
    pub supervisors: &'a Supervisors,
    /// Whether a stop was asked for.
    pub cancel: &'a Cancel,
    /// Who is told what happens.
    pub say: &'a dyn Fn(&str),
}

impl Maker<'_> {
    /// Makes every product that these points use and that is not made; what was made is in `here.products`. Of each point
    /// for which something could not be made, why; the others are made all the same.
    ///
    /// # Errors
    /// When a stop was asked for, or a file that products are made of cannot be read.
    pub fn make(
        &self,
        here: &mut Here,
        digests: &mut Digests,
        points: &BTreeSet<Point>,
    ) -> Result<BTreeMap<Point, String>, MakeError> {
        let mut failed = BTreeMap::new();
        for (number, prepare) in self.experiment.prepares.iter().enumerate() {
            let mut tried: BTreeMap<Vec<Value>, Result<(), String>> = BTreeMap::new();
            for point in points {
                let of = values(prepare, point);
                if !tried.contains_key(&of) {
                    // What it uses has been made by now, so that its place is known.
                    let mut product = found(self.experiment, prepare, here, digests, point)?;
                    let result = match product.digest {
                        Some(_) => Ok(()),
                        None => match self.one(prepare, here, digests, point, &mut product) {
                            Err(MakeError::Failed(why)) => Err(why),
                            other => Ok(other?),
                        },
                    };
                    here.products.0.insert((number, of.clone()), product);
                    tried.insert(of.clone(), result);
                }
                if let Some(Err(why)) = tried.get(&of) {
                    failed.entry(point.clone()).or_insert_with(|| why.clone());
                }
            }
        }
        Ok(failed)
    }

    fn one(
        &self,
        prepare: &Prepare,
        here: &Here,
        digests: &mut Digests,
        point: &Point,
        product: &mut Product,
    ) -> Result<(), MakeError> {
        let which = self.which(prepare, point);
        if recipe(self.experiment, prepare, here, digests, point)?.is_none() {
            return Err(MakeError::failed(format!("prepare {which}: what it uses could not be made")));
        }
        let place = beside(product, "");
        let fail = |error: std::io::Error| MakeError::failed(format!("{}: {error}", place.display()));
        std::fs::create_dir_all(&place).map_err(fail)?;
        let _turn = self.turn(&place)?;
        // Another run may have made it while this one waited.
        *product = found(self.experiment, prepare, here, digests, point)?;
        if product.digest.is_some() {
            return Ok(());
        }
        (self.say)(&format!("preparing {which}"));
        // What an interrupted run left is not trusted.
        for name in ["made.json", "stdout", "stderr"] {
            remove(std::fs::remove_file(place.join(name))).map_err(fail)?;
        }
        remove(std::fs::remove_dir_all(&product.dir)).map_err(fail)?;
        std::fs::create_dir(&product.dir).map_err(fail)?;
        let made = match &prepare.making {
            Making::Run(_) => self.run(prepare, here, point, product),
            Making::Fetch { url, sha256 } => self.fetch(url, sha256, here, product),
        };
        let made = made.and_then(|()| {
            let unreadable = |error: std::io::Error| MakeError::failed(format!("its product: {error}"));
            let (digest, files) = tree::digest(&product.dir, digests).map_err(unreadable)?;
            if files.is_empty() {
                let dir = product.dir.display();
                return Err(MakeError::failed(format!("it made nothing: there is no file in {{prepared}}, {dir}")));
            }
            let made = Made { digest, name: prepare.name.clone(), schema: 1 };
            write(&place.join("made.json"), &made).map_err(fail)?;
            (product.digest, product.files) = (Some(digest), files);
            Ok(())
        });
        made.map_err(|error| match error {
            MakeError::Failed(why) => MakeError::Failed(format!("prepare {which}: {why}")),
            other => other,
        })
    }

    fn which(&self, prepare: &Prepare, point: &Point) -> String {
        let axes = &self.experiment.axes.axes;
        let parts =
            prepare.each.iter().filter_map(|axis| Some(format!("{}={}", axes.get(*axis)?.name, point.get(*axis)?)));
        let parts: Vec<String> = std::iter::once(prepare.name.clone()).chain(parts).collect();
        parts.join(" ")
    }

    /// Waits until nobody else makes the same.
    fn turn(&self, place: &Path) -> Result<Turn, MakeError> {
        let mut told = false;
        let turn = Turn::take(place, || {
            if !std::mem::replace(&mut told, true) {
                (self.say)("waiting: another run prepares the same");
            }
            std::thread::sleep(LOOK);
            self.cancel.is_cancelled()
        });
        let turn = turn.map_err(|error| MakeError::failed(format!("{}: {error}", place.display())))?;
        turn.ok_or(MakeError::Interrupted)
    }

    fn run(&self, prepare: &Prepare, here: &Here, point: &Point, product: &Product) -> Result<(), MakeError> {
        let Making::Run(templates) = &prepare.making else { return Ok(()) };
        let text = |segment: &Segment| match segment {
            Segment::Prepared(None) => Ok(product.dir.display().to_string()),
            other => here
                .text_for(self.experiment, point, other)
                .ok_or_else(|| MakeError::failed(format!("{other:?} stands for nothing in a prepare"))),
        };
        let flat = flat(self.experiment, point, templates).into_iter();
        let arguments = flat.map(|template| template.render(point, &text)).collect::<Result<Vec<_>, _>>()?;
        let (ended, said) = self.execute(arguments, here, product)?;
        if ended.is_success() { Ok(()) } else { Err(MakeError::failed(format!("{}{said}", ended.words()))) }
    }

    fn fetch(&self, url: &str, sha256: &matrix_store::Digest, here: &Here, product: &Product) -> Result<(), MakeError> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let name = path.rsplit('/').find(|part| !part.is_empty() && *part != "." && *part != "..");
        let file = product.dir.join(name.unwrap_or("download"));
        // A redirection leads to no file of this machine.
        let mut arguments: Vec<String> =
            ["curl", "--fail", "--silent", "--show-error", "--location", "--proto-redir", "=http,https", "--output"]
                .map(str::to_owned)
                .to_vec();
        arguments.extend([file.display().to_string(), "--".to_owned(), url.to_owned()]);
        let (ended, said) = self.execute(arguments, here, product)?;
        if let Some(why) = &ended.not_started {
            return Err(MakeError::failed(format!("downloads need curl: {why}")));
        }
        if !ended.is_success() {
            return Err(MakeError::failed(format!("{url} could not be downloaded: {}{said}", ended.words())));
        }
        let found = digest(&file).map_err(|error| MakeError::failed(format!("{}: {error}", file.display())))?;
        if found != *sha256 {
            remove(std::fs::remove_file(&file)).map_err(MakeError::failed)?;
            return Err(MakeError::failed(format!("{url} has the SHA-256 {found}, not {sha256}")));
        }
        Ok(())
    }

    /// Runs a program to its end; its last words besides.
    fn execute(&self, arguments: Vec<String>, here: &Here, product: &Product) -> Result<(Ended, String), MakeError> {
        let pass = self.experiment.command.pass.iter().map(String::as_str);
        // A download goes through the user's proxy.
        let proxies = ["http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"];
        let job = Job {
            arguments,
            env: environment(PASSED.into_iter().chain(proxies).chain(pass)),
            dir: here.folder.clone(),
            stdout: beside(product, "stdout"),
            stderr: beside(product, "stderr"),
            timeout_ms: None,
            holds_input: false,
        };
        let mut running = self.supervisors.start(&job).map_err(MakeError::failed)?;
        let ended = running.wait(self.cancel, &mut || false);
        if self.cancel.is_cancelled() && !ended.is_success() {
            return Err(MakeError::Interrupted);
        }
        let said = last_lines(&job.stderr).map(|lines| format!("\n{lines}")).unwrap_or_default();
        Ok((ended, said))
    }
}

/// That there was nothing to remove is fine.
fn remove(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Writes a file whole or not at all.
fn write(path: &Path, made: &Made) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut file, made)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
