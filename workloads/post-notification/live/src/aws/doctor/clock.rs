//! Clocks: this machine's against a region's, and the functions' against each other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_lambda::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_lambda::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_lambda::error::BoxError;
use aws_sdk_lambda::primitives::{DateTime, DateTimeFormat};

use super::Finding;
use super::reach::Function;
use crate::aws::Operator;
use crate::lambda::clock_bound;

/// Requests that are signed by a clock that is off by more are refused (Amazon S3 API reference, `RequestTimeTooSkewed`:
/// 15 minutes). A tenth of it is worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(90);

/// Reads the header `Date` of answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Dates(Arc<Mutex<Option<Reading>>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    sent: SystemTime,
    received: Option<SystemTime>,
    date: Option<SystemTime>,
}

impl Intercept for Dates {
    fn name(&self) -> &'static str {
        "dates"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        *self.reading() = Some(Reading { sent: SystemTime::now(), received: None, date: None });
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        if let Some(reading) = self.reading().as_mut() {
            reading.received = Some(SystemTime::now());
            reading.date = date.and_then(|date| SystemTime::try_from(date).ok());
        }
        Ok(())
    }
}

impl Dates {
    fn reading(&self) -> std::sync::MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last answer's date says of this machine's clock. A date has whole seconds: the service's time is in the
    /// second that begins with it, and was taken between question and answer.
    pub(super) fn finding(&self, region: &str) -> Finding {
        let about = format!("this machine's clock against {region}");
        let Some(Reading { sent, received: Some(received), date: Some(date) }) = *self.reading() else {
            return Finding::not_checked(about, "the answer bore no date", "it is a word of warning only");
        };
        let behind = date.duration_since(received).unwrap_or_default();
        let ahead = sent.duration_since(date + Duration::from_secs(1)).unwrap_or_default();
        let off = behind.max(ahead);
        let width = received.duration_since(sent).unwrap_or_default() + Duration::from_secs(1);
        let seen = format!("off by at least {:.1} s, known to {:.1} s", off.as_secs_f64(), width.as_secs_f64());
        if off < WORTH_A_WORD {
            Finding::ok(about, seen)
        } else {
            Finding::problem(
                about,
                seen,
                "set the clock (timedatectl set-ntp true): requests that are signed late are refused",
            )
        }
    }
}

impl Operator {
    /// How far the clocks of the deployed functions' regions may be apart.
    pub(super) async fn function_clocks(&self, functions: &[Function]) -> Vec<Finding> {
        // One function of each region, on either side.
        let side = |suffix: &str| -> BTreeMap<&str, &Function> {
            let theirs = functions.iter().filter(|function| function.name.ends_with(suffix));
            theirs.map(|function| (function.region.as_str(), function)).collect()
        };
        let (writers, readers) = (side("-writer"), side("-reader"));
        let mut findings = Vec::new();
        for writer in writers.values() {
            for reader in readers.values().filter(|reader| reader.region != writer.region) {
                findings.push(self.clocks_of(writer, reader).await);
            }
        }
        if findings.is_empty() {
            let fix = "deploy some (`matrix live build FILE`), then ask again; every run measures it, too";
            let about = "clocks of the functions' regions";
            findings.push(Finding::not_checked(about, "no functions are deployed", fix));
        }
        findings
    }

    /// How far the clocks of two functions may be apart.
    async fn clocks_of(&self, writer: &Function, reader: &Function) -> Finding {
        let client = |function: &Function| aws_sdk_lambda::Client::new(&self.config(&function.region));
        let bound = clock_bound((&client(writer), &writer.name), (&client(reader), &reader.name)).await;
        let about = format!("clocks of {} and {}", writer.region, reader.region);
        match bound {
            Some(bound) => Finding::ok(about, format!("apart by at most {:.1} ms", bound as f64 / 1000.0)),
            None => Finding::problem(
                about,
                "the functions did not tell the time",
                "look at their logs in CloudWatch; `matrix live build FILE` deploys them anew",
            ),
        }
    }
}
