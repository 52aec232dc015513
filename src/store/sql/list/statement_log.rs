//! A log of the statements of lists, for the tests of their query plans.

use std::cell::RefCell;

use sea_query::SelectStatement;

thread_local! {
    static STATEMENTS: RefCell<Vec<SelectStatement>> = const { RefCell::new(Vec::new()) };
}

/// Adds the statement to the log of this thread.
pub(crate) fn note(statement: &SelectStatement) {
    STATEMENTS.with_borrow_mut(|statements| statements.push(statement.clone()));
}

/// Returns the log of this thread and clears it.
pub(crate) fn take() -> Vec<SelectStatement> {
    STATEMENTS.take()
}
