//! A request whose body takes long, and how its refusal is heard although the server hangs up in the middle of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, future, stream};
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, RequestBuilder, Response};
use tokio::sync::oneshot;

use super::response::HttpReply;
use super::{Http, with_typed_errors};
use crate::contract::{Chunks, Result};

/// Of a long request that is asked again only to hear its refusal: so much is sent, and so long is listened. Less than
/// any server's socket buffer, so that its answer is not lost a second time.
const BEGINNING: u64 = 16 << 10;
const LISTEN: Duration = Duration::from_secs(2);

/// A request with a long body of known length, not yet sent.
pub struct StreamingRequest {
    /// Without body and without `Content-Length`.
    pub request: RequestBuilder,
    pub body: Chunks,
    /// Bytes of `body`. Always told beforehand: PHP set-ups refuse bodies without a length.
    pub length: u64,
}

impl Http {
    /// As `call_without_timeout`, for a body that the server may refuse while it is still being sent: it answers 413 or 401 and
    /// closes, our next write breaks the line, and with it the answer is lost (5 of 6 times over HTTP/1.1). Then `again`
    /// makes the request anew, its beginning is sent, and whatever the server refuses is heard; that second request
    /// never ends, so nothing can come of it at the server. `again` is not polled otherwise.
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
            Ok(response) => self.read_refusal_too(response).await,
            Err(error) => {
                // All bytes handed over: the server may have acted on them, and a refusal heard now would be about
                // another request.
                let unfinished = sent.load(Ordering::Relaxed) < length;
                let broken = hung_up(&error);
                let failure = self.failure(error, &url).await;
                // A connection that died of its age says nothing about this request.
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

    /// A refusal stays one when the words after its head are lost with the line.
    async fn read_refusal_too(&self, response: Response) -> Result<HttpReply> {
        let (status, headers, url) = (response.status(), response.headers().clone(), response.url().clone());
        let wordless = HttpReply { status, headers, url, body: Bytes::new() };
        match self.read_verdict(response).await {
            Err(_) if is_refusal(&wordless) => Ok(wordless),
            read => read,
        }
    }
}

/// A body that breaks off as soon as the other value is dropped. hyper goes on sending after the answer has come, and
/// after nobody waits for one any more: gigabytes that are refused already, or a request that should never end.
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

/// Did the other side close while we were still writing?
fn hung_up(error: &reqwest::Error) -> bool {
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
