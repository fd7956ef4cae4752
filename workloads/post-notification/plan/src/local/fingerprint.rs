//! What the `local` testbed adds to a cell's meaning.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{BadLocal, Lag, Link, Local};
use crate::axes::{NotificationStorage, Platform, PostStorage};
use crate::cell::{CellInputs, Fingerprint};
use crate::point::Combination;

/// What the testbed adds to a cell's meaning: the servers that it uses, the link, and the lags that are configured.
#[derive(Serialize)]
struct Meaning<'a> {
    link: Link,
    notification: Storage<'a>,
    post: Storage<'a>,
    /// What runs the functions.
    functions: Server<'a>,
}

#[derive(Serialize)]
struct Server<'a> {
    kind: &'static str,
    major: &'a str,
}

#[derive(Serialize)]
struct Storage<'a> {
    server: Server<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configured_lag: Option<Lag>,
}

impl Local {
    /// What the testbed adds to a cell's meaning.
    ///
    /// # Errors
    /// When the testbed has no such link.
    pub fn fingerprint(&self, combination: &Combination) -> Result<Fingerprint, BadLocal> {
        let emulated =
            |lag| Storage { server: Server { kind: "ministack", major: &self.servers.ministack }, configured_lag: lag };
        let native = |kind, major| Storage { server: Server { kind, major }, configured_lag: None };
        let meaning = Meaning {
            link: self.config.link(&combination.regions)?,
            post: match combination.post_storage {
                PostStorage::Mysql => native("mariadb", &self.servers.mariadb),
                PostStorage::Redis => native("redis", &self.servers.redis),
                PostStorage::Dynamo => emulated(Some(self.config.lag.dynamo)),
                PostStorage::S3 => emulated(Some(self.config.lag.s3)),
            },
            notification: match combination.notification_storage {
                NotificationStorage::Sns => emulated(None),
                NotificationStorage::Amq => native("activemq", &self.servers.activemq),
                NotificationStorage::Dynamo => emulated(Some(self.config.lag.dynamo)),
            },
            functions: Server { kind: "ministack", major: &self.servers.ministack },
        };
        Fingerprint::new(&meaning).map_err(|error| BadLocal(error.to_string()))
    }
}

/// Whose replication lag was configured for a cell, not native to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredLag {
    /// The post storage's.
    pub post: bool,
    /// The notification storage's.
    pub notification: bool,
}

impl ConfiguredLag {
    /// The lags that were configured, from a cell's fingerprint.
    #[must_use]
    pub fn of(inputs: &CellInputs) -> Self {
        if inputs.platform == Platform::Local {
            Self::in_fingerprint(inputs.fingerprint.as_str())
        } else {
            Self::default()
        }
    }

    /// What a fingerprint of this platform tells, whatever form the lag and all the rest have: those of other versions may
    /// differ in them. That of an imported cell has no storages.
    fn in_fingerprint(text: &str) -> Self {
        #[derive(Default, Deserialize)]
        struct Storages {
            notification: Option<Ends>,
            post: Option<Ends>,
        }
        #[derive(Deserialize)]
        struct Ends {
            configured_lag: Option<IgnoredAny>,
        }
        let Storages { notification, post } = serde_json::from_str(text).unwrap_or_default();
        let is_configured = |storage: Option<Ends>| storage.is_some_and(|storage| storage.configured_lag.is_some());
        Self { post: is_configured(post), notification: is_configured(notification) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_holds_what_the_cell_uses_and_nothing_else() {
        let fingerprint = |local: &Local, post, notification, regions: &str| {
            let combination = Combination::new(post, notification, regions.parse().unwrap());
            local.fingerprint(&combination).unwrap()
        };
        let changed = |change: fn(&mut Local), post, notification, regions| {
            let mut local = Local::default();
            change(&mut local);
            fingerprint(&local, post, notification, regions)
                != fingerprint(&Local::default(), post, notification, regions)
        };
        use NotificationStorage as N;
        use PostStorage as P;
        let lag: fn(&mut Local) = |local| local.config.lag.dynamo.mean_ms = 1.0;
        assert!(changed(lag, P::Dynamo, N::Sns, "eu->us") && changed(lag, P::Redis, N::Dynamo, "eu->us"));
        assert!(!changed(lag, P::Redis, N::Amq, "eu->us"));
        let s3: fn(&mut Local) = |local| local.config.lag.s3.cv = 0.0;
        assert!(changed(s3, P::S3, N::Sns, "eu->us") && !changed(s3, P::Dynamo, N::Dynamo, "eu->us"));
        let link: fn(&mut Local) = |local| {
            local.config.links.insert("eu->us".parse().unwrap(), Link { delay_ms: 1.0, jitter_ms: 0.0 });
        };
        assert!(changed(link, P::Mysql, N::Sns, "eu->us") && !changed(link, P::Mysql, N::Sns, "eu->sg"));
        let server: fn(&mut Local) = |local| local.servers.redis = "8".into();
        assert!(changed(server, P::Redis, N::Sns, "eu->us") && !changed(server, P::Mysql, N::Sns, "eu->us"));
    }

    #[test]
    fn a_cell_tells_whose_lag_was_configured() {
        for (platform, local) in [("local", true), ("sim", false)] {
            let text = format!(
                r#"
                schema = 1
                name = "all"
                platform = "{platform}"
                requests = 1
                [[matrix]]
                name = "all"
                post_storage = ["mysql", "dynamo", "s3", "redis"]
                notification_storage = ["sns", "amq", "dynamo"]
                regions = ["eu->us"]
                delay_ms = [0]
                antipode = [false]
                "#
            );
            let experiment = crate::Experiment::parse(&text).unwrap();
            let cells = experiment.cells();
            assert_eq!(cells.len(), 12);
            for spec in cells {
                let Combination { post_storage, notification_storage, .. } = spec.axes.combination;
                let fingerprint = experiment.local.fingerprint(&spec.axes.combination).unwrap();
                let inputs = spec.with_fingerprint(fingerprint, 1).unwrap().inputs;
                let post = local && matches!(post_storage, PostStorage::Dynamo | PostStorage::S3);
                let notification = local && notification_storage == NotificationStorage::Dynamo;
                assert_eq!(ConfiguredLag::of(&inputs), ConfiguredLag { post, notification }, "{}", inputs.axes);
            }
        }
    }

    #[test]
    fn a_lag_of_any_form_is_configured() {
        for (text, post, notification) in [
            (
                r#"{"post":{"configured_lag":{"cv":0.35,"max_ms":2500,"mean_ms":900}},"notification":{"server":{}}}"#,
                true,
                false,
            ),
            (
                r#"{"post":{"configured_lag":{"law":"gamma"}},"notification":{"configured_lag":"1 s"},"new":1}"#,
                true,
                true,
            ),
            (r#"{"post":{"configured_lag":null,"server":{}},"notification":{}}"#, false, false),
            (r#"{"imported":{}}"#, false, false),
        ] {
            assert_eq!(ConfiguredLag::in_fingerprint(text), ConfiguredLag { post, notification }, "{text}");
        }
    }
}
