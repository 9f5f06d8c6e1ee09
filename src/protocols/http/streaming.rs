//! A request with a long body, and how its refusal is read although the server closes the connection in the middle of the body.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, future, stream};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, RequestBuilder, Response, StatusCode};
use tokio::sync::oneshot;

use super::response::HttpReply;
use super::{Http, with_typed_errors};
use crate::contract::{Chunks, Result};

/// The bytes of a long request that are sent again, only to read its refusal. They fit into any server's socket buffer, so that
/// the answer is not lost a second time.
const BEGINNING: u64 = 16 << 10;
/// The time to wait for that refusal.
const LISTEN: Duration = Duration::from_secs(2);

/// A request with a long body of known length, not yet sent.
pub struct StreamingRequest {
    /// The request without body and without `Content-Length`.
    pub request: RequestBuilder,
    pub body: Chunks,
    /// Bytes of `body`. Always sent before the body: some PHP servers refuse bodies without a length.
    pub length: u64,
}

impl Http {
    /// As `call_without_timeout`, for a body that the server may refuse while it is being sent. The server answers 413 or 401
    /// and closes the connection; our next write then breaks it, and the answer is lost (5 of 6 times over HTTP/1.1). Then
    /// `again` makes the request anew and only its beginning is sent, to read the refusal. That second request never ends, so
    /// it has no effect on the server. `again` is not polled otherwise.
    pub async fn send_streaming(&self, long: StreamingRequest, again: impl Future<Output = Result<StreamingRequest>>) -> Result<HttpReply> {
        let StreamingRequest { request, body, length } = long;
        let sent = Arc::new(AtomicU64::new(0));
        let counter = sent.clone();
        let body = with_typed_errors(body).inspect_ok(move |piece| {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        });
        let (body, _tether) = abortable(body);
        let request = request.header(CONTENT_LENGTH, length).body(body);
        let (result, url) = self.execute(request).await?;
        match result {
            Ok(response) => {
                if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    self.reuse.record_refused_body(&url);
                }
                self.read_refusal_too(response).await
            }
            Err(error) => {
                // If all bytes were sent, the server may have acted on them, and a later refusal would belong to another
                // request.
                let unfinished = sent.load(Ordering::Relaxed) < length;
                let broken = is_connection_closed(&error);
                let failure = self.failure(error, &url).await;
                // If the connection was closed because of its age, that says nothing about this request.
                let refusal = if unfinished && broken && !failure.is_on_kept_line() { self.read_early_refusal(again).await } else { None };
                refusal.ok_or(failure)
            }
        }
    }

    async fn read_early_refusal(&self, again: impl Future<Output = Result<StreamingRequest>>) -> Option<HttpReply> {
        let StreamingRequest { request, body, length } = again.await.ok()?;
        let beginning = body
            .scan(BEGINNING.min(length.saturating_sub(1)), |left, piece| {
                future::ready(match piece {
                    Ok(piece) if *left > 0 => {
                        let piece = piece.slice(..piece.len().min(usize::try_from(*left).unwrap_or(usize::MAX)));
                        *left -= piece.len() as u64;
                        Some(Ok(piece))
                    }
                    Ok(_) => None,
                    Err(e) => Some(Err(e)),
                })
            })
            .chain(stream::pending());
        let (beginning, _tether) = abortable(beginning);
        let request = request.header(CONTENT_LENGTH, length).body(beginning);
        let reply = tokio::time::timeout(LISTEN, self.call_without_timeout(request)).await.ok()?.ok()?;
        is_refusal(&reply).then_some(reply)
    }

    /// A refusal counts even if the text after its head is lost with the connection.
    async fn read_refusal_too(&self, response: Response) -> Result<HttpReply> {
        let (status, headers, url) = (response.status(), response.headers().clone(), response.url().clone());
        let wordless = HttpReply { status, headers, url, body: Bytes::new() };
        match self.read_verdict(response).await {
            Err(_) if is_refusal(&wordless) => Ok(wordless),
            read => read,
        }
    }
}

/// A body that ends with an error as soon as the other value is dropped. hyper continues to send after the answer has come, and
/// after the caller has gone: gigabytes that are refused already, or a request that should never end.
fn abortable(body: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> (Body, oneshot::Sender<()>) {
    let (tether, cut) = oneshot::channel::<()>();
    let mut cut = cut.fuse();
    let mut body = Box::pin(body);
    let body = stream::poll_fn(move |context| match cut.poll_unpin(context) {
        Poll::Ready(_) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        Poll::Pending => body.poll_next_unpin(context),
    });
    (Body::wrap_stream(body), tether)
}

fn is_refusal(reply: &HttpReply) -> bool {
    reply.status.is_client_error() || reply.status.is_server_error()
}

/// True if the peer closed the connection while we were still writing.
fn is_connection_closed(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    if error.is_connect() {
        return false;
    }
    let mut step: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(e) = step {
        if let Some(io) = e.downcast_ref::<std::io::Error>() {
            return matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset);
        }
        step = e.source();
    }
    false
}
