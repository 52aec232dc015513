//! The columns of recorded answers.

use crate::domain::idempotency::{RecordedAnswer, RequestKey};

use crate::store::sql::columns::{Column, Field, Record, index};
use crate::store::sql::rows::{Columns, optional_string, string, time};

impl Record for RecordedAnswer {
    const TABLE: &'static str = "idempotency_keys";
    const KEY: usize = 2;
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("scope", Field::Text(|answer| &answer.key.scope)),
        Column::new("key", Field::Text(|answer| &answer.key.key)),
        Column::new("fingerprint", Field::Text(|answer| &answer.fingerprint)),
        Column::new("operation", Field::Text(|answer| &answer.operation)),
        Column::new("expires", Field::Time(|answer| answer.expires)),
        Column::new("status", Field::Integer(|answer| answer.status)),
        Column::new("location", Field::OptionalText(|answer| answer.location.as_deref())),
        Column::new("tag", Field::OptionalText(|answer| answer.tag.as_deref())),
        Column::new("content_type", Field::OptionalText(|answer| answer.content_type.as_deref())),
        Column::new("body", Field::OptionalText(|answer| answer.body.as_deref())),
    ];

    fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            key: RequestKey { scope: string(row, index!("scope"))?, key: string(row, index!("key"))? },
            fingerprint: string(row, index!("fingerprint"))?,
            operation: string(row, index!("operation"))?,
            expires: time(row, index!("expires"))?,
            status: row.integer(index!("status"))?,
            location: optional_string(row, index!("location"))?,
            tag: optional_string(row, index!("tag"))?,
            content_type: optional_string(row, index!("content_type"))?,
            body: optional_string(row, index!("body"))?,
        })
    }
}
