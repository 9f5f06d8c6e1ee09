//! A provider that can only accept uploads, like a plain TUS endpoint: the engine must not need more.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use futures_util::TryStreamExt;
use parking_lot::Mutex;

use crate::contract::{
    Abilities, AnyProvider, BoxFuture, Chunking, Error, Kind, Part, Provider, ProviderContext, ProviderInfo, Recovery, Result, Upload,
    UploadHandle, UploadRequest, UploadSession,
};
use crate::model::{Account, Protocol};

/// What the server received.
#[derive(Default)]
pub struct Received {
    /// Calls of any kind.
    pub calls: AtomicUsize,
    /// Bytes by path.
    pub files: Mutex<BTreeMap<String, Vec<u8>>>,
}

/// The servers of the providers that are opened through [`MINIMAL`].
pub fn received_calls() -> Arc<Received> {
    static RECEIVED: OnceLock<Arc<Received>> = OnceLock::new();
    RECEIVED.get_or_init(Arc::default).clone()
}

pub static MINIMAL: ProviderInfo = ProviderInfo {
    id: "minimal",
    aliases: &[],
    title: "Minimal",
    default_url: Some("https://minimal.example"),
    sample_url: "https://localhost",
    settings: &[],
    protocols: &[Protocol::Tus],
    open,
};

fn open(_: ProviderContext) -> Result<AnyProvider> {
    Ok(Arc::new(MinimalProvider(received_calls())))
}

pub struct MinimalProvider(pub Arc<Received>);

impl MinimalProvider {
    fn record_call<T: Send + 'static>(&self, answer: T) -> BoxFuture<'_, Result<T>> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(answer) })
    }
}

impl Provider for MinimalProvider {
    fn info(&self) -> &'static ProviderInfo {
        &MINIMAL
    }
    fn abilities(&self) -> Abilities<'_> {
        Abilities::default()
    }
    fn origin(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async { Ok("https://minimal.example".to_owned()) })
    }
    fn reach(&self) -> BoxFuture<'_, Result<String>> {
        self.record_call("204".to_owned())
    }
    fn probe(&self, _: Protocol) -> BoxFuture<'_, Result<String>> {
        self.record_call("204".to_owned())
    }
    fn sign_in(&self) -> BoxFuture<'_, Result<Account>> {
        self.record_call(Account { protocols: vec![Protocol::Tus], ..Account::default() })
    }
    fn renew_token(&self) -> BoxFuture<'_, Result<()>> {
        self.record_call(())
    }
    fn sign_out(&self) -> BoxFuture<'_, Result<bool>> {
        self.record_call(false)
    }
    fn check_name(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn open_upload<'a>(&'a self, item: &'a UploadRequest) -> BoxFuture<'a, Result<Upload>> {
        Box::pin(async {
            self.record_call(()).await?;
            let ticket = UploadHandle { path: item.path()?, size: item.source.size(), ..UploadHandle::default() };
            let session = MinimalSession { at: ticket.path.to_string(), received: self.0.clone(), cut: false };
            self.0.files.lock().insert(session.at.clone(), Vec::new());
            Ok(Upload { ticket, session: Box::new(session) })
        })
    }
}

/// Keeps half of one part, and loses the answer.
struct MinimalSession {
    at: String,
    received: Arc<Received>,
    cut: bool,
}

impl UploadSession for MinimalSession {
    fn protocol(&self) -> Protocol {
        Protocol::Tus
    }
    fn note(&self) -> Option<String> {
        None
    }
    fn chunking(&self) -> Chunking {
        Chunking::Parts(4)
    }
    fn takes_unknown_size(&self) -> bool {
        true
    }
    fn send(&mut self, part: Part) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            self.received.calls.fetch_add(1, Ordering::Relaxed);
            let bytes: Vec<u8> = part.chunks().try_collect::<Vec<_>>().await.map_err(|e| Error::reading(&e))?.concat();
            let mut files = self.received.files.lock();
            let file = files.get_mut(&self.at).unwrap();
            assert_eq!(file.len() as u64, part.offset, "sent from where the server stands");
            if part.offset > 0 && !std::mem::replace(&mut self.cut, true) {
                file.extend_from_slice(&bytes[..bytes.len() / 2]);
                return Err(Error::new(Kind::Interrupted, "the answer was lost"));
            }
            file.extend_from_slice(&bytes);
            Ok(file.len() as u64)
        })
    }
    fn recover<'a>(&'a mut self, _: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        Box::pin(async { Ok(Recovery::ResumeAt(self.received.files.lock()[&self.at].len() as u64)) })
    }
    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { None })
    }
}
