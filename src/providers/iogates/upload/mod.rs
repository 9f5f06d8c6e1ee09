//! Opens the upload session of an item: choose a protocol, make the entry, open the first protocol that accepts us. All
//! protocols fill the same entry, because no byte has reached it.

pub(crate) mod batch;
pub(crate) mod choose;
pub(crate) mod entry_pool;
pub(crate) mod make_entry;
pub(crate) mod methods;

use reqwest::Url;

use super::entry::{entry_of, is_empty, remember_secret};
use super::remote::IoGates;
use super::upload::choose::{Preference, all_closed_error, choose, needs_size};
use super::upload::entry_pool::EmptyEntry;
use super::upload::make_entry::entry_for;
use super::upload::methods::{Method, UploadMethod, UploadMethods};
use crate::contract::{Error, Kind, Result, Upload, UploadHandle, UploadRequest, UploadSession};
use crate::model::{Entry, Protocol};
use crate::protocols::ftp;
use crate::protocols::ftp::FtpTarget;
use crate::protocols::plupload::{self, PluploadTarget};
use crate::protocols::tus::{self, TusServer, TusTarget};

/// The suffix of a file at ioGates while FTP sends it; the server processes the file after the renaming (providers.md 1.16).
const ON_ITS_WAY: &str = ".download";

/// OQ-3: the documents require the exact name; the vendor's own client of 2017 sent another.
const OTHER_READING: &str = "if files never arrive, set append_extension for this remote to its opposite (true or false)";

pub async fn open(host: &IoGates, item: &UploadRequest) -> Result<Upload> {
    let path = item.path()?;
    let wish = Preference { forced: item.protocol.or(host.settings.protocol), avoid: &item.avoid, size: item.source.size() };
    // Asked before an entry is made, so that a file that can't be uploaded leaves no empty entry behind (OQ-2).
    let candidates = choose(&*host.api.offers().await?, &wish)?;
    let (spot, made) = entry_for(host, item, &path).await?;
    let folder = Some(item.folder.id.clone()).filter(|id| !id.is_empty());
    let (id, upload_name) = (Some(made.id.clone()), Some(made.upload_name.clone()));
    let ticket = UploadHandle { path, id, upload_name, folder, size: item.source.size(), ..UploadHandle::default() };
    if let Some(note) = &item.on_created {
        note(&ticket)?;
    }
    match open_first(host, item, &made, &candidates).await {
        Ok(session) => {
            let if_missing = (session.protocol() == Protocol::Tus).then_some(OTHER_READING);
            Ok(Upload { ticket: UploadHandle { missing_hint: if_missing, ..ticket }, session })
        }
        Err(error) => {
            host.making.release(spot, made);
            host.api.forget_offers().await;
            Err(error)
        }
    }
}

async fn open_first(host: &IoGates, item: &UploadRequest, made: &EmptyEntry, candidates: &[Protocol]) -> Result<Box<dyn UploadSession>> {
    // Making the entry may have taken long, and the credentials must be valid now (OQ-2).
    let mut offers = host.api.offers().await?;
    let mut refusals = Vec::new();
    for protocol in candidates {
        let mut opened = open_one(host, item, made, &offers, *protocol).await;
        if opened.as_ref().is_err_and(|error| matches!(error.status_code(), Some(401 | 403))) {
            // The address contains the token, and another task may have renewed the token by now. A new request returns a fresh
            // address, or shows that our token is expired.
            host.api.forget_offers().await;
            offers = host.api.offers().await?;
            opened = open_one(host, item, made, &offers, *protocol).await;
        }
        match opened {
            Ok(session) => return Ok(session),
            Err(error) if is_closed_to_us(&error) => refusals.push((*protocol, error)),
            Err(error) => return Err(error),
        }
    }
    Err(all_closed_error(refusals))
}

/// True if the server refuses this protocol or can't be reached by it; another protocol may work.
fn is_closed_to_us(error: &Error) -> bool {
    use Kind::{NotFound, Protocol, Refused, Unreachable, Unsupported, Untrusted};
    matches!(error.kind(), Unreachable | Untrusted | Refused | NotFound | Unsupported | Protocol)
}

async fn open_one(
    host: &IoGates,
    item: &UploadRequest,
    made: &EmptyEntry,
    offers: &UploadMethods,
    protocol: Protocol,
) -> Result<Box<dyn UploadSession>> {
    let offer: &UploadMethod =
        offers.find(protocol).ok_or_else(|| Error::new(Kind::Unsupported, format!("the server no longer offers {protocol}")))?;
    let name = made.upload_name.clone();
    match &offer.way {
        Method::Tus { endpoint, chunk_size } => {
            let target = tus_target(host, item, &name, endpoint, *chunk_size);
            Ok(Box::new(tus::create_on(&host.tus, &host.api.http, target).await?))
        }
        Method::Plupload { url, chunk_size } => {
            let target = PluploadTarget {
                url: url.clone(),
                name,
                headers: Default::default(),
                chunk_size: smaller(*chunk_size, item.chunk_size),
                size: item.source.size().ok_or_else(needs_size)?,
            };
            Ok(Box::new(plupload::open(&host.api.http, target)))
        }
        Method::Ftp(server) => Ok(Box::new(ftp::open(&host.pools.of(server), ftp_target(host, item, name)).await?)),
    }
}

