//! `understudy check understudy.toml`: what the file says, and whether the cluster that it names fits.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow};
use catalog::flow::ENDPOINT_TOPICS;
use catalog::{Backend, Catalog, HostConfig, ScanOptions, Scanner};
use serde_json::{Value, json};
use stream::{OpenError, Stream, TopicOptions};

use super::Check;
use crate::commands::output::{print, print_line};
use crate::commands::table::Table;
use crate::journal::topic_name;
use crate::storage::{Storage, Use};
use crate::topics::stream_name;

/// Topics of an endpoint that have to have as many partitions as its requests.
const ALIKE: [&str; 2] = ["answers", "scores"];

/// What was found of one topic.
struct Found {
    topic: String,
    /// None where it is not there.
    partitions: Option<u32>,
    /// What follows from it, if anything.
    note: Option<String>,
    is_well: bool,
}

impl Check {
    /// Checks a configuration file, and the cluster that it names.
    pub(super) fn check_configuration(&self) -> Result<ExitCode> {
        let config = HostConfig::load(&self.file).map_err(|problem| anyhow!("{problem}"))?;
        let storage = match config.stream.backend {
            Backend::Embedded => None,
            Backend::Kafka => {
                Some(Storage::start(Use::Look, &config.stream, Some(&self.file), &config.data)?)
            }
        };
        let models = self.models.as_deref().unwrap_or(&config.models);
        let found = match &storage {
            Some(storage) if self.online => ask(&*storage.stream(), &config, models)?,
            _ => Vec::new(),
        };
        let is_well = found.iter().all(|found| found.is_well);
        let warnings = match &storage {
            Some(_) => Vec::new(),
            None => unheard(&catalog_of(&config, models)),
        };
        if self.json {
            let topics: Vec<_> = found.iter().map(Found::json).collect();
            let file = self.file.display().to_string();
            let report = json!({
                "file": file,
                "fits": is_well,
                "topics": topics,
                "warnings": warnings,
            });
            print_line(serde_json::to_string_pretty(&report)?)?;
        } else {
            print(page(&self.file, &config, self.online, &found))?;
            warnings.iter().try_for_each(|warning| print_line(format!("warning: {warning}")))?;
        }
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Asks the cluster for every topic that the endpoints of the folder need.
fn ask(stream: &dyn Stream, config: &HostConfig, models: &Path) -> Result<Vec<Found>> {
    // Tells apart brokers that cannot be asked from topics that are not there.
    stream.topics()?;
    let mut found = Vec::new();
    let catalog = catalog_of(config, models);
    for (name, spec) in &catalog.endpoints {
        let mut partitions = BTreeMap::new();
        for word in ENDPOINT_TOPICS {
            let topic = topic_name(name.as_str(), word);
            let one = look(stream, config, topic);
            partitions.insert(word, one.partitions);
            found.push(one);
        }
        let requests = partitions["requests"];
        let first = found.len() - ENDPOINT_TOPICS.len();
        for (word, one) in ENDPOINT_TOPICS.iter().zip(&mut found[first..]) {
            one.compare(word, requests);
        }
        let flow = &spec.config.flow;
        let named = flow.source.iter().chain(&flow.answers).filter_map(|topic| stream_name(topic));
        found.extend(named.map(|topic| look(stream, config, topic)));
    }
    found.push(look(stream, config, "replies".to_owned()));
    found.sort_by(|one, other| one.topic.cmp(&other.topic));
    found.dedup_by(|one, other| one.topic == other.topic);
    Ok(found)
}

/// The folder as it is at this moment.
fn catalog_of(config: &HostConfig, models: &Path) -> Catalog {
    let options = ScanOptions {
        settle: Duration::ZERO,
        grace: Duration::ZERO,
        ..config.watch_options().scan
    };
    Scanner::new(models, options).scan(crate::clock::now()).catalog.as_ref().clone()
}

/// What is said of external models where nobody outside can write their scores.
fn unheard(catalog: &Catalog) -> Vec<String> {
    let names = catalog.endpoints.iter().flat_map(|(endpoint, spec)| {
        spec.config.external.keys().map(move |model| format!("{endpoint}/{model}"))
    });
    let tell = |name| {
        format!(
            "found the external model {name} and an embedded stream, expected [stream] backend = \"kafka\""
        )
    };
    names.map(tell).collect()
}

fn look(stream: &dyn Stream, config: &HostConfig, topic: String) -> Found {
    match stream.partitions(&topic, &TopicOptions::default()) {
        Ok(partitions) => Found { topic, partitions: Some(partitions), note: None, is_well: true },
        Err(error) if is_missing(&error) && config.stream.kafka.topics.create => {
            let note = Some("is made when it is needed".to_owned());
            Found { topic, partitions: None, note, is_well: true }
        }
        Err(error) => {
            Found { topic, partitions: None, note: Some(error.to_string()), is_well: false }
        }
    }
}

/// Whether a topic is not there, and nothing else is wrong.
fn is_missing(error: &OpenError) -> bool {
    match error {
        OpenError::UnknownTopic { .. } => true,
        OpenError::Refused { reason, .. } => reason.starts_with("found none"),
        _ => false,
    }
}

impl Found {
    /// Compares a topic with the requests of its endpoint.
    fn compare(&mut self, word: &str, requests: Option<u32>) {
        let (Some(own), Some(requests)) = (self.partitions, requests) else { return };
        if ALIKE.contains(&word) && own != requests {
            self.is_well = false;
            self.note = Some(format!(
                "found {own} partitions, expected as many as the requests have: {requests}"
            ));
        }
    }

    fn json(&self) -> Value {
        json!({
            "topic": self.topic,
            "partitions": self.partitions,
            "fits": self.is_well,
            "note": self.note,
        })
    }
}

fn page(file: &Path, config: &HostConfig, online: bool, found: &[Found]) -> String {
    let kafka = &config.stream.kafka;
    let mut page = format!("{}: nothing is wrong with what it says\n", file.display());
    match config.stream.backend {
        Backend::Embedded => page += &format!("stream: {}\n", config.data.join("stream").display()),
        Backend::Kafka => page += &format!("stream: Kafka at {}\n", kafka.brokers.join(", ")),
    }
    if config.stream.backend == Backend::Kafka && !online {
        page += "the brokers were not asked: --online does\n";
    }
    if found.is_empty() {
        return page;
    }
    let mut table = Table::new(&["topic", "partitions", ""]).numbers(&[1]);
    for one in found {
        let partitions = one.partitions.map_or("-".to_owned(), |count| count.to_string());
        let note = match (&one.note, one.is_well) {
            (None, _) => String::new(),
            (Some(note), true) => note.clone(),
            (Some(note), false) => format!("wrong: {note}"),
        };
        table.row([one.topic.clone(), partitions, note]);
    }
    page + &table.to_string()
}

#[cfg(test)]
mod tests {
    use stream::MemoryStream;

    use super::*;

    #[test]
    fn topics_that_do_not_fit_together_are_found() {
        let found = |topic: &str, partitions| Found {
            topic: topic.to_owned(),
            partitions,
            note: None,
            is_well: true,
        };
        let check = |word, own, requests, is_well| {
            let mut one = found(word, own);
            one.compare(word, requests);
            assert_eq!(one.is_well, is_well, "{word} {own:?} {requests:?}");
        };
        check("answers", Some(3), Some(4), false);
        check("scores", Some(4), Some(4), true);
        check("events", Some(1), Some(4), true);
        check("answers", None, Some(4), true);
    }

    #[test]
    fn external_models_are_warned_of_where_nobody_can_write_for_them() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("fraud", "[external.gpu]\n"), ("inside", "deadline = '1s'\n")] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("endpoint.toml"), text).unwrap();
        }
        let warnings = unheard(&catalog_of(&HostConfig::default(), folder.path()));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("external model fraud/gpu"), "{warnings:?}");
    }

    #[test]
    fn every_topic_of_every_endpoint_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let endpoint = folder.path().join("fraud");
        std::fs::create_dir(&endpoint).unwrap();
        std::fs::write(endpoint.join("endpoint.toml"), "[flow]\nsource = 'orders'").unwrap();
        let config = HostConfig::default();
        let found = ask(&MemoryStream::new(), &config, folder.path()).unwrap();
        let topics: Vec<_> = found.iter().map(|found| &*found.topic).collect();
        let expected = [
            "fraud/answers",
            "fraud/dead-letters",
            "fraud/events",
            "fraud/requests",
            "fraud/scores",
            "replies",
            "topics/orders",
        ];
        assert_eq!(topics, expected);
    }
}
