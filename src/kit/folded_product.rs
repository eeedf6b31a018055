//! A mix of two words.

/// The two halves of a product, put upon each other: a quick mix of words, alike in all versions.
#[inline]
pub(crate) const fn folded_product(one: u64, other: u64) -> u64 {
    let product = (one as u128) * (other as u128);
    product as u64 ^ (product >> 64) as u64
}
