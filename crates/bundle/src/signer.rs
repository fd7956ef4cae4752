//! Who is expected to have signed: public keys, or a file like OpenSSH's `allowed_signers`.

use ssh_key::PublicKey;
use ssh_key::public::KeyData;

use crate::error::BundleError;
use crate::signature_error::{KeyError, LineError, SIGNATURE_NAMESPACE};

/// Who is expected to have signed.
#[derive(Clone, Debug)]
pub struct Signer {
    keys: Vec<PublicKey>,
}

impl Signer {
    /// Reads public keys: lines like `ssh-ed25519 AAAA… comment`, or those of an `allowed_signers` file, whose first word
    /// names who it is, and whose second may be `namespaces="…"`. `ssh-keygen` knows more of these files than this: lines
    /// with other options are refused.
    ///
    /// # Errors
    /// When a line is neither, or no key may sign bundles.
    pub fn parse(text: &str) -> Result<Self, BundleError> {
        let mut keys = Vec::new();
        let (mut lines, mut others) = (0, 0);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            lines += 1;
            let bad = |what| KeyError::Line { line: shortened(line), what };
            let (key, options) = key_and_options(line);
            if !options.map_or(Ok(true), allows_bundles).map_err(bad)? {
                others += 1;
                continue;
            }
            keys.push(PublicKey::from_openssh(key).map_err(|error| bad(LineError::NoKey(error)))?);
        }
        match (keys.is_empty(), others) {
            (false, _) => Ok(Self { keys }),
            (true, 0) => Err(KeyError::NoSigner.into()),
            (true, _) => Err(KeyError::NoSignerOfBundles { lines }.into()),
        }
    }

    /// Whether this is one of the keys.
    pub(crate) fn has(&self, key: &KeyData) -> bool {
        self.keys.iter().any(|ours| ours.key_data() == key)
    }
}

/// The beginning of a line, for people.
fn shortened(line: &str) -> String {
    let start: String = line.chars().take(60).collect();
    if start.len() < line.len() { start + "…" } else { start }
}

/// Whether a word is the type of a key.
fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"].iter().any(|start| word.starts_with(start))
}

/// The key of a line, and the options that stand before it.
fn key_and_options(line: &str) -> (&str, Option<&str>) {
    if is_key_type(first_word(line)) {
        return (line, None);
    }
    let rest = line[first_word(line).len()..].trim_start();
    let options = first_word(rest);
    if options.is_empty() || is_key_type(options) {
        (rest, None)
    } else {
        (rest[options.len()..].trim_start(), Some(options))
    }
}

/// The text up to the first blank that is not within quotes.
fn first_word(text: &str) -> &str {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    &text[..end.unwrap_or(text.len())]
}

/// Whether options let a key sign bundles; the first one that is not known here.
fn allows_bundles(options: &str) -> Result<bool, LineError> {
    let (name, value) = options.split_once('=').ok_or(LineError::UnknownOption)?;
    let list = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    if !name.eq_ignore_ascii_case("namespaces") || list.contains('"') {
        return Err(LineError::UnknownOption);
    }
    let mut allowed = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern.as_bytes(), SIGNATURE_NAMESPACE.as_bytes()) => return Ok(false),
            Some(_) => {}
            None => allowed |= matches(pattern.as_bytes(), SIGNATURE_NAMESPACE.as_bytes()),
        }
    }
    Ok(allowed)
}

/// Whether a pattern with `*` and `?` is that of a name.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // Where the last star stands in the pattern, and where what it stands for ends in the name.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == b'?' || Some(c) == name.get(n)) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((at, end)) = star {
            star = Some((at, end + 1));
            (p, n) = (at + 1, end + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK8jmhYXTvDihflUTgiwfcef8dj2lbn0ovh3hKLYKCRB";

    #[test]
    fn lines_of_allowed_signers_are_read() {
        for line in [
            KEY.to_owned(),
            format!("{KEY} a comment"),
            format!("who@example.org {KEY}"),
            format!("\"one who\",other\t{KEY}"),
            format!("who namespaces=\"matrix-bundle\" {KEY} comment"),
            format!("who namespaces=\"file,matrix-*\" {KEY}"),
            format!("who NAMESPACES=matrix-bundle {KEY}"),
            format!("who namespaces=\"git, x\" {KEY}\n{KEY}"),
        ] {
            assert!(Signer::parse(&line).is_ok(), "{line}");
        }
        for (line, what) in [
            ("", "signers: there is no public key"),
            ("# nobody\n\n", "signers: there is no public key"),
            (&format!("who namespaces=\"git\" {KEY}"), "none of 1 is for the namespace `matrix-bundle`"),
            (&format!("who namespaces=\"*,!matrix-bundle\" {KEY}"), "none of 1 is for the namespace"),
            (&format!("who cert-authority {KEY}"), "knows the option namespaces"),
            (
                &format!("who namespaces=\"matrix-bundle\",valid-before=\"20200101\" {KEY}"),
                "knows the option namespaces",
            ),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb", "`-----BEGIN OPENSSH PRIVATE KEY-----`: "),
            ("who ssh-ed25519 AAAA", "it is no public key"),
            ("é", "it is no public key"),
        ] {
            let error = Signer::parse(line).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Input, "{line}");
            assert!(error.to_string().contains(what), "{line}: {error}");
        }
    }

    #[test]
    fn patterns_match_as_in_openssh() {
        for (pattern, name, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("*", "", true),
            ("*", "abc", true),
            ("a*c", "abbc", true),
            ("a*c*", "abcbc", true),
            ("a*c", "abcb", false),
            ("a?c", "abc", true),
            ("a?", "a", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
