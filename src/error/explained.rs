//! What each kind of failure means, its causes and what to do: one table, which `haul help errors`, `haul help
//! KIND`, the manual and `docs/errors.md` show.

use super::Kind;

/// The explanation of one kind of failure.
pub struct Explained {
    /// One kind of this name; the others have the same exit status.
    pub kind: Kind,
    /// The meaning in a few words.
    pub when: &'static str,
    /// The causes, the most frequent first.
    pub causes: &'static [&'static str],
    /// What to do. Commands are in backticks.
    pub cures: &'static [&'static str],
}

/// The row of a name (`auth`).
pub fn explanation(name: &str) -> Option<&'static Explained> {
    EXPLAINED.iter().find(|row| row.kind.name() == name)
}

/// In the order of their statuses.
pub const EXPLAINED: &[Explained] = &[
    Explained {
        kind: Kind::Other,
        when: "anything that is none of the others: a defect of haul",
        causes: &["Something happened that haul does not expect."],
        cures: &["Repeat the command with `-vv`, and report what the command shows; there is no secret in it."],
    },
    Explained {
        kind: Kind::Usage,
        when: "arguments or configuration make no sense; nothing was sent",
        causes: &[
            "An option, a command or a value is misspelt or missing.",
            "A key in config.toml is misspelt; the message names line and column.",
            "A variable HAUL_… has a value that its option does not accept.",
            "A file with secrets can be read by others.",
        ],
        cures: &[
            "Read the end of the message: it says what to write instead.",
            "`haul help environment` lists the variables; `haul put --help` lists the options of a command.",
            "`haul remote show REMOTE` shows the settings of a remote and their sources.",
        ],
    },
    Explained {
        kind: Kind::NotFound,
        when: "there is no such file, folder, remote or local source",
        causes: &[
            "The path has a typing error, or upper and lower case differ.",
            "The remote's name is misspelt, or is in another configuration file.",
            "A shell has expanded a wildcard that was meant for the remote.",
        ],
        cures: &[
            "List the folder above: `haul ls REMOTE:/folder`.",
            "`haul remote list` shows all remotes.",
            "Quote wildcards: `haul ls 'REMOTE:/in/*.mov'`. A local name with a colon is written ./a:b.",
        ],
    },
    Explained {
        kind: Kind::Ambiguous,
        when: "several entries have the name that was given",
        causes: &["Some providers allow several entries of one name in one folder."],
        cures: &["Use one of the ids in the message: `haul get REMOTE:@125`; `haul ls -l --id REMOTE:/folder` shows them all."],
    },
    Explained {
        kind: Kind::Auth,
        when: "the sign-in was refused, there are no credentials, or a token can't be renewed",
        causes: &[
            "The password was changed on the site, and an old one is saved here.",
            "User name or password has a typing error.",
            "The account asks for a second factor.",
            "The share link has expired, or was withdrawn.",
            "Too many wrong passwords have locked the account for a while.",
        ],
        cures: &[
            "`haul login REMOTE` asks for name and password again and saves them.",
            "In a script: `haul login REMOTE --password-stdin < FILE`, or set HAUL_REMOTE_NAME_PASSWORD.",
            "A code by SMS: `haul login REMOTE` in a terminal, or with --code-stdin.",
            "`haul remote check REMOTE` shows at which step the sign-in fails. haul never repeats a refused sign-in.",
        ],
    },
    Explained {
        kind: Kind::Unreachable,
        when: "the server can't be reached, timed out, or kept failing: trying again may help",
        causes: &[
            "The address of the remote is wrong, or the server is down.",
            "A firewall or a proxy is in the way.",
            "The certificate of the server is not trusted (then trying again does not help).",
            "The server is overloaded and answers 429 or 503.",
        ],
        cures: &[
            "`haul remote check REMOTE` tests the name, the connection, TLS and each protocol.",
            "Repeat the same command: complete files are not sent again, and started files are resumed.",
            "Slow or unstable connections: `haul put --retries 20 --timeout 5m SOURCE REMOTE:/`.",
            "A certificate of your own: `haul remote set REMOTE ca_file=/path/to/ca.pem`.",
        ],
    },
    Explained {
        kind: Kind::Exists,
        when: "refused because the target exists",
        causes: &["--if-exists fail was given, or the provider allows no two entries of one name."],
        cures: &[
            "Choose what haul does then: `haul put --if-exists update SOURCE REMOTE:/`; other choices are replace, skip, rename and fail.",
        ],
    },
    Explained {
        kind: Kind::Integrity,
        when: "sizes or checksums differ, or the source changed while haul was reading",
        causes: &["Another program was still writing the file.", "Bytes were damaged on the network, or by the server."],
        cures: &["Repeat the same command when the file is complete.", "`haul verify RECEIPT` checks the files of a receipt again."],
    },
    Explained {
        kind: Kind::Refused,
        when: "a final refusal: permission, quota, size, type, name, or a guard that stops a deletion",
        causes: &[
            "The account is full, or the file is larger than the account allows.",
            "The share link, or the user, has no permission to upload, to download or to remove.",
            "The provider stores no empty files, or no such names.",
            "A deletion would remove more than --max-delete allows.",
        ],
        cures: &[
            "`haul about REMOTE:` shows the quota, the limits, and what the account may do.",
            "Ask the owner of the share or the folder for permission.",
            "Rename the file, or leave the file out.",
        ],
    },
    Explained {
        kind: Kind::Partial,
        when: "some files of several failed; the rest are done",
        causes: &["The files failed for different reasons; haul prints the reason of each file."],
        cures: &[
            "Repeat the same command: only the missing files are sent.",
            "`haul put --failed-to FILE SOURCE REMOTE:/` writes the names of the failed files to FILE.",
        ],
    },
    Explained {
        kind: Kind::Unsupported,
        when: "the provider or the protocol can't do that; nothing was sent",
        causes: &["Providers differ: one can't remove files, another has no comments, a third has no listing."],
        cures: &["`haul providers` shows what each provider can do. The message names providers that can."],
    },
    Explained {
        kind: Kind::Protocol,
        when: "the answer of the server makes no sense",
        causes: &[
            "A proxy or a maintenance page answers in place of the server.",
            "The address belongs to another service than the configured provider.",
            "The server runs a version that haul does not know.",
        ],
        cures: &[
            "Check the address: `haul remote show REMOTE`. Open the address in a browser.",
            "`haul remote check REMOTE` shows what answers. If the server works, report the lines of `-vv`.",
        ],
    },
    Explained {
        kind: Kind::Local,
        when: "this machine's disk or files",
        causes: &["The disk is full.", "A file can't be read or written with your permissions.", "Standard output was closed or is full."],
        cures: &["The message contains the file and the system's reason. Fix that, and repeat the same command."],
    },
    Explained {
        kind: Kind::Unknown,
        when: "the last request was sent, its answer was lost, and a check could not decide",
        causes: &["The connection was lost at the very end of a request, and the server can't report the result of the request."],
        cures: &[
            "Check: `haul ls REMOTE:/folder`, or `haul stat REMOTE:/folder/file`.",
            "Repeat the same command if the result is not there. haul does not repeat such a request by itself.",
        ],
    },
    Explained {
        kind: Kind::Cancelled,
        when: "interrupted: status 130 by SIGINT (Ctrl-C), 143 by SIGTERM",
        causes: &["A user, or the time limit of a CI job, stopped haul."],
        cures: &["Repeat the same command: the upload resumes where it stopped. `haul transfers list` shows what is unfinished."],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_an_error_is_explained_once() {
        for kind in Kind::ALL {
            let rows = EXPLAINED.iter().filter(|row| row.kind.name() == kind.name());
            assert_eq!(rows.count(), 1, "{}", kind.name());
        }
        assert!(EXPLAINED.iter().all(|row| !row.causes.is_empty() && !row.cures.is_empty()));
    }
}
