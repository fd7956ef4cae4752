//! Whether the regions offer what a set-up asks for, before anything is made: versions of engines, and classes.

use matrix_aws::{Datastore, SetupRequest};
use matrix_driver::Cancel;
use matrix_plan::aws::AwsServices;
use serde::Deserialize;

use crate::aws::{Operator, ProvisionError};
use crate::cloud::ask;

/// What a region says of a version and a class.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Offer {
    /// They are on offer.
    Yes,
    /// They are not; these versions are.
    No(Vec<String>),
    /// The answer does not say.
    Unknown(String),
}

impl Operator {
    /// Asks every region whether it offers the versions and classes of the request. Gives a line for each question that was
    /// not answered.
    ///
    /// # Errors
    /// When a region answers that something is not on offer, or it was asked to stop.
    pub fn check_offers(&self, request: &SetupRequest, cancel: &Cancel) -> Result<Vec<String>, ProvisionError> {
        let places = std::iter::once(&request.writer).chain(&request.readers);
        let regions: Vec<&str> = places.filter_map(|region| request.regions.aws_name(region)).collect();
        let stores = [Datastore::Mysql, Datastore::Redis, Datastore::Amq];
        let stores: Vec<Datastore> = stores.into_iter().filter(|store| request.stores.contains(store)).collect();
        let questions: Vec<(Datastore, &str)> =
            stores.iter().flat_map(|store| regions.iter().map(|region| (*store, *region))).collect();
        self.block_on(cancel, async {
            let asked = questions.iter().map(|(store, region)| self.offer(*store, region, &request.services));
            let (mut refused, mut unknown) = (Vec::new(), Vec::new());
            for ((store, region), offer) in questions.iter().zip(futures_util::future::join_all(asked).await) {
                let what = wanted(*store, &request.services);
                match offer {
                    Offer::Yes => {}
                    Offer::No(versions) if versions.is_empty() => refused.push(format!("{what} in {region}")),
                    Offer::No(versions) => refused.push(format!("{what} in {region} (it has {})", versions.join(", "))),
                    Offer::Unknown(why) => {
                        unknown.push(format!("whether {region} offers {what} could not be asked: {why}"));
                    }
                }
            }
            if refused.is_empty() { Ok(unknown) } else { Err(ProvisionError::NotOffered(refused)) }
        })
    }

    async fn offer(&self, store: Datastore, region: &str, services: &AwsServices) -> Offer {
        let config = self.config(region);
        let AwsServices { mysql_version, mysql_class, redis_version, amq_version, amq_class, .. } = services;
        match store {
            Datastore::Mysql => {
                let engine = ("Engine", "aurora-mysql");
                let version = ("Version", "2014-10-31");
                let (action, class) =
                    (("Action", "DescribeOrderableDBInstanceOptions"), ("DBInstanceClass", mysql_class.as_str()));
                let exact = [action, engine, ("EngineVersion", mysql_version.as_str()), class, version];
                match ask(&config, ("rds", region), "/", &sorted(&exact)).await {
                    Ok(answer) if answer.contains("<OrderableDBInstanceOption>") => Offer::Yes,
                    Ok(answer) if answer.contains("DescribeOrderableDBInstanceOptionsResponse") => {
                        let all = [("Action", "DescribeOrderableDBInstanceOptions"), engine, class, version];
                        let answer = ask(&config, ("rds", region), "/", &sorted(&all)).await;
                        answer.map_or_else(Offer::Unknown, |answer| Offer::No(versions(&answer)))
                    }
                    Ok(_) => Offer::Unknown("the answer cannot be read".to_owned()),
                    Err(why) => Offer::Unknown(why),
                }
            }
            Datastore::Redis => {
                let query = [("Action", "DescribeCacheEngineVersions"), ("Engine", "redis"), ("Version", "2015-02-02")];
                let answer = ask(&config, ("elasticache", region), "/", &query).await;
                answer.map_or_else(Offer::Unknown, |answer| among(&versions(&answer), redis_version))
            }
            Datastore::Amq => {
                let query = [("engineType", "ACTIVEMQ"), ("hostInstanceType", amq_class.as_str())];
                let answer = ask(&config, ("mq", region), "/v1/broker-instance-options", &query).await;
                answer.map_or_else(Offer::Unknown, |answer| broker(&answer, amq_version))
            }
            Datastore::Dynamo | Datastore::S3 | Datastore::Sns => Offer::Yes,
        }
    }
}

