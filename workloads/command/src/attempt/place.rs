//! The folders and ports of one attempt, and what placeholders stand for in it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use matrix_core::placeholder::{Segment, Template};

use super::left::Folder;
use crate::cells::{Cell, Here};
use crate::file::Experiment;

/// The folders that placeholders stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folders<'f> {
    pub(super) out: &'f Path,
    pub(super) scratch: &'f Path,
}

/// Where the folders of attempts are.
pub(super) fn base(here: &Here) -> PathBuf {
    here.folder.join(here.text(&Segment::Site("scratch".to_owned())).unwrap_or_default())
}

/// The folders and ports of one attempt.
#[derive(Debug)]
pub(super) struct Workplace {
    pub(super) folder: Folder,
    pub(super) root: PathBuf,
    /// What is kept.
    pub(super) out: PathBuf,
    /// What is removed.
    pub(super) scratch: PathBuf,
    ports: BTreeMap<String, u16>,
}

impl Workplace {
    /// Makes the folders; with `keep` they are for looking, and nobody removes them.
    pub(super) fn new(experiment: &Experiment, here: &Here, cell: &Cell, keep: bool) -> std::io::Result<Self> {
        let folder = Folder::new(&base(here), &cell.key, keep)?;
        let root = folder.path().canonicalize()?;
        let (out, scratch) = (root.join("out"), root.join("scratch"));
        // All are held until all are chosen, so that no two are the same.
        let mut held = Vec::new();
        let mut ports = BTreeMap::new();
        for service in &experiment.command.services {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            ports.insert(service.name.clone(), listener.local_addr()?.port());
            held.push(listener);
        }
        Ok(Self { folder, root, out, scratch, ports })
    }

    /// Where something that a program prints goes.
    pub(super) fn log(&self, name: &str, stream: &str) -> PathBuf {
        self.root.join(format!("{name}.{stream}"))
    }

    /// A folder for what a run writes that is not recorded.
    pub(super) fn warmup(&self, number: u32) -> PathBuf {
        self.root.join(format!("warmup-{number}"))
    }

    /// A folder's text. One of this attempt is made when something is told where it is; one on another host is made there.
    fn folder_at(&self, path: &Path) -> Result<String, String> {
        if path.starts_with(&self.root) {
            std::fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(path.display().to_string())
    }

    /// A template's text in this attempt.
    pub(super) fn text(
        &self,
        experiment: &Experiment,
        template: &Template,
        cell: &Cell,
        here: &Here,
        folders: Folders<'_>,
    ) -> Result<String, String> {
        template.render(&cell.point, &|segment| match segment {
            Segment::Round => Ok(cell.round.to_string()),
            Segment::Seed => Ok(cell.seed.to_string()),
            Segment::Out => self.folder_at(folders.out),
            Segment::Scratch => self.folder_at(folders.scratch),
            Segment::Port(name) => {
                self.ports.get(name).map(u16::to_string).ok_or_else(|| format!("service `{name}` has no port"))
            }
            Segment::Addr(name) => Ok(here.address(experiment, name)),
            other => here
                .text_for(experiment, &cell.point, other)
                .ok_or_else(|| format!("{other:?} stands for nothing here")),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::inputs::Digests;

    /// An experiment whose rows are in `{out}/sub/r.csv`, and a folder for its attempts.
    pub(in super::super) struct Bench {
        pub(in super::super) base: tempfile::TempDir,
        pub(in super::super) experiment: Experiment,
        pub(in super::super) here: Here,
        pub(in super::super) cell: Cell,
    }

    pub(in super::super) fn bench() -> Bench {
        let text = "schema = 2\nname = \"t\"\nworkload = \"command\"\n[axes]\na = [1]\n[command]\nrun = [\"x\", \"{out}\"]\n\
                    rows = \"csv:{out}/sub/r.csv\"\n[columns]\nt = { unit = \"us\", type = \"integer\" }\n";
        let experiment = Experiment::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
        let base = tempfile::tempdir().unwrap();
        let here = Here {
            folder: base.path().to_owned(),
            site: [("scratch".to_owned(), ".".to_owned())].into(),
            ..Here::default()
        };
        let cell = crate::cells::cells(&experiment, &here, &mut Digests::default()).unwrap().remove(0);
        Bench { base, experiment, here, cell }
    }
}
