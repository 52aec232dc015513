//! The lists of changes: the history of a group or user, and the feed (docs/rollbook.md, section 11).

use std::str::FromStr;

use crate::domain::address;
use crate::domain::caller::{Permit, ReadChanges, ReadGroups, ReadUsers, SelectChanges};
use crate::domain::change_type::ChangeType;
use crate::domain::community::Visibility;
use crate::domain::cursor::{Position, SortValue};
use crate::domain::group::GroupKey;
use crate::domain::history::{ChangeFilter, ChangeId, FeedQuery, HistoryOf, HistoryPage, HistoryQuery, Order};
use crate::domain::journal::Channel;
use crate::domain::user::UserKey;
use crate::http::request::cursor::Binding;
use crate::http::request::error::Result;
use crate::http::request::feed_cursor::FeedCursors;
use crate::http::request::parameters::{bound, check_names, limit, order, position, span, value, values, wrong};
use crate::service::Service;

/// The parameters of a history.
const OF_HISTORIES: [&str; 6] = ["limit", "after", "since", "until", "type", "order"];
/// The parameters of the feed.
const OF_THE_FEED: [&str; 12] =
    ["after", "since", "until", "limit", "order", "type", "group", "user", "actor", "client", "channel", "operation"];

/// Returns one page of the history of a group, the newest change first unless the parameters say otherwise, and the cursor
/// of the next page, which is there once anything was read. Fails with the first parameter that breaks a rule, and with
/// `NotFound`.
pub(crate) async fn group_history(
    service: &Service,
    permit: &Permit<ReadGroups>,
    group: &GroupKey,
    parameters: &[(String, String)],
) -> Result<(HistoryPage, Option<String>)> {
    let (query, cursors) = history(parameters, "history of a group")?;
    let (uid, page) = service.group_history(permit, group, query).await?;
    cursors.with_next(page, uid)
}

/// As [`group_history`], of a user.
pub(crate) async fn user_history(
    service: &Service,
    permit: &Permit<ReadUsers>,
    user: &UserKey,
    parameters: &[(String, String)],
) -> Result<(HistoryPage, Option<String>)> {
    let (query, cursors) = history(parameters, "history of a user")?;
    let (uid, page) = service.user_history(permit, user, query).await?;
    cursors.with_next(page, uid)
}

/// Reads the parameters of the feed; `further` are those that the caller of this function reads. Groups, users and clients
/// that they name must exist.
pub(crate) async fn feed(
    service: &Service,
    permit: &Permit<ReadChanges>,
    parameters: &[(String, String)],
    further: &[&str],
) -> Result<FeedQuery> {
    check_names(parameters, &[&OF_THE_FEED, further].concat())?;
    Ok(FeedQuery {
        visibility: Visibility::All,
        filter: selected_changes(service, permit, parameters).await?,
        span: span(parameters)?,
        order: order(parameters)?.unwrap_or_default(),
        after: position(parameters, &FeedCursors::of(service.directory()))?,
        limit: limit(parameters)?,
        is_settled: true,
    })
}

/// Reads which changes the parameters select, apart from their times. Groups, users and clients must exist.
pub(crate) async fn selected_changes(
    service: &Service,
    permit: &Permit<impl SelectChanges>,
    parameters: &[(String, String)],
) -> Result<ChangeFilter> {
    let mut filter = ChangeFilter {
        types: values(parameters, "type", |name| ChangeType::from_str(name).ok())?,
        channels: values(parameters, "channel", |name| Channel::from_str(name).ok())?,
        operations: values(parameters, "operation", |name| Some(name.to_owned()))?,
        ..ChangeFilter::default()
    };
    for key in values(parameters, "group", |text| address::group(text).ok())? {
        filter.groups.push(service.named_group(permit, &key).await?.ok_or_else(|| wrong("group"))?);
    }
    for (name, numbers) in [("user", &mut filter.users), ("actor", &mut filter.actors)] {
        for key in values(parameters, name, address::user_key)? {
            numbers.push(service.named_user(permit, &key).await?.ok_or_else(|| wrong(name))?);
        }
    }
    for id in values(parameters, "client", |text| Some(text.to_owned()))? {
        filter.clients.push(service.named_client(permit, &id).await?.ok_or_else(|| wrong("client"))?);
    }
    Ok(filter)
}

/// Reads the parameters of a history, and returns what its cursors are bound to.
fn history(parameters: &[(String, String)], name: &str) -> Result<(HistoryQuery, Cursors)> {
    check_names(parameters, &OF_HISTORIES)?;
    let binding = Binding::new(name, bound(parameters));
    let after = match value(parameters, "after")? {
        None => None,
        Some(text) => Some(binding.decode(text).and_then(|place| change_id(&place)).ok_or_else(|| wrong("after"))?),
    };
    let (after, of) = after.unzip();
    let types = values(parameters, "type", |name| ChangeType::from_str(name).ok())?;
    let query = HistoryQuery {
        of: HistoryOf::Group(0),
        visibility: Visibility::All,
        span: span(parameters)?,
        types: (!types.is_empty()).then_some(types),
        order: order(parameters)?.unwrap_or(Order::Descending),
        after,
        limit: limit(parameters)?,
    };
    Ok((query, Cursors { binding, of }))
}

/// The cursors of a history. Each also has the number of the group or user whose history it is, last.
struct Cursors {
    binding: Binding,
    /// The number in the cursor of the request.
    of: Option<i64>,
}

impl Cursors {
    /// The page of the history of the group or user with the number, and the cursor behind it. Fails if the cursor of the
    /// request was one of another.
    fn with_next(&self, page: HistoryPage, uid: i64) -> Result<(HistoryPage, Option<String>)> {
        if self.of.is_some_and(|of| of != uid) {
            return Err(wrong("after"));
        }
        let next = page.next.map(|ChangeId { seq, index }| {
            self.binding.encode(&Position([seq, index.into(), uid].map(SortValue::Integer).to_vec()))
        });
        Ok((page, next))
    }
}

/// The change in the cursor of a history, and whose history it is.
fn change_id(place: &Position) -> Option<(ChangeId, i64)> {
    match place.0[..] {
        [SortValue::Integer(seq), SortValue::Integer(index), SortValue::Integer(of)] => {
            Some((ChangeId { seq, index: u32::try_from(index).ok()? }, of))
        }
        _ => None,
    }
}
