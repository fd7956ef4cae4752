//! Experiments on real services.

use crate::workbench::SMALL;

/// An experiment on real services, of small posts and lags: a matrix for each name, post storages and notification storage.
pub(crate) fn on_services(name: &str, platform: &str, matrices: &[(&str, &str, &str)]) -> String {
    let head = r#"
schema = 1
name = "NAME"
platform = "PLATFORM"
requests = 12
payload = 20000
concurrency = 4

[barrier]
deadline_ms = 30000

[local.links]
"eu->us" = { delay_ms = 30 }

[local.lag]
dynamo = { mean_ms = 300, cv = 0, max_ms = 300 }
"#;
    let matrix = |(name, post, notification): &(&str, &str, &str)| {
        format!(
            "\n[[matrix]]\nname = \"{name}\"\npost_storage = {post}\nnotification_storage = [\"{notification}\"]\n\
             regions = [\"eu->us\"]\ndelay_ms = [0]\nantipode = [false, true]\n"
        )
    };
    let matrices: String = matrices.iter().map(matrix).collect();
    // The claim is the small experiment's.
    let (_, claim) = SMALL.split_once("\n[[claim]]").unwrap();
    head.replace("NAME", name).replace("PLATFORM", platform) + &matrices + "\n[[claim]]" + claim
}
