//! Lists: their state is in the query of their URL, which has the parameters of the API's list, and the links that change
//! it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{messages, ui};

/// The parameters that only the console has.
const OWN: [&str; 5] = ["lang", "trail", "row", "at", "kind"];
/// The parameters that name a place in a list. They go when anything else changes.
const PLACE: [&str; 3] = ["after", "trail", "row"];
/// The maximum number of pages to which "Previous" leads back one by one.
const TRAIL_MAX: usize = 10;
/// Between two cursors of the trail. No cursor has it.
const SEPARATOR: char = '~';
/// What stands in the trail for the first page.
const FIRST: &str = "0";

/// What a query need not percent-encode.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'!')
    .remove(b'*')
    .remove(b',')
    .remove(b':');

/// Returns the text as a part of a path or query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The URL of a list.
#[derive(Clone, Debug)]
pub(super) struct ListUrl {
    path: String,
    pairs: Vec<(String, String)>,
}

impl ListUrl {
    /// The URL with the path and the parameters. Parameters without a value, as a form sends them, are left out.
    pub(super) fn new(path: impl Into<String>, pairs: Vec<(String, String)>) -> Self {
        let pairs = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        Self { path: path.into(), pairs }
    }

    /// The path, without a query.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The first value of the parameter.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// The value of the parameter; an empty text if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.value(name).unwrap_or_default()
    }

    /// The parameters of the API's list, with the defaults for those that are missing.
    pub(super) fn of_api(&self, defaults: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = self.pairs.iter().filter(|(name, _)| !OWN.contains(&&**name)).cloned();
        let missing = defaults.iter().filter(|(name, _)| self.value(name).is_none());
        own.chain(missing.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
    }

    /// As [`Self::of_api`], with the types of changes that the choice `kind` stands for.
    pub(super) fn with_kind(&self, kinds: &[(&str, &[&str])]) -> Vec<(String, String)> {
        let chosen = kinds.iter().find(|(kind, _)| Some(*kind) == self.value("kind"));
        let types = chosen.into_iter().flat_map(|(_, types)| types.iter());
        let types = types.map(|name| ("type".to_owned(), (*name).to_owned()));
        self.of_api(&[]).into_iter().chain(types).collect()
    }

    /// The parameters that a form beside the list carries along, so that it changes nothing else: all but the place and
    /// those with the names.
    pub(super) fn kept(&self, changed: &[&str]) -> Vec<&(String, String)> {
        let is_kept = |name: &str| !PLACE.contains(&name) && !changed.contains(&name);
        self.pairs.iter().filter(|(name, _)| is_kept(name)).collect()
    }

    /// The URL with the parameter set to the value, at the beginning of the list.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        let mut pairs: Vec<_> = self.kept(&[name]).into_iter().cloned().collect();
        pairs.push((name.to_owned(), value.to_owned()));
        self.with_query(&pairs)
    }

    /// The URL with the parameter set to the value, or without it if the value is empty, at the beginning of the list.
    pub(super) fn with_or_without(&self, name: &str, value: &str) -> String {
        if value.is_empty() { self.without(&[name]) } else { self.with(name, value) }
    }

    /// The URL without the parameters with the names, at the beginning of the list.
    pub(super) fn without(&self, names: &[&str]) -> String {
        let pairs: Vec<_> = self.kept(names).into_iter().cloned().collect();
        self.with_query(&pairs)
    }

    /// The URL without the parameters with the names and with another one, at the beginning of the list.
    pub(super) fn without_then_with(&self, names: &[&str], name: &str, value: &str) -> String {
        let mut pairs: Vec<_> = self.kept(names).into_iter().cloned().collect();
        pairs.push((name.to_owned(), value.to_owned()));
        self.with_query(&pairs)
    }

    /// All parameters.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The URL without one parameter with its value, at the beginning of the list.
    pub(super) fn without_pair(&self, name: &str, value: &str) -> String {
        let pairs: Vec<_> =
            self.kept(&[]).into_iter().filter(|(own, held)| (&**own, &**held) != (name, value)).cloned().collect();
        self.with_query(&pairs)
    }

    /// The head of a column by which the list can be sorted: `sort` is the present order.
    pub(super) fn sort_by(&self, key: &str, sort: &str) -> SortLink {
        let is_ascending = sort == key;
        let is_descending = sort.strip_prefix('-') == Some(key);
        let next = if is_ascending { format!("-{key}") } else { key.to_owned() };
        SortLink { href: self.with("sort", &next), is_ascending, is_descending }
    }

    /// The links to the pages before and after one with so many rows. `next` is the cursor of the page after it.
    pub(super) fn pager(&self, rows: usize, total: Option<u64>, next: Option<String>) -> Pager {
        let trail: Vec<&str> = self.value("trail").map(|trail| trail.split(SEPARATOR).collect()).unwrap_or_default();
        let before: u64 = self.value("row").and_then(|row| row.parse().ok()).unwrap_or_default();
        let previous = trail.split_last().map(|(last, earlier)| {
            let rows_before = before.saturating_sub(PAGE_ROWS);
            self.at((*last != FIRST).then_some(*last), earlier, rows_before)
        });
        let next = next.map(|next| {
            let here = self.value("after").unwrap_or(FIRST);
            let skipped = (trail.len() + 1).saturating_sub(TRAIL_MAX);
            let trail: Vec<&str> = trail.iter().copied().chain([here]).skip(skipped).collect();
            self.at(Some(&next), &trail, before + rows as u64)
        });
        let first = (self.value("after").is_some() && previous.is_none()).then(|| self.without(&[]));
        let (from, to) = (ui::number(&(before + 1)), ui::number(&(before + rows as u64)));
        let text = messages::rows(&from, &to, total.as_ref().map(ui::number).as_deref());
        Pager { text, words: (messages::PREVIOUS, messages::NEXT), previous, first, next }
    }

    /// As [`Self::pager`], of a timeline with so many changes.
    pub(super) fn timeline_pager(&self, changes: usize, next: Option<String>) -> Pager {
        let words = (messages::timeline::NEWER, messages::timeline::OLDER);
        Pager { text: messages::timeline::shown(changes as u64), words, ..self.pager(changes, None, next) }
    }

    fn at(&self, after: Option<&str>, trail: &[&str], before: u64) -> String {
        let mut pairs: Vec<_> = self.kept(&[]).into_iter().cloned().collect();
        if let Some(after) = after {
            pairs.push(("after".to_owned(), after.to_owned()));
        }
        if !trail.is_empty() {
            pairs.push(("trail".to_owned(), trail.join(&SEPARATOR.to_string())));
        }
        if before > 0 {
            pairs.push(("row".to_owned(), before.to_string()));
        }
        self.with_query(&pairs)
    }

    fn with_query(&self, pairs: &[(String, String)]) -> String {
        format!("{}{}", self.path, query(pairs))
    }
}

