//! Reads parameters as the site does: only forms, with tags stripped and blanks trimmed (providers.md, 2.1).

use std::collections::HashMap;

use axum::Form;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{Method, header};

#[derive(Debug, Default)]
pub struct Params(HashMap<String, String>);

impl Params {
    /// A body that is no form counts as empty: JSON is ignored.
    pub async fn read(request: Request) -> Params {
        let mut params = Params::default();
        let multipart = request.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"multipart/"));
        if request.method() == Method::POST && multipart {
            let Ok(mut form) = Multipart::from_request(request, &()).await else { return params };
            while let Ok(Some(field)) = form.next_field().await {
                let name = field.name().unwrap_or_default().to_owned();
                params.set(name, &field.text().await.unwrap_or_default());
            }
            return params;
        }
        if let Ok(Form(pairs)) = Form::<Vec<(String, String)>>::from_request(request, &()).await {
            for (name, value) in pairs {
                params.set(name, &value);
            }
        }
        params
    }

    pub fn set(&mut self, name: String, value: &str) {
        self.0.insert(name, clean(value));
    }

    /// The value, if it is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    pub fn id(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

/// `a<b>c` becomes `ac`; an unclosed tag removes the rest; `<` before a blank is no tag.
pub fn clean(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        kept.push_str(before);
        let blank = tag.chars().nth(1).is_none_or(char::is_whitespace);
        if blank {
            kept.push('<');
            rest = tag.get(1..).unwrap_or_default();
        } else {
            rest = tag.split_once('>').map_or("", |(_, after)| after);
        }
    }
    kept.push_str(rest);
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn tags_and_outer_blanks_vanish() {
        assert_eq!(clean(" a<b>c "), "ac");
        assert_eq!(clean("1 < 2"), "1 < 2");
        assert_eq!(clean("end <b"), "end");
        assert_eq!(clean("plain"), "plain");
    }
}
