//! Random files and random edits: what is parsed afterwards is what was meant, and what was not
//! touched is still there.

use std::fmt::Write as _;
use std::path::Path;

use message::ModelName;

use super::*;
use crate::endpoint::{EndpointConfig, PolicyConfig, Preferred};

const FILES: u64 = 2_000;
const MODELS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// xorshift64*, seeded: a failure names its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % bound
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// Some of the models, in any order.
    fn some(&mut self, at_least: usize) -> Vec<&'static str> {
        let mut left = MODELS.to_vec();
        let count = at_least + self.below(MODELS.len() + 1 - at_least);
        (0..count).map(|_| left.remove(self.below(left.len()))).collect()
    }
}

/// A file with comments, each of which bears a number, and in one of several layouts.
fn file(random: &mut Random) -> (String, usize) {
    let mut comments = 0;
    let mut comment = || {
        comments += 1;
        format!("# comment {comments}")
    };
    let mut text = format!("{}\n", comment());
    if random.below(2) == 0 {
        writeln!(text, "deadline = '2s' {}", comment()).unwrap();
    }
    let parts = random.some(0);
    if let [champion, rest @ ..] = &parts[..] {
        writeln!(
            text,
            "\n{}\n[roles] {}\nchampion = '{champion}' {}",
            comment(),
            comment(),
            comment()
        )
        .unwrap();
        if !rest.is_empty() {
            let list: Vec<String> = rest.iter().map(|name| format!("'{name}'")).collect();
            writeln!(text, "challengers = [{}] {}", list.join(", "), comment()).unwrap();
        }
    }
    let order = random.some(1);
    let entry = |name: &&str, until: usize| match until {
        0 => format!("{{ model = '{name}' }}"),
        until => format!("{{ model = '{name}', until = '{until}ms' }}"),
    };
    let untils: Vec<usize> = order.iter().map(|_| random.below(3)).collect();
    let entries = order.iter().zip(&untils).map(|(name, until)| entry(name, *until));
    match random.below(3) {
        0 => {
            let list: Vec<String> = entries.collect();
            writeln!(text, "[policy]\norder = [{}] {}", list.join(", "), comment()).unwrap();
        }
        1 => {
            text += "[policy]\norder = [\n";
            entries.for_each(|entry| writeln!(text, "    {entry},").unwrap());
            writeln!(text, "] {}", comment()).unwrap();
        }
        _ => {
            for (name, until) in order.iter().zip(&untils) {
                writeln!(text, "[[policy.order]]\nmodel = '{name}'").unwrap();
                if *until > 0 {
                    writeln!(text, "until = '{until}ms'").unwrap();
                }
            }
        }
    }
    if random.below(2) == 0 {
        writeln!(text, "\n{}\n[limits]\nqueue = 7 {}", comment(), comment()).unwrap();
    }
    text += random.one_of(&["", "\n", "# comment 0, the end\n"]);
    (text, comments)
}

fn parse(text: &str) -> EndpointConfig {
    EndpointConfig::parse(Path::new("e"), text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

fn order(config: &EndpointConfig) -> Vec<Preferred> {
    match &config.policy.choice {
        PolicyConfig::Preference(preference) => preference.order.clone(),
        other => panic!("found {other:?}"),
    }
}

/// What a promotion means, said of the values.
fn promoted(mut config: EndpointConfig, model: &ModelName) -> EndpointConfig {
    let former = config.roles.champion.replace(model.clone()).filter(|former| former != model);
    config.roles.challengers.retain(|name| name != model);
    config.roles.challengers.extend(former.clone());
    let mut order = order(&config);
    let place = |order: &[Preferred], model: &ModelName| {
        order.iter().position(|preferred| preferred.model == *model)
    };
    let to = former.and_then(|former| place(&order, &former)).unwrap_or(0);
    let untils: Vec<_> = match place(&order, model) {
        Some(from) if from > to => {
            let untils = order.iter().map(|preferred| preferred.until).collect();
            order[to..=from].rotate_right(1);
            untils
        }
        Some(_) => order.iter().map(|preferred| preferred.until).collect(),
        None => {
            let first = Preferred { model: model.clone(), until: order[to].until };
            order.insert(to, first);
            order.iter().map(|preferred| preferred.until).collect()
        }
    };
    order.iter_mut().zip(untils).for_each(|(preferred, until)| preferred.until = until);
    with_order(config, order)
}

fn retired(mut config: EndpointConfig, model: &ModelName) -> EndpointConfig {
    config.roles.champion = config.roles.champion.filter(|champion| champion != model);
    config.roles.challengers.retain(|name| name != model);
    let mut order = order(&config);
    order.retain(|preferred| preferred.model != *model);
    with_order(config, order)
}

fn with_order(mut config: EndpointConfig, order: Vec<Preferred>) -> EndpointConfig {
    if let PolicyConfig::Preference(preference) = &mut config.policy.choice {
        preference.order = order;
    }
    config
}

#[test]
fn random_edits_of_random_files_mean_what_they_say_and_keep_the_comments() {
    for seed in 1..=FILES {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (text, comments) = file(&mut random);
        let model = ModelName::from(random.one_of(&MODELS));
        let before = parse(&text);
        let (edited, meant) = match random.below(4) {
            0 => (promote(Path::new("e"), &text, &model), promoted(before, &model)),
            1 => (retire(Path::new("e"), &text, &model), retired(before, &model)),
            2 => {
                (set_paused(Path::new("e"), &text, true), EndpointConfig { paused: true, ..before })
            }
            _ => {
                let shown = policy_of(Path::new("e"), &text).unwrap();
                (set_policy(Path::new("e"), &text, &shown), before)
            }
        };
        let edited = edited.unwrap();
        assert_eq!(parse(&edited), meant, "seed {seed}:\n{text}\nbecame\n{edited}");
        // The comment behind a key or above a table goes with it.
        let lost =
            |key: &str| text.matches(key).count().saturating_sub(edited.matches(key).count());
        let gone = lost("champion =") + lost("challengers =") + lost("[[policy.order]]");
        let kept = (1..=comments).filter(|number| {
            edited.lines().any(|line| line.ends_with(&format!("# comment {number}")))
        });
        let kept = kept.count();
        assert!(
            kept + gone >= comments,
            "seed {seed}: {kept} of {comments} in\n{edited}\nof\n{text}"
        );
    }
}
