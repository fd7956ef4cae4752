//! The course of an attempt, and of its phases by hand.

use std::path::Path;
use std::time::Duration;

use matrix_app::Row;
use matrix_driver::{AttemptDetails, Cancel, RowSink, SinkError};
use matrix_plan::Cell;
use tokio::time::sleep;

use super::bridging::{self, ended};
use super::clean::{Functions, clean};
use super::clients::Shared;
use super::deployment::Deployment;
use super::exchange::{Exchange, Route};
use super::gather::patience;
use super::join::Join;
use super::probe::clock_bound;
use super::saved::{self, Messages, Saved, Saving};
use super::visible::VisibleLog;
use super::{LambdaError, Services, Settings, Unserved};
use crate::testbed::Bridge;

/// One cell on its deployment.
pub(crate) struct AttemptPhases<'a> {
    cell: &'a Cell,
    deployment: &'a Deployment,
    services: &'a Services,
    settings: &'a Settings,
    writer: aws_sdk_lambda::Client,
    reader: aws_sdk_lambda::Client,
    exchange: Exchange<'a>,
}

impl<'a> AttemptPhases<'a> {
    pub(crate) fn new(
        cell: &'a Cell,
        deployment: &'a Deployment,
        services: &'a Services,
        settings: &'a Settings,
        shared: &Shared,
    ) -> Self {
        let (writer, reader) = (&deployment.config.writer_region, &deployment.config.reader_region);
        let inputs = &cell.inputs;
        let route = Route {
            writer_region: writer.clone(),
            function: deployment.names.writer(),
            reader_region: reader.clone(),
            queue_url: deployment.config.evaluations.url.clone(),
            identity: deployment.names.identity(),
        };
        Self {
            cell,
            deployment,
            services,
            settings,
            writer: shared.lambda(services, settings, writer),
            reader: shared.lambda(services, settings, reader),
            exchange: Exchange::new(inputs, route, services, settings, shared),
        }
    }

    /// Checks that the functions are built for what the cell asks of them.
    fn check(&self) -> Result<(), LambdaError> {
        let inputs = &self.cell.inputs;
        for (what, ms, most) in [
            ("deadline of the barrier", inputs.barrier.deadline_ms, self.settings.longest_barrier),
            ("artificial delay", inputs.axes.delay_ms, self.settings.longest_delay),
        ] {
            if u128::from(ms) > most.as_millis() {
                return Err(Unserved::TooLong { what, ms, longest_ms: most.as_millis() }.into());
            }
        }
        Ok(())
    }

