//! The feed as Server-Sent Events.

use super::*;
use crate::support::{A, B, Event, Events, FULL, RawConnection};

/// The next so many changes of the stream.
async fn changes(events: &mut Events, count: usize) -> Vec<Event> {
    let mut changes = Vec::new();
    while changes.len() < count {
        changes.push(events.change().await.expect("a change"));
    }
    changes
}

#[tokio::test]
async fn a_stream_tells_every_change_once_and_goes_on_behind_any() {
    let server = Server::start();
    let admin = server.admin().await;
    let path = format!("{CHANGES}?type=group.created");
    let mut events = Events::open(&admin, &path, None).await;
    for number in 0..10 {
        make(&admin, &format!("g{number}")).await;
    }
    let told = changes(&mut events, 10).await;
    end(&admin, 10).await;
    let polled = admin.get(&path).await.is(200);
    let data: Vec<_> = told.iter().map(|event| event.data.clone()).collect();
    assert_eq!(json!(data), polled["changes"]);
    assert!(told.iter().all(|event| event.kind == "group.created"), "{told:?}");
    // The header wins over the parameter, and `limit` only bounds what is read at once.
    for at in [0, 4, 8] {
        let path = format!("{path}&limit=2&after={}", told[9].id);
        let mut events = Events::open(&admin, &path, Some(&told[at].id)).await;
        assert_eq!(changes(&mut events, 9 - at).await, told[at + 1..]);
    }
    let mut events = Events::open(&admin, &format!("{path}&after={}", told[8].id), Some("")).await;
    assert_eq!(changes(&mut events, 1).await, told[9..]);
    make(&admin, "later").await;
    assert_eq!(changes(&mut events, 1).await[0].data["group"]["id"], "later");
}

#[tokio::test]
async fn a_stream_moves_on_while_everything_is_filtered_out() {
    let server = Server::start();
    let admin = server.admin().await;
    make(&admin, "a").await;
    let cursor = end(&admin, 1).await;
    let path = format!("{CHANGES}?type=group.deleted&after={cursor}");
    let mut events = Events::open(&admin, &path, None).await;
    make(&admin, "b").await;
    let moved = events.next().await.unwrap();
    assert_eq!((&*moved.kind, &moved.data), ("cursor", &json!({})));
    let behind = admin.get(&format!("{CHANGES}?type=group.created&after={}", moved.id)).await.is(200);
    assert_eq!(behind["changes"], json!([]));
    admin.delete(&format!("{GROUPS}/b")).await.is(204);
    let deleted = events.change().await.unwrap();
    assert_eq!(deleted.data["group"]["id"], "b");
    let mut events = Events::open(&admin, &path, Some(&moved.id)).await;
    assert_eq!(events.change().await.unwrap(), deleted);
}

