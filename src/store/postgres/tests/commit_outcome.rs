//! Commits that the server does not confirm: a proxy in front of the database closes the connection at a COMMIT.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::domain::target::Target;
use crate::store::postgres::connection::session::Session;
use crate::store::postgres::write::commit_outcome::was_committed;
use crate::store::suite::entities::answers::recorded;
use crate::store::suite::{count_sign_in, id, make_user, operation, user};

/// What happens to a COMMIT and its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The COMMIT reaches the database, and the connection is closed before the response.
    ResponseLost,
    /// The connection is closed before the COMMIT reaches the database.
    RequestLost,
}

/// A proxy that forwards everything until a fate is set, which applies to the next COMMIT.
struct Proxy {
    /// The URL of the database through the proxy.
    url: String,
    next: Arc<Mutex<Option<Fate>>>,
}

impl Proxy {
    async fn before(test_database: &TestDatabase) -> Self {
        let (scheme, rest) = test_database.url().split_once("://").unwrap();
        let (user, rest) =
            rest.rsplit_once('@').map_or((String::new(), rest), |(user, rest)| (format!("{user}@"), rest));
        let (host, rest) = rest.split_once('/').unwrap();
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{user}{}/{rest}", listener.local_addr().unwrap());
        let next = Arc::new(Mutex::new(None));
        tokio::spawn({
            let next = Arc::clone(&next);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect(&host).await.unwrap();
                    tokio::spawn(forward(client, server, Arc::clone(&next)));
                }
            }
        });
        Self { url, next }
    }

    /// Sets the fate of the next COMMIT.
    fn set(&self, fate: Fate) {
        *self.next.lock().unwrap() = Some(fate);
    }
}

async fn forward(mut client: TcpStream, mut server: TcpStream, next: Arc<Mutex<Option<Fate>>>) {
    let (mut sent, mut received) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let Ok(count @ 1..) = read else { return };
                let commits = sent[..count].windows(7).any(|bytes| bytes == b"COMMIT\0");
                let fate = if commits { next.lock().unwrap().take() } else { None };
                match fate {
                    Some(Fate::RequestLost) => return,
                    Some(Fate::ResponseLost) => {
                        server.write_all(&sent[..count]).await.unwrap();
                        drop(client);
                        // Wait until the database has executed everything that was sent.
                        server.shutdown().await.unwrap();
                        while matches!(server.read(&mut received).await, Ok(1..)) {}
                        return;
                    }
                    None => server.write_all(&sent[..count]).await.unwrap(),
                }
            }
            read = server.read(&mut received) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&received[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

// Several threads, because the proxy must run while the thread of the test blocks to read the journal.
#[tokio::test(flavor = "multi_thread")]
async fn an_unconfirmed_commit_is_looked_up_or_retried() {
    let test_database = TestDatabase::new().await;
    let proxy = Proxy::before(&test_database).await;
    let store = open_at(&proxy.url).await;
    for (name, fate) in [("response-lost", Fate::ResponseLost), ("request-lost", Fate::RequestLost)] {
        make_group(&store, group(&format!("{name}-before"), "n")).await;
        proxy.set(fate);
        let operation = Operation { id: name.to_owned(), ..operation(2) };
        let fields = group(name, "n");
        let update = Box::new(move |_: Option<&Group>| Ok(crate::store::Mutation::Put(fields.clone())));
        let made = store.write_group(operation, Target::New, update).await.unwrap();
        assert!(proxy.next.lock().unwrap().is_none(), "the connection was lost");
        let result = store.group(&GroupKey::Id(id(name))).await.unwrap().unwrap();
        assert_eq!(**result, made, "{fate:?}");
        let entries = store.journal().into_iter().filter(|entry| entry.operation == name).count();
        assert_eq!(entries, 1, "{fate:?}: committed once");
    }
    assert_eq!(store.state().counters[0], 4);
}

#[tokio::test]
async fn a_write_without_a_journal_entry_has_an_unknown_outcome() {
    let test_database = TestDatabase::new().await;
    let proxy = Proxy::before(&test_database).await;
    let store = open_at(&proxy.url).await;
    let uid = make_user(&store, user("u")).await.uid;
    proxy.set(Fate::ResponseLost);
    let counted = count_sign_in(&store, uid, Timestamp::from_micros(0), false).await;
    assert!(matches!(counted, Err(Error::OutcomeUnknown(_))), "{counted:?}");
    proxy.set(Fate::ResponseLost);
    assert!(store.unlock(operation(3), uid).await.unwrap(), "an idempotent write is retried");
}

/// A change that wrote no journal entry is found by the row of its key.
#[tokio::test(flavor = "multi_thread")]
async fn an_unconfirmed_commit_of_a_recorded_answer_is_looked_up_by_its_key() {
    let test_database = TestDatabase::new().await;
    let proxy = Proxy::before(&test_database).await;
    let store = open_at(&proxy.url).await;
    let made = make_group(&store, group("g", "Name")).await;
    for (second, fate) in [(2, Fate::ResponseLost), (3, Fate::RequestLost)] {
        proxy.set(fate);
        let (key, calls) = (format!("key-{second}"), Arc::new(Mutex::new(0)));
        let update = Box::new({
            let calls = Arc::clone(&calls);
            move |_: Option<&Group>| {
                *calls.lock().unwrap() += 1;
                Ok(crate::store::Mutation::Put(group("g", "Name")))
            }
        });
        let target = Target::Key(GroupKey::Id(id("g")));
        assert_eq!(store.write_group(recorded(second, &key), target, update).await.unwrap(), made, "{fate:?}");
        assert!(proxy.next.lock().unwrap().is_none(), "the connection was lost");
        let runs = if fate == Fate::ResponseLost { 1 } else { 2 };
        assert_eq!(*calls.lock().unwrap(), runs, "{fate:?}");
    }
}

const TRACE: &str = "SELECT EXISTS (SELECT 1 FROM journal WHERE operation = $1)";

#[tokio::test]
async fn an_outcome_is_known_once_its_session_has_ended() {
    for (end, committed) in [("COMMIT", true), ("ROLLBACK", false)] {
        let (store, test_database) = open().await;
        let session = Session::open(&store.point_reads.connector, &LIMITS, 0).await.unwrap();
        let entry =
            "INSERT INTO journal (operation, at, channel, kind, change, subject) VALUES ('it', 0, '', '', '', 0)";
        session.client().batch_execute(&format!("BEGIN; {entry}")).await.unwrap();
        let (store, lock_key) = (Arc::new(store), session.lock_key());
        let lookup = tokio::spawn({
            let store = Arc::clone(&store);
            async move { was_committed(&store.pool, lock_key, TRACE, &[&"it"]).await }
        });
        let watcher = test_database.connect().await;
        let waits = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)";
        while !watcher.query_one(waits, &[]).await.unwrap().get::<_, bool>(0) {}
        assert!(!lookup.is_finished(), "the session could still commit");
        session.client().batch_execute(end).await.unwrap();
        drop(session);
        assert_eq!(lookup.await.unwrap(), Some(committed), "{end}");
    }
}
