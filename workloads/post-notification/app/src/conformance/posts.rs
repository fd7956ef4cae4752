//! The suite for post storages.

use std::pin::pin;

use super::{Check, Failure, Finding, PostHarness, Replication};
use crate::barrier::{BarrierPolicy, BarrierReport, barrier};
use crate::host::{Clock, Post, PostStorage, StorageError, Written};
use crate::key::PostKey;
use crate::lineage::{Lineage, LineageId};
use crate::select::{Either, biased};

/// Time for what has to happen in the end: replication and removal, in milliseconds.
const PATIENCE_MS: u64 = 60_000;

/// Time for which something must not happen, in milliseconds.
const WHILE_MS: u64 = 300;

/// A deadline that is to be kept although a server hangs, and how much later the barrier may be, in milliseconds. A storage's
/// own time limits are longer than both.
const HUNG_MS: u64 = 400;
const LATE_MS: u64 = 3_000;

/// Length of the posts' contents, in bytes.
const BYTES: u64 = 4_096;

const READ: &str = "a post is found at the writer's end after its write, and another key is not";
const AGAIN: &str = "a repeated write is no failure and leaves one post";
const METADATA: &str = "the storage keeps the lineage beside the post, and none where there is none";
const STRAY: &str = "a post of another lineage under the same key does not satisfy a barrier";
const VERSION: &str = "a version keeps its id in the reader's region, also when another follows";
const SIZES: &str = "what is stored has the logical size that the write reported";
const ABSENT: &str = "before replication the reader finds nothing, and a barrier gives up at its deadline";
const WAITS: &str = "a barrier waits for replication, and then the reader finds the post";
const HUNG: &str = "a barrier keeps its deadline although the server never answers";
const CLEAN: &str = "cleaning leaves nothing at either end";

fn in_check<T>(says: &'static str, result: Result<T, StorageError>) -> Result<T, Failure> {
    result.map_err(|source| Failure::Storage { says, source })
}

fn must(says: &'static str, so: bool, found: &str) -> Result<(), Failure> {
    if so { Ok(()) } else { Err(Failure::Broken { says, found: found.to_owned() }) }
}

fn policy(deadline_ms: u64) -> BarrierPolicy {
    BarrierPolicy { min_ms: 1, max_ms: 50, deadline_ms }
}

/// Runs a storage through the whole suite. It is cleaned before and after.
///
/// # Errors
/// At the first thing that is not as it must be.
pub async fn check_posts<H: PostHarness>(harness: &H) -> Result<Vec<Check>, Failure> {
    let suite = Suite { harness };
    suite.clean().await?;
    let mut checks = vec![
        suite.read().await?,
        suite.again().await?,
        suite.metadata().await?,
        suite.stray().await?,
        suite.version().await?,
        suite.sizes().await?,
    ];
    checks.extend(suite.replication().await?);
    checks.push(suite.hung().await?);
    checks.push(suite.clean().await?);
    Ok(checks)
}

struct Suite<'h, H> {
    harness: &'h H,
}

fn holds(says: &'static str) -> Check {
    Check { says, finding: Finding::Holds }
}

