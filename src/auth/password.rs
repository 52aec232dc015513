//! Password and secret hashes: argon2id in PHC strings, as many at a time as there are cores.

use std::sync::Arc;
use std::time::Duration;

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version, password_hash,
};
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::domain::error::{Error, Result};
use crate::domain::user::{PASSWORD_CHARS, Secret};

/// OWASP's parameters: 19 MiB of memory, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// The longest wait for a free core.
const WAIT: Duration = Duration::from_secs(2);
/// A hash of nothing in particular, made with the parameters above: what is verified where there is no hash, so
/// that the answer takes as long as any other.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cm9sbGJvb2sgZHVtbXk$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Hashes and verifies on threads of their own, and keeps more than one hash a core from being made at once.
pub struct Passwords {
    cores: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cores: Arc::new(Semaphore::new(cores)) }
    }
}

impl Passwords {
    /// The hash of a new secret, as a PHC string with a random salt. Fails with `InsecurePassword` over 128
    /// characters and with `Unavailable` where no core was free within two seconds.
    pub async fn hash(&self, secret: &Secret) -> Result<String> {
        if is_over_long(secret) {
            return Err(Error::InsecurePassword);
        }
        let secret = secret.clone();
        self.on_a_core(move || {
            let hash = argon2()?.hash_password(secret.expose_secret().as_bytes()).map_err(Error::internal)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the secret is the one that was hashed. Where there is no hash, or the secret has over 128 characters
    /// (so that it is nobody's), the answer is `false` in the same time. Fails with `Unavailable` where no core was
    /// free within two seconds, and with `Internal` where the hash is none.
    pub async fn verify(&self, secret: &Secret, hash: Option<&str>) -> Result<bool> {
        let (secret, hash) = if is_over_long(secret) { (Secret::from(""), None) } else { (secret.clone(), hash) };
        let (known, hash) = (hash.is_some(), hash.unwrap_or(DUMMY).to_owned());
        self.on_a_core(move || {
            let hash = PasswordHash::new(&hash).map_err(Error::internal)?;
            match argon2()?.verify_password(secret.expose_secret().as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(Error::internal(error)),
            }
        })
        .await
    }

    /// The permit goes with the work, so that a request given up does not let another start beside it.
    async fn on_a_core<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permit = match timeout(WAIT, Arc::clone(&self.cores).acquire_owned()).await {
            Ok(permit) => permit.map_err(Error::internal)?,
            Err(_) => return Err(Error::Unavailable("too many sign-ins at once".to_owned())),
        };
        let done = spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(Error::internal)?
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn is_over_long(secret: &Secret) -> bool {
    secret.expose_secret().chars().count() > *PASSWORD_CHARS.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_secret_matches() {
        let passwords = Passwords::default();
        let secret = Secret::from("Passw0rd!!x");
        let hash = passwords.hash(&secret).await.unwrap();
        assert_ne!(hash, passwords.hash(&secret).await.unwrap(), "salted");
        assert!(passwords.verify(&secret, Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&Secret::from("passw0rd!!x"), Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&Secret::from(""), Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&secret, None).await.unwrap());
    }

    #[tokio::test]
    async fn over_long_secrets_are_nobodys() {
        let passwords = Passwords::default();
        let (longest, longer) = (Secret::from("é".repeat(128)), Secret::from("é".repeat(129)));
        let hash = passwords.hash(&longest).await.unwrap();
        assert!(passwords.verify(&longest, Some(&hash)).await.unwrap());
        assert!(matches!(passwords.hash(&longer).await, Err(Error::InsecurePassword)));
        assert!(!passwords.verify(&longer, Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn the_dummy_costs_what_a_hash_costs() {
        let made = Passwords::default().hash(&Secret::from("x")).await.unwrap();
        let cost = |hash: &str| {
            let hash = PasswordHash::new(hash).unwrap();
            (hash.algorithm.to_string(), hash.version, hash.params.to_string(), hash.hash.unwrap().len())
        };
        assert_eq!(cost(DUMMY), cost(&made));
    }

    #[tokio::test]
    async fn a_broken_hash_is_a_defect() {
        let verified = Passwords::default().verify(&Secret::from("x"), Some("plain text")).await;
        assert!(matches!(verified, Err(Error::Internal(_))));
    }
}
