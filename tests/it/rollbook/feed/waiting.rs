//! Requests that wait for a change.

use std::time::Instant;

use super::*;

#[tokio::test]
async fn a_request_waits_for_a_change_that_matches() {
    let server = Server::start();
    let admin = server.admin().await;
    make(&admin, "a").await;
    let cursor = end(&admin, 1).await;
    let (reader, path) = (admin.clone(), format!("{CHANGES}?after={cursor}&wait=55&type=group.updated"));
    let waiting = tokio::spawn(async move { reader.get(&path).await });
    followers(&server, 1).await;
    make(&admin, "b").await;
    admin.patch(&format!("{GROUPS}/b"), &json!({ "name": "B" })).await.is(200);
    let reply = waiting.await.unwrap().is(200);
    assert_eq!((groups(&reply), &reply["changes"][0]["type"]), (vec!["b"], &json!("group.updated")));
    followers(&server, 0).await;
    // What is there already is not waited for.
    let begun = Instant::now();
    let reply = admin.get(&format!("{CHANGES}?after={cursor}&wait=55&limit=1")).await.is(200);
    assert_eq!((groups(&reply), &reply["more"]), (vec!["b"], &json!(true)));
    assert!(begun.elapsed().as_secs() < 55);
}

#[tokio::test]
async fn a_wait_that_is_over_has_moved_past_what_was_filtered_out() {
    let server = Server::start();
    let admin = server.admin().await;
    make(&admin, "a").await;
    let cursor = end(&admin, 1).await;
    make(&admin, "b").await;
    end(&admin, 2).await;
    for filter in ["type=group.deleted", "operation=none"] {
        let reply = admin.get(&format!("{CHANGES}?after={cursor}&wait=1&{filter}")).await.is(200);
        assert_eq!((&reply["changes"], &reply["more"]), (&json!([]), &json!(false)), "{filter}");
        let behind = format!("{CHANGES}?type=group.created&after={}", reply["next"].as_str().unwrap());
        assert_eq!(admin.get(&behind).await.is(200)["changes"], json!([]), "{filter}");
    }
}

#[tokio::test]
async fn a_wait_is_bounded_and_only_for_what_comes() {
    let server = Server::start();
    let admin = server.admin().await;
    for wrong in ["wait=56", "wait=-1", "wait=", "wait=x", "wait=1&order=desc", "wait=1&until=2026-01-01T00:00:00Z"] {
        admin.get(&format!("{CHANGES}?{wrong}")).await.fails(400, "invalid_parameter");
    }
    admin.get(&format!("{CHANGES}?wait=0&order=desc&until=2026-01-01T00:00:00Z")).await.is(200);
}

#[tokio::test]
async fn a_wait_ends_with_its_token() {
    let server = Server::start();
    let admin = server.admin().await;
    let (_, token, reader) = long_lived(&server, &admin).await;
    let waiting = tokio::spawn(async move { reader.get(&format!("{CHANGES}?type=group.deleted&wait=55")).await });
    followers(&server, 1).await;
    let begun = Instant::now();
    admin.delete(&format!("/rollbook/v1/tokens/{token}")).await.is(204);
    waiting.await.unwrap().fails(401, "token_revoked");
    assert!(begun.elapsed().as_secs() < 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_with_the_server() {
    let mut server = Server::start();
    let admin = server.admin().await;
    make(&admin, "a").await;
    let path = format!("{CHANGES}?after={}&type=group.deleted&wait=55", end(&admin, 1).await);
    let waiting = tokio::spawn(async move { admin.get(&path).await });
    followers(&server, 1).await;
    assert!(tokio::task::block_in_place(|| server.stop()).success());
    let reply = waiting.await.unwrap().is(200);
    assert_eq!((&reply["changes"], reply["next"].is_string()), (&json!([]), true));
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_wait() {
    let server = Server::start();
    let admin = server.admin().await;
    let waiting = tokio::spawn(async move { admin.get(&format!("{CHANGES}?type=group.deleted&wait=55")).await });
    followers(&server, 1).await;
    waiting.abort();
    followers(&server, 0).await;
}
