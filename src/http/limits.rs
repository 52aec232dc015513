//! The limits of connections and requests. A request that exceeds a limit gets an error response of its API.

use std::time::Duration;

/// For how long the server reads and drops what a client still sends after it was refused. If the server closed the
/// connection with unread bytes, the kernel would reset it, and the client would lose the response.
pub const LINGER_TIME: Duration = Duration::from_secs(5);

/// The maximum number of seconds that a request for changes may wait for one. It is below [`Limits::response_time`].
pub const WAIT_SECONDS_MAX: u32 = 55;

/// The limits of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum number of open connections. Further ones wait in the kernel until they are accepted.
    pub connections: usize,
    /// The time limit to receive the head of a request; also the idle time limit of a connection.
    pub header_time: Duration,
    /// The maximum length of a URL (path and query), in bytes.
    pub url_bytes: usize,
    /// The maximum length of a body, in bytes.
    pub body_bytes: usize,
    /// The maximum length of a body with a list, on the paths that take one, in bytes.
    pub large_body_bytes: usize,
    /// The maximum length of a body without a valid token, in bytes. Also the maximum for a sign-in.
    pub anonymous_bytes: usize,
    /// The maximum total size of all bodies in memory, in bytes.
    pub body_budget: usize,
    /// The time limit to receive a body.
    pub body_time: Duration,
    /// The time limit from the head of a request to the head of its response, which includes receiving the body.
    pub response_time: Duration,
    /// The write timeout: for how long a client may read nothing of its response.
    pub write_time: Duration,
    /// The maximum number of requests that wait for changes, and of streams of changes.
    pub followers: usize,
    /// For how long a shutdown waits for requests in progress.
    pub stop_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_time: Duration::from_secs(10),
            url_bytes: 16 * 1024,
            body_bytes: 1024 * 1024,
            large_body_bytes: 16 * 1024 * 1024,
            anonymous_bytes: 64 * 1024,
            body_budget: 256 * 1024 * 1024,
            body_time: Duration::from_secs(30),
            response_time: Duration::from_secs(60),
            write_time: Duration::from_secs(30),
            followers: 1_000,
            stop_time: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_may_wait_for_changes_within_its_time_limit() {
        assert!(Duration::from_secs(WAIT_SECONDS_MAX.into()) < Limits::default().response_time);
    }
}
