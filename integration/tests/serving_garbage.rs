//! What no client should send, over gRPC and HTTP: a clear error each time, and the server lives.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use bytes::{BufMut, Bytes};
use fs_integration::{Client, Entity, Online, Repo, Served};
use fs_proto::v1::GetOnlineFeaturesResponse;
use fs_testkit::net::PATIENCE;
use tonic::client::Grpc;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstDecoder;

const SERVICE: &str = "delay_model_v1";
const ENTITY: [(&str, &str); 4] = [
    ("tailnum", "N14228"),
    ("carrier", "UA"),
    ("origin", "EWR"),
    ("dest", "IAH"),
];
const LOOKUP: &str = "/fs.v1.FeatureStore/GetOnlineFeatures";

fn served(args: &[&str]) -> Result<(Repo, Served)> {
    let repo =
        Repo::flights("garbage", &Online::Embedded)?.materialized("2013-01-01", "2013-01-02")?;
    let server = repo.serve(&[&["--now", "2013-01-08"], args].concat())?;
    Ok((repo, server))
}

async fn lives(server: &Served) -> Result<()> {
    let mut client = Client::connect(server.url()).await?;
    client.service(SERVICE, &[&ENTITY]).await?;
    assert_eq!(server.get("/health")?.0, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_are_refused_over_grpc() -> Result<()> {
    let (_repo, server) = served(&["--max-message-bytes", "100000"])?;
    let large = [&[0x0a, 0xc0, 0x9a, 0x0c][..], &b"x".repeat(200_000)];
    let large: Bytes = large.concat().into();
    for (path, bytes, codes) in [
        (
            "/no.such.Service/Method",
            Bytes::new(),
            &[Code::Unimplemented][..],
        ),
        (
            "/fs.v1.FeatureStore/NoSuchMethod",
            Bytes::new(),
            &[Code::Unimplemented],
        ),
        // A length beyond the end; no field number; no wire type; a name that is not UTF-8; nothing.
        (
            LOOKUP,
            b"\x0a\xff\xff\xff\x7f"[..].into(),
            &[Code::Internal, Code::InvalidArgument],
        ),
        (
            LOOKUP,
            b"\x00"[..].into(),
            &[Code::Internal, Code::InvalidArgument],
        ),
        (
            LOOKUP,
            b"\x0f"[..].into(),
            &[Code::Internal, Code::InvalidArgument],
        ),
        (
            LOOKUP,
            b"\x0a\x02\xff\xfe"[..].into(),
            &[Code::Internal, Code::InvalidArgument],
        ),
        (LOOKUP, Bytes::new(), &[Code::InvalidArgument]),
        (LOOKUP, large, &[Code::OutOfRange, Code::ResourceExhausted]),
    ] {
        let status = send(&server, path, bytes.clone()).await.err();
        let status = status.with_context(|| format!("{path} took {} bytes", bytes.len()))?;
        ensure!(codes.contains(&status.code()), "{path}: {status:?}");
        ensure!(!status.message().is_empty(), "{path}: {status:?}");
        ensure!(
            status.metadata().contains_key("x-request-id"),
            "{path}: {status:?}"
        );
        lives(&server).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_too_much_or_of_the_wrong_kind_are_refused_over_grpc() -> Result<()> {
    let (_repo, server) = served(&["--max-rows", "1000", "--max-values", "5000"])?;
    let mut client = Client::connect(server.url()).await?;
    let no_such_key: Entity = &[("tailnum", "x"), ("origin", "x"), ("destination", "x")];
    for (entities, code, says) in [
        (
            vec![&ENTITY[..]; 1_001],
            Code::ResourceExhausted,
            "takes 1000 at once",
        ),
        (
            vec![&ENTITY[..]; 1_000],
            Code::ResourceExhausted,
            "gives 5000 at once",
        ),
        (
            vec![&ENTITY[..1]],
            Code::InvalidArgument,
            "`origin` is missing",
        ),
        (vec![no_such_key], Code::InvalidArgument, "destination"),
    ] {
        let error = client.service(SERVICE, &entities).await.err();
        let error = error.context("it was answered")?;
        let status = error.downcast_ref::<Status>().context("a gRPC status")?;
        assert_eq!(status.code(), code, "{status:?}");
        ensure!(status.message().contains(says), "{status:?}");
    }
    lives(&server).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_over_http() -> Result<()> {
    let (_repo, server) = served(&["--max-message-bytes", "100000"])?;
    let large = format!("{{\"feature_service\":\"{}\"}}", "x".repeat(200_000));
    for (body, statuses) in [
        (&b"{"[..], &[400, 422][..]),
        (b"", &[400, 422]),
        (b"null", &[400, 422]),
        (b"[1,2,3]", &[400, 422]),
        (b"{\"feature_service\":\"\xff\xfe\"}", &[400, 422]),
        (b"{\"feature_service\":7}", &[400, 422]),
        (
            b"{\"feature_service\":\"no_such_service\",\"entities\":{}}",
            &[400, 404, 422],
        ),
        (
            b"{\"features\":[\"origin_weather:temp\"],\"entities\":{\"origin\":[{}]}}",
            &[400, 422],
        ),
        (large.as_bytes(), &[413]),
    ] {
        let (status, answer) = post(&server, "/get-online-features", body)?;
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]);
        ensure!(statuses.contains(&status), "{shown}: {status} {answer}");
        ensure!(!answer.is_empty(), "{shown}: {status} says nothing");
    }
    assert_eq!(post(&server, "/no-such-page", b"{}")?.0, 404);
    assert_eq!(server.get("/get-online-features")?.0, 405);
    // What is no HTTP at all.
    let mut stream = TcpStream::connect(&server.http)?;
    stream.write_all(b"\xff\xfe\x00 garbage\r\n\r\n")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    lives(&server).await
}

fn post(server: &Served, path: &str, body: &[u8]) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(&server.http)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: fs\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    // The server may have answered, and closed, before it has read all of a body that is too large.
    stream.write_all(body).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("an HTTP answer")?;
    let status = head.split(' ').nth(1).context("a status")?.parse()?;
    Ok((status, body.to_owned()))
}

/// Sends bytes as a message, whatever they are.
async fn send(
    server: &Served,
    path: &'static str,
    bytes: Bytes,
) -> Result<GetOnlineFeaturesResponse, Status> {
    let endpoint = Endpoint::from_shared(server.url());
    let endpoint = endpoint.map_err(|error| Status::internal(error.to_string()))?;
    let channel: Channel = endpoint.connect_lazy();
    let mut grpc = Grpc::new(channel);
    let ready = grpc.ready().await;
    ready.map_err(|error| Status::internal(error.to_string()))?;
    let path = tonic::codegen::http::uri::PathAndQuery::from_static(path);
    let answer = grpc.unary(Request::new(bytes), path, RawCodec).await?;
    Ok(answer.into_inner())
}

#[derive(Debug, Default)]
struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = GetOnlineFeaturesResponse;
    type Encoder = RawEncoder;
    type Decoder = ProstDecoder<GetOnlineFeaturesResponse>;

    fn encoder(&mut self) -> RawEncoder {
        RawEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

#[derive(Debug)]
struct RawEncoder;

impl Encoder for RawEncoder {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, bytes: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(bytes);
        Ok(())
    }
}
