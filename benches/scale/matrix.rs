//! Every kind of filter, with few, some and many matches, in every kind of order.

use std::time::Duration;

use super::list_cases::uri;
use super::report::{Goal, Row, Section, short};
use super::support::generate;
use super::target::{Caller, Target, millis};
use super::timing::Effort;

/// The effort for each of some hundred lists.
const EFFORT: Effort = Effort { warm_up: 2, runs: 40, time_limit: Duration::from_millis(400) };
const ORDERS: [&str; 7] = ["", "ID", "!Name", "xp.Budget", "!xp.Floor", "xp.Site.City", "xp.Since"];

/// A filter: its kind, the property, the value.
type Filter = (Kind, &'static str, String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Equal,
    Range,
    Prefix,
    Substring,
    /// Without a goal except the cost limit.
    Rest,
}

/// First filters that an index can evaluate, then some that no index can. The matches grow with the directory.
fn filters(groups: usize) -> Vec<Filter> {
    use Kind::{Equal, Prefix, Range, Rest, Substring};
    let (sample, codename) = (generate::group(groups / 3, groups), generate::codename(groups / 3, groups));
    let own = |kind, name, value: &str| (kind, name, value.to_owned());
    let mut filters = vec![
        (Equal, "ID", generate::id(groups / 3)),
        (Equal, "Name", sample.name),
        (Equal, "Description", sample.description),
        (Equal, "xp.Project", codename.clone()),
    ];
    // The IDs that begin with "support" are the last ones, and every eighth group has one.
    let last = |of: usize| format!(">{}", generate::id(groups.saturating_sub(8 * of) / 8 * 8));
    filters.extend([(Range, "ID", last(100)), (Range, "ID", last(groups / 60))]);
    filters.extend([
        own(Equal, "xp.Since", "2010-01-01"),
        own(Equal, "xp.Floor", "3"),
        own(Equal, "xp.Site.City", "Zürich"),
        own(Equal, "xp.Tags", "night"),
        own(Equal, "xp.Site.Shared", "true"),
        own(Range, "ID", ">m"),
        own(Range, "Name", ">마케팅 서울 98"),
        own(Range, "Name", ">마케팅 м"),
        own(Range, "Name", ">m"),
        own(Range, "Description", ">設備の保守と点検. project zaza"),
        own(Range, "Description", ">設備の保守と点検. project za"),
        own(Range, "Description", ">p"),
        own(Range, "xp.Project", ">zazaza"),
        own(Range, "xp.Budget", ">99990"),
        own(Range, "xp.Budget", ">98100"),
        own(Range, "xp.Budget", ">50000"),
        own(Range, "xp.Since", ">2025-06-01"),
        own(Prefix, "ID", "support-0000*"),
        own(Prefix, "ID", "support-1*"),
        own(Prefix, "ID", "support*"),
        own(Prefix, "Name", "Support Berlin 12*"),
        own(Prefix, "Name", "Support Berlin*"),
        own(Prefix, "Name", "Support*"),
        own(Prefix, "Description", "Answers the phone and every letter. Project zaba*"),
        own(Prefix, "Description", "Answers the phone and every letter. Project za*"),
        own(Prefix, "Description", "Answers*"),
        own(Prefix, "xp.Project", "quirolo*"),
        own(Prefix, "xp.Project", "quiro*"),
        own(Prefix, "xp.Project", "qui*"),
        own(Prefix, "xp.Site.City", "Z*"),
        own(Substring, "ID", "*-01234*"),
        own(Substring, "Name", "*rlin 123*"),
        own(Substring, "Name", "*kraków*"),
    ]);
    filters.extend([(Substring, "Description", format!("*{codename}*"))]);
    filters.extend([
        own(Substring, "Description", "*yuza*"),
        own(Substring, "Description", "*shifts*"),
        own(Substring, "xp.Project", "*uiroloj*"),
        own(Substring, "xp.Project", "*uiro*"),
        own(Substring, "xp.Site.City", "*rak*"),
        own(Rest, "Name", "!Support Berlin 1"),
        own(Rest, "Description", "!*shifts*"),
        own(Rest, "xp.Floor", "!3"),
        own(Rest, "xp.Missing", "*"),
        own(Rest, "xp.Missing", "!*"),
        own(Rest, "xp.Site.Country", "DE|CH|PL"),
    ]);
    filters
}

/// The goal for a list with this many matches.
fn limit(kind: Kind, matches: u64) -> Option<f64> {
    match (kind, matches) {
        (Kind::Rest, _) => None,
        (_, ..1_000) => Some(10.0),
        (_, ..=20_000) => Some(30.0),
        _ => Some(300.0),
    }
}

/// Measures all of them: a table of the medians, and a row for each filter with its slowest order.
pub(crate) async fn measure(large: &Target, small: &Target, lines: &mut Vec<String>) -> Section {
    let mut rows = Vec::new();
    lines.push(format!(
        "| filter | {} |",
        ORDERS.map(|order| if order.is_empty() { "default" } else { order }).join(" | ")
    ));
    lines.push(format!("|---|{}", "--:|".repeat(ORDERS.len())));
    for filter in filters(large.size.groups) {
        let (mut cells, mut worst) = (Vec::new(), None::<Row>);
        for order in ORDERS {
            let row = cell(large, small, &filter, order).await;
            let figure = row.figure.map_or_else(|| "refused".to_owned(), short);
            cells.push(if row.mark() == "**no**" { format!("**{figure}**") } else { figure });
            let is_worse = worst
                .as_ref()
                .is_none_or(|worst| row.figure.map_or(f64::MAX, |own| own) > worst.figure.unwrap_or(f64::MAX));
            if is_worse {
                worst = Some(row);
            }
        }
        lines.push(format!("| `{}={}` | {} |", filter.1, filter.2.replace('|', "\\|"), cells.join(" | ")));
        rows.extend(worst);
    }
    Section::new("One filter, in its slowest order", "median ms", "1,000 groups", rows)
}

async fn cell(large: &Target, small: &Target, (kind, name, value): &Filter, order: &str) -> Row {
    let mut parameters = vec![(*name, value.as_str())];
    parameters.extend((!order.is_empty()).then_some(("sortBy", order)));
    let uri = uri("/v1/usergroups", &parameters);
    let kind_name = format!("{kind:?}").to_lowercase();
    let order = if order.is_empty() { "default" } else { order };
    let what = format!("{kind_name}: `{name}={}` by {order}", value.replace('|', "\\|"));
    let measured = match large.measure(Caller::Unlimited, &uri, EFFORT).await {
        Ok(measured) => measured,
        Err(error) => {
            let goal = limit(*kind, 0).map(|_| Goal::Under(300.0));
            return Row { goal, ..Row::failed(what, &error) };
        }
    };
    // The values are from the large directory; it does not matter that they match nothing in the small one.
    let baseline =
        small.measure(Caller::Unlimited, &uri, EFFORT).await.ok().map(|measured| millis(measured.timed.median));
    Row {
        matches: Some(measured.timed.matches),
        first: Some(millis(measured.first)),
        baseline,
        database: measured.database,
        goal: limit(*kind, measured.timed.matches).map(Goal::Under),
        ..Row::new(what, millis(measured.timed.median)).p99(millis(measured.timed.p99))
    }
}
