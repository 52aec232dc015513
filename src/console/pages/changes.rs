//! The changes of the directory, the newest first, as they happen.

use askama::Template;
use axum::extract::State;

use crate::domain::caller::ReadChanges;
use crate::domain::change_type::ChangeType;
use crate::domain::history::Order;
use crate::domain::journal::Channel;
use crate::http::ApiState;
use crate::http::lists;
use crate::http::request::extract::Query;
use crate::http::request::feed_cursor::FeedCursors;

use super::page;
use crate::console::browser::Page;
use crate::console::form::Answer;
use crate::console::frame::{Frame, Section};
use crate::console::list::{self, ListUrl, Pager, query};
use crate::console::messages::{self as m, changes as t, fields as f, timeline as tl};
use crate::console::table::{Chip, FilterForm, Input, chips, with_added_filter};
use crate::console::timeline::{Of, Timeline};
use crate::console::ui;

/// The path of the page.
pub(in crate::console) const PATH: &str = "/console/changes";
/// The parameters of the list that are no filters.
const NO_FILTERS: [&str; 5] = ["limit", "after", "trail", "row", "add"];
/// The fields of the filters that the menu adds.
const PARTS: [&str; 1] = ["value"];

#[derive(Template)]
#[template(path = "changes.html")]
struct ChangesPage {
    frame: Frame,
    url: ListUrl,
    filters: Vec<FilterForm>,
    chips: Vec<Chip>,
    clear: String,
    curl: String,
    /// The URL of the changes to come; `None` on a page further back.
    live: Option<String>,
    timeline: Timeline,
    pager: Pager,
}

/// The page.
pub(in crate::console) async fn list(State(api): State<ApiState>, visit: Page, Query(pairs): Query) -> Answer {
    let permit = visit.permit::<ReadChanges>()?;
    let url = ListUrl::new(PATH, pairs);
    let reader = &visit.browser.reader;
    // Whoever fills in a time means it in their own zone.
    let time = |text: &str| reader.parse(text).map_or_else(|| text.to_owned(), |at| format!("{}Z", at.to_civil()));
    let added = |name: &str, part: &dyn Fn(&str) -> String| match name {
        "since" | "until" => Some((name.to_owned(), time(&part("value")))),
        "type" | "channel" | "group" | "user" | "actor" | "client" => Some((name.to_owned(), part("value"))),
        _ => None,
    };
    if let Some(added) = with_added_filter(&url, &PARTS, added) {
        return Ok(added);
    }
    let parameters = url.of_api(&[("order", "desc")]);
    let cursors = FeedCursors::of(api.service.directory());
    let query = lists::feed(&api.service, &permit, &parameters, &[]).await?;
    let is_newest = query.order == Order::Descending && query.after.is_none() && query.span.until.is_none();
    // Read before the list, so that no change falls between them.
    let end = if is_newest { api.service.feed_end(&permit).await? } else { None };
    let found = api.service.changes(&permit, query).await?;
    let newest = found.changes.first().map(crate::domain::history::FeedChange::position);
    let live = is_newest.then(|| live_url(&url, end.max(newest).map(|position| cursors.encode(&position))));
    let next = found.next.as_ref().filter(|_| found.more).map(|position| cursors.encode(position));
    let chips = chips(&url, &NO_FILTERS, |name, value| (t::filter(name), t::filter_value(name, value)));
    let filtered_by: Vec<&str> = chips.iter().map(|chip| &*chip.parameter).collect();
    Ok(page(&ChangesPage {
        frame: visit.frame(t::TITLE, Section::Changes),
        filters: filters(),
        clear: url.without(&filtered_by),
        curl: list::curl(&visit.browser.origin, "/rollbook/v1/changes", &parameters),
        live,
        timeline: Timeline::new(&visit, Of::Directory, found.changes.iter().map(|feed| &feed.change)),
        pager: url.timeline_pager(found.changes.len(), next),
        url,
        chips,
    })?)
}

/// The URL of the changes behind the cursor that the filters of the list select.
fn live_url(url: &ListUrl, after: Option<String>) -> String {
    let mut pairs: Vec<_> = url.kept(&["order", "limit", "after"]).into_iter().cloned().collect();
    pairs.extend(after.map(|after| ("after".to_owned(), after)));
    format!("{PATH}/live{}", query(&pairs))
}

/// The filters that the menu offers.
fn filters() -> Vec<FilterForm> {
    let form = |name, label, input| FilterForm { name, label, inputs: vec![input] };
    let types = ChangeType::ALL.into_iter().map(|kind| (kind.name(), t::kind(kind))).collect();
    let channels = Channel::ALL.into_iter().map(|channel| (channel.name(), tl::channel(channel))).collect();
    vec![
        form("type", t::KIND, Input::choice("value", types)),
        form("channel", t::THROUGH, Input::choice("value", channels)),
        form("group", t::GROUP, Input::new("value", t::GROUP_HINT, "text")),
        form("user", t::USER, Input::new("value", t::USER_HINT, "text")),
        form("actor", t::ACTOR, Input::new("value", t::USER_HINT, "text")),
        form("client", t::CLIENT, Input::new("value", t::CLIENT_HINT, "text")),
        form("since", t::SINCE, Input::new("value", "", "datetime-local")),
        form("until", t::UNTIL, Input::new("value", "", "datetime-local")),
    ]
}
