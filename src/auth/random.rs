//! Random secrets from the operating system's generator.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;
use rand::rngs::SysRng;

use crate::domain::error::{Error, Result};

/// Returns 32 random bytes in unpadded base64url: 43 characters that need no escaping in a form, a URL or a shell.
/// Fails with `Internal` if the operating system's generator fails.
pub(crate) fn token() -> Result<String> {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The digits of base62, in ascending order.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The number of base62 digits that every number of 256 bits fits in.
pub(crate) const BASE62_LENGTH: usize = 43;

/// Returns 32 random bytes in base62, always [`BASE62_LENGTH`] digits: letters and digits alone, so that a double click
/// selects the whole text. Fails with `Internal` if the operating system's generator fails.
pub(crate) fn base62_token() -> Result<String> {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(Error::internal)?;
    Ok(base62(bytes))
}

/// The number, the most significant byte first, in base62.
fn base62(mut number: [u8; 32]) -> String {
    let mut digits = [BASE62[0]; BASE62_LENGTH];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_usize;
        for byte in &mut number {
            let dividend = remainder << 8 | usize::from(*byte);
            *byte = (dividend / BASE62.len()) as u8;
            remainder = dividend % BASE62.len();
        }
        *digit = BASE62[remainder];
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_keeps_all_bits() {
        let padded = |text: &str| format!("{text:0>BASE62_LENGTH$}");
        let small = |number: u8| {
            let mut bytes = [0; 32];
            bytes[31] = number;
            base62(bytes)
        };
        assert_eq!(small(0), padded("0"));
        assert_eq!(small(61), padded("z"));
        assert_eq!(small(255), padded("47"));
        assert_eq!(base62([255; 32]), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
        assert_ne!(base62_token().unwrap(), base62_token().unwrap());
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert_eq!(one.len(), 43);
        assert_ne!(one, other);
    }
}
