//! Each upload protocol with every fault of the connection and of HTTP.

use super::matrix::{CHUNK, From, Row, SIZE, rows, walk};
use super::rules::{GoesOn, Request, Route, Stage, What};

const TUS: Route = Route {
    remote: "iogates",
    protocol: "tus",
    carriers: &["tus-patch"],
    tokenless: &["sign-in", "tus-options", "tus-create", "tus-patch"],
    optional: &["tus-options"],
    makers: &["file-create"],
    may_lack: &[],
    finishes: &[],
    swaps: &[],
    goes_on: GoesOn::AtTheOffset,
    replaces: false,
};
const PLUPLOAD: Route =
    Route { protocol: "plupload", carriers: &["plupload"], tokenless: &["sign-in", "plupload"], goes_on: GoesOn::UnderANewEntry, ..TUS };
#[cfg(unix)]
const FTPS: Route = Route {
    protocol: "ftps",
    carriers: &["ftp-stor"],
    tokenless: &["sign-in", "ftp-connect", "ftp-size", "ftp-stor", "ftp-rename"],
    optional: &[],
    // Gone from the drop place under its old name: done.
    makers: &["file-create", "ftp-rename"],
    finishes: &["ftp-size", "ftp-rename"],
    ..TUS
};
const GIGA0: Route = Route {
    remote: "giga0",
    protocol: "auto",
    carriers: &["file/upload"],
    tokenless: &["authorize"],
    optional: &[],
    makers: &["folder/create"],
    may_lack: &[],
    finishes: &[],
    swaps: &["file/delete", "file/edit"],
    goes_on: GoesOn::FromTheStart,
    replaces: false,
};
const FILEAGO: Route = Route {
    remote: "fileago",
    carriers: &["upload"],
    tokenless: &["sign-in", "upload"],
    makers: &["change"],
    may_lack: &["groups"],
    swaps: &[],
    ..GIGA0
};

/// A TUS endpoint, and nothing besides: what its own offset says is the proof.
const TUS_ENDPOINT: Route =
    Route { remote: "tus", tokenless: &["tus-options", "tus-create", "tus-patch"], optional: &[], makers: &[], ..TUS };
/// An FTP server, and nothing besides.
#[cfg(unix)]
const FTP_SERVER: Route = Route {
    remote: "ftp",
    tokenless: &["ftp-connect", "ftp-size", "ftp-list", "ftp-mkd", "ftp-stor", "ftp-rename", "ftp-retr"],
    // The server reads the file to tell its MD5: without that its size is compared.
    optional: &["ftp-retr"],
    makers: &["ftp-mkd", "ftp-rename"],
    ..FTPS
};

const ALL: &[What] = &[
    What::Busy("429"),
    What::Busy("503"),
    What::ServerError,
    What::Html,
    What::Cut(0),
    What::Cut(5_000),
    What::AnswerLost,
    What::AnswerPage,
    What::Stall,
    What::Expired,
    What::TooLarge,
];

/// A fault that passes, at every request; one that stays, at the first and the last of each kind.
fn all(route: &Route) -> Vec<Row<'_>> {
    rows(route, ALL, From::File, |request, _, lasts| !lasts || request.nth == 1 || request.nth == request.of)
}

/// A protocol's own fault; the row of one that passes.
fn own<'a>(route: &'a Route, script: &str, most: u64) -> Row<'a> {
    Row {
        route,
        name: script.to_owned(),
        script: script.to_owned(),
        from: From::File,
        tries: "3",
        timeout: "20s",
        statuses: vec![0],
        stage: Stage::Carrying,
        most,
        entries: 1..=1,
        again: SIZE,
    }
}

/// At the first, the middle and the last occasion.
fn thrice<'a>(route: &'a Route, fault: &str, most: u64) -> impl Iterator<Item = Row<'a>> {
    [0, 1, 2].map(|skip| own(route, &format!("{fault}+{skip}"), most)).into_iter()
}

