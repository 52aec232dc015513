//! HTTP byte by byte, for what a well-behaved client does not send.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A connection on which a test writes what it likes.
pub struct Raw(TcpStream);

impl Raw {
    /// Connects to `127.0.0.1:PORT`. Reading gives up after a while, so that a test fails rather than hangs.
    pub fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        Self(stream)
    }

    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).expect("the server reads");
    }

    /// One line that the server sends.
    pub fn read_line(&mut self) -> String {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while byte != *b"\n" {
            self.0.read_exact(&mut byte).expect("the server sends a line");
            line.push(byte[0]);
        }
        String::from_utf8_lossy(&line).into_owned()
    }

    /// All that the server sends until it closes the connection.
    pub fn read_to_end(mut self) -> String {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).expect("the server closes the connection");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The answer to one request written as it stands. The request must ask for `Connection: close`.
pub fn raw(address: &str, request: impl AsRef<[u8]>) -> String {
    let mut connection = Raw::connect(address);
    connection.write(request);
    connection.read_to_end()
}
