//! The primary server. After a failover that did not stop the old primary, two servers accept writes. Each promotion
//! begins a new timeline, so the server on the highest timeline is the primary (docs/operations.md, section 4).

use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::watch::Sender;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

/// The time limit for the query of a server's identity.
const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(2);

/// The timeline of a server that accepts writes: the first eight digits of the name of its write-ahead log file.
const TIMELINE: &str = "CASE WHEN NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' \
                        THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END";
/// The system identifier. Not every role may read it.
const CLUSTER: &str = "(SELECT system_identifier FROM pg_control_system())";

/// The identity that a server reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerIdentity {
    /// The system identifier, which all servers of one cluster share; `None` if the role may not read it.
    pub cluster: Option<String>,
    /// The timeline; `None` if the server does not accept writes.
    pub timeline: Option<u32>,
}

impl ServerIdentity {
    /// Queries the server. Fails with the reason.
    pub(crate) async fn query(client: &Client) -> Result<Self, String> {
        let identity = timeout(IDENTIFY_TIMEOUT, Self::query_untimed(client)).await;
        let identity = identity.map_err(|_| "the server did not report its identity in time".to_owned())?;
        identity.map_err(|error| super::database_error::text(&error))
    }

    async fn query_untimed(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let complete = client.simple_query(&format!("SELECT {TIMELINE}, {CLUSTER}")).await;
        let messages = match complete {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                client.simple_query(&format!("SELECT {TIMELINE}, NULL")).await?
            }
            messages => messages?,
        };
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let value = |at| row.and_then(|row: &SimpleQueryRow| row.get(at));
        let timeline = value(0).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        Ok(Self { cluster: value(1).map(str::to_owned), timeline })
    }
}

/// What is known about the cluster from the identities of its servers.
#[derive(Debug, Default)]
pub(crate) struct ClusterState {
    /// The system identifier; unset until a server reported it.
    cluster: OnceLock<String>,
    /// The highest timeline of a server that accepts writes; 0 if none is known.
    highest_timeline: Sender<u32>,
}

impl ClusterState {
    /// Records the identity of a server. Fails with the reason and what to do if the server must not be used: it
    /// belongs to another cluster, or is an old primary.
    pub(crate) fn admit(&self, identity: &ServerIdentity) -> Result<(), String> {
        if let Some(cluster) = &identity.cluster {
            let known = self.cluster.get_or_init(|| cluster.clone());
            if known != cluster {
                return Err(format!(
                    "it is a server of another database cluster (system identifier {cluster}, not {known}): take it \
                     out of --database, or restart Rollbook if the directory has moved there"
                ));
            }
        }
        let timeline = identity.timeline.unwrap_or(u32::MAX);
        if identity.timeline.is_some() {
            self.highest_timeline
                .send_if_modified(|highest| std::mem::replace(highest, timeline.max(*highest)) < timeline);
        }
        let highest = self.highest_timeline();
        if timeline < highest {
            return Err(format!("it is an old primary, on timeline {timeline}, and another server is on {highest}"));
        }
        Ok(())
    }

    /// The highest known timeline; 0 if none is known.
    pub(crate) fn highest_timeline(&self) -> u32 {
        *self.highest_timeline.borrow()
    }

    /// Waits until a higher timeline than this is known.
    pub(crate) async fn wait_above(&self, timeline: u32) {
        // `self` owns the sender, so the wait cannot fail.
        let mut highest = self.highest_timeline.subscribe();
        let _reached = highest.wait_for(|highest| *highest > timeline).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(cluster: &str, timeline: Option<u32>) -> ServerIdentity {
        ServerIdentity { cluster: Some(cluster.to_owned()), timeline }
    }

    #[tokio::test]
    async fn the_highest_timeline_of_one_cluster_is_admitted() {
        let cluster_state = ClusterState::default();
        cluster_state.admit(&identity("one", Some(2))).unwrap();
        cluster_state.admit(&identity("one", Some(2))).unwrap();
        let old = cluster_state.admit(&identity("one", Some(1))).unwrap_err();
        assert!(old.contains("an old primary, on timeline 1"), "{old}");
        let other = cluster_state.admit(&identity("other", Some(9))).unwrap_err();
        assert!(other.contains("another database cluster"), "{other}");
        assert_eq!(cluster_state.highest_timeline(), 2, "no timeline of another cluster counts");
        cluster_state.admit(&identity("one", Some(3))).unwrap();
        cluster_state.wait_above(2).await;
        cluster_state.admit(&identity("one", Some(2))).unwrap_err();
        cluster_state.admit(&identity("one", None)).unwrap();
        cluster_state.admit(&ServerIdentity { cluster: None, timeline: Some(3) }).unwrap();
    }
}
