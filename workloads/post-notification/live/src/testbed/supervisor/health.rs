//! Waiting until a server serves.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::world::World;
use crate::testbed::{PartName, TestbedError};

/// How long a server may take to serve. On an idle machine the slowest takes three seconds.
const SERVES_WITHIN: Duration = Duration::from_secs(80);

/// How long one question may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

const PAUSE: Duration = Duration::from_millis(50);

/// Asks until the answer is good. Ends at once when the server's process does.
///
/// # Errors
/// [`TestbedError::Start`] with the last answer.
pub(super) async fn until<T, E, F>(
    world: &Arc<World>,
    part: &PartName,
    mut ask: impl FnMut() -> F,
) -> Result<T, TestbedError>
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let deadline = Instant::now() + SERVES_WITHIN;
    loop {
        let why = match timeout(ANSWERS_WITHIN, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer in {} s", ANSWERS_WITHIN.as_secs()),
        };
        let ended = world.parts.ended(part).await;
        if ended.is_some() || Instant::now() > deadline {
            let why = ended.unwrap_or_else(|| format!("after {} s: {why}", SERVES_WITHIN.as_secs()));
            return Err(TestbedError::start(&world.state, &part.to_string(), &why));
        }
        sleep(PAUSE).await;
    }
}
