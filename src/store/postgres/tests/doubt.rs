//! Commits of which nobody says whether they were done: a proxy in front of the database loses the connection at one.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::store::postgres::outcome::was_made;
use crate::store::postgres::session::Session;
use crate::store::suite::{id, make_user, operation, user};

/// What becomes of a COMMIT on its way to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It arrives, and its answer is lost with the connection.
    Answerless,
    /// It is lost with the connection.
    Lost,
}

/// A proxy that lets everything through until it is told of a fate, which the next COMMIT meets.
struct Proxy {
    url: String,
    next: Arc<Mutex<Option<Fate>>>,
}

impl Proxy {
    async fn before(scratch: &Scratch) -> Self {
        let (head, place) = scratch.url().split_once("://").unwrap();
        let (user, place) =
            place.rsplit_once('@').map_or((String::new(), place), |(user, place)| (format!("{user}@"), place));
        let (host, rest) = place.split_once('/').unwrap();
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{head}://{user}{}/{rest}", listener.local_addr().unwrap());
        let next = Arc::new(Mutex::new(None));
        tokio::spawn({
            let next = Arc::clone(&next);
            async move {
                while let Ok((near, _)) = listener.accept().await {
                    let far = TcpStream::connect(&host).await.unwrap();
                    tokio::spawn(forward(near, far, Arc::clone(&next)));
                }
            }
        });
        Self { url, next }
    }

    fn meets(&self, fate: Fate) {
        *self.next.lock().unwrap() = Some(fate);
    }
}

async fn forward(mut near: TcpStream, mut far: TcpStream, next: Arc<Mutex<Option<Fate>>>) {
    let (mut sent, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = near.read(&mut sent) => {
                let Ok(count @ 1..) = read else { return };
                let commits = sent[..count].windows(7).any(|bytes| bytes == b"COMMIT\0");
                let fate = if commits { next.lock().unwrap().take() } else { None };
                match fate {
                    Some(Fate::Lost) => return,
                    Some(Fate::Answerless) => {
                        far.write_all(&sent[..count]).await.unwrap();
                        drop(near);
                        // Until the database has done all that it was sent.
                        far.shutdown().await.unwrap();
                        while matches!(far.read(&mut answered).await, Ok(1..)) {}
                        return;
                    }
                    None => far.write_all(&sent[..count]).await.unwrap(),
                }
            }
            read = far.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if near.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

// The proxy goes on while the test's thread reads the journal.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_commit_is_answered_truly() {
    let scratch = Scratch::new().await;
    let proxy = Proxy::before(&scratch).await;
    let store = open_at(&proxy.url).await;
    for (name, fate) in [("answerless", Fate::Answerless), ("lost", Fate::Lost)] {
        make_group(&store, group(&format!("{name}-before"), "n")).await;
        proxy.meets(fate);
        let operation = Operation { id: name.to_owned(), ..operation(2) };
        let fields = group(name, "n");
        let edit = Box::new(move |_: Option<&Group>| Ok(crate::store::Write::Put(fields.clone())));
        let made = store.write_group(operation, GroupKey::New, edit).await.unwrap();
        assert!(proxy.next.lock().unwrap().is_none(), "the connection was lost");
        let found = store.group(&GroupKey::Id(id(name))).await.unwrap().unwrap();
        assert_eq!(**found, made, "{fate:?}");
        let entries = store.journal().into_iter().filter(|entry| entry.operation == name).count();
        assert_eq!(entries, 1, "{fate:?}: made once");
    }
    assert_eq!(store.state().counters[0], 4);
}

#[tokio::test]
async fn what_leaves_no_trace_is_said_to_be_unknown() {
    let scratch = Scratch::new().await;
    let proxy = Proxy::before(&scratch).await;
    let store = open_at(&proxy.url).await;
    let uid = make_user(&store, user("u")).await.uid;
    proxy.meets(Fate::Answerless);
    let counted = store.count_sign_in(uid, Timestamp::from_micros(0), false).await;
    assert!(matches!(counted, Err(Error::OutcomeUnknown(_))), "{counted:?}");
    proxy.meets(Fate::Answerless);
    assert!(store.unlock(uid).await.unwrap(), "what can be done twice is done again");
}

#[tokio::test]
async fn an_outcome_is_told_once_its_session_has_ended() {
    for (end, made) in [("COMMIT", true), ("ROLLBACK", false)] {
        let (store, scratch) = open().await;
        let session = Session::open(&store.points.address, &LIMITS, 0).await.unwrap();
        let entry = "INSERT INTO journal (operation, at, door, kind, change, subject) VALUES ('it', 0, '', '', '', 0)";
        session.client().batch_execute(&format!("BEGIN; {entry}")).await.unwrap();
        let (store, key) = (Arc::new(store), session.key());
        let told = tokio::spawn({
            let store = Arc::clone(&store);
            async move { was_made(&store.pool, key, "it").await }
        });
        let watcher = scratch.connect().await;
        let waits = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)";
        while !watcher.query_one(waits, &[]).await.unwrap().get::<_, bool>(0) {}
        assert!(!told.is_finished(), "the session could still commit");
        session.client().batch_execute(end).await.unwrap();
        drop(session);
        assert_eq!(told.await.unwrap(), Some(made), "{end}");
    }
}
