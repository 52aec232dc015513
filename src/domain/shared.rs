//! A thing in memory, shared by all who ask for it until it changes.

use std::ops::Deref;
use std::sync::OnceLock;

use bytes::Bytes;

use super::Result;
use super::journal::Door;

/// A thing as it was read, with the answers that were made of it since: whoever asks for it next at the same door is
/// given the same bytes. It never changes. Where the thing does, another takes its place, and the answers go with it.
#[derive(Debug)]
pub struct Shared<T> {
    thing: T,
    /// One for each door.
    answers: [OnceLock<Bytes>; Door::COUNT],
}

impl<T> Shared<T> {
    /// The answer of the door, as `render` makes it of the thing, now or before.
    pub fn answer(&self, door: Door, render: impl FnOnce(&T) -> Result<Bytes>) -> Result<Bytes> {
        let answer = &self.answers[door as usize];
        if let Some(made) = answer.get() {
            return Ok(made.clone());
        }
        let made = render(&self.thing)?;
        Ok(answer.get_or_init(|| made).clone())
    }
}

impl<T> From<T> for Shared<T> {
    fn from(thing: T) -> Self {
        Self { thing, answers: Default::default() }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.thing
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.thing == other.thing
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Error;

    use super::*;

    #[test]
    fn an_answer_is_made_once_a_door() {
        let shared = Shared::from("thing");
        let made = |text: &'static str| move |thing: &&str| Ok(Bytes::from(format!("{thing} {text}")));
        assert_eq!(shared.answer(Door::Core, made("one")).unwrap(), "thing one");
        assert_eq!(shared.answer(Door::OrderCloud, made("two")).unwrap(), "thing two");
        assert_eq!(shared.answer(Door::Core, made("three")).unwrap(), "thing one");
    }

    #[test]
    fn an_answer_that_could_not_be_made_is_not_kept() {
        let shared = Shared::from(1);
        assert!(shared.answer(Door::Core, |_| Err(Error::TooLarge)).is_err());
        assert_eq!(shared.answer(Door::Core, |_| Ok(Bytes::from_static(b"1"))).unwrap(), "1");
    }
}
