//! Names of files in a bundle: safe on every file system.

use std::collections::BTreeMap;

use crate::error::Refusal;

/// Longest path, in bytes.
const MAX_LENGTH: usize = 255;

/// Reads a path: parts of ASCII letters, digits and `. _ - + @ =`, joined by `/`.
pub(crate) fn parse(bytes: &[u8]) -> Result<&str, Refusal> {
    let path = str::from_utf8(bytes).map_err(|_| Refusal::NotUtf8)?;
    if path.starts_with('/') {
        return Err(Refusal::AbsolutePath);
    }
    if path.len() > MAX_LENGTH {
        return Err(Refusal::LongName);
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

/// Checks that paths do not get into each other's way: none twice, none that differ only in case, none that is a file and
/// a folder. Returns the first that does, with why.
pub(crate) fn collisions<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<(), (&'a str, Refusal)> {
    // Every file and every folder above one, by its name in lower case; with how it is spelt, and whether it is a file.
    let mut seen: BTreeMap<String, (&str, bool)> = BTreeMap::new();
    for path in paths {
        let lower = path.to_ascii_lowercase();
        let folders = path.match_indices('/').map(|(end, _)| (end, false));
        for (end, is_file) in folders.chain([(path.len(), true)]) {
            let (name, key) = (&path[..end], &lower[..end]);
            let Some(&(other, other_is_file)) = seen.get(key) else {
                seen.insert(key.to_owned(), (name, is_file));
                continue;
            };
            let other_name = other.to_owned();
            if other != name {
                return Err((path, Refusal::CaseCollision { other: other_name }));
            }
            match (is_file, other_is_file) {
                (true, true) => return Err((path, Refusal::Duplicate)),
                (false, false) => {}
                _ => return Err((path, Refusal::FileAndFolder { other: other_name })),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
}
