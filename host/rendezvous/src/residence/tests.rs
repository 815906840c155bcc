//! Who is in memory, and who leaves first.

use super::*;

/// A residence whose owner does at once what it is told, in a world where a model of number `n`
/// takes `n % 1000` bytes.
struct Owner {
    residence: Residence,
    now: Time,
    used: BTreeMap<u64, Time>,
    busy: Vec<u64>,
    grown_bytes: u64,
    /// What was done: `+7` loaded, `-7` evicted, `!7` refused.
    said: Vec<String>,
    most_bytes: u64,
}

impl Owner {
    fn new(bytes: u64) -> Self {
        Self::with(ResidenceLimits {
            bytes,
            sessions: 1_000,
            stay: Duration::ZERO,
            idle: None,
            loads: 2,
            waiting: 3,
        })
    }

    fn with(limits: ResidenceLimits) -> Self {
        Self {
            residence: Residence::new(limits),
            now: Time::from_us(1_000_000),
            used: BTreeMap::new(),
            busy: Vec::new(),
            grown_bytes: 0,
            said: Vec::new(),
            most_bytes: 0,
        }
    }

    fn room(&self, who: u64) -> Room {
        Room { bytes: who % 1_000 + self.grown_bytes, sessions: 1 }
    }

    fn turn(&mut self) {
        let (used, busy, grown) = (self.used.clone(), self.busy.clone(), self.grown_bytes);
        self.residence.handle_timeout(self.now, |who| Sight {
            used: used[&who],
            busy: busy.contains(&who),
            bytes: who % 1_000 + grown,
        });
        self.most_bytes = self.most_bytes.max(self.residence.taken().bytes);
    }

