//! How lookups come in and go out: what is read otherwise stays bytes, and answers write themselves.

use bytes::{BufMut, Bytes};
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use super::answer::Answer;
use super::message::OnlineRequest;

/// The codec of `GetOnlineFeatures` and `GetOnlineFeaturesStream`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LookupCodec;

/// An answer on its way.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// To be written where it is sent.
    Answer(Box<Answer>),
    /// Written already, by a thread that may be busy for long.
    Written(Bytes),
}

impl Codec for LookupCodec {
    type Encode = Outgoing;
    type Decode = OnlineRequest;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for LookupCodec {
    type Item = Outgoing;
    type Error = Status;

    fn encode(&mut self, item: Outgoing, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        // Room for the whole message at once, rather than by doubling.
        match item {
            Outgoing::Answer(answer) => {
                out.reserve(answer.len());
                answer.write(out);
            }
            Outgoing::Written(bytes) => {
                out.reserve(bytes.len());
                out.put(bytes);
            }
        }
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

impl Decoder for LookupCodec {
    type Item = OnlineRequest;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<OnlineRequest>, Status> {
        // What gRPC's own implementations answer to a message that is none.
        OnlineRequest::decode(from)
            .map(Some)
            .map_err(|error| Status::internal(format!("the request cannot be read: {error}")))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}
