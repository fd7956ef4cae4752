//! Names of files in a bundle: safe on every file system.

use crate::error::Refusal;

/// Longest path, in bytes.
const MAX_LENGTH: usize = 255;

/// Most parts of a path. The deepest of ours are files of the runner's own source, of about ten.
const MAX_PARTS: usize = 32;

/// Reads a path: parts of ASCII letters, digits and `. _ - + @ =`, joined by `/`.
pub fn parse(bytes: &[u8]) -> Result<&str, Refusal> {
    let path = str::from_utf8(bytes).map_err(|_| Refusal::NotUtf8)?;
    if is_plain(bytes) {
        return Ok(path);
    }
    if path.starts_with('/') {
        return Err(Refusal::AbsolutePath);
    }
    if path.len() > MAX_LENGTH {
        return Err(Refusal::LongName);
    }
    if path.split('/').count() > MAX_PARTS {
        return Err(Refusal::DeepName);
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(Refusal::DotPath);
    }
    let good = |b: u8| b.is_ascii_alphanumeric() || b"._-+@=/".contains(&b);
    // A name that ends in a dot loses it on some file systems; one that begins with a hyphen looks like an option.
    if !path.bytes().all(good) || path.split('/').any(|part| part.ends_with('.') || part.starts_with('-')) {
        return Err(Refusal::BadName);
    }
    Ok(path)
}

/// Whether a path is one that nothing can be wrong with, as nearly all are: found in one pass.
fn is_plain(path: &[u8]) -> bool {
    let (mut before, mut parts) = (b'/', 1);
    for &byte in path {
        let good = match byte {
            b'/' => !matches!(before, b'/' | b'.'),
            b'-' | b'.' => before != b'/',
            _ => byte.is_ascii_alphanumeric() || b"_+@=".contains(&byte),
        };
        if !good {
            return false;
        }
        parts += usize::from(byte == b'/');
        before = byte;
    }
    path.len() <= MAX_LENGTH && parts <= MAX_PARTS && !matches!(before, b'/' | b'.')
}

/// Checks that paths do not get into each other's way: none twice, none that differ only in case, none that is a file and
/// a folder. Returns the first that does, with why.
///
/// Sorted part by part, whatever collides stands side by side: so this needs a few bytes for each path, however many
/// folders it has.
pub fn collisions<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<(), (&'a str, Refusal)> {
    let mut sorted: Vec<(usize, &str)> = paths.into_iter().enumerate().collect();
    sorted.sort_by(|(n, one), (m, other)| folded(one).cmp(folded(other)).then(n.cmp(m)));
    let beside = |pair: &[(usize, &'a str)]| match *pair {
        [one, other] => {
            let ((_, first), (last, second)) = if one.0 < other.0 { (one, other) } else { (other, one) };
            Some((last, second, collision(first, second)?))
        }
        _ => None,
    };
    match sorted.windows(2).filter_map(beside).min_by_key(|(place, ..)| *place) {
        Some((_, path, why)) => Err((path, why)),
        None => Ok(()),
    }
}

/// A path in lower case, byte by byte; what ends a part is less than everything in one.
fn folded(path: &str) -> impl Iterator<Item = u8> {
    path.bytes().map(|byte| if byte == b'/' { 0 } else { byte.to_ascii_lowercase() })
}

/// How a path collides with another one that came before.
fn collision(before: &str, path: &str) -> Option<Refusal> {
    let (mut ours, mut theirs) = (path.split('/'), before.split('/'));
    let mut end = 0;
    loop {
        let (our, their) = match (ours.next(), theirs.next()) {
            (Some(our), Some(their)) => (our, their),
            (None, None) => return Some(Refusal::Duplicate),
            // One of them is a folder of the other.
            _ => return Some(Refusal::FileAndFolder { other: path[..end].to_owned() }),
        };
        if !our.eq_ignore_ascii_case(their) {
            return None;
        }
        end += usize::from(end > 0) + our.len();
        if our != their {
            return Some(Refusal::CaseCollision { other: before[..end].to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_stays_where_it_belongs() {
        for (bad, why) in [
            (&b"/etc/passwd"[..], Refusal::AbsolutePath),
            (b"a/../b", Refusal::DotPath),
            (b"..", Refusal::DotPath),
            (b"a//b", Refusal::DotPath),
            (b"a/", Refusal::DotPath),
            (b"", Refusal::DotPath),
            (b"./a", Refusal::DotPath),
            (b"a\\b", Refusal::BadName),
            (b"C:x", Refusal::BadName),
            (b"a\0b", Refusal::BadName),
            (b"a\n", Refusal::BadName),
            (b"-rf", Refusal::BadName),
            (b"a./b", Refusal::BadName),
            ("é".as_bytes(), Refusal::BadName),
            (b"\xff", Refusal::NotUtf8),
            (&[b'a'; 256], Refusal::LongName),
            ("a/".repeat(32).as_bytes(), Refusal::DeepName),
        ] {
            assert_eq!(parse(bad), Err(why), "{bad:?}");
        }
        for good in ["data/objects/0.csv", ".cargo/config.toml", "a_b-c+d@e=f"] {
            assert_eq!(parse(good.as_bytes()), Ok(good));
        }
    }

    #[test]
    fn names_that_collide_are_found() {
        assert_eq!(collisions(["a/b", "a/c", "d"]), Ok(()));
        assert_eq!(collisions(["a", "b", "a"]), Err(("a", Refusal::Duplicate)));
        assert_eq!(collisions(["a/b", "A/c"]), Err(("A/c", Refusal::CaseCollision { other: "a".to_owned() })));
        assert_eq!(collisions(["a", "a/b"]), Err(("a/b", Refusal::FileAndFolder { other: "a".to_owned() })));
        assert_eq!(collisions(["a/b", "a"]), Err(("a", Refusal::FileAndFolder { other: "a".to_owned() })));
    }

    #[test]
    fn a_path_of_many_folders_is_refused_before_it_costs_anything() {
        let deep = |parts: usize| "a/".repeat(parts - 1) + "b";
        assert_eq!(parse(deep(MAX_PARTS).as_bytes()), Ok(deep(MAX_PARTS).as_str()));
        assert_eq!(parse(deep(MAX_PARTS + 1).as_bytes()), Err(Refusal::DeepName));
    }

    /// Every name and every folder above one, one after the other: simple, and as large as all of them.
    fn first_that_collides(paths: &[String]) -> Option<&str> {
        let mut seen: BTreeMap<String, (&str, bool)> = BTreeMap::new();
        for path in paths {
            let folders = path.match_indices('/').map(|(end, _)| (end, false));
            for (end, is_file) in folders.chain([(path.len(), true)]) {
                let name = &path[..end];
                let (other, other_is_file) = *seen.entry(name.to_lowercase()).or_insert((name, false));
                let again = !std::ptr::eq(other, name);
                if other != name || again && (is_file || other_is_file) {
                    return Some(path);
                }
                seen.insert(name.to_lowercase(), (name, is_file));
            }
        }
        None
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_same_collide_as_name_by_name(paths in prop::collection::vec("[abA-](/[abA.+]{1,2}){0,3}", 0..12)) {
            let found = collisions(paths.iter().map(String::as_str)).err().map(|(path, _)| path);
            prop_assert_eq!(found.is_some(), first_that_collides(&paths).is_some());
        }
    }
}
