//! The columns of refresh tokens and signing keys.

use crate::domain::signing_key::PublishedKey;
use crate::store::copy::ColumnType;
use crate::store::{RefreshToken, SigningKey};

use crate::store::sql::columns::{Column, Field, Record, index};
use crate::store::sql::rows::{Columns, optional_bits, string, time};

impl Record for RefreshToken {
    const TABLE: &'static str = "refresh_tokens";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("hash", Field::Text(|token| &token.hash)),
        Column::new("family", Field::Text(|token| &token.family)),
        Column::new("salt", Field::Text(|token| &token.salt)),
        Column::new("user_uid", Field::Integer(|token| token.user)),
        Column::new("client_uid", Field::Integer(|token| token.client)),
        Column::new("user_generation", Field::Integer(|token| token.user_generation)),
        Column::new("client_generation", Field::Integer(|token| token.client_generation)),
        Column::new("scope", Field::OptionalBits(|token| token.scope)),
        Column::new("expires", Field::Time(|token| token.expires)),
        // The time of the first use.
        Column::new("used", Field::Unmapped(ColumnType::Integer)),
    ];

    fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            hash: string(row, index!("hash"))?,
            family: string(row, index!("family"))?,
            salt: string(row, index!("salt"))?,
            user: row.integer(index!("user_uid"))?,
            client: row.integer(index!("client_uid"))?,
            user_generation: row.integer(index!("user_generation"))?,
            client_generation: row.integer(index!("client_generation"))?,
            scope: optional_bits(row, index!("scope"))?,
            expires: time(row, index!("expires"))?,
        })
    }
}

impl Record for SigningKey {
    const TABLE: &'static str = "signing_keys";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("kid", Field::Text(|key| &key.published.kid)),
        Column::new("pem", Field::Text(|key| &key.pem)),
        Column::new("signs_from", Field::Time(|key| key.published.signs_from)),
    ];

    fn read<R: Columns>(row: &R) -> Result<Self, R::Error> {
        Ok(Self {
            published: PublishedKey { kid: string(row, index!("kid"))?, signs_from: time(row, index!("signs_from"))? },
            pem: string(row, index!("pem"))?,
        })
    }
}
