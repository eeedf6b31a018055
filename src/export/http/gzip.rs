//! The compression of requests.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

pub(super) fn compressed(body: &[u8]) -> Vec<u8> {
    // Spans are repetitive: a fifth is what mostly remains.
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing into a Vec cannot fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}
