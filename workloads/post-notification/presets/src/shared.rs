//! What all presets share: notes on their numbers, and colours, markers and names of storages and region pairs.

use matrix_analysis::Nature;
use matrix_analysis::tables::{Basis, Estimate, Source};
use matrix_figures::draw::Page;
use matrix_figures::draw::format::{count, percent_range, thousands};
use matrix_figures::draw::palette::{self, Look, Marker, arrow};
use matrix_plan::{NotificationStorage, PostStorage, RegionPair};
use plotters::style::RGBColor;

use crate::Figure;

/// The original: antipode off.
pub(crate) const ORIGINAL: RGBColor = palette::BLUE;
/// The same hue, dark enough to be seen on it.
pub(crate) const ORIGINAL_INK: RGBColor = palette::DEEP_BLUE;
/// Antipode on.
pub(crate) const ANTIPODE: RGBColor = palette::ORANGE;
/// Text that belongs to antipode.
pub(crate) const ANTIPODE_INK: RGBColor = palette::BROWN;

/// A page for the figure; the subtitle names what is shown, of which cells.
pub(crate) fn page(figure: Figure, source: &Source, subtitle: &str) -> Page {
    let mut notes = Vec::new();
    if source.incomplete() > 0 {
        let planned = count(source.planned, "cell", "cells");
        notes.push(format!("{} of {planned} incomplete", thousands(source.incomplete() as f64)));
    }
    let posts = source.nature.configured_lag.iter().map(|storage| post_name(*storage).to_owned());
    let notifications = source.nature.configured_notification_lag.iter();
    let notifications = notifications.map(|storage| format!("{} notifications", notification_name(*storage)));
    let configured: Vec<_> = posts.chain(notifications).collect();
    if !configured.is_empty() {
        notes.push(format!("configured lag: {}", configured.join(", ")));
    }
    let extrapolated = source.nature.extrapolated_by_pair().into_keys().map(|pair| {
        let posts = source.nature.extrapolated.iter().filter(|(of, _)| of == pair);
        let posts = posts.map(|(_, storage)| post_name(*storage).to_owned());
        let notifications = source.nature.extrapolated_notifications.iter().filter(|(of, _)| of == pair);
        let notifications = notifications.map(|(_, storage)| format!("{} notifications", notification_name(*storage)));
        let storages: Vec<_> = posts.chain(notifications).collect();
        format!("{} ({})", pair_name(pair), storages.join(", "))
    });
    let extrapolated: Vec<_> = extrapolated.collect();
    if !extrapolated.is_empty() {
        notes.push(format!("* extrapolated, as the model has no data: {}", extrapolated.join(", ")));
    }
    if source.nature.disturbed > 0 {
        notes.push(format!("disturbed by other work: {}", count(source.nature.disturbed, "cell", "cells")));
    }
    let mut page = Page::titled(figure.title(), &source.experiment, subtitle);
    if source.nature.simulated {
        page.simulated();
    }
    notes.into_iter().for_each(|note| page.note(note));
    page
}

/// How a post storage looks in every figure.
pub(crate) fn look(storage: PostStorage) -> Look {
    match storage {
        PostStorage::Mysql => Look { color: ORIGINAL, marker: Marker::Circle, dashes: &[] },
        PostStorage::Dynamo => Look { color: ANTIPODE, marker: Marker::Square, dashes: &[6.0, 2.0] },
        PostStorage::S3 => Look { color: RGBColor(0x00, 0x9e, 0x73), marker: Marker::Triangle, dashes: &[2.5, 1.5] },
        PostStorage::Redis => {
            Look { color: RGBColor(0xcc, 0x79, 0xa7), marker: Marker::Diamond, dashes: &[7.0, 1.8, 1.5, 1.8] }
        }
    }
}

/// The name of a post storage as readers know it.
pub(crate) fn post_name(storage: PostStorage) -> &'static str {
    match storage {
        PostStorage::Mysql => "MySQL",
        PostStorage::Dynamo => "DynamoDB",
        PostStorage::S3 => "S3",
        PostStorage::Redis => "Redis",
    }
}

/// The name of a notification storage as readers know it.
pub(crate) fn notification_name(storage: NotificationStorage) -> &'static str {
    match storage {
        NotificationStorage::Sns => "SNS",
        NotificationStorage::Amq => "AMQ",
        NotificationStorage::Dynamo => "DynamoDB",
    }
}

/// A region pair as it is written in figures.
pub(crate) fn pair_name(pair: &RegionPair) -> String {
    arrow(pair.writer.as_str(), pair.reader.as_str())
}

/// What stands behind a region pair in a heading: the notification storage, and a star where a number may be
/// extrapolated.
pub(crate) fn notified_by(pair: &RegionPair, notification: NotificationStorage, nature: &Nature) -> String {
    let extrapolated = nature.extrapolated.iter().any(|(of, _)| of == pair)
        || nature.extrapolated_notifications.contains(&(pair.clone(), notification));
    format!(", {}{}", notification_name(notification), star(extrapolated))
}

/// The mark of what is extrapolated.
pub(crate) fn star(extrapolated: bool) -> &'static str {
    if extrapolated { " *" } else { "" }
}

/// The writer's region and the reader's.
pub(crate) fn ends(pair: &RegionPair) -> (&str, &str) {
    (pair.writer.as_str(), pair.reader.as_str())
}

/// The interval of a share, as percentages; where there is none, the rounds that do not make one.
pub(crate) fn share_range(share: Estimate, basis: Basis) -> String {
    basis.lack().unwrap_or_else(|| percent_range(share.low, share.high))
}

/// Each value once, in the order of first appearance.
pub(crate) fn first_seen<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}
