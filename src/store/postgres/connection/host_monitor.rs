//! The host monitor: looks for a newer primary among the hosts of the database URL.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::connector::Connector;
use super::primary::ServerIdentity;

/// The time limit for the query of one host. All hosts are queried at the same time.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);

/// The hosts of the database URL, in its order.
pub(crate) struct HostMonitor {
    connector: Arc<Connector>,
    hosts: Vec<MonitoredHost>,
}

/// One host.
#[derive(Default)]
struct MonitoredHost {
    /// The connection for queries of its identity.
    client: Option<Client>,
    /// Why its server must not be used, as last logged.
    refusal: Option<String>,
}

impl HostMonitor {
    /// A monitor without connections; they are opened by the queries.
    pub(crate) fn new(connector: Arc<Connector>) -> Self {
        Self { hosts: connector.hosts().iter().map(|_| MonitoredHost::default()).collect(), connector }
    }

    /// Queries the identity of all hosts except the one that sessions are on. From then on, sessions are opened on the
    /// host that accepts writes on the highest timeline. Does nothing if the URL has only one host.
    pub(crate) async fn compare(&mut self) {
        if self.hosts.len() < 2 {
            return;
        }
        let (connector, current) = (&self.connector, self.connector.current_host());
        let queries = self.hosts.iter_mut().enumerate().map(async |(at, host)| {
            if current == Some(at) {
                *host = MonitoredHost::default();
                return None;
            }
            timeout(QUERY_TIMEOUT, host.query(connector, at)).await.unwrap_or_default()
        });
        let identities = join_all(queries).await;
        // In the order of the URL: the first host determines which cluster is meant.
        for (at, identity) in identities.into_iter().enumerate() {
            if let Some(identity) = identity {
                self.hosts[at].record(connector, at, &identity);
            }
        }
    }
}

impl MonitoredHost {
    /// Returns the identity of its server; `None` if it does not respond, like a standby that is down.
    async fn query(&mut self, connector: &Connector, at: usize) -> Option<ServerIdentity> {
        let client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => connector.connect_for_identity(at).await.ok()?,
        };
        let identity = ServerIdentity::query(&client).await.ok()?;
        self.client = Some(client);
        Some(identity)
    }

    /// Passes the identity to the connector, and logs a refusal once.
    fn record(&mut self, connector: &Connector, at: usize, identity: &ServerIdentity) {
        let refusal = connector.record_identity(at, identity).err();
        if let Some(refusal) = refusal.as_ref().filter(|refusal| self.refusal.as_ref() != Some(refusal)) {
            tracing::warn!(host = %connector.hosts()[at], "not used: {refusal}");
        }
        self.refusal = refusal;
    }
}