impl<H: PostHarness> Suite<'_, H> {
    fn key(&self) -> Result<PostKey, Failure> {
        self.harness.fresh_key().ok_or(Failure::Keys)
    }

    async fn write<'k>(
        &self,
        says: &'static str,
        key: &'k PostKey,
        lineage: Option<LineageId>,
    ) -> Result<Written<'k>, Failure> {
        in_check(says, self.harness.writer().write(Post { key: key.as_str(), bytes: BYTES, lineage }).await)
    }

    /// A barrier at `posts` for one write.
    async fn wait(
        &self,
        says: &'static str,
        posts: &H::Posts,
        written: &Written<'_>,
        lineage: LineageId,
        deadline_ms: u64,
    ) -> Result<BarrierReport, Failure> {
        let lineage = Lineage { id: lineage, operations: vec![written.id.clone()] };
        in_check(says, barrier(posts, self.harness.clock(), &lineage, policy(deadline_ms)).await)
    }

    async fn must_become_visible(
        &self,
        says: &'static str,
        written: &Written<'_>,
        lineage: LineageId,
    ) -> Result<BarrierReport, Failure> {
        let report = self.wait(says, self.harness.reader(), written, lineage, PATIENCE_MS).await?;
        if report.visible { Ok(report) } else { Err(Failure::Barrier { says, report }) }
    }

    async fn read(&self) -> Result<Check, Failure> {
        let (key, other) = (self.key()?, self.key()?);
        self.write(READ, &key, None).await?;
        must(READ, in_check(READ, self.harness.writer().read(key.as_str()).await)?, "the post is missing")?;
        must(READ, !in_check(READ, self.harness.writer().read(other.as_str()).await)?, "another key was found")?;
        must(READ, !in_check(READ, self.harness.reader().read(other.as_str()).await)?, "another key was found")?;
        Ok(holds(READ))
    }

    async fn again(&self) -> Result<Check, Failure> {
        let (key, lineage) = (self.key()?, self.harness.fresh_lineage());
        self.write(AGAIN, &key, Some(lineage)).await?;
        let written = self.write(AGAIN, &key, Some(lineage)).await?;
        self.must_become_visible(AGAIN, &written, lineage).await?;
        Ok(holds(AGAIN))
    }

    async fn metadata(&self) -> Result<Check, Failure> {
        let (with, without) = (self.key()?, self.key()?);
        let lineage = self.harness.fresh_lineage();
        let written = self.write(METADATA, &with, Some(lineage)).await?;
        let visible = self.harness.writer().is_visible(&written.id, lineage).await;
        must(METADATA, in_check(METADATA, visible)?, "the lineage is not beside the post")?;
        let written = self.write(METADATA, &without, None).await?;
        let visible = self.harness.writer().is_visible(&written.id, lineage).await;
        must(METADATA, !in_check(METADATA, visible)?, "a post without a lineage has one")?;
        Ok(holds(METADATA))
    }

    async fn stray(&self) -> Result<Check, Failure> {
        let key = self.key()?;
        let (stray, own) = (self.harness.fresh_lineage(), self.harness.fresh_lineage());
        let written = self.write(STRAY, &key, Some(stray)).await?;
        self.must_become_visible(STRAY, &written, stray).await?;
        let report = self.wait(STRAY, self.harness.reader(), &written, own, WHILE_MS).await?;
        if report.visible {
            return Err(Failure::Barrier { says: STRAY, report });
        }
        Ok(holds(STRAY))
    }

    async fn version(&self) -> Result<Check, Failure> {
        let key = self.key()?;
        let (first, second) = (self.harness.fresh_lineage(), self.harness.fresh_lineage());
        let old = self.write(VERSION, &key, Some(first)).await?;
        if !self.harness.has_versions() {
            must(VERSION, old.id.version.is_none(), "the write has a version")?;
            let why = "the storage has no versions".to_owned();
            return Ok(Check { says: VERSION, finding: Finding::NotTried(why) });
        }
        must(VERSION, old.id.version.is_some(), "the write has no version")?;
        let new = self.write(VERSION, &key, Some(second)).await?;
        must(VERSION, old.id.version != new.id.version, "two writes have one version")?;
        self.must_become_visible(VERSION, &new, second).await?;
        self.must_become_visible(VERSION, &old, first).await?;
        Ok(holds(VERSION))
    }

    async fn sizes(&self) -> Result<Check, Failure> {
        if let Some(why) = self.harness.sizeless() {
            return Ok(Check { says: SIZES, finding: Finding::NotTried(why.to_owned()) });
        }
        self.clean().await?;
        let (plain, traced) = (self.key()?, self.key()?);
        let lineage = self.harness.fresh_lineage();
        let mut expected = self.write(SIZES, &plain, None).await?.bytes;
        let written = self.write(SIZES, &traced, Some(lineage)).await?;
        expected += written.bytes;
        self.must_become_visible(SIZES, &written, lineage).await?;
        let contents = self.until(SIZES, |contents| contents.iter().all(|end| end.0 >= 2)).await?;
        let found = format!("{contents:?} instead of 2 posts of {expected} bytes at both ends");
        must(SIZES, contents == [(2, expected); 2], &found)?;
        Ok(holds(SIZES))
    }

    /// The contents, once they are as asked, or at the end of all patience.
    async fn until(
        &self,
        says: &'static str,
        enough: impl Fn(&[(u64, u64); 2]) -> bool,
    ) -> Result<[(u64, u64); 2], Failure> {
        let clock = self.harness.clock();
        let end = clock.now().plus_ms(PATIENCE_MS);
        loop {
            let contents = in_check(says, self.harness.contents().await)?;
            if enough(&contents) || clock.now() >= end {
                return Ok(contents);
            }
            clock.sleep_until(clock.now().plus_ms(50)).await;
        }
    }

    async fn replication(&self) -> Result<[Check; 2], Failure> {
        if let Replication::NotControllable(why) = in_check(ABSENT, self.harness.hold().await)? {
            return Ok([ABSENT, WAITS].map(|says| Check { says, finding: Finding::NotTried(why.clone()) }));
        }
        let held = self.held().await;
        // Whatever was found, replication is not left held.
        in_check(WAITS, self.harness.release().await)?;
        held.map(|()| [ABSENT, WAITS].map(holds))
    }

    async fn held(&self) -> Result<(), Failure> {
        let (harness, key, lineage) = (self.harness, self.key()?, self.harness.fresh_lineage());
        let written = self.write(ABSENT, &key, Some(lineage)).await?;
        must(ABSENT, in_check(ABSENT, harness.writer().read(key.as_str()).await)?, "the writer does not find it")?;
        must(ABSENT, !in_check(ABSENT, harness.reader().read(key.as_str()).await)?, "the reader finds it")?;
        let report = self.wait(ABSENT, harness.reader(), &written, lineage, WHILE_MS).await?;
        if report.visible || report.last_miss_at.is_none() {
            return Err(Failure::Barrier { says: ABSENT, report });
        }

        let mut waiting = pin!(self.must_become_visible(WAITS, &written, lineage));
        let pause = pin!(harness.clock().sleep_until(harness.clock().now().plus_ms(WHILE_MS)));
        if let Either::First(report) = biased(waiting.as_mut(), pause).await {
            return must(WAITS, false, &format!("it ended while replication was held: {:?}", report?));
        }
        let mut releasing = pin!(harness.release());
        let report = match biased(waiting.as_mut(), releasing.as_mut()).await {
            Either::First(report) => {
                in_check(WAITS, releasing.await)?;
                report?
            }
            Either::Second(released) => {
                in_check(WAITS, released)?;
                waiting.await?
            }
        };
        if report.polls < 2 || report.last_miss_at.is_none() {
            return Err(Failure::Barrier { says: WAITS, report });
        }
        must(WAITS, in_check(WAITS, harness.reader().read(key.as_str()).await)?, "the reader finds nothing after it")
    }

    async fn hung(&self) -> Result<Check, Failure> {
        let Some(hung) = self.harness.hung() else {
            return Ok(Check { says: HUNG, finding: Finding::NotTried("nothing can hang here".to_owned()) });
        };
        let (key, lineage) = (self.key()?, self.harness.fresh_lineage());
        let written = self.write(HUNG, &key, Some(lineage)).await?;
        let report = self.wait(HUNG, hung, &written, lineage, HUNG_MS).await?;
        let waited_ms = u64::try_from(report.waited_us / 1000).unwrap_or(0);
        if report.visible || !(HUNG_MS..HUNG_MS + LATE_MS).contains(&waited_ms) {
            return Err(Failure::Barrier { says: HUNG, report });
        }
        Ok(holds(HUNG))
    }

    /// Cleans until nothing is left, after what is on its way has arrived.
    async fn clean(&self) -> Result<Check, Failure> {
        let clock = self.harness.clock();
        self.until(CLEAN, |[writer, reader]| writer == reader).await?;
        let end = clock.now().plus_ms(PATIENCE_MS);
        loop {
            in_check(CLEAN, self.harness.clean().await)?;
            let pause = clock.now().plus_ms(WHILE_MS);
            while clock.now() < pause {
                if in_check(CLEAN, self.harness.is_empty().await)? {
                    return Ok(holds(CLEAN));
                }
                clock.sleep_until(clock.now().plus_ms(20)).await;
            }
            must(CLEAN, clock.now() < end, "something is left")?;
        }
    }
}
