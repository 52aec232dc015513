//! The Core API, rule by rule (docs/core.md).

mod communities;
mod editing;
mod reading;
mod sessions;
