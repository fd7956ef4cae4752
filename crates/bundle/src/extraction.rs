//! What of a bundle is unpacked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use crate::bag::TAG_FILES;
use crate::error::BundleError;
use crate::reader::BundleReader;
use crate::temporary;

/// What of a bundle is unpacked.
#[derive(Clone, Debug, Default)]
pub struct Extraction {
    /// Not these files of the bag: a page or a picture is opened in a browser, so that one that nobody derived again stays where it is.
    pub without: BTreeSet<String>,
}

impl Extraction {
    /// Puts the bag's own files into a folder, and every other one while it is read.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn begin(self, reader: &mut BundleReader, folder: PathBuf) -> Result<(), BundleError> {
        for name in TAG_FILES {
            let bytes = reader.tags().get(name).map(Vec::as_slice).unwrap_or_default();
            let mut file: File = temporary::create(&folder.join(name))?;
            file.write_all(bytes).map_err(BundleError::io(format!("writing {name}")))?;
        }
        reader.copy_to(folder, self.without);
        Ok(())
    }
}
