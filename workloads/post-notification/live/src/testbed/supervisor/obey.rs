//! The socket: who asks what, and what is answered.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::boot::start_part;
use super::holding::Held;
use super::world::World;
use super::{mariadb, redis};
use crate::testbed::control::{Command, Reply};
use crate::testbed::{Status, TestbedError};

/// Longest request.
const LINE_MAX: u64 = 64 << 10;

/// Answers everyone who comes.
pub(super) async fn obey(world: Arc<World>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let world = Arc::clone(&world);
                tokio::spawn(async move {
                    if let Err(error) = converse(&world, stream).await {
                        log!("control socket: {error}");
                    }
                });
            }
            Err(error) => {
                log!("control socket: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

/// Waits until the other side closes.
pub(super) async fn until_closed(mut from: impl AsyncRead + Unpin) {
    let mut ignored = [0; 64];
    while matches!(from.read(&mut ignored).await, Ok(1..)) {}
}

async fn converse(world: &Arc<World>, stream: UnixStream) -> std::io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from);
    let mut line = String::new();
    if (&mut from).take(LINE_MAX).read_line(&mut line).await? == 0 {
        return Ok(());
    }
    let (command, reply) = match serde_json::from_str::<Command>(&line) {
        Ok(command) => {
            // Who asks for a lease and is gone before there is one had none.
            let gone = async {
                match command {
                    Command::Lease => until_closed(&mut from).await,
                    _ => std::future::pending().await,
                }
            };
            let (reply, lease) = tokio::select! {
                biased;
                answer = reply_to(world, &command) => answer,
                () = gone => return Ok(()),
            };
            (Some((command, lease)), reply)
        }
        Err(error) => (None, Reply::Failed { why: format!("no request: {error}") }),
    };
    let mut answer = serde_json::to_vec(&reply)?;
    answer.push(b'\n');
    to.write_all(&answer).await?;
    match command {
        Some((Command::Lease, _held)) if reply == Reply::Done => until_closed(from).await,
        Some((Command::Down, _)) => world.holding.end(),
        _ => {}
    }
    Ok(())
}

/// Does what is asked, unless the testbed is ending.
async fn reply_to(world: &Arc<World>, command: &Command) -> (Reply, Option<Held>) {
    // A lease counts from when it is asked for: the one that it follows may end meanwhile.
    let lease = if *command == Command::Lease { world.holding.lease() } else { None };
    let is_ending = || world.holding.is_ending() && *command != Command::Down;
    if is_ending() {
        return (Reply::Ending, None);
    }
    match carry_out(world, command).await {
        // It was told to end meanwhile.
        Ok(_) if is_ending() => (Reply::Ending, None),
        Ok(reply) => (reply, lease),
        Err(error) => (Reply::Failed { why: error.to_string() }, lease),
    }
}

async fn carry_out(world: &Arc<World>, command: &Command) -> Result<Reply, TestbedError> {
    match command {
        Command::Ready | Command::Lease => world.until_booted().await?,
        Command::Keep => world.holding.keep(),
        Command::Down => world.holding.refuse(),
        Command::Status => return Ok(Reply::Status { status: status(world).await }),
        Command::Cut { link, kind, for_ms } => world.cut(link, *kind, *for_ms)?,
        Command::Restore { link } => world.restore(link, None)?,
        Command::Stop { part, crash } => world.parts.stop(part, *crash).await?,
        Command::Start { part } => {
            world.until_booted().await?;
            start_part(world, part).await?;
        }
        Command::Fault { fault } => world.add_fault(fault.clone())?,
        Command::ClearFaults => world.clear_faults()?,
    }
    Ok(Reply::Done)
}

async fn status(world: &World) -> Status {
    let mut replicas = Vec::new();
    for reader in world.layout.readers() {
        replicas.push(mariadb::replica_status(world, reader).await);
        replicas.push(redis::replica_status(world, reader).await);
    }
    Status {
        instance: world.layout.instance.clone(),
        supervisor: std::process::id(),
        kept: world.holding.is_kept(),
        leases: world.holding.leases(),
        parts: world.parts.status().await,
        links: world.links(),
        replicas,
    }
}
