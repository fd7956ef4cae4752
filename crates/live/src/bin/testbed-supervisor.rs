//! The testbed without the `matrix` command: `supervise DIR` is the supervisor; `hold DIR CONFIG` brings a testbed up,
//! prints its endpoints' instance, and holds it until it is killed or its standard input ends.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use matrix_live::testbed::{LocalConfig, StateDir, SupervisorCommand, supervise, up};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result: Result<(), Box<dyn std::error::Error>> = match arguments[..] {
        ["supervise", directory] => StateDir::at(directory).and_then(|state| supervise(&state)).map_err(Into::into),
        ["hold", directory, config] => hold(directory, config),
        _ => Err("usage: testbed-supervisor supervise DIR | hold DIR CONFIG".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn hold(directory: &str, config: &str) -> Result<(), Box<dyn std::error::Error>> {
    let config: LocalConfig = serde_json::from_str(config)?;
    let supervisor = SupervisorCommand { program: std::env::current_exe()?, arguments: vec!["supervise".into()] };
    let (testbed, _lease) = up(&StateDir::at(directory)?, &config, &supervisor)?;
    println!("{}", testbed.endpoints().instance);
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
