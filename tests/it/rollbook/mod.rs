//! Rollbook's own API.

mod groups;
mod info;
mod lists;
mod past;
mod user_lists;
mod user_rights;
mod users;

use serde_json::Value;

use crate::support::{Caller, Reply};

/// Sends a request with one header.
async fn with(caller: &Caller, method: &str, path: &str, header: (&str, &str), body: &Value) -> Reply {
    let request = caller.request(method, path).header(header.0, header.1);
    caller.send(if body.is_null() { request } else { request.json(body) }).await
}

/// The IDs of the items, in their order.
fn ids(reply: &Reply) -> Vec<String> {
    let items = reply["items"].as_array().unwrap_or_else(|| panic!("no list: {}", reply.text));
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// All IDs of a walk through the list with these parameters.
async fn walk(caller: &Caller, list: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let (mut all, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let mut query = parameters.to_vec();
        query.extend(after.as_deref().map(|cursor| ("after", cursor)));
        let page = caller.list(list, &query).await.is(200);
        all.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return all,
        }
    }
}
