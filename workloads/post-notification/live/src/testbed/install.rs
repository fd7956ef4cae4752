//! What has to be installed, and installing it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::TestbedError;
use super::error::Doing as _;
use super::state::user_dir;

/// The one description of how to install; `scripts/install-testbed` runs the same file.
const SCRIPT: &str = include_str!("install.sh");

/// The version of MiniStack that the launcher is written for; the script names it too.
pub(crate) const MINISTACK: &str = "1.5.33";

/// A part that is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The part, for example `Redis (redis-server)`.
    pub part: String,
    /// The command that installs it.
    pub command: String,
}

impl Missing {
    pub(crate) fn describe(missing: &[Self]) -> String {
        let parts: Vec<_> = missing.iter().map(|it| it.part.as_str()).collect();
        let mut commands: Vec<_> = missing.iter().map(|it| format!("`{}`", it.command)).collect();
        commands.dedup();
        let verb = if parts.len() == 1 { "is" } else { "are" };
        format!("{} {verb} not installed: run {}", parts.join(", "), commands.join(", then "))
    }
}

/// Where the programs are that a testbed runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    pub(crate) mariadbd: PathBuf,
    pub(crate) mariadb_install_db: PathBuf,
    pub(crate) redis_server: PathBuf,
    pub(crate) java: PathBuf,
    pub(crate) activemq_home: PathBuf,
    pub(crate) setpriv: PathBuf,
    /// The interpreter of MiniStack's virtual environment.
    pub(crate) python: PathBuf,
}

impl Needs {
    /// Finds every part.
    ///
    /// # Errors
    /// [`TestbedError::Missing`] names each that is not installed and the command that installs it.
    pub fn find() -> Result<Self, TestbedError> {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let venv = user_dir("XDG_DATA_HOME", ".local/share")?.join(format!("matrix/ministack-{MINISTACK}"));
        Self::find_in(&std::env::split_paths(&search).collect::<Vec<_>>(), Path::new("/usr/share/activemq"), &venv)
    }

    fn find_in(search: &[PathBuf], activemq_home: &Path, venv: &Path) -> Result<Self, TestbedError> {
        let mut missing = Vec::new();
        let mut need = |part: &str, found: Option<PathBuf>, root: bool| {
            if found.is_none() {
                missing.push(Missing { part: part.to_owned(), command: install_command(root) });
            }
            found.unwrap_or_default()
        };
        // Debian keeps some servers where only root's PATH looks.
        let program = |name: &str| {
            let places = search.iter().cloned().chain(["/usr/sbin", "/usr/bin"].map(PathBuf::from));
            places.map(|dir| dir.join(name)).find(|path| path.is_file())
        };
        let file = |path: PathBuf| path.is_file().then_some(path);
        let needs = Self {
            mariadbd: need("MariaDB (mariadbd)", program("mariadbd"), true),
            mariadb_install_db: need("MariaDB (mariadb-install-db)", program("mariadb-install-db"), true),
            redis_server: need("Redis (redis-server)", program("redis-server"), true),
            java: need("a Java runtime (java)", program("java"), true),
            activemq_home: need(
                "ActiveMQ (activemq.jar)",
                file(activemq_home.join("bin/activemq.jar")).map(|_| activemq_home.to_owned()),
                true,
            ),
            setpriv: need("util-linux (setpriv)", program("setpriv"), true),
            python: need(
                &format!("MiniStack {MINISTACK} (in {})", venv.display()),
                file(venv.join("installed")).map(|_| venv.join("bin/python3")),
                false,
            ),
        };
        if missing.is_empty() { Ok(needs) } else { Err(TestbedError::Missing(missing)) }
    }
}

/// The command that installs what is missing; Debian's packages take root.
fn install_command(root: bool) -> String {
    let sudo = if root && !rustix::process::geteuid().is_root() { "sudo " } else { "" };
    format!("{sudo}matrix testbed install")
}

/// Installs what is missing, showing what the installers print; quick when nothing is.
///
/// # Errors
/// [`TestbedError::NeedsRoot`] when Debian packages are missing and this is not root; [`TestbedError::Install`] when an
/// installer failed.
pub fn install() -> Result<(), TestbedError> {
    let listed = script(&["--list"], Stdio::piped())?;
    let packages = String::from_utf8_lossy(&listed).split_whitespace().collect::<Vec<_>>().join(" ");
    if !packages.is_empty() && !rustix::process::geteuid().is_root() {
        return Err(TestbedError::NeedsRoot { packages, command: install_command(true) });
    }
    script(&[], Stdio::inherit()).map(drop)
}

fn script(arguments: &[&str], stdout: Stdio) -> Result<Vec<u8>, TestbedError> {
    let doing = || "running the installation".to_owned();
    let mut command = Command::new("bash");
    command.args(["-c", SCRIPT, "install-testbed"]).args(arguments).stdin(Stdio::null()).stdout(stdout);
    let output = command.stderr(Stdio::inherit()).spawn().and_then(Child::wait_with_output).doing(doing)?;
    if output.status.success() { Ok(output.stdout) } else { Err(TestbedError::Install(output.status.to_string())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parts_are_named_with_the_command() {
        let nowhere = Path::new("/nonexistent");
        let error = Needs::find_in(&[], nowhere, nowhere).unwrap_err().to_string();
        assert!(error.contains("ActiveMQ (activemq.jar)"), "{error}");
        assert!(error.contains(&format!("MiniStack {MINISTACK} (in /nonexistent)")), "{error}");
        assert!(error.contains("matrix testbed install`"), "{error}");
    }

    #[test]
    fn script_and_library_agree_on_the_version() {
        assert!(SCRIPT.contains(&format!("\nministack={MINISTACK}\n")));
    }
}
