//! Changes and sign-ins as the directory keeps them, and taking changes back. `domain` re-exports every module.

pub mod change_type;
pub(crate) mod changed_fields;
pub(crate) mod erasure;
pub mod history;
pub(crate) mod restore;
pub mod sign_in;
pub(crate) mod undo;
pub(crate) mod visible_states;
