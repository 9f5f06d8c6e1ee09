//! The server and its folder. Uploads go to the folder unchanged; a file counts as arrived when it has its final name.

use std::fmt::{self, Debug, Display};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

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
use crate::model::Protocol;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::ftp_session::{CountedInput, FtpConnection, FtpScript, STOR};
use crate::sandbox::storage::Content;

/// The suffix of a file's name during the upload.
pub const UNFINISHED: &str = ".haul-part";

/// The data that all sessions share.
pub struct FtpHost {
    pub script: FtpScript,
    pub folder: PathBuf,
    pub user: String,
    pub password: String,
    pub port: u16,
}

/// Serves until the task is aborted. `cert` and `key` are PEM files.
pub fn serve(host: Arc<FtpHost>, listener: TcpListener, cert: PathBuf, key: PathBuf) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut sessions = JoinSet::new();
        while let Ok((line, _)) = listener.accept().await {
            while sessions.try_join_next().is_some() {}
            if host.script.is_refused() {
                continue;
            }
            if let Some(server) = server(&host, FtpConnection::of(&line, host.script.clone()), &cert, &key) {
                sessions.spawn(async move {
                    // The end of one session does not affect the others.
                    let _ = server.service(line).await;
                });
            }
        }
    })
}

fn server(host: &Arc<FtpHost>, line: Arc<FtpConnection>, cert: &Path, key: &Path) -> Option<libunftp::Server<Disk, Guest>> {
    let disk = Disk { host: host.clone(), files: Arc::new(Filesystem::new(&host.folder).ok()?), line };
    let users = Arc::new(Users(host.clone()));
    ServerBuilder::with_user_detail_provider(Box::new(move || disk.clone()), users.clone())
        .authenticator(users)
        .ftps(cert, key)
        .ftps_required(true, true)
        .ftps_tls_flags(TlsFlags::LATEST_VERSIONS | TlsFlags::RESUMPTION_SESS_ID | TlsFlags::RESUMPTION_TICKETS)
        .greeting("FTP stand-in")
        .build()
        .ok()
}

#[derive(Debug)]
struct Guest(String);

impl Display for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl UserDetail for Guest {}

struct Users(Arc<FtpHost>);

impl Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Users")
    }
}

#[async_trait]
impl Authenticator for Users {
    async fn authenticate(&self, name: &str, shown: &Credentials) -> std::result::Result<Principal, AuthenticationError> {
        if name != self.0.user {
            return Err(AuthenticationError::BadUser);
        }
        if shown.password.as_deref() != Some(&self.0.password) {
            return Err(AuthenticationError::BadPassword);
        }
        self.0.script.shared.store.count_sign_in(NAME);
        Ok(Principal { username: name.to_owned() })
    }
}

#[async_trait]
impl UserDetailProvider for Users {
    type User = Guest;

    async fn provide_user_detail(&self, principal: &Principal) -> std::result::Result<Guest, UserDetailError> {
        Ok(Guest(principal.username.clone()))
    }
}

#[derive(Clone)]
struct Disk {
    host: Arc<FtpHost>,
    files: Arc<Filesystem>,
    line: Arc<FtpConnection>,
}

impl Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

impl Disk {
    /// Records a file that has its final name.
    async fn note_arrival(&self, path: &Path) {
        let shown = format!("/{}", path.strip_prefix("/").unwrap_or(path).to_string_lossy());
        if shown.ends_with(UNFINISHED) {
            return;
        }
        let (shared, file) = (self.host.script.shared.clone(), self.host.folder.join(shown.trim_start_matches('/')));
        let noting = tokio::task::spawn_blocking(move || {
            if let Ok(content) = Content::read(&file) {
                shared.store.arrive(NAME, shown, &content, Protocol::Ftps);
            }
        });
        let _ = noting.await;
    }
}

#[async_trait]
impl StorageBackend<Guest> for Disk {
    type Metadata = <Filesystem as StorageBackend<Guest>>::Metadata;

    fn supported_features(&self) -> u32 {
        StorageBackend::<Guest>::supported_features(self.files.as_ref())
    }

    async fn metadata<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<Self::Metadata> {
        self.line.at("ftp-size", self.files.metadata(user, path)).await
    }

    async fn list<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<Vec<Fileinfo<PathBuf, Self::Metadata>>> {
        self.line.at("ftp-list", self.files.list(user, path)).await
    }

    async fn get<P: AsRef<Path> + Send + Debug>(
        &self,
        user: &Guest,
        path: P,
        from: u64,
    ) -> Result<Box<dyn AsyncRead + Send + Sync + Unpin>> {
        self.line.at("ftp-retr", self.files.get(user, path, from)).await
    }

    async fn put<P: AsRef<Path> + Send + Debug, R: AsyncRead + Send + Sync + Unpin + 'static>(
        &self,
        user: &Guest,
        input: R,
        path: P,
        from: u64,
    ) -> Result<u64> {
        let script = &self.host.script;
        if from > 0 && script.hit(Fault::FtpNoResume).is_some() {
            return Err(Error::from(ErrorKind::PermanentFileNotAvailable));
        }
        let path = path.as_ref().to_owned();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.strip_suffix(UNFINISHED).unwrap_or(name).to_owned();
        let failed = Arc::new(OnceLock::new());
        let storing = async {
            let input = CountedInput::new(input, script.clone(), name, failed.clone());
            let written = self.files.put(user, input, &path, from).await?;
            if failed.get().is_some() {
                return Err(Error::from(ErrorKind::ConnectionClosed));
            }
            self.note_arrival(&path).await;
            Ok(written)
        };
        self.line.at(STOR, storing).await
    }

    async fn del<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<()> {
        self.line.at("ftp-delete", self.files.del(user, path)).await
    }

    async fn mkd<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<()> {
        self.line.at("ftp-mkd", self.files.mkd(user, path)).await
    }

    async fn rename<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, from: P, to: P) -> Result<()> {
        if self.host.script.hit(Fault::FtpNoRename).is_some() {
            return Err(Error::from(ErrorKind::PermanentFileNotAvailable));
        }
        let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
        let renaming = async {
            self.files.rename(user, &from, &to).await?;
            self.note_arrival(&to).await;
            Ok(())
        };
        self.line.at("ftp-rename", renaming).await
    }

    async fn rmd<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<()> {
        self.line.at("ftp-rmd", self.files.rmd(user, path)).await
    }

    async fn cwd<P: AsRef<Path> + Send + Debug>(&self, user: &Guest, path: P) -> Result<()> {
        self.files.cwd(user, path).await
    }
}
