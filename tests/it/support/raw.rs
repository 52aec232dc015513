//! Raw HTTP bytes, for requests that no HTTP client sends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A TCP connection to a server, on which a test writes any bytes.
pub(crate) struct RawConnection(TcpStream);

impl RawConnection {
    /// Connects to `127.0.0.1:PORT`. Reads have a timeout, so that a test fails and does not hang.
    pub(crate) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        Self(stream)
    }

    /// Writes bytes.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).expect("the server reads");
    }

    /// Reads one line.
    pub(crate) fn read_line(&mut self) -> String {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while byte != *b"\n" {
            self.0.read_exact(&mut byte).expect("the server sends a line");
            line.push(byte[0]);
        }
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Reads until the server closes the connection.
    pub(crate) fn read_to_end(mut self) -> String {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).expect("the server closes the connection");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Sends the bytes of one request; returns the response. The request must have the header `Connection: close`.
pub(crate) fn send_raw(address: &str, request: impl AsRef<[u8]>) -> String {
    let mut connection = RawConnection::connect(address);
    connection.write(request);
    connection.read_to_end()
}
