//! Every fault of the stand-ins, with its name, its value and its effect: the one list that the parser, the help and the
//! servers use (providers.md, section 8).

/// See [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    TooMany,
    Unavailable,
    ServerError,
    Html,
    Slow,
    Cut,
    AnswerLost,
    AnswerPage,
    AnswerTimeout,
    ReadPage,
    Gone,
    Expired,
    LastUse,
    OnlyHeader,
    ServerBlank,
    ServerAbsent,
    LateDownload,
    NameWithExtension,
    IdsAsStrings,
    MapAsList,
    CodeByGet,
    CodeTooOld,
    NoFilesPost,
    AnswersMixed,
    AnswersRenamed,
    RangeIgnored,
    TusRelative,
    TusNoOptions,
    TusWithUpload,
    TusLocked,
    TusConflict,
    TusChecksum,
    TusGone,
    TusShort,
    TusOverfull,
    TusTrails,
    TusEmptyWaits,
    TusRefusesEnd,
    TusNoConcat,
    TusConcatFirst,
    TusConcatSlow,
    TusPartsGone,
    Wall,
    NotTakenIn,
    LargestBody,
    PluploadError,
    PluploadTruncates,
    PluploadOk,
    FtpCut,
    FtpNoResume,
    FtpPadded,
    FtpNoRename,
    ErrorForm,
    DataError,
    HashPlaceholder,
    TooLarge,
    FoldersFalse,
    TrashedRows,
    DownloadPage,
    AnswersData,
    HtmlErrors,
    OldTicket,
    NoLatest,
    NamesChanged,
    NamesFolded,
    SizesWrong,
    RowUnreadable,
    PlainAnswers,
    Noise,
    NoLength,
    NoDownload,
    DownloadShort,
    EndsEarly,
    RunsOn,
}

impl Fault {
    /// Faults of the connection; without a kind of request they strike where a file's bytes are sent.
    pub(crate) fn is_of_the_line(self) -> bool {
        matches!(self, Fault::Cut | Fault::AnswerLost | Fault::AnswerPage | Fault::AnswerTimeout | Fault::ReadPage)
    }

    /// Faults that may strike any request; the other faults belong to one place in a stand-in.
    pub(crate) fn is_of_requests(self) -> bool {
        use Fault::{
            AnswerLost, AnswerPage, AnswerTimeout, Cut, Expired, Gone, Html, ReadPage, ServerError, Slow, TooLarge, TooMany, Unavailable,
        };
        matches!(
            self,
            TooMany
                | Unavailable
                | ServerError
                | Html
                | Slow
                | Cut
                | AnswerLost
                | AnswerPage
                | AnswerTimeout
                | ReadPage
                | Gone
                | Expired
                | TooLarge
        )
    }
}

/// The value after `=`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultArg {
    Nothing,
    /// A number, with its default.
    Number(u64),
    /// One of these words.
    Word(&'static [&'static str]),
}

/// How often the fault strikes, unless `*TIMES` or `*always` follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultDuration {
    Once,
    Always,
}

#[derive(Debug)]
pub struct FaultSpec {
    pub fault: Fault,
    pub name: &'static str,
    pub takes: FaultArg,
    pub lasts: FaultDuration,
    /// The stand-ins that support the fault.
    pub by: &'static [&'static str],
    /// The effect, for a list in a help text.
    pub does: &'static str,
}

use crate::sandbox::names::NAMES as ALL;
const IOGATES: &[&str] = &["iogates"];
const GIGA0: &[&str] = &["giga0"];
const TUS: &[&str] = &["iogates", "tus"];
const TUS_HOST: &[&str] = &["tus"];
const FILEAGO: &[&str] = &["fileago"];
const METHODS: FaultArg = FaultArg::Word(&["tus", "plupload", "ftp"]);
const HEADERS: FaultArg = FaultArg::Word(&["authorization", "authorisation", "token"]);
const FORMS: FaultArg = FaultArg::Word(&["status", "result", "success", "http"]);
const NOISE: FaultArg = FaultArg::Word(&["before", "behind"]);
const PAGES: FaultArg = FaultArg::Word(&["html", "redirect"]);

const fn row(
    fault: Fault,
    name: &'static str,
    takes: FaultArg,
    lasts: FaultDuration,
    by: &'static [&'static str],
    does: &'static str,
) -> FaultSpec {
    FaultSpec { fault, name, takes, lasts, by, does }
}

use FaultArg::{Nothing, Number};
use FaultDuration::{Always, Once};

