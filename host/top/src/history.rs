//! The last minutes: rates, made of the differences between what the host said then and now.
//!
//! Time is counted in ticks, one for each time that the host was asked. A tick without an answer is
//! a gap in every series, so that all of them stay in step.

use std::collections::{BTreeMap, VecDeque};

use crate::snapshot::{Answers, Endpoint, Model, Snapshot};

/// How much is kept for each series.
const KEPT_S: f64 = 15.0 * 60.0;
/// Of how many models of an endpoint the series are kept; those after them show only the present.
const MODELS_MAX: usize = 500;

/// The last values of one number, the newest at the end; a gap is not a number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series(VecDeque<f32>);

/// The last minutes of a host.
#[derive(Debug)]
pub(crate) struct History {
    capacity: usize,
    ticks: u64,
    last: Option<(f64, Snapshot)>,
    endpoints: BTreeMap<String, EndpointHistory>,
}

/// The last minutes of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct EndpointHistory {
    pub(crate) requests_s: Series,
    pub(crate) faults_s: Series,
    pub(crate) latency_ms_p50: Series,
    pub(crate) latency_ms_p99: Series,
    /// Answers per second by what they were: a model, `default`, or `nothing`.
    pub(crate) answers_s: BTreeMap<String, Series>,
    /// Answers per second by the reason for them.
    pub(crate) reasons_s: BTreeMap<String, Series>,
    pub(crate) models: BTreeMap<String, ModelHistory>,
}

/// The last minutes of a model.
#[derive(Debug, Default)]
pub(crate) struct ModelHistory {
    pub(crate) scores_s: Series,
    pub(crate) refusals_s: Series,
    pub(crate) faults_s: Series,
    pub(crate) drops_s: Series,
    /// How many processors it kept busy.
    pub(crate) cpu: Series,
    pub(crate) latency_ms_p50: Series,
    pub(crate) latency_ms_p99: Series,
    pub(crate) queued: Series,
}

impl Series {
    /// The newest value.
    pub(crate) fn last(&self) -> f64 {
        self.0.back().map_or(f64::NAN, |value| f64::from(*value))
    }

    /// The mean of the newest values that are there.
    pub(crate) fn mean(&self, ticks: usize) -> f64 {
        mean(self.0.iter().rev().take(ticks))
    }

    /// The newest value that is there, for what changes seldom.
    pub(crate) fn latest(&self) -> f64 {
        let known = self.0.iter().rev().find(|value| value.is_finite());
        known.map_or(f64::NAN, |value| f64::from(*value))
    }

    /// The newest values in so many columns, the oldest first; each is the mean of `per_column` of
    /// them. Columns begin at multiples of that number of ticks, so that none changes when it has
    /// passed.
    pub(crate) fn columns(&self, now: u64, columns: usize, per_column: usize) -> Vec<f64> {
        let per_column = per_column.max(1);
        let newest = now / per_column as u64;
        let mut sums = vec![(0.0, 0_u32); columns];
        for (age, value) in self.0.iter().rev().enumerate() {
            let Some(tick) = now.checked_sub(age as u64) else { break };
            let back = (newest - tick / per_column as u64) as usize;
            if back >= columns {
                break;
            }
            if value.is_finite() {
                let (sum, count) = &mut sums[columns - 1 - back];
                *sum += f64::from(*value);
                *count += 1;
            }
        }
        let mean = |(sum, count)| if count > 0 { sum / f64::from(count) } else { f64::NAN };
        sums.into_iter().map(mean).collect()
    }

    fn push(&mut self, value: f64, capacity: usize) {
        if self.0.len() >= capacity {
            self.0.pop_front();
        }
        self.0.push_back(value as f32);
    }

    fn is_forgotten(&self) -> bool {
        !self.0.iter().any(|value| value.is_finite())
    }
}

impl History {
    /// Nothing known yet; the host will be asked so often.
    pub(crate) fn new(every_s: f64) -> Self {
        let capacity = (KEPT_S / every_s.max(0.01)).ceil() as usize;
        Self { capacity: capacity.max(2), ticks: 0, last: None, endpoints: BTreeMap::new() }
    }

    /// How often the host was asked.
    pub(crate) const fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The last minutes of an endpoint.
    pub(crate) fn endpoint(&self, name: &str) -> Option<&EndpointHistory> {
        self.endpoints.get(name)
    }

    /// The last minutes of a model.
    pub(crate) fn model(&self, endpoint: &str, model: &str) -> Option<&ModelHistory> {
        self.endpoints.get(endpoint)?.models.get(model)
    }

    /// The host did not say anything this time.
    pub(crate) fn miss(&mut self) {
        self.ticks += 1;
        self.endpoints.values_mut().for_each(|endpoint| endpoint.miss(self.capacity));
    }

