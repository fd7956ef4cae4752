//! A folder of its own for every test, and the binary in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

/// A folder with an experiment in it.
pub(crate) struct Workbench {
    folder: TempDir,
    /// Variables of every command.
    environment: Vec<(&'static str, OsString)>,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Printed {
    /// Fails the test unless the command ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Fails the test unless these words stand in standard output.
    #[track_caller]
    pub(crate) fn out_has(&self, words: &str) -> &Self {
        assert!(self.out.contains(words), "`{words}` is not in {self:?}");
        self
    }

    /// Fails the test if these words stand in standard output.
    #[track_caller]
    pub(crate) fn out_lacks(&self, words: &str) -> &Self {
        assert!(!self.out.contains(words), "`{words}` is in {self:?}");
        self
    }

    /// Fails the test unless these words stand in standard error.
    #[track_caller]
    pub(crate) fn err_has(&self, words: &str) -> &Self {
        assert!(self.err.contains(words), "`{words}` is not in {self:?}");
        self
    }

    /// Fails the test if these words stand in standard error.
    #[track_caller]
    pub(crate) fn err_lacks(&self, words: &str) -> &Self {
        assert!(!self.err.contains(words), "`{words}` is in {self:?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.out))
    }
}

/// The project's folder: asked for when the test runs, because what was built for one clone may serve another that shares
/// its target directory.
pub(crate) fn here() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap().into()
}

/// A small experiment: 12 cells, all storages, quick.
pub(crate) const SMALL: &str = r#"
schema = 1
name = "small"
requests = 40
rounds = 1
seed = 7

[[matrix]]
name = "baseline"
post_storage = ["mysql", "dynamo", "s3", "redis"]
notification_storage = ["sns"]
regions = ["eu->us"]
delay_ms = [0]
antipode = [false, true]

[[matrix]]
name = "delay"
post_storage = ["redis"]
notification_storage = ["sns"]
regions = ["eu->us"]
delay_ms = [100, 200, 400, 800]
antipode = [false]

[[claim]]
id = "antipode-prevents"
says = "With antipode on, no reader misses its post"
where = { antipode = true }
every_row = "consistent"
"#;

impl Workbench {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// A folder with the small experiment in `small.toml`.
    pub(crate) fn small() -> Self {
        Self::with(SMALL)
    }

    /// A folder with the small experiment in `small.toml`, and its results.
    pub(crate) fn ran() -> Self {
        let bench = Self::small();
        bench.matrix(&["run", "small.toml"]).code(0);
        bench
    }

    /// A folder with this experiment in `small.toml`.
    pub(crate) fn with(experiment: &str) -> Self {
        let bench = Self::new();
        bench.write("small.toml", experiment);
        bench
    }

    /// A folder with this experiment, and a testbed of its own. State directories have short names: a socket's path is limited.
    pub(crate) fn with_testbed(experiment: &str) -> Self {
        let mut bench = Self::with(experiment);
        bench.set("XDG_STATE_HOME", bench.path("state"));
        bench
    }

    /// Gives every command a variable.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.environment.push((name, value.into()));
    }

    /// The small experiment run, and in `measured` the same results as if they had been measured on real services: exported
    /// as the original's folders and imported from them. How many cells there are.
    pub(crate) fn measured() -> (Self, usize) {
        let bench = Self::ran();
        bench.matrix(&["export", "--as", "gather", "original"]).code(0);
        let tags: Vec<PathBuf> =
            bench.files("original").into_keys().filter(|path| path.ends_with("tags.yml")).collect();
        for path in &tags {
            let path = bench.path("original").join(path);
            let text = std::fs::read_to_string(&path).unwrap();
            let local = text.replace("MATRIX_PLATFORM: 'sim'", "MATRIX_PLATFORM: local");
            assert_ne!(text, local, "{text}");
            std::fs::write(path, local).unwrap();
        }
        bench.matrix(&["import", "original/gather", "--results", "measured"]).code(0);
        (bench, tags.len())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The command, ready to start in the folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_matrix"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the command to its end.
    pub(crate) fn matrix(&self, args: &[&str]) -> Printed {
        ended(&mut self.command(args))
    }

    /// What the command prints as JSON.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        self.matrix(&[args, &["--format", "json"]].concat()).code(0).json()
    }

