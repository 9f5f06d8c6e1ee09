//! A form as an adapter describes it, for the scripted servers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use haul::Result;
use haul::contract::BoxFuture;
use haul::protocols::http::response::HttpReply;
use haul::protocols::multipart::{Form, FormTarget};
use reqwest::Url;
use reqwest::header::HeaderMap;

/// Notes what it is asked; each form goes to an address of its own.
pub struct TestForm {
    url: Url,
    name: String,
    pub forms: AtomicUsize,
    answer: Mutex<String>,
}

impl TestForm {
    pub fn new(url: &Url, name: &str) -> Arc<TestForm> {
        let (forms, answer) = (AtomicUsize::new(0), Mutex::default());
        Arc::new(TestForm { url: url.clone(), name: name.to_owned(), forms, answer })
    }

    pub fn answer(&self) -> serde_json::Value {
        serde_json::from_str(&self.answer.lock().unwrap()).unwrap()
    }
}

impl FormTarget for TestForm {
    fn form(&self) -> BoxFuture<'_, Result<Form>> {
        let number = self.forms.fetch_add(1, Ordering::SeqCst) + 1;
        let mut url = self.url.clone();
        url.set_query(Some(&format!("token={number}")));
        let fields = vec![("access_token".to_owned(), "Ä\"&=".to_owned()), ("folder_id".to_owned(), String::new())];
        let form = Form { url, headers: HeaderMap::new(), fields, file_field: "file".to_owned(), file_name: self.name.clone() };
        Box::pin(async { Ok(form) })
    }

    fn check_reply(&self, reply: HttpReply) -> Result<()> {
        if !reply.is_success() {
            return Err(reply.error());
        }
        *self.answer.lock().unwrap() = reply.text().into_owned();
        Ok(())
    }
}
