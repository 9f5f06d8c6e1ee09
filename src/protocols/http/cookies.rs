//! The cookies of one upload. Some receivers store the parts of an upload by session, and some load balancers send a session to
//! one machine; both need these cookies. The cookies end with the upload, and no other request sends them.

use std::sync::Arc;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{RequestBuilder, Url};

use super::response::HttpReply;

#[derive(Clone, Default)]
pub struct Cookies(Arc<Jar>);

impl Cookies {
    pub fn take(&self, reply: &HttpReply) {
        let mut set = reply.headers.get_all(SET_COOKIE).iter().peekable();
        if set.peek().is_some() {
            self.0.set_cookies(&mut set, &reply.url);
        }
    }

    pub fn with(&self, request: RequestBuilder, url: &Url) -> RequestBuilder {
        match self.0.cookies(url) {
            Some(cookies) => request.header(COOKIE, cookies),
            None => request,
        }
    }
}
