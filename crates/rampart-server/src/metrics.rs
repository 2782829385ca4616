//! What is counted and measured while a server runs, for Prometheus.
//!
//! Every label comes from a fixed list (the table of operations, the outcomes, the jobs): nothing that a caller sends
//! can make a new series. A request costs two atomic additions and one observation: its handles are looked up by its
//! operation's place in the table.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use rampart_store::{EngineFigures, Figures, Store};

use crate::operations::{Operation, Service};

/// What [`Metrics::render`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From half a millisecond, below which a request hardly leaves the machine, to the time after which clients give up.
const LATENCY_BUCKETS_S: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

/// What stands for an operation or a service that a request did not name, or that nobody knows.
const UNKNOWN: &str = "unknown";

type Label = (&'static str, &'static str);
type Requests = Family<[Label; 3], Counter>;
type Durations = Family<[Label; 2], Histogram, fn() -> Histogram>;

/// The handles to all that is counted and measured.
pub struct Metrics {
    registry: Registry,
    requests: Requests,
    durations: Durations,
    /// By service and by the operation's place in its table; made when first asked for.
    operations: Vec<Vec<OnceLock<OfOperation>>>,
    unknown: OnceLock<OfOperation>,
    /// Connections that are open.
    pub(crate) connections: Gauge,
    /// Callers that were read because they were not known, or not any more.
    pub(crate) callers_read: Counter,
    /// Readings of the versions that tell which callers are still what they were.
    pub(crate) caller_versions_read: Counter,
    jobs: [OfJob; Job::ALL.len()],
    /// 1 while this node does the background work.
    pub(crate) leads: Gauge,
    /// Up to when this node knows the change log, while it follows that.
    log_known: Arc<Mutex<Option<Instant>>>,
}

/// The series of one operation.
struct OfOperation {
    ok: Counter,
    client_error: Counter,
    server_error: Counter,
    duration: Histogram,
}

/// The series of one kind of background work.
struct OfJob {
    runs: Counter,
    items: Counter,
    failures: Counter,
}

/// A kind of background work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Ends associations whose invitation expired.
    ExpireInvitations,
    /// Writes down what ended with a deleted share.
    EndWithShares,
    /// Advances the replacement of permissions.
    ReplacePermissions,
    /// Ends what rested on memberships that are over.
    TidyMemberships,
    /// Removes what is left of organizations that are no more.
    RemoveRemains,
    /// Removes what is past its retention.
    Purge,
}

impl Job {
    /// All of them, in the order in which they are done.
    pub(crate) const ALL: [Self; 6] = [
        Self::ExpireInvitations,
        Self::EndWithShares,
        Self::ReplacePermissions,
        Self::TidyMemberships,
        Self::RemoveRemains,
        Self::Purge,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ExpireInvitations => "expire-invitations",
            Self::EndWithShares => "end-with-shares",
            Self::ReplacePermissions => "replace-permissions",
            Self::TidyMemberships => "tidy-memberships",
            Self::RemoveRemains => "remove-remains",
            Self::Purge => "purge",
        }
    }
}

impl Metrics {
    pub(crate) fn new(store: &Store) -> Self {
        let mut registry = Registry::with_prefix("rampart");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Which rampart this is", build);
        let requests = Requests::default();
        let (connections, leads) = <(Gauge, Gauge)>::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        let durations = Durations::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS_S));
        registry.register_with_unit(
            "request_duration",
            "From a request's head to its answer",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register("connections", "Connections of clients that are open", connections.clone());
        let (callers_read, caller_versions_read) = <(Counter, Counter)>::default();
        registry.register("callers_read", "Callers that were read from the store", callers_read.clone());
        registry.register(
            "caller_versions_read",
            "Readings of which callers are still what they were",
            caller_versions_read.clone(),
        );
        let leading = "Whether this node does the background work: 1 on one of all nodes";
        registry.register("background_leader", leading, leads.clone());
        let log_known = Arc::default();
        registry.register_collector(Box::new(LagCollector(Arc::clone(&log_known))));
        let jobs = register_jobs(&mut registry);
        registry.register_collector(Box::new(StoreCollector(store.clone())));
        let operations = Service::ALL
            .map(|service| service.operations().iter().map(|_| OnceLock::new()).collect())
            .into_iter()
            .collect();
        let unknown = OnceLock::new();
        Self {
            registry,
            requests,
            durations,
            operations,
            unknown,
            connections,
            callers_read,
            caller_versions_read,
            jobs,
            leads,
            log_known,
        }
    }

    /// Counts a request that was answered. Without an operation it named none that is known.
    pub(crate) fn answered(&self, operation: Option<&'static Operation>, status: StatusCode, took: Duration) {
        let series = self.of_operation(operation);
        let count = match status.as_u16() {
            ..400 => &series.ok,
            400..500 => &series.client_error,
            500.. => &series.server_error,
        };
        count.inc();
        series.duration.observe(took.as_secs_f64());
    }

    /// Counts a run of background work, with the number of things that it did.
    pub(crate) fn ran(&self, job: Job, done: usize, failed: bool) {
        let series = &self.jobs[job as usize];
        series.runs.inc();
        series.items.inc_by(u64::try_from(done).unwrap_or(u64::MAX));
        series.failures.inc_by(u64::from(failed));
    }

    /// This node follows the change log, and knows what was done until then.
    pub(crate) fn knows_log(&self, until: Instant) {
        *lock(&self.log_known) = Some(until);
    }

    /// This node does not follow the change log any more.
    pub(crate) fn follows_no_log(&self) {
        *lock(&self.log_known) = None;
    }

    /// All of it as text.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut body = String::with_capacity(16 * 1024);
        text::encode(&mut body, &self.registry)?;
        Ok(body)
    }

    fn of_operation(&self, operation: Option<&'static Operation>) -> &OfOperation {
        let place = operation.and_then(|operation| {
            let place = operation.service.operations().element_offset(operation)?;
            self.operations.get(operation.service as usize)?.get(place)
        });
        let named = operation.filter(|_| place.is_some());
        place.unwrap_or(&self.unknown).get_or_init(|| {
            let (service, name) = named.map_or((UNKNOWN, UNKNOWN), |o| (o.service.name(), o.name));
            let (service, name) = (("service", service), ("operation", name));
            let count = |outcome| self.requests.get_or_create_owned(&[service, name, ("outcome", outcome)]);
            OfOperation {
                ok: count("ok"),
                client_error: count("client-error"),
                server_error: count("server-error"),
                duration: self.durations.get_or_create_owned(&[service, name]),
            }
        })
    }
}

