//! The client's side of a cell in a file, from which rows can be made later and elsewhere.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use matrix_app::{ClientSide, Micros, PostKey};
use matrix_plan::CellKey;
use serde::{Deserialize, Serialize};

use super::LambdaError;
use super::send::{ClientResult, Trouble};

/// Version of the file's form.
const SCHEMA: u32 = 1;

/// A line of the file: first the head, then the requests, last the end.
#[derive(Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Head {
        schema: u32,
        cell: String,
        nonce: String,
        epoch_us: i64,
        visible_from: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<String>,
    },
    Request(Request),
    End {
        clock_bound_us: Option<i64>,
        notes: BTreeMap<String, u64>,
    },
}

#[derive(Serialize, Deserialize)]
struct Request {
    i: u64,
    key: String,
    sent_us: i64,
    reply_us: Option<i64>,
    reply: Option<String>,
    throttled: u64,
    trouble: Option<Trouble>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// What stands at the head of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) nonce: String,
    pub(crate) epoch: Micros,
    /// From where the file of what became visible is to be read.
    pub(crate) visible_from: Option<u64>,
    /// Of the services, where they come and go.
    pub(crate) instance: Option<String>,
}

/// The whole file.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) head: Head,
    pub(crate) told: Vec<ClientResult>,
    pub(crate) clock_bound_us: Option<i64>,
    pub(crate) notes: BTreeMap<String, u64>,
}

/// A file that is being written. It gets its name when it is complete.
pub(crate) struct Saving {
    path: PathBuf,
    beside: PathBuf,
    epoch: Micros,
    out: BufWriter<File>,
}

impl Saving {
    pub(crate) fn create(path: &Path, cell: &CellKey, head: &Head) -> Result<Self, LambdaError> {
        let beside = path.with_extension("part");
        let file = File::create(&beside).map_err(|source| LambdaError::File { path: beside.clone(), source })?;
        let out = BufWriter::new(file);
        let mut this = Self { path: path.to_owned(), beside, epoch: head.epoch, out };
        this.write(&Line::Head {
            schema: SCHEMA,
            cell: cell.to_string(),
            nonce: head.nonce.clone(),
            epoch_us: head.epoch.0,
            visible_from: head.visible_from,
            instance: head.instance.clone(),
        })?;
        Ok(this)
    }

    pub(crate) fn told(&mut self, told: ClientResult) -> Result<(), LambdaError> {
        let ClientSide { i, key, sent_at, reply_at, .. } = told.client;
        self.write(&Line::Request(Request {
            i,
            key: key.to_string(),
            sent_us: sent_at - self.epoch,
            reply_us: reply_at.map(|at| at - self.epoch),
            reply: told.reply,
            throttled: told.throttled,
            trouble: told.trouble,
            why: told.why,
        }))
    }

    pub(crate) fn end(mut self, clock_bound_us: Option<i64>, notes: BTreeMap<String, u64>) -> Result<(), LambdaError> {
        self.write(&Line::End { clock_bound_us, notes })?;
        let mut keep = || {
            self.out.flush()?;
            self.out.get_ref().sync_all()?;
            std::fs::rename(&self.beside, &self.path)
        };
        keep().map_err(|source| LambdaError::File { path: self.path.clone(), source })
    }

    fn write(&mut self, line: &Line) -> Result<(), LambdaError> {
        let written = serde_json::to_writer(&mut self.out, line).map_err(std::io::Error::from);
        let written = written.and_then(|()| self.out.write_all(b"\n"));
        written.map_err(|source| LambdaError::File { path: self.beside.clone(), source })
    }
}

impl Saved {
    /// Reads a file; `None` if there is none.
    pub(crate) fn load(path: &Path, cell: &CellKey) -> Result<Option<Self>, LambdaError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LambdaError::File { path: path.to_owned(), source }),
        };
        let wrong = |what: String| LambdaError::Content { path: path.to_owned(), what };
        let mut head = None;
        let mut end = None;
        let mut told = Vec::new();
        for (n, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(|source| LambdaError::File { path: path.to_owned(), source })?;
            let line: Line = serde_json::from_str(&line).map_err(|error| wrong(format!("line {}: {error}", n + 1)))?;
            match line {
                Line::Head { schema, .. } if schema != SCHEMA => {
                    return Err(wrong(format!("its schema is {schema}, not {SCHEMA}")));
                }
                Line::Head { cell: of, .. } if of != cell.to_string() => {
                    return Err(wrong(format!("it is of cell {of}: name another file, or remove it")));
                }
                Line::Head { nonce, epoch_us, visible_from, instance, .. } => {
                    head = Some(Head { nonce, epoch: Micros(epoch_us), visible_from, instance });
                }
                Line::Request(request) => {
                    let epoch = head.as_ref().ok_or_else(|| wrong("it has no head".into()))?.epoch;
                    told.push(request.told(epoch).ok_or_else(|| wrong(format!("line {}: a key that is none", n + 1)))?);
                }
                Line::End { clock_bound_us, notes } => end = Some((clock_bound_us, notes)),
            }
        }
        match (head, end) {
            (Some(head), Some((clock_bound_us, notes))) => Ok(Some(Self { head, told, clock_bound_us, notes })),
            _ => Err(wrong("it is not complete: remove it, and run the cell again".into())),
        }
    }
}

