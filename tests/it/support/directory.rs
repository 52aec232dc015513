//! Entities to test with: groups and users, created through either API.

use serde_json::{Value, json};

use super::{Caller, PASSWORD};

/// The path of groups in the Core API.
pub(crate) const CORE: &str = "/api/admin/v1/users-groups";

/// Labels as the Core API sends and expects them: JSON in a string.
pub(crate) fn labels(labels: &Value) -> String {
    labels.to_string()
}

/// Creates a group through the Core API, linked to these communities; returns its number.
pub(crate) async fn make_group(admin: &Caller, name: &str, communities: &[&str]) -> i64 {
    let body = json!({ "Labels": labels(&json!({ "en": name })), "Communities": communities });
    let created = admin.post(CORE, &body).await.is(200);
    let number = created.header("location").rsplit('/').next().and_then(|number| number.parse().ok());
    number.expect("a location")
}

/// Creates groups through the OrderCloud API, with these texts as IDs and names.
pub(crate) async fn make_groups(admin: &Caller, ids: &[&str]) {
    for id in ids {
        admin.post("/v1/usergroups", &json!({ "ID": id, "Name": id })).await.is(201);
    }
}

/// The numbers of all groups that a caller sees through the Core API.
pub(crate) async fn core_groups(caller: &Caller) -> Vec<i64> {
    let all = caller.get(&format!("{CORE}/list-all")).await.is(200);
    all.json().as_array().expect("an array").iter().map(|group| group["ID"].as_i64().expect("a number")).collect()
}

/// The body of a complete user with ID and username `name`, without a password.
pub(crate) fn user_body(name: &str) -> Value {
    json!({
        "ID": name, "Username": name, "FirstName": "Ada", "LastName": "Lovelace",
        "Email": format!("{name}@example.com"), "Active": true,
    })
}

/// Creates a user through the OrderCloud API, with [`PASSWORD`] and without roles.
pub(crate) async fn make_user(admin: &Caller, name: &str) {
    let mut body = user_body(name);
    body["Password"] = PASSWORD.into();
    admin.post("/v1/adminusers", &body).await.is(201);
}

/// Groups, users and assignments as both APIs return them, to compare the state before and after a request.
pub(crate) async fn everything(admin: &Caller) -> Vec<String> {
    let lists = ["/v1/usergroups", "/v1/usergroups/assignments", "/v1/adminusers", &format!("{CORE}/list")];
    let mut observed = Vec::new();
    for list in lists {
        observed.push(admin.get(&format!("{list}?pageSize=100")).await.is(200).text);
    }
    observed
}
