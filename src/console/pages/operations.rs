//! One operation: who did what, and undoing it after a preview.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::caller::{ReadChanges, ReadUsers, UndoChanges};
use crate::domain::history::{Change, ChangeId, FeedPage};
use crate::domain::time::Timestamp;
use crate::domain::undo::{OnConflict, UndoOptions, UndoOutcome};
use crate::http::request::error::{DirectoryError, Error, Result};
use crate::http::request::extract::{Path, Query};
use crate::http::request::feed_cursor::FeedCursors;
use crate::http::request::parameters;
use crate::http::{ApiState, Failure};

use super::page_with;
use crate::console::browser::Page;
use crate::console::done::{Done, redirect, see};
use crate::console::error::Problem;
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::list::{self, ListUrl, Pager};
use crate::console::messages::{self as m, fields as f, operation as t, timeline as tl};
use crate::console::timeline::{Of, Timeline, actor_name, operation_path};
use crate::console::ui::{self, Html};

/// The maximum number of changes that cannot be undone that the preview names.
const CONFLICTS_SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "operation.html")]
struct OperationPage {
    frame: Frame,
    id: String,
    facts: Option<Facts>,
    undo: Undo,
    curl: String,
    timeline: Timeline,
    pager: Option<Pager>,
}

/// Who did it, and why.
struct Facts {
    who: String,
    channel: &'static str,
    time: Timestamp,
    reason: Option<String>,
    undoes: Option<String>,
}

/// What an undo would do.
enum Undo {
    /// The visitor may undo nothing.
    NotAllowed,
    /// The operation is large: the preview is made when it is asked for.
    OnRequest(String),
    /// It cannot be undone, for this reason.
    Refused(String),
    /// What becomes of the changes.
    Preview(Preview),
}

struct Preview {
    undone: u64,
    nothing_to_do: u64,
    conflicts: u64,
    /// The first changes that cannot be undone, and why.
    named: Vec<(Html, String)>,
    button: String,
}

/// The page.
pub(in crate::console) async fn show(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    Query(pairs): Query,
) -> Answer {
    Ok(rendered(&api, &visit, &id, pairs, StatusCode::OK).await?)
}

async fn rendered(
    api: &ApiState,
    visit: &Page,
    id: &str,
    pairs: Vec<(String, String)>,
    status: StatusCode,
) -> Result<Response> {
    let url = ListUrl::new(operation_path(id), pairs);
    let parameters = url.of_api(&[]);
    let found = match visit.may::<ReadChanges>() {
        true => Some(changes(api, visit, id, &parameters).await?),
        // Whoever changes groups or users may undo what they find in a history, without the feed.
        false => visit.permit::<UndoChanges>().map(|_| None)?,
    };
    // What is not read may be large.
    let is_unread = found.is_none();
    let (changes, next) = found.map_or_else(Default::default, |(page, next)| {
        (page.changes.into_iter().map(|feed| feed.change).collect::<Vec<_>>(), next)
    });
    let is_large = is_unread || next.is_some() || url.value("after").is_some();
    let undo = match visit.may::<UndoChanges>() {
        false => Undo::NotAllowed,
        true if is_large && url.value("kind").is_none() => Undo::OnRequest(url.with("kind", "undo")),
        true => preview(api, visit, id, &changes).await?,
    };
    let sees_users = visit.may::<ReadUsers>();
    let page = OperationPage {
        frame: visit.frame(t::title(id), Section::Changes),
        facts: changes.first().map(|first| Facts {
            who: actor_name(&first.actor, sees_users).0,
            channel: tl::channel(first.channel),
            time: first.time,
            reason: first.reason.clone(),
            undoes: changes.iter().find_map(|change| change.undoes.clone()),
        }),
        undo,
        curl: list::curl(&visit.browser.origin, &format!("/rollbook/v1/operations/{}", list::encoded(id)), &parameters),
        pager: (!changes.is_empty()).then(|| url.timeline_pager(changes.len(), next)),
        timeline: Timeline { is_undoable: false, ..Timeline::new(visit, Of::Operation, &changes) },
        id: id.to_owned(),
    };
    page_with(status, &page)
}