pub const TABLE: &[FaultSpec] = &[
    row(Fault::TooMany, "429", Number(1), Once, ALL, "answer 429 unread; Retry-After in seconds"),
    row(Fault::Unavailable, "503", Number(1), Once, ALL, "answer 503 unread; Retry-After in seconds"),
    row(Fault::ServerError, "500", Nothing, Once, ALL, "answer 500 unread"),
    row(Fault::Html, "html", Nothing, Once, ALL, "answer 200 with a maintenance page, unread"),
    row(Fault::Slow, "slow", Number(1000), Once, ALL, "hold the answer back; milliseconds"),
    row(Fault::Cut, "cut", Number(0), Once, ALL, "reset the connection after so many bytes of the body; of the answer's to a GET"),
    row(Fault::AnswerLost, "answer-lost", Nothing, Once, ALL, "do what was asked, then reset the connection"),
    row(Fault::Gone, "gone", Nothing, Always, ALL, "from this request on, every connection is reset unread"),
    row(Fault::AnswerPage, "answer-page", Nothing, Once, ALL, "do what was asked, then answer 200 with a page, as a proxy does"),
    row(Fault::ReadPage, "read-page", Nothing, Once, ALL, "read the whole request, do nothing, and answer 200 with a page"),
    row(Fault::AnswerTimeout, "answer-504", Nothing, Once, ALL, "do what was asked, then answer 504 with a page, as a gateway does"),
    row(Fault::Expired, "expired", Nothing, Once, ALL, "the token that is shown has run out"),
    row(Fault::LastUse, "last-use", Nothing, Once, GIGA0, "the token is good, and gone afterwards: somebody else has signed in"),
    row(Fault::OnlyHeader, "only-header", HEADERS, Always, IOGATES, "accept one spelling of the token header"),
    row(Fault::ServerBlank, "server-blank", METHODS, Always, IOGATES, "an upload method with a blank server"),
    row(Fault::ServerAbsent, "server-absent", METHODS, Always, IOGATES, "an upload method listed but not described"),
    row(Fault::LateDownload, "late-download", Nothing, Once, IOGATES, "a look at a finished file still finds it unfinished"),
    row(Fault::NameWithExtension, "name-with-extension", Nothing, Always, IOGATES, "know uploads only as NAME.EXTENSION"),
    row(Fault::IdsAsStrings, "ids-as-strings", Nothing, Always, IOGATES, "ids as strings"),
    row(Fault::MapAsList, "map-as-list", Nothing, Always, IOGATES, "an empty map as a list, as PHP prints it"),
    row(Fault::CodeByGet, "code-by-get", Nothing, Always, IOGATES, "405 to a code by POST; GET takes it"),
    row(Fault::CodeTooOld, "code-too-old", Nothing, Once, IOGATES, "403: the code that is entered has run out"),
    row(Fault::NoFilesPost, "no-files-post", Nothing, Always, IOGATES, "405 to POST /api/files"),
    row(Fault::AnswersMixed, "answers-mixed", Nothing, Always, IOGATES, "answer POST /api/files in another order"),
    row(Fault::AnswersRenamed, "answers-renamed", Nothing, Once, IOGATES, "store the first of POST /api/files under another name"),
    row(Fault::RangeIgnored, "range-ignored", Nothing, Always, &["iogates", "fileago"], "send a download whole, whatever range was asked"),
    row(Fault::TusRelative, "tus-relative", Nothing, Always, TUS, "a relative Location"),
    row(Fault::TusNoOptions, "tus-no-options", Nothing, Always, TUS, "OPTIONS is not answered with a description"),
    row(Fault::TusWithUpload, "tus-with-upload", Nothing, Always, IOGATES, "announce creation-with-upload, and take bytes with a creation"),
    row(Fault::TusLocked, "tus-locked", Nothing, Once, TUS, "423 to HEAD or PATCH"),
    row(Fault::TusConflict, "tus-conflict", Nothing, Once, TUS, "409 to a right offset"),
    row(Fault::TusChecksum, "tus-checksum", Nothing, Once, TUS, "460, and the chunk is dropped"),
    row(Fault::TusGone, "tus-gone", Nothing, Once, TUS, "410, and the upload is gone"),
    row(Fault::TusShort, "tus-short", Number(1), Once, IOGATES, "keep so many bytes less than were sent, and say so"),
    row(Fault::TusOverfull, "tus-overfull", Number(1), Once, IOGATES, "tell an offset that is so many bytes too large"),
    row(Fault::TusTrails, "tus-trails", Number(1), Once, IOGATES, "HEAD tells so many bytes less than there will be in a moment"),
    row(Fault::TusEmptyWaits, "tus-empty-waits", Nothing, Always, IOGATES, "an empty upload is ended by a PATCH only"),
    row(Fault::TusRefusesEnd, "tus-refuses-end", Nothing, Once, TUS, "422 to a last PATCH whose bytes are kept; HEAD says complete"),
    row(Fault::TusNoConcat, "tus-no-concat", Nothing, Always, TUS_HOST, "501 to the request that joins partial uploads"),
    row(
        Fault::TusConcatFirst,
        "tus-concat-first",
        Nothing,
        Always,
        TUS_HOST,
        "announce concatenation-unfinished, and join once all is there",
    ),
    row(Fault::TusConcatSlow, "tus-concat-slow", Nothing, Once, TUS_HOST, "HEAD of a joined upload tells no offset yet"),
    row(Fault::TusPartsGone, "tus-parts-gone", Nothing, Always, TUS_HOST, "remove partial uploads once they are joined"),
    row(Fault::Wall, "wall", Number(0), Always, IOGATES, "no file passes this byte: 404 (tus), 502 after the chunk (plupload)"),
    row(Fault::NotTakenIn, "not-taken-in", Nothing, Once, IOGATES, "a file that is complete is refused without a word"),
    row(Fault::PluploadError, "plupload-error", Nothing, Once, IOGATES, "200 with a JSON-RPC error; the chunk is dropped"),
    row(Fault::PluploadTruncates, "plupload-truncates", Nothing, Always, IOGATES, "chunk 0 begins the part file anew, as 1.5 does"),
    row(Fault::PluploadOk, "plupload-ok", Nothing, Always, IOGATES, "answer {\"OK\":1} instead of JSON-RPC"),
    row(Fault::FtpCut, "ftp-cut", Number(0), Once, IOGATES, "cut the data connection after so many bytes"),
    row(Fault::FtpPadded, "ftp-padded", Number(1), Once, IOGATES, "a file whose upload was cut gets so many zeros at its end"),
    row(Fault::FtpNoResume, "ftp-no-resume", Nothing, Always, IOGATES, "refuse APPE, and STOR after REST"),
    row(Fault::FtpNoRename, "ftp-no-rename", Nothing, Once, IOGATES, "refuse RNTO"),
    row(Fault::ErrorForm, "error-form", FORMS, Always, GIGA0, "another of the shapes that errors are known to have"),
    row(Fault::DataError, "data-error", Nothing, Once, GIGA0, "an upload's success with an error in its data"),
    row(Fault::HashPlaceholder, "hash-placeholder", Nothing, Always, GIGA0, "a placeholder for an upload's MD5"),
    row(Fault::TooLarge, "413", Nothing, Once, ALL, "413 with a page of the web server, unread"),
    row(Fault::LargestBody, "largest-body", Number(1 << 20), Always, ALL, "413 with a page, unread, to a body of more bytes"),
    row(Fault::FoldersFalse, "folders-false", Nothing, Always, GIGA0, "false for an empty list of folders or files"),
    row(Fault::TrashedRows, "trashed-rows", Nothing, Always, GIGA0, "list trashed rows in the root"),
    row(Fault::DownloadPage, "download-page", PAGES, Once, GIGA0, "a page in place of a download"),
    row(Fault::AnswersData, "answers-data", Nothing, Always, FILEAGO, "200 with data where older versions answer 204"),
    row(Fault::HtmlErrors, "html-errors", Nothing, Always, FILEAGO, "errors are pages of a proxy"),
    row(Fault::OldTicket, "old-upload-token", Nothing, Once, FILEAGO, "an upload token that is six seconds old when it comes"),
    row(Fault::NamesChanged, "names-changed", Nothing, Always, FILEAGO, "uploads lose quotes, backslashes and outer blanks of their names"),
    row(
        Fault::NamesFolded,
        "names-folded",
        Nothing,
        Always,
        &["giga0", "fileago"],
        "store names composed (NFC), in lower case, blanks as _",
    ),
    row(Fault::SizesWrong, "sizes-wrong", Number(1), Always, &["giga0", "fileago"], "list files as so many bytes larger than they are"),
    row(
        Fault::RowUnreadable,
        "row-unreadable",
        Nothing,
        Always,
        &["giga0", "fileago"],
        "list a file called `no id.txt` without its id in every folder",
    ),
    row(Fault::Noise, "noise", NOISE, Always, ALL, "warnings of PHP around the JSON of an answer"),
    row(Fault::PlainAnswers, "plain-answers", Nothing, Always, FILEAGO, "200 with plain text to an upload"),
    row(Fault::NoLatest, "no-latest", Nothing, Always, FILEAGO, "the words latest and oldest are unknown"),
    row(Fault::DownloadShort, "download-short", Number(1), Once, ALL, "a download that lacks so many bytes at its end, and says so"),
    row(Fault::EndsEarly, "ends-early", Number(0), Once, ALL, "a download that tells no length, and ends as if whole after so many bytes"),
    row(Fault::RunsOn, "runs-on", Number(1), Once, ALL, "a download that tells no length, and goes on behind its end for so many bytes"),
    row(Fault::NoDownload, "no-download", Nothing, Always, FILEAGO, "files may be read, but not downloaded"),
    row(Fault::NoLength, "no-length", Nothing, Always, FILEAGO, "downloads without a Content-Length"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_row_says_what_it_does() {
        for (n, row) in TABLE.iter().enumerate() {
            assert!(!row.does.is_empty() && !row.by.is_empty());
            assert!(TABLE.iter().skip(n + 1).all(|r| r.name != row.name && r.fault != row.fault), "{} twice", row.name);
        }
    }
}
