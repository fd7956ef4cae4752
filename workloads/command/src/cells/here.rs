//! What this machine is, as far as templates name it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_core::Value;
use matrix_core::placeholder::Segment;

use crate::file::Experiment;
use crate::prepare::Products;
use crate::remote::Destination;

/// What is needed to say what templates stand for on this machine.
#[derive(Clone, Debug, Default)]
pub struct Here {
    /// The folder of the experiment's file.
    pub folder: PathBuf,
    /// What is this machine's.
    pub site: BTreeMap<String, String>,
    /// Where other hosts are, by the names that services know them by.
    pub hosts: BTreeMap<String, Destination>,
    /// Those of them that are nobody else's while this process runs.
    pub own_hosts: BTreeSet<String>,
    /// What machines those are that were tried, in words.
    pub machines: BTreeMap<String, String>,
    /// What `[[prepare]]` has made here.
    pub products: Products,
}

impl Here {
    /// What a placeholder stands for that belongs to the machine.
    #[must_use]
    pub fn text(&self, segment: &Segment) -> Option<String> {
        match segment {
            Segment::Experiment => Some(self.folder.display().to_string()),
            Segment::Site(name) => self
                .site
                .get(name)
                .cloned()
                .or_else(|| (name == "scratch").then(|| std::env::temp_dir().display().to_string())),
            _ => None,
        }
    }

    /// The same for a point: what was prepared may be another for each.
    #[must_use]
    pub fn text_for(&self, experiment: &Experiment, point: &[Value], segment: &Segment) -> Option<String> {
        match segment {
            Segment::Prepared(Some(name)) => {
                let number = experiment.prepares.iter().position(|prepare| prepare.name == *name)?;
                Some(self.products.of(experiment, number, point)?.dir.display().to_string())
            }
            other => self.text(other),
        }
    }

    /// The address of the host that a service runs on.
    #[must_use]
    pub fn address(&self, experiment: &Experiment, service: &str) -> String {
        let service = experiment.command.services.iter().find(|known| known.name == service);
        let host = service.and_then(|service| self.hosts.get(service.on.as_ref()?));
        host.map_or_else(|| std::net::Ipv4Addr::LOCALHOST.to_string(), |host| host.address.clone())
    }

    /// The folder that the program runs in.
    #[must_use]
    pub fn dir(&self, experiment: &Experiment, point: &[Value]) -> PathBuf {
        let rest = |segment: &Segment| {
            Ok::<_, std::convert::Infallible>(self.text_for(experiment, point, segment).unwrap_or_default())
        };
        match experiment.command.dir.render(point, &rest) {
            Ok(dir) => self.folder.join(dir),
            Err(never) => match never {},
        }
    }
}

/// The folder of an experiment's file.
#[must_use]
pub fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}
