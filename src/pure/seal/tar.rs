//! The ustar archive format (POSIX.1-1988, IEEE 1003.1 "pax" section on ustar), regular files only.
//!
//! Promise: [`header`] writes one canonical block for a path and a length; [`parse`] accepts only well-formed ustar
//! blocks of regular files. Owner, mode and time are written as constants and never read. Deliberately absent:
//! directories, links, devices, sparse files, GNU and pax extensions; whether a path is acceptable is
//! [`super::manifest`]'s business.

/// Bytes of a block: headers, and the unit to which contents are padded.
pub const BLOCK_LEN: usize = 512;

const NAME: std::ops::Range<usize> = 0..100;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const TYPE: usize = 156;
const LINK: std::ops::Range<usize> = 157..257;
const MAGIC: std::ops::Range<usize> = 257..265;
const PREFIX: std::ops::Range<usize> = 345..500;
const REGULAR_FILE: u8 = b'0';
const USTAR: &[u8] = b"ustar\x0000";
/// Eleven octal digits.
const MAX_LEN: u64 = (1 << 33) - 1;

/// Why a block is not the header of a regular file, or why none can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TarError {
    /// The magic is not that of ustar.
    #[error("not a ustar header")]
    Magic,
    /// The checksum is wrong.
    #[error("the header's checksum is wrong")]
    Checksum,
    /// A directory, a link, a device or an extension.
    #[error("not a regular file")]
    EntryType,
    /// A number is not octal digits.
    #[error("a number is not octal")]
    Number,
    /// A name is empty, not UTF-8 or followed by hidden bytes.
    #[error("a name is not plain UTF-8")]
    Name,
    /// Path or length do not fit the format.
    #[error("path or length do not fit the format")]
    DoesNotFit,
}

/// A file's path and length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path as written, not yet judged.
    pub path: String,
    /// The content's length in bytes.
    pub len: u64,
}

/// Zero bytes after a content of `len` bytes.
pub const fn padding_len(len: u64) -> usize {
    (BLOCK_LEN - (len % BLOCK_LEN as u64) as usize) % BLOCK_LEN
}

/// Writes the header of a regular file.
///
/// # Errors
/// `DoesNotFit` if the path is empty, holds a zero byte or cannot be split at a slash into 1 to 155 and 1 to 100 bytes,
/// or `len` is over 8 GiB: what is written here reads back as the same path and length.
pub fn header(path: &str, len: u64) -> Result<[u8; BLOCK_LEN], TarError> {
    let (prefix, name) = split(path).ok_or(TarError::DoesNotFit)?;
    if len > MAX_LEN || path.is_empty() || path.contains('\0') {
        return Err(TarError::DoesNotFit);
    }
    let mut block = [0; BLOCK_LEN];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(NAME.start, name.as_bytes());
    put(100, b"0000644\x000000000\x000000000\x00");
    put(SIZE.start, format!("{len:011o}\0").as_bytes());
    put(136, b"00000000000\x00");
    put(TYPE, &[REGULAR_FILE]);
    put(MAGIC.start, USTAR);
    put(PREFIX.start, prefix.as_bytes());
    let sum = checksum(&block);
    block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME.len() {
        return Some(("", path));
    }
    path.match_indices('/')
        .map(|(at, _)| (&path[..at], &path[at + 1..]))
        .find(|(prefix, name)| (1..=PREFIX.len()).contains(&prefix.len()) && (1..=NAME.len()).contains(&name.len()))
}

/// The sum of the block's bytes, with blanks in place of the checksum.
fn checksum(block: &[u8; BLOCK_LEN]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    sum(block) - sum(&block[CHECKSUM]) + u32::from(b' ') * CHECKSUM.len() as u32
}

/// Reads the header of a regular file.
///
/// # Errors
/// See [`TarError`].
pub fn parse(block: &[u8; BLOCK_LEN]) -> Result<Entry, TarError> {
    if &block[MAGIC] != USTAR {
        return Err(TarError::Magic);
    }
    if octal(&block[CHECKSUM])? != u64::from(checksum(block)) {
        return Err(TarError::Checksum);
    }
    if block[TYPE] != REGULAR_FILE || block[LINK].iter().any(|byte| *byte != 0) {
        return Err(TarError::EntryType);
    }
    let (prefix, name) = (text(&block[PREFIX])?, text(&block[NAME])?);
    let path = match (prefix, name) {
        (_, "") => return Err(TarError::Name),
        ("", name) => name.to_owned(),
        (prefix, name) => format!("{prefix}/{name}"),
    };
    Ok(Entry { path, len: octal(&block[SIZE])? })
}

