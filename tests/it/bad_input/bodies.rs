//! Invalid bodies.

use serde_json::{Value, json};

use crate::support::{Caller, everything};

use super::directory;

/// The operations that read a JSON body, and the error code of their APIs for a body that cannot be read.
const READERS: [(&str, &str, &str); 10] = [
    ("POST", "/api/admin/v1/users-groups", "invalid_request"),
    ("POST", "/api/admin/v1/user/logon", "invalid_request"),
    ("POST", "/v1/usergroups", "Request.InvalidRequestBody"),
    ("PUT", "/v1/usergroups/g", "Request.InvalidRequestBody"),
    ("PATCH", "/v1/usergroups/g", "Request.InvalidRequestBody"),
    ("POST", "/v1/usergroups/assignments", "Request.InvalidRequestBody"),
    ("PUT", "/v1/usergroups/assignments", "Request.InvalidRequestBody"),
    ("POST", "/v1/adminusers", "Request.InvalidRequestBody"),
    ("PUT", "/v1/adminusers/u", "Request.InvalidRequestBody"),
    ("PATCH", "/v1/adminusers/u", "Request.InvalidRequestBody"),
];

/// Bodies that no operation accepts, since they are no JSON object.
fn unreadable() -> Vec<Vec<u8>> {
    let nested = |levels| format!(r#"{{"xp":{}{}}}"#, "{\"a\":".repeat(levels), "1".to_owned() + &"}".repeat(levels));
    let texts = [
        "{",
        r#"{"Name":"N""#,
        r#"{"Name":"#,
        "nonsense",
        "[]",
        "1",
        r#""text""#,
        "{} {}",
        "{'Name':'N'}",
        r#"{"Name":"N",}"#,
        r#"{"Name":"N","Name":"M"}"#,
        r#"{"Name":"N","name":"M"}"#,
        r#"{"Name":"N","xp":{"a":1,"\u0061":2}}"#,
        r#"{"Name":"a\u0000b"}"#,
        r#"{"Name":"N","xp":{"\u0000":1}}"#,
        r#"{"Name":"N","xp":{"a":"\ud800"}}"#,
        r#"{"Name":"\udc00\ud800"}"#,
        r#"{"Name":"N","xp":{"a":1e400}}"#,
        r#"{"Unknown":-1e999}"#,
        r#"{"Name":"N","xp":{"a":01}}"#,
        r#"{"Name":"N","xp":{"a":NaN}}"#,
        "{\"Name\":\"a\nb\"}",
        &nested(64),
        &nested(10_000),
        &"[".repeat(10_000),
        &r#"{"a":"#.repeat(10_000),
    ];
    let bytes = [&b"{\"Name\":\"\xff\"}"[..], b"\xef\xbb\xbf\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00"];
    texts.iter().map(|text| text.as_bytes().to_vec()).chain(bytes.map(<[u8]>::to_vec)).collect()
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_everywhere() {
    let (_server, admin) = directory().await;
    let before = everything(&admin).await;
    for (method, path, code) in READERS {
        for body in unreadable() {
            let shown = String::from_utf8_lossy(&body).chars().take(60).collect::<String>();
            let reply = admin.call(method, path, Some("application/json"), body).await;
            assert_eq!((reply.status, reply.code()), (400, code), "{method} {path} {shown}: {}", reply.text);
        }
    }
    assert_eq!(everything(&admin).await, before);
}

#[tokio::test]
async fn a_missing_body_is_refused() {
    let (_server, admin) = directory().await;
    for (method, path, code) in READERS {
        for body in ["", "null", " ", "\r\n\t ", "\u{feff}", "\u{feff} null"] {
            let reply = admin.text(method, path, body).await;
            match method {
                "PATCH" => assert_eq!(reply.status, 200, "{}", reply.text),
                _ => assert_eq!((reply.status, reply.code()), (400, code), "{method} {path}: {}", reply.text),
            }
        }
    }
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let (_server, admin) = directory().await;
    let before = everything(&admin).await;
    for (method, path, _) in READERS {
        let code = if path.starts_with("/v1") { "Request.InvalidContentType" } else { "unsupported_media_type" };
        for other in ["text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json", "nonsense"] {
            admin.call(method, path, Some(other), "{}").await.fails(415, code);
        }
    }
    assert_eq!(everything(&admin).await, before);
    // `application/json` in any case and with parameters is accepted, and so is a request without a content type.
    for own in [None, Some("APPLICATION/JSON"), Some("application/json; charset=utf-8; x=y")] {
        admin.call("PATCH", "/v1/usergroups/g", own, r#"{"Name":"H"}"#).await.is(200);
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_ignored() {
    let (_server, admin) = directory().await;
    let reply = admin.text("PATCH", "/v1/usergroups/g", "\u{feff}{\"Name\":\"Marked\"}").await.is(200);
    assert_eq!(reply["Name"], "Marked");
    let labels = "\u{feff}{\"Labels\":\"{\\\"en\\\":\\\"Core\\\"}\"}";
    admin.text("POST", "/api/admin/v1/users-groups", labels).await.is(200);
}

/// `{}` compressed by `gzip`; only the header matters.
#[tokio::test]
async fn an_encoded_body_is_refused_in_the_form_of_each_api() {
    let (_server, admin) = directory().await;
    let before = everything(&admin).await;
    let encoded = async |method, path, kind, coding, body: &'static [u8]| {
        let request = admin.request(method, path).header("content-type", kind).header("content-encoding", coding);
        admin.send(request.body(body)).await
    };
    let packed: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0";
    let token = ("POST", "/oauth/token", "");
    for (method, path, _) in READERS.into_iter().chain([token]) {
        let code = if path.starts_with("/api") { "unsupported_media_type" } else { "Request.InvalidContentType" };
        for coding in ["gzip", "deflate", "br", "identity, zstd"] {
            let kind = if path == "/oauth/token" { "application/x-www-form-urlencoded" } else { "application/json" };
            let reply = encoded(method, path, kind, coding, packed).await.fails(415, code);
            assert!(reply.text.contains("encoding"), "{}", reply.text);
            assert_eq!(reply.header("accept-encoding"), "identity");
        }
    }
    assert_eq!(everything(&admin).await, before);
    encoded("PATCH", "/v1/usergroups/g", "application/json", "identity", br#"{"Name":"H"}"#).await.is(200);
}

/// Checks that each of these values of the field is refused, with the name of the field.
async fn refused(admin: &Caller, method: &str, path: &str, base: &Value, field: &str, values: &[Value]) {
    for value in values {
        let mut body = base.clone();
        body[field] = value.clone();
        let reply = admin.call(method, path, Some("application/json"), body.to_string()).await.is(400);
        assert_eq!(
            (reply.codes(), reply.fields()),
            (vec!["ValidationFailure"], vec![field]),
            "{value}: {}",
            reply.text
        );
    }
}

fn long(chars: usize) -> Value {
    "é".repeat(chars).into()
}

#[tokio::test]
async fn fields_of_a_group_keep_their_rules() {
    let (_server, admin) = directory().await;
    let before = everything(&admin).await;
    let (group, leaves) = (json!({ "Name": "N" }), |leaves| json!({ "a": vec![1; leaves] }));
    // {"a":"..."} is 8 bytes and the text.
    let of_bytes = |bytes: usize| json!({ "a": "x".repeat(bytes - 8) });
    for (method, path) in [("POST", "/v1/usergroups"), ("PUT", "/v1/usergroups/new"), ("PATCH", "/v1/usergroups/g")] {
        let names = [json!(""), json!(" \t\u{2003}"), json!(null), json!(1), json!(["N"]), json!(true), long(101)];
        refused(&admin, method, path, &group, "Name", &names).await;
        refused(&admin, method, path, &group, "Description", &[json!(1), json!({}), json!(false), long(2001)]).await;
        let ids = [json!("a b"), json!("ü"), json!("a.b"), json!("a/b"), json!(7), json!("x".repeat(101)), json!({})];
        refused(&admin, method, path, &group, "ID", &ids).await;
        let xps = [json!([]), json!(1), json!("x"), json!(true), of_bytes(8001), leaves(501)];
        refused(&admin, method, path, &group, "xp", &xps).await;
    }
    assert_eq!(everything(&admin).await, before);
    for body in [
        json!({ "Name": long(100), "Description": long(2000), "ID": "x".repeat(100), "xp": of_bytes(8000) }),
        json!({ "Name": "N", "ID": "leaves", "xp": leaves(500) }),
        json!({ "Name": " N ", "ID": "spaces" }),
    ] {
        let made = admin.post("/v1/usergroups", &body).await.is(201);
        assert_eq!((&made["Name"], &made["xp"]), (&body["Name"], &body["xp"]), "kept as sent");
    }
}

/// The limit applies to the merged document, not only to the patch.
#[tokio::test]
async fn a_merged_xp_keeps_its_limits() {
    let (_server, admin) = directory().await;
    admin.patch("/v1/usergroups/g", &json!({ "xp": { "b": "x".repeat(7900) } })).await.is(200);
    let too_much = json!({ "xp": { "c": "y".repeat(100) } });
    assert_eq!(admin.patch("/v1/usergroups/g", &too_much).await.fails(400, "ValidationFailure").fields(), ["xp"]);
    admin.get("/v1/usergroups?xp.c=*").await.is(200)["Items"]
        .as_array()
        .map(|items| assert!(items.is_empty()))
        .unwrap();
}

/// A patch far over the limit is refused before the transaction, so that other writes do not wait for it.
#[tokio::test]
async fn a_huge_patch_of_xp_delays_no_other_write() {
    let (_server, admin) = directory().await;
    let names: Vec<_> = (0..80_000).map(|at| format!(r#""{at:x}":1"#)).collect();
    let (body, group) = (format!(r#"{{"xp":{{{}}}}}"#, names.join(",")), json!({ "Name": "meanwhile" }));
    for path in ["/v1/usergroups/g", "/v1/adminusers/u"] {
        let mut patch = std::pin::pin!(admin.text("PATCH", path, &body));
        let reply = loop {
            tokio::select! {
                reply = &mut patch => break reply,
                made = admin.post("/v1/usergroups", &group) => { made.is(201); },
            }
        };
        assert_eq!(reply.fails(400, "ValidationFailure").fields(), ["xp"]);
    }
}

#[tokio::test]
async fn fields_of_a_user_keep_their_rules() {
    let (_server, admin) = directory().await;
    let before = everything(&admin).await;
    let user = crate::support::user_body("new");
    for (method, path) in [("POST", "/v1/adminusers"), ("PUT", "/v1/adminusers/new"), ("PATCH", "/v1/adminusers/u")] {
        for field in ["Username", "FirstName", "LastName", "Email"] {
            let over = if field == "Email" { long(201) } else { long(101) };
            refused(&admin, method, path, &user, field, &[json!(""), json!(" "), json!(null), json!(1), over]).await;
        }
        refused(&admin, method, path, &user, "Active", &[json!(null), json!("true"), json!(1)]).await;
        refused(&admin, method, path, &user, "Phone", &[json!(1), long(101)]).await;
        refused(&admin, method, path, &user, "TermsAccepted", &[json!("now"), json!(1), json!("2015-13-01")]).await;
        refused(&admin, method, path, &user, "Password", &[json!(1), json!({})]).await;
        refused(&admin, method, path, &user, "xp", &[json!([]), json!("x")]).await;
        for weak in ["short-A1", "only-lower-case", "alllowercase1", &"Aa1-".repeat(33)] {
            let mut body = user.clone();
            body["Password"] = weak.into();
            let reply = admin.call(method, path, Some("application/json"), body.to_string()).await;
            reply.fails(400, "PasswordReset.InsecurePassword");
        }
    }
    assert_eq!(everything(&admin).await, before);
}

#[tokio::test]
async fn all_violations_are_reported_at_once() {
    let (_server, admin) = directory().await;
    let reply = admin.post("/v1/usergroups", &json!({ "ID": "a b", "Description": 1, "xp": [] })).await.is(400);
    assert_eq!(reply.fields(), ["ID", "Name", "Description", "xp"]);
    let reply = admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": "" })).await.is(400);
    assert_eq!(reply.fields(), ["UserGroupID", "UserID"]);
}
