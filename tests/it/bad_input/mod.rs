//! Bad input: the response is always the API's own clear error, never a 500, and nothing is changed.

mod bodies;
mod lists;
mod transport;

use serde_json::json;

use crate::support::{Caller, Launch, Server, everything};

/// A bad request for an operation, and the expected error. `{long}` in a path stands for 17,000 characters.
pub(crate) struct BadRequest {
    /// The `operationId`.
    pub operation: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
    /// The expected status.
    pub status: u16,
    /// The expected error code.
    pub code: &'static str,
}

const fn bad(
    operation: &'static str,
    (method, path, body): (&'static str, &'static str, &'static str),
    (status, code): (u16, &'static str),
) -> BadRequest {
    BadRequest { operation, method, path, body, status, code }
}

const MISSING: (u16, &str) = (404, "NotFound");
const INVALID: (u16, &str) = (400, "ValidationFailure");

/// At least one for every operation of every API; `openapi.rs` checks it.
pub(crate) const REQUESTS: &[BadRequest] = &[
    bad("getGroup", ("GET", "/api/admin/v1/users-groups/abc", ""), (400, "invalid_request")),
    bad("listGroups", ("GET", "/api/admin/v1/users-groups/list?page=0", ""), (400, "invalid_request")),
    bad("listAllGroups", ("GET", "/api/admin/v1/users-groups/list-all?{long}", ""), (414, "uri_too_long")),
    bad("addOrEditGroup", ("POST", "/api/admin/v1/users-groups", r#"{"Labels":"{}"}"#), (400, "invalid_data")),
    bad("deleteGroup", ("DELETE", "/api/admin/v1/users-groups/0", ""), (400, "invalid_request")),
    bad("logon", ("POST", "/api/admin/v1/user/logon", "{}"), (400, "invalid_data")),
    bad("logoff", ("POST", "/api/admin/v1/user/logoff?{long}", ""), (414, "uri_too_long")),
    bad("AdminUserGroups.List", ("GET", "/v1/usergroups?pageSize=101", ""), (400, "List.InvalidPageSize")),
    bad("AdminUserGroups.Get", ("GET", "/v1/usergroups/a%20b", ""), MISSING),
    bad("AdminUserGroups.Create", ("POST", "/v1/usergroups", "{}"), INVALID),
    bad("AdminUserGroups.Save", ("PUT", "/v1/usergroups/a%20b", r#"{"Name":"N"}"#), INVALID),
    bad("AdminUserGroups.Patch", ("PATCH", "/v1/usergroups/g", r#"{"Name":null}"#), INVALID),
    bad("AdminUserGroups.Delete", ("DELETE", "/v1/usergroups/a%20b", ""), MISSING),
    bad(
        "AdminUserGroups.ListUserAssignments",
        ("GET", "/v1/usergroups/assignments?page=0", ""),
        (400, "InvalidRequest"),
    ),
    bad("AdminUserGroups.SaveUserAssignment", ("POST", "/v1/usergroups/assignments", "{}"), INVALID),
    bad("AdminUserGroups.DeleteUserAssignment", ("DELETE", "/v1/usergroups/g/assignments/a%20b", ""), MISSING),
    bad("AdminUsers.List", ("GET", "/v1/adminusers?Active=perhaps", ""), (400, "List.InvalidType")),
    bad("AdminUsers.Get", ("GET", "/v1/adminusers/a%20b", ""), MISSING),
    bad("AdminUsers.Create", ("POST", "/v1/adminusers", r#"{"Active":"yes"}"#), INVALID),
    bad("AdminUsers.Save", ("PUT", "/v1/adminusers/u", r#"{"Username":" "}"#), INVALID),
    bad(
        "AdminUsers.Patch",
        ("PATCH", "/v1/adminusers/u", r#"{"Password":"short"}"#),
        (400, "PasswordReset.InsecurePassword"),
    ),
    bad("AdminUsers.Delete", ("DELETE", "/v1/adminusers/a%20b", ""), MISSING),
    bad("AdminUsers.UnlockUserAccount", ("POST", "/v1/adminusers/a%20b/unlock", ""), MISSING),
    bad("AdminUsers.RevokeUserTokens", ("DELETE", "/v1/adminusers/a%20b/tokens", ""), MISSING),
    bad("Auth.Token", ("POST", "/oauth/token", r#"{"grant_type":"password"}"#), (400, "Request.InvalidContentType")),
    bad("Auth.Certificates", ("GET", "/oauth/certs?{long}", ""), (414, "Request.UriTooLong")),
    bad("Auth.Certificate", ("GET", "/oauth/certs/no%00key", ""), MISSING),
    bad("groups.list", ("GET", "/rollbook/v1/groups?nmae=x", ""), (400, "invalid_parameter")),
    bad("groups.create", ("POST", "/rollbook/v1/groups", r#"{"nmae":"N"}"#), (400, "invalid_body")),
    bad("groups.get", ("GET", "/rollbook/v1/groups/a%20b", ""), (404, "not_found")),
    bad("groups.delete", ("DELETE", "/rollbook/v1/groups/g?onlyIfEmpty=1", ""), (400, "invalid_parameter")),
    bad("groups.put", ("PUT", "/rollbook/v1/groups/g", r#"{"name":1}"#), (400, "invalid")),
    bad("groups.history", ("GET", "/rollbook/v1/groups/g/history?order=up", ""), (400, "invalid_parameter")),
    bad("members.history", ("GET", "/rollbook/v1/groups/g/members/u/history?limit=1", ""), (400, "invalid_parameter")),
    bad("users.history", ("GET", "/rollbook/v1/users/u/history?after=x", ""), (400, "invalid_parameter")),
    bad("changes.list", ("GET", "/rollbook/v1/changes?type=group.renamed", ""), (400, "invalid_parameter")),
    bad("signIns.list", ("GET", "/rollbook/v1/sign-ins?source=here", ""), (400, "invalid_parameter")),
    bad("groups.patch", ("PATCH", "/rollbook/v1/groups/g", r#"{"labels":null}"#), (400, "invalid")),
    bad("users.list", ("GET", "/rollbook/v1/users?memberOf=", ""), (400, "invalid_parameter")),
    bad("users.create", ("POST", "/rollbook/v1/users", r#"{"username":"n"}"#), (400, "invalid")),
    bad("users.get", ("GET", "/rollbook/v1/users/username:", ""), (404, "not_found")),
    bad("users.put", ("PUT", "/rollbook/v1/users/u", r#"{"userName2":"n"}"#), (400, "invalid_body")),
    bad("users.patch", ("PATCH", "/rollbook/v1/users/u", r#"{"roles":["Admin"]}"#), (400, "invalid")),
    bad("users.delete", ("DELETE", "/rollbook/v1/users/u?force=1", ""), (400, "invalid_parameter")),
    bad(
        "users.setPassword",
        ("PUT", "/rollbook/v1/users/u/password", r#"{"password":"short"}"#),
        (400, "insecure_password"),
    ),
    bad("users.unlock", ("POST", "/rollbook/v1/users/a%20b/unlock", ""), (404, "not_found")),
    bad("users.revokeTokens", ("POST", "/rollbook/v1/users/uid:99/revoke-tokens", ""), (404, "not_found")),
    bad("me.get", ("GET", "/rollbook/v1/me?x=1", ""), (400, "invalid_parameter")),
    bad("info.get", ("GET", "/rollbook/v1/info?x=1", ""), (400, "invalid_parameter")),
    bad("statistics.get", ("GET", "/rollbook/v1/statistics?days=7", ""), (400, "invalid_parameter")),
    bad("clients.list", ("GET", "/rollbook/v1/clients?name=x", ""), (400, "invalid_parameter")),
    bad("clients.create", ("POST", "/rollbook/v1/clients", r#"{"name":"N","secret":"x"}"#), (400, "invalid_body")),
    bad("clients.get", ("GET", "/rollbook/v1/clients/none", ""), (404, "not_found")),
    bad("clients.patch", ("PATCH", "/rollbook/v1/clients/admin", r#"{"roles":["All"]}"#), (400, "invalid")),
    bad("clients.delete", ("DELETE", "/rollbook/v1/clients/none", ""), (404, "not_found")),
    bad("clients.rotate", ("POST", "/rollbook/v1/clients/admin/rotate", r#"{"secret":"x"}"#), (400, "invalid_body")),
    bad("clients.tokens.list", ("GET", "/rollbook/v1/clients/none/tokens", ""), (404, "not_found")),
    bad("clients.tokens.create", ("POST", "/rollbook/v1/clients/admin/tokens", r#"{"days":0}"#), (400, "invalid")),
    bad("tokens.list", ("GET", "/rollbook/v1/tokens?limit=0", ""), (400, "invalid_parameter")),
    bad("tokens.delete", ("DELETE", "/rollbook/v1/tokens/none", ""), (404, "not_found")),
    bad("keys.list", ("GET", "/rollbook/v1/keys?limit=1", ""), (400, "invalid_parameter")),
    bad("keys.rotate", ("POST", "/rollbook/v1/keys/rotate", r#"{"publishSeconds":1}"#), (400, "invalid")),
    bad("members.list", ("GET", "/rollbook/v1/groups/g/members?sort=name", ""), (400, "invalid_parameter")),
    bad("members.patch", ("PATCH", "/rollbook/v1/groups/g/members", r#"{"add":["nobody"]}"#), (422, "unknown_users")),
    bad("members.replace", ("PUT", "/rollbook/v1/groups/g/members", r#"{"members":[1]}"#), (400, "invalid_body")),
    bad("members.get", ("GET", "/rollbook/v1/groups/g/members/a%20b", ""), (404, "not_found")),
    bad("members.add", ("PUT", "/rollbook/v1/groups/g/members/username:a%00b", ""), (404, "not_found")),
    bad("members.remove", ("DELETE", "/rollbook/v1/groups/g/members/u?dryRun=true", ""), (400, "invalid_parameter")),
    bad("users.listGroups", ("GET", "/rollbook/v1/users/u/groups?limit=0", ""), (400, "invalid_parameter")),
    bad("operations.get", ("GET", "/rollbook/v1/operations/x?limit=0", ""), (400, "invalid_parameter")),
    bad("operations.undo", ("POST", "/rollbook/v1/operations/x/undo?onConflict=x", ""), (400, "invalid_parameter")),
    bad("operations.undoSelected", ("POST", "/rollbook/v1/undo", r#"{"channel":"post"}"#), (400, "invalid")),
    bad("groups.restore", ("POST", "/rollbook/v1/groups/uid:1/restore", r#"{"ID2":"n"}"#), (400, "invalid_body")),
    bad("users.erase", ("POST", "/rollbook/v1/users/u/erase?dryRun=1", ""), (400, "invalid_parameter")),
    bad("users.restore", ("POST", "/rollbook/v1/users/uid:1/restore", r#"{"username":1}"#), (400, "invalid")),
    bad("ServiceProviderConfig.Get", ("GET", "/scim/v2/ServiceProviderConfig?filter=patch%20pr", ""), (403, "403")),
    bad("ResourceTypes.List", ("GET", "/scim/v2/ResourceTypes?Filter=", ""), (403, "403")),
    bad("ResourceTypes.Get", ("GET", "/scim/v2/ResourceTypes/Device", ""), (404, "404")),
    bad("Schemas.List", ("GET", "/scim/v2/Schemas?filter=id%20eq%20%22x%22", ""), (403, "403")),
    bad("Schemas.Get", ("GET", "/scim/v2/Schemas/a%FFb", ""), (400, "400")),
    bad("Users.List", ("GET", "/scim/v2/Users?filter=userName%20eq", ""), (400, "invalidFilter")),
    bad("Users.Create", ("POST", "/scim/v2/Users", r#"{"userName":"n"}"#), (400, "invalidValue")),
    bad("Users.Get", ("GET", "/scim/v2/Users/u", ""), (404, "404")),
    bad("Users.Replace", ("PUT", "/scim/v2/Users/u1", "[]"), (400, "invalidSyntax")),
    bad("Users.Patch", ("PATCH", "/scim/v2/Users/u1", r#"{"Operations":[{"op":"move"}]}"#), (400, "invalidSyntax")),
    bad("Users.Delete", ("DELETE", "/scim/v2/Users/U1", ""), (404, "404")),
    bad("Auth.Metadata", ("GET", "/.well-known/oauth-authorization-server", ""), MISSING),
    bad("Auth.UserInfo", ("GET", "/oauth/userinfo", ""), (403, "Auth.NoUser")),
    bad("Auth.PostUserInfo", ("POST", "/oauth/userinfo", "{"), (403, "Auth.NoUser")),
    bad("Me.Get", ("GET", "/v1/me", ""), (403, "Auth.NoUser")),
];

#[tokio::test]
async fn every_operation_refuses_it() {
    let (server, admin) = directory().await;
    let before = everything(&admin).await;
    for BadRequest { method, path, body, status, code, .. } in REQUESTS {
        let path = path.replace("{long}", &"x".repeat(17_000));
        admin.text(method, &path, body).await.fails(*status, code);
    }
    assert_eq!(everything(&admin).await, before);
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

/// A server whose directory has the group `g`, with number 1 in the Core API, and its user `u`.
async fn directory() -> (Server, Caller) {
    let server = Launch::default().start();
    let admin = server.admin().await;
    admin.post("/v1/usergroups", &json!({ "ID": "g", "Name": "G", "xp": { "a": 1 } })).await.is(201);
    crate::support::make_user(&admin, "u").await;
    admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": "g", "UserID": "u" })).await.is(204);
    (server, admin)
}
