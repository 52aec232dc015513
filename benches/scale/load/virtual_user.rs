//! A virtual user: the sequence of requests on one connection.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use super::mixture::{Kind, Mixture};
use crate::list_cases::uri;
use crate::people::{self, EVERYBODY};
use crate::support::generate;
use crate::wire::Response;

/// A user who reads, lists, and keeps some groups.
pub(super) struct VirtualUser {
    mixture: Mixture,
    groups: usize,
    users: usize,
    /// The head of every request after its first line.
    head: String,
    rng: StdRng,
    /// The groups that it has created, the oldest first.
    created_groups: VecDeque<String>,
    /// The group and user that it has added and not removed yet.
    member: Option<(String, String)>,
    /// Whether the response will have the ID of a group that it has created.
    creates_group: bool,
    writes: usize,
}

const GROUPS: &str = "/v1/usergroups";
const ASSIGNMENTS: &str = "/v1/usergroups/assignments";

impl VirtualUser {
    /// The virtual user on the connection with this number, for a directory with this many groups and users.
    pub(super) fn new(mixture: Mixture, groups: usize, users: usize, connection: usize, token: &str) -> Self {
        let head = format!(" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n");
        // Another one in each run, so that no two runs create the same groups.
        let seed = u64::from(std::process::id()) << 20 | connection as u64;
        Self {
            mixture,
            groups,
            users,
            head,
            rng: StdRng::seed_from_u64(seed),
            created_groups: VecDeque::new(),
            member: None,
            creates_group: false,
            writes: 0,
        }
    }

    /// Writes the next request.
    pub(super) fn next(&mut self, request: &mut Vec<u8>) -> Kind {
        let of_100 = self.rng.random_range(0..100);
        let kind = match (self.mixture, of_100) {
            (Mixture::Reads, _) | (Mixture::Every, ..70) | (Mixture::Work, ..10) => Kind::Read,
            (Mixture::Heavy, _) | (Mixture::Every, 70..82) | (Mixture::Work, 10..60) => Kind::List,
            (Mixture::Every, 96..) | (Mixture::Work, 90..) if self.created_groups.len() > 2 => Kind::Delete,
            _ => Kind::Write,
        };
        self.creates_group = false;
        let (method, uri, body) = match kind {
            Kind::Read => ("GET", self.read(), None),
            Kind::List => ("GET", self.list(), None),
            Kind::Write => self.write(),
            Kind::Delete => {
                ("DELETE", format!("{GROUPS}/{}", self.created_groups.pop_front().unwrap_or_default()), None)
            }
        };
        request.clear();
        [method, " ", &uri, &self.head].iter().for_each(|part| request.extend_from_slice(part.as_bytes()));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        if !body.is_empty() {
            let length = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
            request.extend_from_slice(length.as_bytes());
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body.as_bytes());
        kind
    }

    /// Remembers IDs from the response.
    pub(super) fn observe(&mut self, response: &Response<'_>) {
        if !self.creates_group || response.status != 201 {
            return;
        }
        let text = String::from_utf8_lossy(response.bytes);
        let id = text.split_once("\"ID\":\"").and_then(|(_, rest)| rest.split_once('"'));
        self.created_groups.extend(id.map(|(id, _)| id.to_owned()));
    }

    fn read(&mut self) -> String {
        let group = self.rng.random_range(0..self.groups);
        if self.mixture == Mixture::Every && self.rng.random_bool(0.1) {
            let user = people::id(self.rng.random_range(0..self.users));
            return uri(ASSIGNMENTS, &[("userGroupID", &generate::id(EVERYBODY)), ("userID", &user)]);
        }
        format!("{GROUPS}/{}", generate::id(group))
    }

    fn list(&mut self) -> String {
        let turn = self.rng.random_range(0..8);
        match self.mixture {
            Mixture::Heavy => self.heavy(turn),
            Mixture::Work => {
                let (page, floor) = (self.rng.random_range(1..50).to_string(), self.rng.random_range(-2..30));
                let parameters = [("search", "berlin"), ("xp.Floor", &format!("!{floor}")), ("page", &page)];
                uri(GROUPS, &parameters)
            }
            Mixture::Every | Mixture::Reads => self.light(turn),
        }
    }

    /// The usual requests of a working day.
    fn light(&mut self, turn: u32) -> String {
        let number = self.rng.random_range(0..self.groups);
        let codename = generate::codename(number, self.groups);
        match turn {
            0 => GROUPS.to_owned(),
            1 => uri(GROUPS, &[("search", &codename)]),
            2 => uri(GROUPS, &[("xp.Project", &codename)]),
            3 => uri(GROUPS, &[("page", &(1 + number % 500).to_string())]),
            4 => uri(GROUPS, &[("sortBy", "ID"), ("ID", &format!(">{}", generate::id(number))), ("pageSize", "100")]),
            5 => uri(ASSIGNMENTS, &[("userGroupID", &generate::id(EVERYBODY))]),
            6 => uri(ASSIGNMENTS, &[("userID", &people::id(number % self.users))]),
            _ => uri(GROUPS, &[("search", "berlin")]),
        }
    }

    /// Requests that no cache helps with.
    fn heavy(&mut self, turn: u32) -> String {
        let (least, word) = (self.rng.random_range(40_000..60_000), self.rng.random_range(0..1_000_000));
        match turn % 4 {
            0 => uri(GROUPS, &[("xp.Budget", &format!(">{least}")), ("sortBy", "xp.Since")]),
            1 => uri(GROUPS, &[("Name", &format!("!x{word}")), ("sortBy", "!xp.Budget")]),
            2 => uri(GROUPS, &[("Description", &format!("!*shifts{word}*")), ("xp.Floor", "!3")]),
            _ => uri(GROUPS, &[("xp.Budget", &format!(">{least}")), ("xp.Floor", &format!("!{}", word % 30))]),
        }
    }

    /// Creates a group, changes it, adds a user and removes the user again.
    fn write(&mut self) -> (&'static str, String, Option<serde_json::Value>) {
        if let Some((group, user)) = self.member.take().filter(|(group, _)| self.created_groups.contains(group)) {
            return ("DELETE", format!("{GROUPS}/{group}/assignments/{user}"), None);
        }
        self.writes += 1;
        match (self.writes % 3, self.created_groups.back().cloned()) {
            (1, Some(group)) => {
                let xp = json!({ "xp": { "Floor": self.writes, "Changed": true } });
                ("PATCH", format!("{GROUPS}/{group}"), Some(xp))
            }
            (2, Some(group)) => {
                let user = people::id(self.rng.random_range(0..self.users));
                let body = json!({ "UserGroupID": group, "UserID": user });
                self.member = Some((group, user));
                ("POST", ASSIGNMENTS.to_owned(), Some(body))
            }
            _ => {
                let number = self.groups + self.rng.random_range(0..self.groups);
                let generate::GeneratedGroup { name, description, xp } = generate::group(number, usize::MAX);
                self.creates_group = true;
                ("POST", GROUPS.to_owned(), Some(json!({ "Name": name, "Description": description, "xp": xp })))
            }
        }
    }
}
