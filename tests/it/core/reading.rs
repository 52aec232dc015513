//! Reading groups (docs/core.md, section 2).

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{CORE, Server, core_groups, labels, make_group};

#[tokio::test]
async fn a_group_is_an_object_of_four_fields() {
    let server = Server::start();
    let admin = server.admin().await;
    let sent = json!({ "Labels": r#"{"it":"Gruppo","en":"The \"A\" group","en-US":"y'all"}"# });
    admin.post(CORE, &sent).await.is(200);
    let reply = admin.get(&format!("{CORE}/1")).await.is(200);
    let group = reply.json().as_object().unwrap();
    assert_eq!(group.keys().collect::<Vec<_>>(), ["ID", "CreatedDate", "LastUpdated", "Labels"]);
    assert_eq!(reply["ID"], 1);
    let tags_ascend = r#"{"en":"The \"A\" group","en-US":"y'all","it":"Gruppo"}"#;
    assert_eq!(reply["Labels"], tags_ascend, "a string of JSON");
    let date = reply["CreatedDate"].as_str().unwrap();
    assert!(date.len() == 20 && date.ends_with('Z') && date.starts_with("20"), "UTC, whole seconds: {date}");
    assert_eq!(reply["LastUpdated"], reply["CreatedDate"]);
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
}

#[tokio::test]
async fn ids_are_counted_and_never_reused() {
    let server = Server::start();
    let admin = server.admin().await;
    assert_eq!((make_group(&admin, "a", &[]).await, make_group(&admin, "b", &[]).await), (1, 2));
    admin.delete(&format!("{CORE}/2")).await.is(200);
    assert_eq!(make_group(&admin, "c", &[]).await, 3);
    assert_eq!(core_groups(&admin).await, [1, 3], "deleted groups are hidden");
    admin.get(&format!("{CORE}/2")).await.fails(404, "not_found");
    admin.get(&format!("{CORE}/9")).await.fails(404, "not_found");
}

#[tokio::test]
async fn pages_have_the_total_and_links_to_their_neighbours() {
    let server = Server::start();
    let admin = server.admin().await;
    let empty = admin.get(&format!("{CORE}/list")).await.is(200);
    assert_eq!((empty.text.as_str(), empty.total()), ("[]", 0));
    for number in 1..=45 {
        make_group(&admin, &format!("group {number}"), &[]).await;
    }
    admin.delete(&format!("{CORE}/3")).await.is(200);

    let first = admin.get(&format!("{CORE}/list")).await.is(200);
    assert_eq!((first.ids().len(), first.total()), (20, 44), "20 a page, and all that are not deleted");
    assert_eq!(first.header("link"), links(&[("next", 2), ("first", 1), ("last", 3)], 20));
    let second = admin.get(&format!("{CORE}/list?PAGE=2&pagesize=20&unknown=x")).await.is(200);
    assert_eq!(second.header("link"), links(&[("next", 3), ("prev", 1), ("first", 1), ("last", 3)], 20));
    let third = admin.get(&format!("{CORE}/list?page=3")).await.is(200);
    assert_eq!(third.header("link"), links(&[("prev", 2), ("first", 1), ("last", 3)], 20));
    let numbers: Vec<_> = [first, second, third].iter().flat_map(|page| page.ids()).collect();
    let expected: Vec<_> = (1..=45).filter(|number| *number != 3).map(|number: i64| number.to_string()).collect();
    assert_eq!(numbers, expected, "ordered by ID, each once");

    let past = admin.get(&format!("{CORE}/list?page=9&pageSize=100")).await.is(200);
    assert_eq!((past.text.as_str(), past.total()), ("[]", 44));
    assert_eq!(admin.get(&format!("{CORE}/list?pageSize=100")).await.is(200).ids().len(), 44);
}

fn links(pages: &[(&str, u32)], size: u32) -> String {
    let link =
        |(relation, page): &(&str, u32)| format!(r#"<{CORE}/list?page={page}&pageSize={size}>; rel="{relation}""#);
    pages.iter().map(link).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn list_all_streams_every_group() {
    const COUNT: usize = 1_050;
    const AT_ONCE: usize = 32;
    let server = Server::start();
    let admin = server.admin().await;
    assert_eq!(admin.get(&format!("{CORE}/list-all")).await.is(200).text, "[]");
    // More than two of the batches in which groups are read, and few enough that no store reaches a time limit.
    let mut making = JoinSet::new();
    for number in 1..=COUNT {
        if making.len() == AT_ONCE {
            making.join_next().await.expect("a task").expect("made");
        }
        let (admin, body) = (admin.clone(), json!({ "Labels": labels(&json!({ "en": format!("group {number}") })) }));
        making.spawn(async move { admin.post(CORE, &body).await.is(200) });
    }
    making.join_all().await;
    let all = admin.get(&format!("{CORE}/list-all")).await.is(200);
    assert!(all.headers.get("content-length").is_none(), "streamed");
    let numbers: Vec<_> = all.json().as_array().unwrap().iter().map(|group| group["ID"].as_i64().unwrap()).collect();
    assert!(numbers.len() == COUNT && numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[tokio::test]
async fn an_error_has_a_message_and_a_code() {
    let server = Server::start();
    let reply = server.admin().await.get(&format!("{CORE}/7")).await.fails(404, "not_found");
    let members: Vec<_> = reply.json().as_object().unwrap().keys().collect();
    assert_eq!(members, ["Success", "Message", "Description"]);
    assert_eq!((&reply["Success"], reply["Description"].as_str().unwrap().contains('7')), (&Value::Bool(false), true));
    let reply = server.anonymous().get(&format!("{CORE}/7")).await.fails(401, "unauthorized");
    assert_eq!(reply.header("www-authenticate"), "Bearer");
}