    /// The host said this, at this time in seconds.
    pub(crate) fn hear(&mut self, at_s: f64, snapshot: &Snapshot) {
        self.ticks += 1;
        let last = self.last.take();
        for endpoint in &snapshot.endpoints {
            let before = last.as_ref().and_then(|(then, last)| {
                Some(Before { elapsed_s: at_s - then, state: last.endpoint(&endpoint.name)? })
            });
            let history = self.endpoints.entry(endpoint.name.clone()).or_default();
            history.hear(endpoint, before, self.capacity);
        }
        for (name, history) in &mut self.endpoints {
            if snapshot.endpoint(name).is_none() {
                history.miss(self.capacity);
            }
        }
        self.endpoints.retain(|name, history| {
            snapshot.endpoint(name).is_some() || !history.requests_s.is_forgotten()
        });
        self.last = Some((at_s, snapshot.clone()));
    }
}

/// What the host said before, and how long ago.
struct Before<'a, T> {
    elapsed_s: f64,
    state: &'a T,
}

impl<T> Before<'_, T> {
    /// How fast a counter counts. One that is less than before counts from nothing: the host was
    /// started again.
    fn rate(&self, now: u64, counter: impl Fn(&T) -> u64) -> f64 {
        let before = counter(self.state);
        let difference = if now >= before { now - before } else { now };
        difference as f64 / self.elapsed_s.max(1e-3)
    }
}

impl EndpointHistory {
    /// What was the answer over the newest ticks, as names and shares of all, the largest first.
    pub(crate) fn shares(series: &BTreeMap<String, Series>, ticks: usize) -> Vec<(String, f64)> {
        let rate = |series: &Series| Some(series.mean(ticks)).filter(|rate| rate.is_finite());
        let rates = series.iter().map(|(name, series)| (name, rate(series).unwrap_or(0.0)));
        let total: f64 = rates.clone().map(|(_, rate)| rate).sum();
        let mut shares: Vec<_> = rates
            .filter(|(_, rate)| *rate > 0.0)
            .map(|(name, rate)| (name.clone(), rate / total))
            .collect();
        shares.sort_by(|one, other| other.1.total_cmp(&one.1));
        shares
    }

    fn hear(&mut self, now: &Endpoint, before: Option<Before<'_, Endpoint>>, capacity: usize) {
        let rate = |count: u64, counter: fn(&Endpoint) -> u64| {
            before.as_ref().map_or(f64::NAN, |before| before.rate(count, counter))
        };
        self.requests_s.push(rate(now.requests, |it| it.requests), capacity);
        self.faults_s.push(rate(now.faults(), Endpoint::faults), capacity);
        self.latency_ms_p50.push(millis(now.latency_us_p50), capacity);
        self.latency_ms_p99.push(millis(now.latency_us_p99), capacity);
        hear_all(&mut self.answers_s, now, before.as_ref(), |it| &it.from, capacity);
        hear_all(&mut self.reasons_s, now, before.as_ref(), |it| &it.reason, capacity);
        for model in now.models.iter().take(MODELS_MAX) {
            let before = before.as_ref().and_then(|before| {
                let state = before.state.model(&model.name)?;
                Some(Before { elapsed_s: before.elapsed_s, state })
            });
            let history = self.models.entry(model.name.clone()).or_default();
            history.hear(model, before, capacity);
        }
        for (name, history) in &mut self.models {
            if now.model(name).is_none() {
                history.all().into_iter().for_each(|series| series.push(f64::NAN, capacity));
            }
        }
        self.models
            .retain(|name, history| now.model(name).is_some() || !history.queued.is_forgotten());
    }

    fn miss(&mut self, capacity: usize) {
        let own = [
            &mut self.requests_s,
            &mut self.faults_s,
            &mut self.latency_ms_p50,
            &mut self.latency_ms_p99,
        ];
        let models = self.models.values_mut().flat_map(ModelHistory::all);
        let named = self.answers_s.values_mut().chain(self.reasons_s.values_mut());
        own.into_iter().chain(named).chain(models).for_each(|it| it.push(f64::NAN, capacity));
    }
}

impl ModelHistory {
    fn hear(&mut self, now: &Model, before: Option<Before<'_, Model>>, capacity: usize) {
        let rate = |counter: fn(&Model) -> Option<u64>| match (&before, counter(now)) {
            (Some(before), Some(count)) => before.rate(count, |it| counter(it).unwrap_or(0)),
            _ => f64::NAN,
        };
        let values = [
            rate(|it| it.predictions),
            rate(|it| it.refusals),
            rate(|it| it.faults),
            rate(|it| it.drops),
            rate(|it| it.cpu_us) / 1e6,
            millis(now.latency_us_p50),
            millis(now.latency_us_p99),
            now.queued.map_or(f64::NAN, |queued| queued as f64),
        ];
        for (series, value) in self.all().into_iter().zip(values) {
            series.push(value, capacity);
        }
    }

    fn all(&mut self) -> [&mut Series; 8] {
        [
            &mut self.scores_s,
            &mut self.refusals_s,
            &mut self.faults_s,
            &mut self.drops_s,
            &mut self.cpu,
            &mut self.latency_ms_p50,
            &mut self.latency_ms_p99,
            &mut self.queued,
        ]
    }
}

