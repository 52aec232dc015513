//! Hashes of passwords and secrets: Argon2id as PHC strings.

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
use crate::domain::user::{PASSWORD_CHARS, Secret, normalize_secret};

// The parameters that OWASP recommends: 19 MiB of memory, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How long a request waits for a free core.
const CORE_TIMEOUT: Duration = Duration::from_secs(2);
/// A hash with the same parameters, to verify against if the user or client has none, so that the response takes the
/// same time.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cm9sbGJvb2sgZHVtbXk$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Hashes and verifies secrets on blocking threads, at most one at a time per core. Secrets are normalized (NFKC)
/// first.
pub(crate) struct Passwords {
    cores: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cores: Arc::new(Semaphore::new(cores)) }
    }
}

impl Passwords {
    /// Returns the hash of a new secret, as a PHC string with a random salt. Fails with `InsecurePassword` if the
    /// secret has more than 128 characters, and with `Unavailable` if no core becomes free within two seconds.
    pub(crate) async fn hash(&self, secret: &Secret) -> Result<String> {
        let secret = normalize_secret(secret.expose_secret());
        if is_too_long(&secret) {
            return Err(Error::InsecurePassword);
        }
        self.run_on_free_core(move || {
            let hash = argon2()?.hash_password(secret.expose_secret().as_bytes()).map_err(Error::internal)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the hash is that of the secret. Without a hash, or if the secret has more than 128 characters (which
    /// nobody's secret has), it returns `false` after the same time. Fails with `Unavailable` if no core becomes free
    /// within two seconds, and with `Internal` if the hash is malformed.
    pub(crate) async fn verify(&self, secret: &Secret, hash: Option<&str>) -> Result<bool> {
        let secret = normalize_secret(secret.expose_secret());
        let (secret, hash) = if is_too_long(&secret) { (Secret::from(""), None) } else { (secret, hash) };
        let (has_hash, hash) = (hash.is_some(), hash.unwrap_or(DUMMY_HASH).to_owned());
        self.run_on_free_core(move || {
            let hash = PasswordHash::new(&hash).map_err(Error::internal)?;
            match argon2()?.verify_password(secret.expose_secret().as_bytes(), &hash) {
                Ok(()) => Ok(has_hash),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(Error::internal(error)),
            }
        })
        .await
    }

    /// Runs `work` on a blocking thread once a core is free. The work itself holds the core's permit: if the request is
    /// cancelled, the work continues, and the core stays taken until it ends.
    async fn run_on_free_core<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = match timeout(CORE_TIMEOUT, Arc::clone(&self.cores).acquire_owned()).await {
            Ok(permit) => permit.map_err(Error::internal)?,
            Err(_) => return Err(Error::Unavailable("too many sign-ins at once".to_owned())),
        };
        let result = spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        result.await.map_err(Error::internal)?
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn is_too_long(secret: &Secret) -> bool {
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
    async fn another_encoding_of_the_same_text_matches() {
        let passwords = Passwords::default();
        let hash = passwords.hash(&Secret::from("Caf\u{e9}-Passw0rd")).await.unwrap();
        assert!(passwords.verify(&Secret::from("Cafe\u{301}-Passw0rd"), Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&Secret::from("Cafe-Passw0rd"), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn too_long_secrets_never_match() {
        let passwords = Passwords::default();
        let (longest, longer) = (Secret::from("é".repeat(128)), Secret::from("é".repeat(129)));
        let hash = passwords.hash(&longest).await.unwrap();
        assert!(passwords.verify(&longest, Some(&hash)).await.unwrap());
        assert!(matches!(passwords.hash(&longer).await, Err(Error::InsecurePassword)));
        assert!(!passwords.verify(&longer, Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn the_dummy_hash_costs_what_a_hash_costs() {
        let generated = Passwords::default().hash(&Secret::from("x")).await.unwrap();
        let cost = |hash: &str| {
            let hash = PasswordHash::new(hash).unwrap();
            (hash.algorithm.to_string(), hash.version, hash.params.to_string(), hash.hash.unwrap().len())
        };
        assert_eq!(cost(DUMMY_HASH), cost(&generated));
    }

    #[tokio::test]
    async fn a_malformed_hash_is_an_internal_error() {
        let verified = Passwords::default().verify(&Secret::from("x"), Some("plain text")).await;
        assert!(matches!(verified, Err(Error::Internal(_))));
    }
}
