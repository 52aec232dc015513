//! The questions in HTTP.

use std::net::SocketAddr;

use anyhow::ensure;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::load::Speech;
use super::question::{PAGE, Question, pair, text};
use super::support::generate;
use super::wire::Connection;

/// A connection, and the request that is made ready for it.
pub struct Http {
    connection: Connection,
    speech: Speech,
    /// All requests carry the same head, so that they differ in what they ask alone.
    head: String,
    request: Vec<u8>,
}

impl Http {
    pub async fn open(address: SocketAddr, speech: Speech, token: &str) -> anyhow::Result<Self> {
        let head = format!(" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n");
        Ok(Self { connection: Connection::open(address).await?, speech, head, request: Vec::new() })
    }

    pub fn prepare(&mut self, question: Question, number: usize, of: usize) {
        let (path, body) = match self.speech {
            Speech::JsonServer => of_json_server(question, number, of),
            _ => of_ordercloud(question, number, of),
        };
        let method = if body.is_some() { "POST " } else { "GET " };
        let body = body.map(|body| body.to_string());
        let length =
            body.as_ref().map(|body| format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        self.request.clear();
        let length = length.unwrap_or_default();
        for part in [method, &path, &self.head, &length, "\r\n", body.as_deref().unwrap_or_default()] {
            self.request.extend_from_slice(part.as_bytes());
        }
    }

    pub async fn ask(&mut self) -> anyhow::Result<&[u8]> {
        let answer = self.connection.ask(&self.request).await?;
        ensure!((200..300).contains(&answer.status), "refused: {}", String::from_utf8_lossy(answer.bytes));
        Ok(answer.bytes)
    }
}

fn of_ordercloud(question: Question, number: usize, of: usize) -> (String, Option<Value>) {
    const GROUPS: &str = "/v1/usergroups";
    match question {
        Question::Fixed => ("/healthz".to_owned(), None),
        Question::Read => (format!("{GROUPS}/{}", generate::id(number)), None),
        Question::Create => (GROUPS.to_owned(), Some(new_group(number, of))),
        Question::Join => {
            let (group, user) = pair(number, of);
            (format!("{GROUPS}/assignments"), Some(json!({ "UserGroupID": group, "UserID": user })))
        }
        Question::Find => (format!("{GROUPS}?search={}&searchOn=Name&pageSize={PAGE}", encoded(number, of)), None),
        Question::List => (format!("{GROUPS}?pageSize={PAGE}"), None),
    }
}

fn of_json_server(question: Question, number: usize, of: usize) -> (String, Option<Value>) {
    match question {
        Question::Fixed => ("/".to_owned(), None),
        Question::Read => (format!("/groups/{}", generate::id(number)), None),
        Question::Create => ("/groups".to_owned(), Some(new_group(number, of))),
        Question::Join => {
            let (group, user) = pair(number, of);
            ("/memberships".to_owned(), Some(json!({ "groupId": group, "userId": user })))
        }
        Question::Find => (format!("/groups?Name_like={}&_page=1&_limit={PAGE}", encoded(number, of)), None),
        Question::List => (format!("/groups?_page=1&_limit={PAGE}"), None),
    }
}

/// A group that is like those of the directory, under an ID that the peer gives it.
fn new_group(number: usize, of: usize) -> Value {
    let generate::Made { name, description, xp } = generate::group(of + number, of);
    json!({ "Name": name, "Description": description, "xp": xp })
}

fn encoded(number: usize, of: usize) -> String {
    utf8_percent_encode(&text(number, of), NON_ALPHANUMERIC).to_string()
}
