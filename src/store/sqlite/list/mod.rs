//! Lists: their threads, the choice of a query plan, match sets, pages and the result cache.

pub(super) mod bind;
pub(super) mod counts;
pub(super) mod cursor;
pub(super) mod engine;
pub(super) mod entities;
pub(super) mod members;
pub(super) mod memberships;
pub(super) mod pages;
mod runs;
pub(super) mod sets;
pub(super) mod statements;
pub(super) mod text_index;
pub(super) mod threads;
pub(super) mod tombstones;
