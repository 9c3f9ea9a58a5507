//! What a hub counts of what it answers, for whoever watches over it (`docs/metrics.md`).

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use wb_core::sync::Cause;

use crate::store::Watched;

/// The upper end of the first bucket of a histogram, in seconds.
const FASTEST: f64 = 0.001;
/// How many buckets there are, each twice as wide as the one before: up to 16 seconds.
const BUCKETS: u16 = 15;

/// The format, as those that read it name it.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCall {
    call: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAnswer {
    call: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCause {
    cause: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStanding {
    standing: &'static str,
}

/// The numbers.
#[derive(Debug)]
pub(crate) struct Observed {
    registry: Registry,
    answers: Family<OfAnswer, Counter>,
    refusals: Family<OfCause, Counter>,
    seconds: Family<OfCall, Histogram, fn() -> Histogram>,
    delivery: Histogram,
    waiting: Gauge,
    members: Family<OfStanding, Gauge>,
    arrivals: Gauge,
    behind: Gauge,
    lag: Gauge,
    envelopes: Gauge,
    letters: Gauge,
}

fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(FASTEST, 2.0, BUCKETS))
}

impl Observed {
    pub(crate) fn new() -> Self {
        let mut all = Registry::with_prefix("wb_hub");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            all.register(name, help, gauge.clone());
            gauge
        };
        let waiting = gauge("waiting", "Answers held back until something arrives");
        let arrivals = gauge("arrivals", "Number of the newest arrival");
        let behind = gauge(
            "members_behind",
            "Members that asked before and did not say yet that they have the newest arrival",
        );
        let lag = gauge(
            "lag_arrivals",
            "Arrivals after the one that the member furthest behind said to have",
        );
        let envelopes = gauge(
            "envelopes_waiting",
            "Sealed envelopes that are kept for somebody",
        );
        let letters = gauge("letters_waiting", "Letters that are kept for somebody");
        let members = Family::default();
        all.register("members", "Registrations, by standing", members.clone());
        let answers = Family::default();
        all.register("answers", "Calls answered", answers.clone());
        let refusals = Family::default();
        all.register("refusals", "Calls refused, by cause", refusals.clone());
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let help = "Time from the head of a call to its answer, without what it was held back";
        all.register_with_unit("call", help, Unit::Seconds, seconds.clone());
        let delivery = histogram();
        let help = "Time from an arrival to the answer that was held back for it";
        all.register_with_unit("delivery", help, Unit::Seconds, delivery.clone());
        Self {
            registry: all,
            answers,
            refusals,
            seconds,
            delivery,
            waiting,
            members,
            arrivals,
            behind,
            lag,
            envelopes,
            letters,
        }
    }

    /// Counts an answer.
    pub(crate) fn answered(
        &self,
        call: &'static str,
        status: u16,
        cause: Option<Cause>,
        took: Duration,
    ) {
        self.answers.get_or_create(&OfAnswer { call, status }).inc();
        self.seconds
            .get_or_create(&OfCall { call })
            .observe(took.as_secs_f64());
        if let Some(cause) = cause {
            let cause = cause.as_str();
            self.refusals.get_or_create(&OfCause { cause }).inc();
        }
    }

    /// Counts an answer that was held back and woken by an arrival.
    pub(crate) fn delivered(&self, after: Duration) {
        self.delivery.observe(after.as_secs_f64());
    }

    /// Everything, as text.
    pub(crate) fn text(&self, waiting: u64, watched: &Watched) -> String {
        set(&self.waiting, waiting);
        set(&self.arrivals, watched.newest_n);
        set(&self.behind, watched.behind);
        set(&self.lag, watched.lag);
        set(&self.envelopes, watched.envelopes);
        set(&self.letters, watched.letters);
        for (standing, count) in &watched.standings {
            set(
                &self.members.get_or_create(&OfStanding { standing }),
                *count,
            );
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("text is written to memory");
        text
    }
}

fn set(gauge: &Gauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}
