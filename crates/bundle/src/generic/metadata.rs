//! `ro-crate-metadata.json` of a bundle of format 3.

use std::collections::BTreeSet;

use serde_json::json;

use crate::bag::PAYLOAD;

/// The name of who measured, in a crate.
const AUTHOR: &str = "#author";

/// The payload as an RO-Crate 1.1 says what it is: the names of its experiments, the day of its last attempt, its files but for this
/// one, by path in the bag and with their bytes, and who measured, if it is to say so.
pub(super) fn metadata<'f>(
    experiments: &BTreeSet<String>,
    date: &str,
    files: impl Iterator<Item = (&'f str, u64)>,
    identify: Option<&str>,
) -> Vec<u8> {
    let names: Vec<&str> = experiments.iter().map(String::as_str).collect();
    let files: Vec<(&str, u64)> = files.filter_map(|(path, size)| Some((path.strip_prefix(PAYLOAD)?, size))).collect();
    let mut graph = vec![
        json!({
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": { "@id": "./" },
            "conformsTo": { "@id": "https://w3id.org/ro/crate/1.1" },
        }),
        json!({
            "@id": "./",
            "@type": "Dataset",
            "name": format!("Results of {}", names.join(", ")),
            "description": "Results of an experiment that ran a program over a matrix of values: its rows, what it left, and what follows from them.",
            "datePublished": date,
            "license": { "@id": "LICENSE" },
            "hasPart": files.iter().map(|(path, _)| json!({ "@id": path })).collect::<Vec<_>>(),
        }),
    ];
    if let (Some(name), Some(root)) = (identify, graph.get_mut(1)) {
        root["author"] = json!({ "@id": AUTHOR });
        graph.push(json!({ "@id": AUTHOR, "@type": "Person", "name": name }));
    }
    for (path, size) in files {
        let format = match path.rsplit('.').next() {
            Some("csv") => "text/csv",
            Some("json") => "application/json",
            Some("svg") => "image/svg+xml",
            Some("md") => "text/markdown",
            Some("toml") => "application/toml",
            Some("html") => "text/html",
            _ => "application/octet-stream",
        };
        graph.push(json!({
            "@id": path, "@type": "File", "name": path, "contentSize": size.to_string(), "encodingFormat": format,
        }));
    }
    let crate_ = json!({ "@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph });
    let mut text = crate_.to_string().into_bytes();
    text.push(b'\n');
    text
}

/// Who measured, as a crate says; it follows from nothing else.
pub(super) fn identified(metadata: &serde_json::Value) -> Option<&str> {
    let graph = metadata.get("@graph")?.as_array()?;
    let author = graph.iter().find(|entity| entity.get("@id").is_some_and(|id| id == AUTHOR))?;
    author.get("name")?.as_str()
}
