//! Writers that use both APIs and several nodes, and record which writes were acknowledged.
//!
//! A writer owns its groups and sends one write at a time. Each write sets every field of the group to one new number,
//! so that a partial write is seen. A write without a response, or with an unknown outcome, leaves its group
//! unconfirmed: nobody writes to the group again until its state in the directory has been checked. So a group has at
//! most one unconfirmed write. An acknowledged write is read at once, from another node if there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reqwest::RequestBuilder;
use serde_json::{Value as Json, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::{CORE, Caller, Reply, core_groups, make_user};

const WRITERS: usize = 8;
/// The number of groups of a writer in each API.
const GROUPS: usize = 4;
/// A group is deleted at each mark that this number divides; it has no common factor with the number of groups.
const STEPS: usize = 7;

/// The state of a group, or a possible state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct State {
    /// The number in all its fields; none if the group does not exist.
    mark: Option<usize>,
    /// Whether the writer's user is a member.
    assigned: bool,
}

#[derive(Clone, Debug)]
enum Api {
    /// The group's ID.
    OrderCloud(String),
    /// The group's number, if it is known.
    Core(Option<i64>),
}

#[derive(Clone, Debug)]
struct Group {
    api: Api,
    acknowledged: State,
    /// The state after the unconfirmed write, if there is one.
    unconfirmed: Option<State>,
}

#[derive(Clone, Debug)]
struct Writer {
    user: String,
    groups: Vec<Group>,
    /// Grows with each write; no two writers have the same mark.
    mark: usize,
}

/// Writers that do not write at the moment.
pub(crate) struct Load(Vec<Writer>);

/// Writers at work, until they are stopped or every server is gone.
pub(crate) struct RunningLoad {
    writers: JoinSet<Writer>,
    tally: Arc<Tally>,
}

struct Tally {
    /// The number of writes that each node acknowledged.
    acknowledged: Vec<AtomicUsize>,
    write_acknowledged: Notify,
    stopped: AtomicBool,
}

impl Tally {
    fn count(&self, node: usize) {
        self.acknowledged[node].fetch_add(1, Ordering::AcqRel);
        self.write_acknowledged.notify_waiters();
    }

    /// Waits until one of these nodes, or all of them together, acknowledged this many writes.
    async fn reached(&self, nodes: std::ops::Range<usize>, count: usize) {
        loop {
            let write_acknowledged = self.write_acknowledged.notified();
            let acknowledged = self.acknowledged[nodes.clone()].iter().map(|own| own.load(Ordering::Acquire));
            if acknowledged.sum::<usize>() >= count {
                return;
            }
            write_acknowledged.await;
        }
    }
}

impl Load {
    /// Creates the users of the writers.
    pub(crate) async fn prepared(admin: &Caller) -> Self {
        let mut writers = Vec::new();
        for at in 0..WRITERS {
            let user = format!("user-{at}");
            make_user(admin, &user).await;
            let ids = (0..GROUPS).map(|group| Api::OrderCloud(format!("group-{at}-{group}")));
            let channels = ids.chain((0..GROUPS).map(|_| Api::Core(None)));
            let groups = channels.map(|api| Group { api, acknowledged: State::default(), unconfirmed: None });
            writers.push(Writer { user, groups: groups.collect(), mark: at * 1_000_003 });
        }
        Self(writers)
    }

    /// Starts all writers; each sends its writes to these nodes in turn.
    pub(crate) fn start(self, nodes: &[Caller]) -> RunningLoad {
        let acknowledged = nodes.iter().map(|_| AtomicUsize::new(0)).collect();
        let tally = Tally { acknowledged, write_acknowledged: Notify::new(), stopped: AtomicBool::new(false) };
        let tally = Arc::new(tally);
        let run = |writer: Writer| writer.run(nodes.to_vec(), Arc::clone(&tally));
        RunningLoad { writers: self.0.into_iter().map(run).collect(), tally }
    }

    /// Compares the server's state with the acknowledged writes, and settles unconfirmed ones.
    pub(crate) async fn verify(&mut self, caller: &Caller) {
        let (mut groups, mut assigned) = (0, 0);
        for writer in &mut self.0 {
            for group in &mut writer.groups {
                let found = group.verify(caller, &writer.user).await;
                groups += usize::from(found.mark.is_some());
                assigned += usize::from(found.assigned);
            }
        }
        // The stored counts match the rows.
        let total = async |path: &str| caller.get(path).await.is(200).total();
        assert_eq!(total("/v1/usergroups").await, groups as u64);
        assert_eq!(total("/v1/usergroups/assignments").await, assigned as u64);
        assert_eq!(core_groups(caller).await.len(), groups);
    }
}

impl RunningLoad {
    /// Waits until this many writes are acknowledged.
    pub(crate) async fn acknowledged(&self, count: usize) {
        self.tally.reached(0..self.tally.acknowledged.len(), count).await;
    }

