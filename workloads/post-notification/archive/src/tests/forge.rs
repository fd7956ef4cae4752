//! Taking bundles apart, and putting others together.

use std::collections::BTreeMap;

use matrix_bundle::bag::render_manifest;
use matrix_store::Digest;

use super::fixture::{archive, compress};

/// An entry: its header and its bytes.
pub(super) type Raw = (Vec<u8>, Vec<u8>);

/// The entries of an archive.
pub(super) fn entries(bundle: &[u8]) -> Vec<Raw> {
    let plain = archive(bundle);
    let (mut found, mut at) = (Vec::new(), 0);
    while plain[at] != 0 {
        let header = plain[at..at + 512].to_vec();
        let size = usize::from_str_radix(str::from_utf8(&header[124..135]).unwrap(), 8).unwrap();
        found.push((header, plain[at + 512..at + 512 + size].to_vec()));
        at += 512 + size.next_multiple_of(512);
    }
    found
}

/// An archive of entries, compressed.
pub(super) fn pack(entries: &[Raw]) -> Vec<u8> {
    let mut plain = Vec::new();
    for (header, bytes) in entries {
        plain.extend_from_slice(header);
        plain.extend_from_slice(bytes);
        plain.resize(plain.len().next_multiple_of(512), 0);
    }
    plain.extend_from_slice(&[0; 1024]);
    compress(&plain)
}

/// A header like those of bundles, of any name, type and size.
pub(super) fn header(name: &[u8], kind: u8, size: usize) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name);
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, &format!("{:011o}\0", 1_633_046_400));
    put(257, "ustar\x0000");
    put(329, "0000000\0");
    put(337, "0000000\0");
    header[156] = kind;
    with_checksum(header)
}

pub(super) fn with_checksum(mut header: Vec<u8>) -> Vec<u8> {
    header[148..156].copy_from_slice(b"        ");
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// The name in a header.
pub(super) fn name_of(header: &[u8]) -> String {
    let text = |range: std::ops::Range<usize>| {
        String::from_utf8(header[range].iter().copied().take_while(|&byte| byte != 0).collect()).unwrap()
    };
    let (prefix, name) = (text(345..500), text(0..100));
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// The files of a bundle, by path in the bag.
pub(super) fn payload(bundle: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let named = |(header, bytes): Raw| (name_of(&header).split_once('/').unwrap().1.to_owned(), bytes);
    entries(bundle).into_iter().map(named).collect()
}

/// A bundle of any files, with manifests that fit: what somebody makes who knows how bundles are made.
pub(super) fn seal(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let (payload, mut tags): (BTreeMap<_, _>, BTreeMap<_, _>) =
        files.clone().into_iter().partition(|(path, _)| path.starts_with("data/"));
    let manifest = render_manifest(payload.iter().map(|(path, bytes)| (path.as_str(), Digest::of(bytes))));
    let size: usize = payload.values().map(Vec::len).sum();
    let info = String::from_utf8(tags.remove("bag-info.txt").unwrap()).unwrap();
    let kept: String =
        info.lines().filter(|line| !line.starts_with("Payload-Oxum")).map(|line| format!("{line}\n")).collect();
    let info = format!("{kept}Payload-Oxum: {size}.{}\n", payload.len());
    let bagit = tags.remove("bagit.txt").unwrap();
    let parts =
        [("bag-info.txt", info.as_bytes()), ("bagit.txt", &bagit), ("manifest-sha256.txt", manifest.as_bytes())];
    let tag_manifest = render_manifest(parts.iter().map(|(path, bytes)| (*path, Digest::of(bytes))));
    let mut all: Vec<(String, Vec<u8>)> =
        [1, 0, 2].into_iter().map(|n: usize| (parts[n].0.to_owned(), parts[n].1.to_vec())).collect();
    all.push(("tagmanifest-sha256.txt".to_owned(), tag_manifest.into_bytes()));
    all.extend(payload);
    let mut tar = matrix_bundle::tar::TarWriter::new(Vec::new());
    for (path, bytes) in all {
        tar.append(&format!("test-bundle/{path}"), bytes.len() as u64, bytes.as_slice()).unwrap();
    }
    compress(&tar.finish().unwrap())
}

/// Gives a record the digest that its contents have.
pub(super) fn reseal_record(text: &str) -> String {
    let at = text.find("\"digest\":\"").unwrap();
    let without = format!("{}{}", &text[..at], &text[at + 76..]);
    let digest = Digest::of(without.trim_end().as_bytes());
    format!("{}\"digest\":\"{digest}\",{}", &text[..at], &text[at + 76..])
}