fn ends_with(statuses: &[i32], row: Row<'static>) -> Row<'static> {
    Row { statuses: statuses.to_vec(), ..row }
}

#[test]
fn tus() {
    walk(all(&TUS));
}

#[test]
fn tus_and_its_own() {
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(thrice(&TUS, "iogates:tus-locked", SIZE));
    for fault in ["iogates:tus-conflict", "iogates:tus-checksum", "iogates:tus-short=7"] {
        rows.extend(thrice(&TUS, fault, SIZE + CHUNK));
    }
    // The upload is gone, the entry is not.
    rows.extend(thrice(&TUS, "iogates:tus-gone", 2 * SIZE));
    for harmless in ["tus-relative", "tus-no-options", "late-download*3", "ids-as-strings", "map-as-list"] {
        rows.push(own(&TUS, &format!("iogates:{harmless}"), SIZE));
    }
    for header in ["authorization", "authorisation", "token"] {
        rows.push(own(&TUS, &format!("iogates:only-header={header}"), SIZE));
    }
    rows.push(ends_with(&[5], own(&TUS, "iogates:tus-locked*always", 0)));
    rows.push(ends_with(&[5], own(&TUS, "iogates:tus-conflict*always", 0)));
    rows.push(ends_with(&[5, 7], own(&TUS, "iogates:tus-checksum*always", 0)));
    walk(rows);
}

#[test]
fn plupload() {
    let mut rows = all(&PLUPLOAD);
    for harmless in ["plupload-truncates", "plupload-ok", "late-download*3"] {
        rows.push(own(&PLUPLOAD, &format!("iogates:{harmless}"), SIZE));
    }
    // Its words say no for good.
    rows.extend(thrice(&PLUPLOAD, "iogates:plupload-error", 0).map(|row| ends_with(&[8], row)));
    walk(rows);
}

#[cfg(unix)]
#[test]
fn ftps() {
    let mut rows = all(&FTPS);
    // One stream brings all: its first, middle and last bytes.
    for at in [1, 15_000, 29_999, 30_000] {
        rows.push(own(&FTPS, &format!("iogates:ftp-cut={at}"), SIZE + CHUNK));
        rows.push(own(&FTPS, &format!("iogates:ftp-cut={at} iogates:ftp-no-resume"), 2 * SIZE));
    }
    // All bytes stay there under the other name.
    rows.push(Row { statuses: vec![8], stage: Stage::Finishing, again: 0, ..own(&FTPS, "iogates:ftp-no-rename", 0) });
    walk(rows);
}

#[test]
fn tus_endpoint() {
    let mut rows = all(&TUS_ENDPOINT);
    rows.extend(thrice(&TUS_ENDPOINT, "tus:tus-locked", SIZE));
    for fault in ["tus:tus-conflict", "tus:tus-checksum"] {
        rows.extend(thrice(&TUS_ENDPOINT, fault, SIZE + CHUNK));
    }
    rows.extend(thrice(&TUS_ENDPOINT, "tus:tus-gone", 2 * SIZE));
    for harmless in ["tus-relative", "tus-no-options"] {
        rows.push(own(&TUS_ENDPOINT, &format!("tus:{harmless}"), SIZE));
    }
    rows.push(ends_with(&[5], own(&TUS_ENDPOINT, "tus:tus-locked*always", 0)));
    rows.push(ends_with(&[5], own(&TUS_ENDPOINT, "tus:tus-conflict*always", 0)));
    rows.push(ends_with(&[5, 7], own(&TUS_ENDPOINT, "tus:tus-checksum*always", 0)));
    walk(rows.into_iter().map(|row| Row { entries: 0..=0, ..row }).collect());
}

#[cfg(unix)]
#[test]
fn ftp_server() {
    walk(all(&FTP_SERVER));
}

/// In the place of an older file.
#[cfg(unix)]
#[test]
fn ftp_server_replacing() {
    let route = Route { replaces: true, ..FTP_SERVER };
    walk(rows(&route, ALL, From::File, |request, _, lasts| request.stage > Stage::Before && !lasts));
}

#[test]
fn giga0() {
    let mut rows = all(&GIGA0);
    for harmless in ["hash-placeholder", "folders-false", "trashed-rows"] {
        rows.push(own(&GIGA0, &format!("giga0:{harmless}"), SIZE));
    }
    for form in ["status", "result", "success", "http"] {
        rows.push(own(&GIGA0, &format!("giga0:error-form={form} giga0/folder/create:expired"), SIZE));
    }
    rows.push(ends_with(&[8], own(&GIGA0, "giga0:data-error", 0)));
    walk(rows);
}

#[test]
fn fileago() {
    let mut rows = all(&FILEAGO);
    rows.push(own(&FILEAGO, "fileago:answers-data", SIZE));
    rows.push(own(&FILEAGO, "fileago:html-errors fileago/change:expired", SIZE));
    walk(rows);
}

/// In the place of an older file: from the upload on, as what comes before is the same.
#[test]
fn giga0_replacing() {
    let route = Route { replaces: true, ..GIGA0 };
    walk(rows(&route, ALL, From::File, |request, _, _| request.stage > Stage::Before));
}

#[test]
fn fileago_replacing() {
    let route = Route { replaces: true, ..FILEAGO };
    walk(rows(&route, ALL, From::File, |request, _, lasts| request.stage > Stage::Before && !lasts));
}

/// A stream can't be read again.
#[test]
fn from_standard_input() {
    let mut all = Vec::new();
    for from in [From::Pipe, From::SizedPipe] {
        for route in [
            &TUS,
            &PLUPLOAD,
            #[cfg(unix)]
            &FTPS,
            &GIGA0,
            &FILEAGO,
        ] {
            let faults = [What::Busy("503"), What::ServerError, What::Cut(0), What::Cut(5_000), What::AnswerLost];
            // After the last byte of a pipe an empty request may tell so.
            let is_empty = |request: &Request| from == From::Pipe && request.kind == "tus-patch" && request.nth == request.of;
            all.extend(rows(route, &faults, from, |request, what, lasts| {
                request.stage > Stage::Before && !lasts && !(what == What::Cut(5_000) && is_empty(request))
            }));
        }
    }
    walk(all);
}
