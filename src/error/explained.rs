//! What each kind of failure means, where it comes from and what helps: one table, which `haul help errors`, `haul help
//! KIND`, the manual and `docs/errors.md` show.

use super::Kind;

/// What is known of the failures of one name.
pub struct Explained {
    /// One kind of this name; the others end alike.
    pub kind: Kind,
    /// In a few words.
    pub when: &'static str,
    /// Where it comes from, the most frequent first.
    pub causes: &'static [&'static str],
    /// What to do. Commands stand in backticks.
    pub cures: &'static [&'static str],
}

/// The row of a name (`auth`).
pub fn explained(name: &str) -> Option<&'static Explained> {
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
            "A variable HAUL_… holds a value that its option does not take.",
            "A file with secrets can be read by others.",
        ],
        cures: &[
            "Read the end of the message: there stands what to write instead.",
            "`haul help environment` lists the variables; `haul put --help` lists the options of a command.",
            "`haul remote show REMOTE` shows what is set for a remote, and where.",
        ],
    },
    Explained {
        kind: Kind::NotFound,
        when: "there is no such file, folder, remote or local source",
        causes: &[
            "The path has a typing error, or upper and lower case differ.",
            "The remote's name is misspelt, or is set in another configuration file.",
            "A shell has expanded a wildcard that was meant for the remote.",
        ],
        cures: &[
            "List the folder above: `haul ls REMOTE:/folder`.",
            "`haul remote list` shows the remotes that there are.",
            "Quote wildcards: `haul ls 'REMOTE:/in/*.mov'`. A local name with a colon is written ./a:b.",
        ],
    },
    Explained {
        kind: Kind::Ambiguous,
        when: "several entries have the name that was given",
        causes: &["Some providers allow several entries of one name in one folder."],
        cures: &["Take one of the ids that the message lists: `haul get REMOTE:@125`; `haul ls -l --id REMOTE:/folder` shows them all."],
    },
    Explained {
        kind: Kind::Auth,
        when: "the sign-in was refused, there are no credentials, or a token can't be renewed",
        causes: &[
            "The password was changed on the site, and an old one is kept here.",
            "User name or password has a typing error.",
            "The account asks for a second factor.",
            "The share link has expired, or was taken back.",
            "Too many wrong passwords have locked the account for a while.",
        ],
        cures: &[
            "`haul login REMOTE` asks for name and password anew and keeps them.",
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
            "`haul remote check REMOTE` tries the name, the connection, TLS and each protocol, a line each.",
            "Repeat the same command: what arrived is not sent again, and what had begun goes on.",
            "Slow or shaky lines: `haul put --retries 20 --timeout 5m SOURCE REMOTE:/`.",
            "A certificate of your own: `haul remote set REMOTE ca_file=/path/to/ca.pem`.",
        ],
    },
    Explained {
        kind: Kind::Exists,
        when: "refused because the target exists",
        causes: &["--if-exists fail was given, or the provider keeps no two entries of one name."],
        cures: &[
            "Choose what is to happen: `haul put --if-exists update SOURCE REMOTE:/`; other choices are replace, skip, rename and fail.",
        ],
    },
    Explained {
        kind: Kind::Integrity,
        when: "sizes or checksums differ, or the source changed while haul was reading",
        causes: &["Another program was still writing the file.", "Bytes were damaged on the way, or by the server."],
        cures: &[
            "Repeat the same command when the file is complete.",
            "`haul verify RECEIPT` asks the server again for what a receipt names.",
        ],
    },
    Explained {
        kind: Kind::Refused,
        when: "a definite no: permission, quota, size, type, name, or a guard that stops a deletion",
        causes: &[
            "The account is full, or the file is larger than the account allows.",
            "The share link, or the user, has no permission to upload, to download or to remove.",
            "The provider holds no empty files, or no such names.",
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
        causes: &["The files failed for different reasons: each is named with its own."],
        cures: &[
            "Repeat the same command: only what is missing is sent.",
            "`haul put --failed-to FILE SOURCE REMOTE:/` writes the names of those that failed into a file.",
        ],
    },
    Explained {
        kind: Kind::Unsupported,
        when: "the provider or the protocol can't do that; nothing was sent",
        causes: &["Providers differ: one removes nothing, another keeps no comments, a third lists nothing."],
        cures: &["`haul providers` shows what each provider can do. The message names those that can."],
    },
    Explained {
        kind: Kind::Protocol,
        when: "the answer of the server makes no sense",
        causes: &[
            "A proxy or a maintenance page answers in place of the server.",
            "The address leads to another service than the provider that was set.",
            "The server runs a version that haul does not know.",
        ],
        cures: &[
            "Look at the address: `haul remote show REMOTE`. Open the address in a browser.",
            "`haul remote check REMOTE` shows what answers. Report the lines of `-vv` if the server is well.",
        ],
    },
    Explained {
        kind: Kind::Local,
        when: "this machine's disk or files",
        causes: &["The disk is full.", "A file can't be read or written with your permissions.", "Standard output was closed or is full."],
        cures: &["The message names the file and the reason of the system. Mend that, and repeat the same command."],
    },
    Explained {
        kind: Kind::Unknown,
        when: "the last request was sent, its answer was lost, and looking could not decide",
        causes: &["The line broke at the very end of a request, and the server can't be asked what became of the request."],
        cures: &[
            "Look: `haul ls REMOTE:/folder`, or `haul stat REMOTE:/folder/file`.",
            "Repeat the same command if what you wanted is not there. haul repeats no such request blindly.",
        ],
    },
    Explained {
        kind: Kind::Cancelled,
        when: "interrupted: status 130 by SIGINT (Ctrl-C), 143 by SIGTERM",
        causes: &["Somebody, or the time limit of a CI job, stopped haul."],
        cures: &["Repeat the same command: the upload goes on where it stopped. `haul transfers list` shows what is unfinished."],
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