    /// Waits until this node has acknowledged this many more writes.
    pub(crate) async fn acknowledged_by(&self, node: usize, more: usize) {
        let so_far = self.tally.acknowledged[node].load(Ordering::Acquire);
        self.tally.reached(node..node + 1, so_far + more).await;
    }

    /// Lets every writer finish its current write.
    pub(crate) async fn stopped(self) -> Load {
        self.tally.stopped.store(true, Ordering::Release);
        self.ended().await
    }

    /// Waits until no writer can reach a server.
    pub(crate) async fn ended(self) -> Load {
        Load(self.writers.join_all().await)
    }
}

impl Writer {
    /// Writes to the nodes in turn, as long as one of them runs.
    async fn run(mut self, nodes: Vec<Caller>, tally: Arc<Tally>) -> Self {
        let mut present: Vec<_> = (0..nodes.len()).collect();
        while !tally.stopped.load(Ordering::Acquire) && !present.is_empty() {
            self.mark += 1;
            let (at, mark) = (self.mark % self.groups.len(), self.mark);
            let node = present[mark / self.groups.len() % present.len()];
            let group = &mut self.groups[at];
            if group.unconfirmed.is_some() {
                if self.groups.iter().all(|group| group.unconfirmed.is_some()) {
                    break;
                }
                continue;
            }
            let (next, request) = group.next(&nodes[node], &self.user, mark);
            group.unconfirmed = Some(next);
            match nodes[node].try_send(request).await {
                None => present.retain(|own| *own != node),
                Some(reply) if group.settle(&reply) => {
                    tally.count(node);
                    let other = present.iter().find(|own| **own != node).unwrap_or(&node);
                    group.read_again(&nodes[*other]).await;
                }
                Some(_) => {}
            }
        }
        self
    }
}

fn text(mark: usize) -> String {
    format!("mark{mark}z")
}

fn labels(mark: usize) -> String {
    json!({ "en": text(mark), "it": text(mark) }).to_string()
}

fn body(mark: usize) -> Json {
    json!({ "Name": text(mark), "Description": text(mark), "xp": { "n": mark, "deep": { "n": [mark] } } })
}

impl Group {
    /// Sends the group's next write; the mark decides which. Returns the state that the write gives the group.
    fn next(&self, caller: &Caller, user: &str, mark: usize) -> (State, RequestBuilder) {
        let now = self.acknowledged;
        let marked = State { mark: Some(mark), ..now };
        match (&self.api, now.mark) {
            (Api::OrderCloud(id), None) => {
                (marked, caller.request("PUT", &format!("/v1/usergroups/{id}")).json(&body(mark)))
            }
            (Api::OrderCloud(id), Some(_)) => match mark % STEPS {
                0 => (State::default(), caller.request("DELETE", &format!("/v1/usergroups/{id}"))),
                2 | 4 | 5 if now.assigned => {
                    let path = format!("/v1/usergroups/{id}/assignments/{user}");
                    (State { assigned: false, ..now }, caller.request("DELETE", &path))
                }
                2 | 4 | 5 => {
                    let pair = json!({ "UserGroupID": id, "UserID": user });
                    let request = caller.request("POST", "/v1/usergroups/assignments").json(&pair);
                    (State { assigned: true, ..now }, request)
                }
                _ => (marked, caller.request("PATCH", &format!("/v1/usergroups/{id}")).json(&body(mark))),
            },
            (Api::Core(Some(number)), Some(_)) if mark.is_multiple_of(STEPS) => {
                (State::default(), caller.request("DELETE", &format!("{CORE}/{number}")))
            }
            (Api::Core(number), present) => {
                let number = number.filter(|_| present.is_some());
                (marked, caller.request("POST", CORE).json(&json!({ "ID": number, "Labels": labels(mark) })))
            }
        }
    }

    /// Records a response; returns whether the write was acknowledged.
    fn settle(&mut self, reply: &Reply) -> bool {
        if reply.status == 503 {
            // With `Retry-After`, nothing was changed; without it, the outcome is unknown.
            if !reply.header("retry-after").is_empty() {
                self.unconfirmed = None;
            }
            return false;
        }
        assert!((200..300).contains(&reply.status), "{} {} for {self:?}", reply.status, reply.text);
        if let (Api::Core(number), Some(path)) = (&mut self.api, reply.headers.get("location")) {
            let last = path.to_str().ok().and_then(|path| path.rsplit('/').next()?.parse().ok());
            *number = Some(last.expect("a number"));
        }
        self.acknowledged = self.unconfirmed.take().expect("a write in flight");
        true
    }

