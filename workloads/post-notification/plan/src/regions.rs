//! The regions that an experiment may name.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::axes::{BadRegionPair, Region, RegionPair};
use crate::problem::Problem;

/// Short names of regions and their names at AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions(BTreeMap<Region, String>);

impl Default for Regions {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Regions {
    /// The regions that need no declaration: `eu`, `us` and `sg`.
    #[must_use]
    pub fn built_in() -> Self {
        let known = Region::BUILT_IN.iter();
        Self(known.filter_map(|(short, aws)| Some((Region::new(short)?, (*aws).to_owned()))).collect())
    }

    /// The region's name at AWS, if it is known.
    #[must_use]
    pub fn aws_name(&self, region: &Region) -> Option<&str> {
        self.0.get(region).map(String::as_str)
    }

    /// The region of the given name at AWS, if it is known.
    #[must_use]
    pub fn by_aws_name(&self, aws: &str) -> Option<&Region> {
        self.0.iter().find(|(_, name)| *name == aws).map(|(region, _)| region)
    }

    /// Every region with its name at AWS, in order of the short names.
    pub fn iter(&self) -> impl Iterator<Item = (&Region, &str)> {
        self.0.iter().map(|(region, aws)| (region, aws.as_str()))
    }

    pub(crate) fn declare(&mut self, region: Region, aws: String) {
        self.0.insert(region, aws);
    }

    /// The pair that `text` writes, of regions that are known.
    ///
    /// # Errors
    /// When the text is no pair, a region is unknown, or both sides are the same. The problem has no place yet.
    pub fn pair(&self, text: &str) -> Result<RegionPair, Problem> {
        if let Some((writer, reader)) = text.split_once("->")
            && !writer.trim().is_empty()
            && !reader.trim().is_empty()
        {
            let mut near = (writer.trim(), reader.trim());
            let known: Vec<&str> = self.0.keys().map(Region::as_str).chain(["ap"]).collect();
            let mut unknown = Vec::new();
            for side in [&mut near.0, &mut near.1] {
                if !known.contains(side) {
                    unknown.push(format!("`{side}`"));
                    *side = matrix_core::nearest(side, &known).unwrap_or_default();
                }
            }
            if !unknown.is_empty() && !reader.contains("->") {
                let label = match near {
                    ("", _) | (_, "") => "unknown".to_owned(),
                    (writer, reader) if writer == reader => "unknown".to_owned(),
                    (writer, reader) => format!("did you mean `{writer}->{reader}`?"),
                };
                let plural = if unknown.len() > 1 { "regions" } else { "region" };
                return Err(Problem::new(format!("unknown {plural} {}", unknown.join(" and ")))
                    .label(label)
                    .help(format!("regions: {}; more can be declared in [regions]", known.join(", "))));
            }
            if Region::new(near.0).is_some() && Region::new(near.0) == Region::new(near.1) {
                return Err(Problem::new(format!("impossible region pair `{text}`"))
                    .label("writer and reader are in the same region")
                    .help("nothing is replicated within a region: name two different ones, as in `eu->us`"));
            }
        }
        RegionPair::from_str(text).map_err(|error| {
            let problem = Problem::new(format!("`{text}` is no region pair"));
            if error.was_cut_by_the_shell() {
                return problem.label("the pair ends here").help(BadRegionPair::QUOTE);
            }
            problem.label("expected two regions").help("write the writer's region, then the reader's, as in `eu->us`")
        })
    }
}
