//! `rollbook user list` and `show`.

use std::io::{self, Write as _};

use crate::cli::json;
use crate::cli::operator::{escaped, find_user, format_communities, format_roles, format_time, permit};
use crate::cli::table::Table;
use crate::domain::caller::{Permit, ReadUsers};
use crate::domain::id::Id;
use crate::domain::query::{Comparison, Condition, Field, Filter, Operand, Page, Sort, Test, UserField, UserQuery};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::domain::xp::Xp;
use crate::service::Service;

/// Prints a user, one property per line, or as one JSON object.
pub(super) async fn show(service: &Service, named: &str, json: bool) -> anyhow::Result<()> {
    let user = find_user(service, named).await?;
    if json {
        return json::print(&json::user(&user)?);
    }
    let fields = &user.fields;
    let time = |moment: Option<Timestamp>| moment.map_or_else(|| "-".to_owned(), format_time);
    let text = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), escaped);
    let (roles, communities) = (format_roles(fields.roles), format_communities(&fields.communities));
    for (name, value) in [
        ("number", user.uid.to_string()),
        ("ID", fields.id.to_string()),
        ("username", escaped(&fields.username)),
        ("first name", escaped(&fields.first_name)),
        ("last name", escaped(&fields.last_name)),
        ("email", escaped(&fields.email)),
        ("phone", text(fields.phone.as_deref())),
        ("state", state(&user, service.is_locked(&user)).to_owned()),
        ("failed sign-ins", user.failed_attempts.to_string()),
        ("roles", roles),
        ("communities", communities),
        ("xp", text(fields.xp.as_ref().map(Xp::as_str))),
        ("password set", time(fields.password_set)),
        ("last active", time(user.last_active)),
        ("created", time(Some(user.created))),
        ("updated", time(Some(user.updated))),
    ] {
        writeln!(io::stdout(), "{:17}{value}", format!("{name}:"))?;
    }
    Ok(())
}

/// Prints all users, ordered by ID.
pub(super) async fn list(service: &Service, json: bool) -> anyhow::Result<()> {
    let permit = permit::<ReadUsers>()?;
    let mut table = Table::new();
    if !json {
        table.line("ID\tUSERNAME\tSTATE\tFAILED_SIGN_INS\tROLES\tCOMMUNITIES")?;
    }
    let mut users = users_after(service, &permit, None).await?;
    while let Some(last) = users.last() {
        let last = last.fields.id.clone();
        for user in &users {
            match json {
                true => json::print(&json::user(user)?)?,
                false => table.line(line(user, service.is_locked(user)))?,
            }
        }
        users = users_after(service, &permit, Some(&last)).await?;
    }
    Ok(table.flush()?)
}

/// The next page of users, ordered by ID, after `last`. A page starts from an ID and not from a page number, so that
/// users who are created or deleted meanwhile do not shift others out of the list.
async fn users_after(service: &Service, permit: &Permit<ReadUsers>, last: Option<&Id>) -> anyhow::Result<Vec<User>> {
    let after = |id: &Id| {
        let operand = Operand { text: id.key(), number: None, instant: None, boolean: None };
        Condition::Any(Field::Own(UserField::Id), vec![Test::Compare(Comparison::Greater, operand)])
    };
    let query = UserQuery {
        filter: Filter { search: None, conditions: last.map(after).into_iter().collect() },
        sort: vec![Sort { field: Field::Own(UserField::Id), descending: false }],
        page: Page { number: 1, size: Page::MAX_SIZE },
    };
    Ok(service.list_users(permit, query).await?.items)
}

/// Whether the user may sign in, as a word.
fn state(user: &User, is_locked: bool) -> &'static str {
    match (user.fields.active, is_locked) {
        (false, _) => "inactive",
        (true, true) => "locked",
        (true, false) => "active",
    }
}

/// The line of a user in the list.
fn line(user: &User, is_locked: bool) -> String {
    let (fields, state) = (&user.fields, state(user, is_locked));
    let (roles, communities) = (format_roles(fields.roles), format_communities(&fields.communities));
    format!("{}\t{}\t{state}\t{}\t{roles}\t{communities}", fields.id, escaped(&fields.username), user.failed_attempts)
}