    /// Reads what was just acknowledged: a node returns it, or 503.
    async fn read_again(&self, caller: &Caller) {
        let path = match &self.api {
            Api::OrderCloud(id) => format!("/v1/usergroups/{id}"),
            Api::Core(number) => format!("{CORE}/{}", number.expect("acknowledged with its number")),
        };
        let Some(reply) = caller.try_send(caller.request("GET", &path)).await else { return };
        match self.acknowledged.mark {
            _ if reply.status == 503 => assert_ne!(reply.header("retry-after"), "", "{}", reply.text),
            None => assert_eq!(reply.status, 404, "{} of {self:?}", reply.text),
            Some(mark) => {
                assert_eq!(reply.status, 200, "{} of {self:?}", reply.text);
                assert!(reply.text.contains(&text(mark)), "{} of {self:?}", reply.text);
            }
        }
    }

    /// Reads the group from the server: it must be complete, in the acknowledged or the unconfirmed state.
    async fn verify(&mut self, caller: &Caller, user: &str) -> State {
        let possible: Vec<_> = [Some(self.acknowledged), self.unconfirmed].into_iter().flatten().collect();
        let found = match self.api.clone() {
            Api::OrderCloud(id) => read_by_id(caller, &id, user).await,
            Api::Core(number) => self.read_by_number(caller, number, &possible).await,
        };
        assert!(possible.contains(&found), "{found:?} of {self:?}");
        // Index lookups find the group by its current number only.
        for mark in possible.iter().filter_map(|state| state.mark) {
            let expected = usize::from(found.mark == Some(mark));
            let hits = caller.list("/v1/usergroups", &[("search", &text(mark))]).await.is(200);
            assert_eq!(hits.ids().len(), expected, "search for {mark} of {self:?}");
            if matches!(self.api, Api::OrderCloud(_)) {
                let hits = caller.get(&format!("/v1/usergroups?xp.n={mark}&xp.deep.n={mark}")).await.is(200);
                assert_eq!(hits.ids().len(), expected, "xp.n={mark} of {self:?}");
            }
        }
        (self.acknowledged, self.unconfirmed) = (found, None);
        found
    }

    /// A group of the Core API. If its creation is unconfirmed, it is looked up by its mark.
    async fn read_by_number(&mut self, caller: &Caller, number: Option<i64>, possible: &[State]) -> State {
        if self.acknowledged.mark.is_none() {
            let Some(mark) = possible.iter().find_map(|state| state.mark) else { return State::default() };
            self.api = Api::Core(numbered(caller, mark).await);
            return State { mark: matches!(self.api, Api::Core(Some(_))).then_some(mark), assigned: false };
        }
        let path = format!("{CORE}/{}", number.expect("acknowledged with its number"));
        let reply = caller.get(&path).await;
        if reply.status == 404 {
            caller.delete(&path).await.fails(410, "already_deleted");
            return State::default();
        }
        let mark = mark_of(&reply["Labels"].as_str().map(labelled_text).expect("labels"));
        assert_eq!(reply["Labels"], labels(mark), "torn");
        State { mark: Some(mark), assigned: false }
    }
}

async fn read_by_id(caller: &Caller, id: &str, user: &str) -> State {
    let assignments = caller.get(&format!("/v1/usergroups/assignments?userGroupID={id}&userID={user}")).await.is(200);
    let assigned = assignments.total() == 1;
    let reply = caller.get(&format!("/v1/usergroups/{id}")).await;
    if reply.status == 404 {
        assert!(!assigned);
        return State::default();
    }
    let mark = mark_of(reply["Name"].as_str().expect("a name"));
    let mut expected = body(mark);
    expected["ID"] = id.into();
    assert_eq!(reply.json(), &expected, "torn");
    if assigned {
        let number = numbered_as(caller, &json!({ "en": text(mark) }).to_string()).await.expect("in both APIs");
        let refused = caller.delete(&format!("{CORE}/{number}")).await.fails(409, "has_users");
        assert!(refused.text.contains("has 1 user;"), "{}", refused.text);
    }
    State { mark: Some(mark), assigned }
}

async fn numbered(caller: &Caller, mark: usize) -> Option<i64> {
    numbered_as(caller, &labels(mark)).await
}

/// The number of the only group with these labels.
async fn numbered_as(caller: &Caller, labels: &str) -> Option<i64> {
    let all = caller.get(&format!("{CORE}/list-all")).await.is(200);
    let numbers = all.json().as_array().into_iter().flatten().filter(|group| group["Labels"] == labels);
    let numbers: Vec<_> = numbers.filter_map(|group| group["ID"].as_i64()).collect();
    assert!(numbers.len() <= 1, "{numbers:?}");
    numbers.first().copied()
}

fn labelled_text(labels: &str) -> String {
    let labels: Json = serde_json::from_str(labels).expect("JSON");
    labels["en"].as_str().expect("a label").to_owned()
}

fn mark_of(text: &str) -> usize {
    text.trim_start_matches("mark").trim_end_matches('z').parse().expect("a mark")
}
