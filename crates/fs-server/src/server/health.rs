//! gRPC health: the server as a whole (`""`), and the services that read and write features.
//!
//! | | `""` | each of [`fs_proto::SERVICES`] |
//! |---|---|---|
//! | nothing applied yet | `SERVING` | `NOT_SERVING` |
//! | a version is served | `SERVING` | `SERVING` |
//! | draining | `NOT_SERVING` | `NOT_SERVING` |
//!
//! An online store that is away makes requests `UNAVAILABLE` and `/health` a 503, but not the server
//! `NOT_SERVING`: taking every replica out of a load balancer would help nobody.

use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::{HealthReporter, HealthService};

const SERVER: &str = "";

#[derive(Debug, Clone)]
pub(super) struct HealthWatch {
    reporter: HealthReporter,
}

impl HealthWatch {
    pub(super) fn new() -> Self {
        Self {
            reporter: HealthReporter::new(),
        }
    }

    pub(super) fn service(&self) -> HealthServer<impl Health> {
        HealthServer::new(HealthService::from_health_reporter(self.reporter.clone()))
    }

    /// Whether there are definitions to answer with.
    pub(super) async fn set_applied(&self, applied: bool) {
        let status = if applied {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        for service in fs_proto::SERVICES {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Tells everybody who watches that the server is going.
    pub(super) async fn set_draining(&self) {
        for service in everything() {
            let status = ServingStatus::NotServing;
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Ends the streams of those who watch, which would hold up the shutdown for ever.
    pub(super) async fn end_watches(mut self) {
        for service in everything() {
            self.reporter.clear_service_status(service).await;
        }
    }
}

/// The names of all that has a health.
fn everything() -> impl Iterator<Item = &'static str> {
    [SERVER].into_iter().chain(fs_proto::SERVICES)
}
