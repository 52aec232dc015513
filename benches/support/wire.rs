//! A persistent connection for load: one request after the other, each response read completely. It uses HTTP/1.1, or
//! another protocol if the caller supplies the length of responses.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The timeout of a response; the request has failed then.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the length of the response that begins with these bytes, if they are enough to determine it.
pub(crate) type Framing = fn(&[u8]) -> anyhow::Result<Option<usize>>;

/// A persistent connection.
pub(crate) struct Connection {
    stream: TcpStream,
    response: Vec<u8>,
}

/// A response: the status, and head and body as received.
pub(crate) struct Response<'a> {
    /// The HTTP status.
    pub status: u16,
    /// Head and body.
    pub bytes: &'a [u8],
}

impl Connection {
    /// Opens a connection.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, response: vec![0; 64 * 1024] })
    }

    /// Sends a request and reads its response, whose head must determine its length. After an error the connection
    /// cannot be used.
    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<Response<'_>> {
        let bytes = self.send_framed(request, whole_length).await?;
        let status = bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        Ok(Response { status: status.context("no status")?, bytes })
    }

    /// As [`Self::send`], for any protocol: `whole` returns the length of the response as soon as it can be determined.
    pub(crate) async fn send_framed(&mut self, request: &[u8], whole: Framing) -> anyhow::Result<&[u8]> {
        let length = timeout(READ_TIMEOUT, self.exchange(request, whole)).await.context("no response in time")??;
        Ok(&self.response[..length])
    }

    async fn exchange(&mut self, request: &[u8], whole: Framing) -> anyhow::Result<usize> {
        let mut sent = 0;
        while sent < request.len() {
            sent += poll_fn(|context| Pin::new(&mut self.stream).poll_write(context, &request[sent..])).await?;
        }
        let mut received = 0;
        loop {
            if received == self.response.len() {
                self.response.resize(2 * received, 0);
            }
            received += read(&mut self.stream, &mut self.response[received..]).await?;
            match whole(&self.response[..received])? {
                Some(length) if received == length => return Ok(length),
                Some(length) if received > length => bail!("more data than one response"),
                _ => {}
            }
        }
    }
}

async fn read(stream: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
    let mut into = ReadBuf::new(into);
    poll_fn(|context| Pin::new(&mut *stream).poll_read(context, &mut into)).await?;
    match into.filled().len() {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        bytes => Ok(bytes),
    }
}

/// The length of a response, head and body, if its head is complete.
fn whole_length(response: &[u8]) -> anyhow::Result<Option<usize>> {
    const NAME: &[u8] = b"content-length:";
    let Some(head) = response.windows(4).position(|end| end == b"\r\n\r\n") else { return Ok(None) };
    let mut lines = response[..head].split(|byte| *byte == b'\n');
    let length = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    });
    // A response without a body need not have a length.
    let length = match length {
        None if response.starts_with(b"HTTP/1.1 204") => 0,
        length => std::str::from_utf8(length.context("the response has no length")?)?.trim().parse()?,
    };
    Ok(Some(head + 4 + length))
}
