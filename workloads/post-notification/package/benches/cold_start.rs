//! What a cold start loads and how long the functions take to be ready: the sizes of the packages as they are deployed, and
//! the time from a process's start to its first request for an invocation.
//!
//! `cargo bench -p matrix-package --bench cold_start` builds the packages and prints both. What the Lambda service does
//! before (finding a machine, loading and unpacking the package) is its own and not in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on fails")]

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use matrix_package::{bootstrap_zip, build};

/// Starts of each function.
const STARTS: usize = 200;

const ENVIRONMENT: [(&str, &str); 14] = [
    ("POST_STORAGE", "s3"),
    ("NOTIFICATION_STORAGE", "sns"),
    ("WRITER_REGION", "eu-central-1"),
    ("READER_REGION", "us-east-1"),
    ("S3_BUCKET__EU_CENTRAL_1__WRITER", "posts-eu"),
    ("S3_BUCKET__US_EAST_1__READER", "posts-us"),
    ("SNS_ARN__EU_CENTRAL_1__WRITER", "arn:aws:sns:eu-central-1:000000000000:notifications"),
    ("SQS_EVAL_URL__US_EAST_1", "https://sqs.us-east-1.amazonaws.com/000000000000/evaluations"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_LAMBDA_FUNCTION_NAME", "function"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("RUST_BACKTRACE", "0"),
];

/// The time from the start of a process to its first request for an invocation.
fn start(program: &Path, more: &[(&str, &str)]) -> Duration {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let api = listener.local_addr().unwrap().to_string();
    let mut command = Command::new(program);
    command.env_clear().envs(ENVIRONMENT).envs(more.iter().copied()).env("AWS_LAMBDA_RUNTIME_API", api);
    let began = Instant::now();
    let mut function = command.stdin(Stdio::null()).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut first = [0; 3];
    stream.read_exact(&mut first).unwrap();
    let took = began.elapsed();
    assert_eq!(&first, b"GET");
    function.kill().unwrap();
    function.wait().unwrap();
    took
}

fn main() {
    let workspace = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let binaries = build(workspace.ancestors().nth(3).unwrap(), target.as_deref()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, binary) in [("writer", &binaries.writer), ("reader", &binaries.reader)] {
        let package = bootstrap_zip(binary).unwrap();
        println!("{name}: {:.1} MB packed, {:.1} MB unpacked", megabytes(&package), megabytes(binary));
        let program = folder.path().join(name);
        fs::write(&program, binary).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        for (of, more) in [("AWS", &[][..]), ("an emulator", &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")][..])] {
            let mut times: Vec<Duration> = (0..STARTS).map(|_| start(&program, more)).collect();
            times.sort_unstable();
            println!(
                "{name} for {of}: ready after {:.1} ms in the median of {STARTS} starts, {:.1} ms in the 95th percentile",
                times[STARTS / 2].as_secs_f64() * 1000.0,
                times[STARTS * 95 / 100].as_secs_f64() * 1000.0
            );
        }
    }
}

fn megabytes(bytes: &[u8]) -> f64 {
    bytes.len() as f64 / 1e6
}
