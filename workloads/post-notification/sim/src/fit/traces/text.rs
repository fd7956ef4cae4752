//! The fitted model as a file.

use std::fmt::Write as _;

use matrix_plan::NotificationStorage;

use super::{Fitted, FittedLaw, NotificationLaws, Parts, PostLaws, TraceOptions};

/// Writes the model. Times have three decimals: microseconds, as traces have them.
pub(super) fn write(parts: &Parts, options: &TraceOptions) -> String {
    let mut file = File { text: String::new(), source: options.source.clone() };
    let TraceOptions { name, reference, source } = options;
    file.line(format_args!("# Fitted by `matrix model fit --from` to measured traces: {source}."));
    file.line(format_args!("# Cells with an artificial delay were left out: they test what this model predicts.\n"));
    file.line(format_args!("schema = 1\nname = \"{name}\"\nreference = \"{reference}\"\n"));
    file.line(format_args!("[rtt]"));
    for (pair, ms) in &parts.rtt_ms {
        let source = match *ms {
            0.0 => "assumption: not known, and no law here needs it",
            _ => "configured: twice the link's one-way delay",
        };
        let line = file.number(*ms, "ms", source);
        file.line(format_args!("\"{pair}\" = {line}"));
    }
    file.law("client.leg", &parts.leg);
    file.line(format_args!("\n[functions]"));
    let concurrency = file.number(1000.0, "instances", "assumption: more than any cell needs");
    let idle = file.number(600.0, "s", "assumption: no instance was idle for long");
    file.line(format_args!("concurrency = {concurrency}\nidle_timeout = {idle}"));
    file.law("functions.cold_start", &parts.cold_start);
    let none = Fitted {
        name: String::new(),
        law: FittedLaw::Constant(0.0),
        mean_ms: 0.0,
        rows: 0,
        how: "part of the client's leg and of the trigger",
    };
    file.law("functions.warm_start", &none);
    for (storage, laws) in &parts.post {
        file.post(storage.as_str(), laws);
    }
    for (storage, laws) in &parts.notification {
        file.notification(*storage, laws, &none);
    }
    file.text
}

struct File {
    text: String,
    source: String,
}

impl File {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn number(&self, value: f64, unit: &str, source: &str) -> String {
        format!("{{ value = {}, unit = \"{unit}\", source = \"{source}\" }}", decimals(value))
    }

    fn law(&mut self, place: &str, fitted: &Fitted) {
        let source = match fitted.rows {
            0 => format!("assumption: {}", fitted.how),
            rows => format!("fitted: {}, {rows} rows, {}", self.source, fitted.how),
        };
        self.line(format_args!("\n[{place}]"));
        match &fitted.law {
            FittedLaw::Constant(ms) => {
                let value = self.number(*ms, "ms", &source);
                self.line(format_args!("law = \"constant\"\nvalue = {value}"));
            }
            FittedLaw::Quantiles(points) => {
                let (low, high) = (points.first().map_or(0.0, |it| it.1), points.last().map_or(0.0, |it| it.1));
                let inner = points.iter().skip(1).take(points.len().saturating_sub(2));
                let inner: Vec<String> = inner.map(|(p, ms)| format!("[{p}, {}]", decimals(*ms))).collect();
                let (low, high) = (self.number(low, "ms", &source), self.number(high, "ms", &source));
                self.line(format_args!("law = \"quantiles\"\nmin = {low}"));
                let inner = inner.join(", ");
                self.line(format_args!(
                    "quantiles = {{ value = [{inner}], unit = \"ms\", source = \"{source}\" }}\nmax = {high}"
                ));
            }
        }
    }

    fn post(&mut self, name: &str, laws: &PostLaws) {
        let place = format!("post_storage.{name}");
        let (replication, why) = match laws.in_log_order {
            true => ("log", "assumption: replicas apply a log, in commit order"),
            false => ("object", "assumption: each object is replicated by itself"),
        };
        self.line(format_args!(
            "\n[{place}]\nreplication = {{ value = \"{replication}\", unit = \"none\", source = \"{why}\" }}"
        ));
        for (law, fitted) in [("write", &laws.write), ("read", &laws.read), ("poll", &laws.poll), ("lag", &laws.lag)] {
            self.law(&format!("{place}.{law}"), fitted);
        }
        for (pair, factor) in &laws.factors {
            let source = format!("fitted: {}, mean lag over the reference pair's", self.source);
            let factor = self.number(*factor, "1", &source);
            let overhead = self.number(0.0, "ms", "assumption: part of the read");
            self.line(format_args!(
                "\n[{place}.regions.\"{pair}\"]\nclient_overhead = {overhead}\nlag_factor = {factor}"
            ));
        }
    }

    fn notification(&mut self, storage: NotificationStorage, laws: &NotificationLaws, none: &Fitted) {
        let place = format!("notification_storage.{storage}");
        let trips = self.number(0.0, "1", "assumption: the trigger is fitted with the way between the regions in it");
        let lanes = self.number(1.0, "lanes", "assumption: one reader at a time");
        self.line(format_args!("\n[{place}]"));
        match storage {
            NotificationStorage::Sns => self.line(format_args!("kind = \"concurrent\"\nround_trips = {trips}")),
            NotificationStorage::Amq => {
                self.line(format_args!("kind = \"ordered\"\nround_trips = {trips}\nlanes = {lanes}"));
            }
            NotificationStorage::Dynamo => self.line(format_args!("kind = \"stream\"\nlanes = {lanes}")),
        }
        self.law(&format!("{place}.publish"), &laws.publish);
        self.law(&format!("{place}.trigger"), &laws.trigger);
        if storage == NotificationStorage::Dynamo {
            let lag = Fitted { how: "part of the trigger", ..none.clone() };
            self.law(&format!("{place}.item_lag"), &lag);
        }
    }
}

/// A number as the file has it: whole microseconds, with a point only where there is a fraction.
fn decimals(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
