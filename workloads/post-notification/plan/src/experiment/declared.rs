//! `[regions]`: regions beyond the built-in ones, by short name.

use toml::de::DeValue;

use crate::axes::Region;
use crate::problem::Problem;
use crate::regions::Regions;
use matrix_core::walk::{Table, text, wrong_type};

/// Reads the table: the built-in regions and those that it declares.
pub(crate) fn regions(root: &Table<'_>, problems: &mut Vec<Problem>) -> Regions {
    let mut regions = Regions::built_in();
    let Some(value) = root.get("regions") else { return regions };
    let DeValue::Table(entries) = value.get_ref() else {
        let problem = wrong_type("[regions]", "a table", value.get_ref(), value.span());
        problems.push(problem.help("the regions of a matrix belong into its [[matrix]]"));
        return regions;
    };
    for (key, value) in entries.iter() {
        let short: &str = key.get_ref();
        let Some(region) = Region::new(short) else {
            let problem = Problem::new(format!("`{short}` is no region's name")).at(key.span());
            problems.push(problem.label("expected lower-case letters, digits and hyphens"));
            continue;
        };
        let Some(aws) = text(value, "a region's name at AWS", problems) else { continue };
        if regions.aws_name(&region).is_some() {
            let problem = Problem::new(format!("region `{short}` is known already")).at(key.span());
            problems.push(problem.label("choose another short name"));
        } else if !is_aws_name(aws) {
            let problem = Problem::new(format!("`{aws}` is no region of AWS")).at(value.span());
            problems.push(problem.label("expected a name like `eu-west-1`"));
        } else if let Some(same) = regions.by_aws_name(aws) {
            let problem = Problem::new(format!("{aws} is called `{same}` already")).at(value.span());
            problems.push(problem.label(format!("use `{same}`")));
        } else {
            regions.declare(region, aws.to_owned());
        }
    }
    regions
}

/// Whether `name` has the form of AWS's region names: words of letters joined by hyphens, then a number.
fn is_aws_name(name: &str) -> bool {
    let words: Vec<&str> = name.split('-').collect();
    let letters = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    match words.split_last() {
        Some((number, words)) if words.len() >= 2 => {
            words.iter().all(letters) && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}
