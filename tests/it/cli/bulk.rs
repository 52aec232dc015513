//! `rollbook import` and `export`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{CORE, Caller, PASSWORD, Rollbook, Server, binary_in_shell, core_groups, labels, user_body};

const LINES: [&str; 6] = [
    r#"{"group":{"uid":7,"id":"Sales","labels":{"de":"Vertrieb","en":"Sales"},"description":"Sells","xp":{"Floor":1.0},"communities":["a6dfbbee-4866-422a-8f83-6b8533375e7d"]}}"#,
    r#"{"group":{"uid":9,"id":"bare","labels":{"en":"Bare"}}}"#,
    r#"{"user":{"uid":5,"id":"ana","username":"ana@x","first_name":"Ana","last_name":"López","email":"ana@example.com","active":true,"xp":{"Desk":[1,2]},"roles":["AdminUserGroupReader"]}}"#,
    r#"{"user":{"uid":8,"id":"bo","username":"bo","first_name":"Bo","last_name":"B","email":"bo@example.com","phone":"1","terms_accepted":"2026-01-31T10:00:00Z","active":false}}"#,
    r#"{"membership":{"group":"Sales","user":"ana"}}"#,
    r#"{"membership":{"group":"Sales","user":"bo"}}"#,
];

/// The line of one kind of entity in the output of an import: created, updated, unchanged, refused.
fn counts(printed: &str, kind: &str) -> Vec<u64> {
    let row = printed.lines().find(|line| line.starts_with(kind)).unwrap_or_else(|| panic!("{printed}"));
    row.split_whitespace().skip(1).map(|count| count.parse().unwrap()).collect()
}

#[tokio::test]
async fn an_import_is_in_every_api_and_exported_unchanged() {
    let server = Server::start();
    let text = LINES.join("\n") + "\n";
    let printed = server.cli().run_with(&["import", "-"], &text).printed();
    assert_eq!(counts(&printed, "groups"), [2, 0, 0, 0]);
    assert_eq!(counts(&printed, "users"), [2, 0, 0, 0]);
    assert_eq!(counts(&printed, "memberships"), [2, 0, 0, 0]);

    let admin = server.admin().await;
    let group = admin.get("/v1/usergroups/sales").await.is(200);
    assert_eq!((&group["Name"], &group["xp"]["Floor"]), (&json!("Sales"), &json!(1.0)));
    let group = admin.get("/api/admin/v1/users-groups/7").await.is(200);
    assert!(group.json().to_string().contains("Vertrieb"), "{:?}", group.json());
    let members = admin.get("/v1/usergroups/assignments?userGroupID=sales").await.is(200);
    assert_eq!(members["Meta"]["TotalCount"], 2);
    let made = admin.post("/v1/usergroups", &json!({ "Name": "later" })).await.is(201);
    let id = made["ID"].as_str().unwrap();
    admin.delete(&format!("/v1/usergroups/{id}")).await.is(204);

    assert_eq!(server.cli().run(&["export"]).printed(), text);
    let again = server.cli().run_with(&["import", "-"], &text).printed();
    assert_eq!(counts(&again, "groups"), [0, 0, 2, 0]);
    assert_eq!(counts(&again, "memberships"), [0, 0, 2, 0]);
    let other = Server::start();
    other.cli().run_with(&["import", "-"], &text).printed();
    assert_eq!(other.cli().run(&["export"]).printed(), text);
}