impl Request {
    fn told(self, epoch: Micros) -> Option<ClientResult> {
        let client = ClientSide {
            i: self.i,
            key: PostKey::parse(&self.key)?,
            sent_at: epoch + self.sent_us,
            reply_at: self.reply_us.map(|us| epoch + us),
            writer_failed: self.trouble == Some(Trouble::Failed),
        };
        Some(ClientResult {
            client,
            reply: self.reply,
            throttled: self.throttled,
            trouble: self.trouble,
            why: self.why,
        })
    }
}

/// Where the messages of a client's file are kept.
pub(crate) fn messages_beside(file: &Path) -> PathBuf {
    file.with_extension("evaluations")
}

/// Where is said that all messages of a client's file are kept that there will be.
fn collected_beside(file: &Path) -> PathBuf {
    file.with_extension("collected")
}

/// Says that nothing more comes for a client's file. What is kept of it is then on the disk.
pub(crate) fn mark_collected(file: &Path) -> Result<(), LambdaError> {
    let (messages, mark) = (messages_beside(file), collected_beside(file));
    match File::open(&messages).and_then(|file| file.sync_all()) {
        // Nothing came.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        synced => synced.map_err(|source| LambdaError::File { path: messages, source })?,
    }
    File::create(&mark).map(drop).map_err(|source| LambdaError::File { path: mark, source })
}

/// Whether nothing more comes for a client's file.
pub(crate) fn is_collected(file: &Path) -> bool {
    collected_beside(file).is_file()
}

/// Removes a client's file, and what an earlier run of the same cell left beside it.
pub(crate) fn forget(file: &Path) -> Result<(), LambdaError> {
    for path in [file.to_owned(), collected_beside(file), messages_beside(file)] {
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(LambdaError::File { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Messages that were taken from the queue: a file, each a line of JSON text. They are in it before the queue forgets them.
/// The file is made with the first.
pub(crate) struct Messages {
    path: PathBuf,
    file: Option<File>,
}

impl Messages {
    /// Opens the file at `path` to append to it. A last line that was cut short goes: what comes next would be lost in it.
    pub(crate) fn open(path: PathBuf) -> Result<Self, LambdaError> {
        match File::options().read(true).append(true).open(&path).and_then(untorn) {
            Ok(file) => Ok(Self { path, file: Some(file) }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self { path, file: None }),
            Err(source) => Err(LambdaError::File { path, source }),
        }
    }

    /// What is in the file at `path`. A line that was cut short is left out: the queue still has its message.
    pub(crate) fn load(path: &Path) -> Result<Vec<String>, LambdaError> {
        match std::fs::read(path) {
            Ok(text) => {
                Ok(String::from_utf8_lossy(&text).lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(LambdaError::File { path: path.to_owned(), source }),
        }
    }

    pub(crate) fn append<'a>(&mut self, messages: impl IntoIterator<Item = &'a String>) -> Result<(), LambdaError> {
        let mut lines = String::new();
        for message in messages {
            lines.push_str(&serde_json::Value::from(message.as_str()).to_string());
            lines.push('\n');
        }
        if lines.is_empty() {
            return Ok(());
        }
        let mut write = || {
            let file = match &mut self.file {
                Some(file) => file,
                None => {
                    self.path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                    self.file.insert(File::options().append(true).create(true).open(&self.path)?)
                }
            };
            file.write_all(lines.as_bytes())
        };
        write().map_err(|source| LambdaError::File { path: self.path.clone(), source })
    }
}

/// The file without what stands after its last line's end.
fn untorn(mut file: File) -> std::io::Result<File> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        file.set_len(whole as u64)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_torn_line_is_not_lost_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/cell.evaluations");
        let append = |text: &str| Messages::open(path.clone()).unwrap().append([&text.to_owned()]).unwrap();
        drop(Messages::open(path.clone()).unwrap());
        assert!(!path.exists(), "nothing came");
        append("first");
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend(b"\"sec\xc3");
        std::fs::write(&path, torn).unwrap();
        assert_eq!(Messages::load(&path).unwrap(), ["first"]);
        append("second");
        append("third");
        assert_eq!(Messages::load(&path).unwrap(), ["first", "second", "third"]);
    }
}
