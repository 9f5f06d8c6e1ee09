//! Chooses the upload protocols to try, in order: the user's, else TUS, plupload, FTPS of those on offer (OQ-12).

use super::methods::UploadMethods;
use crate::contract::Closed;
use crate::error::{Error, Kind, Result};
use crate::model::Protocol;

pub struct Preference<'a> {
    /// The user's choice: this protocol or none.
    pub forced: Option<Protocol>,
    /// Protocols that turned out to be closed to us during this upload.
    pub avoid: &'a [Closed],
    /// Bytes, if known.
    pub size: Option<u64>,
}

/// Returns at least one protocol, best first. Fails with `Refused` when the file is too large for the account or for every
/// protocol, with `Unsupported` when nothing usable is on offer, with `NeedsSize` when the best one must know the size. If all
/// that is on offer turned out to be closed, returns the error that closed them.
pub fn choose(offers: &UploadMethods, wish: &Preference<'_>) -> Result<Vec<Protocol>> {
    fits_account(offers, wish.size)?;
    let candidates = match wish.forced {
        Some(protocol) => vec![check_forced(offers, protocol, wish)?],
        None => usable(offers, wish)?,
    };
    if wish.size.is_none() && candidates.first() == Some(&Protocol::Plupload) {
        return Err(needs_size());
    }
    Ok(candidates)
}

/// plupload sends the number of each chunk and their total as `chunk` and `chunks` (providers.md 4).
pub fn needs_size() -> Error {
    Error::new(Kind::NeedsSize, "plupload must know the size before it begins")
}

fn fits_account(offers: &UploadMethods, size: Option<u64>) -> Result<()> {
    let Some(size) = size else { return Ok(()) };
    if let Some(most) = offers.max_file_size.filter(|most| size > *most) {
        return Err(Error::new(Kind::Refused, format!("{size} bytes are too large: the account takes files of up to {most} bytes")));
    }
    if let Some(free) = offers.available_storage.filter(|free| size > *free) {
        return Err(Error::new(Kind::Refused, format!("{size} bytes don't fit: the account has room for {free} bytes"))
            .with_hint("free some space there, or ask for more storage"));
    }
    Ok(())
}

fn check_forced(offers: &UploadMethods, protocol: Protocol, wish: &Preference<'_>) -> Result<Protocol> {
    if let Some(closed) = wish.avoid.iter().find(|closed| closed.protocol == protocol) {
        return Err(closed.error.duplicate());
    }
    let Some(offer) = offers.find(protocol) else {
        let error = match offers.closed.iter().find(|(closed, _)| *closed == protocol) {
            Some((_, why)) => Error::new(Kind::Unsupported, format!("{protocol} can't be used: {why}")),
            None => Error::new(Kind::Unsupported, format!("the server does not offer {protocol}")),
        };
        return Err(error.with_hint(describe(offers)));
    };
    match offer.max_file_size {
        Some(most) if wish.size.is_some_and(|size| size > most) => Err(too_large(protocol, most).with_hint(describe(offers))),
        _ => Ok(protocol),
    }
}

fn usable(offers: &UploadMethods, wish: &Preference<'_>) -> Result<Vec<Protocol>> {
    let (mut candidates, mut tried, mut small) = (Vec::new(), Vec::new(), None);
    for offer in &offers.usable {
        let closed = wish.avoid.iter().find(|closed| closed.protocol == offer.protocol);
        match (closed, offer.max_file_size) {
            (Some(closed), _) => tried.push((offer.protocol, closed.error.duplicate())),
            (None, Some(most)) if wish.size.is_some_and(|size| size > most) => small = Some(too_large(offer.protocol, most)),
            (None, _) => candidates.push(offer.protocol),
        }
    }
    let reasons: Vec<String> = offers.closed.iter().map(|(protocol, why)| format!("{protocol}: {why}")).collect();
    match small {
        _ if !candidates.is_empty() => Ok(candidates),
        _ if !tried.is_empty() => Err(all_closed_error(tried)),
        Some(too_large) => Err(too_large),
        None if reasons.is_empty() => Err(Error::new(Kind::Unsupported, "the server offers no upload protocol")),
        None => Err(Error::new(Kind::Unsupported, format!("no upload protocol works ({})", reasons.join("; ")))),
    }
}

/// One refusal is returned as it is. Of several refusals, a transient one makes the whole error transient.
pub fn all_closed_error(mut refusals: Vec<(Protocol, Error)>) -> Error {
    if refusals.len() == 1
        && let Some((_, error)) = refusals.pop()
    {
        return error;
    }
    let passing = refusals.iter().find(|(_, error)| error.kind().is_transient());
    let kind = passing.or(refusals.first()).map_or(Kind::Unsupported, |(_, error)| error.kind());
    let reasons: Vec<String> = refusals.iter().map(|(protocol, error)| format!("{protocol}: {}", error.message())).collect();
    Error::new(kind, format!("no upload protocol lets us in ({})", reasons.join("; ")))
}

fn too_large(protocol: Protocol, most: u64) -> Error {
    Error::new(Kind::Refused, format!("the file is too large: {protocol} takes up to {most} bytes there"))
}