/// The number of rows of a page of every list.
pub(super) const PAGE_ROWS: u64 = 50;

/// The parameters as the query of a URL, with its question mark.
pub(super) fn query(pairs: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        text.push(if text.is_empty() { '?' } else { '&' });
        text += &format!("{}={}", encoded(name), encoded(value));
    }
    text
}

/// The head of a column by which a list can be sorted.
#[derive(Clone, Debug)]
pub(super) struct SortLink {
    /// The URL of the list in this order, or in the opposite one.
    pub href: String,
    /// Whether the list has this order, the lowest value first.
    pub is_ascending: bool,
    /// Whether the list has this order, the highest value first.
    pub is_descending: bool,
}

/// The links between the pages of a list.
#[derive(Clone, Debug)]
pub(super) struct Pager {
    /// Which rows the page has, in words.
    pub text: String,
    /// The words for the pages before and after it.
    pub words: (&'static str, &'static str),
    /// The URL of the page before.
    pub previous: Option<String>,
    /// The URL of the first page, if the one before is not known.
    pub first: Option<String>,
    /// The URL of the page after it.
    pub next: Option<String>,
}

/// The command that gets the same data from the API. The path begins with a slash.
pub(super) fn curl(origin: &str, path: &str, pairs: &[(String, String)]) -> String {
    // Single quotes, because a shell would expand `!` and `$` in double ones; no encoded text has a quote.
    format!("curl -H \"Authorization: Bearer $TOKEN\" \\\n  '{origin}{path}{}'", query(pairs))
}

/// The number of rows of all pages for readers.
pub(super) fn total(total: Option<u64>) -> String {
    ui::known(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(query: &[(&str, &str)]) -> ListUrl {
        let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ListUrl::new("/console/groups", pairs.collect())
    }

    #[test]
    fn a_change_of_the_list_begins_it_anew() {
        let list =
            url(&[("q", "a b"), ("labels.it", "!*"), ("after", "C3"), ("trail", "0~C2"), ("row", "100"), ("x", "")]);
        assert_eq!(list.with("sort", "name"), "/console/groups?q=a%20b&labels.it=!*&sort=name");
        assert_eq!(list.without(&["q"]), "/console/groups?labels.it=!*");
        assert_eq!(list.without_pair("labels.it", "!*"), "/console/groups?q=a%20b");
        let api = list.of_api(&[("sort", "name"), ("q", "none")]);
        let pairs: Vec<_> = api.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(pairs, [("q", "a b"), ("labels.it", "!*"), ("after", "C3"), ("sort", "name")]);
    }

    #[test]
    fn pages_lead_forth_and_back() {
        let first = url(&[]).pager(50, Some(120), Some("C1".to_owned()));
        assert_eq!((&*first.text, first.previous), ("Rows 1 to 50 of 120", None));
        assert_eq!(first.next.as_deref(), Some("/console/groups?after=C1&trail=0&row=50"));
        let second = url(&[("after", "C1"), ("trail", "0"), ("row", "50")]).pager(50, Some(120), Some("C2".to_owned()));
        assert_eq!(second.text, "Rows 51 to 100 of 120");
        assert_eq!(second.previous.as_deref(), Some("/console/groups"));
        assert_eq!(second.next.as_deref(), Some("/console/groups?after=C2&trail=0~C1&row=100"));
        let third = url(&[("after", "C2"), ("trail", "0~C1"), ("row", "100")]).pager(20, Some(120), None);
        assert_eq!((&*third.text, third.next), ("Rows 101 to 120 of 120", None));
        assert_eq!(third.previous.as_deref(), Some("/console/groups?after=C1&trail=0&row=50"));
        let alone = url(&[("after", "C9")]).pager(5, None, None);
        assert_eq!((alone.previous, alone.first.as_deref()), (None, Some("/console/groups")));
    }

    #[test]
    fn columns_change_the_order() {
        let list = url(&[("sort", "name")]);
        assert_eq!(list.sort_by("name", "name").href, "/console/groups?sort=-name");
        assert_eq!(list.sort_by("id", "name").href, "/console/groups?sort=id");
        assert!(list.sort_by("name", "-name").is_descending);
    }
}
