//! Leases: what one run uses no other takes. They are items of a table, so that everybody sees them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus, Tag,
};
use matrix_lambdas::aws::causes;
use tokio::time::sleep;

use super::LambdaError;

/// The table of all leases of an account, in one region.
pub(crate) const TABLE: &str = "matrix-leases";

/// Tag of that table.
const TABLE_TAG: &str = "matrix:leases";

/// Pause before the table is looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks at a lease that changes hands while it is looked at.
const TRIES: u32 = 5;

/// The leases of one driver.
#[derive(Debug)]
pub(crate) struct Leases {
    client: Client,
    owner: String,
    holder: Holder,
    ttl: Duration,
    held: Mutex<BTreeMap<String, Standing>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Held,
    /// Another took it: this process was not heard of for too long.
    Lost,
}

/// Who holds a lease: a driver in a process on a machine. A lease whose process has ended on this machine can be taken
/// at once; elsewhere only its time counts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holder {
    id: String,
    machine: String,
    process: String,
}

impl Holder {
    fn this() -> Result<Self, getrandom::Error> {
        let pid = std::process::id();
        Ok(Self {
            id: format!("{:016x}", getrandom::u64()?),
            machine: machine(),
            process: format!("{pid} {}", started(pid).unwrap_or_default()),
        })
    }

    /// Whether it is known to have ended.
    fn is_dead(&self) -> bool {
        let Some((pid, start)) = self.process.split_once(' ') else { return false };
        let here = !self.machine.is_empty() && self.machine == machine();
        here && pid.parse().is_ok_and(|pid| started(pid).is_none_or(|now| now != start))
    }
}

/// This boot of this machine, if the system says.
fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// When a process started, in the system's ticks; `None` if there is none.
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the parenthesis may hold anything; the start is the 20th field after it (proc_pid_stat(5)).
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

struct Found {
    owner: String,
    holder: Holder,
    expires_ms: u64,
}

impl Leases {
    pub(crate) fn new(client: Client, owner: &str, ttl: Duration) -> Result<Arc<Self>, LambdaError> {
        let holder = Holder::this()?;
        Ok(Arc::new(Self { client, owner: owner.to_owned(), holder, ttl, held: Mutex::default() }))
    }

    /// Leases everything in `resources`.
    pub(crate) async fn take(&self, resources: &[String]) -> Result<(), LambdaError> {
        for resource in resources {
            let standing = self.held().get(resource).copied();
            if standing != Some(Standing::Held) {
                self.ensure_table().await?;
                self.take_one(resource).await?;
                self.held().insert(resource.clone(), Standing::Held);
            }
        }
        Ok(())
    }

    /// Fails if one of the resources was lost to another run.
    pub(crate) fn check(&self, resources: &[String]) -> Result<(), LambdaError> {
        let held = self.held();
        match resources.iter().find(|resource| held.get(*resource) == Some(&Standing::Lost)) {
            None => Ok(()),
            Some(resource) => Err(LambdaError::LeaseLost { resource: resource.clone() }),
        }
    }

    async fn take_one(&self, resource: &str) -> Result<(), LambdaError> {
        for _ in 0..TRIES {
            let found = self.find(resource).await?;
            let now = now_ms();
            let mut put = self.client.put_item().table_name(TABLE).set_item(Some(self.item(resource, now)));
            match found {
                None => put = put.condition_expression("attribute_not_exists(k)"),
                Some(found) if found.expires_ms <= now || found.holder.is_dead() || found.holder == self.holder => {
                    let was = AttributeValue::S(found.holder.id);
                    put = put.condition_expression("holder = :was").expression_attribute_values(":was", was);
                }
                Some(found) => {
                    let left = Duration::from_millis(found.expires_ms.saturating_sub(now));
                    return Err(LambdaError::Leased { resource: resource.to_owned(), owner: found.owner, left });
                }
            }
            match put.send().await {
                Ok(_) => return Ok(()),
                // Another was faster.
                Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {}
                Err(error) => return Err(LambdaError::aws(format_args!("leasing {resource}"), error)),
            }
        }
        let what = format!("the lease of {resource}, for which others compete");
        Err(LambdaError::Deadline { what, waited: Duration::ZERO })
    }

    async fn find(&self, resource: &str) -> Result<Option<Found>, LambdaError> {
        let key = AttributeValue::S(resource.to_owned());
        let answer = self.client.get_item().table_name(TABLE).key("k", key).consistent_read(true).send().await;
        let answer =
            answer.map_err(|error| LambdaError::aws(format_args!("looking at the lease of {resource}"), error))?;
        Ok(answer.item.map(|item| {
            let text = |name: &str| match item.get(name) {
                Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.clone(),
                _ => String::new(),
            };
            let holder = Holder { id: text("holder"), machine: text("machine"), process: text("process") };
            Found { owner: text("owner"), holder, expires_ms: text("expires_ms").parse().unwrap_or(0) }
        }))
    }