#[tokio::test]
async fn a_dry_run_tells_what_the_import_does_and_writes_nothing() {
    let (server, admin) = {
        let server = Server::start();
        let admin = server.admin().await;
        (server, admin)
    };
    server.make_user("here", &[], &[]);
    // Enough lines for several batches, so that memberships name groups and users of earlier ones.
    let mut lines: Vec<_> = LINES.map(str::to_owned).into();
    let user = |id: &str, name: &str| json!({ "user": { "id": id, "username": name, "first_name": "F", "last_name": "L", "email": "e", "active": true } });
    lines.extend((0..1_600).map(|number| user(&format!("u{number}"), &format!("name{number}")).to_string()));
    lines.push(user("twin", "name0").to_string());
    lines.push(user("u0", "name0").to_string());
    lines.push(json!({ "group": { "uid": 7, "id": "seven", "labels": { "en": "Seven" } } }).to_string());
    for user in ["u1", "here", "nobody"] {
        lines.push(json!({ "membership": { "group": "bare", "user": user } }).to_string());
    }
    let text = lines.join("\n");
    let before = (admin.get("/rollbook/v1/info").await.is(200), server.cli().run(&["export"]).printed());
    let preview = server.cli().run_with(&["import", "-", "--dry-run"], &text);
    assert!(!preview.success && preview.stdout.contains("nothing was written"), "{}", preview.stdout);
    assert!(preview.stderr.contains("3 of 1612 lines would be refused"), "{}", preview.stderr);
    let after = (admin.get("/rollbook/v1/info").await.is(200), server.cli().run(&["export"]).printed());
    assert_eq!((before.0.json(), before.1), (after.0.json(), after.1));
    let rows = |printed: &str| ["groups", "users", "memberships", "unreadable"].map(|kind| counts(printed, kind));
    assert_eq!(rows(&preview.stdout), [[2, 0, 0, 1], [1_602, 1, 0, 1], [4, 0, 0, 1], [0, 0, 0, 0]]);
    let imported = server.cli().run_with(&["import", "-"], &text);
    // The last line of u0 changes nothing, which the dry run does not tell.
    assert_eq!(rows(&imported.stdout), [[2, 0, 0, 1], [1_602, 0, 1, 1], [4, 0, 0, 1], [0, 0, 0, 0]]);
    let again = server.cli().run_with(&["import", "-", "--dry-run"], &LINES.join("\n")).printed();
    assert_eq!(rows(&again), [[0, 0, 2, 0], [0, 0, 2, 0], [0, 0, 2, 0], [0, 0, 0, 0]]);
}

#[tokio::test]
async fn refused_lines_are_reported_and_stored_and_the_others_are_imported() {
    let (server, folder) = (Server::start(), TempDir::new().unwrap());
    let (file, kept) = (folder.path().join("in.jsonl"), folder.path().join("refused.jsonl"));
    let wrong = [
        r#"{"group":{"id":"g","labels":{"en":"G"},"colour":"red"}}"#,
        r#"{"membership":{"group":"Sales","user":"nobody"}}"#,
        r#"{"user":{"id":"twin","username":"ANA@X","first_name":"T","last_name":"T","email":"t","active":true}}"#,
        "not JSON",
    ];
    fs::write(&file, LINES.into_iter().chain(wrong).collect::<Vec<_>>().join("\n")).unwrap();
    let arguments = ["import", file.to_str().unwrap(), "--refused", kept.to_str().unwrap()];
    let outcome = server.cli().run(&arguments);
    assert!(!outcome.success);
    let rows = ["groups", "users", "memberships", "unreadable"].map(|kind| counts(&outcome.stdout, kind));
    assert_eq!(rows, [[2, 0, 0, 0], [2, 0, 0, 1], [2, 0, 0, 1], [0, 0, 0, 2]], "the last column adds up");
    for observed in [
        "line 7: the member 'colour' is not known",
        "line 8: there is no user 'nobody'",
        "line 9: another user has this username",
        "line 10: is not JSON (column 2)",
        "note: a file has no passwords",
        "4 of 10 lines were refused; the others are imported",
    ] {
        assert!(outcome.stderr.contains(observed), "{observed}: {}", outcome.stderr);
    }
    assert_eq!(fs::read_to_string(&kept).unwrap(), wrong.join("\n") + "\n");
    let error = server.cli().run(&arguments).error();
    assert!(error.contains("name a file that does not exist"), "{error}");
    let error = server.cli().run(&["import", "/no/such/file"]).error();
    assert!(error.contains("/no/such/file cannot be read"), "{error}");
}

