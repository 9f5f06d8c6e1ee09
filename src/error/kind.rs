//! The kinds of failures: each is something that somebody acts on.

/// What went wrong, in the few kinds that somebody acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Arguments or configuration make no sense; found before anything was sent.
    Usage,
    /// No such file, folder, remote or local source.
    NotFound,
    /// Several entries fit one address.
    Ambiguous,
    /// The server refused who we are, or there are no credentials. Never repeated.
    Auth,
    /// The server knew us, but the token is old: renew it once, then go on.
    Expired,
    /// The request never left, or was refused unread: may be repeated blindly.
    Unreachable,
    /// The server's certificate is not trusted, or the way to the server is not open to us: waiting will not help.
    Untrusted,
    /// The request may have arrived (line cut, time-out, 5xx): look before repeating what must not happen twice.
    Interrupted,
    /// The server asks for patience (429, 503) and did not act on the request.
    Busy,
    /// The target exists, and the user asked to leave it alone.
    Exists,
    /// Sizes or checksums differ, or the source changed while it was read.
    Integrity,
    /// A definite no: permission, quota, size, type, a name that can't be held.
    Refused,
    /// Some files of several failed.
    Partial,
    /// The provider or protocol can't do that.
    Unsupported,
    /// The upload can't begin before its size is known (standard input must be spooled first). Never leaves the engine.
    NeedsSize,
    /// The server's answer makes no sense.
    Protocol,
    /// This machine's disk or files.
    Local,
    /// The last request was sent, its answer was lost, and looking could not decide.
    Unknown,
    /// SIGINT or SIGTERM.
    Cancelled,
    /// Anything else: a defect of ours.
    Other,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 20] = [
        Kind::Usage,
        Kind::NotFound,
        Kind::Ambiguous,
        Kind::Auth,
        Kind::Expired,
        Kind::Unreachable,
        Kind::Untrusted,
        Kind::Interrupted,
        Kind::Busy,
        Kind::Exists,
        Kind::Integrity,
        Kind::Refused,
        Kind::Partial,
        Kind::Unsupported,
        Kind::NeedsSize,
        Kind::Protocol,
        Kind::Local,
        Kind::Unknown,
        Kind::Cancelled,
        Kind::Other,
    ];

    /// The name scripts meet as `error.kind`: fewer than the kinds, because a script needs no finer ones.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Usage => "usage",
            Kind::NotFound => "not-found",
            Kind::Ambiguous => "ambiguous",
            Kind::Auth | Kind::Expired => "auth",
            Kind::Unreachable | Kind::Untrusted | Kind::Interrupted | Kind::Busy => "network",
            Kind::Exists => "exists",
            Kind::Integrity => "integrity",
            Kind::Refused => "refused",
            Kind::Partial => "partial",
            Kind::Unsupported | Kind::NeedsSize => "unsupported",
            Kind::Protocol => "protocol",
            Kind::Local => "local",
            Kind::Unknown => "unknown",
            Kind::Cancelled => "cancelled",
            Kind::Other => "other",
        }
    }

    /// May the same request succeed later, without anybody changing anything?
    pub fn is_transient(self) -> bool {
        matches!(self, Kind::Unreachable | Kind::Interrupted | Kind::Busy)
    }
}
