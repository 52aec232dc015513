//! Pipelining: several statements are sent in order, in one round trip, without waiting for the responses in between.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::types::ToSql;

use crate::store::copy::Value;

/// A parameter of a statement, owned, so that the statement can be queued.
pub(crate) type Parameter = Box<dyn ToSql + Sync + Send>;

/// Makes the parameters of a statement: a `Vec<Parameter>` of the values.
macro_rules! parameters {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as $crate::store::postgres::write::pipeline::Parameter),*]
    };
}
pub(crate) use parameters;

/// Makes parameters of the values.
pub(crate) fn owned(values: impl Iterator<Item = Value>) -> Vec<Parameter> {
    values.map(|value| Box::new(value) as Parameter).collect()
}

/// Runs the futures concurrently and returns their outputs in order. Each future must send its statement when it is
/// first polled, before it waits for the response. So polling them in order sends the statements in order.
///
/// - If a future fails when it is first polled (usually because its statement could not be sent), no later future is
///   started, and no response is awaited any more. The outputs end with its error. Those of earlier futures that are
///   still pending are left out.
/// - If a future fails later, the statements after it were sent already, and their outputs are returned as well.
pub(crate) async fn pipelined<T, E, F: Future<Output = Result<T, E>> + Unpin>(
    mut futures: Vec<F>,
) -> Vec<Result<T, E>> {
    // One per future that was started; `None` while the future is pending.
    let mut outputs: Vec<Option<Result<T, E>>> = Vec::with_capacity(futures.len());
    poll_fn(move |context| {
        // First the responses to statements that were sent already, then the statements that were not sent yet.
        for (future, output) in futures.iter_mut().zip(&mut outputs).filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = Pin::new(&mut *future).poll(context) {
                *output = Some(ready);
            }
        }
        while let Some(future) = futures.get_mut(outputs.len()) {
            match Pin::new(&mut *future).poll(context) {
                Poll::Ready(Err(error)) => {
                    let unsent = std::iter::once(Some(Err(error)));
                    return Poll::Ready(outputs.drain(..).chain(unsent).flatten().collect());
                }
                Poll::Ready(ready) => outputs.push(Some(ready)),
                Poll::Pending => outputs.push(None),
            }
        }
        if outputs.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(outputs.drain(..).flatten().collect())
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn all_are_sent_in_order_and_none_behind_a_failure() {
        let sent = RefCell::new(Vec::new());
        let step = |number: u32, sends: bool| {
            let sent = &sent;
            async move {
                if !sends {
                    return Err(number);
                }
                sent.borrow_mut().push(number);
                tokio::task::yield_now().await;
                Ok(number)
            }
            .boxed_local()
        };
        assert_eq!(pipelined(vec![step(1, true), step(2, true), step(3, true)]).await, [Ok(1), Ok(2), Ok(3)]);
        assert_eq!(*sent.borrow(), [1, 2, 3]);
        let outputs = pipelined(vec![step(4, true), step(5, false), step(6, true)]).await;
        assert_eq!(outputs.last(), Some(&Err(5)));
        assert_eq!(*sent.borrow(), [1, 2, 3, 4]);
    }
}
