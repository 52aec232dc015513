//! A caller of the server, and the responses it gets.

use std::ops::Index;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A caller, with a token or without.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    http: Client,
    base: String,
    token: Option<String>,
}

impl Caller {
    /// A caller of this base URL.
    pub(crate) fn new(http: Client, base: &str, token: Option<&str>) -> Self {
        Self { http, base: base.to_owned(), token: token.map(str::to_owned) }
    }

    /// The token, without the scheme; empty if there is none.
    pub(crate) fn bearer(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Sends a GET.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path)).await
    }

    /// Sends a GET and encodes the query's names and values.
    pub(crate) async fn list(&self, path: &str, query: &[(&str, &str)]) -> Reply {
        self.send(self.request("GET", path).query(query)).await
    }

    /// Sends a DELETE.
    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(self.request("DELETE", path)).await
    }

    /// Sends a POST with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("POST", path).json(body)).await
    }

    /// Sends a PUT with a JSON body.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("PUT", path).json(body)).await
    }

    /// Sends a PATCH with a JSON body.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request("PATCH", path).json(body)).await
    }

    /// Sends a POST with a form, as the token endpoint expects it.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(self.request("POST", path).form(fields)).await
    }

    /// Sends any method, with this body unchanged and this content type, if any.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let body = body.into();
        let request = self.request(method, path);
        let request = content_type.into_iter().fold(request, |request, own| request.header(CONTENT_TYPE, own));
        self.send(if body.is_empty() { request } else { request.body(body) }).await
    }

    /// Sends text as JSON, valid or not.
    pub(crate) async fn text(&self, method: &str, path: &str, body: &str) -> Reply {
        self.call(method, path, Some("application/json"), body).await
    }

    /// A request that the test completes and gives to [`Self::send`].
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    /// Sends a request; panics if the connection fails.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Reply {
        self.try_send(request).await.expect("a response")
    }

    /// As [`Self::send`]; `None` if the connection ends before the response does.
    pub(crate) async fn try_send(&self, request: RequestBuilder) -> Option<Reply> {
        Reply::of(request.send().await.ok()?).await
    }
}

/// A complete response.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    json: Value,
}

impl Reply {
    /// Reads a response to its end; `None` if the connection ends first.
    async fn of(response: reqwest::Response) -> Option<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.ok()?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some(Self { status, headers, text, json })
    }

    /// The body as JSON; null if it is not JSON.
    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    /// The same reply; panics if the status is another one.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The same reply; panics if it is not an error response of an API with this status and code.
    #[track_caller]
    pub(crate) fn fails(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        self
    }

    /// The code of the first error: `ErrorCode`, in the Core API `Message`, in Rollbook's own API `code`, in SCIM `scimType`
    /// or else `status`; empty if there is none.
    pub(crate) fn code(&self) -> &str {
        let code = &self.json["Errors"][0]["ErrorCode"];
        code.as_str()
            .or_else(|| self.json["Message"].as_str())
            .or_else(|| self.json["code"].as_str())
            .or_else(|| self.json["scimType"].as_str())
            .or_else(|| self.json["status"].as_str())
            .unwrap_or_default()
    }

    /// The codes of all errors in an OrderCloud error response.
    pub(crate) fn codes(&self) -> Vec<&str> {
        self.errors().filter_map(|error| error["ErrorCode"].as_str()).collect()
    }

    /// The names of the invalid fields in an OrderCloud error response, in its order.
    pub(crate) fn fields(&self) -> Vec<&str> {
        self.errors().filter_map(|error| error["Data"]["Field"].as_str()).collect()
    }

    fn errors(&self) -> impl Iterator<Item = &Value> {
        self.json["Errors"].as_array().into_iter().flatten()
    }

    /// The IDs of a list's items, in either API.
    pub(crate) fn ids(&self) -> Vec<String> {
        let items = self.json.as_array().or_else(|| self.json["Items"].as_array());
        let id = |item: &Value| item["ID"].as_str().map_or_else(|| item["ID"].to_string(), str::to_owned);
        items.expect("a list").iter().map(id).collect()
    }

    /// `Meta.TotalCount`, or the header `X-Total-Count`.
    pub(crate) fn total(&self) -> u64 {
        let count = self.json["Meta"]["TotalCount"].as_u64();
        count.or_else(|| self.header("x-total-count").parse().ok()).expect("a total")
    }

    /// A header's value; empty if it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A field of the JSON body.
impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.json[name]
    }
}
