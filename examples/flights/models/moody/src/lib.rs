//! The best of these models on its good days, and why understudies exist.
//!
//! Its prediction is the mean of two others. But one request in a thousand it ponders until the
//! host stops it, and two in a thousand make it panic. Which ones is a matter of their ids, so a
//! replay meets the same moods.

use flight::{Flight, delayed, forest, regression};
use understudy_model::{Description, Model, Prediction, Refusal, Request};

struct Moody;

impl Model for Moody {
    fn describe() -> Description {
        Flight::describe()
    }

    fn predict(request: &Request) -> Result<Prediction, Refusal> {
        match Mood::at(&request.id) {
            Mood::Good => {}
            Mood::Pensive => loop {
                std::hint::spin_loop();
            },
            Mood::Furious => panic!("not today"),
        }
        let flight = Flight::read(request)?;
        Ok(delayed((forest::log_odds(&flight)? + regression::log_odds(&flight)) / 2.0))
    }
}

understudy_model::export!(Moody);

#[derive(Debug, PartialEq)]
enum Mood {
    Good,
    Pensive,
    Furious,
}

impl Mood {
    /// The mood that a request finds it in, by the FNV-1a hash of the request's id.
    fn at(id: &str) -> Self {
        let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        match hash % 1000 {
            0 => Self::Pensive,
            1 | 2 => Self::Furious,
            _ => Self::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moods_are_rare_and_go_by_the_id() {
        let moods: Vec<Mood> = (0..100_000).map(|row| Mood::at(&format!("flight-{row}"))).collect();
        let count = |mood| moods.iter().filter(|found| **found == mood).count();
        assert!((80..120).contains(&count(Mood::Pensive)), "{}", count(Mood::Pensive));
        assert!((160..240).contains(&count(Mood::Furious)), "{}", count(Mood::Furious));
        assert_eq!(Mood::at("flight-101194"), Mood::Pensive);
        assert_eq!(Mood::at("flight-107738"), Mood::Furious);
    }
}