/// A page of the changes of the operation, and the cursor of the next one.
async fn changes(
    api: &ApiState,
    visit: &Page,
    id: &str,
    query: &[(String, String)],
) -> Result<(FeedPage, Option<String>)> {
    parameters::check_names(query, &["limit", "after"])?;
    let cursors = FeedCursors::of(api.service.directory());
    let (after, limit) = (parameters::position(query, &cursors)?, parameters::limit(query)?);
    let page = api.service.changes_of_operation(&visit.permit()?, id, after, limit).await?;
    let next = page.next.as_ref().filter(|_| page.more).map(|position| cursors.encode(position));
    Ok((page, next))
}

/// What an undo would do now.
async fn preview(api: &ApiState, visit: &Page, id: &str, changes: &[Change]) -> Result<Undo> {
    let options = UndoOptions { dry_run: true, on_conflict: OnConflict::Skip };
    match api.service.undo_operation(&visit.permit()?, id, options).await {
        Ok(outcome) => Ok(Undo::Preview(previewed(visit, &outcome, changes))),
        Err(error @ (DirectoryError::UndoTooLarge | DirectoryError::Forbidden { .. })) => {
            Ok(Undo::Refused(Problem::of(&error.into()).text))
        }
        Err(DirectoryError::NotAuthorizedToAdmin) => Ok(Undo::Refused(m::errors::LIMITED.to_owned())),
        Err(error) => Err(error.into()),
    }
}

fn previewed(visit: &Page, outcome: &UndoOutcome, changes: &[Change]) -> Preview {
    let said = |id: ChangeId| {
        let change = changes.iter().find(|change| change.id == id)?;
        let mut timeline = Timeline::new(visit, Of::Operation, [change]);
        Some(timeline.days.pop()?.lines.pop()?.said)
    };
    let conflicts = outcome.changes.iter().filter(|change| change.result.is_conflict()).take(CONFLICTS_SHOWN);
    let named = conflicts.map(|change| {
        let name = said(change.id).unwrap_or_else(|| ui::code(&change.id.to_string()));
        (name, t::conflict(&change.result))
    });
    Preview {
        undone: outcome.undone,
        nothing_to_do: outcome.nothing_to_do,
        conflicts: outcome.conflicts,
        named: named.collect(),
        button: t::undo(outcome.undone),
    }
}

/// Undoes the changes of the operation. If one of them cannot be undone, nothing is, unless the form says to leave those out:
/// then the page of the operation tells which. The undo can be undone as well.
pub(in crate::console) async fn undo(
    State(api): State<ApiState>,
    visit: Page,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    if fields.is_resumed() {
        return Ok(redirect(&operation_path(&id)));
    }
    let operation = api.service.new_operation();
    let permit = visit.change::<UndoChanges>(&operation, fields.reason()?)?;
    let on_conflict = if fields.text("conflicts") == "skip" { OnConflict::Skip } else { OnConflict::Fail };
    match api.service.undo_operation(&permit, &id, UndoOptions { dry_run: false, on_conflict }).await {
        Ok(outcome) => {
            let text = t::undone(outcome.undone, outcome.nothing_to_do, outcome.conflicts);
            let done = if outcome.operation.is_some() { Done::undoable(text, operation) } else { Done::new(text) };
            Ok(see(&visit.browser.page, &done))
        }
        Err(DirectoryError::UndoConflicts(_)) => {
            let pairs = vec![("kind".to_owned(), "conflicts".to_owned())];
            Ok(rendered(&api, &visit, &id, pairs, StatusCode::CONFLICT).await?)
        }
        Err(error) => Err(Error::from(error).into()),
    }
}
