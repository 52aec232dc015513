//! The name of every metric, for the code that records it and for its description in `telemetry.rs`.

/// Counter by route, method and status: requests with a response.
pub(crate) const HTTP_REQUESTS: &str = "rollbook_http_requests_total";
/// Histogram by route and method: seconds until the head of the response.
pub(crate) const HTTP_LATENCY: &str = "rollbook_http_request_seconds";
/// Gauge: requests that wait for changes, and streams of changes.
pub(crate) const FOLLOWERS: &str = "rollbook_followers";
/// Gauge, SQLite: writes that wait for the writer.
pub(crate) const WRITE_QUEUE: &str = "rollbook_write_queue";
/// Histogram, SQLite: writes committed in one transaction.
pub(crate) const COMMIT_SIZE: &str = "rollbook_commit_size";
/// Gauge, SQLite: bytes of the write-ahead log.
pub(crate) const WAL_BYTES: &str = "rollbook_wal_bytes";
/// Gauge: long-lived tokens that expire within 30 days, counted every hour; at most 1,000.
pub(crate) const TOKENS_EXPIRING: &str = "rollbook_tokens_expiring";
/// Counter: sign-ins that could not be recorded, because too many waited or the database could not be written.
pub(crate) const SIGN_INS_LOST: &str = "rollbook_sign_ins_lost_total";
/// Gauge, PostgreSQL: connections of the pool, updated at each request for one.
pub(crate) const DATABASE_CONNECTIONS: &str = "rollbook_database_connections";
/// Gauge, PostgreSQL: requests that wait for a connection.
pub(crate) const DATABASE_WAITING: &str = "rollbook_database_waiting";
/// Counter, PostgreSQL: transactions repeated after a conflict or a lost connection.
pub(crate) const DATABASE_RETRIES: &str = "rollbook_database_retries_total";
/// Counter, PostgreSQL: commits whose outcome stayed unknown.
pub(crate) const DATABASE_UNKNOWN_OUTCOMES: &str = "rollbook_database_unknown_outcomes_total";
