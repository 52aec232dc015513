//! The OrderCloud API, rule by rule (docs/ordercloud.md).

mod assignments;
mod filters;
mod groups;
mod headers;
mod lists;
mod refresh;
mod saving;
mod sign_in;
mod tokens;
mod users;
