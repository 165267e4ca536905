//! Events, pushes, materializations and reads as they come: what is read online is what a training set says,
//! and both are what the windows are to hold by definition.

mod windows_parity {
    pub(crate) mod model;
}

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use fs_core::EventTime;
use fs_integration::{Chance, Online, Repo, read_parquet};
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;
use serde_json::Value;
use windows_parity::model::{Event, HOUR, MINUTE, definitions, features, write};

/// 2026-01-10T00:00:00Z
const START: i64 = 1_768_003_200_000_000;
const ACCOUNTS: u64 = 5;
/// So many events happen before anything is materialized; most of them to one account.
const BEFORE: u64 = 300;
const ROUNDS: u64 = 14;
/// An account that nothing ever happens to.
const NOBODY: i64 = 1_000;

#[test]
fn online_is_training_is_naive_on_the_embedded_store() -> Result<()> {
    World::new(&Online::Embedded, "windows_embedded", 0)?.live()
}

#[test]
fn online_is_training_is_naive_on_redis() -> Result<()> {
    let redis = TestRedis::shared()?;
    World::new(
        &Online::Redis(redis.url().to_owned()),
        "windows_redis",
        2 * MINUTE,
    )?
    .live()
}

/// A repo, and what is known about it.
struct World {
    repo: Repo,
    chance: Chance,
    now: i64,
    delay: i64,
    number: i64,
    /// What the source has.
    source: Vec<Event>,
    /// What was pushed into the offline table.
    pushed: Vec<Event>,
    /// How many of those the online store has seen.
    published: usize,
    /// What the source had of the windows that were materialized.
    materialized: Vec<Event>,
    /// What was pushed to the online store only, and the source has not decided about.
    provisional: Vec<Event>,
    /// What was pushed into both stores since the last publish.
    both: Vec<Event>,
}

impl World {
    fn new(online: &Online, name: &str, delay: i64) -> Result<Self> {
        let repo = Repo::empty(unique_project().as_str(), online)?;
        repo.write("definitions.yaml", &definitions(delay)?)?;
        let mut world = Self {
            repo,
            chance: Chance::new(name),
            now: START,
            delay,
            number: 0,
            source: Vec::new(),
            pushed: Vec::new(),
            published: 0,
            materialized: Vec::new(),
            provisional: Vec::new(),
            both: Vec::new(),
        };
        for _ in 0..BEFORE {
            let event = world.event(30 * HOUR);
            world.source.push(event);
        }
        world.write_source()?;
        world.repo.apply()?;
        Ok(world)
    }

    fn live(mut self) -> Result<()> {
        self.nothing_is_there_before_the_first_run()?;
        self.materialize()?;
        for round in 0..ROUNDS {
            // Not past what a state answers for: three runs of the schedule.
            self.now += i64::try_from(self.chance.below(25))? * MINUTE + 1_000_003;
            for _ in 0..=self.chance.below(2) {
                match self.chance.below(4) {
                    0 => self.push("both")?,
                    1 => self.push("online")?,
                    2 => self.push("offline")?,
                    _ => self.happen()?,
                }
            }
            self.online()?;
            if round % 3 == 2 {
                self.materialize()?;
                self.online()?;
                self.training()?;
            }
        }
        Ok(())
    }

    /// Some event in the last `span`, most often of account 0, sometimes on a whole minute.
    fn event(&mut self, span: i64) -> Event {
        let account = self.chance.below(2 * ACCOUNTS).saturating_sub(ACCOUNTS);
        let back = self.chance.below(u64::try_from(span).unwrap_or(1));
        let mut event = self.now - 1 - self.delay - i64::try_from(back).unwrap_or_default();
        if self.chance.below(3) == 0 {
            event -= event % MINUTE;
        }
        self.number += 1;
        let account = i64::try_from(account).unwrap_or_default();
        Event::some(&mut self.chance, account, event, self.number)
    }

    fn some_events(&mut self) -> Vec<Event> {
        // A few late ones among them.
        let span = if self.chance.below(4) == 0 {
            30 * HOUR
        } else {
            20 * MINUTE
        };
        let count = 1 + self.chance.below(12);
        (0..count).map(|_| self.event(span)).collect()
    }

    /// More happens, of which the source knows.
    fn happen(&mut self) -> Result<()> {
        let events = self.some_events();
        self.source.extend(events);
        self.write_source()
    }

    fn write_source(&self) -> Result<()> {
        write(&self.repo.file("spending.parquet"), &self.source)
    }

    fn push(&mut self, to: &str) -> Result<()> {
        let events = self.some_events();
        let file = self.repo.file("pushed.parquet");
        write(&file, &events)?;
        let (file, now) = (file.display().to_string(), self.at());
        self.repo.json(&[
            "push", "spending", "--file", &file, "--to", to, "--now", &now,
        ])?;
        match to {
            "online" => {
                // The source will know of some of them.
                for event in &events {
                    if self.chance.below(2) == 0 {
                        self.source.push(event.clone());
                    }
                }
                self.provisional.extend(events);
                self.write_source()?;
            }
            "both" => {
                self.both.extend(events.iter().cloned());
                self.pushed.extend(events);
            }
            _ => self.pushed.extend(events),
        }
        Ok(())
    }