/// Octal digits, then only blanks and zero bytes.
fn octal(field: &[u8]) -> Result<u64, TarError> {
    let digits = field.iter().take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let (digits, rest) = field.split_at(digits);
    if digits.is_empty() || rest.is_empty() || rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return Err(TarError::Number);
    }
    Ok(digits.iter().fold(0, |number, digit| number * 8 + u64::from(digit - b'0')))
}

/// UTF-8, then only zero bytes.
fn text(field: &[u8]) -> Result<&str, TarError> {
    let len = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let (text, rest) = field.split_at(len);
    if rest.iter().any(|byte| *byte != 0) {
        return Err(TarError::Name);
    }
    str::from_utf8(text).map_err(|_| TarError::Name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resummed(change: impl Fn(&mut [u8; BLOCK_LEN])) -> [u8; BLOCK_LEN] {
        let mut block = header("a/b.txt", 5).unwrap();
        change(&mut block);
        let sum = checksum(&block);
        block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }

    #[test]
    fn paths_and_lengths_come_back_equal() {
        let long = format!("{}/{}", "d".repeat(155), "f".repeat(100));
        for (path, len) in [("a", 0), ("目录/文件.pdf", 1), (&"n".repeat(100), MAX_LEN), (long.as_str(), 512)] {
            let entry = parse(&header(path, len).unwrap()).unwrap();
            assert_eq!(entry, Entry { path: path.to_owned(), len });
        }
    }

    #[test]
    fn what_does_not_fit_the_format_is_not_written() {
        assert_eq!(header(&"n".repeat(101), 0), Err(TarError::DoesNotFit));
        assert_eq!(header(&format!("{}/{}", "d".repeat(156), "f"), 0), Err(TarError::DoesNotFit));
        assert_eq!(header("a", MAX_LEN + 1), Err(TarError::DoesNotFit));
        for path in ["", "a\0b", &format!("/{}", "n".repeat(100))] {
            assert_eq!(header(path, 0), Err(TarError::DoesNotFit), "{path:?} would read back as another path");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let good = header("a/b.txt", 5).unwrap();
        let entry = parse(&good).unwrap();
        for bit in 0..BLOCK_LEN * 8 {
            let mut block = good;
            block[bit / 8] ^= 1 << (bit % 8);
            // Two bits of the checksum's terminator turn NUL and blank into each other's accepted forms.
            if let Ok(read) = parse(&block) {
                assert!(CHECKSUM.contains(&(bit / 8)), "bit {bit}");
                assert_eq!(read, entry);
            }
        }
    }

    #[test]
    fn other_kinds_of_entries_are_refused() {
        for kind in (0..=255).filter(|kind| *kind != REGULAR_FILE) {
            assert_eq!(parse(&resummed(|block| block[TYPE] = kind)), Err(TarError::EntryType), "type {kind}");
        }
        assert_eq!(parse(&resummed(|block| block[LINK.start] = b'x')), Err(TarError::EntryType));
        assert_eq!(parse(&resummed(|block| block[MAGIC.start + 5] = b' ')), Err(TarError::Magic));
        assert_eq!(parse(&[0; BLOCK_LEN]), Err(TarError::Magic));
    }

    #[test]
    fn odd_names_and_numbers_are_refused() {
        assert_eq!(parse(&resummed(|block| block[NAME].fill(0))), Err(TarError::Name));
        assert_eq!(parse(&resummed(|block| block[0] = 0xff)), Err(TarError::Name));
        assert_eq!(parse(&resummed(|block| block[50] = b'h')), Err(TarError::Name));
        for size in [b"0000000000 5", b"-00000000005", b"00000000008 ", b"           5", b"000000000005"] {
            let block = resummed(|block| block[SIZE].copy_from_slice(size));
            assert_eq!(parse(&block), Err(TarError::Number), "{size:?}");
        }
        let base256 = resummed(|block| block[SIZE.start] = 0x80);
        assert_eq!(parse(&base256), Err(TarError::Number));
    }

    #[test]
    fn contents_are_padded_to_whole_blocks() {
        assert_eq!([0, 1, 511, 512, 513].map(padding_len), [0, 511, 1, 0, 511]);
    }
}
