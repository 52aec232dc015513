//! What lists ask the database, for the tests of how it answers.

use std::cell::RefCell;

use sea_query::SelectStatement;

thread_local! {
    static ASKED: RefCell<Vec<SelectStatement>> = const { RefCell::new(Vec::new()) };
}

/// This thread asks it.
pub fn note(statement: &SelectStatement) {
    ASKED.with_borrow_mut(|asked| asked.push(statement.clone()));
}

/// What this thread has asked since it was last looked at.
pub fn take() -> Vec<SelectStatement> {
    ASKED.take()
}
