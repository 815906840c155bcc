//! Time that never runs backwards.
//!
//! The caller's clock may. If it is put back, everything would wait for it to catch up, and if it was
//! put forward before, every new request would look expired meanwhile. So a step back is taken as no
//! time at all, and from there time goes on at the pace of the caller's clock. A step forward cannot
//! be told from a long pause and is believed.

use std::time::Duration;

use message::Time;

/// The caller's clock, with the steps back taken out of it.
#[derive(Debug, Default)]
pub(crate) struct SteadyClock {
    /// What the caller's clock showed last.
    shown: Time,
    /// By how much it was put back in total.
    put_back: Duration,
}

impl SteadyClock {
    /// Takes note of what the caller's clock shows, and returns the steady time.
    pub(crate) fn advance(&mut self, shown: Time) -> Time {
        self.put_back = self.put_back.saturating_add(self.shown.since(shown));
        self.shown = shown;
        self.steady(shown)
    }

    /// What the caller's clock showed last.
    pub(crate) const fn shown(&self) -> Time {
        self.shown
    }

    /// Forgets what the clock showed. Only while nobody keeps a steady time.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The steady time of what the caller's clock shows or would show.
    pub(crate) fn steady(&self, shown: Time) -> Time {
        shown + self.put_back
    }

    /// What the caller's clock will show at a steady time, if it is not put back again.
    pub(crate) fn show(&self, steady: Time) -> Time {
        steady - self.put_back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_takes_no_time_and_then_time_goes_on() {
        let mut clock = SteadyClock::default();
        let mut at = |us| clock.advance(Time::from_us(us)).as_us();
        assert_eq!(
            [at(100), at(150), at(40), at(60), at(59), at(70)],
            [100, 150, 150, 170, 170, 181]
        );
        assert_eq!(clock.show(Time::from_us(191)), Time::from_us(80));
        assert_eq!(clock.steady(Time::from_us(80)), Time::from_us(191));
        clock.forget();
        assert_eq!(clock.advance(Time::from_us(7)), Time::from_us(7));
    }

    #[test]
    fn absurd_times_saturate() {
        let mut clock = SteadyClock::default();
        for _ in 0..4 {
            clock.advance(Time::NEVER);
            clock.advance(Time::EPOCH);
        }
        assert_eq!(clock.advance(Time::from_us(1)), Time::NEVER);
    }
}
