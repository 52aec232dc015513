//! The OrderCloud API, rule by rule (docs/ordercloud.md).

mod assignments;
mod dates;
mod filters;
mod groups;
mod headers;
mod lists;
mod long_lived_tokens;
mod me;
mod refresh;
mod saving;
mod sign_in;
mod tokens;
mod users;
