//! The members of a group as a file for a spreadsheet.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use futures_util::stream::{StreamExt as _, once, unfold};

use crate::domain::caller::{ReadGroups, ReadUsers};
use crate::domain::group::{GroupKey, GroupUid};
use crate::domain::membership::Member;
use crate::http::request::error::Result;
use crate::http::request::extract::{Path, Query};
use crate::http::{ApiState, lists};

use super::path_of;
use crate::console::browser::Page;
use crate::console::form::Answer;
use crate::console::list::ListUrl;

/// The number of members that are read at once.
const ROWS: &str = "1000";
/// The heads of the columns for whoever may read users; for others, the first and the last one.
const HEADS: [&str; 6] = ["id", "username", "firstName", "lastName", "email", "since"];

/// All members that the list on the page has, in its order. The file is sent as it is read; a failure breaks it off.
pub(in crate::console) async fn export(
    State(api): State<ApiState>,
    visit: Page,
    Path(uid): Path<GroupUid>,
    Query(pairs): Query,
) -> Answer {
    let mut parameters = ListUrl::new(path_of(uid), pairs).of_api(&[]);
    parameters.retain(|(name, _)| !["after", "limit"].contains(&&**name));
    parameters.push(("limit".to_owned(), ROWS.to_owned()));
    let sees_users = visit.may::<ReadUsers>();
    let mut file = File { api, visit, uid, parameters, sees_users, is_finished: false };
    let (id, first) = file.rows().await?;
    let first = file.line(&HEADS.map(str::to_owned)) + &first;
    let rest = unfold(file, async |mut file| {
        if file.is_finished {
            return None;
        }
        let part = file.rows().await.map(|(_, lines)| Bytes::from(lines));
        file.is_finished |= part.is_err();
        Some((part.map_err(|_| std::io::Error::other("the list of members could not be read")), file))
    });
    let first = once(async move { Ok(Bytes::from(first)) });
    // What compresses the file asks again after its end.
    let body = Body::from_stream(first.chain(rest).fuse());
    let head = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"members-{id}.csv\"")),
    ];
    Ok((head, body).into_response())
}

/// A file that is being written.
struct File {
    api: ApiState,
    visit: Page,
    uid: GroupUid,
    parameters: Vec<(String, String)>,
    sees_users: bool,
    is_finished: bool,
}

impl File {
    /// The ID of the group, and the lines of the next members. Fails if the session has ended, or if the visitor may no
    /// longer see what the file has: a large file can take hours.
    async fn rows(&mut self) -> Result<(String, String)> {
        self.visit.signed_in = self.api.service.is_still_signed_in(&self.visit.signed_in).await?;
        if self.sees_users {
            self.visit.permit::<ReadUsers>()?;
        }
        let (key, permit) = (GroupKey::Uid(self.uid), self.visit.permit::<ReadGroups>()?);
        let (group, page, next) = lists::members(&self.api.service, &permit, key, &self.parameters).await?;
        let lines = page.items.iter().map(|member| self.line(&cells(member))).collect();
        self.parameters.retain(|(name, _)| name != "after");
        self.is_finished = next.is_none();
        self.parameters.extend(next.map(|next| ("after".to_owned(), next)));
        Ok((group.fields.id.to_string(), lines))
    }

    /// The line with these cells.
    fn line(&self, cells: &[String; HEADS.len()]) -> String {
        let is_shown = |at: usize| self.sees_users || at == 0 || at + 1 == HEADS.len();
        let cells = cells.iter().enumerate().filter(|(at, _)| is_shown(*at)).map(|(_, cell)| quoted(cell));
        cells.collect::<Vec<_>>().join(",") + "\r\n"
    }
}

fn cells(member: &Member) -> [String; HEADS.len()] {
    let own = &member.user.fields;
    let since = format!("{}Z", member.since.to_civil());
    let names = (own.username.clone(), own.first_name.clone(), own.last_name.clone());
    [own.id.to_string(), names.0, names.1, names.2, own.email.clone(), since]
}

/// The text as a cell (RFC 4180). One that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    let cell = format!("{guard}{text}");
    match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, cell) in [
            ("Ada", "Ada"),
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            ("+4", "'+4"),
            ("a,b", "\"a,b\""),
            ("=\"x\"", "\"'=\"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(text), cell);
        }
    }
}
