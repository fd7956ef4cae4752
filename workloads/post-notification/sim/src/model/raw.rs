//! Models as they stand in TOML: every parameter is a table of value, unit and source.

use std::collections::BTreeMap;

use matrix_plan::{NotificationStorage, PostStorage, RegionPair};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Anchor, FunctionModel, Law, Model, ModelError, NotificationModel, PairData, PostModel, Replication, Transfer,
};
use crate::table::MAX_US;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<u32>,
    name: String,
    reference: RegionPair,
    rtt: BTreeMap<RegionPair, Number>,
    client: Client,
    functions: Functions,
    post_storage: BTreeMap<PostStorage, Post>,
    notification_storage: BTreeMap<NotificationStorage, Spanned<Notification>>,
    #[serde(default)]
    anchor: Vec<FileAnchor>,
}

/// A parameter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameter<T> {
    value: Spanned<T>,
    unit: Spanned<String>,
    source: Spanned<String>,
}

type Number = Parameter<f64>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    leg: Spanned<FileLaw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Functions {
    cold_start: Spanned<FileLaw>,
    warm_start: Spanned<FileLaw>,
    concurrency: Number,
    idle_timeout: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Post {
    replication: Parameter<Replicates>,
    write: Spanned<FileLaw>,
    read: Spanned<FileLaw>,
    poll: Spanned<FileLaw>,
    transfer: Option<FileTransfer>,
    lag: Spanned<FileLaw>,
    regions: BTreeMap<RegionPair, Pair>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Replicates {
    Log,
    Object,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTransfer {
    reference: Number,
    time: Spanned<FileLaw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    client_overhead: Number,
    lag_factor: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notification {
    kind: Kind,
    publish: Spanned<FileLaw>,
    trigger: Spanned<FileLaw>,
    item_lag: Option<Spanned<FileLaw>>,
    round_trips: Option<Number>,
    lanes: Option<Number>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Concurrent,
    Ordered,
    Stream,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLaw {
    law: LawName,
    value: Option<Number>,
    mean: Option<Number>,
    cv: Option<Number>,
    min: Option<Number>,
    quantiles: Option<Parameter<Vec<(f64, f64)>>>,
    max: Option<Number>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LawName {
    Constant,
    Lognormal,
    Quantiles,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAnchor {
    post_storage: PostStorage,
    regions: RegionPair,
    antipode: bool,
    mean: Number,
}

impl Model {
    /// Reads a model.
    ///
    /// # Errors
    /// When the text is not TOML, or not a model; the error names the place.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let file: File = toml::from_str(text).map_err(|error| ModelError::of_toml(text, &error))?;
        Checker(text).model(file)
    }
}

/// Turns what stands in the text into a model, or says where it is wrong.
struct Checker<'t>(&'t str);

impl Checker<'_> {
    fn error<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> ModelError {
        ModelError::at(self.0, at.span(), message)
    }

    fn model(&self, file: File) -> Result<Model, ModelError> {
        if *file.schema.get_ref() != 1 {
            return Err(self.error(&file.schema, "only models of schema 1 are understood"));
        }
        Ok(Model {
            name: file.name,
            reference: file.reference,
            rtt_ms: map(file.rtt, |rtt| self.duration(&rtt))?,
            client_leg: self.law(&file.client.leg)?,
            functions: FunctionModel {
                cold_start: self.law(&file.functions.cold_start)?,
                warm_start: self.law(&file.functions.warm_start)?,
                concurrency: self.count(&file.functions.concurrency, "instances")?,
                idle_timeout_ms: self.duration(&file.functions.idle_timeout)?,
            },
            post: map(file.post_storage, |post| self.post(post))?,
            notification: map(file.notification_storage, |notification| self.notification(&notification))?,
            anchors: file.anchor.into_iter().map(|anchor| self.anchor(anchor)).collect::<Result<_, _>>()?,
        })
    }

    fn post(&self, post: Post) -> Result<PostModel, ModelError> {
        self.unit(&post.replication, &["none"])?;
        let transfer = post.transfer.map(|transfer| {
            let reference_bytes = u64::from(self.count(&transfer.reference, "B")?);
            Ok(Transfer { time: self.law(&transfer.time)?, reference_bytes })
        });
        Ok(PostModel {
            write: self.law(&post.write)?,
            read: self.law(&post.read)?,
            poll: self.law(&post.poll)?,
            transfer: transfer.transpose()?,
            lag: self.law(&post.lag)?,
            replication: match post.replication.value.get_ref() {
                Replicates::Log => Replication::Log,
                Replicates::Object => Replication::Object,
            },
            pairs: map(post.regions, |pair| {
                Ok(PairData {
                    client_overhead_ms: self.duration(&pair.client_overhead)?,
                    lag_factor: self.ratio(&pair.lag_factor)?,
                })
            })?,
        })
    }

    fn notification(&self, at: &Spanned<Notification>) -> Result<NotificationModel, ModelError> {
        let Notification { kind, publish, trigger, item_lag, round_trips, lanes } = at.get_ref();
        let (publish, trigger) = (self.law(publish)?, self.law(trigger)?);
        let lanes = lanes.as_ref().map(|lanes| self.count(lanes, "lanes")).transpose()?;
        let round_trips = round_trips.as_ref().map(|trips| self.ratio(trips)).transpose()?;
        match (kind, item_lag, round_trips, lanes) {
            (Kind::Concurrent, None, Some(round_trips), None) => {
                Ok(NotificationModel::Concurrent { publish, trigger, round_trips })
            }
            (Kind::Ordered, None, Some(round_trips), Some(lanes)) => {
                Ok(NotificationModel::Ordered { publish, trigger, round_trips, lanes })
            }
            (Kind::Stream, Some(item_lag), None, Some(lanes)) => {
                Ok(NotificationModel::Stream { publish, item_lag: self.law(item_lag)?, trigger, lanes })
            }
            _ => {
                let needs = match kind {
                    Kind::Concurrent => "`concurrent` takes publish, trigger and round_trips",
                    Kind::Ordered => "`ordered` takes publish, trigger, round_trips and lanes",
                    Kind::Stream => "`stream` takes publish, item_lag, trigger and lanes",
                };
                Err(self.error(at, format!("{needs}, no more and no less")))
            }
        }
    }

    fn anchor(&self, anchor: FileAnchor) -> Result<Anchor, ModelError> {
        let FileAnchor { post_storage, regions, antipode, mean } = anchor;
        let mean_ms = self.duration(&mean)?;
        Ok(Anchor { post_storage, regions, antipode, mean_ms, source: mean.source.into_inner() })
    }

    fn law(&self, at: &Spanned<FileLaw>) -> Result<Law, ModelError> {
        let FileLaw { law, value, mean, cv, min, quantiles, max } = at.get_ref();
        match (law, value, mean, cv, min, quantiles, max) {
            (LawName::Constant, Some(value), None, None, None, None, None) => {
                Ok(Law::Constant { value_ms: self.duration(value)? })
            }
            (LawName::Lognormal, None, Some(mean), Some(cv), None, None, None) => {
                let mean_ms = self.duration(mean)?;
                if mean_ms <= 0.0 {
                    return Err(self.error(&mean.value, "the mean of a lognormal law is above 0"));
                }
                Ok(Law::Lognormal { mean_ms, cv: self.ratio(cv)? })
            }
            (LawName::Quantiles, None, None, None, Some(min), Some(quantiles), Some(max)) => {
                let to_ms = self.time_unit(quantiles)?;
                let mut points_ms = vec![(0.0, self.duration(min)?)];
                points_ms.extend(quantiles.value.get_ref().iter().map(|(p, time)| (*p, time * to_ms)));
                points_ms.push((1.0, self.duration(max)?));
                let rising = points_ms.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
                if !rising {
                    let message = "quantiles rise: probabilities between 0 and 1, times between min and max";
                    return Err(self.error(&quantiles.value, message));
                }
                Ok(Law::Quantiles { points_ms })
            }
            _ => {
                let needs = match law {
                    LawName::Constant => "`constant` takes value",
                    LawName::Lognormal => "`lognormal` takes mean and cv",
                    LawName::Quantiles => "`quantiles` takes min, quantiles and max",
                };
                Err(self.error(at, format!("the law {needs}, no more and no less")))
            }
        }
    }

    /// A time, in milliseconds.
    fn duration(&self, parameter: &Number) -> Result<f64, ModelError> {
        let ms = parameter.value.get_ref() * self.time_unit(parameter)?;
        if (0.0..=MAX_US as f64 / 1e3).contains(&ms) {
            Ok(ms)
        } else {
            Err(self.error(&parameter.value, "a time lies between 0 and 1000 s"))
        }
    }

    fn time_unit<T>(&self, parameter: &Parameter<T>) -> Result<f64, ModelError> {
        self.unit(parameter, &["us", "ms", "s"])?;
        Ok(match parameter.unit.get_ref().as_str() {
            "us" => 1e-3,
            "s" => 1e3,
            _ => 1.0,
        })
    }

    fn ratio(&self, parameter: &Number) -> Result<f64, ModelError> {
        self.unit(parameter, &["1"])?;
        let ratio = *parameter.value.get_ref();
        if (0.0..=1e3).contains(&ratio) {
            Ok(ratio)
        } else {
            Err(self.error(&parameter.value, "a ratio lies between 0 and 1000"))
        }
    }

    fn count(&self, parameter: &Number, unit: &str) -> Result<u32, ModelError> {
        self.unit(parameter, &[unit])?;
        let count = *parameter.value.get_ref();
        if (1.0..=f64::from(u32::MAX)).contains(&count) && count.fract() == 0.0 {
            Ok(count as u32)
        } else {
            Err(self.error(&parameter.value, "this is a whole number, 1 at least"))
        }
    }

    /// Checks a parameter's unit, and that it says where it comes from.
    fn unit<T>(&self, parameter: &Parameter<T>, units: &[&str]) -> Result<(), ModelError> {
        if parameter.source.get_ref().trim().is_empty() {
            return Err(self.error(&parameter.source, "every parameter says where it comes from"));
        }
        let unit = parameter.unit.get_ref();
        if units.contains(&unit.as_str()) {
            Ok(())
        } else {
            Err(self.error(&parameter.unit, format!("unknown unit `{unit}`, expected one of: {}", units.join(", "))))
        }
    }
}

fn map<K: Ord, A, B>(
    from: BTreeMap<K, A>,
    turn: impl Fn(A) -> Result<B, ModelError>,
) -> Result<BTreeMap<K, B>, ModelError> {
    from.into_iter().map(|(key, value)| Ok((key, turn(value)?))).collect()
}
