//! The testbed without the `matrix` command: `supervise DIR` is the supervisor; `hold DIR CONFIG` brings a testbed up,
//! prints its endpoints' instance, and holds it until it is killed or its standard input ends; `share DIR CONFIG PROCESS`
//! holds it until that process ends, and removes the directory then.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use matrix_live::testbed::{LocalConfig, StateDir, SupervisorCommand, supervise, up};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result: Result<(), Box<dyn std::error::Error>> = match arguments[..] {
        ["supervise", directory] => StateDir::at(directory).and_then(|state| supervise(&state)).map_err(Into::into),
        ["hold", directory, config] => {
            hold(directory, config, || std::io::stdin().read_to_end(&mut Vec::new()).map(drop))
        }
        ["share", directory, config, process] => share(directory, config, process),
        _ => Err("usage: testbed-supervisor supervise DIR | hold DIR CONFIG | share DIR CONFIG PROCESS".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Brings a testbed up, tells which, and holds it until `end` returns.
fn hold(
    directory: &str,
    config: &str,
    end: impl FnOnce() -> std::io::Result<()>,
) -> Result<(), Box<dyn std::error::Error>> {
    let config: LocalConfig = serde_json::from_str(config)?;
    let supervisor = SupervisorCommand { program: std::env::current_exe()?, arguments: vec!["supervise".into()] };
    let (testbed, lease) = up(&StateDir::at(directory)?, &config, &supervisor)?;
    println!("{}", testbed.endpoints().instance);
    std::io::stdout().flush()?;
    end()?;
    testbed.release(lease);
    Ok(())
}

/// Holds a testbed until a process ends, and removes its directory then.
fn share(directory: &str, config: &str, process: &str) -> Result<(), Box<dyn std::error::Error>> {
    // A process's number and the moment of its start are nobody else's.
    let began = || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
    };
    let first = began().ok_or("that process is not there")?;
    hold(directory, config, || {
        while began().as_ref() == Some(&first) {
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    })?;
    std::fs::remove_file(Path::new(directory).with_extension("lock"))?;
    Ok(std::fs::remove_dir_all(directory)?)
}