/// Parameters in the order of their names, as they are signed.
fn sorted<'a>(parameters: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut parameters = parameters.to_vec();
    parameters.sort_unstable();
    parameters
}

fn wanted(store: Datastore, services: &AwsServices) -> String {
    match store {
        Datastore::Mysql => format!("Aurora MySQL {} on {}", services.mysql_version, services.mysql_class),
        Datastore::Redis => format!("Redis {}", services.redis_version),
        _ => format!("ActiveMQ {} on {}", services.amq_version, services.amq_class),
    }
}

/// The versions that an answer in XML names, each once.
fn versions(answer: &str) -> Vec<String> {
    let texts = answer.split("<EngineVersion>").skip(1).filter_map(|rest| rest.split_once("</EngineVersion>"));
    let word = |text: &&str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    let mut versions: Vec<String> = texts.map(|(text, _)| text.trim()).filter(word).map(str::to_owned).collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}

/// Whether a version, or one that it begins, is among those on offer.
fn among(versions: &[String], wanted: &str) -> Offer {
    let begins =
        |version: &String| version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if versions.is_empty() {
        Offer::Unknown("the answer names no version".to_owned())
    } else if versions.iter().any(begins) {
        Offer::Yes
    } else {
        Offer::No(versions.to_vec())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BrokerOptions {
    broker_instance_options: Vec<BrokerOption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BrokerOption {
    supported_deployment_modes: Vec<String>,
    supported_engine_versions: Vec<String>,
}

/// What an answer of Amazon MQ says of a version of a single broker.
fn broker(answer: &str, wanted: &str) -> Offer {
    let Ok(BrokerOptions { broker_instance_options: options }) = serde_json::from_str(answer) else {
        return Offer::Unknown("the answer cannot be read".to_owned());
    };
    let single = |option: &BrokerOption| option.supported_deployment_modes.iter().any(|mode| mode == "SINGLE_INSTANCE");
    let mut versions: Vec<String> =
        options.into_iter().filter(single).flat_map(|option| option.supported_engine_versions).collect();
    versions.sort_unstable();
    versions.dedup();
    // The class is what was asked for.
    if versions.is_empty() { Offer::No(versions) } else { among(&versions, wanted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Synthetic* answers, by the services' API references.
    #[test]
    fn synthetic_answers_are_read() {
        let redis = "<DescribeCacheEngineVersionsResponse><CacheEngineVersion><EngineVersion>6.2.6</EngineVersion>\
                     </CacheEngineVersion><CacheEngineVersion><EngineVersion>7.1.0</EngineVersion></CacheEngineVersion>\
                     </DescribeCacheEngineVersionsResponse>";
        let listed = versions(redis);
        assert_eq!(listed, ["6.2.6", "7.1.0"]);
        assert_eq!(among(&listed, "6.2"), Offer::Yes);
        assert_eq!(among(&listed, "7"), Offer::Yes);
        assert_eq!(among(&listed, "6.0"), Offer::No(listed.clone()));
        assert!(matches!(among(&versions("<html>"), "6.2"), Offer::Unknown(_)));
        assert_eq!(versions("<EngineVersion>\u{1b}[2J</EngineVersion>"), [""; 0]);
        let option = |versions: &str, mode: &str| {
            format!(
                r#"{{"brokerInstanceOptions":[{{"engineType":"ACTIVEMQ","supportedDeploymentModes":["{mode}"],"supportedEngineVersions":[{versions}]}}]}}"#
            )
        };
        assert_eq!(broker(&option(r#""5.18","5.19""#, "SINGLE_INSTANCE"), "5.18"), Offer::Yes);
        assert_eq!(broker(&option(r#""5.19""#, "SINGLE_INSTANCE"), "5.18"), Offer::No(vec!["5.19".into()]));
        assert_eq!(broker(&option(r#""5.18""#, "CLUSTER_MULTI_AZ"), "5.18"), Offer::No(vec![]));
        assert!(matches!(broker("not found", "5.18"), Offer::Unknown(_)));
    }
}
