//! What a file is that is no bundle, as far as its first bytes tell, and what to do with it.

/// What the first bytes of a file look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// There are none.
    Empty,
    /// A ZIP archive.
    Zip,
    /// Compressed with gzip.
    Gzip,
    /// Compressed with xz.
    Xz,
    /// Compressed with bzip2.
    Bzip2,
    /// Compressed with zstd, and not the way that bundles are.
    OtherZstd,
    /// A tar archive that is not compressed.
    Tar,
    /// A web page.
    Html,
    /// JSON, as an interface of an archive answers.
    Json,
    /// A signature of a bundle.
    Signature,
    /// Other text.
    Text,
    /// Anything else.
    Unknown,
}

/// Bytes that [`Looks::of`] should see, if there are so many.
pub const BYTES: usize = 512;

impl Looks {
    /// What the first bytes look like.
    #[must_use]
    pub fn of(start: &[u8]) -> Self {
        let text = || std::str::from_utf8(start).or_else(|error| std::str::from_utf8(&start[..error.valid_up_to()]));
        match start {
            [] => Self::Empty,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Self::Xz,
            [b'B', b'Z', b'h', ..] => Self::Bzip2,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::OtherZstd,
            _ if start.get(257..262) == Some(b"ustar") => Self::Tar,
            _ => match text() {
                Ok(text) if !text.is_empty() && !text.contains('\0') => Self::of_text(text),
                _ => Self::Unknown,
            },
        }
    }

    fn of_text(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
        if ["<!doctype html", "<html", "<head", "<body", "<?xml", "<script", "<!--"]
            .iter()
            .any(|tag| text.starts_with(tag))
        {
            Self::Html
        } else if text.starts_with(['{', '[']) {
            Self::Json
        } else if text.starts_with("-----begin ssh signature") {
            Self::Signature
        } else {
            Self::Text
        }
    }

    /// What to do with it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Empty => "fetch the file again: nothing of it arrived",
            Self::Zip => "unpack it with `unzip`, and name the bundle that is in it (.tar.zst), or the unpacked folder",
            Self::Gzip => {
                "unpack it (`tar xzf` or `gunzip`), and name the bundle that is in it (.tar.zst), or the unpacked folder"
            }
            Self::Xz | Self::Bzip2 => {
                "unpack it (`tar xf`), and name the bundle that is in it (.tar.zst), or the unpacked folder"
            }
            Self::OtherZstd => {
                "a bundle that was compressed again is no longer one: fetch the original, or unpack it (`tar --zstd -xf`) and \
                 name the unpacked folder"
            }
            Self::Tar => "unpack it (`tar xf`), and name the bundle that is in it (.tar.zst), or the unpacked folder",
            Self::Html => {
                "the server answered with a page, to read or to log in on: fetch the file behind its download link again"
            }
            Self::Json => "the server answered with JSON, often an error message: read it, and fetch the bundle itself",
            Self::Signature => "name the bundle: the same name without `.sig`",
            Self::Text | Self::Unknown => "name a bundle (.tar.zst), an unpacked one, or a store",
        }
    }
}

impl std::fmt::Display for Looks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::Zip => "it is a zip archive, not a bundle",
            Self::Gzip => "it is compressed with gzip, and a bundle with zstd",
            Self::Xz => "it is compressed with xz, and a bundle with zstd",
            Self::Bzip2 => "it is compressed with bzip2, and a bundle with zstd",
            Self::OtherZstd => "it is compressed with zstd, but not as a bundle is",
            Self::Tar => "it is a tar archive that is not compressed, and a bundle is",
            Self::Html => "it is a web page (HTML), not a bundle",
            Self::Json => "it is JSON, not a bundle",
            Self::Signature => "it is a signature, not the bundle",
            Self::Text => "it is text, not a bundle",
            Self::Unknown => "it does not begin like a bundle",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_mistake_for_a_bundle_is_named() {
        let tar = [[0_u8; 257].as_slice(), b"ustar\0"].concat();
        for (bytes, looks) in [
            (b"".as_slice(), Looks::Empty),
            (b"PK\x03\x04\x14\0", Looks::Zip),
            (b"\x1f\x8b\x08\0", Looks::Gzip),
            (b"\xfd7zXZ\0", Looks::Xz),
            (b"BZh91AY", Looks::Bzip2),
            (b"\x28\xb5\x2f\xfd\x84", Looks::OtherZstd),
            (&tar, Looks::Tar),
            (b"\n<!DOCTYPE HTML>\n", Looks::Html),
            (b"\xef\xbb\xbf<html lang=\"de\">", Looks::Html),
            (b"{\"status\": 404}", Looks::Json),
            (b"-----BEGIN SSH SIGNATURE-----\n", Looks::Signature),
            ("schema = 1 # é".as_bytes(), Looks::Text),
            (b"\0\x01", Looks::Unknown),
            (b"\xff\xd8\xff\xe0", Looks::Unknown),
        ] {
            assert_eq!(Looks::of(bytes), looks, "{bytes:?}");
        }
    }
}
