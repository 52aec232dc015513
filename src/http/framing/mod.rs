//! A filter between a connection and the HTTP parser of hyper.
//!
//! The parser refuses characters in a target that clients send unencoded (`?DateCreated=>2015-01-01`). It responds to a
//! refused head itself: without a body, a request ID or a log line. So this filter reads each head first. It
//! percent-encodes the target if necessary. It replaces a head that the parser would refuse with a valid one. The
//! middleware responds to that request with the error in [`HeadRefusal`], and the connection ends. All other bytes pass
//! unchanged, and the bytes of ordinary requests are not copied.

mod body;
mod head;

use std::io::{self, IoSlice};
use std::mem::take;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::http::request::error::RequestError;

use super::limits::LINGER_TIME;
use body::BodyFraming;
pub(crate) use head::HEAD_BYTES;
use head::{Head, RefusedHead, encoded};

/// The refused request of a connection, and the reason. The filter sets it, and the service behind the parser reads it.
#[derive(Debug, Default)]
pub(crate) struct HeadRefusal(OnceLock<(u64, RequestError)>);

impl HeadRefusal {
    /// Returns the reason if the request with this number was refused. The first request of the connection has the
    /// number 0.
    pub(crate) fn error_for(&self, request: u64) -> Option<&RequestError> {
        self.0.get().filter(|(number, _)| *number == request).map(|(_, error)| error)
    }
}

/// The filtered stream of a connection, which the parser reads.
pub(crate) struct Framed<S> {
    stream: S,
    /// The rest of the current body. A head follows it.
    body: BodyFraming,
    /// The number of heads passed on.
    heads: u64,
    /// The received part of an incomplete head.
    partial: Vec<u8>,
    /// Bytes to pass on that could not pass directly, because they were changed or buffered.
    ready: Vec<u8>,
    /// The number of bytes of `ready` already passed on.
    passed: usize,
    /// Whether and how the input has ended.
    end: End,
    refusal: Arc<HeadRefusal>,
}

/// Whether and how the input of the connection has ended.
enum End {
    /// It has not ended.
    Open,
    /// The client closed it.
    Closed,
    /// A head was refused. Nothing more is read until the response is sent. Then the input is read and dropped until
    /// the timer expires.
    RefusedHead(Option<Pin<Box<Sleep>>>),
}

impl<S> Framed<S> {
    /// Wraps the stream of a new connection. If a request is refused, `refusal` is set before the parser reads the
    /// replacement.
    pub(crate) fn new(stream: S, refusal: Arc<HeadRefusal>) -> Self {
        let body = BodyFraming::Length(0);
        Self { stream, body, heads: 0, partial: Vec::new(), ready: Vec::new(), passed: 0, end: End::Open, refusal }
    }

    /// Takes the next bytes, and returns how many of them pass unchanged: all before the first head that is incomplete,
    /// changed or refused.
    fn unchanged(&mut self, bytes: &[u8]) -> usize {
        let mut position = 0;
        while position < bytes.len() {
            if !self.body.is_over() {
                position += self.body.advance(&bytes[position..]);
                continue;
            }
            match Head::read(&bytes[position..]) {
                Ok(Some(Head { length, to_encode: None, body })) => {
                    (self.body, self.heads) = (body, self.heads + 1);
                    position += length;
                }
                _ => break,
            }
        }
        position
    }

    /// Appends `received` bytes to the partial head, and moves what can be passed on to `ready`.
    fn process(&mut self, received: &[u8]) {
        // The empty line at the end of the head may have begun in the last three bytes.
        let from = self.partial.len().saturating_sub(3);
        let has_partial = !self.partial.is_empty();
        self.partial.extend_from_slice(received);
        if has_partial && !has_empty_line(&self.partial[from..]) && self.partial.len() < HEAD_BYTES {
            return;
        }
        let bytes = take(&mut self.partial);
        let mut position = 0;
        while position < bytes.len() {
            let unchanged = self.unchanged(&bytes[position..]);
            self.ready.extend_from_slice(&bytes[position..position + unchanged]);
            position += unchanged;
            if position == bytes.len() {
                break;
            }
            match Head::read(&bytes[position..]) {
                Ok(None) => {
                    self.partial = bytes[position..].to_vec();
                    break;
                }
                Ok(Some(head)) => {
                    self.pass_encoded(&bytes[position..position + head.length], &head);
                    (self.body, self.heads) = (head.body, self.heads + 1);
                    position += head.length;
                }
                Err(refused) => {
                    self.refuse(refused);
                    break;
                }
            }
        }
    }

    fn pass_encoded(&mut self, bytes: &[u8], head: &Head) {
        let target = head.to_encode.clone().unwrap_or_default();
        self.ready.extend_from_slice(&bytes[..target.start]);
        self.ready.extend_from_slice(encoded(&String::from_utf8_lossy(&bytes[target.clone()])).as_bytes());
        self.ready.extend_from_slice(&bytes[target.end..]);
    }

    fn refuse(&mut self, refused: RefusedHead) {
        self.ready.extend_from_slice(refused.replacement().as_bytes());
        // It was not set before: the input ends with the first refused head.
        let _ = self.refusal.0.set((self.heads, refused.error));
        self.end = End::RefusedHead(None);
    }

    /// Copies bytes of `ready` to `into` while it has room. Returns whether any were copied.
    fn copy_ready(&mut self, into: &mut ReadBuf<'_>) -> bool {
        let ready = &self.ready[self.passed..];
        let length = ready.len().min(into.remaining());
        into.put_slice(&ready[..length]);
        self.passed += length;
        if self.passed == self.ready.len() {
            (self.ready, self.passed) = (Vec::new(), 0);
        }
        length > 0
    }
}

/// Whether the bytes contain an empty line, which ends a head.
fn has_empty_line(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.copy_ready(into) {
                return Poll::Ready(Ok(()));
            }
            match self.end {
                End::Open => {}
                End::Closed => return Poll::Ready(Ok(())),
                // At the end of the input, the parser would drop the request before the response is sent.
                End::RefusedHead(_) => return Poll::Pending,
            }
            let start = into.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
            let received = &into.filled()[start..];
            if received.is_empty() {
                self.ready = take(&mut self.partial);
                self.end = End::Closed;
                continue;
            }
            let unchanged = if self.partial.is_empty() { self.unchanged(received) } else { 0 };
            if unchanged < received.len() {
                self.process(&received[unchanged..]);
                into.set_filled(start + unchanged);
            }
            if unchanged > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// After a refusal, reads and drops for a while what the client still sends.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, end, .. } = &mut *self;
        let linger = match end {
            End::RefusedHead(Some(linger)) => linger,
            End::RefusedHead(linger @ None) => {
                ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
                linger.insert(Box::pin(sleep(LINGER_TIME)))
            }
            End::Open | End::Closed => return Pin::new(stream).poll_shutdown(context),
        };
        let mut dropped = [0; 1024];
        while linger.as_mut().poll(context).is_pending() {
            let mut dropped = ReadBuf::new(&mut dropped);
            if ready!(Pin::new(&mut *stream).poll_read(context, &mut dropped)).is_err() || dropped.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
