//! What the host is compared with over HTTP: a bare axum service that was written for one model.

mod native;
mod raw;

#[path = "../../src/flight.rs"]
mod flight;

use std::future::IntoFuture;
use std::io::{self, Write};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;

use native::Question;

/// Serves until it is killed, and says first where.
fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("rest: http://{}", listener.local_addr()?);
        let grpc = TcpListener::bind("127.0.0.1:0").await?;
        println!("grpc: http://{}", grpc.local_addr()?);
        io::stdout().flush()?;
        let router = Router::new().route("/v2/models/{endpoint}/infer", post(infer));
        let method = "/inference.GRPCInferenceService/ModelInfer";
        let methods = Router::new().route(method, post(raw::infer_grpc));
        tokio::spawn(axum::serve(grpc, methods).into_future());
        axum::serve(listener, router).await
    })
}

async fn infer(headers: HeaderMap, body: Bytes) -> Response {
    if let Some(length) = headers.get("inference-header-content-length") {
        let length = length.to_str().ok().and_then(|length| length.parse().ok());
        return raw::infer_binary(&body, length.unwrap_or(usize::MAX));
    }
    let question: Question<'_> = match serde_json::from_slice(&body) {
        Ok(question) => question,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let reply = question.answer().map(|reply| serde_json::to_vec(&reply));
    match reply {
        Some(Ok(json)) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Some(Err(_)) | None => StatusCode::BAD_REQUEST.into_response(),
    }
}
