//! Groups, users, clients and members as JSON objects that a caller sent (docs/rollbook.md). Unknown fields are refused, so that a typo
//! never widens what is done. Read-only fields of responses are accepted and ignored, so that what GET returned can be
//! changed and sent back.

mod clients;
mod groups;
mod members;
mod users;

use crate::domain::community::{Communities, Community};
use crate::domain::xp::Xp;
use crate::http::request::fields::FieldReader;
use crate::json::Json;
use crate::service::complete_groups::Identity;

pub(crate) use clients::{ClientChange, NewClient, client, client_change, nothing, publish_seconds, token};
pub(crate) use groups::{group, group_change};
pub(crate) use members::{all_members, members_delta};
pub(crate) use users::{new_user, password, user, user_change};

/// Reads the number and version that the body names.
fn identity(reader: &mut FieldReader) -> Identity {
    Identity { uid: positive(reader, "uid"), version: positive(reader, "version") }
}

fn positive(reader: &mut FieldReader, field: &'static str) -> Option<i64> {
    let number = match reader.take(field)? {
        Json::Number(digits) => digits.parse().ok().filter(|number| *number > 0),
        _ => None,
    };
    if number.is_none() {
        reader.violate(field, "must be a whole number from 1");
    }
    number
}

/// Removes fields without reading them.
fn skip(reader: &mut FieldReader, fields: &[&'static str]) {
    for field in fields {
        let _ignored = reader.take(field);
    }
}

/// Reads an xp, complete or to merge: `None` if it is absent, `Some(None)` if it is null. The limits of a complete xp
/// bound the work of a merge inside the transaction.
fn xp(reader: &mut FieldReader) -> Option<Option<Xp>> {
    match reader.take("xp")? {
        Json::Null => Some(None),
        json => Some(Xp::new(&json).map_err(|rule| reader.violate("xp", rule)).ok()),
    }
}

/// Reads a set of communities; `None` if it is absent.
fn communities(reader: &mut FieldReader) -> Option<Communities> {
    let json = reader.take("communities")?;
    let parsed = match &json {
        Json::Array(items) if items.len() <= Community::MAX => {
            let community = |item: &Json| match item {
                Json::String(text) => Community::parse(text),
                _ => None,
            };
            items.iter().map(community).collect::<Option<Vec<_>>>()
        }
        _ => None,
    };
    let set = parsed.ok_or_else(|| format!("must be an array of at most {} GUIDs", Community::MAX));
    set.and_then(Community::set).map_err(|rule| reader.violate("communities", rule)).ok()
}
