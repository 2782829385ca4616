//! Paging tokens: a list takes exactly the tokens that it gave out, and refuses all others, be they of other lists, of
//! other accounts, altered or made up.
//!
//! The first byte tells which list is asked, the second how its token is made from the rest.

#![no_main]

use std::cell::LazyCell;
use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use rampart_fuzz::server::{Server, account, operation};
use serde_json::{Value, json};

/// A list of an account, and all tokens that lead through it.
struct List {
    account: String,
    operation: &'static str,
    input: Value,
    tokens: Vec<String>,
}

struct World {
    server: Server,
    lists: Vec<List>,
}

thread_local! {
    static WORLD: LazyCell<World> = const { LazyCell::new(make_world) };
}

fuzz_target!(|bytes: &[u8]| {
    let [list, how, rest @ ..] = bytes else { return };
    WORLD.with(|world| check(world, usize::from(*list), *how, rest));
});

fn check(world: &World, list: usize, how: u8, rest: &[u8]) {
    let list = &world.lists[list % world.lists.len()];
    let Some(token) = make_token(world, how, rest) else { return };
    let mut input = list.input.clone();
    input["nextToken"] = json!(token);
    let operation = operation(list.operation).expect("an operation");
    let answer = world.server.call(&list.account, operation, "", input.to_string().as_bytes());
    let is_own = list.tokens.contains(&token);
    match answer {
        Ok(_) => assert!(is_own, "{} takes {token}", list.operation),
        Err(code) => {
            assert!(!is_own, "{} refuses its token {token}", list.operation);
            // No text has U+0000, so the whole body is refused.
            let refused =
                if token.contains('\0') { "SerializationException" } else { "InvalidNextTokenException" };
            assert_eq!(code, refused, "{token:?}");
        }
    }
}

/// The text itself, or a token of some list: as it is, with bits turned, cut, or with something added.
fn make_token(world: &World, how: u8, rest: &[u8]) -> Option<String> {
    let text = || String::from_utf8(rest.to_vec()).ok();
    if how % 5 == 0 {
        return text();
    }
    let all: Vec<&String> = world.lists.iter().flat_map(|list| &list.tokens).collect();
    let (which, rest) = rest.split_first()?;
    let mut token = all[usize::from(*which) % all.len()].clone().into_bytes();
    match how % 5 {
        1 => {}
        2 => {
            for pair in rest.chunks_exact(2) {
                let at = usize::from(pair[0]) % token.len();
                token[at] ^= pair[1];
            }
        }
        3 => token.truncate(usize::from(*rest.first()?)),
        _ => token.extend_from_slice(rest),
    }
    String::from_utf8(token).ok()
}

fn make_world() -> World {
    let server = Server::start();
    let (owner, receiver) = (account(0), account(1));
    for number in 0..5 {
        let gateway =
            format!("arn:aws:ec2:eu-west-1:{owner}:transit-gateway/tgw-0123456789abcde{number:02x}");
        let input = json!({"name": format!("share-{number}"), "principals": [receiver, account(number + 2)],
            "resourceArns": [gateway], "tags": [{"key": "n", "value": number.to_string()}]});
        server.must(&owner, "CreateResourceShare", &input);
    }
    let lists = [
        (&owner, "GetResourceShares", json!({"resourceOwner": "SELF"})),
        (&owner, "GetResourceShares", json!({"resourceOwner": "SELF", "name": "share-1"})),
        (&owner, "ListResources", json!({"resourceOwner": "SELF"})),
        (&owner, "ListPrincipals", json!({"resourceOwner": "SELF"})),
        (&owner, "GetResourceShareAssociations", json!({"associationType": "PRINCIPAL"})),
        (&owner, "GetResourceShareAssociations", json!({"associationType": "RESOURCE"})),
        (&owner, "ListPermissions", json!({})),
        (&owner, "ListResourceTypes", json!({})),
        (&owner, "ListPermissionAssociations", json!({})),
        (&receiver, "GetResourceShareInvitations", json!({})),
        (&receiver, "GetResourceShares", json!({"resourceOwner": "OTHER-ACCOUNTS"})),
        (&receiver, "ListPermissions", json!({})),
    ];
    let lists = lists.into_iter().map(|(account, operation, input)| {
        let tokens = walk(&server, account, operation, &input);
        List { account: account.clone(), operation, input, tokens }
    });
    let lists: Vec<List> = lists.collect();
    let tokens: Vec<&String> = lists.iter().flat_map(|list| &list.tokens).collect();
    assert!(tokens.len() > 20, "there are lists of several pages");
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), tokens.len(), "no token is of two lists");
    World { server, lists }
}

/// All tokens of a list, by pages of one.
fn walk(server: &Server, account: &str, operation: &str, input: &Value) -> Vec<String> {
    let (mut tokens, mut input) = (Vec::new(), input.clone());
    input["maxResults"] = json!(1);
    while let Some(token) = server.must(account, operation, &input)["nextToken"].as_str() {
        input["nextToken"] = json!(token);
        tokens.push(token.to_owned());
    }
    tokens
}
