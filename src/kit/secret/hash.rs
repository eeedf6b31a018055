//! Hashes by a secret of the process.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::OnceLock;

static KEY: OnceLock<RandomState> = OnceLock::new();

/// A place in an order of this process, in which a caller that chooses the bits cannot choose the place.
pub(crate) fn secret_order(bits: u128) -> u64 {
    KEY.get_or_init(RandomState::new).hash_one(bits)
}

/// 16 hexadecimal digits that are the same for the same text in this process.
///
/// The hash is keyed by secret random bits of the process, so that short values cannot be guessed from it.
#[cfg(any(feature = "tower", test))]
pub(crate) fn hashed(text: &str) -> String {
    format!("{:016x}", KEY.get_or_init(RandomState::new).hash_one(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_the_same_hash_and_other_text_another() {
        assert_eq!(hashed("alice"), hashed("alice"));
        assert_ne!(hashed("alice"), hashed("bob"));
        assert!(hashed("").len() == 16 && !hashed("alice").contains("alice"));
    }
}
