//! Training sets over Arrow Flight.
//!
//! ```text
//!   DoExchange(command)   spine ─►            ─► training set
//!
//!   DoPut                 spine ─► {"spine": ticket}                 kept for a while
//!   GetFlightInfo(command with the ticket) ─► schema, and a Flight ticket
//!   DoGet(Flight ticket)                   ─► training set
//! ```
//!
//! A command that names `spine_sql` or `as_of` needs no spine. The Flight ticket is the command again, with the versions that were described, so the only state
//! on the server is the uploaded spine. Every answer carries its record: in the metadata of its
//! schema, as `app_metadata` of the message that brings the schema, and of a `FlightInfo`.

mod asked;
mod command;
mod receive;
mod send;
mod uploads;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::flight_service_server::{FlightService, FlightServiceServer};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo,
    HandshakeRequest, HandshakeResponse, PollInfo, PutResult, SchemaAsIpc, SchemaResult, Ticket,
};
use fs_training::{Record, Spine};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use self::asked::Asked;
use self::command::Command;
use self::receive::receive;
use self::send::send;
use crate::Error;
use crate::call::CallContext;
use crate::off_runtime::off_runtime;
use crate::shared::Shared;
use crate::turn::Turn;

pub(crate) use self::uploads::Uploads;

/// The service, with its message limits.
pub(crate) fn service(shared: Arc<Shared>) -> FlightServiceServer<Service> {
    let bytes = shared.limits.flight_message_bytes;
    FlightServiceServer::new(Service { shared })
        .max_decoding_message_size(bytes)
        .max_encoding_message_size(bytes)
}

#[derive(Debug)]
pub(crate) struct Service {
    shared: Arc<Shared>,
}

type Answer<T> = Result<Response<T>, Status>;
type Messages<T> = BoxStream<'static, Result<T, Status>>;

impl Service {
    async fn exchange(
        &self,
        messages: Streaming<FlightData>,
    ) -> Result<Messages<FlightData>, Error> {
        // The turn comes before the spine, which then waits with the client and not in memory.
        let turn = self.shared.turns.next().await?;
        let limits = &self.shared.limits;
        let received = receive(messages, limits.spine_bytes, limits.client_time);
        let received = off_runtime(received).await??;
        let command = Command::of_descriptor(received.descriptor.as_ref())?;
        if command.spine.is_some() || (command.names_rows() && received.has_spine) {
            return Err(Error::TwoSpines);
        }
        let given = received.has_spine.then_some(received.spine);
        self.training_set(&command, given, Error::NoSpine, turn)
            .await
    }

    async fn put(&self, messages: Streaming<FlightData>) -> Result<PutResult, Error> {
        let limits = &self.shared.limits;
        let limit = limits.spine_bytes.min(limits.upload_bytes);
        let received = off_runtime(receive(messages, limit, limits.client_time)).await??;
        if !received.has_spine {
            return Err(Error::NoSpine);
        }
        let now = self.shared.clock.now();
        let ticket = self
            .shared
            .uploads
            .keep(received.into_upload(), now, limits)?;
        Ok(PutResult {
            app_metadata: command::receipt(&ticket).into(),
        })
    }

    async fn get(&self, ticket: Ticket) -> Result<Messages<FlightData>, Error> {
        let command = Command::parse(&ticket.ticket)?;
        let given = self.uploaded(&command)?;
        let turn = self.shared.turns.next().await?;
        self.training_set(&command, given, Error::NoTicket, turn)
            .await
    }

    async fn training_set(
        &self,
        command: &Command,
        given: Option<Spine>,
        none: Error,
        turn: Turn,
    ) -> Result<Messages<FlightData>, Error> {
        let asked = Asked::of(&self.shared, command).await?;
        let training = &self.shared.training;
        if let Some(name) = &asked.save {
            training.ensure_free(name).await?;
        }
        let spine = asked.spine(&self.shared, given).await?.ok_or(none)?;
        let (catalog, version) = (&asked.definitions.catalog, asked.definitions.version);
        let set = training
            .get(catalog, version, &asked.query, spine, asked.pinned.as_ref())
            .await?;
        let (set, saving) = match asked.save {
            None => (set, None),
            Some(name) => {
                let (set, copy) = set.split();
                let now = self.shared.clock.now();
                (set, Some(training.save(copy, name, now)))
            }
        };
        let (time, cutoff) = (self.shared.limits.client_time, self.shared.cutoff.clone());
        Ok(send(set, saving, turn, time, cutoff))
    }

    /// The spine that a command names by its ticket.
    fn uploaded(&self, command: &Command) -> Result<Option<Spine>, Error> {
        let Some(ticket) = command.spine.as_deref() else {
            return Ok(None);
        };
        let (now, limits) = (self.shared.clock.now(), &self.shared.limits);
        let upload = self.shared.uploads.get(ticket, now, limits)?;
        Ok(Some(upload.spine.clone()))
    }