/// The command line is another process.
#[tokio::test]
async fn a_stream_tells_what_another_process_changed() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut events = Events::open(&admin, &format!("{CHANGES}?channel=cli&type=group.created"), None).await;
    for group in ["a", "b"] {
        server.cli().run(&["group", "create", "--name", "G", "--id", group]).printed();
        assert_eq!(changes(&mut events, 1).await[0].data["group"]["id"], group);
    }
    followers(&server, 1).await;
    drop(events);
    followers(&server, 0).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let server = Server::start();
    let admin = server.admin().await;
    let (client, token, reader) = long_lived(&server, &admin).await;
    let mut events = Events::open(&reader, &format!("{CHANGES}?type=group.deleted"), None).await;
    admin.delete(&format!("/rollbook/v1/tokens/{token}")).await.is(204);
    assert_eq!(events.change().await, None);
    let token = admin.post(&format!("/rollbook/v1/clients/{client}/tokens"), &json!({ "name": "n" })).await.is(201);
    let reader = server.bearer(token["secret"].as_str().unwrap());
    let mut events = Events::open(&reader, &format!("{CHANGES}?type=group.deleted"), None).await;
    admin.patch(&format!("/rollbook/v1/clients/{client}"), &json!({ "enabled": false })).await.is(200);
    assert_eq!(events.change().await, None);
    followers(&server, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_server() {
    let mut server = Server::start();
    let admin = server.admin().await;
    let mut events = Events::open(&admin, &format!("{CHANGES}?type=group.deleted"), None).await;
    assert!(tokio::task::block_in_place(|| server.stop()).success());
    assert_eq!(events.change().await, None);
    assert!(!server.log().contains("requests were in progress"), "{}", server.log());
}

#[tokio::test]
async fn comments_show_that_a_quiet_stream_lives() {
    let server = Server::start();
    let admin = server.admin().await;
    let mut stream = RawConnection::connect(server.address());
    open_raw(&mut stream, &server, &admin);
    for _ in 0..2 {
        while stream.read_line() != ":\n" {}
    }
}

/// Sends the request for all changes.
fn open_raw(stream: &mut RawConnection, server: &Server, admin: &Caller) {
    let (address, token) = (server.address(), admin.bearer());
    stream.write(format!(
        "GET {CHANGES} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n"
    ));
}

#[tokio::test]
async fn whose_communities_are_narrowed_gets_nothing_foreign_any_more() {
    let server = Server::start();
    let admin = server.admin().await;
    let (id, secret) = server.make_client(&[FULL], &[A, B], &[]);
    let limited = server.bearer(&server.client_token(&id, &secret).await);
    for (id, community) in [("own", A), ("foreign", B)] {
        admin.post(GROUPS, &json!({ "id": id, "name": id, "communities": [community] })).await.is(201);
    }
    make(&admin, "open").await;
    let mut events = Events::open(&limited, CHANGES, None).await;
    let told = changes(&mut events, 2).await;
    assert_eq!((&told[0].data["group"]["id"], &told[1].data["group"]["id"]), (&json!("own"), &json!("foreign")));
    admin.patch(&format!("/rollbook/v1/clients/{id}"), &json!({ "communities": [A] })).await.is(200);
    for group in ["foreign", "own"] {
        admin.patch(&format!("{GROUPS}/{group}"), &json!({ "name": "New" })).await.is(200);
    }
    let next = events.change().await.unwrap();
    assert_eq!((&next.data["group"]["id"], &*next.kind), (&json!("own"), "group.updated"));
    // And what was limited becomes limited further: to no group that there is.
    admin.patch(&format!("/rollbook/v1/clients/{id}"), &json!({ "communities": [crate::support::C] })).await.is(200);
    admin.patch(&format!("{GROUPS}/own"), &json!({ "name": "Newer" })).await.is(200);
    assert_eq!(events.next().await.unwrap().kind, "cursor");
}

#[tokio::test]
async fn an_unlimited_reader_that_becomes_limited_gets_nothing_foreign() {
    let server = Server::start();
    let admin = server.admin().await;
    let (id, secret) = server.make_client(&[FULL], &[], &[]);
    let reader = server.bearer(&server.client_token(&id, &secret).await);
    let mut events = Events::open(&reader, &format!("{CHANGES}?type=group.created"), None).await;
    make(&admin, "a").await;
    assert_eq!(changes(&mut events, 1).await[0].data["group"]["id"], "a");
    admin.patch(&format!("/rollbook/v1/clients/{id}"), &json!({ "communities": [A] })).await.is(200);
    make(&admin, "b").await;
    admin.post(GROUPS, &json!({ "id": "own", "name": "own", "communities": [A] })).await.is(201);
    assert_eq!(changes(&mut events, 1).await[0].data["group"]["id"], "own");
}

/// The number of long changes that a reader does not read.
const UPDATES: usize = 1_200;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stops_reading_holds_nobody_up() {
    let mut server = Server::start();
    let admin = server.admin().await;
    let mut stuck = RawConnection::connect(server.address());
    open_raw(&mut stuck, &server, &admin);
    let mut events = Events::open(&admin, &format!("{CHANGES}?type=group.updated"), None).await;
    // 16 KB each, in all more than the buffers of both ends of a connection hold.
    let long = "x".repeat(7_900);
    make(&admin, "g").await;
    for number in 0..UPDATES {
        admin.patch(&format!("{GROUPS}/g"), &json!({ "xp": { "long": format!("{number}{long}") } })).await.is(200);
    }
    assert_eq!(changes(&mut events, UPDATES).await.len(), UPDATES);
    followers(&server, 2).await;
    assert!(tokio::task::block_in_place(|| server.stop()).success());
    drop(stuck);
}