    /// The whole attempt, on a deployment that is built.
    pub(crate) async fn attempt(
        &self,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, LambdaError> {
        self.check()?;
        let renewed_before = self.services.pause().count();
        or_cancelled(cancel, self.clean()).await?;
        let before = or_cancelled(cancel, self.probed()).await?;
        let bridge = or_cancelled(cancel, self.bridge()).await?;
        let visible = self.visible()?;
        let (head, clock) = self.exchange.begin()?;
        let mut join = self.exchange.exchange(&head, clock, visible, rows, cancel).await?;
        ended(bridge, &mut join).await;
        let after = or_cancelled(cancel, self.probed()).await?;
        // The rows are there: that the stores are not clean will show at the next attempt, which cleans them first.
        match or_cancelled(cancel, self.clean()).await {
            Ok(()) => {}
            Err(LambdaError::Cancelled) => return Err(LambdaError::Cancelled),
            Err(_) => join.note("left_unclean", 1),
        }
        join.note("credentials_renewed", self.services.pause().count() - renewed_before);
        let (notes, reasons) = join.into_notes();
        Ok(AttemptDetails { epoch_us: head.epoch.0, clock_bound_us: worst(before, after), notes, reasons, host: None })
    }

    /// Sends the requests and keeps what the client saw in a file. What was published is delivered when it returns, where
    /// that is up to a bridge.
    pub(crate) async fn run(&self, file: &Path, cancel: &Cancel) -> Result<(), LambdaError> {
        self.check()?;
        or_cancelled(cancel, self.clean()).await?;
        let before = or_cancelled(cancel, self.probed()).await?;
        let bridge = or_cancelled(cancel, self.bridge()).await?;
        let visible = self.visible()?;
        let (mut head, clock) = self.exchange.begin()?;
        head.visible_from = visible.as_ref().map(VisibleLog::offset);
        let mut saving = Saving::create(file, &self.cell.key, &head)?;
        let mut clients = self.exchange.send(&head, clock)?;
        let mut published = 0;
        let saved = async {
            while let Some(told) = clients.told.recv().await {
                published += u64::from(told.trouble.is_none());
                saving.told(told)?;
            }
            (&mut clients.sending).await.unwrap_or(Err(LambdaError::Cancelled))
        };
        or_cancelled(cancel, saved).await?;
        let patience = patience(&self.cell.inputs, self.settings, published > 0);
        let handed_over = bridging::handed_over(bridge.as_ref(), published, self.deployment, self.services, patience);
        let handed_over = async {
            handed_over.await;
            Ok(())
        };
        or_cancelled(cancel, handed_over).await?;
        let mut counted = Join::new(head.epoch, &head.nonce, 0, None);
        ended(bridge, &mut counted).await;
        let after = or_cancelled(cancel, self.probed()).await?;
        saving.end(worst(before, after), counted.into_notes().0)
    }

    /// Makes rows from a file and the queue.
    pub(crate) async fn gather(
        &self,
        file: &Path,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<AttemptDetails, LambdaError> {
        let (saved, join) = self.taken_up(file, rows)?;
        let join = self.emptied(file, join, rows, cancel).await?;
        let (notes, reasons) = join.into_notes();
        Ok(AttemptDetails {
            epoch_us: saved.head.epoch.0,
            clock_bound_us: saved.clock_bound_us,
            notes,
            reasons,
            host: None,
        })
    }

    /// Takes what the queue has for a file, and keeps it beside it: nothing more is expected then.
    pub(crate) async fn collect(&self, file: &Path, cancel: &Cancel) -> Result<(), LambdaError> {
        let (_, join) = self.taken_up(file, &mut Forgotten)?;
        self.emptied(file, join, &mut Forgotten, cancel).await?;
        saved::mark_collected(file)
    }

    /// What is known of a run: the client's side, and the messages that were taken already.
    fn taken_up(&self, file: &Path, rows: &mut dyn RowSink<Row>) -> Result<(Saved, Join), LambdaError> {
        let mut saved = Saved::load(file, &self.cell.key)?.ok_or_else(|| LambdaError::Content {
            path: file.to_owned(),
            what: "there is no such file: run the cell first".into(),
        })?;
        let head = &saved.head;
        if head.instance != self.settings.instance {
            let what = "it was sent to services that are gone: remove it, and run the cell again".into();
            return Err(LambdaError::Content { path: file.to_owned(), what });
        }
        let visible = self.visible()?.map(|log| log.from(head.visible_from.unwrap_or(0)));
        let mut join = Join::new(head.epoch, &head.nonce, self.cell.inputs.requests, visible);
        for (name, count) in std::mem::take(&mut saved.notes) {
            join.note(&name, count);
        }
        for told in saved.told.drain(..) {
            join.told(told, rows)?;
        }
        for message in Messages::load(&saved::messages_beside(file))? {
            join.message(&message, rows)?;
        }
        Ok((saved, join))
    }

    /// Joins with what the queue still has, unless all was collected.
    async fn emptied(
        &self,
        file: &Path,
        join: Join,
        rows: &mut dyn RowSink<Row>,
        cancel: &Cancel,
    ) -> Result<Join, LambdaError> {
        if saved::is_collected(file) {
            return self.exchange.conclude(join, rows, cancel).await;
        }
        let bridge = or_cancelled(cancel, self.bridge()).await?;
        let keep = Some(Messages::open(saved::messages_beside(file))?);
        let mut join = self.exchange.gather(join, None, keep, rows, cancel).await?;
        ended(bridge, &mut join).await;
        Ok(join)
    }

    /// Cleans the deployment.
    pub(crate) async fn clean(&self) -> Result<(), LambdaError> {
        let functions = Functions { writer: &self.writer, reader: &self.reader };
        Box::pin(clean(self.deployment, self.services, self.settings, functions, false)).await
    }

    fn visible(&self) -> Result<Option<VisibleLog>, LambdaError> {
        let target = &self.deployment.config.reader_region;
        match (&self.services.visible_log, self.deployment.lagging_place()) {
            (Some(path), Some(place)) => VisibleLog::follow(path.clone(), place, target).map(Some),
            _ => Ok(None),
        }
    }

    async fn probed(&self) -> Result<Option<i64>, LambdaError> {
        let (writer, reader) = (self.deployment.names.writer(), self.deployment.names.reader());
        Ok(Box::pin(clock_bound((&self.writer, &writer), (&self.reader, &reader))).await)
    }

    /// Starts what hands a broker's messages to the reader, where nobody else does.
    async fn bridge(&self) -> Result<Option<Bridge>, LambdaError> {
        bridging::start(self.deployment, self.services, &self.reader).await
    }
}

/// For rows that are made again later.
struct Forgotten;

impl RowSink<Row> for Forgotten {
    fn push(&mut self, _: Row) -> Result<(), SinkError> {
        Ok(())
    }
}

/// The larger of two bounds: what holds before and after.
fn worst(before: Option<i64>, after: Option<i64>) -> Option<i64> {
    Some(before?.max(after?))
}

/// Does `work` unless it is asked to stop meanwhile.
pub(crate) async fn or_cancelled<T>(
    cancel: &Cancel,
    work: impl Future<Output = Result<T, LambdaError>>,
) -> Result<T, LambdaError> {
    let asked = async {
        while !cancel.is_cancelled() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        biased;
        () = asked => Err(LambdaError::Cancelled),
        result = work => result,
    }
}
