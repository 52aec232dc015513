//! PUT, PATCH and xp (docs/ordercloud.md, section 5).

use serde_json::{Value, json};

use crate::support::{Caller, Server, make_groups};

#[tokio::test]
async fn a_put_creates_or_replaces_and_returns_200() {
    let server = Server::start();
    let admin = server.admin().await;
    let whole = json!({ "Name": "N", "Description": "d", "xp": { "a": 1 } });
    let made = admin.put("/v1/usergroups/g", &whole).await.is(200);
    assert_eq!(made.text, r#"{"ID":"g","Name":"N","Description":"d","xp":{"a":1}}"#);
    let replaced = admin.put("/v1/usergroups/G", &json!({ "Name": "M" })).await.is(200);
    assert_eq!(replaced.text, r#"{"ID":"g","Name":"M","Description":null,"xp":null}"#, "absent fields are null");
}

#[tokio::test]
async fn a_put_with_another_id_renames_or_creates_it() {
    let server = Server::start();
    let admin = server.admin().await;
    make_groups(&admin, &["a", "b"]).await;
    admin.put("/v1/usergroups/a", &json!({ "ID": "B", "Name": "N" })).await.fails(409, "IdExists");
    assert_eq!(admin.put("/v1/usergroups/a", &json!({ "ID": "c", "Name": "N" })).await.is(200)["ID"], "c");
    admin.get("/v1/usergroups/a").await.fails(404, "NotFound");
    assert_eq!(admin.put("/v1/usergroups/no", &json!({ "ID": "d", "Name": "N" })).await.is(200)["ID"], "d");
    admin.get("/v1/usergroups/no").await.fails(404, "NotFound");
    admin.put("/v1/usergroups/no", &json!({ "ID": "b", "Name": "N" })).await.fails(409, "IdExists");
    assert_eq!(admin.put("/v1/usergroups/b", &json!({ "ID": "B", "Name": "N" })).await.is(200)["ID"], "B");
    assert_eq!(admin.get("/v1/usergroups?sortBy=ID").await.is(200).ids(), ["B", "c", "d"]);
}

#[tokio::test]
async fn concurrent_puts_of_one_new_id_all_succeed() {
    let server = Server::start();
    let admin = server.admin().await;
    let put = |caller: Caller| async move { caller.put("/v1/usergroups/g", &json!({ "Name": "N" })).await.status };
    let puts: Vec<_> = (0..16).map(|_| tokio::spawn(put(admin.clone()))).collect();
    for put in puts {
        assert_eq!(put.await.unwrap(), 200);
    }
    assert_eq!(admin.get("/v1/usergroups").await.is(200).total(), 1);
}

#[tokio::test]
async fn a_patch_changes_only_the_fields_it_has() {
    let server = Server::start();
    let admin = server.admin().await;
    let whole = json!({ "ID": "g", "Name": "N", "Description": "d", "xp": { "a": 1 } });
    let before = admin.post("/v1/usergroups", &whole).await.is(201).text;
    for nothing in ["{}", "", "null", r#"{"xp":{}}"#, r#"{"ID":"g"}"#, r#"{"ID":null}"#, r#"{"ID":""}"#] {
        assert_eq!(admin.text("PATCH", "/v1/usergroups/g", nothing).await.is(200).text, before, "{nothing}");
    }
    let cleared = admin.patch("/v1/usergroups/g", &json!({ "Description": null })).await.is(200);
    assert_eq!(cleared.text, r#"{"ID":"g","Name":"N","Description":null,"xp":{"a":1}}"#);
    let emptied = admin.patch("/v1/usergroups/g", &json!({ "Description": "", "xp": null })).await.is(200);
    assert_eq!(emptied.text, r#"{"ID":"g","Name":"N","Description":"","xp":null}"#, "an empty text is a text");
}

#[tokio::test]
async fn a_patch_merges_xp_and_removes_nothing() {
    let server = Server::start();
    let admin = server.admin().await;
    let steps = [
        (r#"{"a":1,"d":{"e":true,"f":[1,2]}}"#, r#"{"a":1,"d":{"e":true,"f":[1,2]}}"#),
        (r#"{"b":2}"#, r#"{"a":1,"d":{"e":true,"f":[1,2]},"b":2}"#),
        (r#"{"a":null}"#, r#"{"a":null,"d":{"e":true,"f":[1,2]},"b":2}"#),
        (r#"{"d":{"f":[3]}}"#, r#"{"a":null,"d":{"e":true,"f":[3]},"b":2}"#),
        (r#"{"b":{"x":1}}"#, r#"{"a":null,"d":{"e":true,"f":[3]},"b":{"x":1}}"#),
        (r#"{"B":0}"#, r#"{"a":null,"d":{"e":true,"f":[3]},"b":{"x":1},"B":0}"#),
    ];
    make_groups(&admin, &["g"]).await;
    for (patch, expected) in steps {
        let reply = admin.text("PATCH", "/v1/usergroups/g", &format!(r#"{{"xp":{patch}}}"#)).await.is(200);
        assert_eq!(reply.text, format!(r#"{{"ID":"g","Name":"g","Description":null,"xp":{expected}}}"#));
    }
    let put = admin.put("/v1/usergroups/g", &json!({ "Name": "g", "xp": {} })).await.is(200);
    assert_eq!(put["xp"], json!({}), "only PUT removes");
}

/// The order of fields, the spelling of numbers and texts are returned as sent; insignificant white space is not.
#[tokio::test]
async fn xp_keeps_its_spelling() {
    let server = Server::start();
    let admin = server.admin().await;
    let xp = r#"{"z":1.0,"a":[1e2,-0,12345678901234567890.5,null,true,{}],"é \" \\ \n":"2015-01-01T00:00:00+05:30","":"€😀"}"#;
    let spaced = xp.replace(",\"", " ,\r\n\t\"");
    admin.text("POST", "/v1/usergroups", &format!(r#"{{"ID":"g","Name":"N","xp": {spaced} }}"#)).await.is(201);
    let got = admin.get("/v1/usergroups/g").await.is(200).text;
    assert_eq!(got, format!(r#"{{"ID":"g","Name":"N","Description":null,"xp":{xp}}}"#));
    let listed = admin.get("/v1/usergroups").await.is(200).text;
    assert!(listed.contains(xp), "{listed}");
}

#[tokio::test]
async fn nested_fields_keep_their_order() {
    let server = Server::start();
    let admin = server.admin().await;
    let deep = (0..63).fold("1".to_owned(), |inner, _| format!(r#"{{"a":{inner}}}"#));
    admin.text("POST", "/v1/usergroups", &format!(r#"{{"ID":"deep","Name":"N","xp":{deep}}}"#)).await.is(201);
    let got = admin.get("/v1/usergroups/deep").await.is(200);
    let mut at = &got["xp"];
    for _ in 0..63 {
        at = &at["a"];
    }
    assert_eq!(at, &Value::from(1));
}
