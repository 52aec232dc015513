//! Sending several statements at once, in order.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::types::ToSql;

/// A parameter that its statement owns.
pub type Parameter = Box<dyn ToSql + Sync + Send>;

/// The parameters of a statement.
macro_rules! parameters {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as $crate::store::postgres::pipeline::Parameter),*]
    };
}
pub(super) use parameters;

/// Polls the futures in their order, so that each sends its statement before the next one does, and waits for all.
/// One that has failed by the time the next one would be sent (as a rule because it could not be sent itself) stops those
/// behind it: the outputs end with its error then.
pub async fn in_order<T, E, F: Future<Output = Result<T, E>> + Unpin>(mut waiting: Vec<F>) -> Vec<Result<T, E>> {
    let mut outputs: Vec<Option<Result<T, E>>> = Vec::with_capacity(waiting.len());
    poll_fn(move |context| {
        for (future, output) in waiting.iter_mut().zip(&mut outputs).filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = Pin::new(&mut *future).poll(context) {
                *output = Some(ready);
            }
        }
        while let Some(future) = waiting.get_mut(outputs.len()) {
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
        assert_eq!(in_order(vec![step(1, true), step(2, true), step(3, true)]).await, [Ok(1), Ok(2), Ok(3)]);
        assert_eq!(*sent.borrow(), [1, 2, 3]);
        let outputs = in_order(vec![step(4, true), step(5, false), step(6, true)]).await;
        assert_eq!(outputs.last(), Some(&Err(5)));
        assert_eq!(*sent.borrow(), [1, 2, 3, 4]);
    }
}
