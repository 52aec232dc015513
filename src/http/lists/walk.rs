//! Lists in the order of numbers, which is that of creation (docs/rollbook.md, section 8): their parameters, and one page
//! of them.

use crate::domain::cursor::{Position, SortValue};
use crate::http::request::cursor::{Binding, read_limit};
use crate::http::request::error::{ListError, Result};
use crate::http::request::parameters::{check_names, value};

/// A walk through such a list.
pub(crate) struct Walk {
    binding: Binding,
    /// The number after which the page begins.
    pub after: i64,
    /// The number of items on the page.
    limit: u32,
}

impl Walk {
    /// Reads the parameters of the list `name`, of the items of `owner`. Fails with the first one that breaks a rule.
    pub(crate) fn read(name: &str, owner: Option<&str>, parameters: &[(String, String)]) -> Result<Self> {
        check_names(parameters, &["limit", "after"])?;
        let binding = Binding::new(name, owner.map(|owner| ("owner", owner)));
        let after = match value(parameters, "after")? {
            None => 0,
            Some(text) => match binding.decode(text).as_ref().map(|Position(values)| values.as_slice()) {
                Some([SortValue::Integer(number)]) => *number,
                _ => return Err(ListError::Type("after".to_owned()).into()),
            },
        };
        let limit = read_limit(value(parameters, "limit")?).ok_or(ListError::PageSize)?;
        Ok(Self { binding, after, limit })
    }

    /// How many items to read: one more than the page has, which tells whether another page follows.
    pub(crate) fn wanted(&self) -> u32 {
        self.limit + 1
    }

    /// The page of the items that were read, and the cursor of the next one. `number` gives the number of an item.
    pub(crate) fn page<T>(&self, mut read: Vec<T>, number: impl Fn(&T) -> i64) -> (Vec<T>, Option<String>) {
        let is_last = read.len() <= self.limit as usize;
        read.truncate(self.limit as usize);
        let last = read.last().filter(|_| !is_last).map(number);
        let next = last.map(|last| self.binding.encode(&Position(vec![SortValue::Integer(last)])));
        (read, next)
    }
}