    /// Everything until now, late events included.
    fn materialize(&mut self) -> Result<()> {
        let (start, now) = (time(START - 40 * HOUR), self.at());
        self.repo
            .json(&["materialize", &start, &now, "--now", &now])?;
        let until = self.now;
        let known = self.source.iter().filter(|event| event.at < until);
        self.materialized = known.cloned().collect();
        self.provisional.retain(|event| event.at >= until);
        self.both.clear();
        self.published = self.pushed.len();
        Ok(())
    }

    fn at(&self) -> String {
        time(self.now)
    }

    fn accounts() -> impl Iterator<Item = i64> {
        (0..i64::try_from(ACCOUNTS).unwrap_or_default()).chain([NOBODY])
    }

    /// The vectors of all accounts now, in order.
    fn vectors(&self) -> Result<Vec<Value>> {
        let now = self.at();
        let entities: Vec<String> = Self::accounts()
            .map(|account| format!("account_id={account}"))
            .collect();
        let mut ask = vec![
            "get-online-features",
            "--service",
            "spending",
            "--now",
            &now,
        ];
        ask.extend(entities.iter().flat_map(|entity| ["--entity", entity]));
        let answer = self.repo.json(&ask)?;
        let vectors = answer["vectors"].as_array().context("vectors")?;
        ensure!(vectors.len() == entities.len(), "{answer}");
        Ok(vectors.clone())
    }

    fn nothing_is_there_before_the_first_run(&mut self) -> Result<()> {
        self.push("online")?;
        self.provisional.clear();
        for vector in self.vectors()? {
            let statuses = vector["statuses"].as_object().context("statuses")?;
            ensure!(
                statuses.values().all(|status| status == "NOT_FOUND"),
                "{vector}"
            );
        }
        Ok(())
    }

    /// Online: the table as it was published, and what was pushed to the online store since.
    fn online(&self) -> Result<()> {
        for (account, vector) in Self::accounts().zip(self.vectors()?) {
            let events = self
                .materialized
                .iter()
                .chain(&self.pushed[..self.published]);
            let events = events.chain(&self.both).chain(&self.provisional);
            for (feature, expected) in features(events, account, self.now, self.delay) {
                let found = &vector["features"][&feature];
                let of = format!("{feature} of {account} at {}", self.at());
                assert_eq!(*found, through_text(&expected)?, "{of}: {vector}");
                let status = if expected.is_null() {
                    "NULL_VALUE"
                } else {
                    "PRESENT"
                };
                assert_eq!(vector["statuses"][&feature], status, "{of}");
            }
        }
        Ok(())
    }

    /// A training set of now and of earlier: what the table holds, pushed or materialized. What was just published
    /// of it is the same, to the bit, whatever the function.
    fn training(&mut self) -> Result<()> {
        let mut spine = vec!["account_id,event_timestamp".to_owned()];
        let mut asked = Vec::new();
        for account in Self::accounts() {
            let earlier = i64::try_from(self.chance.below(60))? * 30 * MINUTE;
            for at in [self.now, self.now - earlier] {
                spine.push(format!("{account},{}", time(at)));
                asked.push((account, at));
            }
        }
        self.repo.write("spine.csv", &(spine.join("\n") + "\n"))?;
        let out = self.repo.file("training_set.parquet");
        let (spine, to) = (self.repo.file("spine.csv"), out.display().to_string());
        let spine = spine.display().to_string();
        let ask = ["get-historical-features", "--service", "spending"];
        self.repo
            .json(&[&ask[..], &["--spine", &spine, "--out", &to]].concat())?;
        let trained = read_parquet(&out)?;
        for (row, (account, at)) in asked.into_iter().enumerate() {
            let events = self.materialized.iter().chain(&self.pushed);
            let expected: BTreeMap<_, _> = features(events, account, at, self.delay);
            for (feature, expected) in expected {
                let found = trained.cell(&feature, row)?;
                assert_eq!(found, expected, "{feature} of {account} at {}", time(at));
            }
        }
        // The rows of now are every other one.
        for (row, vector) in self.vectors()?.iter().enumerate() {
            let features = vector["features"].as_object().context("features")?;
            for (feature, found) in features {
                let expected = through_text(&trained.cell(feature, 2 * row)?)?;
                assert_eq!(*found, expected, "{feature} at {}: {vector}", self.at());
            }
        }
        Ok(())
    }
}

fn time(micros: i64) -> String {
    EventTime::from_micros(micros).to_string()
}

/// A value as it is after it was written and read, as that of the answer was: reading may lose the last bit.
fn through_text(value: &Value) -> Result<Value> {
    Ok(serde_json::from_str(&serde_json::to_string(value)?)?)
}