    /// How many rows a command is about, if that is known, and the columns and the record of its
    /// training set.
    async fn describe(
        &self,
        command: &Command,
    ) -> Result<(Option<usize>, SchemaRef, Record), Error> {
        let given = self.uploaded(command)?;
        let asked = Asked::of(&self.shared, command).await?;
        let (catalog, version) = (&asked.definitions.catalog, asked.definitions.version);
        let pinned = asked.pinned.as_ref();
        let training = &self.shared.training;
        let spine = asked.spine(&self.shared, given).await?;
        let spine = spine.ok_or(Error::NoTicket)?;
        let rows = spine.rows();
        let described = training.describe(catalog, version, &asked.query, spine, pinned);
        let (schema, record) = described.await?;
        Ok((rows, schema, record))
    }

    async fn flight_info(&self, descriptor: FlightDescriptor) -> Result<FlightInfo, Error> {
        let command = Command::of_descriptor(Some(&descriptor))?;
        let (rows, schema, record) = self.describe(&command).await?;
        // What is fetched later is what is described now, whatever arrives in between.
        let ticket = serde_json::to_vec(&command.pinned(&record)).map_err(Error::Command)?;
        let rows = rows.and_then(|rows| i64::try_from(rows).ok()).unwrap_or(-1);
        let info = FlightInfo::new()
            .try_with_schema(&schema)
            .map_err(Error::Schema)?
            .with_endpoint(FlightEndpoint::new().with_ticket(Ticket::new(ticket)))
            .with_app_metadata(record.to_json())
            .with_total_records(rows)
            .with_ordered(true)
            .with_descriptor(descriptor);
        Ok(info)
    }

    async fn schema(&self, descriptor: &FlightDescriptor) -> Result<SchemaResult, Error> {
        let command = Command::of_descriptor(Some(descriptor))?;
        let (_, schema, _) = self.describe(&command).await?;
        let options = IpcWriteOptions::default();
        SchemaAsIpc::new(&schema, &options)
            .try_into()
            .map_err(Error::Schema)
    }

    async fn measured<T: Send>(
        &self,
        method: &'static str,
        context: &CallContext,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Answer<T> {
        Ok(Response::new(self.shared.job(method, context, work).await?))
    }
}

fn not_offered<T>(call: &'static str, instead: &'static str) -> Answer<T> {
    Err(Error::NotOffered { call, instead }.into())
}

#[tonic::async_trait]
impl FlightService for Service {
    type HandshakeStream = Messages<HandshakeResponse>;
    type ListFlightsStream = Messages<FlightInfo>;
    type DoGetStream = Messages<FlightData>;
    type DoPutStream = Messages<PutResult>;
    type DoExchangeStream = Messages<FlightData>;
    type DoActionStream = Messages<arrow_flight::Result>;
    type ListActionsStream = Messages<ActionType>;

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Answer<Self::DoExchangeStream> {
        let context = CallContext::from_metadata(request.metadata());
        let work = self.exchange(request.into_inner()).boxed();
        self.measured("flight.DoExchange", &context, work).await
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Answer<Self::DoPutStream> {
        let context = CallContext::from_metadata(request.metadata());
        let work = self.put(request.into_inner());
        let result = self.measured("flight.DoPut", &context, work).await?;
        let result = result.into_inner();
        Ok(Response::new(stream::iter([Ok(result)]).boxed()))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Answer<Self::DoGetStream> {
        let context = CallContext::from_metadata(request.metadata());
        let work = self.get(request.into_inner()).boxed();
        self.measured("flight.DoGet", &context, work).await
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Answer<FlightInfo> {
        let context = CallContext::from_metadata(request.metadata());
        let work = self.flight_info(request.into_inner()).boxed();
        self.measured("flight.GetFlightInfo", &context, work).await
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Answer<SchemaResult> {
        let context = CallContext::from_metadata(request.metadata());
        let work = self.schema(request.get_ref()).boxed();
        self.measured("flight.GetSchema", &context, work).await
    }

    async fn list_flights(&self, _: Request<Criteria>) -> Answer<Self::ListFlightsStream> {
        // A training set exists once somebody asks for it; there is nothing to list before.
        Ok(Response::new(stream::empty().boxed()))
    }

    async fn list_actions(&self, _: Request<Empty>) -> Answer<Self::ListActionsStream> {
        Ok(Response::new(stream::empty().boxed()))
    }

    async fn do_action(&self, _: Request<Action>) -> Answer<Self::DoActionStream> {
        not_offered("DoAction", "there are no actions")
    }

    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Answer<Self::HandshakeStream> {
        not_offered("Handshake", "no authentication is needed")
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Answer<PollInfo> {
        not_offered("PollFlightInfo", "use GetFlightInfo")
    }
}
