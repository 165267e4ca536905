//! The server: a unary method whose request and answer are bytes.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::Place;
use crate::store::{Rows, Store};

/// The method.
pub(crate) const METHOD: &str = "/fs.bench.Floor/Read";

/// Serves until it is killed, on as many threads as `fs serve`.
#[tokio::main]
pub(crate) async fn run(listen: SocketAddr, place: &Place) -> Result<(), Box<dyn Error>> {
    let store = Store::open(place).await?;
    let incoming = TcpIncoming::bind(listen)?.with_nodelay(Some(true));
    Server::builder()
        .add_service(Floor(store))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

#[derive(Debug, Clone)]
struct Floor(Store);

impl NamedService for Floor {
    const NAME: &'static str = "fs.bench.Floor";
}

impl Service<http::Request<Body>> for Floor {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let floor = self.clone();
        Box::pin(async move {
            if request.uri().path() != METHOD {
                return Ok(Status::unimplemented(METHOD).into_http());
            }
            Ok(Grpc::new(Raw).unary(floor, request).await)
        })
    }
}

impl UnaryService<Bytes> for Floor {
    type Response = Rows;
    type Future = BoxFuture<Response<Rows>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let mut store = self.0.clone();
        Box::pin(async move {
            let rows = store.read(request.get_ref()).await;
            rows.map(Response::new).map_err(Status::failed_precondition)
        })
    }
}

/// Bytes in, rows out, each copied once into the buffer of the connection.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Rows;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Rows;
    type Error = Status;

    fn encode(&mut self, rows: Rows, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(rows.bytes);
        for row in rows.iter() {
            buffer.put_slice(row);
        }
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}
