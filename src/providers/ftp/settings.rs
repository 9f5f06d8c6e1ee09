//! What can be configured for an FTP remote: its server, from the scheme of `url`, and its top folder.

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::contract::{Error, Kind, ProviderContext, Result, Setting};
use crate::model::{RemotePath, Secret};
use crate::protocols::ftp::{FtpServer, Security};
use crate::protocols::http::is_loopback_host;

const fn plain(key: &'static str, help: &'static str) -> Setting {
    Setting { key, help, secret: false, required: false, identifies: false }
}

pub static SETTINGS: &[Setting] = &[
    Setting {
        required: true,
        ..plain("url", "ftps:// (TLS after AUTH), ftps+implicit:// (port 990) or ftp://, with HOST[:PORT][/FOLDER]")
    },
    plain("username", "sign in as this user (anonymous unless given)"),
    Setting { secret: true, ..plain("password", "the user's password") },
    plain("ca_file", "PEM certificates to trust besides the system's"),
    plain("insecure", "true allows plain FTP"),
];

const ANONYMOUS: &str = "anonymous";

#[derive(Clone, Debug)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub security: Security,
    /// The remote's top folder; its path on the server begins with a slash where the URL says `%2F`.
    pub top: Top,
}

/// The folder on the server that the remote's paths are relative to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Top {
    /// True: relative to the root of the server. False: relative to the folder of the sign-in.
    is_absolute: bool,
    path: RemotePath,
}

impl Top {
    /// Reads the URL's path as RFC 1738 says: relative to the folder of the sign-in, unless it begins with `%2F`.
    fn read(path: &str) -> Result<Top> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let is_absolute = path.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2f"));
        let decoded = percent_decode_str(path).decode_utf8();
        let decoded = decoded.map_err(|e| Error::new(Kind::Usage, "the folder in the url of this remote is not UTF-8").with_cause(e))?;
        Ok(Top { is_absolute, path: RemotePath::parse(&decoded)? })
    }

    /// The path as commands contain it; empty is the folder of the sign-in.
    pub fn path_of(&self, path: &RemotePath) -> String {
        let names = self.path.names().iter().chain(path.names());
        let joined = names.map(String::as_str).collect::<Vec<_>>().join("/");
        if self.is_absolute { format!("/{joined}") } else { joined }
    }
}

impl Settings {
    /// Fails with `Usage` when a value makes no sense.
    pub fn read(opening: &ProviderContext) -> Result<Settings> {
        let text = opening.secrets.get("url").ok_or_else(|| {
            Error::new(Kind::Usage, "this remote has no url")
                .with_subject(opening.remote.clone())
                .with_hint("give it one, as in url = \"ftps://HOST/FOLDER\"")
        })?;
        let bad = |why: &str| Error::new(Kind::Usage, why.to_owned()).with_subject(opening.remote.clone());
        let url = Url::parse(&text).map_err(|e| bad("the url of this remote can't be read").with_cause(e))?;
        let (security, usual) = match url.scheme() {
            "ftps" => (Security::Explicit, 21),
            "ftps+implicit" => (Security::Implicit, 990),
            "ftp" => (Security::Plain, 21),
            _ => return Err(bad("the url of an FTP remote begins with ftps://, ftps+implicit:// or ftp://")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| bad("the url of this remote names no host"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        if url.password().is_some() {
            drop(url.password().map(Secret::new));
            return Err(bad("a password does not belong into the url").with_hint("set `password_command`, or run `haul login`"));
        }
        if security == Security::Plain && !opening.network.insecure && !is_loopback_host(&host) {
            let hint = match opening.is_url() {
                true => "use ftps://, or make a remote with `insecure = true`, by `haul remote add`",
                false => {
                    "use ftps://, or allow it with `haul remote set REMOTE insecure=true` (a remote of variables: by its HAUL_REMOTE_…_INSECURE=true)"
                }
            };
            return Err(bad("with plain FTP others on the network could read the password and the files").with_hint(hint));
        }
        let in_url = Some(url.username()).filter(|user| !user.is_empty());
        let in_url = in_url.and_then(|user| percent_decode_str(user).decode_utf8().ok().map(|user| user.into_owned()));
        let user = opening.secrets.get("username").or(in_url).unwrap_or_else(|| ANONYMOUS.to_owned());
        if user.contains(['\r', '\n', '\0']) {
            return Err(bad("a user name can't hold a line break"));
        }
        Ok(Settings { host, port: url.port().unwrap_or(usual), user, security, top: Top::read(url.path())? })
    }

    pub fn is_anonymous(&self) -> bool {
        self.user == ANONYMOUS
    }

    /// Scheme, host and port, as in a URL.
    pub fn origin(&self) -> String {
        let scheme = match self.security {
            Security::Explicit => "ftps",
            Security::Implicit => "ftps+implicit",
            Security::Plain => "ftp",
        };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{scheme}://{host}:{}", self.port)
    }

    pub fn server(&self, opening: &ProviderContext, password: Secret) -> FtpServer {
        FtpServer {
            host: self.host.clone(),
            port: self.port,
            user: self.user.clone(),
            password,
            security: self.security,
            user_chooses: true,
            ca_file: opening.network.ca_file.clone(),
            timeout: opening.network.timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_url_is_counted_from_the_sign_in_unless_it_says_otherwise() {
        let path = |top: &str, path: &str| Top::read(top).unwrap().path_of(&RemotePath::parse(path).unwrap());
        assert_eq!(path("", "/a/b"), "a/b");
        assert_eq!(path("/", ""), "");
        assert_eq!(path("/in/day%203/", "a"), "in/day 3/a");
        assert_eq!(path("/%2Fvar/ftp", "a"), "/var/ftp/a");
        assert_eq!(path("/%2f", ""), "/");
        assert!(Top::read("/%FF").is_err() && Top::read("/a/../b").is_err() && Top::read("/a%0Ab").is_err());
    }
}
