//! Files that the command line names.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::Failed;
use crate::limits;

fn unreadable(path: &Path, error: &std::io::Error) -> Failed {
    Failed::Usage(format!("{}: {error}", path.display()))
}

/// A small file as text. What is not UTF-8 becomes text that no signature fits.
pub fn text(path: &Path) -> Result<String, Failed> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    file.take(limits::VERIFY_TEXT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > limits::VERIFY_TEXT_BYTES {
        return Err(Failed::Usage(format!("{}: larger than any such file is", path.display())));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file that is read line by line.
pub fn lines(path: &Path) -> Result<BufReader<File>, Failed> {
    File::open(path).map(|file| BufReader::with_capacity(64 * 1024, file)).map_err(|error| unreadable(path, &error))
}
