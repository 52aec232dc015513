//! Finds the end of a request body (RFC 9112, sections 6 and 7.1).

/// The part of a body that is still to be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// The number of remaining bytes.
    Length(u64),
    /// A chunked body, and the position in it.
    Chunked(ChunkPosition),
    /// A malformed chunked body, whose end is unknown.
    Broken,
}

/// A position in a chunked body. The name says what the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkPosition {
    /// The size of a chunk, with the value of the digits so far.
    Size(Option<u64>),
    /// A chunk extension; with the size of the chunk.
    Extension(u64),
    /// The line feed after the size; with the size of the chunk.
    SizeEnd(u64),
    /// The data; with the number of remaining bytes.
    Data(u64),
    /// The carriage return after the data.
    DataEnd,
    /// The line feed after the data.
    DataLineEnd,
    /// The start of a trailer field or of the last line.
    Line,
    /// A trailer field.
    Trailer,
    /// The line feed after a trailer field.
    TrailerEnd,
    /// The line feed of the last line.
    LastLineEnd,
    /// The end: the next byte does not belong to the body.
    End,
}

impl BodyFraming {
    /// The start of a chunked body.
    pub(super) const CHUNKED: Self = Self::Chunked(ChunkPosition::Size(None));

    /// Whether the body is completely received.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(ChunkPosition::End))
    }

    /// Takes the next bytes of the connection, and returns how many of them belong to the body.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Length(left) => skip(left, bytes.len()),
            Self::Broken => bytes.len(),
            Self::Chunked(chunk) => {
                let mut index = 0;
                while *chunk != ChunkPosition::End && index < bytes.len() {
                    if let ChunkPosition::Data(left) = chunk {
                        index += skip(left, bytes.len() - index);
                        if *left == 0 {
                            *chunk = ChunkPosition::DataEnd;
                        }
                        continue;
                    }
                    let Some(next) = chunk.after(bytes[index]) else {
                        *self = Self::Broken;
                        return bytes.len();
                    };
                    (*chunk, index) = (next, index + 1);
                }
                index
            }
        }
    }
}

/// Subtracts at most `available` bytes from `left`, and returns how many.
fn skip(left: &mut u64, available: usize) -> usize {
    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(available);
    *left -= taken as u64;
    taken
}

impl ChunkPosition {
    /// Returns the position after this byte, or `None` if the byte is not allowed here.
    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16)?;
                Self::Size(Some(size.unwrap_or(0).checked_mul(16)?.checked_add(digit.into())?))
            }
            (Self::Size(Some(size)), b' ' | b'\t' | b';') => Self::Extension(size),
            (Self::Size(Some(size)) | Self::Extension(size), b'\r') => Self::SizeEnd(size),
            (Self::Extension(_), b'\n') => return None,
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::SizeEnd(0) | Self::TrailerEnd, b'\n') => Self::Line,
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataEnd, b'\r') => Self::DataLineEnd,
            (Self::DataLineEnd, b'\n') => Self::Size(None),
            (Self::Line, b'\r') => Self::LastLineEnd,
            (Self::LastLineEnd, b'\n') => Self::End,
            (Self::Trailer, b'\r') => Self::TrailerEnd,
            (Self::Line | Self::Trailer, _) => Self::Trailer,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted() {
        let mut body = BodyFraming::Length(5);
        assert_eq!((body.advance(b"abc"), body.is_over()), (3, false));
        assert_eq!((body.advance(b"deGET"), body.is_over()), (2, true));
    }

    #[test]
    fn chunks_end_after_their_trailers() {
        for text in [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "A;x=y\r\n0\r\n\r\n56789\r\n00 \r\na: b\r\nc: d\r\n\r\n",
            "000a\r\nGET / HTTP\r\n0\r\n\r\n",
        ] {
            let all = format!("{text}GET / HTTP/1.1\r\n");
            for split in 0..text.len() {
                let mut body = BodyFraming::CHUNKED;
                let first = body.advance(&all.as_bytes()[..split]);
                assert_eq!((first, body.is_over()), (split, false), "{text:?} after {split}");
                assert_eq!((body.advance(&all.as_bytes()[split..]), body.is_over()), (text.len() - split, true));
            }
        }
    }

    #[test]
    fn broken_chunks_have_no_end() {
        for text in ["\r\n", "g\r\n", "3\nabc", "3;x\n", "3\r\nabcd\r\n", "10000000000000000\r\n", "0\r\na: b\r\r\n"] {
            let (mut body, text) = (BodyFraming::CHUNKED, format!("{text}0\r\n\r\nGET / HTTP/1.1\r\n"));
            assert_eq!((body.advance(text.as_bytes()), body), (text.len(), BodyFraming::Broken), "{text:?}");
        }
    }
}
