//! What an executable asks of the machine that it runs on.

use std::fmt;

use object::elf::{EM_X86_64, ET_DYN, ET_EXEC, FileHeader64};
use object::read::elf::{FileHeader as _, SectionHeader as _};
use object::{Endianness, LittleEndian};

use crate::PackageError;

/// A version of the GNU C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc {
    /// For example 2.
    pub major: u32,
    /// For example 34.
    pub minor: u32,
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The C library of Amazon Linux 2023, which `provided.al2023` is.
pub const GLIBC_OF_AL2023: Glibc = Glibc { major: 2, minor: 34 };

impl Glibc {
    /// Reads the name of a symbol version, for example `GLIBC_2.34` or `GLIBC_2.2.5`; `None` for another library's.
    fn of_symbol(name: &[u8]) -> Option<Self> {
        let mut numbers = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?.split('.').map(str::parse);
        Some(Self { major: numbers.next()?.ok()?, minor: numbers.next()?.ok()? })
    }
}

/// Checks that an executable runs on the functions' machine; tells the newest C library that it needs.
///
/// # Errors
/// When it is not for x86_64 Linux, or needs a newer C library than [`GLIBC_OF_AL2023`].
pub fn check_binary(binary: &[u8]) -> Result<Option<Glibc>, PackageError> {
    let needed = needed_glibc(binary)?;
    match needed {
        Some(needed) if needed > GLIBC_OF_AL2023 => Err(PackageError::Glibc { needed, has: GLIBC_OF_AL2023 }),
        _ => Ok(needed),
    }
}

fn needed_glibc(binary: &[u8]) -> Result<Option<Glibc>, PackageError> {
    let wrong = |error: object::Error| PackageError::Binary(error.to_string());
    let header = FileHeader64::<Endianness>::parse(binary).map_err(wrong)?;
    let endian = header.endian().map_err(wrong)?;
    if endian != Endianness::Little || header.e_machine(endian) != EM_X86_64 {
        return Err(PackageError::Binary("another machine".to_owned()));
    }
    if ![ET_DYN, ET_EXEC].contains(&header.e_type(endian)) {
        return Err(PackageError::Binary("an object file or a core dump".to_owned()));
    }
    let header = FileHeader64::<LittleEndian>::parse(binary).map_err(wrong)?;
    let sections = header.sections(LittleEndian, binary).map_err(wrong)?;
    let mut newest = None;
    for section in sections.iter() {
        let Some((mut libraries, names)) = section.gnu_verneed(LittleEndian, binary).map_err(wrong)? else { continue };
        let names = sections.strings(LittleEndian, binary, names).map_err(wrong)?;
        while let Some((_, mut versions)) = libraries.next().map_err(wrong)? {
            while let Some(version) = versions.next().map_err(wrong)? {
                newest = newest.max(Glibc::of_symbol(version.name(LittleEndian, names).map_err(wrong)?));
            }
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_need_of_an_executable_is_read() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needed = needed_glibc(&own).unwrap().unwrap();
        assert!(needed.major == 2 && needed.minor >= 17, "{needed}");
        let mut arm = own;
        arm[18] = 183;
        assert!(matches!(check_binary(&arm), Err(PackageError::Binary(_))));
        assert!(matches!(check_binary(b"#!/bin/sh"), Err(PackageError::Binary(_))));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |name: &str| Glibc::of_symbol(name.as_bytes());
        assert!(version("GLIBC_2.9") < version("GLIBC_2.34"));
        assert_eq!(version("GLIBC_2.2.5"), Some(Glibc { major: 2, minor: 2 }));
        assert_eq!(version("GCC_3.0"), None);
    }
}
