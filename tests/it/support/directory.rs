//! Things to test with: groups and users made through either API.

use serde_json::{Value, json};

use super::{Caller, PASSWORD};

/// Where the Core API has its groups.
pub const CORE: &str = "/api/admin/v1/users-groups";

/// Labels as the Core API sends and takes them: a string of JSON.
pub fn labels(labels: &Value) -> String {
    labels.to_string()
}

/// Makes a group through the Core API, linked to these communities; gives its number.
pub async fn make_group(admin: &Caller, name: &str, communities: &[&str]) -> i64 {
    let body = json!({ "Labels": labels(&json!({ "en": name })), "Communities": communities });
    let made = admin.post(CORE, &body).await.is(200);
    let number = made.header("location").rsplit('/').next().and_then(|number| number.parse().ok());
    number.expect("a location")
}

/// Makes groups through the OrderCloud API whose IDs and names are these.
pub async fn make_groups(admin: &Caller, ids: &[&str]) {
    for id in ids {
        admin.post("/v1/usergroups", &json!({ "ID": id, "Name": id })).await.is(201);
    }
}

/// The numbers of all groups that a caller sees through the Core API.
pub async fn core_groups(caller: &Caller) -> Vec<i64> {
    let all = caller.get(&format!("{CORE}/list-all")).await.is(200);
    all.json().as_array().expect("an array").iter().map(|group| group["ID"].as_i64().expect("a number")).collect()
}

/// A whole user whose ID and username are `name`, without a password.
pub fn user_body(name: &str) -> Value {
    json!({
        "ID": name, "Username": name, "FirstName": "Ada", "LastName": "Lovelace",
        "Email": format!("{name}@example.com"), "Active": true,
    })
}

/// Makes a user through the OrderCloud API, with [`PASSWORD`] and without roles.
pub async fn make_user(admin: &Caller, name: &str) {
    let mut body = user_body(name);
    body["Password"] = PASSWORD.into();
    admin.post("/v1/adminusers", &body).await.is(201);
}

/// Groups, users and assignments as both APIs tell them: to be compared before and after what must change nothing.
pub async fn everything(admin: &Caller) -> Vec<String> {
    let lists = ["/v1/usergroups", "/v1/usergroups/assignments", "/v1/adminusers", &format!("{CORE}/list")];
    let mut told = Vec::new();
    for list in lists {
        told.push(admin.get(&format!("{list}?pageSize=100")).await.is(200).text);
    }
    told
}
