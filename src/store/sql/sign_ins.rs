//! The table of sign-ins, and what both stores write to it. Reading is in [`super::past::sign_ins`].

use std::sync::LazyLock;

use crate::domain::sign_in::SignIn;
use crate::store::copy::{Table, Value};

use super::columns::{columns, names, parameters};

/// The maximum number of old rows that one transaction deletes.
pub(crate) const MAX_CLEARED: usize = 500;

/// The table of sign-ins. The store assigns its key.
pub(crate) const SIGN_INS: Table = Table {
    name: "sign_ins",
    columns: columns! {
        Integer: "seq" "at";
        Text: "type" "channel";
        Integer: "user_uid" "client_uid";
        Text: "source";
        Integer: "count";
        Text: "reason" "tally";
    },
    key: 1,
};

/// An `INSERT` of one row, with the parameters of [`values`]. An attempt whose tally has a row is counted there.
pub(crate) static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = &SIGN_INS.columns[SIGN_INS.key..];
    let (names, parameters) = (names(columns.iter().map(|column| column.name)), parameters(columns.len()));
    format!(
        "INSERT INTO sign_ins ({names}) VALUES ({parameters}) ON CONFLICT (tally) WHERE tally IS NOT NULL \
         DO UPDATE SET count = sign_ins.count + excluded.count"
    )
});

/// Returns the sign-in as the parameters of [`INSERT`].
pub(crate) fn values(sign_in: &SignIn) -> [Value; SIGN_INS.columns.len() - SIGN_INS.key] {
    [
        sign_in.at.as_micros().into(),
        sign_in.kind.name().to_owned().into(),
        sign_in.origin.channel.name().to_owned().into(),
        sign_in.user.into(),
        sign_in.client.into(),
        sign_in.source().into(),
        1.into(),
        sign_in.refusal.map(|refusal| refusal.name().to_owned()).into(),
        sign_in.tally().into(),
    ]
}
