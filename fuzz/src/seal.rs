//! Puts right what protects a file from change, so that changed files reach what comes after those checks: what a forger
//! does who knows the formats.

use std::collections::BTreeMap;

use matrix_store::Digest;
use serde_json::Value;

/// A record or attempt with the key and the digest that its contents have.
pub(crate) fn json(data: &[u8]) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(data).ok()?;
    if let Some(inputs) = value.get("inputs") {
        let key = Digest::of(&serde_json_canonicalizer::to_vec(inputs).ok()?);
        value["key"] = key.to_string().into();
    }
    value.as_object_mut()?.remove("digest");
    let digest = Digest::of(&serde_json_canonicalizer::to_vec(&value).ok()?);
    value["digest"] = digest.to_string().into();
    let mut bytes = serde_json_canonicalizer::to_vec(&value).ok()?;
    bytes.push(b'\n');
    Some(bytes)
}

/// A journal whose lines have the numbers and checksums that they should; what is no JSON stays as it is.
pub(crate) fn journal(data: &[u8]) -> Vec<u8> {
    let (mut out, mut before) = (Vec::new(), String::new());
    for (seq, line) in data.split_inclusive(|&byte| byte == b'\n').enumerate() {
        match serde_json::from_slice::<Value>(line) {
            Ok(Value::Object(mut fields)) if line.ends_with(b"\n") => {
                fields.remove("checksum");
                fields.insert("seq".to_owned(), seq.into());
                let text = serde_json::to_string(&fields).unwrap_or_default();
                before = Digest::of(format!("{before}{text}").as_bytes()).to_string();
                before.truncate(16);
                fields.insert("checksum".to_owned(), before.clone().into());
                out.extend_from_slice(serde_json::to_string(&fields).unwrap_or_default().as_bytes());
                out.push(b'\n');
            }
            _ => out.extend_from_slice(line),
        }
    }
    out
}

/// An entry of an archive.
struct Entry<'a> {
    header: [u8; 512],
    name: String,
    bytes: &'a [u8],
}

/// An archive with headers, manifests, records and attempts that fit its files; nothing if it holds no bag.
pub(crate) fn archive(data: &[u8]) -> Option<Vec<u8>> {
    let entries = entries(data);
    let folder = entries.first()?.name.split_once('/')?.0.to_owned() + "/";
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for entry in &entries {
        let path = entry.name.strip_prefix(&folder).unwrap_or(&entry.name).to_owned();
        let sealed = path.starts_with("data/records/") || path.starts_with("data/attempts/");
        let bytes = if sealed { json(entry.bytes) } else { None };
        files.insert(path, bytes.unwrap_or_else(|| entry.bytes.to_vec()));
    }
    let manifest = |wanted: &dyn Fn(&str) -> bool, files: &BTreeMap<String, Vec<u8>>| -> Vec<u8> {
        let wanted = files.iter().filter(|(path, _)| wanted(path));
        wanted.map(|(path, bytes)| format!("{}  {path}\n", Digest::of(bytes))).collect::<String>().into_bytes()
    };
    let payload = |path: &str| path.starts_with("data/");
    let (count, size) = files
        .iter()
        .filter(|(path, _)| payload(path))
        .fold((0, 0), |(count, size), (_, bytes)| (count + 1, size + bytes.len()));
    if let Some(info) = files.get_mut("bag-info.txt") {
        let text = String::from_utf8_lossy(info).into_owned();
        let kept: String = text.split_inclusive('\n').filter(|line| !line.starts_with("Payload-Oxum")).collect();
        *info = format!("{kept}Payload-Oxum: {size}.{count}\n").into_bytes();
    }
    let listed = manifest(&payload, &files);
    files.insert("manifest-sha256.txt".to_owned(), listed);
    let tags = manifest(&|path| !payload(path) && path != "tagmanifest-sha256.txt", &files);
    files.insert("tagmanifest-sha256.txt".to_owned(), tags);

    let mut out = Vec::new();
    for Entry { mut header, name, bytes } in entries {
        let path = name.strip_prefix(&folder).unwrap_or(&name);
        let bytes = files.get(path).map_or(bytes, Vec::as_slice);
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[148..156].copy_from_slice(b"        ");
        let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    Some(out)
}

/// The entries of what may be an archive, as far as it can be read.
fn entries(data: &[u8]) -> Vec<Entry<'_>> {
    let (mut found, mut rest) = (Vec::new(), data);
    while let Some((header, after)) = rest.split_first_chunk::<512>() {
        let text = |range: std::ops::Range<usize>| {
            let bytes = header[range].split(|&byte| byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        let (prefix, name) = (text(345..500), text(0..100));
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let size = usize::from_str_radix(&text(124..136), 8).unwrap_or(0).min(after.len());
        if name.is_empty() {
            break;
        }
        found.push(Entry { header: *header, name, bytes: &after[..size] });
        rest = &after[size.next_multiple_of(512).min(after.len())..];
    }
    found
}
