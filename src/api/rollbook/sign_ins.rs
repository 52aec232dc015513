//! The recorded sign-ins (docs/rollbook.md, section 12).

use std::net::IpAddr;
use std::str::FromStr;

use axum::extract::State;

use crate::domain::caller::{Permission as _, Permit, ReadChanges, ReadSignIns, ReadUsers};
use crate::domain::cursor::{Position, SortValue};
use crate::domain::journal::Channel;
use crate::domain::sign_in::{SignInFilter, SignInPosition, SignInQuery, SignInType};
use crate::domain::time::Timestamp;
use crate::http::request::cursor::Binding;
use crate::http::request::error::Result;
use crate::http::request::extract::Query;
use crate::http::request::parameters::{check_names, limit, order, span, value, values, wrong};
use crate::http::response::json::JsonResponse;
use crate::http::{ApiState, Failure};
use crate::service::Service;

use super::address;
use super::wire::{SignIn, SignIns};

/// The name of the sign-ins in their cursors.
const SIGN_INS: &str = "sign-ins";

/// Read the sign-ins
///
/// Who signed in, or tried to: the oldest first unless `order=desc`, in an order in which nothing appears later before
/// what was read. `next` is there once anything was read, and moves past what was filtered out. Renewals of tokens are no
/// sign-ins. A cursor whose sign-in is no longer kept is 410. Callers limited to communities are refused.
#[utoipa::path(
    get,
    path = "/rollbook/v1/sign-ins",
    operation_id = "signIns.list",
    tag = "Sign-ins",
    params(
        ("after" = Option<String>, Query, description = "The `next` of the part before, unchanged, e.g. `AVY4pxSH`"),
        ("since" = Option<String>, Query, description = "The first time, e.g. `2026-03-01T00:00:00Z`"),
        ("until" = Option<String>, Query, description = "The last time, e.g. `2026-03-31T23:59:59Z`"),
        ("limit" = Option<u32>, Query, description = "Sign-ins in a part; 50 if left out", minimum = 1, maximum = 1000, example = 50),
        ("order" = Option<String>, Query, description = "`asc`, or `desc` for the newest first", example = "asc"),
        ("type" = Option<String>, Query, description = "Only sign-ins that ended like this, e.g. `sign_in.failed`; can be repeated, as all below"),
        ("user" = Option<String>, Query, description = "Only sign-ins of this user, e.g. `ada`"),
        ("client" = Option<String>, Query, description = "Only sign-ins of or through this client, e.g. `console`"),
        ("channel" = Option<String>, Query, description = "Only sign-ins that came this way, e.g. `core`"),
        ("source" = Option<String>, Query, description = "Only sign-ins from this IP address, e.g. `192.0.2.7`"),
    ),
    responses((status = 200, description = "A part of the sign-ins", body = SignIns))
)]
pub(super) async fn list(
    State(api): State<ApiState>,
    permit: Permit<ReadSignIns>,
    Query(parameters): Query,
) -> Result<JsonResponse<SignIns>, Failure> {
    let query = query(&api.service, &permit, &parameters).await?;
    let page = api.service.sign_ins(&permit, query).await?;
    let reads_users = permit.caller().roles.intersects(ReadUsers::ROLES);
    let changes = page.sign_ins.iter().map(|sign_in| SignIn::new(sign_in, reads_users)).collect();
    let next = page.next.map(|position| binding().encode(&encoded(position)));
    Ok(JsonResponse(SignIns { changes, next, more: page.more }))
}

/// Reads the parameters. Users and clients that the caller names must exist.
async fn query(
    service: &Service,
    permit: &Permit<ReadSignIns>,
    parameters: &[(String, String)],
) -> Result<SignInQuery> {
    const KNOWN: [&str; 10] =
        ["after", "since", "until", "limit", "order", "type", "user", "client", "channel", "source"];
    check_names(parameters, &KNOWN)?;
    let mut filter = SignInFilter {
        types: values(parameters, "type", |name| SignInType::from_str(name).ok())?,
        channels: values(parameters, "channel", |name| Channel::from_str(name).ok())?,
        sources: values(parameters, "source", |text| IpAddr::from_str(text).ok().map(|source| source.to_canonical()))?,
        ..SignInFilter::default()
    };
    let naming = permit.caller().permit::<ReadChanges>()?;
    for key in values(parameters, "user", address::user_key)? {
        filter.users.push(service.named_user(&naming, &key).await?.ok_or_else(|| wrong("user"))?);
    }
    for id in values(parameters, "client", |text| Some(text.to_owned()))? {
        filter.clients.push(service.named_client(&naming, &id).await?.ok_or_else(|| wrong("client"))?);
    }
    let after = match value(parameters, "after")? {
        None => None,
        Some(text) => Some(binding().decode(text).and_then(|place| position(&place)).ok_or_else(|| wrong("after"))?),
    };
    Ok(SignInQuery {
        filter,
        span: span(parameters)?,
        order: order(parameters)?.unwrap_or_default(),
        after,
        limit: limit(parameters)?,
    })
}

/// Cursors are bound to nothing but the sign-ins, so that a reader can change the filter.
fn binding() -> Binding {
    Binding::new(SIGN_INS, [])
}

fn encoded(SignInPosition { transaction, seq, at }: SignInPosition) -> Position {
    Position([transaction, seq, at.as_micros()].map(SortValue::Integer).to_vec())
}

fn position(place: &Position) -> Option<SignInPosition> {
    match place.0[..] {
        [SortValue::Integer(transaction), SortValue::Integer(seq), SortValue::Integer(at)] => {
            Some(SignInPosition { transaction, seq, at: Timestamp::from_micros(at) })
        }
        _ => None,
    }
}
