//! The state of sources in 32 digits.

use crate::pins::Pins;

/// 128 bits of FNV-1a: the same on every machine and in every release.
///
/// Source: Fowler, Noll, Vo; <https://datatracker.ietf.org/doc/html/rfc9923>.
pub(super) fn of(pins: &Pins) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash = OFFSET;
    let mut add = |text: &str| {
        // No name and no path has this byte, so that texts cannot run into each other.
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    };
    for (source, pin) in pins.all() {
        add(source.as_str());
        add(&pin.describe());
    }
    format!("{hash:032x}")
}
