//! Reflection: what there is to call, told to tools that have no description of it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response};
use tonic::codegen::Service;
use tonic_reflection::server::Builder;

use crate::reply::{self, Reply};
use crate::routes::grpc::method::ReflectionVersion;

/// `inference.proto` as descriptors.
const DESCRIPTORS: &[u8] = include_bytes!("../../../proto/inference.bin");

type Answer = Pin<Box<dyn Future<Output = Response<tonic::body::Body>> + Send>>;
type Answers = Arc<dyn Fn(Request<Incoming>) -> Answer + Send + Sync>;

/// The two services for reflection. `Clone` costs two atomic increments.
#[derive(Clone)]
pub(super) struct Reflection {
    v1: Answers,
    v1alpha: Answers,
}

impl Reflection {
    /// Services that know every service of ours.
    pub(super) fn new() -> Self {
        const BUILT: &str = "invariant: the descriptors are those that a test has read";
        let v1 = builder().build_v1().expect(BUILT);
        let v1alpha = builder().build_v1alpha().expect(BUILT);
        Self {
            v1: Arc::new(move |request| {
                let answer = v1.clone().call(request);
                Box::pin(async { answer.await.unwrap_or_else(|never| match never {}) })
            }),
            v1alpha: Arc::new(move |request| {
                let answer = v1alpha.clone().call(request);
                Box::pin(async { answer.await.unwrap_or_else(|never| match never {}) })
            }),
        }
    }

    /// The reply of one of the services.
    pub(super) async fn reply(
        &self,
        version: ReflectionVersion,
        request: Request<Incoming>,
    ) -> Reply {
        let answers = match version {
            ReflectionVersion::V1 => &self.v1,
            ReflectionVersion::V1Alpha => &self.v1alpha,
        };
        reply::foreign(answers(request).await)
    }
}

impl fmt::Debug for Reflection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reflection")
    }
}

fn builder() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