fn register_jobs(registry: &mut Registry) -> [OfJob; Job::ALL.len()] {
    let (runs, items, failures) = <[Family<[Label; 1], Counter>; 3]>::default().into();
    registry.register("background_runs", "Runs of background work", runs.clone());
    registry.register(
        "background_items",
        "Things that background work ended, replaced or removed",
        items.clone(),
    );
    registry.register("background_failures", "Runs of background work that failed", failures.clone());
    Job::ALL.map(|job| {
        let labels = [("job", job.name())];
        OfJob {
            runs: runs.get_or_create_owned(&labels),
            items: items.get_or_create_owned(&labels),
            failures: failures.get_or_create_owned(&labels),
        }
    })
}

/// Measures the lag of who follows the change log when somebody asks for it: it grows while nothing is heard.
#[derive(Debug)]
struct LagCollector(Arc<Mutex<Option<Instant>>>);

impl Collector for LagCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let lag = ConstGauge::new(lock(&self.0).map_or(0.0, |until| until.elapsed().as_secs_f64()));
        let help = "Since when the leading node may not know what the change log tells; 0 on other nodes.";
        lag.encode(encoder.encode_descriptor(
            "change_log_lag",
            help,
            Some(&Unit::Seconds),
            lag.metric_type(),
        )?)
    }
}

fn lock(known: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the store's figures when somebody asks for them. Its help texts end in full stops: the registry adds them to
/// those of its own alone.
struct StoreCollector(Store);

impl fmt::Debug for StoreCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreCollector").finish_non_exhaustive()
    }
}

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Figures { answered, refused, unavailable, failed, retried, engine } = self.0.figures();
        let transactions =
            [("answered", answered), ("refused", refused), ("unavailable", unavailable), ("failed", failed)];
        let transactions = transactions.map(|(outcome, count)| (("outcome", outcome), count));
        counters(
            &mut encoder,
            "store_transactions",
            "Write transactions, by how they ended.",
            &transactions,
        )?;
        let retries = ConstCounter::new(retried);
        let help = "Write transactions that were tried anew.";
        retries.encode(encoder.encode_descriptor("store_retries", help, None, retries.metric_type())?)?;
        let (EngineFigures::Sqlite { queued } | EngineFigures::Postgres { queued, .. }) = engine;
        gauge(&mut encoder, "store_writer_queue", "Writes that wait for their turn.", queued)?;
        match engine {
            EngineFigures::Sqlite { .. } => Ok(()),
            EngineFigures::Postgres { in_use, idle, max, waiting, .. } => {
                gauge(&mut encoder, "store_connections_in_use", "Connections to PostgreSQL in use.", in_use)?;
                gauge(&mut encoder, "store_connections_idle", "Connections to PostgreSQL that idle.", idle)?;
                gauge(
                    &mut encoder,
                    "store_connections_max",
                    "Connections to PostgreSQL that there may be.",
                    max,
                )?;
                gauge(
                    &mut encoder,
                    "store_connections_awaited",
                    "Requests that wait for a connection to PostgreSQL.",
                    waiting,
                )
            }
        }
    }
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    counts: &[(Label, u64)],
) -> fmt::Result {
    let kind = prometheus_client::metrics::MetricType::Counter;
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (label, count) in counts {
        ConstCounter::new(*count).encode(family.encode_family(&[*label])?)?;
    }
    Ok(())
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: usize) -> fmt::Result {
    let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}
