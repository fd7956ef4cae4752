//! Headers: 512 bytes that follow from a file's path and size.

use crate::bag::BINARY;
use crate::error::Refusal;
use crate::path;

/// Bytes of a block.
pub(crate) const BLOCK: usize = 512;

/// Largest file: eleven octal digits.
const MAX_SIZE: u64 = 0o77_777_777_777;

/// Time of every file: 2021-10-01T00:00:00Z. Not 0, which makes programs warn.
const MTIME: u64 = 1_633_046_400;

/// Where things are in a header.
const NAME: std::ops::Range<usize> = 0..100;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const TYPE: usize = 156;
const MAGIC: std::ops::Range<usize> = 257..265;
const PREFIX: std::ops::Range<usize> = 345..500;

/// Whether a file can be an entry.
pub fn fits(path: &str, size: u64) -> Result<(), Refusal> {
    divided(path, size).map(|_| ())
}

/// A file's name in an entry: what stands before it, and the rest.
fn divided(path: &str, size: u64) -> Result<(&str, &str), Refusal> {
    if size > MAX_SIZE {
        return Err(Refusal::FileTooLarge { bytes: size, max: MAX_SIZE });
    }
    split(path).ok_or(Refusal::LongName)
}

/// The header of a plain file.
pub(super) fn encode(path: &str, size: u64) -> Result<[u8; BLOCK], Refusal> {
    let (prefix, name) = divided(path, size)?;
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(field) = header.get_mut(at..at + bytes.len()) {
            field.copy_from_slice(bytes);
        }
    };
    put(NAME.start, name.as_bytes());
    let executable = path.split_once('/').is_some_and(|(_, inner)| inner == BINARY);
    put(100, if executable { b"0000755\0" } else { b"0000644\0" });
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(SIZE.start, format!("{size:011o}\0").as_bytes());
    put(136, format!("{MTIME:011o}\0").as_bytes());
    put(CHECKSUM.start, b"        ");
    put(TYPE, b"0");
    put(MAGIC.start, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    put(PREFIX.start, prefix.as_bytes());
    let sum = sum(&header);
    header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

/// A path of more than 100 bytes is cut at the first slash after which the rest fits.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME.len() {
        return Some(("", path));
    }
    let cuts = path.match_indices('/').map(|(at, _)| (&path[..at], &path[at + 1..]));
    cuts.into_iter().find(|(prefix, name)| name.len() <= NAME.len() && prefix.len() <= PREFIX.len())
}

fn sum(header: &[u8; BLOCK]) -> u64 {
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    sum(header) - sum(&header[CHECKSUM]) + 8 * u64::from(b' ')
}

/// Reads a header: the path and size of a plain file. What is wrong comes with the name, as far as it can be shown.
pub fn decode(header: &[u8; BLOCK]) -> Result<(String, u64), (String, Refusal)> {
    let text = |field: &[u8]| -> Vec<u8> { field.iter().copied().take_while(|&byte| byte != 0).collect() };
    let mut raw = text(&header[PREFIX]);
    if !raw.is_empty() {
        raw.push(b'/');
    }
    raw.extend(text(&header[NAME]));
    let refuse = |why| Err((String::from_utf8_lossy(&raw).escape_debug().to_string(), why));

    if octal(&header[CHECKSUM]) != Some(sum(header)) {
        return refuse(Refusal::HeaderChecksum);
    }
    match header[TYPE] {
        b'0' => {}
        0 | b'7' => return refuse(Refusal::Header("an old type of file")),
        b'1' => return refuse(Refusal::NotAFile("a hard link")),
        b'2' => return refuse(Refusal::NotAFile("a symbolic link")),
        b'3' | b'4' => return refuse(Refusal::NotAFile("a device")),
        b'5' => return refuse(Refusal::NotAFile("a directory")),
        b'6' => return refuse(Refusal::NotAFile("a pipe")),
        b'S' => return refuse(Refusal::NotAFile("a sparse file")),
        b'x' | b'g' | b'X' => return refuse(Refusal::NotAFile("a PAX header")),
        b'L' | b'K' => return refuse(Refusal::NotAFile("a GNU header for long names")),
        _ => return refuse(Refusal::NotAFile("an entry of another type")),
    }
    if header[MAGIC] != *b"ustar\x0000" {
        return refuse(Refusal::Header("its format"));
    }
    let path = match path::parse(&raw) {
        Ok(path) => path.to_owned(),
        Err(why) => return refuse(why),
    };
    let Some(size) = octal(&header[SIZE]) else { return refuse(Refusal::Header("its size")) };
    match encode(&path, size) {
        Ok(canonical) if canonical == *header => Ok((path, size)),
        Ok(canonical) => refuse(Refusal::Header(field_of(&canonical, header))),
        Err(why) => refuse(why),
    }
}

/// The name of the field in which two headers differ first.
fn field_of(one: &[u8; BLOCK], other: &[u8; BLOCK]) -> &'static str {
    match one.iter().zip(other).position(|(one, other)| one != other) {
        Some(0..=99) => "its name",
        Some(100..=107) => "its mode",
        Some(108..=123) => "its owner",
        Some(124..=135) => "its size",
        Some(136..=147) => "its time",
        Some(148..=155) => "its checksum",
        Some(156..=256) => "its link",
        Some(257..=328) => "its owner's name",
        Some(329..=344) => "its device",
        Some(345..=499) => "its prefix",
        _ => "its end",
    }
}

/// An octal number as headers have it: digits, then an end.
fn octal(field: &[u8]) -> Option<u64> {
    let end = field.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(field.len());
    let digits = str::from_utf8(&field[..end]).ok()?;
    if digits.is_empty() || !digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit)) {
        return None;
    }
    u64::from_str_radix(digits, 8).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_flipped_bit_of_a_header_is_found(
            parts in prop::collection::vec("[a-z0-9_]{1,60}", 1..4),
            size in 0..=MAX_SIZE,
            at in 0..BLOCK,
            bit in 0u8..8,
        ) {
            let path = parts.join("/");
            let mut header = encode(&path, size).unwrap();
            prop_assert_eq!(decode(&header).unwrap(), (path, size));
            header[at] ^= 1 << bit;
            prop_assert!(decode(&header).is_err());
        }

        #[test]
        fn any_header_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), BLOCK)) {
            let mut header = [0; BLOCK];
            header.copy_from_slice(&bytes);
            prop_assert!(decode(&header).is_err());
        }
    }

    #[test]
    fn long_paths_are_cut_at_a_slash() {
        let deep = format!("{}/{}", "a".repeat(90), "b".repeat(99));
        assert_eq!(decode(&encode(&deep, 1).unwrap()).unwrap(), (deep, 1));
        assert_eq!(encode(&"a".repeat(101), 1), Err(Refusal::LongName));
        assert!(matches!(encode("a", MAX_SIZE + 1), Err(Refusal::FileTooLarge { .. })));
    }
}
