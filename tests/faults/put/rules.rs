//! The required result of a fault: it follows from the promises (README) and from the place of the fault in an upload, never
//! from the observed behaviour.

/// How bytes travel, and what is where in the requests of an upload.
pub struct Route {
    pub remote: &'static str,
    pub protocol: &'static str,
    /// Requests that bring bytes of the file.
    pub carriers: &'static [&'static str],
    /// Requests that show no token of the account.
    pub tokenless: &'static [&'static str],
    /// Requests that an upload can do without.
    pub optional: &'static [&'static str],
    /// Requests that make something which a look finds when the answer is lost.
    pub makers: &'static [&'static str],
    /// Requests whose answer is only shown: an upload does without it, unless a token must be renewed first.
    pub may_lack: &'static [&'static str],
    /// Requests that make the file appear once all its bytes are there; they may be made again.
    pub finishes: &'static [&'static str],
    /// Requests that put a new copy in an older one's place; they come after the look, and may be made again.
    pub swaps: &'static [&'static str],
    pub goes_on: GoesOn,
    /// Puts a new file in the place of an older one.
    pub replaces: bool,
}

/// After a carrier that may have arrived.
#[derive(Clone, Copy, PartialEq)]
pub enum GoesOn {
    /// At the byte that the server names.
    AtTheOffset,
    /// With the whole file, after a look.
    FromTheStart,
    /// With the whole file under a new entry: receivers append whatever comes.
    UnderANewEntry,
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Stage {
    /// No byte of the file has left.
    Before,
    Carrying,
    LastCarrier,
    /// All bytes were accepted, and have not got their name yet.
    Finishing,
    /// All bytes were accepted; the question is whether the file is there.
    Looking,
    /// The new copy is complete, the older one is to go.
    Replacing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// 429 or 503: certainly not acted on.
    Busy(&'static str),
    ServerError,
    Html,
    /// The line is reset when the request comes, or within its body (of a GET: within the answer's).
    Cut(u64),
    AnswerLost,
    /// It was done, and a page with 200 is the answer.
    AnswerPage,
    /// Longer than `--timeout`; where a file's bytes are sent, shorter: there a server may need a while.
    Stall,
    Expired,
    TooLarge,
}

pub const STALL: &str = "3000";
/// 451 on a rename stays so (pure-ftpd): the whole file lies there under its other name.
const FINAL: &[i32] = &[8];

impl What {
    pub fn script(self) -> String {
        match self {
            What::Busy(status) => format!("{status}=0"),
            What::ServerError => "500".into(),
            What::Html => "html".into(),
            What::Cut(at) => format!("cut={at}"),
            What::AnswerLost => "answer-lost".into(),
            What::AnswerPage => "answer-page".into(),
            What::Stall => format!("slow={STALL}"),
            What::Expired => "expired".into(),
            What::TooLarge => "413".into(),
        }
    }
}

/// One request of an upload, found in the requests of an upload without faults.
#[derive(Clone, Debug)]
pub struct Request {
    pub kind: String,
    /// The so many-th of its kind, from 1.
    pub nth: u64,
    pub of: u64,
    pub stage: Stage,
}

/// The first, a middle and the last request of each kind.
pub fn requests(route: &Route, asked: &[String]) -> Vec<Request> {
    let carries = |kind: &String| route.carriers.contains(&kind.as_str());
    let (first, last) = (asked.iter().position(carries).unwrap(), asked.iter().rposition(carries).unwrap());
    // What a finish asks is asked before and after it, too.
    let named = asked.iter().rposition(|kind| route.finishes.contains(&kind.as_str()) && route.makers.contains(&kind.as_str()));
    let finishes = first..named.map_or(usize::MAX, |at| at + 1);
    let mut chosen: Vec<Request> = Vec::new();
    for (at, kind) in asked.iter().enumerate() {
        let of = asked.iter().filter(|k| *k == kind).count() as u64;
        let nth = asked[..=at].iter().filter(|k| *k == kind).count() as u64;
        let stage = match at {
            _ if route.swaps.contains(&kind.as_str()) => Stage::Replacing,
            _ if route.finishes.contains(&kind.as_str()) && finishes.contains(&at) => Stage::Finishing,
            _ if at < first => Stage::Before,
            _ if at < last => Stage::Carrying,
            _ if at == last => Stage::LastCarrier,
            _ => Stage::Looking,
        };
        if nth == 1 || nth == of || nth == of.div_ceil(2) {
            chosen.push(Request { kind: kind.clone(), nth, of, stage });
        }
    }
    chosen
}

impl Route {
    pub fn carries(&self, request: &Request) -> bool {
        self.carriers.contains(&request.kind.as_str())
    }

    /// Can this request meet that fault at all?
    pub fn meets(&self, request: &Request, what: What) -> bool {
        let is = |kinds: &[&str]| kinds.contains(&request.kind.as_str());
        let ftp = request.kind.starts_with("ftp-");
        match what {
            What::Cut(0) => true,
            // Nobody has asked for anything yet.
            _ if request.kind == "ftp-connect" => false,
            What::Cut(_) => self.carries(request),
            What::Expired => !is(self.tokenless),
            What::TooLarge => !ftp && self.carries(request),
            What::Html => !ftp,
            What::AnswerPage => !ftp && self.changes(request),
            _ => true,
        }
    }

    /// Does this request change something besides bringing bytes?
    fn changes(&self, request: &Request) -> bool {
        [self.makers, self.swaps].concat().contains(&request.kind.as_str())
    }

    /// The exit statuses that are right when the fault strikes once.
    pub fn once(&self, request: &Request, what: What) -> &'static [i32] {
        match what {
            _ if self.is_optional(request, what) => &[0],
            What::ServerError if request.kind == "ftp-rename" => FINAL,
            // An answer that comes while we still write may get lost with the line.
            What::TooLarge => &[8, 0],
            // All bytes have left: whether they arrived is looked for.
            // Unless the answer came before them.
            What::Html if self.takes_it_whole(request) => &[13, 11, 0],
            What::Html if self.carries(request) => &[11, 0],
            // A look is made again: what a proxy's page tells is nothing yet.
            What::Html if request.stage == Stage::Looking => &[0],
            // Whether it was done is looked for: it was not.
            What::Html if self.changes(request) => &[13, 0],
            What::Html => &[11, 0],
            _ => &[0],
        }
    }

    /// The exit statuses that are right when it strikes from there on for ever.
    pub fn lasting(&self, request: &Request, what: What) -> &'static [i32] {
        let lost = matches!(what, What::AnswerLost | What::Stall);
        match (what, request.stage) {
            _ if self.is_optional(request, what) => &[0],
            // What it says of itself is not needed; whether it is there shows at the next request.
            (What::Html, _) if request.kind == "tus-options" => &[0],
            // The same question is asked to look for the file.
            _ if request.kind == "ftp-size" && self.remote == "ftp" && request.stage == Stage::Finishing => &[5, 13],
            (What::ServerError, _) if request.kind == "ftp-rename" => FINAL,
            // A server may need a while to take a file in: within the time-out its answer is waited for.
            (What::Stall, _) if self.carries(request) => &[0],
            // Done all the same, and found so.
            _ if lost && self.makers.contains(&request.kind.as_str()) => &[0],
            (What::AnswerLost, Stage::LastCarrier) => &[0],
            (What::AnswerLost, Stage::Carrying) if self.goes_on == GoesOn::AtTheOffset => &[0],
            // Every try may bring something, and that earns new patience.
            (What::Cut(1..), _) if self.goes_on == GoesOn::AtTheOffset => &[5, 0],
            (_, Stage::Looking) => &[13],
            (What::Html, _) if self.takes_it_whole(request) => &[13, 11],
            (What::Html, _) if self.carries(request) => &[11, 5],
            (What::Html, _) if self.changes(request) => &[13],
            // Done, and found so; what goes on where it stopped meets the page again.
            (What::AnswerPage, Stage::Replacing) => &[13],
            (What::AnswerPage, _) => &[0],
            (What::Html, _) => &[11],
            (What::Expired, _) => &[4],
            (What::TooLarge, _) => &[8],
            _ => &[5],
        }
    }

