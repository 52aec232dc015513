//! Rows of any table, read and written as a whole: for copies and for keys that are folded again.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Row as PgRow};

use crate::store::copy::{Column, ColumnType, Row, Table, Value};
use crate::store::sql::copy::column_names;
use crate::store::sql::derived::Derived;
use crate::store::sql::list::ngrams::{NGram, ngrams};

/// Returns the rows that the statement selects, with all columns of the table. No parameter is a small integer.
pub(super) async fn select_rows(
    client: &Client,
    table: &Table,
    sql: &str,
    parameters: &[Value],
) -> anyhow::Result<Vec<Row>> {
    let rows = client.query_typed(sql, &typed(parameters)).await?;
    rows.iter().map(|row| row_of(row, table)).collect()
}

/// Returns the parameters of a statement with their types: integers are BIGINT, all others TEXT.
pub(super) fn typed(parameters: &[Value]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    let kind = |value: &Value| if matches!(value, Value::Integer(_)) { Type::INT8 } else { Type::TEXT };
    parameters.iter().map(|value| (value as _, kind(value))).collect()
}

/// Inserts the rows into the table by COPY.
pub(super) async fn write_rows(client: &Client, table: &Table, rows: &[Row]) -> Result<(), tokio_postgres::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let copy = format!("COPY {} ({}) FROM STDIN BINARY", table.name, column_names(table.columns));
    let types: Vec<_> = table.columns.iter().map(type_of).collect();
    let mut writer = std::pin::pin!(BinaryCopyInWriter::new(client.copy_in(&copy).await?, &types));
    for row in rows {
        writer.as_mut().write_raw(row).await?;
    }
    writer.finish().await.map(drop)
}

/// Inserts the derived rows of new entities by COPY.
pub(super) async fn write_derived(client: &Client, derived: &Derived) -> Result<(), tokio_postgres::Error> {
    for (table, rows) in &derived.rows {
        write_rows(client, table, rows).await?;
    }
    match derived.ngrams {
        Some(table) => write_ngrams(client, table, &derived.texts).await,
        None => Ok(()),
    }
}

/// Inserts the n-grams of the owners' texts into the table.
async fn write_ngrams(client: &Client, table: &str, texts: &[(i64, Vec<String>)]) -> Result<(), tokio_postgres::Error> {
    let copy = format!("COPY {table} (owner, ngrams) FROM STDIN BINARY");
    let sink = client.copy_in(&copy).await?;
    let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &[Type::INT8, Type::INT8_ARRAY]));
    for (owner, texts) in texts {
        let numbers: Vec<i64> = ngrams(texts).iter().map(NGram::number).collect();
        writer.as_mut().write(&[owner, &numbers]).await?;
    }
    writer.finish().await.map(drop)
}

/// Converts a row of the table that PostgreSQL returned.
fn row_of(row: &PgRow, table: &Table) -> anyhow::Result<Row> {
    let value = |(at, column): (usize, &Column)| {
        let value = match column.kind {
            ColumnType::Integer => row.try_get::<_, Option<i64>>(at)?.map(Value::Integer),
            ColumnType::Small => row.try_get::<_, Option<i16>>(at)?.map(|small| Value::Integer(small.into())),
            ColumnType::Text => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
        };
        Ok(value.unwrap_or(Value::Null))
    };
    table.columns.iter().enumerate().map(value).collect()
}

const fn type_of(column: &Column) -> Type {
    match column.kind {
        ColumnType::Integer => Type::INT8,
        ColumnType::Small => Type::INT2,
        ColumnType::Text => Type::TEXT,
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(integer) if *kind == Type::INT2 => i16::try_from(*integer)?.to_sql(kind, out),
            Self::Integer(integer) => integer.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::INT2, Type::TEXT].contains(kind)
    }

    to_sql_checked!();
}
