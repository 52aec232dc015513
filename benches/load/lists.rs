//! What the lists are asked.

use std::time::Duration;

use axum::Router;

use super::support::{Directory, generate};
use super::timing::{Effort, Timed, time};

/// A question to the list of groups.
pub struct Question {
    pub name: &'static str,
    uri: String,
    /// How many groups it must find.
    matches: Option<u64>,
    /// The aim for the median.
    pub aim: Option<Duration>,
}

/// The questions: those with an aim, then those asked for information.
pub fn questions(groups: usize) -> Vec<Question> {
    let shared = generate::SHARED_BY as u64;
    let codename = generate::codename(groups / 3, groups);
    let aimed = |name, query: &str, matches, aim| Question {
        name,
        uri: format!("/v1/usergroups{query}"),
        matches,
        aim: Some(Duration::from_millis(aim)),
    };
    let told = |name, query: &str| Question { name, uri: format!("/v1/usergroups{query}"), matches: None, aim: None };
    let core = |name, path: &str| Question {
        name,
        uri: format!("/api/admin/v1/users-groups{path}"),
        matches: None,
        aim: None,
    };
    vec![
        aimed("first page of the default list", "", None, 1),
        aimed("search that matches 10", &format!("?search={codename}"), Some(shared), 5),
        aimed("xp filter that matches 10", &format!("?xp.Project={codename}"), Some(shared), 5),
        told("search of one character", "?search=x"),
        told("search of two characters", "?search=%C5%82%C3%B3"),
        told("search that matches many", "?search=berlin"),
        told("search that matches nothing", "?search=zzzzzz"),
        told("xp filter that matches many", "?xp.Site.Country=PL"),
        told("xp range that matches many", "?xp.Budget=%3E50000"),
        told("Name prefix", "?Name=Vertrieb*"),
        told("Description containing", "?Description=*forwards*"),
        told("two xp filters", "?xp.Site.Country=PL&xp.Floor=3"),
        told("sorted by ID", "?sortBy=ID"),
        told("sorted by xp", "?sortBy=!xp.Budget"),
        told("filtered and sorted by xp", "?xp.Site.City=Z%C3%BCrich&sortBy=xp.Budget"),
        told("page 500", "?page=500"),
        told("page 5000", "?page=5000"),
        told("page of 100", "?pageSize=100"),
        core("Core: first page", "/list"),
        core("Core: page 5000", "/list?page=5000"),
        core("Core: all of them", "/list-all"),
    ]
}

impl Question {
    /// Asks it again and again.
    pub async fn time(&self, app: &Router, directory: &Directory) -> anyhow::Result<Timed> {
        time(app, directory, &self.uri, self.matches, Effort::FULL).await
    }
}
