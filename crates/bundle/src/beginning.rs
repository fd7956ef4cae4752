//! The beginning of an untrusted bundle: the bag's own files, before the payload.

use std::collections::BTreeMap;
use std::io::Read;

use matrix_store::Digest;

use crate::bag::{
    BAG_INFO, BAGIT, DECLARATION, FORMAT_FIELD, FORMATS, MANIFEST, PAYLOAD, TAG_FILES, TAG_MANIFEST, folder_of,
    parse_info, parse_manifest, tag_manifest,
};
use crate::error::{BundleError, Refusal};
use crate::limits::Limits;
use crate::tar::TarReader;

/// The format that `bag-info.txt` names. Whether it is a bundle at all shows when it is read.
///
/// # Errors
/// When its first files cannot be read, or are not what a bundle has.
pub(crate) fn format_of(input: impl Read + Send + 'static, limits: Limits) -> Result<Option<String>, BundleError> {
    let mut tar = TarReader::new(input, limits.max_bytes);
    let (_, tags) = read_tags(&mut tar, &[BAGIT, BAG_INFO], limits)?;
    let info = parse_info(tags.get(BAG_INFO).map(Vec::as_slice).unwrap_or_default());
    let place = Some(BAG_INFO.to_owned());
    let mut info = info.map_err(|why| BundleError::Refused { place, offset: tar.offset(), why })?;
    Ok(info.remove(FORMAT_FIELD))
}

/// The bag's folder, and files of its own, by name.
pub(crate) type Tags = (String, BTreeMap<&'static str, Vec<u8>>);

/// Reads files of the bag's own, which have to come next.
pub(crate) fn read_tags(tar: &mut TarReader, names: &[&'static str], limits: Limits) -> Result<Tags, BundleError> {
    let (mut folder, mut tags) = (String::new(), BTreeMap::new());
    for name in names.iter().copied() {
        let refuse = |tar: &TarReader, place: &str, why| {
            Err(BundleError::Refused { place: Some(place.to_owned()), offset: tar.offset(), why })
        };
        let Some((path, size)) = tar.next()? else { return refuse(tar, name, Refusal::Missing) };
        if name == BAGIT {
            folder = match folder_of(&path) {
                Ok(folder) => folder,
                Err(why) => return refuse(tar, &path, why),
            };
        }
        if path != format!("{folder}/{name}") {
            return refuse(tar, &path, Refusal::OutOfOrder { expected: format!("{folder}/{name}") });
        }
        let most = if name == MANIFEST { limits.max_file_bytes } else { 64 << 10 };
        if size > most {
            return refuse(tar, name, Refusal::FileTooLarge { bytes: size, max: most });
        }
        let mut bytes = Vec::new();
        loop {
            let chunk = tar.take_chunk()?;
            if chunk.is_empty() {
                break;
            }
            bytes.extend_from_slice(&chunk);
        }
        tags.insert(name, bytes);
    }
    Ok((folder, tags))
}

pub(crate) type Checked = (BTreeMap<String, String>, Vec<(String, Digest)>);

/// Checks the bag's own files against each other.
pub(crate) fn check_tags(
    tags: &BTreeMap<&'static str, Vec<u8>>,
    limits: Limits,
) -> Result<Checked, (&'static str, Refusal)> {
    let bytes = |name: &str| tags.get(name).map(Vec::as_slice).unwrap_or_default();
    if bytes(BAGIT) != DECLARATION.as_bytes() {
        return Err((BAGIT, Refusal::Contents("it is not the declaration of a bag".to_owned())));
    }
    let others = tags.iter().filter(|(name, _)| **name != TAG_MANIFEST);
    let expected = tag_manifest(others.map(|(name, bytes)| (*name, Digest::of(bytes))));
    if bytes(TAG_MANIFEST) != expected.as_bytes() {
        let said = parse_manifest(bytes(TAG_MANIFEST), TAG_FILES.len() as u64).unwrap_or_default();
        for (name, expected) in &said {
            let found = Digest::of(bytes(name));
            if let Some(name) = TAG_FILES.into_iter().find(|known| known == name && found != *expected) {
                return Err((name, Refusal::TagDigest { expected: *expected, found }));
            }
        }
        let what = "it does not have the digests of the bag's other files".to_owned();
        return Err((TAG_MANIFEST, Refusal::Contents(what)));
    }
    let info = parse_info(bytes(BAG_INFO)).map_err(|why| (BAG_INFO, why))?;
    match info.get(FORMAT_FIELD).map(String::as_str) {
        Some(format) if FORMATS.contains(&format) => {}
        other => return Err((BAG_INFO, Refusal::Format(other.unwrap_or("none").to_owned()))),
    }
    let manifest = parse_manifest(bytes(MANIFEST), limits.max_entries).map_err(|why| (MANIFEST, why))?;
    if let Some((path, _)) = manifest.iter().find(|(path, _)| !path.starts_with(PAYLOAD)) {
        return Err((MANIFEST, Refusal::Contents(format!("`{path}` is not in the payload"))));
    }
    Ok((info, manifest))
}
