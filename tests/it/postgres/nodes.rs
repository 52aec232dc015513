//! Several nodes on one database: clients cannot distinguish them from one node.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use super::{launch, two_nodes};
use crate::support::{
    CORE, Caller, Database, FULL, PASSWORD, Reply, Server, Store, core_groups, eventually, everything, make_group,
    make_user, sql,
};

const GROUPS: &str = "/v1/usergroups";
/// The time limit within which the end of a token applies on another node.
const REVOCATION_LIMIT: Duration = Duration::from_secs(5);

/// Sends the same request `count` times concurrently, to the nodes in turn.
async fn at_once(nodes: &[Caller], count: usize, method: &str, path: &str, body: &Json) -> Vec<Reply> {
    let mut sending = JoinSet::new();
    for node in nodes.iter().cycle().take(count) {
        let (node, request) = (node.clone(), node.request(method, path).json(body));
        sending.spawn(async move { node.send(request).await });
    }
    sending.join_all().await
}

async fn admins(nodes: &[Server; 2]) -> [Caller; 2] {
    [nodes[0].admin().await, nodes[1].admin().await]
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_started_together_on_an_empty_database_both_start() {
    let database = Arc::new(Database::new(Store::Postgres));
    let start = || launch().start_on(Arc::clone(&database));
    let [one, other] = thread::scope(|scope| [scope.spawn(start), scope.spawn(start)].map(|node| node.join().unwrap()));
    let admin = one.admin().await;
    make_group(&admin, "made at one", &[]).await;
    // A token of one node is valid on the other, as they sign with the same key.
    assert_eq!(core_groups(&other.bearer(admin.bearer())).await.len(), 1);
    assert_eq!(core_groups(&one.bearer(other.admin().await.bearer())).await.len(), 1);
    let keys = other.anonymous().get("/oauth/certs").await.is(200);
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(1), "{}", keys.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_fifty_creates_of_one_id_succeeds() {
    let nodes = two_nodes();
    let admins = admins(&nodes).await;
    let replies = at_once(&admins, 50, "POST", GROUPS, &json!({ "ID": "wanted", "Name": "N" })).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let refused = replies.iter().filter(|reply| (reply.status, reply.code()) == (409, "IdExists")).count();
    assert_eq!((made, refused), (1, 49), "{replies:?}");
    for admin in &admins {
        assert_eq!(admin.get(GROUPS).await.is(200).ids(), ["wanted"]);
        assert_eq!(core_groups(admin).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_puts_of_one_new_id_make_one_group() {
    let nodes = two_nodes();
    let admins = admins(&nodes).await;
    let body = json!({ "Name": "N", "Description": "d", "xp": { "k": [1, 2] } });
    let replies = at_once(&admins, 50, "PUT", &format!("{GROUPS}/put"), &body).await;
    let wrong: Vec<_> = replies.iter().filter(|reply| reply.status != 200 || reply["ID"] != "put").collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    for admin in &admins {
        assert_eq!(admin.get(&format!("{GROUPS}?xp.k=2&search=put")).await.is(200).ids(), ["put"]);
        assert_eq!(core_groups(admin).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_assignments_of_one_pair_make_one_membership() {
    let nodes = two_nodes();
    let admins = admins(&nodes).await;
    let number = make_group(&admins[0], "g", &[]).await;
    let group = admins[1].get(GROUPS).await.is(200).ids().remove(0);
    make_user(&admins[1], "u").await;
    let pair = json!({ "UserGroupID": group, "UserID": "u" });
    for reply in at_once(&admins, 50, "POST", "/v1/usergroups/assignments", &pair).await {
        reply.is(204);
    }
    let refused = admins[0].delete(&format!("{CORE}/{number}")).await.fails(409, "has_users");
    assert!(refused.text.contains("has 1 user;"), "{}", refused.text);
    let path = format!("{GROUPS}/{group}/assignments/u");
    let replies = at_once(&admins, 50, "DELETE", &path, &json!({})).await;
    let gone = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((gone(204), gone(404)), (1, 49), "{replies:?}");
    assert_eq!(admins[1].get("/v1/usergroups/assignments").await.is(200).total(), 0);
    admins[1].delete(&format!("{CORE}/{number}")).await.is(200);
}

#[tokio::test]
async fn a_write_acknowledged_by_one_node_is_read_from_the_other_at_once() {
    let nodes = two_nodes();
    let admins = admins(&nodes).await;
    for round in 0..20 {
        let (one, other) = (&admins[round % 2], &admins[(round + 1) % 2]);
        let (id, path) = (format!("g{round}"), format!("{GROUPS}/g{round}"));
        other.get(&path).await.fails(404, "NotFound");
        one.post(GROUPS, &json!({ "ID": id, "Name": "First", "xp": { "round": round } })).await.is(201);
        assert_eq!(other.get(&path).await.is(200)["Name"], "First");
        assert_eq!(other.get(&format!("{GROUPS}?search=first&xp.round={round}")).await.is(200).ids(), [id.as_str()]);
        one.patch(&path, &json!({ "Name": "Second" })).await.is(200);
        assert_eq!(other.get(&path).await.is(200)["Name"], "Second");
        let user = format!("u{round}");
        make_user(one, &user).await;
        one.post("/v1/usergroups/assignments", &json!({ "UserGroupID": id, "UserID": user })).await.is(204);
        let assigned = other.get(&format!("{GROUPS}/assignments?userGroupID={id}")).await.is(200);
        assert_eq!(assigned["Items"][0]["UserID"], user.as_str());
        assert_eq!(everything(one).await, everything(other).await);
        one.delete(&path).await.is(204);
        other.get(&path).await.fails(404, "NotFound");
        assert_eq!(other.get(GROUPS).await.is(200).total(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_unique_and_never_reused() {
    let nodes = two_nodes();
    let admins = admins(&nodes).await;
    let mut used = BTreeSet::new();
    for _ in 0..3 {
        let mut making = JoinSet::new();
        for (at, admin) in admins.iter().cycle().take(60).cloned().enumerate() {
            making.spawn(async move {
                // Some names exist already, so that some creates are refused.
                let id = if at % 4 == 0 { "taken".to_owned() } else { format!("free-{at}") };
                admin.post(GROUPS, &json!({ "ID": id, "Name": "N" })).await;
                make_group(&admin, "N", &[]).await
            });
        }
        let numbers = making.join_all().await;
        let all = core_groups(&admins[0]).await;
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
        for number in &all {
            assert!(used.insert(*number), "{number} was used before");
        }
        assert!(numbers.iter().all(|number| all.contains(number)), "{numbers:?}");
        for number in all {
            admins[1].delete(&format!("{CORE}/{number}")).await.is(200);
        }
    }
}

#[tokio::test]
async fn a_revocation_and_a_logoff_apply_on_the_other_node() {
    let nodes = two_nodes();
    let admins = admins(&nodes).await;
    make_user(&admins[0], "u").await;
    nodes[0].cli().run(&["user", "set-roles", "u", "--role", FULL]).printed();
    let signed_in = async |node: &Server| {
        let session = node.log_on("u", PASSWORD).await.is(200);
        let token = session["Token"].as_str().expect("a token").to_owned();
        [nodes[0].bearer(&token), nodes[1].bearer(&token)]
    };
    let sessions = [signed_in(&nodes[0]).await, signed_in(&nodes[1]).await];
    for caller in sessions.iter().flatten() {
        caller.get(GROUPS).await.is(200);
    }
    let ended = async |caller: &Caller| caller.get(GROUPS).await.status == 401;
    sessions[0][0].post("/api/admin/v1/user/logoff", &json!({})).await.is(200);
    assert!(ended(&sessions[0][0]).await, "at once on the node that got the request");
    eventually("the logoff", REVOCATION_LIMIT, async || ended(&sessions[0][1]).await).await;
    sessions[1][0].get(GROUPS).await.is(200);
    admins[1].delete("/v1/adminusers/u/tokens").await.is(204);
    assert!(ended(&sessions[1][1]).await, "at once on the node that got the request");
    eventually("the revocation", REVOCATION_LIMIT, async || ended(&sessions[1][0]).await).await;
}

#[tokio::test]
async fn ten_failures_spread_over_two_nodes_lock_on_both() {
    let nodes = two_nodes();
    make_user(&nodes[0].admin().await, "u").await;
    nodes[0].cli().run(&["user", "set-roles", "u", "--role", FULL]).printed();
    for node in nodes.iter().cycle().take(10) {
        node.log_on("u", "Wrong-Horse-7").await.fails(401, "invalid_credentials");
    }
    for node in &nodes {
        node.log_on("u", PASSWORD).await.fails(401, "invalid_credentials");
    }
    nodes[1].admin().await.post("/v1/adminusers/u/unlock", &json!({})).await.is(204);
    for node in &nodes {
        node.log_on("u", PASSWORD).await.is(200);
    }
}

/// Signs in at one node and uses the token at the other, repeatedly; returns the keys that signed, in order.
async fn keep_signing_in(nodes: [Caller; 2], credentials: (String, String), stopped: Arc<AtomicBool>) -> Vec<String> {
    let (mut kids, mut tokens) = (Vec::<String>::new(), Vec::new());
    let (id, secret) = credentials;
    let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    while !stopped.load(Ordering::Acquire) {
        let granted = nodes[0].form("/oauth/token", &fields).await.is(200);
        let token = granted["access_token"].as_str().expect("a token").to_owned();
        let kid = kid_of(&token);
        if kids.last() != Some(&kid) {
            kids.push(kid);
            tokens.push(token.clone());
        }
        // The newest token, and one of each key that signed before it.
        for token in tokens.iter().chain([&token]) {
            let request = nodes[1].request("GET", GROUPS).bearer_auth(token);
            nodes[1].send(request).await.is(200);
        }
    }
    kids
}

fn kid_of(token: &str) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64");
    let header: Json = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_without_a_failed_request() {
    let nodes = two_nodes();
    let credentials = nodes[0].make_client(&[FULL], &[], &[]);
    let before = kid_of(&nodes[0].client_token(&credentials.0, &credentials.1).await);
    let stopped = Arc::new(AtomicBool::new(false));
    let [one, other] = [nodes[0].anonymous(), nodes[1].anonymous()];
    let mut signing_in = JoinSet::new();
    for order in [[one.clone(), other.clone()], [other, one]] {
        signing_in.spawn(keep_signing_in(order, credentials.clone(), Arc::clone(&stopped)));
    }
    let cli = nodes[0].cli();
    let rotate = move || cli.run(&["keys", "rotate", "--publish-seconds", "8"]).printed();
    tokio::task::spawn_blocking(rotate).await.unwrap();
    let signs_anew = async |node: &Server| kid_of(&node.client_token(&credentials.0, &credentials.1).await) != before;
    for node in &nodes {
        eventually("a token of the new key", Duration::from_secs(30), async || signs_anew(node).await).await;
        let published = node.anonymous().get("/oauth/certs").await.is(200);
        assert_eq!(published["keys"].as_array().map(Vec::len), Some(2), "{}", published.text);
    }
    stopped.store(true, Ordering::Release);
    for kids in signing_in.join_all().await {
        assert_eq!((kids.len(), &kids[0]), (2, &before), "first one key, then the other: {kids:?}");
    }
}

#[tokio::test]
async fn a_late_replay_ends_the_sign_in_on_every_node() {
    let [one, other] = &two_nodes();
    one.make_user("ada", &[FULL], &[]);
    let (client, _) = one.make_client(&[], &[], &["--public", "--refresh-minutes", "60", "--refresh-rotation"]);
    let sign_in = [("grant_type", "password"), ("client_id", &*client), ("username", "ada"), ("password", PASSWORD)];
    let first = one.grant(&sign_in).await.is(200);
    let renew = async |node: &Server, token: &Json| {
        let token = token.as_str().unwrap();
        node.grant(&[("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", token)]).await
    };
    let (here, there) = tokio::join!(renew(one, &first["refresh_token"]), renew(other, &first["refresh_token"]));
    assert_eq!(here.is(200)["refresh_token"], there["refresh_token"], "one successor");
    // As if the first use had been half a minute ago.
    sql::run(one.database().url(), "UPDATE refresh_tokens SET used = used - 30000000 WHERE used IS NOT NULL");
    renew(other, &first["refresh_token"]).await.fails(400, "Auth.OauthError");
    renew(one, &there["refresh_token"]).await.fails(400, "Auth.OauthError");
    for token in [&first, &there] {
        let caller = one.bearer(token["access_token"].as_str().unwrap());
        eventually("the end", REVOCATION_LIMIT, async || {
            caller.get("/v1/usergroups").await.code() == "Auth.TokenRevoked"
        })
        .await;
    }
}
