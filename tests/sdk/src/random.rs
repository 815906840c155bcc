//! Randomness that is the same each time: splitmix64, seeded with a text.

/// How long a text or a string of bytes is at most, in characters or bytes.
const LENGTH_MAX: u64 = 6;

/// A source of random elements.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: &str) -> Self {
        // FNV-1a.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// A number from -1 up to 1.
    pub(crate) fn between_ones(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// A text of any characters; short ones of UTF-8 are as likely as long ones.
    pub(crate) fn text(&mut self) -> String {
        let length = self.bits() % (LENGTH_MAX + 1);
        (0..length).map(|_| self.character()).collect()
    }

    pub(crate) fn blob(&mut self) -> Vec<u8> {
        let length = self.bits() % (LENGTH_MAX + 1);
        (0..length).map(|_| self.bits() as u8).collect()
    }

    fn character(&mut self) -> char {
        let bits = self.bits();
        let below = [0x80, 0x800, 0x1_0000, 0x11_0000][(bits >> 32) as usize % 4];
        // Surrogates are no characters.
        char::from_u32(bits as u32 % below).unwrap_or('\u{fffd}')
    }
}