    fn item(&self, resource: &str, now: u64) -> HashMap<String, AttributeValue> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        HashMap::from([
            ("k".into(), text(resource)),
            ("owner".into(), text(&self.owner)),
            ("holder".into(), text(&self.holder.id)),
            ("machine".into(), text(&self.holder.machine)),
            ("process".into(), text(&self.holder.process)),
            ("expires_ms".into(), self.expiry(now)),
        ])
    }

    fn expiry(&self, now: u64) -> AttributeValue {
        AttributeValue::N((now + u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX / 2)).to_string())
    }

    /// Renews what is held, for ever.
    pub(crate) async fn keep(self: Arc<Self>) {
        loop {
            sleep(self.ttl / 4).await;
            self.renew().await;
        }
    }

    /// Renews what is held, and marks what was lost.
    pub(crate) async fn renew(&self) {
        let held: Vec<String> = self.held().keys().cloned().collect();
        for resource in held {
            let renewal = self
                .client
                .update_item()
                .table_name(TABLE)
                .key("k", AttributeValue::S(resource.clone()))
                .update_expression("SET expires_ms = :then")
                .condition_expression("holder = :me")
                .expression_attribute_values(":then", self.expiry(now_ms()))
                .expression_attribute_values(":me", AttributeValue::S(self.holder.id.clone()));
            match renewal.send().await {
                Ok(_) => {}
                Err(SdkError::ServiceError(error))
                    if error.err().is_conditional_check_failed_exception()
                        || error.err().is_resource_not_found_exception() =>
                {
                    // What was given back meanwhile is not missed.
                    if let Some(standing) = self.held().get_mut(&resource) {
                        *standing = Standing::Lost;
                    }
                }
                // The service will answer next time, or the lease ends.
                Err(_) => {}
            }
        }
    }

    /// Gives back what is held, and removes the table unless others hold something. One who takes something just then
    /// learns at its next renewal that it was lost.
    pub(crate) async fn end(&self) -> Result<(), LambdaError> {
        self.release().await;
        match self.client.scan().table_name(TABLE).consistent_read(true).limit(1).send().await {
            Ok(left) if left.count == 0 => {}
            Ok(_) => return Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => return Ok(()),
            Err(error) => return Err(LambdaError::aws("looking at the leases", error)),
        }
        match self.client.delete_table().table_name(TABLE).send().await {
            Ok(_) => {}
            Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => {}
            Err(error) => return Err(LambdaError::aws("removing the table of leases", error)),
        }
        loop {
            match self.client.describe_table().table_name(TABLE).send().await {
                Ok(_) => sleep(PAUSE).await,
                Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => return Ok(()),
                Err(error) => return Err(LambdaError::aws("looking at the table of leases", error)),
            }
        }
    }

    /// Gives back what is held. What cannot be given back ends by its time.
    pub(crate) async fn release(&self) {
        let held = std::mem::take(&mut *self.held());
        for resource in held.into_keys() {
            let deletion = self
                .client
                .delete_item()
                .table_name(TABLE)
                .key("k", AttributeValue::S(resource))
                .condition_expression("holder = :me")
                .expression_attribute_values(":me", AttributeValue::S(self.holder.id.clone()));
            let _ = deletion.send().await;
        }
    }

    async fn ensure_table(&self) -> Result<(), LambdaError> {
        loop {
            match self.client.describe_table().table_name(TABLE).send().await {
                Ok(answer) if answer.table().and_then(|table| table.table_status()) == Some(&TableStatus::Active) => {
                    return Ok(());
                }
                Ok(_) => sleep(PAUSE).await,
                Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => {
                    self.create_table().await?;
                }
                Err(error) => return Err(LambdaError::aws("looking at the table of leases", error)),
            }
        }
    }

    async fn create_table(&self) -> Result<(), LambdaError> {
        let wrong = |error| LambdaError::Aws { what: "the table of leases".into(), why: causes(&error) };
        let key = KeySchemaElement::builder().attribute_name("k").key_type(KeyType::Hash).build().map_err(wrong)?;
        let attribute = AttributeDefinition::builder().attribute_name("k").attribute_type(ScalarAttributeType::S);
        let creation = self.client.create_table().table_name(TABLE).key_schema(key);
        let creation = creation.attribute_definitions(attribute.build().map_err(wrong)?);
        // No one run's: whoever looks for what matrix made finds it all the same.
        let tag = Tag::builder().key(TABLE_TAG).value("of all runs").build().map_err(wrong)?;
        match creation.billing_mode(BillingMode::PayPerRequest).tags(tag).send().await {
            Ok(_) => Ok(()),
            // Another was faster.
            Err(SdkError::ServiceError(error)) if error.err().is_resource_in_use_exception() => Ok(()),
            Err(error) => Err(LambdaError::aws("making the table of leases", error)),
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Standing>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_ended_holds_nothing_here() {
        let this = Holder::this().unwrap();
        assert!(!this.is_dead());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let holder = |process: String| Holder { process, ..this.clone() };
        let alive = holder(format!("{pid} {}", started(pid).unwrap()));
        assert!(!alive.is_dead());
        // Another process got its number.
        assert!(holder(format!("{pid} 1")).is_dead());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(alive.is_dead());
        // Elsewhere nobody knows.
        assert!(!Holder { machine: "another".into(), ..alive }.is_dead());
    }
}
