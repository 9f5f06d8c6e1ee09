//! TUS, plupload and multipart with real servers (`web_servers`) and with scripted ones (`raw`).

mod endless;
mod multipart;
mod plupload;
mod refused_early;
mod test_form;
mod tus;
mod tus_answers;
mod tus_creation;

use std::sync::Arc;
use std::time::Duration;

use haul::contract::{Chunking, Network, Part, Recovery, Source, UploadSession};
use haul::protocols::http::Http;
use haul::{Error, Result};

use haul::testing::MemorySource;

fn http() -> Http {
    Http::new(&Network { timeout: Duration::from_secs(20), ca_file: None, insecure: false }).unwrap()
}

fn part(source: &Arc<MemorySource>, offset: u64, len: u64, last: bool) -> Part {
    Part { source: source.clone(), offset, len, last }
}

fn whole(source: &Arc<MemorySource>) -> Part {
    part(source, 0, source.len(), true)
}

/// What became of a delivery.
#[derive(Debug, Default)]
struct Course {
    /// Where each sent part began.
    offsets: Vec<u64>,
    failures: Vec<Error>,
}

/// The upload loop in its shortest form, from byte `offset` on: sends, asks after each failure that may pass, finishes.
async fn deliver(session: &mut dyn UploadSession, source: &Arc<MemorySource>, mut offset: u64) -> Result<Course> {
    let mut course = Course::default();
    loop {
        let most = match session.chunking() {
            Chunking::Whole => u64::MAX,
            Chunking::Parts(most) => most,
        };
        let len = source.available(offset, most).await?;
        let last = offset + len == source.len();
        course.offsets.push(offset);
        match session.send(part(source, offset, len, last)).await {
            Ok(end) if last && end == source.len() => break,
            Ok(end) => offset = end,
            Err(failure) if failure.kind().is_transient() && course.failures.len() < 20 => {
                match session.recover(&failure).await? {
                    Recovery::ResumeAt(from) => offset = from,
                    Recovery::StartOver => return Err(failure),
                }
                course.failures.push(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    session.finish().await?;
    Ok(course)
}