    /// Everybody is wanted at once, and everything is done until nothing is to be done.
    fn want(&mut self, all: &[u64]) {
        for who in all {
            self.used.insert(*who, self.now);
            let room = self.room(*who);
            self.residence.handle_wanted(*who, room);
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.turn();
        while let Some(step) = self.residence.poll_step() {
            match step {
                Step::Load(who) => {
                    let room = self.room(who);
                    let stays = self.residence.handle_loaded(self.now, who, room);
                    self.said.push(format!("{}{who}", if stays { '+' } else { '?' }));
                }
                Step::Evict(who) => {
                    self.residence.handle_gone(who);
                    self.said.push(format!("-{who}"));
                }
                Step::Refuse(who) => self.said.push(format!("!{who}")),
            }
            self.turn();
        }
    }

    fn use_at(&mut self, seconds: u64, who: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.used.insert(who, self.now);
    }

    fn said(&mut self) -> String {
        std::mem::take(&mut self.said).join(" ")
    }
}

#[test]
fn whoever_was_used_longest_ago_makes_room() {
    let mut owner = Owner::new(30);
    for who in [10, 1_010, 2_010] {
        owner.want(&[who]);
        owner.use_at(1, who);
    }
    owner.use_at(1, 10);
    assert_eq!(owner.said(), "+10 +1010 +2010");
    owner.want(&[3_010]);
    assert_eq!(owner.said(), "-1010 +3010");
    owner.use_at(1, 3_010);
    owner.want(&[1_010, 3_010]);
    assert_eq!(owner.said(), "-2010 +1010");
    assert_eq!((owner.residence.residents(), owner.residence.taken().bytes), (3, 30));
    assert_eq!(owner.most_bytes, 30);
}

#[test]
fn a_large_one_takes_the_place_of_several() {
    let mut owner = Owner::new(30);
    owner.want(&[10, 1_010, 2_010]);
    owner.said();
    owner.want(&[25]);
    assert_eq!(owner.said(), "-10 -1010 -2010 +25");
    assert!(owner.most_bytes <= 30);
}

#[test]
fn what_can_never_fit_does_not_stay_and_costs_nobody_a_place_twice() {
    let mut owner = Owner::new(30);
    owner.want(&[31]);
    assert_eq!(owner.said(), "?31");
    assert_eq!(owner.residence.taken(), Room::default());
}

#[test]
fn the_busy_and_the_young_stay_and_the_load_waits_for_them() {
    let stay = Duration::from_millis(100);
    let limits = ResidenceLimits { stay, ..Owner::new(20).residence.limits };
    let mut owner = Owner::with(limits);
    owner.want(&[10, 1_010]);
    assert_eq!(owner.said(), "+10 +1010");
    owner.want(&[2_010]);
    assert_eq!(owner.said(), "");
    assert_eq!(owner.residence.poll_timeout(), Some(owner.now + stay));
    owner.now = owner.now + stay;
    owner.busy = vec![10];
    owner.settle();
    assert_eq!(owner.said(), "-1010 +2010");
    owner.busy = vec![10, 2_010];
    owner.want(&[3_010]);
    assert_eq!(owner.said(), "");
    assert_eq!(owner.residence.poll_timeout(), Some(owner.now + BUSY_AGAIN));
}

#[test]
fn whoever_is_used_all_the_time_does_not_make_room_for_the_young() {
    let stay = Duration::from_millis(100);
    let limits = ResidenceLimits { stay, ..Owner::new(30).residence.limits };
    let mut owner = Owner::with(limits);
    owner.want(&[10]);
    owner.use_at(60, 10);
    owner.want(&[1_010, 2_010]);
    owner.used.insert(10, owner.now + Duration::from_millis(1));
    owner.want(&[3_010]);
    assert_eq!(owner.said(), "+10 +1010 +2010");
    owner.now = owner.now + stay;
    owner.used.insert(10, owner.now);
    owner.settle();
    assert_eq!(owner.said(), "-1010 +3010");
}

#[test]
fn only_so_many_wait_and_only_so_many_are_loaded_at_once() {
    let mut residence = Owner::new(100).residence;
    let room = Room { bytes: 1, sessions: 1 };
    for who in [1, 2, 3, 4, 1] {
        residence.handle_wanted(who, room);
    }
    let look = |_| unreachable!();
    residence.handle_timeout(Time::EPOCH, look);
    let steps = |residence: &mut Residence| {
        std::iter::from_fn(|| residence.poll_step()).collect::<Vec<_>>()
    };
    assert_eq!(steps(&mut residence), [Step::Refuse(4), Step::Load(1), Step::Load(2)]);
    assert_eq!(residence.wanted(), 3);
    residence.handle_failed(1);
    residence.handle_timeout(Time::EPOCH, look);
    assert_eq!(steps(&mut residence), [Step::Load(3)]);
}

#[test]
fn sessions_are_counted_like_bytes() {
    let limits = ResidenceLimits { sessions: 2, ..Owner::new(1_000).residence.limits };
    let mut owner = Owner::with(limits);
    owner.want(&[1, 2]);
    owner.use_at(1, 1);
    owner.want(&[3]);
    assert_eq!(owner.said(), "+1 +2 -2 +3");
}

#[test]
fn who_grows_drives_others_out_and_who_idles_goes() {
    let idle = Some(Duration::from_secs(60));
    let limits = ResidenceLimits { idle, ..Owner::new(30).residence.limits };
    let mut owner = Owner::with(limits);
    owner.want(&[10, 1_010]);
    owner.use_at(1, 10);
    owner.grown_bytes = 8;
    owner.settle();
    assert_eq!(owner.said(), "+10 +1010 -1010");
    owner.now = owner.now + Duration::from_secs(60);
    owner.settle();
    assert_eq!(owner.said(), "-10");
    assert_eq!(owner.residence.poll_timeout(), None);
}

#[test]
fn who_leaves_is_loaded_again_only_when_it_has_gone() {
    let mut owner = Owner::new(10);
    owner.want(&[10]);
    assert!(owner.residence.handle_dropped(10));
    assert!(!owner.residence.handle_dropped(10));
    owner.want(&[10]);
    assert_eq!(owner.said(), "+10");
    owner.residence.handle_gone(10);
    owner.settle();
    assert_eq!(owner.said(), "+10");
    assert_eq!(owner.most_bytes, 10);
}
