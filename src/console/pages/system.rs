//! The state of the system: what needs action, how the directory grew, its signing keys and its database.

use askama::Template;
use axum::extract::State;

use crate::domain::caller::{OperateDirectory, ReadClients, ReadStatistics};
use crate::domain::long_lived_token::LongLivedToken;
use crate::domain::statistics::{DailyCount, StoreFacts};
use crate::domain::time::Timestamp;
use crate::http::ApiState;
use crate::service::tokens::{KEY_PUBLISHED_SECONDS, KeyState, KeyStatus};

use super::page;
use crate::console::browser::Page;
use crate::console::chart::{self, Bar};
use crate::console::done::{Done, redirect, see};
use crate::console::form::{Answer, Fields};
use crate::console::frame::{Frame, Section};
use crate::console::messages::{self as m, system as t};
use crate::console::time::Reader;
use crate::console::ui;

/// The path of the page.
const PATH: &str = "/console/system";
/// The number of tokens that end soon which the page names, at most.
const TOKENS_MAX: u32 = 100;
/// The number of days between two names below the chart.
const AXIS_DAYS: usize = 30;

#[derive(Template)]
#[template(path = "system.html")]
struct SystemPage {
    frame: Frame,
    language: String,
    has_metrics: bool,
    ending: Vec<EndingToken>,
    figures: [Figure; 3],
    changes: Changes,
    days: Vec<Day>,
    keys: Vec<Key>,
    may_rotate: bool,
    store: StoreFacts,
    kept_since: Option<Timestamp>,
}

/// A long-lived token that ends soon.
struct EndingToken {
    name: String,
    days: i64,
    expires: Timestamp,
}

impl EndingToken {
    fn new(token: LongLivedToken, now: Timestamp) -> Self {
        let (name, expires) = (token.fields.name, token.fields.expires);
        Self { name, days: (expires.as_seconds() - now.as_seconds()) / 86_400, expires }
    }
}

/// A number of the directory, and how it grew.
struct Figure {
    label: &'static str,
    value: String,
    trend: Option<Trend>,
}

/// How a number grew since the first day on which it is known.
struct Trend {
    growth: String,
    label: String,
    points: String,
}

impl Figure {
    /// The figure of the numbers by day, the oldest first.
    fn new(label: &'static str, values: &[Option<u64>]) -> Self {
        let last = values.last().copied().flatten();
        let first = values.iter().position(Option::is_some).unwrap_or_default();
        let days = values.len().saturating_sub(first);
        let trend = values.get(first).copied().flatten().zip(last).filter(|_| days > 1).map(|(from, to)| Trend {
            growth: t::growth(from, to, &ui::number(&from.abs_diff(to)), days),
            label: t::trend(label, &ui::number(&from), &ui::number(&to), days),
            points: chart::line(values),
        });
        Self { label, value: ui::known(last), trend }
    }
}

/// The changes of each day, as a chart.
struct Changes {
    bars: Vec<Bar>,
    summary: String,
    axis: Vec<String>,
}

impl Changes {
    fn new(counts: &[DailyCount], name: impl Fn(&DailyCount) -> String) -> Self {
        let values: Vec<_> = counts.iter().map(|count| count.changes).collect();
        let busiest = counts.iter().filter(|count| count.changes > Some(0)).max_by_key(|count| count.changes);
        let busiest = busiest.map(|count| t::busiest(&name(count), &ui::known(count.changes)));
        let today = t::today(&ui::known(values.last().copied().flatten()));
        Self {
            bars: chart::bars(&values),
            summary: busiest.into_iter().chain([today]).collect::<Vec<_>>().join(" "),
            axis: counts.iter().step_by(AXIS_DAYS).chain(counts.last()).map(name).collect(),
        }
    }
}

/// A row of the table of days.
struct Day {
    date: String,
    name: String,
    numbers: [(&'static str, String); 4],
}

/// A signing key.
struct Key {
    id: String,
    signs_from: Timestamp,
    state: &'static str,
    is_signing: bool,
}

impl From<KeyStatus> for Key {
    fn from(status: KeyStatus) -> Self {
        let state = match status.state {
            KeyState::Upcoming => t::UPCOMING,
            KeyState::Signing => t::SIGNS,
            KeyState::Retired => t::RETIRED,
        };
        let is_signing = status.state == KeyState::Signing;
        Self { id: status.kid, signs_from: status.signs_from, state, is_signing }
    }
}

/// The page. Fails with `Forbidden` or `NotAuthorizedToAdmin`.
pub(in crate::console) async fn show(State(api): State<ApiState>, visit: Page) -> Answer {
    let (clients, statistics) = (visit.permit::<ReadClients>()?, visit.permit::<ReadStatistics>()?);
    let (service, now) = (&api.service, api.service.now());
    let ending = service.expiring_long_lived_tokens(&clients, TOKENS_MAX).await?;
    let counts = service.daily_counts(&statistics).await?;
    let keys = service.signing_keys(&clients).await?;
    // The days are those of UTC, whatever the zone of the reader is.
    let utc = Reader::new(now, None);
    let name = |count: &DailyCount| utc.day(utc.day_of(count.day.midnight()));
    let values = |value: fn(&DailyCount) -> Option<u64>| counts.iter().map(value).collect::<Vec<_>>();
    let system = SystemPage {
        frame: visit.frame(t::TITLE, Section::System),
        language: m::language(service.default_language().as_str()),
        // Elsewhere the address of the console does not serve them.
        has_metrics: visit.browser.is_loopback(),
        ending: ending.into_iter().map(|token| EndingToken::new(token, now)).collect(),
        figures: [
            Figure::new(t::GROUPS, &values(|count| count.groups)),
            Figure::new(t::USERS, &values(|count| count.users)),
            Figure::new(t::MEMBERSHIPS, &values(|count| count.memberships)),
        ],
        changes: Changes::new(&counts, name),
        days: counts
            .iter()
            .rev()
            .map(|count| Day {
                date: count.day.to_string(),
                name: name(count),
                numbers: [
                    (t::GROUPS, ui::known(count.groups)),
                    (t::USERS, ui::known(count.users)),
                    (t::MEMBERSHIPS, ui::known(count.memberships)),
                    (t::CHANGES, ui::known(count.changes)),
                ],
            })
            .collect(),
        keys: keys.into_iter().map(Key::from).collect(),
        may_rotate: visit.may::<OperateDirectory>(),
        store: service.store_facts(&statistics).await?,
        kept_since: service.directory_info(visit.caller()).await?.oldest_change,
    };
    Ok(page(&system)?)
}

/// Creates a signing key.
pub(in crate::console) async fn rotate(State(api): State<ApiState>, visit: Page, fields: Fields) -> Answer {
    if fields.is_resumed() {
        return Ok(redirect(PATH));
    }
    let operation = api.service.new_operation();
    let permit = visit.change::<OperateDirectory>(&operation, None)?;
    api.service.rotate_signing_key(&permit, KEY_PUBLISHED_SECONDS.into()).await?;
    Ok(see(PATH, &Done::new(t::rotated(KEY_PUBLISHED_SECONDS / 60))))
}
