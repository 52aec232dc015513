//! Clients and their long-lived tokens: the lists, a new client, and the pages of one client (docs/rollbook.md, section 8).

pub(in crate::console) mod all_tokens;
pub(in crate::console) mod end;
mod fields;
pub(in crate::console) mod list;
pub(in crate::console) mod new;
pub(in crate::console) mod one;
pub(in crate::console) mod secret;
mod token_rows;
pub(in crate::console) mod tokens;

use crate::domain::address;
use crate::domain::caller::{ManageClients, Permit, ReadClients};
use crate::domain::client::Client;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::http::ApiState;
use crate::http::request::error::Result;

use crate::console::browser::Page;
use crate::console::frame::full_name;
use crate::console::list::encoded;
use crate::console::messages::clients as t;
use crate::console::ui::{self, Html};

/// The path of the list of clients.
const PATH: &str = crate::console::CLIENTS;
/// The path of the list of all long-lived tokens.
const TOKENS: &str = "/console/clients/tokens";
/// The names of pages at which the path of a client could stand.
const PAGES: [&str; 2] = ["new", "tokens"];

/// The path of the first page of the client with the `client_id`. An ID that is the name of a page has its first letter
/// percent-encoded, which makes another path of it.
pub(in crate::console) fn path_of(id: &str) -> String {
    match PAGES.contains(&id) {
        true => format!("{PATH}/%{:02X}{}", id.as_bytes()[0], &id[1..]),
        false => format!("{PATH}/{}", encoded(id)),
    }
}

/// A page of a client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Overview,
    Tokens,
    Secret,
    End,
}

/// The head of every page of a client.
struct ClientHead {
    path: String,
    name: Html,
    id: String,
    is_enabled: bool,
    is_public: bool,
    updated: Timestamp,
    tab: Tab,
    may_change: bool,
}

impl ClientHead {
    fn new(visit: &Page, client: &Client, tab: Tab) -> Self {
        Self {
            path: path_of(&client.fields.id),
            name: ui::name(&client.fields.name),
            id: client.fields.id.clone(),
            is_enabled: client.fields.enabled,
            is_public: client.secret_hash.is_none(),
            updated: client.updated,
            tab,
            may_change: visit.may::<ManageClients>(),
        }
    }

    /// The tabs: the path, the name, and whether it is this page.
    fn tabs(&self) -> Vec<(String, &'static str, bool)> {
        let tab = |rest: &str, label, tab: Tab| (format!("{}{rest}", self.path), label, self.tab == tab);
        let secret = self.may_change && !self.is_public;
        [
            Some(tab("", t::OVERVIEW, Tab::Overview)),
            Some(tab("/tokens", t::TOKENS, Tab::Tokens)),
            secret.then(|| tab("/secret", t::SECRET, Tab::Secret)),
            self.may_change.then(|| tab("/end", t::END, Tab::End)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The tabs of the two lists: the path, the name, and whether it is this page.
fn list_tabs(path: &str) -> Vec<(String, &'static str, bool)> {
    [(PATH, t::CLIENTS), (TOKENS, t::ALL_TOKENS)].map(|(own, label)| (own.to_owned(), label, own == path)).into()
}

/// Returns the client with the `client_id`. Fails with `NotFound`, or with `Forbidden` for who may not read clients.
async fn find(api: &ApiState, visit: &Page, id: &str) -> Result<Client> {
    Ok(api.service.client(&visit.permit::<ReadClients>()?, id).await?)
}

/// The user as whom a client acts.
struct Acting {
    /// The name, for people.
    name: String,
    /// The address by which a form names the user.
    address: String,
}

impl Acting {
    fn new(user: &User) -> Self {
        let address = if user.deleted.is_some() { address::of_number(user.uid) } else { user.fields.id.to_string() };
        Self { name: full_name(user), address }
    }
}

/// Returns the user as whom the client acts; `None` if it acts in its own name.
async fn acting(api: &ApiState, permit: &Permit<ReadClients>, client: &Client) -> Result<Option<Acting>> {
    Ok(api.service.user_of_client(permit, client).await?.as_ref().map(Acting::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_a_path_of_its_own() {
        assert_eq!(path_of("5c0a1e0e"), "/console/clients/5c0a1e0e");
        assert_eq!(path_of("a/b c"), "/console/clients/a%2Fb%20c");
        assert_eq!((&*path_of("new"), &*path_of("tokens")), ("/console/clients/%6Eew", "/console/clients/%74okens"));
    }
}