/// An empty entry that still shows its upload name can be filled. (The documentation shows the name only in the answer to its
/// making, so a server may not show it again: then the entry is left alone.)
pub async fn adopt(host: &IoGates, entry: &Entry) -> Result<Option<UploadHandle>> {
    if entry.is_folder() {
        return Ok(None);
    }
    let file = host.api.file(&entry.id).await?;
    let upload_name = file.upload_filename.clone().filter(|_| is_empty(&file));
    let ticket =
        |name| UploadHandle { path: entry.path.clone(), id: Some(entry.id.clone()), upload_name: Some(name), ..UploadHandle::default() };
    Ok(upload_name.map(ticket))
}

/// Resumes what an earlier run began: by TUS at the upload's own address, by FTP under its temporary name. plupload has no
/// note, as a receiver can't be asked for its offset.
pub async fn resume(host: &IoGates, item: &UploadRequest, ticket: &UploadHandle, note: &str) -> Result<Option<Upload>> {
    let Some(name) = ticket.upload_name.clone() else { return Ok(None) };
    let offers = host.api.offers().await?;
    let session: Box<dyn UploadSession> = match web_address(note) {
        Some(upload) => {
            let Some(UploadMethod { way: Method::Tus { endpoint, chunk_size }, .. }) = offers.find(Protocol::Tus) else { return Ok(None) };
            Box::new(tus::resume(&host.api.http, tus_target(host, item, &name, endpoint, *chunk_size), upload))
        }
        None => {
            let ftp = [Protocol::Ftps, Protocol::Ftp].into_iter().find_map(|protocol| offers.find(protocol));
            let Some(UploadMethod { way: Method::Ftp(server), .. }) = ftp else { return Ok(None) };
            let target = ftp_target(host, item, name);
            // If a dead connection held the usual temporary name, the earlier run used another one: the note tells which.
            let temporary = target.temporary.map(|usual| if note.ends_with(ON_ITS_WAY) { note.to_owned() } else { usual });
            Box::new(ftp::open(&host.pools.of(server), FtpTarget { temporary, ..target }).await?)
        }
    };
    Ok(Some(Upload { ticket: ticket.clone(), session }))
}

/// The address of a TUS upload. FTP notes a file name, and a name like `a:b` would parse as a URL of some scheme.
fn web_address(note: &str) -> Option<Url> {
    let is_web = ["https://", "http://"].iter().any(|scheme| note.starts_with(scheme));
    is_web.then(|| Url::parse(note).ok()).flatten()
}

fn tus_target(host: &IoGates, item: &UploadRequest, name: &str, endpoint: &Url, chunk_size: Option<u64>) -> TusTarget {
    // No header of ours is sent: the address contains the token, and it may lead to another server (providers.md 1.14).
    TusTarget {
        endpoint: endpoint.clone(),
        metadata: vec![("filename".to_owned(), host.settings.tus_name(name, &item.name))],
        headers: Default::default(),
        size: item.source.size(),
        chunk_size: smaller(chunk_size, item.chunk_size),
        manners: TusServer::default(),
    }
}

fn ftp_target(host: &IoGates, item: &UploadRequest, name: String) -> FtpTarget {
    let temporary = (!host.settings.ftp_direct).then(|| format!("{name}{ON_ITS_WAY}"));
    FtpTarget { name, temporary, size: item.source.size(), ..FtpTarget::default() }
}

/// The smaller of the two limits: never above what the server allows.
fn smaller(server: Option<u64>, user: Option<u64>) -> Option<u64> {
    match (server, user) {
        (Some(server), Some(user)) => Some(server.min(user)),
        (one, other) => one.or(other),
    }
}

/// The upload is complete as soon as the server reports its MD5 or its download URL (providers.md 1.7, OQ-11).
pub async fn find_uploaded(host: &IoGates, ticket: &UploadHandle) -> Result<Option<Entry>> {
    let id =
        ticket.id.as_deref().ok_or_else(|| Error::new(Kind::Other, "this upload has no entry").with_subject(ticket.path.to_string()))?;
    let file = host.api.file(id).await.map_err(|error| error.with_subject(ticket.path.to_string()))?;
    if is_empty(&file) {
        return Ok(None);
    }
    host.listing.forget().await;
    remember_secret(&file);
    let mut entry = entry_of(file, ticket.path.clone());
    entry.id = id.to_owned();
    Ok(Some(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_never_larger_than_either_side_allows() {
        assert_eq!(smaller(Some(10), Some(5)), Some(5));
        assert_eq!(smaller(Some(10), Some(50)), Some(10));
        assert_eq!(smaller(None, Some(5)), Some(5));
        assert_eq!(smaller(Some(10), None), Some(10));
        assert_eq!(smaller(None, None), None);
    }

    #[test]
    fn a_name_with_a_colon_is_no_address() {
        assert!(web_address("https://h.example/files/1").is_some() && web_address("http://127.0.0.1:80/1").is_some());
        for name in ["a.download", "a:b.download", "http:b.download", "https://", "ftp://h.example/x"] {
            assert_eq!(web_address(name), None, "{name}");
        }
    }

    #[test]
    fn what_another_protocol_may_mend() {
        let error = |kind| Error::new(kind, "");
        assert!([Kind::Unreachable, Kind::Untrusted, Kind::Refused].into_iter().all(|kind| is_closed_to_us(&error(kind))));
        assert!(!is_closed_to_us(&error(Kind::Interrupted)) && !is_closed_to_us(&error(Kind::NeedsSize)));
    }
}
