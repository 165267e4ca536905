//! Counters and histograms of calls, by method and code.

use std::sync::OnceLock;
use std::time::Duration;

use fs_core::Code;
use metrics::{Counter, Histogram, counter, histogram};

/// There are fewer methods than this; any more would share the last place.
const METHODS: usize = 64;

/// What never got as far as a method.
const UNREAD: &str = "unread";

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measured {
    /// Answered.
    Ok,
    /// Refused or failed.
    Failed(Code),
    /// The client went away.
    Cancelled,
}

/// The metrics of every method that was called, looked up when it is called first.
///
/// Places are taken from the first on and never given back, so that looking for a method takes no
/// lock: some comparisons of short names.
#[derive(Debug)]
pub(crate) struct Calls {
    methods: Option<Box<[OnceLock<Method>]>>,
}

#[derive(Debug)]
struct Method {
    name: &'static str,
    seconds: Histogram,
    /// One for each [`Measured`].
    ended: [OnceLock<Counter>; Measured::COUNT],
}

impl Measured {
    const COUNT: usize = Code::ALL.len() + 2;

    /// The value of the label `code`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Cancelled => "CANCELLED",
            Self::Failed(code) => code.name(),
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::Ok => 0,
            Self::Cancelled => 1,
            Self::Failed(code) => 2 + code as usize,
        }
    }
}

impl Calls {
    pub(crate) fn new(metrics: bool) -> Self {
        Self {
            methods: metrics.then(|| (0..METHODS).map(|_| OnceLock::new()).collect()),
        }
    }

    /// Whether anything is recorded.
    pub(crate) const fn is_on(&self) -> bool {
        self.methods.is_some()
    }

    /// Counts a call of `method` that `took` so long.
    pub(crate) fn ended(&self, method: &'static str, took: Duration, how: Measured) {
        if let Some(method) = self.method(method) {
            method.seconds.record(took.as_secs_f64());
            method.count(how);
        }
    }

    /// Counts a call that was refused before its method saw it.
    pub(crate) fn unread(&self, how: Measured) {
        if let Some(unread) = self.method(UNREAD) {
            unread.count(how);
        }
    }

    fn method(&self, name: &'static str) -> Option<&Method> {
        let methods = self.methods.as_deref()?;
        let is_last = |place: usize| place + 1 == METHODS;
        methods.iter().enumerate().find_map(|(place, slot)| {
            let method = slot.get_or_init(|| Method::new(name));
            (method.name == name || is_last(place)).then_some(method)
        })
    }
}

impl Method {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            seconds: histogram!("fs_server_request_seconds", "method" => name),
            ended: [const { OnceLock::new() }; Measured::COUNT],
        }
    }

    fn count(&self, how: Measured) {
        let counter = self.ended[how.place()].get_or_init(
            || counter!("fs_server_requests_total", "method" => self.name, "code" => how.name()),
        );
        counter.increment(1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn every_end_of_a_call_has_a_place_and_a_name_of_its_own() {
        let all = Code::ALL.map(Measured::Failed);
        let all = [&all[..], &[Measured::Ok, Measured::Cancelled]].concat();
        let places: BTreeSet<_> = all.iter().map(|how| how.place()).collect();
        let names: BTreeSet<_> = all.iter().map(|how| how.name()).collect();
        assert_eq!(places, (0..Measured::COUNT).collect());
        assert_eq!(names.len(), Measured::COUNT);
    }

    #[test]
    fn calls_are_counted_by_method_and_code() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let calls = Calls::new(true);
            let took = Duration::from_millis(1);
            calls.ended("Get", took, Measured::Ok);
            calls.ended("Get", took, Measured::Ok);
            calls.ended("Push", took, Measured::Failed(Code::Unavailable));
            calls.ended("Get", took, Measured::Cancelled);
            calls.unread(Measured::Failed(Code::Unimplemented));
        });
        let text = recorder.handle().render();
        for line in [
            r#"fs_server_requests_total{method="Get",code="OK"} 2"#,
            r#"fs_server_requests_total{method="Get",code="CANCELLED"} 1"#,
            r#"fs_server_requests_total{method="Push",code="UNAVAILABLE"} 1"#,
            r#"fs_server_requests_total{method="unread",code="UNIMPLEMENTED"} 1"#,
            r#"fs_server_request_seconds_count{method="Get"} 3"#,
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn nothing_is_recorded_where_metrics_are_off() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let calls = Calls::new(false);
            calls.ended("Get", Duration::ZERO, Measured::Ok);
        });
        assert_eq!(recorder.handle().render(), "");
    }

    #[test]
    fn more_methods_than_there_are_places_for_share_the_last() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let calls = Calls::new(true);
            for number in 0..=METHODS {
                let name = Box::leak(format!("Method{number}").into_boxed_str());
                calls.ended(name, Duration::ZERO, Measured::Ok);
            }
        });
        let text = recorder.handle().render();
        assert!(
            text.contains(r#"requests_total{method="Method63",code="OK"} 2"#),
            "{text}"
        );
    }
}
