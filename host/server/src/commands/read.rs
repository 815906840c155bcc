//! `understudy read`

mod tail;

use std::borrow::Cow;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use message::Time;
use message::oip::{Encoding, decode_request_as, encode_request};
use message::record::{Headers, Standing, header};
use serde_json::{Value, json};
use stream::{Partition, Record, TopicOptions};

use self::tail::Tails;
use super::output::print_line;
use super::source::{Opened, Source};
use crate::journal::topic_name;
use crate::topics::stream_name;

/// Read a topic of an endpoint: from an offset, from a time, or from its end.
///
/// Works on the files of the data directory, or on the Kafka cluster that the configuration file names,
/// whether a host is running or not. On a cluster the partitions are read together in the order of
/// their records' times. Among answers, a fence and what is void because of it are marked as such;
/// fences that stand before where reading begins are not known.
#[derive(Debug, Args)]
pub(crate) struct Read {
    /// The endpoint.
    #[arg(required_unless_present = "plain")]
    endpoint: Option<String>,
    /// Its topic.
    #[arg(value_enum, required_unless_present = "plain")]
    topic: Option<Topic>,
    /// Read this topic instead, which belongs to no endpoint.
    #[arg(id = "plain", long = "topic", value_name = "NAME", conflicts_with_all = ["endpoint", "topic"])]
    plain: Option<String>,
    #[command(flatten)]
    source: Source,
    /// Read this partition only.
    #[arg(long, value_name = "NUMBER")]
    partition: Option<u32>,
    /// Begin at this offset [default: the start of the topic].
    #[arg(long, value_name = "OFFSET", conflicts_with_all = ["since", "last"])]
    from: Option<u64>,
    /// Begin at this time: microseconds since 1970, or how long ago, such as 10m or 2h.
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    since: Option<String>,
    /// Begin this many records before the end of each partition.
    #[arg(long, value_name = "COUNT")]
    last: Option<u64>,
    /// Stop after this many records.
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    /// Go on with what comes.
    #[arg(long, short)]
    follow: bool,
    /// Print JSON, one record a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Topic {
    /// What every model sees
    Requests,
    /// What each model said
    Scores,
    /// The official answers
    Answers,
    /// What happened to models and endpoints
    Events,
    /// Records that were to be requests and are none, with the reason
    DeadLetters,
}

impl Read {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let opened = self.source.open()?;
        let partitions = self.partitions(&opened)?;
        let starts = partitions.into_iter().map(|partition| {
            let start = self.start(&*partition)?;
            Ok((partition, start))
        });
        let mut tails = Tails::new(starts.collect::<Result<_>>()?, self.follow);
        let shared = opened.storage.stream().is_shared();
        let mut left = self.limit.unwrap_or(u64::MAX);
        while left > 0
            && let Some(read) = tails.next()?
        {
            print_line(if self.json { json_of(&read, shared) } else { line_of(&read, shared) })?;
            left -= 1;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn partitions(&self, opened: &Opened) -> Result<Vec<Arc<dyn Partition>>> {
        let stream = opened.storage.stream();
        let name = match (&self.plain, &self.endpoint, self.topic) {
            (Some(topic), _, _) => stream_name(topic).with_context(|| {
                format!("found --topic {topic}, expected such as orders or flights/answers")
            })?,
            (None, Some(endpoint), Some(topic)) => topic_name(endpoint, topic.name()),
            _ => bail!("found no topic, expected ENDPOINT TOPIC or --topic NAME"),
        };
        let options = TopicOptions::default();
        let count = stream.partitions(&name, &options).with_context(|| {
            let known = stream.topics().unwrap_or_default().join(", ");
            format!("there is no topic {name} in {}; there are {known}", opened.place)
        })?;
        if let Some(number) = self.partition.filter(|number| *number >= count) {
            bail!("found --partition {number}, expected less than {count}: so many has {name}");
        }
        if self.from.is_some() && self.partition.is_none() && count > 1 {
            bail!("found --from, expected --partition as well: {name} has {count}");
        }
        let wanted = (0..count).filter(|number| self.partition.is_none_or(|it| it == *number));
        let open = |number| Ok(stream.open_partition(&name, number, &options)?);
        wanted.map(open).collect()
    }

    fn start(&self, partition: &dyn Partition) -> Result<u64> {
        let marks = partition.watermarks();
        if let Some(offset) = self.from {
            return Ok(offset.max(marks.start));
        }
        if let Some(since) = &self.since {
            return Ok(partition.offset_at(time_of(since)?)?);
        }
        Ok(match self.last {
            Some(last) => marks.end.saturating_sub(last).max(marks.start),
            None if self.follow && self.limit.is_none() => marks.end,
            None => marks.start,
        })
    }
}

impl Topic {
    const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Scores => "scores",
            Self::Answers => "answers",
            Self::Events => "events",
            Self::DeadLetters => "dead-letters",
        }
    }
}

