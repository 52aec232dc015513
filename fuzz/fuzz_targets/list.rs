//! The parameters of OrderCloud's lists, with the filter language: any text in a URL is either a list query or an error
//! of the caller, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollbook::api::ordercloud::list;

fuzz_target!(|query: &str| {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.to_owned(), value.to_owned())
    };
    let parameters: Vec<_> = query.split('&').map(pair).collect();
    let _ = list::group_query(&parameters);
    let _ = list::user_query(&parameters);
    let _ = list::assignment_query(&parameters);
});
