//! HTTP/1.1 with JSON. Connections are kept; each carries one request at a time, so each is a lane.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use fs_core::code::report;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::connection::{Address, Connection, Protocol};
use crate::{Answer, Error, Lane, Question, Refusal, Target, Wire};

/// How much of an error's body is kept.
const MESSAGE_BYTES: usize = 500;

/// A feature server that speaks HTTP, as Feast's does.
#[derive(Debug)]
pub struct HttpTarget {
    address: Address,
    asked: Arc<Asked>,
}

#[derive(Debug)]
struct Asked {
    host: HeaderValue,
    requests: Vec<Bytes>,
    entities_per_request: usize,
}

impl HttpTarget {
    /// Asks a `question`.
    pub fn new(address: &str, question: &Question) -> Result<Self, Error> {
        let requests = question.requests(Wire::Http)?;
        let address = Address::parse(address)?;
        let host = HeaderValue::from_str(&address.0);
        let host = host.map_err(|_invalid| Error::Address(address.0.clone()))?;
        let entities_per_request = question.entities_per_request;
        let asked = Arc::new(Asked {
            host,
            requests,
            entities_per_request,
        });
        Ok(Self { address, asked })
    }
}

impl Target for HttpTarget {
    type Lane = HttpLane;

    fn requests(&self) -> usize {
        self.asked.requests.len()
    }

    fn entities_per_request(&self) -> usize {
        self.asked.entities_per_request
    }

    async fn lanes(&self, connections: usize, in_flight: usize) -> Result<Vec<HttpLane>, Error> {
        let mut lanes = Vec::with_capacity(connections * in_flight);
        for _ in 0..connections * in_flight {
            let connection = Connection::open(&self.address).await?;
            lanes.push(HttpLane {
                connection,
                sender: None,
                asked: Arc::clone(&self.asked),
            });
        }
        Ok(lanes)
    }
}

/// HTTP/1.1, which belongs to one lane.
#[derive(Debug)]
struct Http1;

impl Protocol for Http1 {
    type Sender = SendRequest<Full<Bytes>>;

    async fn greet(stream: TcpStream) -> hyper::Result<Self::Sender> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with its sender; what breaks it is told to whoever waits for an answer.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn take(place: &mut Option<Self::Sender>) -> Option<Self::Sender> {
        place.take().filter(|sender| !sender.is_closed())
    }
}

/// One request at a time.
#[derive(Debug)]
pub struct HttpLane {
    connection: Arc<Connection<Http1>>,
    /// Taken out while it is used: a request that is given up leaves no answer behind for the next.
    sender: Option<SendRequest<Full<Bytes>>>,
    asked: Arc<Asked>,
}

impl Lane for HttpLane {
    async fn ask(&mut self, number: usize, check: bool) -> Result<Answer, Refusal> {
        let Some(question) = self.asked.requests.get(number).cloned() else {
            return Err(Refusal::wrong(format!("there is no request {number}")));
        };
        let sent = question.len();
        let broken = |error: hyper::Error| Refusal::unavailable(report(&error));
        let idle = match self.sender.take() {
            // A server may close what it has answered on; that is no failure.
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let mut sender = match idle {
            Some(sender) => sender,
            None => self.connection.sender().await?,
        };
        let response = sender
            .send_request(self.asked.request(question))
            .await
            .map_err(broken)?;
        let (head, mut body) = response.into_parts();
        let keep = check || !head.status.is_success();
        let mut received = 0;
        let mut kept = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(broken)?.into_data() else {
                continue;
            };
            received += data.len();
            if keep {
                kept.extend_from_slice(&data);
            }
        }
        self.sender = Some(sender);
        if !head.status.is_success() {
            kept.truncate(MESSAGE_BYTES);
            let code = Cow::Owned(format!("HTTP {}", head.status.as_u16()));
            return Err(Refusal {
                code,
                message: String::from_utf8_lossy(&kept).into_owned(),
            });
        }
        let rows = self.asked.entities_per_request;
        let values = check
            .then(|| Wire::Http.check(kept.freeze(), rows))
            .transpose();
        Ok(Answer {
            sent,
            received,
            values: values.map_err(Refusal::wrong)?,
        })
    }
}

impl Asked {
    fn request(&self, question: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(question));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(Wire::Http.path());
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }
}
