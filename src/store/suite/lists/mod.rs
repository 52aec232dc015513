//! Lists and walks of entities: order, filters, searches, and the lists whose query plans are checked.

pub(crate) mod combining;
pub(crate) mod groups;
pub(crate) mod members;
mod paging;
pub(crate) mod plans;
pub(crate) mod relations;
pub(crate) mod search;
pub(crate) mod walk_plans;
pub(crate) mod walks;
