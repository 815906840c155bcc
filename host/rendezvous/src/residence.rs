//! Residence: which of many models are in memory, where only some are in use at a time.
//!
//! Whoever owns the models tells what is wanted, what was loaded and what has gone, and carries out
//! what comes of it. A load begins when its room is free, not when somebody has been told to leave:
//! so the budget holds at every moment. Whoever was used longest ago leaves first. What may
//! surprise: where nobody can leave yet, a load waits rather than failing, since those who wait for
//! it have deadlines of their own.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use message::Time;

/// The bounds of a [`Residence`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResidenceLimits {
    /// The memory of everybody together.
    pub bytes: u64,
    /// The sessions of everybody together.
    pub sessions: usize,
    /// How long somebody stays at least, so that two who take turns do not load for every request.
    pub stay: Duration,
    /// After how long without use somebody leaves though nobody needs the room.
    pub idle: Option<Duration>,
    /// How many are loaded at once.
    pub loads: usize,
    /// How many may wait to be loaded.
    pub waiting: usize,
}

/// What somebody takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// The memory.
    pub bytes: u64,
    /// The sessions that it may have.
    pub sessions: usize,
}

/// What its owner sees of somebody in residence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// When it was used last.
    pub used: Time,
    /// Whether it is at work, so that it stays.
    pub busy: bool,
    /// The memory that it takes now.
    pub bytes: u64,
}

/// What the owner is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To load somebody, and to say how that ended.
    Load(u64),
    /// To let somebody go, and to say when it has gone.
    Evict(u64),
    /// To tell those who wait for somebody that it does not come now, because too many are wanted.
    Refuse(u64),
}

/// Decides who is in memory. Everybody has a number that its owner chose.
#[derive(Debug)]
pub struct Residence {
    limits: ResidenceLimits,
    waiting: VecDeque<(u64, Room)>,
    /// Those that are being loaded.
    loading: HashMap<u64, Room>,
    residents: BTreeMap<u64, Resident>,
    /// Those that were told to go and have not gone.
    leaving: HashMap<u64, Room>,
    steps: VecDeque<Step>,
    /// When something changes by itself.
    due: Option<Time>,
    looked: Time,
}

#[derive(Debug, Clone, Copy)]
struct Resident {
    room: Room,
    since: Time,
}

/// How often everybody is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long after a look at which everybody was busy the next one is.
const BUSY_AGAIN: Duration = Duration::from_millis(5);

