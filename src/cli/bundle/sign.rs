//! `matrix bundle sign`.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::signature_of;
use crate::cli::{Format, FormatArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

/// Sign a bundle with an OpenSSH key; `ssh-keygen -Y verify -n matrix-bundle` accepts the signature too
#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// The bundle; the signature goes into FILE.sig
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The private key: Ed25519, without a passphrase
    #[arg(short, long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Serialize)]
struct SignJson<'a> {
    #[serde(serialize_with = "output::lossy::path")]
    signature: &'a Path,
}

pub(super) fn sign(args: &SignArgs) -> CommandResult {
    let unreadable =
        |path: &Path, error: std::io::Error| Failure::new(Exit::Usage, format!("{}: {error}", output::path(path)));
    let key = std::fs::read_to_string(&args.key).map_err(|error| unreadable(&args.key, error))?;
    if key.starts_with("ssh-") || key.starts_with("ecdsa-") {
        return Err(Failure::usage(
            format!("{} is a public key", output::path(&args.key)),
            "name the private key: the same name without `.pub`",
        ));
    }
    let bundle = File::open(&args.file).map_err(|error| unreadable(&args.file, error))?;
    let signature = matrix_bundle::sign(bundle, &key)?;
    let out = signature_of(&args.file);
    output::write_file(&out, signature.as_bytes())?;
    match args.format.format {
        Format::Json => output::json(&SignJson { signature: &out })?,
        Format::Table => output::line(output::path(&out))?,
    }
    Ok(Exit::Ok)
}
