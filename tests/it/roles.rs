//! Who may do what: every operation of every API, sent by every kind of caller. The result is one table per API, stored
//! as a snapshot, so that a change of rights is reviewed as a change of a table.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::{
    A, AUDITOR, B, Caller, FULL, GROUP_ADMIN, GROUP_READER, Reply, Server, USER_ADMIN, USER_READER, make_group,
    make_user,
};

/// An operation, as the table names it. In path and body `{group}`, `{number}` and `{user}` stand for the ID and number
/// of a group and the ID of a user that are created for this call, `{id}` for the user's ID in SCIM, `{client}` and
/// `{token}` for the IDs of a client and of its long-lived token, and `{new}` for an unused ID.
pub(crate) struct Operation {
    /// Its `operationId`.
    pub id: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
}

const fn operation(id: &'static str, method: &'static str, path: &'static str, body: &'static str) -> Operation {
    Operation { id, method, path, body }
}

impl Operation {
    /// Whether a document describes this operation, whatever its parameters are called.
    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        let shape = |path: &str| {
            path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned()).collect::<Vec<_>>()
        };
        self.method.eq_ignore_ascii_case(method) && shape(self.path) == shape(path)
    }
}

const LOGON: &str = r#"{"username":"{user}","password":"Correct-Horse-7"}"#; // support::PASSWORD
const LABELS: &str = r#"{"ID":{number},"Labels":"{\"en\":\"Edited\"}"}"#;
const USER: &str = r#"{"Username":"{new}","FirstName":"F","LastName":"L","Email":"e@x.io","Active":true}"#;
const WHOLE_USER: &str = r#"{"username":"{new}","firstName":"F","lastName":"L","email":"e@x.io"}"#;
const SCIM_USER: &str =
    r#"{"userName":"{new}","name":{"givenName":"F","familyName":"L"},"emails":[{"value":"e@x.io"}],"active":true}"#;
const SCIM_PATCH: &str = r#"{"Operations":[{"op":"replace","path":"active","value":true}]}"#;
const PAIR: &str = r#"{"UserGroupID":"{group}","UserID":"{user}"}"#;
const TOKEN: &str = "grant_type=client_credentials&client_id=admin&client_secret=a-secret-of-the-tests-0123456789";

/// Every operation of the Core API. Logging off is last, as it ends the caller's token.
pub(crate) const CORE_OPERATIONS: &[Operation] = &[
    operation("getGroup", "GET", "/api/admin/v1/users-groups/{number}", ""),
    operation("listGroups", "GET", "/api/admin/v1/users-groups/list", ""),
    operation("listAllGroups", "GET", "/api/admin/v1/users-groups/list-all", ""),
    operation("addOrEditGroup", "POST", "/api/admin/v1/users-groups", LABELS),
    operation("deleteGroup", "DELETE", "/api/admin/v1/users-groups/{number}", ""),
    operation("logon", "POST", "/api/admin/v1/user/logon", LOGON),
    operation("logoff", "POST", "/api/admin/v1/user/logoff", ""),
];

