//! Clocks and random numbers that depend on the request alone.

use message::Request;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Duration, Instant};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::{self, Datetime};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::MachineView;

/// The machine that the guest believes to run on.
#[derive(Debug, Default)]
pub(super) struct Machine {
    time_us: u64,
    monotonic_ns: u64,
    random: SplitMix,
}

impl Machine {
    /// The machine at the time of a request.
    pub(super) fn new(request: &Request) -> Self {
        let random = SplitMix(seed(request.id.as_str()));
        Self { time_us: request.time.as_us(), monotonic_ns: 0, random }
    }
}

impl wall_clock::Host for MachineView<'_> {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        let nanoseconds = u32::try_from(self.machine.time_us % 1_000_000).unwrap_or(0) * 1000;
        Ok(Datetime { seconds: self.machine.time_us / 1_000_000, nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        Ok(Datetime { seconds: 0, nanoseconds: 1000 })
    }
}

/// How far each look at the monotonic clock advances it.
const STEP_NS: u64 = 1000;

impl monotonic_clock::Host for MachineView<'_> {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        self.machine.monotonic_ns = self.machine.monotonic_ns.saturating_add(STEP_NS);
        Ok(self.machine.monotonic_ns)
    }

    fn resolution(&mut self) -> wasmtime::Result<Instant> {
        Ok(STEP_NS)
    }

    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        self.machine.monotonic_ns = self.machine.monotonic_ns.max(when);
        let over = self.table.push(Over)?;
        subscribe(self.table, over)
    }

    fn subscribe_duration(&mut self, wait: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_instant(self.machine.monotonic_ns.saturating_add(wait))
    }
}

/// A wait that is over.
struct Over;

#[wasmtime_wasi::async_trait]
impl Pollable for Over {
    async fn ready(&mut self) {}
}

/// The most random bytes that one call may ask for.
const RANDOM_BYTES_LIMIT: u64 = 64 << 10;

impl MachineView<'_> {
    fn bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        if length > RANDOM_BYTES_LIMIT {
            wasmtime::bail!(
                "asked for {length} random bytes, expected at most {RANDOM_BYTES_LIMIT}"
            );
        }
        let random = &mut self.machine.random;
        let words = std::iter::repeat_with(|| random.next().to_le_bytes());
        Ok(words.flatten().take(usize::try_from(length)?).collect())
    }
}

impl random::Host for MachineView<'_> {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.machine.random.next())
    }
}

impl insecure::Host for MachineView<'_> {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.machine.random.next())
    }
}

impl insecure_seed::Host for MachineView<'_> {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.machine.random.next(), self.machine.random.next()))
    }
}

/// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Debug, Default)]
struct SplitMix(u64);

impl SplitMix {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

/// FNV-1a of a text.
fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix(1_234_567);
        let words =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next(), random.next(), random.next()], words);
    }

    #[test]
    fn requests_differ_in_their_random_numbers_and_repeat_their_own() {
        assert_eq!(seed("a"), seed("a"));
        assert_ne!(SplitMix(seed("a")).next(), SplitMix(seed("b")).next());
    }
}