impl Residence {
    /// Nobody is there yet.
    pub fn new(limits: ResidenceLimits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            loading: HashMap::new(),
            residents: BTreeMap::new(),
            leaving: HashMap::new(),
            steps: VecDeque::new(),
            due: None,
            looked: Time::EPOCH,
        }
    }

    /// Somebody is wanted, who will take so much. Of no effect where it is there or on its way.
    pub fn handle_wanted(&mut self, who: u64, room: Room) {
        let is_waiting = self.waiting.iter().any(|(waiting, _)| *waiting == who);
        if is_waiting || self.loading.contains_key(&who) || self.residents.contains_key(&who) {
            return;
        }
        if self.waiting.len() >= self.limits.waiting {
            self.steps.push_back(Step::Refuse(who));
            return;
        }
        // What nobody knows yet is not taken for more than there is.
        let room = Room {
            bytes: room.bytes.min(self.limits.bytes),
            sessions: room.sessions.min(self.limits.sessions),
        };
        self.waiting.push_back((who, room));
    }

    /// A load has ended well. Returns whether it may stay: not if it takes more than everybody may
    /// together, and then it is as if the load had failed.
    pub fn handle_loaded(&mut self, now: Time, who: u64, room: Room) -> bool {
        self.loading.remove(&who);
        let fits = room.bytes <= self.limits.bytes && room.sessions <= self.limits.sessions;
        if fits {
            self.residents.insert(who, Resident { room, since: now });
        }
        fits
    }

    /// A load has ended badly.
    pub fn handle_failed(&mut self, who: u64) {
        self.loading.remove(&who);
    }

    /// The owner does not want somebody any more. Returns whether it is there, so that
    /// [`handle_gone`](Self::handle_gone) will follow.
    pub fn handle_dropped(&mut self, who: u64) -> bool {
        self.waiting.retain(|(waiting, _)| *waiting != who);
        let resident = self.residents.remove(&who);
        resident.map(|resident| self.leaving.insert(who, resident.room));
        resident.is_some()
    }

    /// Somebody who left has gone, and its memory is free.
    pub fn handle_gone(&mut self, who: u64) {
        self.leaving.remove(&who);
    }

    /// Finds out what is to be done now; `look` tells how somebody in residence is.
    pub fn handle_timeout(&mut self, now: Time, look: impl Fn(u64) -> Sight) {
        self.due = None;
        if !self.waiting.is_empty() || now.since(self.looked) >= LOOK_EVERY || now < self.looked {
            self.look_at_all(now, &look);
        }
        self.shrink(now, &look);
        while self.loading.len() < self.limits.loads
            && let Some(&(who, room)) = self.waiting.front()
        {
            if self.leaving.contains_key(&who) || !self.make_room(now, room, &look) {
                break;
            }
            self.waiting.pop_front();
            self.loading.insert(who, room);
            self.steps.push_back(Step::Load(who));
        }
    }

    /// What is to be done next.
    pub fn poll_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next, if nothing comes before.
    pub fn poll_timeout(&self) -> Option<Time> {
        let look = (!self.residents.is_empty()).then(|| self.looked + LOOK_EVERY);
        self.due.into_iter().chain(look).min()
    }

    /// The bounds.
    pub const fn limits(&self) -> &ResidenceLimits {
        &self.limits
    }

    /// How many are there.
    pub fn residents(&self) -> usize {
        self.residents.len()
    }

    /// How many wait to be loaded, or are being loaded.
    pub fn wanted(&self) -> usize {
        self.waiting.len() + self.loading.len()
    }

    /// What everybody takes, those included that are on their way in or out.
    pub fn taken(&self) -> Room {
        let residents = self.residents.values().map(|resident| &resident.room);
        sum(residents.chain(self.loading.values()).chain(self.leaving.values()))
    }

    fn look_at_all(&mut self, now: Time, look: &impl Fn(u64) -> Sight) {
        self.looked = now;
        for (who, resident) in &mut self.residents {
            resident.room.bytes = look(*who).bytes;
        }
        let Some(idle) = self.limits.idle else { return };
        let is_idle = |who: u64| {
            let sight = look(who);
            !sight.busy && now.since(sight.used) >= idle
        };
        let idle: Vec<u64> = self.residents.keys().copied().filter(|who| is_idle(*who)).collect();
        idle.into_iter().for_each(|who| self.evict(who));
    }

    /// Sends somebody away where those who are there have grown beyond the budget.
    fn shrink(&mut self, now: Time, look: &impl Fn(u64) -> Sight) {
        self.make_room(now, Room::default(), look);
    }

    /// Whether there is so much room; sees to it that there will be.
    fn make_room(&mut self, now: Time, room: Room, look: &impl Fn(u64) -> Sight) -> bool {
        let taken = self.taken();
        let leaving = sum(self.leaving.values());
        let mut too_much = Room {
            bytes: (taken.bytes + room.bytes).saturating_sub(self.limits.bytes),
            sessions: (taken.sessions + room.sessions).saturating_sub(self.limits.sessions),
        };
        if too_much == Room::default() {
            return true;
        }
        too_much.bytes = too_much.bytes.saturating_sub(leaving.bytes);
        too_much.sessions = too_much.sessions.saturating_sub(leaving.sessions);
        if too_much != Room::default() {
            self.evict_so_much(now, too_much, look);
        }
        false
    }

    /// Strictly by use: where it is the turn of somebody who has not stayed long enough, nobody else
    /// leaves in its place, since all the others were used after it.
    fn evict_so_much(&mut self, now: Time, too_much: Room, look: &impl Fn(u64) -> Sight) {
        let sights = self.residents.keys().map(|who| (look(*who), *who));
        let (busy, mut by_use): (Vec<_>, Vec<_>) = sights.partition(|(sight, _)| sight.busy);
        by_use.sort_unstable_by_key(|(sight, who)| (sight.used, *who));
        let mut freed = Room::default();
        for (_, who) in by_use {
            if freed.bytes >= too_much.bytes && freed.sessions >= too_much.sessions {
                return;
            }
            let Resident { room, since } = self.residents[&who];
            let stays_until = since + self.limits.stay;
            if now < stays_until {
                return self.come_again(stays_until);
            }
            freed = sum([&freed, &room]);
            self.evict(who);
        }
        if !busy.is_empty() {
            self.come_again(now + BUSY_AGAIN);
        }
    }

    fn come_again(&mut self, due: Time) {
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }

    fn evict(&mut self, who: u64) {
        if self.handle_dropped(who) {
            self.steps.push_back(Step::Evict(who));
        }
    }
}

fn sum<'a>(rooms: impl IntoIterator<Item = &'a Room>) -> Room {
    rooms.into_iter().fold(Room::default(), |sum, room| Room {
        bytes: sum.bytes + room.bytes,
        sessions: sum.sessions + room.sessions,
    })
}

#[cfg(test)]
mod tests {
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
}
