//! The kinds of failures: one for each different reaction to a failure.

/// What went wrong, in as many kinds as there are different reactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Arguments or configuration make no sense; found before anything was sent.
    Usage,
    /// No such file, folder, remote or local source.
    NotFound,
    /// Several entries match one address.
    Ambiguous,
    /// The server refused the credentials, or there are none. Never retried.
    Auth,
    /// The token has expired: renew it once, then repeat the request.
    Expired,
    /// The request was never sent, or was refused unread: it can be repeated safely.
    Unreachable,
    /// The server's certificate is not trusted, or the server refuses our kind of connection: waiting will not help.
    Untrusted,
    /// The request may have arrived (lost connection, time-out, 5xx). Check before a repetition, if the request must not happen
    /// twice.
    Interrupted,
    /// The server is busy (429, 503) and did not act on the request.
    Busy,
    /// The target exists, and the user asked not to replace it.
    Exists,
    /// Sizes or checksums differ, or the source changed while it was read.
    Integrity,
    /// A final refusal: permission, quota, size, type, a name that can't be stored.
    Refused,
    /// Some files of several failed.
    Partial,
    /// The provider or protocol can't do that.
    Unsupported,
    /// The upload can't begin before its size is known (standard input must be stored in a file first). Only used inside the engine.
    NeedsSize,
    /// The server's answer can't be understood.
    Protocol,
    /// This machine's disk or files.
    Local,
    /// The last request was sent, its answer was lost, and a check could not decide whether it was done.
    Unknown,
    /// SIGINT or SIGTERM.
    Cancelled,
    /// Anything else: a defect of haul.
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

    /// The name in `error.kind` for scripts. Several kinds share a name, because a script needs no finer distinction.
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

    /// True if the same request may succeed later, without any change by the user.
    pub fn is_transient(self) -> bool {
        matches!(self, Kind::Unreachable | Kind::Interrupted | Kind::Busy)
    }
}