/// Every operation of the OrderCloud API.
pub(crate) const ORDERCLOUD_OPERATIONS: &[Operation] = &[
    operation("AdminUserGroups.List", "GET", "/v1/usergroups", ""),
    operation("AdminUserGroups.Get", "GET", "/v1/usergroups/{group}", ""),
    operation("AdminUserGroups.Create", "POST", "/v1/usergroups", r#"{"Name":"N"}"#),
    operation("AdminUserGroups.Save", "PUT", "/v1/usergroups/{group}", r#"{"Name":"N"}"#),
    operation("AdminUserGroups.Patch", "PATCH", "/v1/usergroups/{group}", r#"{"Name":"N"}"#),
    operation("AdminUserGroups.ListUserAssignments", "GET", "/v1/usergroups/assignments", ""),
    operation("AdminUserGroups.SaveUserAssignment", "POST", "/v1/usergroups/assignments", PAIR),
    operation("AdminUserGroups.DeleteUserAssignment", "DELETE", "/v1/usergroups/{group}/assignments/{user}", ""),
    operation("AdminUserGroups.Delete", "DELETE", "/v1/usergroups/{group}", ""),
    operation("AdminUsers.List", "GET", "/v1/adminusers", ""),
    operation("AdminUsers.Get", "GET", "/v1/adminusers/{user}", ""),
    operation("AdminUsers.Create", "POST", "/v1/adminusers", USER),
    operation("AdminUsers.Save", "PUT", "/v1/adminusers/{user}", USER),
    operation("AdminUsers.Patch", "PATCH", "/v1/adminusers/{user}", r#"{"Phone":"1"}"#),
    operation("AdminUsers.UnlockUserAccount", "POST", "/v1/adminusers/{user}/unlock", ""),
    operation("AdminUsers.RevokeUserTokens", "DELETE", "/v1/adminusers/{user}/tokens", ""),
    operation("AdminUsers.Delete", "DELETE", "/v1/adminusers/{user}", ""),
    operation("Auth.Token", "POST", "/oauth/token", TOKEN),
    operation("Auth.Certificates", "GET", "/oauth/certs", ""),
    operation("Auth.Certificate", "GET", "/oauth/certs/{new}", ""),
    operation("Auth.Metadata", "GET", "/.well-known/oauth-authorization-server", ""),
    operation("Auth.UserInfo", "GET", "/oauth/userinfo", ""),
    operation("Auth.PostUserInfo", "POST", "/oauth/userinfo", ""),
    operation("Me.Get", "GET", "/v1/me", ""),
];

/// Every operation of Rollbook's own API.
pub(crate) const ROLLBOOK_OPERATIONS: &[Operation] = &[
    operation("groups.list", "GET", "/rollbook/v1/groups", ""),
    operation("groups.create", "POST", "/rollbook/v1/groups", r#"{"name":"N"}"#),
    operation("groups.get", "GET", "/rollbook/v1/groups/{group}", ""),
    operation("groups.put", "PUT", "/rollbook/v1/groups/{group}", r#"{"name":"N"}"#),
    operation("groups.patch", "PATCH", "/rollbook/v1/groups/{group}", r#"{"name":"N"}"#),
    operation("groups.delete", "DELETE", "/rollbook/v1/groups/{group}", ""),
    operation("groups.history", "GET", "/rollbook/v1/groups/{group}/history", ""),
    operation("members.history", "GET", "/rollbook/v1/groups/{group}/members/{user}/history", ""),
    operation("users.history", "GET", "/rollbook/v1/users/{user}/history", ""),
    operation("changes.list", "GET", "/rollbook/v1/changes", ""),
    operation("operations.get", "GET", "/rollbook/v1/operations/{new}", ""),
    operation("operations.undo", "POST", "/rollbook/v1/operations/{new}/undo", ""),
    operation("operations.undoSelected", "POST", "/rollbook/v1/undo", r#"{"group":"{group}"}"#),
    operation("signIns.list", "GET", "/rollbook/v1/sign-ins", ""),
    operation("users.list", "GET", "/rollbook/v1/users", ""),
    operation("users.create", "POST", "/rollbook/v1/users", WHOLE_USER),
    operation("users.get", "GET", "/rollbook/v1/users/{user}", ""),
    operation("users.put", "PUT", "/rollbook/v1/users/{user}", WHOLE_USER),
    operation("users.patch", "PATCH", "/rollbook/v1/users/{user}", r#"{"phone":"1"}"#),
    operation("users.setPassword", "PUT", "/rollbook/v1/users/{user}/password", r#"{"password":"Correct-Horse-7"}"#),
    operation("users.unlock", "POST", "/rollbook/v1/users/{user}/unlock", ""),
    operation("users.revokeTokens", "POST", "/rollbook/v1/users/{user}/revoke-tokens", ""),
    operation("users.delete", "DELETE", "/rollbook/v1/users/{user}", ""),
    operation("me.get", "GET", "/rollbook/v1/me", ""),
    operation("info.get", "GET", "/rollbook/v1/info", ""),
    operation("statistics.get", "GET", "/rollbook/v1/statistics", ""),
    operation("clients.list", "GET", "/rollbook/v1/clients", ""),
    operation("clients.create", "POST", "/rollbook/v1/clients", r#"{"name":"N"}"#),
    operation("clients.get", "GET", "/rollbook/v1/clients/{client}", ""),
    operation("clients.patch", "PATCH", "/rollbook/v1/clients/{client}", r#"{"name":"N"}"#),
    operation("clients.delete", "DELETE", "/rollbook/v1/clients/{client}", ""),
    operation("clients.rotate", "POST", "/rollbook/v1/clients/{client}/rotate", ""),
    operation("clients.tokens.list", "GET", "/rollbook/v1/clients/{client}/tokens", ""),
    operation("clients.tokens.create", "POST", "/rollbook/v1/clients/{client}/tokens", r#"{"name":"N"}"#),
    operation("tokens.list", "GET", "/rollbook/v1/tokens", ""),
    operation("tokens.delete", "DELETE", "/rollbook/v1/tokens/{token}", ""),
    operation("keys.list", "GET", "/rollbook/v1/keys", ""),
    operation("keys.rotate", "POST", "/rollbook/v1/keys/rotate", ""),
    operation("members.list", "GET", "/rollbook/v1/groups/{group}/members", ""),
    operation("members.patch", "PATCH", "/rollbook/v1/groups/{group}/members", r#"{"add":["{user}"]}"#),
    operation("members.replace", "PUT", "/rollbook/v1/groups/{group}/members", r#"{"members":["{user}"]}"#),
    operation("members.get", "GET", "/rollbook/v1/groups/{group}/members/{user}", ""),
    operation("members.add", "PUT", "/rollbook/v1/groups/{group}/members/{user}", ""),
    operation("members.remove", "DELETE", "/rollbook/v1/groups/{group}/members/{user}", ""),
    operation("users.listGroups", "GET", "/rollbook/v1/users/{user}/groups", ""),
    operation("groups.restore", "POST", "/rollbook/v1/groups/{group}/restore", ""),
    operation("users.restore", "POST", "/rollbook/v1/users/{user}/restore", ""),
    operation("users.erase", "POST", "/rollbook/v1/users/{user}/erase", ""),
];

/// Every operation of the SCIM API.
pub(crate) const SCIM_OPERATIONS: &[Operation] = &[
    operation("ServiceProviderConfig.Get", "GET", "/scim/v2/ServiceProviderConfig", ""),
    operation("ResourceTypes.List", "GET", "/scim/v2/ResourceTypes", ""),
    operation("ResourceTypes.Get", "GET", "/scim/v2/ResourceTypes/{new}", ""),
    operation("Schemas.List", "GET", "/scim/v2/Schemas", ""),
    operation("Schemas.Get", "GET", "/scim/v2/Schemas/{new}", ""),
    operation("Users.List", "GET", "/scim/v2/Users", ""),
    operation("Users.Create", "POST", "/scim/v2/Users", SCIM_USER),
    operation("Users.Get", "GET", "/scim/v2/Users/{id}", ""),
    operation("Users.Replace", "PUT", "/scim/v2/Users/{id}", SCIM_USER),
    operation("Users.Patch", "PATCH", "/scim/v2/Users/{id}", SCIM_PATCH),
    operation("Users.Delete", "DELETE", "/scim/v2/Users/{id}", ""),
];

#[tokio::test]
async fn of_core() {
    insta::assert_snapshot!("roles_of_core", table("core", CORE_OPERATIONS).await);
}

#[tokio::test]
async fn of_ordercloud() {
    insta::assert_snapshot!("roles_of_ordercloud", table("ordercloud", ORDERCLOUD_OPERATIONS).await);
}

#[tokio::test]
async fn of_rollbook() {
    insta::assert_snapshot!("roles_of_rollbook", table("rollbook", ROLLBOOK_OPERATIONS).await);
}

#[tokio::test]
async fn of_scim() {
    insta::assert_snapshot!("roles_of_scim", table("scim", SCIM_OPERATIONS).await);
}

/// A column: a caller, and the communities of the group in the request.
struct Column {
    title: &'static str,
    caller: Caller,
    communities: &'static [&'static str],
}

async fn columns(server: &Server) -> Vec<Column> {
    let column = |title, caller, communities| Column { title, caller, communities };
    let revoked = server.bearer(&new_token(server, &[FULL], &[]).await);
    revoked.post("/api/admin/v1/user/logoff", &json!({})).await.is(200);
    let mut columns = vec![
        column("anonymous", server.anonymous(), &[][..]),
        column("garbage", server.bearer("e30.e30.e30"), &[]),
        column("revoked", revoked, &[]),
    ];
    let roles = [FULL, GROUP_ADMIN, GROUP_READER, USER_ADMIN, USER_READER, AUDITOR];
    for (role, title) in roles.into_iter().zip(["Full", "GroupAdm", "GroupRead", "UserAdm", "UserRead", "Auditor"]) {
        columns.push(column(title, server.bearer(&new_token(server, &[role], &[]).await), &[]));
    }
    for (title, communities) in [("A: in A", &[A][..]), ("A: in B", &[B]), ("A: in none", &[])] {
        columns.push(column(title, server.bearer(&new_token(server, &[FULL], &[A]).await), communities));
    }
    columns
}

/// A new token for each column, because some operations end the token they are sent with.
async fn new_token(server: &Server, roles: &[&str], communities: &[&str]) -> String {
    let (id, secret) = server.make_client(roles, communities, &[]);
    server.client_token(&id, &secret).await
}

async fn table(api: &str, operations: &[Operation]) -> String {
    let server = Server::start();
    let (columns, mut legend) = (columns(&server).await, Vec::new());
    let mut table = format!("{:44}", format!("operations of {api}"));
    columns.iter().for_each(|column| write!(table, "{:11}", column.title).unwrap());
    for (row, operation) in operations.iter().enumerate() {
        write!(table, "\n{:44}", operation.id).unwrap();
        for (at, column) in columns.iter().enumerate() {
            let (status, code) = outcome(&server, operation, column, &format!("r{row}c{at}")).await;
            write!(table, "{:11}", cell(status, code, &mut legend)).unwrap();
        }
    }
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let legend = legend.iter().zip('a'..).map(|(code, letter)| format!("{letter} {code}\n"));
    table + "\n" + &legend.collect::<String>()
}

/// The status and a letter for the code, which the legend explains.
fn cell(status: u16, code: String, legend: &mut Vec<String>) -> String {
    if code.is_empty() {
        return status.to_string();
    }
    let at = legend.iter().position(|own| *own == code).unwrap_or_else(|| {
        legend.push(code);
        legend.len() - 1
    });
    format!("{status} {}", ('a'..='z').nth(at).expect("fewer codes than letters"))
}

/// Sends the operation for a group and a user that are created for this call.
async fn outcome(server: &Server, operation: &Operation, column: &Column, name: &str) -> (u16, String) {
    let admin = server.admin().await;
    let number = make_group(&admin, name, column.communities).await;
    let found = admin.list("/v1/usergroups", &[("Name", name)]).await.is(200);
    let (group, user) = (found.ids().remove(0), format!("u-{name}"));
    make_user(&admin, &user).await;
    let number_of_user = admin.get(&format!("/rollbook/v1/users/{user}")).await.is(200)["uid"].to_string();
    if operation.id == "logon" {
        server.cli().run(&["user", "set-roles", &user, "--role", FULL]).printed();
    }
    if ["AdminUserGroups.DeleteUserAssignment", "members.get"].contains(&operation.id) {
        let pair = json!({ "UserGroupID": group, "UserID": user });
        admin.post("/v1/usergroups/assignments", &pair).await.is(204);
    }
    let (client, token) = client_and_token(&admin, operation).await;
    let names = [
        ("{group}", &*group),
        ("{number}", &number.to_string()),
        ("{user}", &user),
        ("{id}", &format!("u{number_of_user}")),
        ("{client}", &client),
        ("{token}", &token),
        ("{new}", &format!("new-{name}")),
    ];
    let fill = |template: &str| {
        names.iter().fold(template.to_owned(), |text, (placeholder, own)| text.replace(placeholder, own))
    };
    let form = operation.id == "Auth.Token";
    let content_type = if form { "application/x-www-form-urlencoded" } else { "application/json" };
    let (path, body) = (fill(operation.path), fill(operation.body));
    let reply = column.caller.call(operation.method, &path, Some(content_type), body).await;
    (reply.status, reply.code().to_owned())
}

/// Creates a client and its long-lived token if the path of the operation names one of them; returns their IDs.
async fn client_and_token(admin: &Caller, operation: &Operation) -> (String, String) {
    if !operation.path.contains("{client}") && !operation.path.contains("{token}") {
        return (String::new(), String::new());
    }
    let id = |reply: &Reply| reply["id"].as_str().expect("an ID").to_owned();
    let client = id(&admin.post("/rollbook/v1/clients", &json!({ "name": "N" })).await.is(201));
    let path = format!("/rollbook/v1/clients/{client}/tokens");
    let token = id(&admin.post(&path, &json!({ "name": "N" })).await.is(201));
    (client, token)
}
