//! Asking a list over HTTP, and holding what it answers against what it should.

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};
use serde_json::{Value as Json, json};

use super::oracle::{Question, Schema};
use super::spelling;
use crate::support::{Caller, Reply};

/// One page of the list.
pub async fn page(caller: &Caller, schema: &Schema, question: &Question, page: usize, size: usize) -> Reply {
    let (page, size) = (page.to_string(), size.to_string());
    let parameters = spelling::parameters(question);
    let mut query: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    query.extend([("page", page.as_str()), ("pageSize", size.as_str())]);
    caller.list(schema.path, &query).await
}

/// Asks for the first hundred and holds items, order and total against the things that should be listed.
pub async fn holds(caller: &Caller, schema: &Schema, question: &Question, things: &[Json]) -> TestCaseResult {
    let reply = page(caller, schema, question, 1, 100).await;
    if !question.suits() {
        prop_assert_eq!((reply.status, reply.code()), (400, "List.InvalidType"), "{}", reply.text);
        return Ok(());
    }
    is_page(&reply, &question.answer(schema, things), 1, 100, question)
}

/// Walks all pages: together they are the list, each with the right total.
pub async fn walks(
    caller: &Caller,
    schema: &Schema,
    question: &Question,
    size: usize,
    things: &[Json],
) -> TestCaseResult {
    prop_assume!(question.suits());
    let expected = question.answer(schema, things);
    // One page past the end, too.
    for number in 1..=expected.len().div_ceil(size) + 1 {
        is_page(&page(caller, schema, question, number, size).await, &expected, number, size, question)?;
    }
    Ok(())
}

fn is_page(reply: &Reply, all: &[&Json], number: usize, size: usize, question: &Question) -> TestCaseResult {
    let asked = spelling::parameters(question);
    prop_assert_eq!(reply.status, 200, "{:?}: {}", asked, reply.text);
    let before = (number - 1) * size;
    let items: Vec<_> = all.iter().skip(before).take(size).copied().collect();
    let told = reply["Items"].as_array().ok_or_else(|| TestCaseError::fail("no Items"))?;
    let wrong = || wrong(told, &items);
    prop_assert!(told.iter().eq(items.iter().copied()), "{:?} page {} of {}: {}", asked, number, size, wrong());
    let range = if items.is_empty() { json!([0, 0]) } else { json!([before + 1, before + items.len()]) };
    let meta = json!({
        "Page": number, "PageSize": size, "TotalCount": all.len(), "TotalPages": all.len().div_ceil(size),
        "ItemRange": range, "NextPageKey": null,
    });
    prop_assert_eq!(&reply["Meta"], &meta, "{:?}", asked);
    Ok(())
}

/// A few of what is listed and should not be, what should be and is not, or how the order differs.
fn wrong(told: &[Json], expected: &[&Json]) -> String {
    let lines =
        |things: Vec<&Json>| things.into_iter().take(8).map(|thing| format!("\n  {thing:.400}")).collect::<String>();
    let too_many: Vec<_> = told.iter().filter(|thing| !expected.contains(thing)).collect();
    let missing: Vec<_> = expected.iter().filter(|thing| !told.contains(thing)).copied().collect();
    if too_many.is_empty() && missing.is_empty() {
        return format!("the order is{}\nand should be{}", lines(told.iter().collect()), lines(expected.to_vec()));
    }
    format!("listed and should not be:{}\nmissing:{}", lines(too_many), lines(missing))
}
