//! Calls of methods that are known by their descriptors only, so that a test
//! can walk all of them, those that are yet to be written too.

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message as _;
use prost_types::{FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// A method of one of the services.
pub(crate) struct Method {
    pub(crate) service: String,
    pub(crate) name: String,
}

/// Every method of `task.v1.TaskService`.
pub(crate) fn methods() -> Vec<Method> {
    all().into_iter().filter(|method| method.service == "TaskService").collect()
}

/// Every method of every service.
pub(crate) fn all() -> Vec<Method> {
    let set = FileDescriptorSet::decode(proto::DESCRIPTORS).expect("descriptors");
    let files: Vec<_> = set.file.iter().filter(|file| file.package() == "task.v1").collect();
    let method = |service: &ServiceDescriptorProto, method: &MethodDescriptorProto| Method {
        service: service.name().to_owned(),
        name: method.name().to_owned(),
    };
    let services = files.iter().flat_map(|file| &file.service);
    services
        .flat_map(|service| service.method.iter().map(move |one| method(service, one)))
        .collect()
}

impl Method {
    /// Calls the method with an encoded request and these `authorization`s, and
    /// takes the first message of its answer.
    pub(crate) async fn call(
        &self,
        channel: &Channel,
        authorization: &[&str],
        request: Bytes,
    ) -> Result<Option<Bytes>, Status> {
        let mut request = Request::new(request);
        for value in authorization {
            let value = value.parse().expect("a header value");
            request.metadata_mut().append("authorization", value);
        }
        let path = format!("/task.v1.{}/{}", self.service, self.name).parse().expect("a path");
        let mut client = Grpc::new(channel.clone());
        client.ready().await.expect("the service is there");
        client.server_streaming(request, path, Raw).await?.into_inner().message().await
    }
}

/// Messages as they are on the wire.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
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
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
