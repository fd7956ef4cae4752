//! The figures by name.

use std::str::FromStr;

matrix_plan::named! {
    /// One of the figures that a store can become.
    pub enum Figure: name {
        /// Median window, antipode off and on, and the share of missed reads.
        ConsistencyWindow = "consistency_window",
        /// Artificial delay against the share of inconsistencies.
        DelayVsPerInconsistencies = "delay_vs_per_inconsistencies",
        /// Bytes kept and carried, antipode off and on.
        StorageOverhead = "storage_overhead",
        /// Share of inconsistencies of every pair of storages.
        Inconsistencies = "inconsistencies",
        /// Cumulative distributions of the window.
        VisibilityLatency = "visibility_latency",
    }
}

impl Figure {
    /// The heading above the figure.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ConsistencyWindow => "Consistency window",
            Self::DelayVsPerInconsistencies => "Inconsistencies against artificial delay",
            Self::StorageOverhead => "Storage overhead of antipode",
            Self::Inconsistencies => "Inconsistencies by pair of storages",
            Self::VisibilityLatency => "Visibility latency",
        }
    }

    /// What it shows, in one line.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::ConsistencyWindow => {
                "median window per post storage, antipode off and on, and the share of missed reads"
            }
            Self::DelayVsPerInconsistencies => {
                "share of inconsistencies against the artificial delay, one line per post storage"
            }
            Self::StorageOverhead => "logical bytes per object, antipode off and on, and the overhead",
            Self::Inconsistencies => {
                "share of inconsistencies per post storage and notification storage, antipode off and on"
            }
            Self::VisibilityLatency => {
                "cumulative distributions of the window, antipode off and on, all and consistent reads"
            }
        }
    }

    /// Whether the authors' numbers are drawn into it. The others are tables and bars, which stand beside the authors'.
    #[must_use]
    pub fn shows_authors(self) -> bool {
        matches!(self, Self::ConsistencyWindow | Self::DelayVsPerInconsistencies | Self::VisibilityLatency)
    }

    /// The cells that it is made from, for a message that says why it is missing.
    #[must_use]
    pub fn needs(self) -> &'static str {
        match self {
            Self::ConsistencyWindow => "done cells with delay_ms = 0 and antipode = false",
            Self::DelayVsPerInconsistencies => "done cells with antipode = false",
            Self::StorageOverhead => {
                "done cells with delay_ms = 0, both with antipode = false and with antipode = true, and the sizes of their objects"
            }
            Self::Inconsistencies => "done cells with delay_ms = 0",
            Self::VisibilityLatency => "done cells with delay_ms = 0",
        }
    }
}

/// A name that no figure goes by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown figure `{text}`{}", nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
pub struct UnknownFigure {
    /// What was written.
    pub text: String,
    /// The figure with the nearest spelling, if one is near.
    pub nearest: Option<Figure>,
}

impl FromStr for Figure {
    type Err = UnknownFigure;
    fn from_str(text: &str) -> Result<Self, UnknownFigure> {
        if let Some(figure) = Self::ALL.into_iter().find(|figure| figure.name() == text) {
            return Ok(figure);
        }
        let folded = text.to_ascii_lowercase().replace(['-', ' '], "_");
        // The metric favours a common beginning, which is how a long name is usually cut short.
        let nearest = Self::ALL
            .into_iter()
            .map(|figure| (figure, strsim::jaro_winkler(&folded, figure.name())))
            .filter(|(_, likeness)| *likeness > 0.75)
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|(figure, _)| figure);
        Err(UnknownFigure { text: text.to_owned(), nearest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for figure in Figure::ALL {
            assert_eq!(figure.name().parse(), Ok(figure));
        }
    }

    #[test]
    fn the_nearest_spelling_is_named() {
        for (text, nearest) in [
            ("consistency-window", Some(Figure::ConsistencyWindow)),
            ("delay", Some(Figure::DelayVsPerInconsistencies)),
            ("storage_overhed", Some(Figure::StorageOverhead)),
            ("Inconsistencies", Some(Figure::Inconsistencies)),
            ("visibilty_latency", Some(Figure::VisibilityLatency)),
            ("zzz", None),
        ] {
            assert_eq!(text.parse::<Figure>().unwrap_err().nearest, nearest, "{text}");
        }
        assert_eq!(
            "storage_overhed".parse::<Figure>().unwrap_err().to_string(),
            "unknown figure `storage_overhed`; did you mean `storage_overhead`?"
        );
        assert_eq!("zzz".parse::<Figure>().unwrap_err().to_string(), "unknown figure `zzz`");
    }
}