fn describe(offers: &UploadMethods) -> String {
    let names: Vec<&str> = offers.protocols().into_iter().map(Protocol::name).collect();
    if names.is_empty() { "ask the owner: no protocol is open to us".to_owned() } else { format!("use one on offer: {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;
    use crate::providers::iogates::upload::methods::{Method, UploadMethod};
    use Protocol::{Ftp, Ftps, Plupload, Tus};

    fn offers(usable: &[(Protocol, Option<u64>)]) -> UploadMethods {
        let url = Url::parse("https://h.example/").unwrap();
        let way = || Method::Tus { endpoint: url.clone(), chunk_size: None };
        UploadMethods {
            usable: usable
                .iter()
                .map(|(protocol, max_file_size)| UploadMethod { protocol: *protocol, max_file_size: *max_file_size, way: way() })
                .collect(),
            closed: vec![(Ftp, "plain FTP".into())],
            default: None,
            max_file_size: Some(1000),
            available_storage: Some(500),
        }
    }

    /// FTPS can't be reached, any other protocol is forbidden.
    fn close_protocol(protocol: Protocol) -> Closed {
        let kind = if protocol == Ftps { Kind::Unreachable } else { Kind::Refused };
        Closed { protocol, error: std::sync::Arc::new(Error::new(kind, "its own words").with_hint("its own hint").with_status(403)) }
    }

    #[test]
    fn the_table_of_choices() {
        let all = [(Tus, None), (Plupload, Some(100)), (Ftps, None)];
        type Row<'a> =
            (&'a [(Protocol, Option<u64>)], Option<Protocol>, &'a [Protocol], Option<u64>, std::result::Result<&'a [Protocol], Kind>);
        let table: &[Row] = &[
            (&all, None, &[], Some(10), Ok(&[Tus, Plupload, Ftps])),
            (&all, None, &[], Some(101), Ok(&[Tus, Ftps])),
            (&all, None, &[Tus], Some(10), Ok(&[Plupload, Ftps])),
            (&all, None, &[Tus, Plupload], None, Ok(&[Ftps])),
            (&all, None, &[Tus, Plupload, Ftps], Some(10), Err(Kind::Unreachable)),
            (&all, None, &[Tus, Ftps], Some(101), Err(Kind::Unreachable)),
            (&[(Ftps, None)], None, &[Ftps], Some(10), Err(Kind::Unreachable)),
            (&[(Tus, None)], None, &[Tus], None, Err(Kind::Refused)),
            (&all, Some(Ftps), &[Ftps], Some(10), Err(Kind::Unreachable)),
            (&[(Plupload, Some(100))], None, &[], Some(101), Err(Kind::Refused)),
            (&all, None, &[], None, Ok(&[Tus, Plupload, Ftps])),
            (&all, None, &[Tus], None, Err(Kind::NeedsSize)),
            (&all, Some(Plupload), &[], None, Err(Kind::NeedsSize)),
            (&all, Some(Plupload), &[], Some(101), Err(Kind::Refused)),
            (&all, Some(Ftps), &[], Some(101), Ok(&[Ftps])),
            (&all, Some(Ftp), &[], Some(10), Err(Kind::Unsupported)),
            (&all, Some(Protocol::Multipart), &[], Some(10), Err(Kind::Unsupported)),
            (&all, None, &[], Some(1001), Err(Kind::Refused)),
            (&all, None, &[], Some(501), Err(Kind::Refused)),
            (&all, None, &[], Some(500), Ok(&[Tus, Ftps])),
            (&[], None, &[], Some(10), Err(Kind::Unsupported)),
        ];
        for (row, (usable, forced, avoid, size, wanted)) in table.iter().enumerate() {
            let avoid: Vec<Closed> = avoid.iter().map(|protocol| close_protocol(*protocol)).collect();
            let got = choose(&offers(usable), &Preference { forced: *forced, avoid: &avoid, size: *size });
            assert_eq!(got.map_err(|e| e.kind()), wanted.map(<[Protocol]>::to_vec), "row {row}");
        }
    }

    #[test]
    fn a_forced_protocol_that_is_closed_says_why_and_what_is_open() {
        let error = choose(&offers(&[(Tus, None), (Ftps, None)]), &Preference { forced: Some(Ftp), avoid: &[], size: None }).unwrap_err();
        assert_eq!(error.to_string(), "ftp can't be used: plain FTP; use one on offer: tus, ftps");
    }

    #[test]
    fn the_failure_of_the_only_protocol_is_the_answer() {
        let error = choose(&offers(&[(Tus, None)]), &Preference { forced: None, avoid: &[close_protocol(Tus)], size: None }).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.status_code()), ("its own words; its own hint", Some(403)));
    }

    #[test]
    fn several_closed_doors_are_told_together() {
        let closed = |kind, text: &str| Error::new(kind, text);
        let both = all_closed_error(vec![
            (Protocol::Tus, closed(Kind::Untrusted, "no trust")),
            (Protocol::Ftps, closed(Kind::Unreachable, "no way").with_hint("x")),
        ]);
        assert_eq!(both.kind(), Kind::Unreachable);
        assert_eq!(both.to_string(), "no upload protocol lets us in (tus: no trust; ftps: no way)");
        let one = all_closed_error(vec![(Protocol::Tus, closed(Kind::Refused, "no").with_hint("ask"))]);
        assert_eq!((one.kind(), one.to_string().as_str()), (Kind::Refused, "no; ask"));
    }
}
