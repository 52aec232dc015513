//! Somebody who calls the server, and what they are told.

use std::ops::Index;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A caller, with a token or without.
#[derive(Clone, Debug)]
pub struct Caller {
    http: Client,
    base: String,
    token: Option<String>,
}

impl Caller {
    pub fn new(http: Client, base: &str, token: Option<&str>) -> Self {
        Self { http, base: base.to_owned(), token: token.map(str::to_owned) }
    }

    /// The token as it is sent.
    pub fn bearer(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path)).await
    }

    /// A GET with the query's names and values still to be encoded.
    pub async fn list(&self, path: &str, query: &[(&str, &str)]) -> Reply {
        self.send(self.request("GET", path).query(query)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request("DELETE", path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("POST", path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("PUT", path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("PATCH", path).json(body)).await
    }

    /// A form, as the token endpoint takes it.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(self.request("POST", path).form(fields)).await
    }

    /// Any method, with a body as it stands and the content type given, if any.
    pub async fn call(&self, method: &str, path: &str, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Reply {
        let body = body.into();
        let request = self.request(method, path);
        let request = content_type.into_iter().fold(request, |request, own| request.header(CONTENT_TYPE, own));
        self.send(if body.is_empty() { request } else { request.body(body) }).await
    }

    /// JSON text as it stands, broken or not.
    pub async fn text(&self, method: &str, path: &str, body: &str) -> Reply {
        self.call(method, path, Some("application/json"), body).await
    }

    /// A request to be completed by the test, for [`Self::send`].
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Reply {
        self.try_send(request).await.expect("the server answers")
    }

    /// As [`Self::send`], where the server may end before it has answered: `None` then.
    pub async fn try_send(&self, request: RequestBuilder) -> Option<Reply> {
        Reply::of(request.send().await.ok()?).await
    }
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    json: Value,
}

impl Reply {
    /// `None` if the connection ends before the answer does.
    async fn of(response: reqwest::Response) -> Option<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.ok()?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some(Self { status, headers, text, json })
    }

    /// The body; null where it is no JSON.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The same reply, whose status must be this one.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The same reply, which must be this failure, told in the envelope of either API.
    #[track_caller]
    pub fn fails(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        self
    }

    /// The code of the first error: `ErrorCode` or, at the Core API, `Message`; empty where there is none.
    pub fn code(&self) -> &str {
        let told = &self.json["Errors"][0]["ErrorCode"];
        told.as_str().or_else(|| self.json["Message"].as_str()).unwrap_or_default()
    }

    /// The codes of all errors of the OrderCloud envelope.
    pub fn codes(&self) -> Vec<&str> {
        self.errors().filter_map(|error| error["ErrorCode"].as_str()).collect()
    }

    /// The names of the members that broke a rule, in the order told.
    pub fn fields(&self) -> Vec<&str> {
        self.errors().filter_map(|error| error["Data"]["Field"].as_str()).collect()
    }

    fn errors(&self) -> impl Iterator<Item = &Value> {
        self.json["Errors"].as_array().into_iter().flatten()
    }

    /// The IDs of the items of a list, of either API.
    pub fn ids(&self) -> Vec<String> {
        let items = self.json.as_array().or_else(|| self.json["Items"].as_array());
        let id = |item: &Value| item["ID"].as_str().map_or_else(|| item["ID"].to_string(), str::to_owned);
        items.expect("a list").iter().map(id).collect()
    }

    /// `Meta.TotalCount`, or the header `X-Total-Count`.
    pub fn total(&self) -> u64 {
        let told = self.json["Meta"]["TotalCount"].as_u64();
        told.or_else(|| self.header("x-total-count").parse().ok()).expect("a total")
    }

    /// A header's value; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A member of the body.
impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.json[name]
    }
}
