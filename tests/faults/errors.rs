//! Every documented error of an endpoint, from the server's text (which the stand-ins send in place of their own answers) to
//! the output for a script: kind, exit status and message. The rows of giga0 are the lists "Possible Errors" and "Standard API
//! errors" of its page. ioGates and FileAgo document no error bodies, so their rows are statuses (providers.md 1.4, 3.2) and
//! the codes of the upload protocols (4, 5).

use haul::sandbox::Canned;

use crate::support::env::TestEnv;

/// To every try.
const ALWAYS: u64 = 99;

struct Row {
    /// As in `Counts::requests`.
    call: &'static str,
    status: u16,
    said: &'static str,
    /// `error.kind`; blank: the command does its work all the same.
    kind: &'static str,
    exit: i32,
    /// Part of the message that people read.
    says: &'static str,
}

const fn row(call: &'static str, status: u16, said: &'static str, kind: &'static str, exit: i32, says: &'static str) -> Row {
    Row { call, status, said, kind, exit, says }
}

/// Answers `row` to the command that makes its call, and compares how that ends.
fn check(env: &TestEnv, provider: &str, row: &Row, times: u64, body: String, args: &[String]) {
    env.sandbox.faults().clear();
    env.sandbox.faults().answer(Canned::new(provider, row.call, row.status, body).times(times));
    let asked = env.sandbox.counts().requests(provider, row.call);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = env.home.run(&[&["--json"], &args[..]].concat());
    let what = format!("{provider} {} {} {:?}: {} {}", row.call, row.status, row.said, ran.stdout, ran.stderr);
    assert!(env.sandbox.counts().requests(provider, row.call) > asked, "the call was not made: {what}");
    assert_eq!(ran.status, row.exit, "{what}");
    let failed = ran.events("failed");
    match row.kind {
        "" => assert!(failed.is_empty(), "{what}"),
        kind => {
            assert_eq!((failed.len(), &failed[0]["error"]["kind"]), (1, &kind.into()), "{what}");
            let message = failed[0]["error"]["message"].as_str().unwrap();
            assert!(message.contains(row.says) && ran.stderr.contains(row.says), "{:?} is missing: {what}", row.says);
            assert!(message.contains(row.said) || row.said.is_empty(), "the server's words are missing: {what}");
            assert!(!ran.stderr.contains("panicked"), "{what}");
        }
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

const STALE: &str = "Could not validate access_token and account_id, please reauthenticate or try again";
const NO_TOKEN: &str = "Please provide the access_token param";
const NO_ACCOUNT: &str = "Please provide the account_id param";
const NO_FILE_ID: &str = "Please provide the file_id param";
const NO_FILE: &str = "Could not find file based on file_id";
const NO_FOLDER: &str = "Could not find folder based on folder_id";
const MISUNDERSTOOD: &str = "the site did not understand the request";
const UNKNOWN: &str = "there is no such file or folder";

const GIGA0: &[Row] = &[
    row("disable_access_token", 200, NO_TOKEN, "protocol", 11, MISUNDERSTOOD),
    row("disable_access_token", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    // A token that is gone there is what was asked for.
    row("disable_access_token", 200, STALE, "", 0, ""),
    row("account/info", 200, NO_TOKEN, "protocol", 11, MISUNDERSTOOD),
    row("account/info", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    row("account/info", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("account/package", 200, NO_TOKEN, "protocol", 11, MISUNDERSTOOD),
    row("account/package", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    row("account/package", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("file/upload", 200, NO_TOKEN, "refused", 8, "the site lost the whole upload form"),
    row("file/upload", 200, NO_ACCOUNT, "refused", 8, "the site lost the whole upload form"),
    row("file/upload", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("file/upload", 200, "Did not receive uploaded file", "refused", 8, "the site received no file"),
    row("file/upload", 200, "Filesize received was zero", "refused", 8, "the site received no file"),
    row("file/upload", 200, "PHP Curl module does not exist on your server/web hosting", "refused", 8, "the site refused"),
    // Tried again after a look, in case that it has arrived.
    row("file/upload", 200, "Error uploading file. No response received from: https://site.example", "network", 5, "the site failed"),
    row("file/upload", 200, "Error on: https://site.example. You have no storage left", "refused", 8, "the site refused"),
    row("file/download", 200, NO_FILE_ID, "protocol", 11, MISUNDERSTOOD),
    row("file/download", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    row("file/download", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("file/download", 200, NO_FILE, "not-found", 3, UNKNOWN),
    row("file/download", 200, "Could not generate download url", "refused", 8, "the site refused"),
    row("file/info", 200, NO_FILE_ID, "protocol", 11, MISUNDERSTOOD),
    row("file/info", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    row("file/info", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("file/info", 200, NO_FILE, "not-found", 3, UNKNOWN),
    row("file/delete", 200, NO_FILE_ID, "protocol", 11, MISUNDERSTOOD),
    row("file/delete", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    row("file/delete", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("file/edit", 200, NO_FILE_ID, "protocol", 11, MISUNDERSTOOD),
    row("file/edit", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    row("file/edit", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("file/edit", 200, NO_FILE, "not-found", 3, UNKNOWN),
    row("folder/create", 200, "Please provide the folder_name param", "protocol", 11, MISUNDERSTOOD),
    row("folder/create", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    row("folder/create", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("folder/listing", 200, NO_TOKEN, "protocol", 11, MISUNDERSTOOD),
    row("folder/listing", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    row("folder/listing", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("folder/info", 200, NO_TOKEN, "protocol", 11, MISUNDERSTOOD),
    row("folder/info", 200, NO_ACCOUNT, "protocol", 11, MISUNDERSTOOD),
    row("folder/info", 200, STALE, "auth", 4, "the server rejects even a fresh token"),
    row("folder/info", 200, NO_FOLDER, "not-found", 3, UNKNOWN),
];

/// "Standard API errors": any call may give them.
const STANDARD: &[Row] = &[
    row("", 400, "Bad input parameter", "refused", 8, "the site refused"),
    row("", 401, "Bad or expired token", "auth", 4, "the server rejects even a fresh token"),
    row("", 404, "File not found at the provided path", "not-found", 3, UNKNOWN),
    row("", 405, "Request method not expected", "protocol", 11, MISUNDERSTOOD),
];

fn giga0_body(said: &str) -> String {
    serde_json::json!({ "response": said, "_status": "error", "_datetime": "2024-11-05 06:08:40" }).to_string()
}

/// A command that makes the call.
fn giga0_args(env: &TestEnv, call: &str, number: usize) -> Vec<String> {
    let put = |policy: &str| words(&["put", "--retries", "1", "--if-exists", policy, "f.txt", &format!("giga0:/up/{number}.txt")]);
    match call {
        "account/info" | "account/package" => words(&["about", "giga0:"]),
        "disable_access_token" => words(&["logout", "giga0"]),
        "file/upload" => put("fail"),
        "file/delete" | "file/edit" => {
            env.sandbox.fill("giga0", "/up", [format!("{number}.txt")].into_iter(), b"older").unwrap();
            put("replace")
        }
        "file/download" => words(&["stat", "giga0:@short:2Vv"]),
        "file/info" => words(&["stat", "giga0:@file:1253"]),
        "folder/create" => words(&["mkdir", &format!("giga0:/new{number}")]),
        "folder/listing" => words(&["ls", "giga0:"]),
        "folder/info" => words(&["stat", "giga0:@125"]),
        other => panic!("no command calls {other}"),
    }
}

#[test]
fn what_giga0_documents_for_each_call() {
    let env = TestEnv::new();
    env.home.file("f.txt", "content");
    for (number, row) in GIGA0.iter().enumerate() {
        env.sandbox.faults().clear();
        env.home.run(&["ls", "giga0:"]).ends_with(0);
        check(&env, "giga0", row, ALWAYS, giga0_body(row.said), &giga0_args(&env, row.call, number));
    }
}

#[test]
fn what_giga0_documents_for_all_calls() {
    let env = TestEnv::new();
    env.home.file("f.txt", "content");
    let mut calls: Vec<&'static str> = GIGA0.iter().map(|row| row.call).filter(|call| *call != "disable_access_token").collect();
    calls.dedup();
    for (number, call) in calls.into_iter().enumerate() {
        for (of, row) in STANDARD.iter().enumerate() {
            // A file that is gone already need not be removed: the new one gets its name.
            let gone = (call, row.status) == ("file/delete", 404);
            let row = if gone { Row { call, kind: "", exit: 0, ..*row } } else { Row { call, ..*row } };
            check(&env, "giga0", &row, ALWAYS, giga0_body(row.said), &giga0_args(&env, call, number * 10 + of));
        }
    }
}

#[test]
fn a_refused_sign_in_at_giga0_is_final() {
    for said in [
        "Could not authenticate user. The username and password may be invalid or your account may be locked from too many failed logins",
        "Your account level does not have access to the API",
        "Please provide the username param",
    ] {
        let env = TestEnv::new();
        let row = row("authorize", 200, said, "auth", 4, "the site refused the sign-in");
        check(&env, "giga0", &row, ALWAYS, giga0_body(said), &words(&["ls", "giga0:"]));
        assert_eq!(env.sandbox.counts().requests("giga0", "authorize"), 1, "{said}");
    }
}

/// A limit and a failure of the server pass: one more try does it. The token is renewed once.
#[test]
fn what_passes_is_tried_again() {
    let env = TestEnv::new();
    for (provider, call) in [("giga0", "folder/listing"), ("fileago", "dirlist"), ("iogates", "files")] {
        for status in [429, 500, 502, 503, 401] {
            let row = row(call, status, "", "", 0, "");
            check(&env, provider, &row, 1, "{}".to_owned(), &words(&["ls", &format!("{provider}:")]));
        }
        let counts = env.sandbox.counts();
        assert_eq!(counts.sign_ins(provider), 2, "{provider}: the first, and one after 401");
    }
}

const FILEAGO: &[Row] = &[
    row("details", 401, "Not signed in", "auth", 4, "the server rejects even a fresh token"),
    row("details", 403, "No permission", "refused", 8, "the server refused"),
    row("details", 404, "Node gone", "not-found", 3, "there is no such file or folder"),
    row("dirlist", 401, "Not signed in", "auth", 4, "the server rejects even a fresh token"),
    row("dirlist", 403, "No permission", "refused", 8, "the server refused"),
    row("dirlist", 404, "Node gone", "not-found", 3, "there is no such file or folder"),
    row("change", 400, "Bad name", "refused", 8, "the server refused"),
    row("change", 403, "No permission", "refused", 8, "the server refused"),
    row("change", 404, "Node gone", "not-found", 3, "there is no such file or folder"),
    row("change", 409, "Name taken", "exists", 6, "something of this name is there already"),
    row("change", 405, "No such method", "protocol", 11, "the server did not understand the request"),
    row("upload-token", 401, "Not signed in", "auth", 4, "the server rejects even a fresh token"),
    row("upload-token", 403, "No permission", "refused", 8, "the server refused"),
    row("upload-token", 404, "Node gone", "not-found", 3, "there is no such file or folder"),
    row("upload", 403, "No permission", "refused", 8, "the server refused"),
    row("upload", 409, "A file of this name already exists", "exists", 6, "something of this name is there already"),
    row("upload", 413, "Too large", "refused", 8, "limits the size of uploads"),
    row("upload", 200, "Quota exceeded", "refused", 8, "the server refused"),
    row("upload", 401, "Upload token is used up", "network", 5, "the server no longer accepts the upload token"),
    row("upload", 500, "Oops", "network", 5, "the server failed"),
];

#[test]
fn what_fileago_answers() {
    let env = TestEnv::new();
    env.home.file("f.txt", "content");
    for (number, row) in FILEAGO.iter().enumerate() {
        let args = match row.call {
            "details" => words(&["stat", "fileago:@50a3495d"]),
            "dirlist" => words(&["ls", "fileago:@home"]),
            "change" => words(&["mkdir", &format!("fileago:/new{number}")]),
            _ => words(&["put", "--retries", "1", "f.txt", &format!("fileago:/up{number}.txt")]),
        };
        let body = serde_json::json!({ "status": "error", "msg": row.said }).to_string();
        check(&env, "fileago", row, ALWAYS, body, &args);
    }
    let env = TestEnv::new();
    let refused = row("sign-in", 401, "Invalid username or password", "auth", 4, "the server refused the sign-in");
    let body = r#"{"status":"error","msg":"Invalid username or password"}"#;
    check(&env, "fileago", &refused, ALWAYS, body.to_owned(), &words(&["ls", "fileago:"]));
    assert_eq!(env.sandbox.counts().requests("fileago", "sign-in"), 1);
}

const IOGATES: &[Row] = &[
    row("auth-info", 401, "", "auth", 4, "the server rejects even a fresh token"),
    // Asking is allowed; what may not be done is told.
    row("auth-info", 403, "", "", 0, ""),
    row("files", 401, "", "auth", 4, "the server rejects even a fresh token"),
    row("files", 403, "", "refused", 8, "the server refused permission"),
    row("files", 404, "", "not-found", 3, "there is no such file or folder"),
    row("file-create", 400, "", "refused", 8, "the server refused"),
    row("file-create", 403, "", "refused", 8, "the server refused permission"),
    row("file-create", 507, "", "refused", 8, "no space left"),
    row("tus-create", 413, "", "refused", 8, "too large"),
    row("tus-create", 412, "", "unsupported", 10, "the server refused"),
    row("tus-patch", 415, "", "refused", 8, "the server refused"),
    row("plupload", 413, "", "refused", 8, "too large"),
];

#[test]
fn what_iogates_answers() {
    let env = TestEnv::new();
    env.home.file("f.txt", "content");
    for (number, row) in IOGATES.iter().enumerate() {
        let protocol = if row.call == "plupload" { "plupload" } else { "tus" };
        let args = match row.call {
            "auth-info" => words(&["about", "iogates:"]),
            "files" => words(&["ls", "iogates:"]),
            _ => words(&["put", "--retries", "1", "--protocol", protocol, "f.txt", &format!("iogates:/up{number}.txt")]),
        };
        check(&env, "iogates", row, ALWAYS, "{}".to_owned(), &args);
    }
    for status in [400, 401, 403] {
        let env = TestEnv::new();
        let refused = row("sign-in", status, "", "auth", 4, "check the username and the password");
        check(&env, "iogates", &refused, ALWAYS, "{}".to_owned(), &words(&["ls", "iogates:"]));
        assert_eq!(env.sandbox.counts().requests("iogates", "sign-in"), 1);
    }
}

/// JSON-RPC errors of a plupload handler come with HTTP 200 (providers.md 4).
#[test]
fn what_a_plupload_handler_answers() {
    let env = TestEnv::new();
    env.home.file("f.txt", "content");
    for (code, said, kind, exit) in [
        (100, "Failed to open temp directory.", "refused", 8),
        (101, "Failed to open input stream.", "network", 5),
        (102, "Failed to open output stream.", "refused", 8),
        (103, "Failed to move uploaded file.", "refused", 8),
        (104, "File type not allowed.", "refused", 8),
        (105, "Security check failed.", "auth", 4),
    ] {
        let row = Row { call: "plupload", status: 200, said, kind, exit, says: "" };
        let body = serde_json::json!({ "jsonrpc": "2.0", "error": { "code": code, "message": said }, "id": "id" }).to_string();
        let args = ["put", "--retries", "1", "--protocol", "plupload", "f.txt", &format!("iogates:/{code}.txt")];
        check(&env, "iogates", &row, ALWAYS, body, &words(&args));
    }
}
