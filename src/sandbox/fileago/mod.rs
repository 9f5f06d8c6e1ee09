use std::sync::Arc; use axum::Router; use axum::http::Method;
use super::porch::Ground; use super::store::Content;
pub const NAME: &str = "fileago";
pub struct Fileago;
impl Fileago { pub fn new(_: Arc<Ground>) -> Self { Fileago } pub fn username(&self)->&str{""} pub fn password(&self)->&str{""} pub fn find(&self,_:&str)->Option<Content>{None}}
pub fn routes(_: Arc<Fileago>) -> Router { Router::new() }
pub fn kind(_: &Method, path: &str) -> (String, bool) { (path.into(), false) }
