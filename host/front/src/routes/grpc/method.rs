//! The methods that there are, and what each is allowed to whom.

use crate::guard::Act;
use crate::problem::Problem;

/// A method of one of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    ServerLive,
    ServerReady,
    ServerMetadata,
    ModelReady,
    ModelMetadata,
    ModelInfer,
    ModelStreamInfer,
    ModelStatistics,
    RepositoryIndex,
    RepositoryModelLoad,
    RepositoryModelUnload,
    HealthCheck,
    HealthWatch,
    Reflection(ReflectionVersion),
}

/// Which of two services for reflection: clients are slow to take up the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReflectionVersion {
    V1Alpha,
    V1,
}

const INFERENCE: &str = "/inference.GRPCInferenceService/";

impl Method {
    /// The method that a path names.
    pub(super) fn parse(path: &str) -> Result<Self, Problem> {
        let method = match path.strip_prefix(INFERENCE) {
            Some("ServerLive") => Self::ServerLive,
            Some("ServerReady") => Self::ServerReady,
            Some("ServerMetadata") => Self::ServerMetadata,
            Some("ModelReady") => Self::ModelReady,
            Some("ModelMetadata") => Self::ModelMetadata,
            Some("ModelInfer") => Self::ModelInfer,
            Some("ModelStreamInfer") => Self::ModelStreamInfer,
            Some("ModelStatistics") => Self::ModelStatistics,
            Some("RepositoryIndex") => Self::RepositoryIndex,
            Some("RepositoryModelLoad") => Self::RepositoryModelLoad,
            Some("RepositoryModelUnload") => Self::RepositoryModelUnload,
            Some(_) => return Err(unknown(path)),
            None => match path {
                "/grpc.health.v1.Health/Check" => Self::HealthCheck,
                "/grpc.health.v1.Health/Watch" => Self::HealthWatch,
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" => {
                    Self::Reflection(ReflectionVersion::V1)
                }
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" => {
                    Self::Reflection(ReflectionVersion::V1Alpha)
                }
                _ => return Err(unknown(path)),
            },
        };
        Ok(method)
    }

    /// What who calls it wants to do.
    pub(super) const fn act(self) -> Act {
        match self {
            Self::ServerLive | Self::ServerReady | Self::HealthCheck => Act::Health,
            Self::ServerMetadata
            | Self::ModelReady
            | Self::ModelMetadata
            | Self::RepositoryIndex
            | Self::HealthWatch
            | Self::Reflection(_) => Act::Describe,
            Self::ModelInfer | Self::ModelStreamInfer => Act::Infer,
            Self::ModelStatistics => Act::Observe,
            Self::RepositoryModelLoad | Self::RepositoryModelUnload => Act::Operate,
        }
    }
}

#[cold]
fn unknown(path: &str) -> Problem {
    Problem::UnknownMethod { path: path.to_owned() }
}