/// Brings a series for each name up to date. A name that is new gets one.
fn hear_all(
    all: &mut BTreeMap<String, Series>,
    now: &Endpoint,
    before: Option<&Before<'_, Endpoint>>,
    name: fn(&Answers) -> &str,
    capacity: usize,
) {
    let counted_now = sums(now, name);
    let counted_before = before.map(|before| sums(before.state, name)).unwrap_or_default();
    for name in counted_now.keys() {
        if !all.contains_key(*name) {
            all.insert((*name).to_owned(), Series::default());
        }
    }
    for (name, series) in all.iter_mut() {
        let count = |counts: &BTreeMap<&str, u64>| counts.get(&**name).copied().unwrap_or(0);
        let rate = before.map_or(f64::NAN, |before| {
            before.rate(count(&counted_now), |_| count(&counted_before))
        });
        series.push(rate, capacity);
    }
}

fn sums(endpoint: &Endpoint, name: fn(&Answers) -> &str) -> BTreeMap<&str, u64> {
    let mut sums = BTreeMap::new();
    for answers in &endpoint.answers {
        *sums.entry(name(answers)).or_default() += answers.count;
    }
    sums
}

fn millis(us: Option<u64>) -> f64 {
    us.map_or(f64::NAN, |us| us as f64 / 1e3)
}

fn mean<'a>(values: impl Iterator<Item = &'a f32>) -> f64 {
    let (sum, count) = values
        .filter(|value| value.is_finite())
        .fold((0.0, 0_u32), |(sum, count), value| (sum + f64::from(*value), count + 1));
    if count > 0 { sum / f64::from(count) } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn snapshot(requests: u64, gbdt: u64, logit: u64) -> Snapshot {
        Snapshot::read(json!({
            "endpoints": [{
                "name": "flights",
                "requests": requests,
                "latency_us_p99": 2_000,
                "answers": [
                    { "from": "gbdt", "reason": "preferred", "count": gbdt },
                    { "from": "logit", "reason": "preferred-was-slow", "count": logit },
                ],
                "models": [{ "name": "gbdt", "predictions": requests, "cpu_us": requests * 100 }],
            }],
        }))
        .unwrap()
    }

    #[test]
    fn rates_are_differences_over_time() {
        let mut history = History::new(1.0);
        history.hear(10.0, &snapshot(100, 90, 10));
        assert!(history.endpoint("flights").unwrap().requests_s.last().is_nan());
        history.hear(12.0, &snapshot(300, 240, 60));
        let flights = history.endpoint("flights").unwrap();
        assert_eq!(flights.requests_s.last(), 100.0);
        assert_eq!(flights.latency_ms_p99.last(), 2.0);
        assert_eq!(flights.answers_s["gbdt"].last(), 75.0);
        let gbdt = history.model("flights", "gbdt").unwrap();
        assert_eq!((gbdt.scores_s.last(), gbdt.cpu.last() as f32), (100.0, 0.01));
        assert!(gbdt.refusals_s.last().is_nan(), "what the host does not count is not nothing");
        let shares = EndpointHistory::shares(&flights.answers_s, 60);
        assert_eq!(shares, [("gbdt".to_owned(), 0.75), ("logit".to_owned(), 0.25)]);
    }

    #[test]
    fn a_host_that_was_started_again_counts_from_nothing() {
        let mut history = History::new(1.0);
        history.hear(0.0, &snapshot(1_000, 1_000, 0));
        history.hear(1.0, &snapshot(30, 30, 0));
        assert_eq!(history.endpoint("flights").unwrap().requests_s.last(), 30.0);
    }

    #[test]
    fn a_gap_is_seen_and_the_rate_after_it_is_that_of_the_whole_gap() {
        let mut history = History::new(1.0);
        history.hear(0.0, &snapshot(0, 0, 0));
        history.hear(1.0, &snapshot(10, 10, 0));
        history.miss();
        history.hear(3.0, &snapshot(50, 50, 0));
        let requests_s = &history.endpoint("flights").unwrap().requests_s;
        let columns = requests_s.columns(history.ticks(), 4, 1);
        assert!(columns[0].is_nan() && columns[2].is_nan());
        assert_eq!((columns[1], columns[3]), (10.0, 20.0));
        assert_eq!(requests_s.mean(3), 15.0);
    }

    #[test]
    fn columns_stand_still_when_time_goes_on() {
        let mut series = Series::default();
        (1..=5).for_each(|value| series.push(f64::from(value), 100));
        // Ticks 1 to 5 in columns of two: 1 | 2 3 | 4 5.
        assert_eq!(series.columns(5, 3, 2), [1.0, 2.5, 4.5]);
        series.push(6.0, 100);
        assert_eq!(series.columns(6, 3, 2), [2.5, 4.5, 6.0]);
    }

    #[test]
    fn only_the_last_quarter_of_an_hour_is_kept() {
        let mut history = History::new(1.0);
        (0..2_000_u32).for_each(|second| {
            history.hear(f64::from(second), &snapshot(u64::from(second), 0, 0));
        });
        assert_eq!(history.endpoint("flights").unwrap().requests_s.0.len(), 900);
        let empty = Snapshot::default();
        (2_000..2_900_u32).for_each(|second| history.hear(f64::from(second), &empty));
        assert!(history.endpoint("flights").is_none(), "what has gone is forgotten");
    }
}
