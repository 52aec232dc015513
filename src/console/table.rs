//! The parts of every list: the heads of its columns, the filters that it has, and the menu that adds one.

use axum::response::Response;

use super::done::redirect;
use super::list::{ListUrl, SortLink};

/// The head of a column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The text.
    pub label: &'static str,
    /// The classes of its cells.
    pub class: &'static str,
    /// The list in the order of the column; `None` = it cannot be sorted by it.
    pub link: Option<SortLink>,
}

impl Column {
    /// A column by which the list can be sorted, whose present order is `sort`.
    pub(super) fn sorted(url: &ListUrl, label: &'static str, class: &'static str, key: &str, sort: &str) -> Self {
        Self { label, class, link: Some(url.sort_by(key, sort)) }
    }

    /// A column by which the list cannot be sorted.
    pub(super) const fn plain(label: &'static str, class: &'static str) -> Self {
        Self { label, class, link: None }
    }
}

/// A filter of the list.
#[derive(Clone, Debug)]
pub(super) struct Chip {
    /// The name of the parameter.
    pub parameter: String,
    /// The name in words.
    pub name: String,
    /// The value in words.
    pub value: String,
    /// The list without it.
    pub href: String,
}

/// The filters that the list has: all parameters but those with the names. `words` says them.
pub(super) fn chips(url: &ListUrl, no_filters: &[&str], words: impl Fn(&str, &str) -> (String, String)) -> Vec<Chip> {
    let is_filter = |name: &str| !no_filters.contains(&name);
    let chip = |(parameter, held): &(String, String)| {
        let (name, value) = words(parameter, held);
        Chip { parameter: parameter.clone(), name, value, href: url.without_pair(parameter, held) }
    };
    url.pairs().iter().filter(|(name, _)| is_filter(name)).map(chip).collect()
}

/// A filter that the menu offers.
#[derive(Clone, Debug)]
pub(super) struct FilterForm {
    /// The value of the field `add`.
    pub name: &'static str,
    /// The filter in words.
    pub label: &'static str,
    /// Its fields; none if it has one value alone.
    pub inputs: Vec<Input>,
}

/// A field of a filter.
#[derive(Clone, Debug)]
pub(super) struct Input {
    /// The name.
    pub name: &'static str,
    /// What to fill in.
    pub placeholder: &'static str,
    /// The type of the field in HTML; `select` for a choice.
    pub kind: &'static str,
    /// The values and texts of a choice.
    pub options: Vec<(&'static str, &'static str)>,
}

impl Input {
    /// A field of the type.
    pub(super) const fn new(name: &'static str, placeholder: &'static str, kind: &'static str) -> Self {
        Self { name, placeholder, kind, options: Vec::new() }
    }

    /// A choice.
    pub(super) const fn choice(name: &'static str, options: Vec<(&'static str, &'static str)>) -> Self {
        Self { name, placeholder: "", kind: "select", options }
    }
}

/// Leads to the list with the filter that the menu added; `None` if it added none. The form of the menu has the parts of the
/// filter in fields with the names; `filter` makes a parameter of them.
pub(super) fn with_added_filter(
    url: &ListUrl,
    parts: &[&str],
    filter: impl Fn(&str, &dyn Fn(&str) -> String) -> Option<(String, String)>,
) -> Option<Response> {
    let part = |name: &str| url.text(name).trim().to_owned();
    let added = filter(url.value("add")?, &part);
    let parts = [parts, &["add"]].concat();
    Some(redirect(&match added {
        Some((name, value)) => url.without_then_with(&parts, &name, &value),
        None => url.without(&parts),
    }))
}
