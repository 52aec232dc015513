//! The bound on requests that wait for changes and on streams of changes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::request::error::{DirectoryError, Error, Result};
use crate::metric_names;

/// The places for those who follow the feed of changes.
#[derive(Clone, Debug)]
pub struct Followers(Arc<Semaphore>);

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Followers {
    /// So many free places.
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Takes a place. Fails with `Unavailable` if none is free.
    pub(crate) fn admit(&self) -> Result<Place> {
        let full = |_| Error::Directory(DirectoryError::Unavailable("too many follow the feed".to_owned()));
        let permit = Arc::clone(&self.0).try_acquire_owned().map_err(full)?;
        metrics::gauge!(metric_names::FOLLOWERS).increment(1.0);
        Ok(Place { _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!(metric_names::FOLLOWERS).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let followers = Followers::new(1);
        let place = followers.admit().unwrap();
        assert!(matches!(followers.admit(), Err(Error::Directory(DirectoryError::Unavailable(_)))));
        drop(place);
        assert!(followers.admit().is_ok());
    }
}
