//! What `[[prepare]]` makes: once, before any cell runs, and shared by all cells with the same values of its axes.
//!
//! A product lies in a folder of its own below the user's cache (or below `[site] prepared`):
//!
//! ```text
//! ~/.cache/matrix/prepared/NAME-RECIPE/
//!   product/      what `{prepared}` stands for
//!   made.json     written last: without it, the product is half-made and is made again
//!   lock          held while it is made
//!   turn.N        says the same, where several machines have the file system
//!   stdout stderr of what made it
//! ```
//!
//! The recipe is the digest of everything that is known to go into it: the experiment's folder, the arguments, the bytes
//! of each argument that is a file and of `inputs`, and the products that it uses; of a download, its SHA-256 alone, so
//! that experiments share it. The cells' keys hold the digest of the product itself, and never where it lies.

mod make;
mod tree;
mod turn;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use matrix_core::placeholder::{Segment, Template};
use matrix_core::{Point, Value};
use matrix_store::Digest;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use make::{MakeError, Maker};

use crate::cells::{self, Here};
use crate::file::{Experiment, Making, Prepare};
use crate::inputs::{Digests, InputError, InputFile};

/// A product, made or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its folder.
    pub dir: PathBuf,
    /// The digest of everything in it; none before it is made.
    pub digest: Option<Digest>,
    /// The files in it, as they were when they were digested.
    pub files: Vec<InputFile>,
}

/// The products of an experiment: by prepare, and by the values of its axes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Products(BTreeMap<(usize, Vec<Value>), Product>);

/// The values of a point that a prepare is made for.
fn values(prepare: &Prepare, point: &[Value]) -> Vec<Value> {
    prepare.each.iter().filter_map(|axis| point.get(*axis).cloned()).collect()
}

impl Products {
    /// The product of a prepare that a point uses.
    #[must_use]
    pub fn of(&self, experiment: &Experiment, number: usize, point: &[Value]) -> Option<&Product> {
        self.0.get(&(number, values(experiment.prepares.get(number)?, point)))
    }

    /// Every product of a point, with its name.
    pub fn of_point<'p>(
        &'p self,
        experiment: &'p Experiment,
        point: &'p [Value],
    ) -> impl Iterator<Item = (&'p str, &'p Product)> {
        let numbered = experiment.prepares.iter().enumerate();
        numbered.filter_map(move |(number, prepare)| Some((prepare.name.as_str(), self.of(experiment, number, point)?)))
    }

    /// How many there are, and how many of them are not made.
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (self.0.len(), self.0.values().filter(|product| product.digest.is_none()).count())
    }
}

/// `made.json`: what is known of a finished product.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    digest: Digest,
    name: String,
    schema: u32,
}

/// Finds the products of an experiment, and which of them are made; nothing is run. `here.products` is replaced.
///
/// # Errors
/// When a file that a product is made of cannot be read.
pub fn look(experiment: &Experiment, here: &mut Here, digests: &mut Digests) -> Result<(), InputError> {
    here.products = Products::default();
    for (number, prepare) in experiment.prepares.iter().enumerate() {
        for point in &experiment.points {
            let place = (number, values(prepare, point));
            if here.products.0.contains_key(&place) {
                continue;
            }
            let product = found(experiment, prepare, here, digests, point)?;
            here.products.0.insert(place, product);
        }
    }
    Ok(())
}

/// The product of a prepare for a point, as it stands on the disk.
fn found(
    experiment: &Experiment,
    prepare: &Prepare,
    here: &Here,
    digests: &mut Digests,
    point: &Point,
) -> Result<Product, InputError> {
    let Some(recipe) = recipe(experiment, prepare, here, digests, point)? else {
        // What it uses is not made, so neither is this: its place is not known yet.
        return Ok(Product { dir: root(here).join(&prepare.name), digest: None, files: Vec::new() });
    };
    let dir = root(here).join(format!("{}-{}", prepare.name, &recipe.to_string()[..16])).join("product");
    let mut product = Product { dir, digest: None, files: Vec::new() };
    let made = std::fs::read(product.dir.with_file_name("made.json")).ok();
    // One that cannot be read, or of another version, is as if it were not there: the product is made again.
    let made = made.and_then(|bytes| serde_json::from_slice::<Made>(&bytes).ok()).filter(|made| made.schema == 1);
    if let Some(made) = made
        && let Ok((digest, files)) = tree::digest(&product.dir, digests)
        && digest == made.digest
    {
        product.digest = Some(digest);
        product.files = files;
    }
    Ok(product)
}

/// Where products are kept: what `[site] prepared` says, or the user's cache.
fn root(here: &Here) -> PathBuf {
    if let Some(place) = here.text(&Segment::Site("prepared".to_owned())) {
        return here.folder.join(place);
    }
    crate::inputs::cache().map_or_else(|| here.folder.join(".matrix-prepared"), |cache| cache.join("prepared"))
}

/// The digest of everything that is known to go into a product; none if it uses one that is not made.
fn recipe(
    experiment: &Experiment,
    prepare: &Prepare,
    here: &Here,
    digests: &mut Digests,
    point: &Point,
) -> Result<Option<Digest>, InputError> {
    let arguments = match &prepare.making {
        Making::Fetch { sha256, .. } => return Ok(Some(*sha256)),
        Making::Run(arguments) => arguments,
    };
    let mut files = BTreeMap::new();
    let flat = cells::flat(experiment, point, arguments);
    for template in &flat {
        let Some(path) = text(experiment, here, point, template).map(|text| here.folder.join(text)) else { continue };
        // What is not below the folder is the system's, as the programs of cells are.
        if path.starts_with(&here.folder) && path.is_file() {
            let file = digests.file(template.symbolic(point), path)?;
            files.insert(file.name, (file.sha256, file.executable));
        }
    }
    for pattern in &prepare.inputs {
        for file in digests.files(&here.folder, &pattern.symbolic(point))? {
            files.insert(file.name, (file.sha256, file.executable));
        }
    }
    let mut uses = BTreeMap::new();
    for (number, other) in experiment.prepares.iter().enumerate() {
        let wanted = Segment::Prepared(Some(other.name.clone()));
        if flat.iter().any(|template| template.segments().contains(&wanted)) {
            let Some(digest) = here.products.of(experiment, number, point).and_then(|product| product.digest) else {
                return Ok(None);
            };
            uses.insert(&other.name, digest);
        }
    }
    let recipe = json!({
        "arguments": cells::symbolic(experiment, point, arguments),
        "files": files,
        "folder": here.folder.display().to_string(),
        "uses": uses,
    });
    Ok(Some(Digest::of(recipe.to_string().as_bytes())))
}

/// An argument's text, if everything in it is known before the product is.
fn text(experiment: &Experiment, here: &Here, point: &Point, template: &Template) -> Option<String> {
    template.render(point, &|segment| here.text_for(experiment, point, segment).ok_or(())).ok()
}

/// What stands beside the product, in its folder.
fn beside(product: &Product, name: &str) -> PathBuf {
    product.dir.parent().unwrap_or(Path::new(".")).join(name)
}
