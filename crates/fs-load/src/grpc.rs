//! Unary gRPC, as little of it as there can be.
//!
//! Requests are framed beforehand. Of an answer only its length and its status are looked at, unless it
//! is to be checked.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use fs_core::code::report;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HeaderValue, TE};
use hyper::{HeaderMap, Method, Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::{Code, Status};

use crate::connection::{Address, Connection, Protocol};
use crate::{Answer, Error, Lane, Question, Refusal, Target, Values, Wire};

/// One byte that says whether the message is compressed, and four of its length.
const FRAME_BYTES: usize = 5;

/// Looks into an answer to a request about so many entities, and says what is wrong with it.
type Check = Arc<dyn Fn(Bytes, usize) -> Result<Values, String> + Send + Sync>;

/// A unary method of a gRPC server.
#[derive(Debug)]
pub struct GrpcTarget {
    address: Address,
    asked: Arc<Asked>,
}

struct Asked {
    uri: Uri,
    /// With their frames.
    requests: Vec<Bytes>,
    entities_per_request: usize,
    check: Check,
}

impl GrpcTarget {
    /// Asks a `question` of a feature server; `wire` is one of gRPC.
    pub fn new(address: &str, wire: Wire, question: &Question) -> Result<Self, Error> {
        let messages = question.requests(wire)?;
        let check = move |answer, rows| wire.check(answer, rows);
        Self::raw(
            address,
            wire.path(),
            &messages,
            question.entities_per_request,
            check,
        )
    }

    /// Sends `messages` to the method at `path`, `/SERVICE/METHOD`.
    pub fn raw(
        address: &str,
        path: &str,
        messages: &[Bytes],
        entities_per_request: usize,
        check: impl Fn(Bytes, usize) -> Result<Values, String> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let address = Address::parse(address)?;
        let uri = format!("http://{}{path}", address.0);
        let uri = uri.parse().map_err(|_invalid| Error::Address(uri))?;
        let requests = messages.iter().map(|message| framed(message)).collect();
        let check = Arc::new(check);
        let asked = Arc::new(Asked {
            uri,
            requests,
            entities_per_request,
            check,
        });
        Ok(Self { address, asked })
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(FRAME_BYTES + message.len());
    frame.put_u8(0);
    // A request is far below 4 GiB, which is what a frame holds.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

impl Target for GrpcTarget {
    type Lane = GrpcLane;

    fn requests(&self) -> usize {
        self.asked.requests.len()
    }

    fn entities_per_request(&self) -> usize {
        self.asked.entities_per_request
    }

    async fn lanes(&self, connections: usize, in_flight: usize) -> Result<Vec<GrpcLane>, Error> {
        let mut opened = Vec::with_capacity(connections);
        for _ in 0..connections {
            opened.push(Connection::open(&self.address).await?);
        }
        let lanes = (0..in_flight)
            .flat_map(|_| &opened)
            .map(|connection| GrpcLane {
                connection: Arc::clone(connection),
                sender: None,
                asked: Arc::clone(&self.asked),
            });
        Ok(lanes.collect())
    }
}

/// HTTP/2, which many lanes share.
#[derive(Debug)]
struct Http2;

impl Protocol for Http2 {
    type Sender = SendRequest<Full<Bytes>>;

    async fn greet(stream: TcpStream) -> hyper::Result<Self::Sender> {
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        // Ends with its senders; what breaks it is told to whoever waits for an answer.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn take(place: &mut Option<Self::Sender>) -> Option<Self::Sender> {
        place.as_ref().filter(|sender| !sender.is_closed()).cloned()
    }
}

/// One call at a time.
#[derive(Debug)]
pub struct GrpcLane {
    connection: Arc<Connection<Http2>>,
    sender: Option<SendRequest<Full<Bytes>>>,
    asked: Arc<Asked>,
}

impl Lane for GrpcLane {
    async fn ask(&mut self, number: usize, check: bool) -> Result<Answer, Refusal> {
        let Some(message) = self.asked.requests.get(number).cloned() else {
            return Err(Refusal::wrong(format!("there is no request {number}")));
        };
        let sent = message.len() - FRAME_BYTES;
        let sender = match self.sender.as_mut().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => self.sender.insert(self.connection.sender().await?),
        };
        let response = sender.send_request(self.asked.request(message)).await;
        let response = response.map_err(|error| Refusal::unavailable(report(&error)))?;
        let (received, body) = receive(response, check).await?;
        let Some(body) = body else {
            return Ok(Answer {
                sent,
                received,
                values: None,
            });
        };
        let values = (self.asked.check)(body, self.asked.entities_per_request);
        let values = values.map_err(Refusal::wrong)?;
        Ok(Answer {
            sent,
            received,
            values: Some(values),
        })
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What checks an answer has no form.
        let requests = self.requests.len();
        f.debug_struct("Asked")
            .field("uri", &self.uri)
            .field("requests", &requests)
            .finish_non_exhaustive()
    }
}

impl Asked {
    fn request(&self, message: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(message));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        request
    }
}

/// The length of the one message that a response brings, and the message if it is to be kept.
async fn receive(
    response: Response<Incoming>,
    keep: bool,
) -> Result<(usize, Option<Bytes>), Refusal> {
    let (head, mut body) = response.into_parts();
    if let Some(status) = Status::from_header_map(&head.headers) {
        ended(&status)?;
    } else if !head.status.is_success() {
        return Err(Refusal {
            code: Cow::Owned(format!("HTTP {}", head.status.as_u16())),
            message: String::new(),
        });
    }
    let mut start = [0; FRAME_BYTES];
    let mut received = 0;
    let mut kept = BytesMut::new();
    let mut trailers = HeaderMap::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::unavailable(report(&error)))?;
        match frame.into_data() {
            Ok(data) => {
                if received < FRAME_BYTES {
                    let missing = &mut start[received..];
                    let length = missing.len().min(data.len());
                    missing[..length].copy_from_slice(&data[..length]);
                }
                received += data.len();
                if keep {
                    kept.extend_from_slice(&data);
                }
            }
            Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    let status = Status::from_header_map(&trailers);
    ended(&status.unwrap_or_else(|| Status::unavailable("the answer has no end")))?;
    let [0, length @ ..] = start else {
        return Err(Refusal::wrong(
            "the answer is compressed, which nobody asked for",
        ));
    };
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if received != length.saturating_add(FRAME_BYTES) {
        return Err(Refusal::wrong(format!(
            "{received} bytes came for a message of {length}"
        )));
    }
    let kept = keep.then(|| kept.freeze().slice(FRAME_BYTES..));
    Ok((length, kept))
}

fn ended(status: &Status) -> Result<(), Refusal> {
    if status.code() == Code::Ok {
        return Ok(());
    }
    let number = status.code() as i32;
    let known = fs_core::Code::ALL
        .into_iter()
        .find(|code| code.grpc() == number);
    let code = known.map_or_else(
        || Cow::Owned(format!("gRPC {number}")),
        |code| code.name().into(),
    );
    Err(Refusal {
        code,
        message: status.message().to_owned(),
    })
}
