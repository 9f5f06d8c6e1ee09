//! FTPS of the ioGates stand-in, by libunftp: explicit TLS only, passive mode only, the credentials of Auth Info. A file whose
//! name does not end in `.download` is complete: its bytes go to their entry and the file leaves the folder (providers.md,
//! 1.16).

use std::fmt::{self, Debug, Display};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use libunftp::ServerBuilder;
use libunftp::options::TlsFlags;
use tokio::io::AsyncRead;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use unftp_core::auth::{AuthenticationError, Authenticator, Credentials, Principal, UserDetail, UserDetailError, UserDetailProvider};
use unftp_core::storage::{Error, ErrorKind, Fileinfo, Result, StorageBackend};
use unftp_sbe_fs::Filesystem;

use super::NAME;
use super::model::{Access, Root};
use super::state::Iogates;
use crate::error;
use crate::model::Protocol;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::ftp_session::{CountedInput, FtpConnection, FtpScript, STOR};
use crate::sandbox::options::listen;
use crate::sandbox::storage::Content;

const UNFINISHED: &str = ".download";

/// Bound before the stand-in exists, because Auth Info contains the port.
pub struct FtpServer {
    listener: TcpListener,
    port: u16,
}

impl FtpServer {
    /// Port 0 is any free port.
    pub async fn bind(port: u16) -> error::Result<Self> {
        let listener = listen(port).await?;
        let port = listener.local_addr()?.port();
        Ok(FtpServer { listener, port })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until the task is aborted. `cert` and `key` are PEM files.
    pub fn serve(self, host: Arc<Iogates>, cert: PathBuf, key: PathBuf) -> JoinHandle<()> {
        tokio::spawn(async move {
            let mut sessions = JoinSet::new();
            let script = script_of(&host);
            while let Ok((line, _)) = self.listener.accept().await {
                while sessions.try_join_next().is_some() {}
                if script.is_refused() {
                    continue;
                }
                if let Some(server) = server(&host, FtpConnection::of(&line, script.clone()), &cert, &key) {
                    sessions.spawn(async move {
                        // The end of one session does not affect the others.
                        let _ = server.service(line).await;
                    });
                }
            }
        })
    }
}

fn server(host: &Arc<Iogates>, line: Arc<FtpConnection>, cert: &Path, key: &Path) -> Option<libunftp::Server<DropPlace, Guest>> {
    let disk = Arc::new(Filesystem::new(&host.ftp_folder).ok()?);
    let drop_place = DropPlace { host: host.clone(), disk, line };
    let users = Arc::new(Users(host.clone()));
    ServerBuilder::with_user_detail_provider(Box::new(move || drop_place.clone()), users.clone())
        .authenticator(users)
        .ftps(cert, key)
        .ftps_required(true, true)
        .ftps_tls_flags(TlsFlags::LATEST_VERSIONS | TlsFlags::RESUMPTION_SESS_ID | TlsFlags::RESUMPTION_TICKETS)
        .greeting("ioGates stand-in")
        .build()
        .ok()
}

fn script_of(host: &Iogates) -> FtpScript {
    FtpScript { shared: host.shared.clone(), provider: NAME }
}

/// The user of a session, and where the files go.
#[derive(Debug)]
struct Guest {
    name: String,
    /// The folder's name.
    folder: String,
    root: Root,
}

impl Display for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl UserDetail for Guest {}

struct Users(Arc<Iogates>);

impl Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Users")
    }
}

impl Users {
    fn find(&self, name: &str) -> Option<Access> {
        self.0.access(|a| a.ftp_user == name)
    }
}

#[async_trait]
impl Authenticator for Users {
    async fn authenticate(&self, name: &str, shown: &Credentials) -> std::result::Result<Principal, AuthenticationError> {
        let access = self.find(name).ok_or(AuthenticationError::BadUser)?;
        if shown.password.as_deref() != Some(&access.ftp_password) {
            return Err(AuthenticationError::BadPassword);
        }
        Ok(Principal { username: name.to_owned() })
    }
}

#[async_trait]
impl UserDetailProvider for Users {
    type User = Guest;

    async fn provide_user_detail(&self, principal: &Principal) -> std::result::Result<Guest, UserDetailError> {
        let name = principal.username.clone();
        let access = self.find(&name).ok_or_else(|| UserDetailError::UserNotFound { username: name.clone() })?;
        let folder = access.upload_key;
        std::fs::create_dir_all(self.0.ftp_folder.join(&folder)).map_err(|e| UserDetailError::with_source("no folder", e))?;
        Ok(Guest { name, folder, root: access.root })
    }
}

/// The storage of the files that one token uploads.
#[derive(Clone)]
struct DropPlace {
    host: Arc<Iogates>,
    disk: Arc<Filesystem>,
    line: Arc<FtpConnection>,
}

