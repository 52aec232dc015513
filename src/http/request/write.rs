//! The extractor of a write: the permit, with what accompanies the change.

use std::str::from_utf8;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::percent_decode;

use crate::domain::answer::Answer;
use crate::domain::caller::{Permission, Permit};
use crate::domain::change::{ChangeContext, Precondition};
use crate::domain::error::{Error, Result};
use crate::domain::idempotency::{Shown, Written};
use crate::domain::journal::Channel;
use crate::domain::reason::Reason;
use crate::http::entity_tag::Versioned;
use crate::http::request::error::RequestError;
use crate::http::{ApiState, Failure};
use crate::service::Service;

use super::conditions::Conditions;
use super::idempotency::Repeatable;

/// The header with the reason for a change.
const REASON: HeaderName = HeaderName::from_static("rollbook-reason");

/// The header of an answer that was recorded earlier.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A permit for a change, with what the headers say about it: reason, conditions, key. Rejects as a [`Permit`] does, and
/// then with `Malformed` for a header that is not valid. A repetition is answered here, before anything else of the
/// request is looked at: what the request named may have changed since. So it rejects with the recorded answer, and with
/// `KeyReused` if the key was used for another request.
pub(crate) struct Write<P> {
    permit: Permit<P>,
    service: Arc<Service>,
    repeatable: Option<Repeatable>,
    conditions: Conditions,
}

impl<P: Permission> FromRequestParts<ApiState> for Write<P> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, Response> {
        let write = Self::read(parts, api).await.map_err(Failure::into_response)?;
        match write.recorded_answer().await {
            Ok(None) => Ok(write),
            Ok(Some(answer)) => Err(answer),
            Err(failure) => Err(failure.into_response()),
        }
    }
}

impl<P: Permission> Write<P> {
    async fn read(parts: &mut Parts, api: &ApiState) -> Result<Self, Failure> {
        let permit: Permit<P> = Permit::from_request_parts(parts, api).await?;
        let (reason, conditions) = (reason(&parts.headers)?, Conditions::read(&parts.headers)?);
        let repeatable = Repeatable::read(parts, permit.caller().actor)?;
        let precondition = conditions.precondition(Versioned::Entity);
        let permit = permit.accompanied_by(ChangeContext { reason, precondition, ..ChangeContext::default() });
        Ok(Self { permit, service: Arc::clone(&api.service), repeatable, conditions })
    }
}

impl<P> Write<P> {
    /// The permit for the change.
    pub(crate) fn permit(&self) -> &Permit<P> {
        &self.permit
    }

    /// The same write for a change of a group's members, and the condition on their list. The permit carries none then.
    pub(crate) fn of_members(self) -> (Self, Option<Precondition>) {
        let precondition = self.conditions.precondition(Versioned::Members);
        (Self { permit: self.permit.conditioned_on(None), ..self }, precondition)
    }

    /// The same write for a change of the resource of SCIM with the number, whose tags have a version alone.
    pub(crate) fn of_resource(self, uid: i64) -> Self {
        let precondition = self.conditions.precondition(Versioned::Resource(uid));
        Self { permit: self.permit.conditioned_on(precondition), ..self }
    }

    /// Makes the change by `call` and answers with what `render` makes of its result. If the request has a key, the
    /// store records that answer in the transaction of the change.
    pub(crate) async fn respond<T, F>(
        self,
        render: impl Fn(Channel, &T) -> Result<Answer> + Clone + Send + Sync + 'static,
        call: impl FnOnce(Permit<P>) -> F,
    ) -> Result<Response, Failure>
    where
        T: Shown,
        F: Future<Output = Result<T>>,
    {
        self.respond_once(render.clone(), render, call).await
    }

    /// As [`Self::respond`], for an answer that shows a secret: `show` renders it. `record` renders from what was written
    /// what the store records and a repetition gets.
    pub(crate) async fn respond_once<T, S, F>(
        self,
        record: impl Fn(Channel, &T) -> Result<Answer> + Send + Sync + 'static,
        show: impl FnOnce(Channel, &S) -> Result<Answer>,
        call: impl FnOnce(Permit<P>) -> F,
    ) -> Result<Response, Failure>
    where
        T: Shown,
        F: Future<Output = Result<S>>,
    {
        let channel = self.permit.caller().channel;
        let Self { permit, service, repeatable, conditions: _ } = self;
        let permit = match &repeatable {
            Some(Repeatable { key, fingerprint }) => {
                let recorded = move |written: Written<'_>| {
                    let other = || Error::internal(anyhow::anyhow!("a write recorded something else than it shows"));
                    record(channel, T::of(written).ok_or_else(other)?)
                };
                permit.recorded(service.recording(key.clone(), fingerprint.clone(), Arc::new(recorded)))
            }
            None => permit,
        };
        match call(permit).await {
            Ok(written) => Ok(show(channel, &written)?.into_response()),
            // Another request with the key was faster: its answer is recorded by now, or it takes too long.
            Err(Error::KeyInUse) => {
                let recorded = recorded_answer(&service, repeatable.as_ref()).await?;
                recorded.ok_or_else(|| Failure::from(Error::KeyInUse))
            }
            Err(error) => Err(Failure::from(error)),
        }
    }

    async fn recorded_answer(&self) -> Result<Option<Response>, Failure> {
        recorded_answer(&self.service, self.repeatable.as_ref()).await
    }
}

/// Returns the recorded answer to the request.
async fn recorded_answer(service: &Service, request: Option<&Repeatable>) -> Result<Option<Response>, Failure> {
    let Some(Repeatable { key, fingerprint }) = request else { return Ok(None) };
    let answer = service.recorded_answer(key, fingerprint).await?;
    Ok(answer.map(|answer| ([(REPLAYED, "true")], answer).into_response()))
}

/// Reads the reason: UTF-8, percent-encoded where necessary.
fn reason(headers: &HeaderMap) -> Result<Option<Reason>, RequestError> {
    let mut values = headers.get_all(REASON).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text: Vec<u8> = percent_decode(value.as_bytes()).collect();
    let reason = from_utf8(&text).ok().and_then(|text| Reason::new(text).ok()).filter(|_| values.next().is_none());
    let rule = "Rollbook-Reason must be one text of 1 to 500 characters, not blank, in UTF-8 and percent-encoded.";
    reason.map(Some).ok_or(RequestError::Malformed(rule))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Result<Option<Reason>, RequestError> {
        let values = values.iter().map(|value| (REASON, HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        reason(&values.collect())
    }

    #[test]
    fn a_reason_is_decoded() {
        assert_eq!(read(&[]).unwrap(), None);
        for (sent, meant) in [("K%C3%BCndigung%20100%25", "Kündigung 100%"), ("Kündigung + 1", "Kündigung + 1")] {
            assert_eq!(read(&[sent]).unwrap().unwrap().as_str(), meant);
        }
        for bad in [&[""][..], &["%20"], &["%00"], &["%ff"], &["a", "b"], &[&"%C3%A9".repeat(501)]] {
            assert!(matches!(read(bad), Err(RequestError::Malformed(_))), "{bad:?}");
        }
    }
}
