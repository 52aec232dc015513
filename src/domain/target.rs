//! The target of a change: an existing entity or a new one.

/// The entity that a change applies to, with keys of type `K`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<K> {
    /// A new entity: the store looks nothing up.
    New,
    /// The entity with this key, if one exists.
    Key(K),
}

impl<K> Target<K> {
    /// The key to look up; `None` for a new entity.
    pub fn key(&self) -> Option<&K> {
        match self {
            Self::New => None,
            Self::Key(key) => Some(key),
        }
    }
}

impl<K> From<K> for Target<K> {
    fn from(key: K) -> Self {
        Self::Key(key)
    }
}