    /// Makes another bundle of one: in each file a text is replaced, once, by one of the same length, and every digest that covers
    /// the file is made anew.
    pub(crate) fn forge(&self, bundle: &str, out: &str, changes: &[(&str, &str, &str)]) {
        let mut command = Command::new("python3");
        command.arg("-c").arg(FORGE).arg(self.path(bundle)).arg(self.path(out));
        for (file, from, to) in changes {
            assert_eq!(from.len(), to.len());
            command.args([file, from, to]);
        }
        ended(&mut command).code(0);
    }

    pub(crate) fn printed(output: Output) -> Printed {
        Printed {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Every file below `name`: its path and bytes. One that goes while this looks is not among them.
    pub(crate) fn files(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let top = self.path(name);
        let files = walk(&top).into_iter().filter(|path| path.is_file());
        let read =
            files.filter_map(|path| Some((path.strip_prefix(&top).unwrap().to_owned(), seen(std::fs::read(&path))?)));
        read.collect()
    }

    /// Objects and records of the store: what an interruption must not change.
    pub(crate) fn results(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = self.files("results");
        files.retain(|path, _| path.starts_with("objects") || path.starts_with("cells"));
        files
    }

    /// How many files and folders there are, `name` among them.
    pub(crate) fn count(&self, name: &str) -> usize {
        if self.path(name).exists() { walk(&self.path(name)).len() } else { 0 }
    }

    /// Every path below `name` with the time of its last change.
    pub(crate) fn times(&self, name: &str) -> BTreeMap<PathBuf, SystemTime> {
        let changed = |path: PathBuf| {
            let time = path.metadata().unwrap().modified().unwrap();
            (path, time)
        };
        walk(&self.path(name)).into_iter().map(changed).collect()
    }
}

/// A tool that `scripts/install-test-needs` installs.
pub(crate) fn installed(tool: &str) -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    let tool = cache.join("matrix-test-tools").join(tool);
    assert!(tool.exists(), "{} is missing: run scripts/install-test-needs", tool.display());
    tool
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut Command) -> Printed {
    Workbench::printed(command.output().unwrap())
}

/// Waits until something happens, for so long at most.
#[track_caller]
pub(crate) fn until(what: &str, most: Duration, mut happens: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happens() {
        assert!(begun.elapsed() < most, "not within {most:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sends a signal to a process, by its number.
#[track_caller]
pub(crate) fn signal(process: impl std::fmt::Display, name: &str) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

/// A path and every path below it.
pub(crate) fn walk(top: &Path) -> Vec<PathBuf> {
    let mut found = vec![top.to_owned()];
    if top.is_dir() {
        for entry in seen(std::fs::read_dir(top)).into_iter().flatten() {
            found.extend(walk(&entry.unwrap().path()));
        }
    }
    found
}

/// What was found, unless it went meanwhile.
fn seen<T>(found: std::io::Result<T>) -> Option<T> {
    match found {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        found => Some(found.unwrap()),
    }
}

/// See [`Workbench::forge`].
const FORGE: &str = r#"
import hashlib, io, subprocess, sys, tarfile
bundle, out, *words = sys.argv[1:]
data = bytearray(subprocess.run(["zstd", "-qdc", bundle], check=True, stdout=subprocess.PIPE).stdout)
files = {member.name.split("/", 1)[1]: member for member in tarfile.open(fileobj=io.BytesIO(data))}
def change(name, old, new):
    start = files[name].offset_data
    before = bytes(data[start:start + files[name].size])
    after = before.replace(old, new, 1)
    assert before != after and len(before) == len(after), (name, old)
    data[start:start + len(after)] = after
    digest = lambda text: hashlib.sha256(text).hexdigest().encode()
    above = {"manifest-sha256.txt": "tagmanifest-sha256.txt", "bag-info.txt": "tagmanifest-sha256.txt",
             "tagmanifest-sha256.txt": None}.get(name, "manifest-sha256.txt")
    if above:
        change(above, digest(before), digest(after))
while words:
    name, old, new, *words = words
    change(name, old.encode(), new.encode())
subprocess.run(["zstd", "-q", "-f", "-o", out], input=bytes(data), check=True)
"#;

/// Work beside the measurement: a busy loop for each processor, and one more.
pub(crate) struct Load(Vec<Child>);

impl Load {
    pub(crate) fn begin() -> Self {
        let loops = std::thread::available_parallelism().unwrap().get() + 1;
        let spin = || Command::new("sh").args(["-c", "while :; do :; done"]).stdout(Stdio::null()).spawn().unwrap();
        Self((0..loops).map(|_| spin()).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
