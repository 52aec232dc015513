//! A connection that is kept, for load: one request after the other, each answer read whole. It speaks HTTP/1.1, or
//! what the caller knows how to tell the length of.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// After so long without its answer a request has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the answer is that begins so, if that can be told yet.
pub type Framing = fn(&[u8]) -> anyhow::Result<Option<usize>>;

/// A connection.
pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// What came back: the status, and head and body as they came.
pub struct Answer<'a> {
    pub status: u16,
    pub bytes: &'a [u8],
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: vec![0; 64 * 1024] })
    }

    /// Sends a request and reads its answer, which must tell its length. After an error the connection is of no use.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        let bytes = self.ask_so(request, whole_length).await?;
        let status = bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        Ok(Answer { status: status.context("no status")?, bytes })
    }

    /// The same in any protocol: `whole` tells how long the answer is, once so much of it is there that it can be told.
    pub async fn ask_so(&mut self, request: &[u8], whole: Framing) -> anyhow::Result<&[u8]> {
        let length = timeout(PATIENCE, self.exchange(request, whole)).await.context("no answer in time")??;
        Ok(&self.answer[..length])
    }

    async fn exchange(&mut self, request: &[u8], whole: Framing) -> anyhow::Result<usize> {
        let mut sent = 0;
        while sent < request.len() {
            sent += poll_fn(|context| Pin::new(&mut self.stream).poll_write(context, &request[sent..])).await?;
        }
        let mut received = 0;
        loop {
            if received == self.answer.len() {
                self.answer.resize(2 * received, 0);
            }
            received += read(&mut self.stream, &mut self.answer[received..]).await?;
            match whole(&self.answer[..received])? {
                Some(length) if received == length => return Ok(length),
                Some(length) if received > length => bail!("more was sent than one answer"),
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

/// How long an answer is, head and body, once its head is there.
fn whole_length(answer: &[u8]) -> anyhow::Result<Option<usize>> {
    const NAME: &[u8] = b"content-length:";
    let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { return Ok(None) };
    let mut lines = answer[..head].split(|byte| *byte == b'\n');
    let length = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    });
    // An answer without a body need not tell that it has none.
    let length = match length {
        None if answer.starts_with(b"HTTP/1.1 204") => 0,
        length => std::str::from_utf8(length.context("the answer tells no length")?)?.trim().parse()?,
    };
    Ok(Some(head + 4 + length))
}