/// A time as people write it: microseconds since 1970, or a number and `s`, `m`, `h` or `d` ago.
pub(super) fn time_of(text: &str) -> Result<Time> {
    if let Ok(us) = text.parse() {
        return Ok(Time::from_us(us));
    }
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => bail!(
            "found --since {text}, expected microseconds since 1970 or such as 30s, 10m, 2h, 7d"
        ),
    };
    let number: u64 = number
        .parse()
        .with_context(|| format!("found --since {text}, expected a number and a unit"))?;
    Ok(crate::clock::now() - Duration::from_secs(number * seconds))
}

fn json_of(read: &tail::Read, shared: bool) -> String {
    let record = &read.stored.record;
    let headers: serde_json::Map<String, Value> = record
        .headers
        .iter()
        .map(|(name, value)| (name.to_owned(), json!(String::from_utf8_lossy(value))))
        .collect();
    let document = document_of(record);
    let value = serde_json::from_slice::<Value>(&document)
        .unwrap_or_else(|_| json!(String::from_utf8_lossy(&document)));
    let mut line = json!({
        "offset": read.stored.offset,
        "time_us": record.time.as_us(),
        "key": record.key.as_ref().map(|key| String::from_utf8_lossy(key).into_owned()),
        "headers": headers,
        "value": value,
    });
    if shared {
        line["partition"] = json!(read.partition);
        line["standing"] = json!(standing(read.standing));
    }
    line.to_string()
}

/// What a record counts where several hosts write, in a word.
const fn standing(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Answer => None,
        Standing::Void => Some("void"),
        Standing::Fence => Some("fence"),
    }
}

/// The value as people read it: requests that came in another encoding are shown as JSON.
fn document_of(record: &Record) -> Cow<'_, [u8]> {
    let headers = Headers::read(record.headers.iter());
    let encoding = headers.map_or(Encoding::Json, |headers| headers.encoding());
    if encoding == Encoding::Json {
        return Cow::Borrowed(&record.value);
    }
    match decode_request_as(&record.value, encoding) {
        Ok(request) => Cow::Owned(encode_request(&request)),
        Err(_) => Cow::Borrowed(&record.value),
    }
}

fn line_of(read: &tail::Read, shared: bool) -> String {
    let record = &read.stored.record;
    let text = |name| record.headers.get(name).map(String::from_utf8_lossy).unwrap_or_default();
    let document = document_of(record);
    let value = match read.standing {
        Standing::Answer => String::from_utf8_lossy(&document),
        Standing::Void => format!("void: {}", String::from_utf8_lossy(&document)).into(),
        Standing::Fence => format!("fence of {}", text(header::FENCE)).into(),
    };
    let partition = if shared { format!("{:>4} ", read.partition) } else { String::new() };
    format!(
        "{partition}{:>10}  {}  {:36}  {}",
        read.stored.offset,
        crate::clock::shown(record.time),
        text("id"),
        value.chars().take(200).collect::<String>()
    )
}
