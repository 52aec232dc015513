//! Compares the output of the filter with the expected bytes, for input split at any position.

use std::collections::VecDeque;

use proptest::prelude::*;
use tokio::io::AsyncReadExt as _;

use super::*;

/// A stream that returns one piece per read.
struct Pieces(VecDeque<Vec<u8>>);

impl Pieces {
    /// Splits the bytes into pieces of these lengths, which repeat.
    fn new(bytes: &[u8], lengths: &[usize]) -> Self {
        let (mut rest, mut lengths) = (bytes, lengths.iter().cycle());
        let mut pieces = VecDeque::new();
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
            pieces.push_back(piece.to_vec());
            rest = more;
        }
        Self(pieces)
    }
}

impl AsyncRead for Pieces {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(into.remaining()));
            into.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Returns all bytes that the parser reads, in reads of at most `read_size` bytes, and the number of the refused
/// request.
fn filtered(bytes: &[u8], lengths: &[usize], read_size: usize) -> (Vec<u8>, Option<u64>) {
    let refusal = Arc::new(HeadRefusal::default());
    let mut framed = Framed::new(Pieces::new(bytes, lengths), Arc::clone(&refusal));
    let mut context = Context::from_waker(std::task::Waker::noop());
    let (mut all, mut buffer) = (Vec::new(), vec![0; read_size]);
    loop {
        let mut into = ReadBuf::new(&mut buffer);
        match Pin::new(&mut framed).poll_read(&mut context, &mut into) {
            Poll::Ready(Ok(())) if !into.filled().is_empty() => all.extend_from_slice(into.filled()),
            _ => return (all, refusal.0.get().map(|(number, _)| *number)),
        }
    }
}

/// A request as the client sends it, and as the parser must read it.
fn request() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let target = prop::sample::select(vec![
        ("/", "/"),
        ("/v1/usergroups?Name=a%3Cb", "/v1/usergroups?Name=a%3Cb"),
        ("/v1/adminusers?DateCreated=>2015", "/v1/adminusers?DateCreated=%3E2015"),
        ("/v1/usergroups?search=\"дом\"", "/v1/usergroups?search=%22%D0%B4%D0%BE%D0%BC%22"),
        ("/<>", "/%3C%3E"),
    ]);
    let content =
        prop::sample::select(vec!["", "<", "{\"a\":\"<\"}", "GET /<> HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n", "é"]);
    let line_end = prop::sample::select(vec!["", "", "\r\n"]);
    (target, content, prop::bool::ANY, line_end).prop_map(|((target, encoded), content, chunked, before)| {
        let rest = match chunked {
            true => {
                let chunks: String =
                    content.split_inclusive('<').map(|own| format!("{:x}\r\n{own}\r\n", own.len())).collect();
                format!("X: <é>\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\nT: <\r\n\r\n")
            }
            false => format!("content-length: {}\r\nX: \"\r\n\r\n{content}", content.len()),
        };
        let whole = |target: &str| format!("{before}POST {target} HTTP/1.1\r\nHost: x\r\n{rest}").into_bytes();
        (whole(target), whole(encoded))
    })
}

proptest! {
    #[test]
    fn targets_are_encoded_and_all_else_passes(
        requests in prop::collection::vec(request(), 1..6),
        lengths in prop::collection::vec(1..200_usize, 1..8),
        read_size in 1..300_usize,
    ) {
        let sent: Vec<u8> = requests.iter().flat_map(|(sent, _)| sent.clone()).collect();
        let expected: Vec<u8> = requests.iter().flat_map(|(_, expected)| expected.clone()).collect();
        let (all, refused) = filtered(&sent, &lengths, read_size);
        prop_assert_eq!(String::from_utf8_lossy(&all), String::from_utf8_lossy(&expected));
        prop_assert_eq!(refused, None);
    }

    #[test]
    fn a_refused_head_is_replaced_at_any_position(
        requests in prop::collection::vec(request(), 0..4),
        bad in prop::sample::select(vec![
            "nonsense\r\n\r\n",
            "GET / HTTP/9.9\r\n\r\n",
            "POST /v1 HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "\u{16}\u{3}\u{1}\r\n\r\n",
        ]),
        lengths in prop::collection::vec(1..200_usize, 1..8),
    ) {
        let mut sent: Vec<u8> = requests.iter().flat_map(|(sent, _)| sent.clone()).collect();
        sent.extend_from_slice(bad.as_bytes());
        sent.extend_from_slice(b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n");
        let before: Vec<u8> = requests.iter().flat_map(|(_, expected)| expected.clone()).collect();
        let (all, refused) = filtered(&sent, &lengths, 1_000);
        prop_assert_eq!(refused, Some(requests.len() as u64));
        prop_assert!(all.starts_with(&before));
        let replacement = String::from_utf8_lossy(&all[before.len()..]);
        prop_assert!(replacement.ends_with(" HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n"), "{}", replacement);
        prop_assert_eq!(replacement.matches("\r\n\r\n").count(), 1);
    }

    #[test]
    fn any_input_passes_or_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), lengths in prop::collection::vec(1..50_usize, 1..4)) {
        let (all, refused) = filtered(&bytes, &lengths, 64);
        prop_assert!(refused.is_some() || all == bytes);
    }
}

#[test]
fn after_a_malformed_chunk_bytes_pass_unchanged() {
    let sent = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nGET /<> HTTP/1.1\r\n\r\n";
    assert_eq!(filtered(sent, &[1_000], 1_000), (sent.to_vec(), None));
}

#[test]
fn an_incomplete_head_passes_unchanged() {
    let sent = b"GET /<> HTTP/1.1\r\nHo";
    assert_eq!(filtered(sent, &[3], 7), (sent.to_vec(), None));
}

#[test]
fn a_head_over_the_limit_is_refused() {
    let sent = format!("GET /v1 HTTP/1.1\r\nx: {}", "y".repeat(2 * HEAD_BYTES));
    let (all, refused) = filtered(sent.as_bytes(), &[1_000], 1_000);
    assert_eq!((all.starts_with(b"GET /v1 HTTP/1.1\r\nhost: refused"), refused), (true, Some(0)));
}

#[tokio::test]
async fn input_after_a_refusal_is_read() {
    let (mut client, server) = tokio::io::duplex(64);
    let mut framed = Framed::new(server, Arc::default());
    let sending = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        client.write_all(b"nonsense\r\n\r\n").await.unwrap();
        client.write_all(&[b'x'; 10_000]).await.unwrap();
    });
    let mut head = [0; 10];
    framed.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"GET * HTTP");
    std::future::poll_fn(|context| Pin::new(&mut framed).poll_shutdown(context)).await.unwrap();
    sending.await.unwrap();
}
