//! The supervisor: owns the servers, carries the links, and obeys the socket.

/// Writes a line into the supervisor's log. Where there is no room for it, what happens goes on all the same: `eprintln!`
/// would panic.
macro_rules! log {
    ($($said:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("{}\n", format_args!($($said)*)));
    }};
}

mod activemq;
mod boot;
mod health;
mod holding;
mod layout;
mod mariadb;
mod ministack;
mod obey;
mod parts;
mod proxy;
mod redis;
mod spec;
mod world;

use tokio::net::UnixListener;
use tokio::net::unix::pipe;
use tokio::signal::unix::{Signal, SignalKind, signal};

use std::os::fd::AsFd as _;
use std::sync::Arc;

use matrix_driver::ignored::is_ignored;

use super::error::Doing as _;
use super::state::{SUPERVISOR_LOCK, remove_dir, remove_file};
use super::{StateDir, TestbedError};
use world::World;

/// Runs the supervisor of the testbed in `state`, until the last lease ends or it is told to end. Standard input must
/// be a pipe that whoever started it holds open: the first lease.
///
/// Call it on the main thread, and nothing else in the process: the kernel ends the servers when this *thread* ends.
///
/// # Errors
/// When the state directory is in use or unusable. What keeps a server from coming up is answered on the socket.
pub fn supervise(state: &StateDir) -> Result<(), TestbedError> {
    // A session of its own: no terminal's end, and no key pressed in it, reaches the supervisor or the servers. It fails
    // only where it is one already.
    let _ = rustix::process::setsid();
    let Some(_lock) = state.try_lock(SUPERVISOR_LOCK)? else {
        return Err(TestbedError::StateDir("another supervisor is at work here".into()));
    };
    // One thread does everything, so that every server is started by the thread that lives as long as the process.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.doing(|| "starting the supervisor's runtime".into())?;
    let result = runtime.block_on(run(state));
    runtime.shutdown_background();
    result
}

/// A signal that ends the supervisor, unless it was ignored when the supervisor began.
struct Heard(Option<Signal>);

impl Heard {
    fn new(kind: SignalKind) -> Result<Self, TestbedError> {
        if is_ignored(kind.as_raw_value()) {
            return Ok(Self(None));
        }
        Ok(Self(Some(signal(kind).doing(|| "listening for signals".into())?)))
    }

    async fn recv(&mut self) {
        match &mut self.0 {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

async fn run(state: &StateDir) -> Result<(), TestbedError> {
    let world = Arc::new(World::new(state.clone())?);
    let listener = UnixListener::bind(state.socket()).doing(|| "listening on the control socket".into())?;
    let starter = std::io::stdin().as_fd().try_clone_to_owned().and_then(pipe::Receiver::from_owned_fd);
    let starter = starter.doing(|| "watching whoever started the supervisor (is this `matrix testbed up`?)".into())?;
    let (mut term, mut int, mut hup) =
        (Heard::new(SignalKind::terminate())?, Heard::new(SignalKind::interrupt())?, Heard::new(SignalKind::hangup())?);

    let first = world.holding.lease();
    tokio::spawn(async move {
        obey::until_closed(starter).await;
        drop(first);
    });
    tokio::spawn(obey::obey(Arc::clone(&world), listener));
    let booting = tokio::spawn(boot::boot(Arc::clone(&world)));

    let why = tokio::select! {
        () = world.holding.ended() => "as told, or with its last lease",
        _ = term.recv() => "by SIGTERM",
        _ = int.recv() => "by SIGINT",
        _ = hup.recv() => "by SIGHUP",
    };
    log!("ending {why}");
    // The socket answers until the end: from here on that it is too late.
    world.holding.refuse();
    booting.abort();
    world.parts.end_all().await;
    remove_file(&state.endpoints())?;
    remove_file(&state.socket())?;
    remove_dir(&state.data())
}