/// If refused lines cannot be reported, the others are imported nevertheless.
#[tokio::test]
async fn an_import_continues_if_its_output_is_closed() {
    let (server, folder) = (Server::start(), TempDir::new().unwrap());
    let file = folder.path().join("in.jsonl");
    fs::write(&file, ["not JSON", LINES[0], "not JSON", LINES[1]].join("\n")).unwrap();
    let mut import = binary_in_shell(server.database().url(), "", "2>/dev/full");
    let output = import.args(["import", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(counts(&String::from_utf8(output.stdout).unwrap(), "groups"), [2, 0, 0, 0]);
}

#[tokio::test]
async fn missing_folders_are_created() {
    let (server, folder) = (Server::start(), TempDir::new().unwrap());
    let (exported, kept) = (folder.path().join("a/b/out.jsonl"), folder.path().join("c/d/refused.jsonl"));
    server.cli().run(&["export", exported.to_str().unwrap()]).printed();
    let outcome = server.cli().run_with(&["import", "-", "--refused", kept.to_str().unwrap()], "not JSON\n");
    assert!(outcome.stderr.contains("nothing was imported: every line was refused"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("\n1 line in ") && !outcome.stderr.contains("note:"), "{outcome:?}");
    let mixed = server.cli().run_with(&["import", "-"], &format!("{}\nnot JSON\n", LINES[1]));
    assert!(mixed.stderr.contains("1 of 2 lines was refused; the others are imported"), "{}", mixed.stderr);
    let exported_again = server.cli().run(&["export"]);
    let sentence = "1 line was exported, without passwords and clients. The feed of changes goes on after ";
    assert!(exported_again.stderr.starts_with(sentence), "{}", exported_again.stderr);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "not JSON\n");
    for file in [&exported, &kept] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        for folder in file.ancestors().skip(1).take(2) {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
    let inside = exported.join("inside/new");
    for command in [&["export"][..], &["import", "-", "--refused"]] {
        let error = server.cli().run_with(&[command, &[inside.to_str().unwrap()]].concat(), "").error();
        assert!(error.contains("cannot be") && error.contains("name another"), "{command:?}: {error}");
    }
}

/// After a failure, the same command can be run again.
#[tokio::test]
async fn a_failed_export_leaves_no_file() {
    let folder = TempDir::new().unwrap();
    let (nothing, file) = (Rollbook::at(folder.path()), folder.path().join("out.jsonl"));
    for command in [&["export"][..], &["import", "-", "--refused"]] {
        let error = nothing.run_with(&[command, &[file.to_str().unwrap()]].concat(), "").error();
        assert!(error.contains("there is no database"), "{error}");
        assert!(!file.exists(), "{command:?}");
    }
}

#[tokio::test]
async fn byte_order_marks_blank_lines_and_line_ends_do_not_matter() {
    let server = Server::start();
    let (mark, groups) = ("\u{feff}", LINES[..2].join("\r\n\r\n \t\r\n"));
    let text = format!("{mark}\r\n{mark}{groups}\r\n\n\n{mark}{}\n\n", LINES[2..].join("\n"));
    let printed = server.cli().run_with(&["import", "-"], &text).printed();
    for kind in ["groups", "users", "memberships"] {
        assert_eq!(counts(&printed, kind), [2, 0, 0, 0], "{printed}");
    }
    // Line numbers are those of the file.
    let outcome = server.cli().run_with(&["import", "-"], "\n\r\n\n{\"group\":{}}\n");
    assert!(outcome.stderr.contains("line 4: "), "{}", outcome.stderr);
    assert_eq!(counts(&server.cli().run_with(&["import", "-"], "\n\n").printed(), "groups"), [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_file_without_records_is_named() {
    let (server, folder) = (Server::start(), TempDir::new().unwrap());
    let utf_16: Vec<u8> = format!("\u{feff}{}", LINES[0]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let pretty = "{\n  \"group\": {\n    \"id\": \"g\"\n  }\n}\n";
    let files: [(&str, &[u8], &str); 6] = [
        ("utf16.jsonl", &utf_16, "UTF-16: save it as UTF-8"),
        ("packed.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0", "gzip data: unpack it"),
        ("sheet.xlsx", b"PK\x03\x04\x14\0", "zip"),
        ("groups.csv", b"\xef\xbb\xbfid,name\r\nsales,Sales\r\n", "CSV"),
        ("array.json", b"[\n{\"group\":{}}]", "JSON array"),
        ("pretty.json", pretty.as_bytes(), "several lines"),
    ];
    let kept = folder.path().join("refused.jsonl");
    for (name, bytes, words) in files {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error = server.cli().run(&["import", file.to_str().unwrap(), "--refused", kept.to_str().unwrap()]).error();
        assert!(error.contains(&format!("{name} cannot be imported: it is ")) && error.contains(words), "{error}");
        if let Ok(text) = std::str::from_utf8(bytes) {
            let error = server.cli().run_with(&["import", "-"], text).error();
            assert!(error.contains("standard input cannot be imported: it is ") && error.contains(words), "{error}");
        }
    }
    let error = server.cli().run(&["import", folder.path().to_str().unwrap()]).error();
    assert!(error.contains("it is a folder: name a file"), "{error}");
    assert!(!kept.exists(), "nothing was refused line by line");
}

#[tokio::test]
async fn an_import_updates_entities_and_ends_tokens() {
    let server = Server::start();
    server.make_user("robot", &["AdminUserGroupReader"], &[]);
    let (id, secret) = server.make_client(&["FullAccess"], &[], &["--user", "robot"]);
    server.client_token(&id, &secret).await;
    let mut lines: Vec<Value> =
        server.cli().run(&["export"]).printed().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.iter_mut().for_each(|line| line["user"]["active"] = json!(false));
    let text = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(counts(&server.cli().run_with(&["import", "-"], &text).printed(), "users"), [0, 1, 0, 0]);
    let fields = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
    server.grant(&fields).await.fails(400, "Auth.OauthError");
}

#[tokio::test]
async fn writes_continue_during_an_import() {
    let server = Server::start();
    let admin = server.admin().await;
    let line =
        |number: usize| format!(r#"{{"group":{{"id":"g{number}","labels":{{"en":"G"}},"xp":{{"n":{number}}}}}}}"#);
    let (cli, text) = (server.cli(), (0..2_000).map(line).collect::<Vec<_>>().join("\n"));
    let import = tokio::task::spawn_blocking(move || cli.run_with(&["import", "-"], &text).printed());
    let mut written = 0;
    while !import.is_finished() {
        admin.post("/v1/usergroups", &json!({ "Name": "beside" })).await.is(201);
        written += 1;
    }
    assert_eq!(counts(&import.await.unwrap(), "groups"), [2_000, 0, 0, 0]);
    assert_eq!(admin.get("/v1/usergroups").await.is(200)["Meta"]["TotalCount"], 2_000 + written);
}

/// A directory with the group `sales` and its member `ana`, and its export.
async fn exported() -> (Server, String) {
    let server = Server::start();
    let admin = server.admin().await;
    admin.post("/v1/usergroups", &json!({ "ID": "sales", "Name": "Sales", "xp": { "Floor": 5 } })).await.is(201);
    server.make_user("ana", &["AdminUserGroupReader"], &[]);
    join(&admin, "sales", "ana").await;
    let text = server.cli().run(&["export"]).printed();
    assert_eq!(text.lines().count(), 3, "{text}");
    (server, text)
}

async fn join(admin: &Caller, group: &str, user: &str) {
    admin.post("/v1/usergroups/assignments", &json!({ "UserGroupID": group, "UserID": user })).await.is(204);
}

async fn members(admin: &Caller, group: &str) -> Vec<String> {
    let listed = admin.get(&format!("/v1/usergroups/assignments?userGroupID={group}")).await.is(200);
    listed["Items"].as_array().unwrap().iter().map(|item| item["UserID"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_import_restores_what_was_deleted_since_its_export() {
    let (server, text) = exported().await;
    let admin = server.admin().await;
    let token = server.log_on("ana", PASSWORD).await.is(200)["Token"].as_str().unwrap().to_owned();
    server.make_user("later", &[], &[]);
    join(&admin, "sales", "later").await;
    admin.delete("/v1/usergroups/sales").await.is(204);
    admin.get("/api/admin/v1/users-groups/1").await.is(404);
    admin.delete("/v1/adminusers/ana").await.is(204);

    let printed = server.cli().run_with(&["import", "-"], &text).printed();
    for kind in ["groups", "users", "memberships"] {
        assert_eq!(counts(&printed, kind), [1, 0, 0, 0], "{printed}");
    }
    admin.get("/api/admin/v1/users-groups/1").await.is(200);
    assert_eq!(admin.get("/v1/usergroups?xp.Floor=5&search=sale").await.is(200).ids(), ["sales"]);
    assert_eq!(members(&admin, "sales").await, ["ana"], "none that the file does not name");
    assert_eq!(admin.get("/v1/usergroups/assignments").await.is(200)["Meta"]["TotalCount"], 1);
    server.bearer(&token).get("/v1/usergroups").await.is(401);
    server.log_on("ana", PASSWORD).await.is(200);
    let again = server.cli().run_with(&["import", "-"], &text).printed();
    assert_eq!((counts(&again, "groups"), counts(&again, "users")), (vec![0, 0, 1, 0], vec![0, 0, 1, 0]));
    assert!(server.cli().run(&["export"]).printed().starts_with(text.lines().next().unwrap()));
}

#[tokio::test]
async fn numbers_are_kept_or_new() {
    let (server, text) = exported().await;
    let admin = server.admin().await;
    admin.delete("/v1/usergroups/sales").await.is(204);
    admin.delete("/v1/adminusers/ana").await.is(204);
    admin.post("/v1/usergroups", &json!({ "ID": "sales", "Name": "Anew" })).await.is(201);
    server.make_user("ana", &[], &[]);
    let changed = text.replace("Lovelace", "Anew");
    for arguments in [&["import", "-"][..], &["import", "-", "--numbers", "keep"]] {
        let outcome = server.cli().run_with(arguments, &changed);
        assert_eq!(
            (counts(&outcome.stdout, "groups"), counts(&outcome.stdout, "users")),
            (vec![0, 0, 0, 1], vec![0, 0, 0, 1])
        );
        for observed in
            ["line 1: uid is not 2, which the group", "line 2: uid is not 2, which the user", "--numbers new"]
        {
            assert!(outcome.stderr.contains(observed), "{}", outcome.stderr);
        }
    }
    let printed = server.cli().run_with(&["import", "-", "--numbers", "new"], &changed).printed();
    assert_eq!((counts(&printed, "groups"), counts(&printed, "users")), (vec![0, 1, 0, 0], vec![0, 1, 0, 0]));
    assert_eq!(admin.get("/v1/usergroups/sales").await.is(200)["Name"], "Sales");
    assert_eq!(admin.get("/v1/adminusers/ana").await.is(200)["LastName"], "Anew");
    admin.get("/api/admin/v1/users-groups/1").await.is(404);

    // The number of another user, or a number higher than all.
    let other = text.replace("\"sales\"", "\"other\"").replace("\"ana\"", "\"other\"");
    let too_high = other.replacen("\"uid\":1", "\"uid\":9007199254740992", 1);
    for (text, observed) in
        [(&other, "is another group's, or was"), (&too_high, "must be a whole number from 1 to 9007199254740991")]
    {
        let outcome = server.cli().run_with(&["import", "-"], text);
        assert!(
            outcome.stderr.contains(&format!("line 1: uid {observed}; import it with --numbers new")),
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("line 2: uid is another user's, or was"), "{}", outcome.stderr);
    }
    let printed = server.cli().run_with(&["import", "-", "--numbers", "new"], &too_high).printed();
    assert_eq!((counts(&printed, "groups"), counts(&printed, "users")), (vec![1, 0, 0, 0], vec![1, 0, 0, 0]));
    assert_eq!(core_groups(&admin).await, [2, 3]);
}

/// Every export can be imported.
#[tokio::test]
async fn numbers_are_bounded_in_an_import() {
    let server = Server::start();
    let admin = server.admin().await;
    let lines = [
        r#"{"group":{"uid":9007199254740990,"id":"g","labels":{"en":"G"}}}"#,
        r#"{"user":{"uid":9007199254740990,"id":"u","username":"u","first_name":"U","last_name":"U","email":"u","active":true}}"#,
    ];
    server.cli().run_with(&["import", "-"], &lines.join("\n")).printed();
    admin.put("/v1/usergroups/last", &json!({ "Name": "Last" })).await.is(200);
    admin.post("/v1/adminusers", &user_body("last")).await.is(201);
    assert_eq!(core_groups(&admin).await, [9_007_199_254_740_990, 9_007_199_254_740_991]);
    for _ in 0..2 {
        let refused = admin.put("/v1/usergroups/beyond", &json!({ "Name": "N" })).await.fails(400, "ValidationFailure");
        assert_eq!(refused.fields(), ["ID"]);
        assert!(refused.text.contains("the highest number there is, 9007199254740991, is taken"), "{}", refused.text);
        admin.post("/v1/adminusers", &user_body("beyond")).await.fails(400, "ValidationFailure");
        let added =
            admin.post(CORE, &json!({ "Labels": labels(&json!({ "en": "N" })) })).await.fails(400, "invalid_data");
        assert!(added.text.contains("9007199254740991"), "{}", added.text);
        let too_high =
            lines.map(|line| line.replace("\"uid\":9007199254740990,", "").replace(r#"id":""#, r#"id":"beyond-"#));
        let outcome =
            server.cli().run_with(&["import", "-"], &too_high.join("\n").replace("\"u\",\"first", "\"b\",\"first"));
        assert_eq!(counts(&outcome.stdout, "groups"), [0, 0, 0, 1], "{}", outcome.stderr);
        assert_eq!(counts(&outcome.stdout, "users"), [0, 0, 0, 1], "{}", outcome.stderr);
        assert!(outcome.stderr.contains("line 1: ID cannot be given"), "{}", outcome.stderr);
    }
    admin.put("/v1/usergroups/last", &json!({ "Name": "Changed" })).await.is(200);
    let exported = server.cli().run(&["export"]).printed();
    Server::start().cli().run_with(&["import", "-"], &exported).printed();
}

/// Exports of earlier versions, in which users had no numbers.
#[tokio::test]
async fn lines_without_numbers_are_accepted() {
    let server = Server::start();
    let text = LINES.join("\n").replace(r#""uid":5,"#, "").replace(r#""uid":8,"#, "");
    assert_eq!(counts(&server.cli().run_with(&["import", "-"], &text).printed(), "users"), [2, 0, 0, 0]);
    assert_eq!(counts(&server.cli().run_with(&["import", "-"], &text).printed(), "users"), [0, 0, 2, 0]);
    server.admin().await.delete("/v1/adminusers/ana").await.is(204);
    assert_eq!(counts(&server.cli().run_with(&["import", "-"], &text).printed(), "users"), [1, 0, 1, 0]);
}
