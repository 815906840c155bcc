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
mod tests;
