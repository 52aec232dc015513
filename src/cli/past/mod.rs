//! The commands on the past: what changed and who signed in, and taking changes back.

pub(super) mod history;
pub(super) mod restore;
mod selection;
pub(super) mod sign_ins;
pub(super) mod undo;
