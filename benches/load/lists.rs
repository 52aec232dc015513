//! List requests to measure.

use std::time::Duration;

use axum::Router;

use super::support::{Directory, generate};
use super::timing::{Effort, Timed, time};

/// A list request for groups.
pub(crate) struct ListCase {
    /// The name in the table.
    pub name: &'static str,
    uri: String,
    /// The expected number of matches.
    matches: Option<u64>,
    /// The goal for the median.
    pub goal: Option<Duration>,
}

/// The list requests: first those with a goal, then those without.
pub(crate) fn list_cases(groups: usize) -> Vec<ListCase> {
    let shared = generate::SHARED_BY as u64;
    let codename = generate::codename(groups / 3, groups);
    let with_goal = |name, query: &str, matches, goal| ListCase {
        name,
        uri: format!("/v1/usergroups{query}"),
        matches,
        goal: Some(Duration::from_millis(goal)),
    };
    let case = |name, query: &str| ListCase { name, uri: format!("/v1/usergroups{query}"), matches: None, goal: None };
    let core = |name, path: &str| ListCase {
        name,
        uri: format!("/api/admin/v1/users-groups{path}"),
        matches: None,
        goal: None,
    };
    vec![
        with_goal("first page of the default list", "", None, 1),
        with_goal("search that matches 10", &format!("?search={codename}"), Some(shared), 5),
        with_goal("xp filter that matches 10", &format!("?xp.Project={codename}"), Some(shared), 5),
        case("search of one character", "?search=x"),
        case("search of two characters", "?search=%C5%82%C3%B3"),
        case("search that matches many", "?search=berlin"),
        case("search that matches nothing", "?search=zzzzzz"),
        case("xp filter that matches many", "?xp.Site.Country=PL"),
        case("xp range that matches many", "?xp.Budget=%3E50000"),
        case("Name prefix", "?Name=Vertrieb*"),
        case("Description containing", "?Description=*forwards*"),
        case("two xp filters", "?xp.Site.Country=PL&xp.Floor=3"),
        case("sorted by ID", "?sortBy=ID"),
        case("sorted by xp", "?sortBy=!xp.Budget"),
        case("filtered and sorted by xp", "?xp.Site.City=Z%C3%BCrich&sortBy=xp.Budget"),
        case("page 500", "?page=500"),
        case("page 5000", "?page=5000"),
        case("page of 100", "?pageSize=100"),
        core("Core: first page", "/list"),
        core("Core: page 5000", "/list?page=5000"),
        core("Core: all of them", "/list-all"),
    ]
}

impl ListCase {
    /// Repeats the request and measures it.
    pub(crate) async fn time(&self, app: &Router, directory: &Directory) -> anyhow::Result<Timed> {
        time(app, directory, &self.uri, self.matches, Effort::FULL).await
    }
}