impl Debug for DropPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DropPlace")
    }
}

impl DropPlace {
    /// A user's path, from the folder of all users.
    fn at(&self, user: &Guest, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        Path::new(&user.folder).join(path.strip_prefix("/").unwrap_or(path))
    }

    /// tokio writes files in the background: waits until the bytes that came before a cut are on the disk.
    async fn settle(&self, user: &Guest, path: &Path) {
        let file = self.host.ftp_folder.join(self.at(user, path));
        let held = || std::fs::metadata(&file).map_or(0, |meta| meta.len());
        let (mut before, mut still) = (held(), 0);
        while still < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = held();
            still = if now == before { still + 1 } else { 0 };
            before = now;
        }
    }

    /// For a final name: moves the bytes to their entry.
    async fn take_in(&self, user: &Guest, path: &Path) -> Result<()> {
        let Some(name) = path.file_name().and_then(|n| n.to_str()).filter(|n| !n.ends_with(UNFINISHED)) else { return Ok(()) };
        let (name, from) = (name.to_owned(), self.host.ftp_folder.join(self.at(user, path)));
        let (host, root) = (self.host.clone(), user.root);
        let moving = tokio::task::spawn_blocking(move || {
            let spot = host.shared.store.new_path();
            std::fs::rename(from, &spot)?;
            host.take_in(root, &name, Content::read(&spot)?, Protocol::Ftps);
            io::Result::Ok(())
        });
        match moving.await {
            Ok(done) => Ok(done?),
            Err(_) => Err(Error::from(ErrorKind::LocalError)),
        }
    }
}

#[async_trait]
impl StorageBackend<Guest> for DropPlace {
    type Metadata = <Filesystem as StorageBackend<Guest>>::Metadata;

    fn supported_features(&self) -> u32 {
        StorageBackend::<Guest>::supported_features(self.disk.as_ref())
    }

    async fn metadata<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<Self::Metadata> {
        self.line.at("ftp-size", self.disk.metadata(user, self.at(user, path))).await
    }

    async fn list<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<Vec<Fileinfo<PathBuf, Self::Metadata>>> {
        self.disk.list(user, self.at(user, path)).await
    }

    async fn get<P: AsRef<Path> + Send + Debug>(
        &self,
        user: &Guest,
        path: P,
        from: u64,
    ) -> Result<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        self.disk.get(user, self.at(user, path), from).await
    }

    async fn put<P: AsRef<Path> + Send + Debug, R: AsyncRead + Send + Sync + Unpin + 'static>(
        &self,
        user: &Guest,
        input: R,
        path: P,
        from: u64,
    ) -> Result<u64> {
        if from > 0 && self.host.hit(Fault::FtpNoResume).is_some() {
            return Err(Error::from(ErrorKind::PermanentFileNotAvailable));
        }
        let path = path.as_ref().to_owned();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let name = name.strip_suffix(UNFINISHED).unwrap_or(name).to_owned();
        let failed = Arc::new(OnceLock::new());
        let storing = async {
            let input = CountedInput::new(input, script_of(&self.host), name, failed.clone());
            let written = match self.disk.put(user, input, self.at(user, &path), from).await {
                Ok(written) => written,
                Err(error) => {
                    self.settle(user, &path).await;
                    return Err(error);
                }
            };
            if failed.get().is_some() {
                if let Some(strike) = self.host.hit(Fault::FtpPadded) {
                    let half = std::fs::OpenOptions::new().write(true).open(self.host.ftp_folder.join(self.at(user, &path)))?;
                    half.set_len(half.metadata()?.len() + strike.number)?;
                }
                return Err(Error::from(ErrorKind::ConnectionClosed));
            }
            self.take_in(user, &path).await?;
            Ok(written)
        };
        self.line.at(STOR, storing).await
    }

    async fn del<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<()> {
        self.line.at("ftp-delete", self.disk.del(user, self.at(user, path))).await
    }

    async fn mkd<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<()> {
        self.disk.mkd(user, self.at(user, path)).await
    }

    async fn rename<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, from: P, to: P) -> Result<()> {
        if self.host.hit(Fault::FtpNoRename).is_some() {
            return Err(Error::from(ErrorKind::PermanentFileNotAvailable));
        }
        let to = to.as_ref().to_owned();
        let renaming = async {
            self.disk.rename(user, self.at(user, from), self.at(user, &to)).await?;
            self.take_in(user, &to).await
        };
        self.line.at("ftp-rename", renaming).await
    }

    async fn rmd<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<()> {
        self.disk.rmd(user, self.at(user, path)).await
    }

    async fn cwd<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<()> {
        self.disk.cwd(user, self.at(user, path)).await
    }
}
