//! Connections: URL, TLS, sessions, pool, primary server, database errors.

pub(super) mod connector;
pub(super) mod database_error;
pub(super) mod host_monitor;
pub(super) mod integrity;
pub(super) mod pool;
pub(super) mod pooler;
pub(super) mod preflight;
pub(super) mod primary;
pub(super) mod readiness;
pub(super) mod session;
pub(super) mod tls;
pub(super) mod url;
pub(super) mod watch;
