//! MiniStack: one process for all regions, started by a launcher that makes its replication lag.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::health::until;
use super::layout::MINISTACK_HOST;
use super::spec::Spec;
use super::world::World;
use crate::testbed::state::{private_dir, write_private};
use crate::testbed::{Lags, PartName, StateDir, TestbedError};

const LAUNCHER: &str = include_str!("../ministack_launcher.py");

/// Credentials of the emulator: twelve digits would choose an account; this one stands for the default account.
pub(super) const ACCESS_KEY: &str = "test";

/// What the launcher reads.
#[derive(Serialize)]
struct Settings {
    lag: Lags,
    control: PathBuf,
    visible: PathBuf,
}

/// File of the faults and cuts in force.
pub(super) fn control_file(state: &StateDir) -> PathBuf {
    state.data().join("ministack/control.json")
}

/// File of what became visible when. It is kept like a log.
pub(super) fn visible_log(state: &StateDir) -> PathBuf {
    state.logs().join("visible.jsonl")
}

pub(super) fn spec(world: &World) -> Result<Spec, TestbedError> {
    let directory = world.state.data().join("ministack");
    private_dir(&directory)?;
    let (launcher, settings) = (directory.join("launcher.py"), directory.join("launcher.json"));
    write_private(&launcher, LAUNCHER.as_bytes())?;
    let (control, visible) = (control_file(&world.state), visible_log(&world.state));
    StateDir::write_json(&settings, &Settings { lag: world.config.lag, control, visible })?;
    world.write_emulator_control()?;
    Ok(Spec::new(&world.needs.python, directory)
        .arg(launcher)
        .env("MATRIX_LAUNCHER", settings)
        .env("BIND_HOST", MINISTACK_HOST.to_string())
        .env("GATEWAY_PORT", world.layout.ports.ministack.to_string())
        .env("MINISTACK_REGION", world.layout.writer().aws_name)
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        // A function that waits in a barrier holds a thread.
        .env("MINISTACK_WORKER_THREADS", "256")
        .env("PYTHONUNBUFFERED", "1")
        // Functions inherit these; what stands here keeps them from looking for others.
        .env("AWS_ENDPOINT_URL", format!("http://{}", world.layout.ministack()))
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
        .env("AWS_EC2_METADATA_DISABLED", "true"))
}

/// Waits until the emulator serves.
pub(super) async fn serves(world: &Arc<World>) -> Result<(), TestbedError> {
    until(world, &PartName::Ministack, || async {
        let mut stream = TcpStream::connect(world.layout.ministack()).await?;
        stream.write_all(b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
        if line == b"HTTP/1.1 200 " || line == b"HTTP/1.1 200 OK" || line == b"HTTP/1.1 200" {
            Ok(())
        } else {
            Err(std::io::Error::other(String::from_utf8_lossy(line).into_owned()))
        }
    })
    .await
}
