//! What the host is compared with over HTTP: a bare axum service that was written for one model.

mod native;

#[path = "../../src/flight.rs"]
mod flight;

use std::io::{self, Write};

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
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
        io::stdout().flush()?;
        let router = Router::new().route("/v2/models/{endpoint}/infer", post(infer));
        axum::serve(listener, router).await
    })
}

async fn infer(body: Bytes) -> Response {
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
