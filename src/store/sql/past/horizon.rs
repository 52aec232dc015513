//! The horizon of the journal: what is before it cannot be told any more (docs/rollbook.md, section 14).

use crate::domain::error::{Error, Result};
use crate::domain::time::Timestamp;
use crate::store::sql::retention::{HORIZON, Horizon};

use super::{SnapshotReader, Statement, read_rows, text};

/// Returns the horizon; `None` if no change was ever dropped.
pub(super) async fn horizon<S: SnapshotReader>(snapshot: &mut S) -> Result<Option<Horizon>, S::Failure> {
    let rows = read_rows(snapshot, Statement::constant(HORIZON, Vec::new())).await?;
    Ok(rows.first().map(|row| Horizon::parse(text(row, 0)?)).transpose()?)
}

/// Fails with `BeforeHorizon` if the moment is before the horizon.
pub(super) async fn check_moment<S: SnapshotReader>(snapshot: &mut S, at: Timestamp) -> Result<(), S::Failure> {
    match horizon(snapshot).await? {
        Some(horizon) if at < horizon.at => Err(Error::BeforeHorizon(horizon.at).into()),
        _ => Ok(()),
    }
}
