//! Requests a list over HTTP, and compares the response with the expected one.

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};
use serde_json::{Value as Json, json};

use super::oracle::{ListRequest, Schema};
use super::spelling;
use crate::support::{Caller, Reply};

/// One page of the list.
pub(crate) async fn page(caller: &Caller, schema: &Schema, request: &ListRequest, page: usize, size: usize) -> Reply {
    let (page, size) = (page.to_string(), size.to_string());
    let parameters = spelling::parameters(request);
    let mut query: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    query.extend([("page", page.as_str()), ("pageSize", size.as_str())]);
    caller.list(schema.path, &query).await
}

/// Requests the first hundred items; compares items, order and total with the entities that are expected.
pub(crate) async fn check_list(
    caller: &Caller,
    schema: &Schema,
    request: &ListRequest,
    entities: &[Json],
) -> TestCaseResult {
    let reply = page(caller, schema, request, 1, 100).await;
    if !request.suits() {
        prop_assert_eq!((reply.status, reply.code()), (400, "List.InvalidType"), "{}", reply.text);
        return Ok(());
    }
    is_page(&reply, &request.expected(schema, entities), 1, 100, request)
}

/// Requests all pages: together they are the list, each with the right total.
pub(crate) async fn check_all_pages(
    caller: &Caller,
    schema: &Schema,
    request: &ListRequest,
    size: usize,
    entities: &[Json],
) -> TestCaseResult {
    prop_assume!(request.suits());
    let expected = request.expected(schema, entities);
    // One page after the last, too.
    for number in 1..=expected.len().div_ceil(size) + 1 {
        is_page(&page(caller, schema, request, number, size).await, &expected, number, size, request)?;
    }
    Ok(())
}

fn is_page(reply: &Reply, all: &[&Json], number: usize, size: usize, request: &ListRequest) -> TestCaseResult {
    let parameters = spelling::parameters(request);
    prop_assert_eq!(reply.status, 200, "{:?}: {}", parameters, reply.text);
    let before = (number - 1) * size;
    let items: Vec<_> = all.iter().skip(before).take(size).copied().collect();
    let observed = reply["Items"].as_array().ok_or_else(|| TestCaseError::fail("no Items"))?;
    let wrong = || wrong(observed, &items);
    prop_assert!(
        observed.iter().eq(items.iter().copied()),
        "{:?} page {} of {}: {}",
        parameters,
        number,
        size,
        wrong()
    );
    let range = if items.is_empty() { json!([0, 0]) } else { json!([before + 1, before + items.len()]) };
    let meta = json!({
        "Page": number, "PageSize": size, "TotalCount": all.len(), "TotalPages": all.len().div_ceil(size),
        "ItemRange": range, "NextPageKey": null,
    });
    prop_assert_eq!(&reply["Meta"], &meta, "{:?}", parameters);
    Ok(())
}

/// Some of the items that are unexpected or missing, or the first difference in the order.
fn wrong(observed: &[Json], expected: &[&Json]) -> String {
    let lines = |entities: Vec<&Json>| {
        entities.into_iter().take(8).map(|entity| format!("\n  {entity:.400}")).collect::<String>()
    };
    let too_many: Vec<_> = observed.iter().filter(|entity| !expected.contains(entity)).collect();
    let missing: Vec<_> = expected.iter().filter(|entity| !observed.contains(entity)).copied().collect();
    if too_many.is_empty() && missing.is_empty() {
        return format!("the order is{}\nand should be{}", lines(observed.iter().collect()), lines(expected.to_vec()));
    }
    format!("listed and should not be:{}\nmissing:{}", lines(too_many), lines(missing))
}