    /// The last of the bytes, to a server that can't be asked what it holds.
    fn takes_it_whole(&self, request: &Request) -> bool {
        self.goes_on != GoesOn::AtTheOffset && request.stage == Stage::LastCarrier
    }

    fn is_optional(&self, request: &Request, what: What) -> bool {
        let is = |kinds: &[&str]| kinds.contains(&request.kind.as_str());
        is(self.optional) || (what != What::Expired && is(self.may_lack))
    }

    /// The most bytes that may arrive when the fault strikes `times` and the file gets there.
    pub fn most(&self, request: &Request, what: What, size: u64, chunk: u64, times: u64) -> u64 {
        let unread = matches!(what, What::Busy(_) | What::Stall);
        match self.goes_on {
            _ if unread || !self.carries(request) => size,
            GoesOn::AtTheOffset => size + chunk * times,
            GoesOn::FromTheStart | GoesOn::UnderANewEntry => size + size * times,
        }
    }

    /// How many entries may have been made.
    pub fn entries(&self, request: &Request, what: What, times: u64) -> std::ops::RangeInclusive<u64> {
        match what {
            // They make no entries besides the files.
            _ if matches!(self.remote, "tus" | "ftp") => 0..=0,
            _ if self.goes_on != GoesOn::UnderANewEntry || !self.carries(request) => 1..=1,
            What::Busy(_) | What::Stall => 1..=1,
            _ => 1..=1 + times,
        }
    }
}
