//! An entity in memory. All requests for it share one value until the entity changes.

use std::any::Any;
use std::ops::Deref;
use std::sync::OnceLock;

/// An entity as the store read it, with one value that a higher layer derives from it, for example a rendered response.
/// The value is immutable: if the entity changes, a new `CachedEntity` replaces this one and the derived value is
/// dropped with it.
#[derive(Debug)]
pub struct CachedEntity<T> {
    entity: T,
    derived: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl<T> CachedEntity<T> {
    /// Returns the derived value: a default one at the first call, the same one at every later call. Returns `None` if
    /// an earlier call requested a value of another type.
    pub fn derived<D: Any + Default + Send + Sync>(&self) -> Option<&D> {
        self.derived.get_or_init(|| Box::new(D::default())).downcast_ref()
    }
}

impl<T> From<T> for CachedEntity<T> {
    fn from(entity: T) -> Self {
        Self { entity, derived: OnceLock::new() }
    }
}

impl<T> Deref for CachedEntity<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.entity
    }
}

impl<T: PartialEq> PartialEq for CachedEntity<T> {
    fn eq(&self, other: &Self) -> bool {
        self.entity == other.entity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_derived() {
        let shared = CachedEntity::from("entity");
        let derived = shared.derived::<OnceLock<usize>>().unwrap();
        assert_eq!(*derived.get_or_init(|| shared.len()), 6);
        assert_eq!(shared.derived::<OnceLock<usize>>().unwrap().get(), Some(&6));
        assert!(shared.derived::<OnceLock<u8>>().is_none());
    }
}
