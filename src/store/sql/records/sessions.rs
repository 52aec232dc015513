//! The columns of sessions.

use crate::domain::session::Session;

use crate::store::sql::columns::{Column, Field, Record, index};
use crate::store::sql::rows::{Columns, string, time};

impl Record for Session {
    const TABLE: &'static str = "sessions";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("hash", Field::Text(|session| &session.hash)),
        Column::new("id", Field::Text(|session| &session.id)),
        Column::new("user_uid", Field::Integer(|session| session.user)),
        Column::new("generation", Field::Integer(|session| session.generation)),
        Column::new("created", Field::Time(|session| session.created)),
        Column::new("seen", Field::Time(|session| session.seen)),
        Column::new("expires", Field::Time(|session| session.expires)),
    ];

    fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            hash: string(row, index!("hash"))?,
            id: string(row, index!("id"))?,
            user: row.integer(index!("user_uid"))?,
            generation: row.integer(index!("generation"))?,
            created: time(row, index!("created"))?,
            seen: time(row, index!("seen"))?,
            expires: time(row, index!("expires"))?,
        })
    }
}
