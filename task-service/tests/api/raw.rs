//! Calls of methods that are known by their descriptors only, so that a test
//! can walk all of them, those that are yet to be written too.

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::{Message as _, encoding};
use prost_types::{DescriptorProto, FileDescriptorSet, MethodDescriptorProto};
use tonic::{
    Request, Response, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// A method of `task.v1.TaskService`, and what goes into it.
pub(crate) struct Method {
    pub(crate) name: String,
    input: DescriptorProto,
}

/// What a method's request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    Parent,
    Task,
}

/// Every method of the service.
pub(crate) fn methods() -> Vec<Method> {
    let set = FileDescriptorSet::decode(proto::DESCRIPTORS).expect("descriptors");
    let files: Vec<_> = set.file.iter().filter(|file| file.package() == "task.v1").collect();
    let message = |full: &str| {
        let messages = files.iter().flat_map(|file| &file.message_type);
        let found = messages.clone().find(|message| format!(".task.v1.{}", message.name()) == full);
        found.expect("a message of the package").clone()
    };
    let services = files.iter().flat_map(|file| &file.service);
    let service = services.clone().find(|service| service.name() == "TaskService");
    let method = |method: &MethodDescriptorProto| Method {
        name: method.name().to_owned(),
        input: message(method.input_type()),
    };
    service.expect("the service").method.iter().map(method).collect()
}

impl Method {
    /// What the request names.
    pub(crate) fn names(&self) -> Names {
        if self.field("parent").is_some() { Names::Parent } else { Names::Task }
    }

    /// A request that names these, wherever the method wants it.
    pub(crate) fn naming(&self, user: &str, task: &str) -> Bytes {
        let mut request = Vec::new();
        match (self.field("parent"), self.field("name"), self.field("task")) {
            (Some(parent), _, _) => {
                encoding::string::encode(parent, &user.to_owned(), &mut request)
            }
            (_, Some(name), _) => encoding::string::encode(name, &task.to_owned(), &mut request),
            (_, _, Some(field)) => {
                let task = proto::task::v1::Task { name: task.to_owned(), ..Default::default() };
                encoding::message::encode(field, &task, &mut request);
            }
            _ => panic!("{} names nothing that this walk knows", self.name),
        }
        request.into()
    }

    /// Calls the method with an encoded request and these `authorization`s.
    pub(crate) async fn call(
        &self,
        channel: &Channel,
        authorization: &[&str],
        request: Bytes,
    ) -> Result<Response<Bytes>, Status> {
        let mut request = Request::new(request);
        for value in authorization {
            let value = value.parse().expect("a header value");
            request.metadata_mut().append("authorization", value);
        }
        let path = format!("/task.v1.TaskService/{}", self.name).parse().expect("a path");
        let mut client = Grpc::new(channel.clone());
        client.ready().await.expect("the service is there");
        client.unary(request, path, Raw).await
    }

    fn field(&self, name: &str) -> Option<u32> {
        let field = self.input.field.iter().find(|field| field.name() == name)?;
        Some(field.number().unsigned_abs())
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
