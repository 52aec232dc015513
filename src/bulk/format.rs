//! Detection of other file formats from the first bytes of a file. One sentence about the file is clearer than an error
//! for every line.

use crate::domain::text::without_bom;

/// The number of bytes that [`foreign_format`] examines.
pub(super) const PREFIX_BYTES: usize = 4 << 10;

/// For each format: the offset of its signature, the signature, and a description with advice.
const SIGNATURES: [(usize, &[u8], &str); 12] = [
    (0, b"\x1f\x8b", "gzip data: unpack it first, for example with `gunzip -c FILE | rollbook import -`"),
    (0, b"\x28\xb5\x2f\xfd", "zstd data: unpack it first, for example with `zstd -dc FILE | rollbook import -`"),
    (0, b"\xfd7zXZ\0", "xz data: unpack it first, for example with `xz -dc FILE | rollbook import -`"),
    (0, b"BZh", "bzip2 data: unpack it first, for example with `bzip2 -dc FILE | rollbook import -`"),
    (0, b"PK\x03\x04", "a zip archive, or a spreadsheet: unpack it, or save it as lines of JSON first"),
    (257, b"ustar", "a tar archive: unpack it first"),
    (0, b"SQLite format 3\0", "a SQLite database: copy a directory with `rollbook copy`, or export it first"),
    (0, b"\xff\xfe\0\0", UTF_32),
    (0, b"\0\0\xfe\xff", UTF_32),
    (0, b"\xff\xfe", UTF_16),
    (0, b"\xfe\xff", UTF_16),
    (0, b"PGDMP", "a dump of PostgreSQL: restore it with pg_restore, then export the directory"),
];

const UTF_32: &str = "text in UTF-32: save it as UTF-8";
const UTF_16: &str = "text in UTF-16: save it as UTF-8";
const ARRAY: &str = "a JSON array: put each item on its own line, for example with `jq -c '.[]' FILE`";
const DOCUMENT: &str = "JSON over several lines: put each object on its own line, for example with `jq -c . FILE`";
const TABLE: &str = "a table (CSV), not lines of JSON: convert each row to an object";

/// A description of the format of a file that starts with these bytes, with advice; `None` if it may be lines of JSON.
pub(super) fn foreign_format(beginning: &[u8]) -> Option<&'static str> {
    let matches = |(offset, signature, _): &&(usize, &[u8], &str)| {
        beginning.get(*offset..).is_some_and(|rest| rest.starts_with(signature))
    };
    SIGNATURES.iter().find(matches).map(|(.., description)| *description).or_else(|| foreign_text_format(beginning))
}

/// The same for a file without a signature, from its first line that is not blank.
fn foreign_text_format(beginning: &[u8]) -> Option<&'static str> {
    let text = without_bom(beginning).trim_ascii_start();
    let line = text.split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    let has = |bytes: &[u8]| line.iter().any(|byte| bytes.contains(byte));
    match line {
        // UTF-16 without a byte order mark: in ASCII text, every second byte is zero.
        [0, _, ..] | [_, 0, ..] => Some(UTF_16),
        [b'[', ..] => Some(ARRAY),
        [b'{'] => Some(DOCUMENT),
        line if !has(b"{}") && has(b",;\t") && std::str::from_utf8(line).is_ok() => Some(TABLE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_detected_by_their_first_bytes() {
        let tar = [vec![b'a'; 257], b"ustar".to_vec()].concat();
        let utf_16: Vec<u8> = "{\"group\"".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (beginning, word) in [
            (&b"\x1f\x8b\x08\0"[..], "gzip"),
            (b"\x28\xb5\x2f\xfd\x04", "zstd"),
            (b"PK\x03\x04\x14", "zip"),
            (b"\xfd7zXZ\0", "xz"),
            (b"BZh91AY", "bzip2"),
            (&tar, "tar"),
            (b"SQLite format 3\0\x10", "SQLite"),
            (b"PGDMP\x01", "pg_restore"),
            (b"\xff\xfe{\0", "UTF-16"),
            (b"\xfe\xff\0{", "UTF-16"),
            (&utf_16, "UTF-16"),
            (b"{\0\"\0g\0", "UTF-16"),
            (b"\xff\xfe\0\0{\0\0\0", "UTF-32"),
            (b" [{\"group\":{}}]", "array"),
            (b"\xef\xbb\xbf{\r\n  \"group\": {", "several lines"),
            (b"\n\xef\xbb\xbfid,name\r\n", "CSV"),
            (b"\"id\";\"name\"\n", "CSV"),
            (b"id\tname\n1\tx", "CSV"),
        ] {
            let format = foreign_format(beginning);
            assert!(format.is_some_and(|description| description.contains(word)), "{word}: {format:?}");
        }
    }

    #[test]
    fn possible_lines_of_json_are_accepted() {
        for beginning in [
            &b""[..],
            b"\n\r\n",
            b"{\"group\":{",
            b"\xef\xbb\xbf {\"group\":{}}",
            b"\"group\":{\"uid\":1,}}",
            b"not JSON",
            b"\xff,",
        ] {
            assert_eq!(foreign_format(beginning), None);
        }
    }
}
