//! Requests of every operation, from the first line `SERVICE:OPERATION N?QUERY` (N tells the account) and the body after it: each
//! is answered in the service's format or refused with a code that is the client's fault, and what is refused changes
//! nothing.

#![no_main]

use std::cell::{Cell, LazyCell};

use libfuzzer_sys::fuzz_target;
use rampart_fuzz::server::{Server, account, operation};
use rampart_server::operations::{Operation, Service};

/// After so many writes the server forgets all, so that quotas do not close every way.
const WRITES_MAX: u32 = 500;

/// Codes of refusals that are no operation's own.
const OF_THE_EDGE: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "MalformedQueryString",
    "SerializationException",
    "ValidationError",
    "ValidationException",
];

thread_local! {
    static SERVER: LazyCell<Server> = const { LazyCell::new(Server::start) };
    static WRITES: Cell<u32> = const { Cell::new(0) };
}

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let Ok(line) = str::from_utf8(&bytes[..end]) else { return };
    let body = bytes.get(end + 1..).unwrap_or_default();
    let (call, query) = line.split_once('?').unwrap_or((line, ""));
    let mut words = call.split_ascii_whitespace();
    let Some(operation) = words.next().and_then(operation) else { return };
    let number = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
    SERVER.with(|server| check(server, operation, &account(number), query, body));
});

fn check(server: &Server, operation: &'static Operation, account: &str, query: &str, body: &[u8]) {
    let answer = server.call(account, operation, query, body);
    let written = server.told();
    match answer {
        Ok(answer) if matches!(operation.service, Service::Sts | Service::Iam) => {
            assert!(answer.starts_with('<') && answer.ends_with(">\n"), "{answer}");
        }
        Ok(answer) if answer.is_empty() => {}
        Ok(answer) => drop(serde_json::from_str::<serde_json::Value>(&answer).expect("the answer is JSON")),
        Err(code) => {
            assert_eq!(written, 0, "{} refused with {code} changes something", operation.name);
            let is_known = operation.codes().any(|known| known == code) || OF_THE_EDGE.contains(&code);
            assert!(is_known && !code.contains("Internal"), "{} refused with {code}", operation.name);
        }
    }
    let reads = ["Describe", "Get", "List"].iter().any(|verb| operation.name.starts_with(verb));
    assert!(!reads || written == 0, "{} only reads", operation.name);
    if written > 0 {
        server.sweep();
    }
    WRITES.set(WRITES.get() + u32::try_from(written).expect("a call writes little"));
    if WRITES.get() > WRITES_MAX {
        server.empty();
        WRITES.set(0);
    }
}
