//! A second evaluation, written from the rules and without the crate's: slow, on plain JSON, for texts of the kinds
//! that `properties` makes up.

use std::collections::BTreeMap;

use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) principal: &'static str,
    pub(crate) action: String,
    pub(crate) resource: String,
    /// Names in lower case.
    pub(crate) keys: BTreeMap<String, Vec<String>>,
}

/// `None` if no statement applies, or the effect that wins.
pub(crate) fn decide(document: &Value, asked: &Asked) -> Option<&'static str> {
    let statements = document["Statement"].as_array().unwrap();
    let applying = |effect: &str| statements.iter().any(|s| s["Effect"] == effect && applies(s, asked));
    if applying("Deny") {
        Some("Deny")
    } else if applying("Allow") {
        Some("Allow")
    } else {
        None
    }
}

fn applies(statement: &Value, asked: &Asked) -> bool {
    let deny = statement["Effect"] == "Deny";
    action(statement, asked)
        && principal(statement, asked, deny)
        && resource(statement, asked, deny) == Some(true)
        && {
            let empty = serde_json::Map::new();
            let blocks = statement["Condition"].as_object().unwrap_or(&empty);
            blocks.iter().all(|(operator, keys)| {
                keys.as_object().unwrap().iter().all(|(key, wanted)| {
                    let given = asked.keys.get(&key.to_lowercase()).cloned().unwrap_or_default();
                    condition(operator, &list(wanted), &given, asked, deny) == Some(true)
                })
            })
        }
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
        Value::String(text) => vec![text.clone()],
        _ => vec![],
    }
}

fn action(statement: &Value, asked: &Asked) -> bool {
    let hit = |patterns: &Value| {
        let wanted = asked.action.to_lowercase();
        list(patterns).iter().any(|pattern| glob(&plain_tokens(&pattern.to_lowercase()), &chars(&wanted)))
    };
    if statement["Action"].is_null() { !hit(&statement["NotAction"]) } else { hit(&statement["Action"]) }
}

fn principal(statement: &Value, asked: &Asked, deny: bool) -> bool {
    let account = asked.principal.split(':').nth(4).unwrap();
    // What the caller is, each with the texts that name it.
    let mut own = vec![vec![account.to_owned(), format!("arn:aws:iam::{account}:root")]];
    if asked.principal.contains("assumed-role/r/") {
        own.push(vec![format!("arn:aws:iam::{account}:role/r")]);
    }
    if !asked.principal.ends_with(":root") {
        own.push(vec![asked.principal.to_owned()]);
    }
    let names = |element: &Value| match element {
        Value::String(star) => vec![star.clone()],
        other => list(&other["AWS"]),
    };
    let is_named =
        |names: &[String], identity: &Vec<String>| names.iter().any(|name| identity.contains(name));
    if let Some(element) = statement.get("Principal") {
        let names = names(element);
        names.contains(&"*".to_owned()) || own.iter().any(|identity| is_named(&names, identity))
    } else if let Some(element) = statement.get("NotPrincipal") {
        let names = names(element);
        let star = names.contains(&"*".to_owned());
        if deny {
            !(star || own.iter().all(|identity| is_named(&names, identity)))
        } else {
            !(star || own.iter().any(|identity| is_named(&names, identity)))
        }
    } else {
        true
    }
}

/// `None`: an Allow with something left open.
fn resource(statement: &Value, asked: &Asked, deny: bool) -> Option<bool> {
    let (patterns, negated) = match (&statement["Resource"], &statement["NotResource"]) {
        (Value::Null, Value::Null) => return Some(true),
        (Value::Null, patterns) => (patterns, true),
        (patterns, _) => (patterns, false),
    };
    let mut hit = false;
    for pattern in list(patterns) {
        // What an Allow lists and a Deny excepts: wildcards stay in their fields.
        let pattern = if deny == negated { in_fields(&pattern) } else { pattern };
        match tokens(&pattern, true, asked, deny && !negated) {
            None if deny => {}
            None => return None,
            Some(tokens) => hit |= glob(&tokens, &chars(&asked.resource)),
        }
    }
    Some(hit != negated)
}

fn condition(operator: &str, wanted: &[String], given: &[String], asked: &Asked, deny: bool) -> Option<bool> {
    if operator == "Null" {
        let null = given.is_empty();
        return Some(wanted.iter().any(|text| text == if null { "true" } else { "false" }));
    }
    let (set, rest) = operator.split_once(':').unwrap_or(("", operator));
    let if_exists = rest.ends_with("IfExists");
    let base = rest.trim_end_matches("IfExists");
    let negated = base.contains("Not");
    let positive = base.replace("Not", "");
    let null = given.iter().all(String::is_empty);
    match set {
        "ForAllValues" if null => return Some(true),
        "ForAnyValue" if given.is_empty() => return Some(if_exists),
        "ForAnyValue" if null => return Some(false),
        "" if given.is_empty() => return Some(if_exists || negated),
        _ => {}
    }
    let mut each = Vec::new();
    for value in given {
        let mut hit = false;
        for want in wanted {
            match compare(&positive, want, value, asked, deny && !negated) {
                Some(yes) => hit |= yes,
                None if !deny => return None,
                None => hit |= !negated,
            }
        }
        each.push(hit != negated);
    }
    Some(if set == "ForAllValues" || (set.is_empty() && negated) {
        each.iter().all(|yes| *yes)
    } else {
        each.iter().any(|yes| *yes)
    })
}

fn compare(operator: &str, want: &str, value: &str, asked: &Asked, open: bool) -> Option<bool> {
    match operator {
        "StringEquals" => Some(glob(&tokens(want, false, asked, open)?, &chars(value))),
        "StringLike" => Some(glob(&tokens(want, true, asked, open)?, &chars(value))),
        "StringEqualsIgnoreCase" => {
            let has_open = tokens(want, false, asked, false).is_none();
            if has_open && open {
                return Some(true);
            }
            let tokens = tokens(&want.to_lowercase(), false, asked, false)?;
            let lower: Vec<Token> = tokens
                .into_iter()
                .map(|token| match token {
                    Token::Letter(letter) => Token::Letter(letter.to_ascii_lowercase()),
                    other => other,
                })
                .collect();
            Some(glob(&lower, &chars(&value.to_lowercase())))
        }
        "Bool" => match value {
            "true" | "false" => Some(value == want),
            _ => None,
        },
        "BinaryEquals" => match value {
            "" | "QQ==" | "Qg==" | "true" => Some(value == want),
            _ => None,
        },
        "IpAddress" => {
            let bits = |text: &str| -> Option<Vec<u8>> {
                let octets: Option<Vec<u8>> = text.split('.').map(|octet| octet.parse().ok()).collect();
                let octets = octets.filter(|octets| octets.len() == 4)?;
                Some(octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1)).collect())
            };
            let (network, len) = want.split_once('/').unwrap_or((want, "32"));
            let len: usize = len.parse().unwrap();
            Some(bits(value)?[..len] == bits(network).unwrap()[..len])
        }
        "ArnEquals" | "ArnLike" => {
            let fields: Vec<&str> = value.splitn(6, ':').collect();
            if fields.len() < 6 || fields[0] != "arn" {
                return None;
            }
            // Only the last field of the patterns made here has wildcards or variables.
            let wanted: Vec<&str> = want.splitn(6, ':').collect();
            let last = glob(&tokens(wanted[5], true, asked, open)?, &chars(fields[5]));
            Some(last && wanted[..5] == fields[..5])
        }
        _ => ordered(operator, want, value),
    }
}

fn ordered(operator: &str, want: &str, value: &str) -> Option<bool> {
    let read = |text: &str| -> Option<f64> {
        match text {
            "2026-01-01T00:00:00Z" | "2025-12-31T23:00:00-01:00" if operator.starts_with("Date") => {
                Some(1_767_225_600.0)
            }
            "2026-01-02" if operator.starts_with("Date") => Some(1_767_312_000.0),
            text => text.parse().ok(),
        }
    };
    let (value, want) = (read(value)?, read(want)?);
    let relation = operator.trim_start_matches("Numeric").trim_start_matches("Date");
    Some(match relation {
        "LessThan" => value < want,
        "LessThanEquals" => value <= want,
        "GreaterThan" => value > want,
        "GreaterThanEquals" => value >= want,
        _ => (value - want).abs() < f64::EPSILON,
    })
}

#[derive(Clone, Copy)]
enum Token {
    Letter(char),
    One,
    Many,
    OneInField,
    ManyInField,
}

/// What stands for a `*` and a `?` that match no colon.
const MANY_IN_FIELD: char = '\u{1}';
const ONE_IN_FIELD: char = '\u{2}';

/// In what stands before the fifth colon of the pattern, `?` and a `*` without a colon or the end after it are bounded.
fn in_fields(pattern: &str) -> String {
    let letters = chars(pattern);
    let (mut colons, mut in_variable) = (0, false);
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let next = letters.get(at + 1);
        in_variable = (in_variable || (*letter == '$' && next == Some(&'{'))) && *letter != '}';
        let is_bounded = colons < 5 && !in_variable;
        out.push(match letter {
            '?' if is_bounded => ONE_IN_FIELD,
            '*' if is_bounded && next.is_some_and(|next| *next != ':') => MANY_IN_FIELD,
            letter => *letter,
        });
        colons += usize::from(*letter == ':' && !in_variable);
    }
    out
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn plain_tokens(text: &str) -> Vec<Token> {
    let token = |letter| match letter {
        '*' => Token::Many,
        '?' => Token::One,
        letter => Token::Letter(letter),
    };
    text.chars().map(token).collect()
}

/// The pattern with variables put in; `None` if one has no value, unless it may then be anything.
fn tokens(text: &str, wild: bool, asked: &Asked, open: bool) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("${") {
            let (inside, tail) = after.split_once('}').unwrap();
            rest = tail;
            if matches!(inside, "*" | "?" | "$") {
                out.extend(inside.chars().map(Token::Letter));
                continue;
            }
            let (key, default) = match inside.split_once(", ") {
                Some((key, quoted)) => (key, Some(quoted.trim_matches('\'').to_owned())),
                None => (inside, None),
            };
            let given = asked.keys.get(&key.to_lowercase()).cloned().unwrap_or_default();
            let value = match given.as_slice() {
                [] => default,
                [one] => Some(one.clone()),
                _ => None,
            };
            match value {
                Some(value) => out.extend(value.chars().map(Token::Letter)),
                None if open => out.push(Token::Many),
                None => return None,
            }
            continue;
        }
        let letter = rest.chars().next().unwrap();
        rest = &rest[letter.len_utf8()..];
        out.push(match letter {
            '*' if wild => Token::Many,
            '?' if wild => Token::One,
            MANY_IN_FIELD => Token::ManyInField,
            ONE_IN_FIELD => Token::OneInField,
            letter => Token::Letter(letter),
        });
    }
    Some(out)
}

fn glob(pattern: &[Token], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((Token::Many, rest)), _) => (0..=text.len()).any(|skipped| glob(rest, &text[skipped..])),
        (Some((Token::One, rest)), Some((_, left))) => glob(rest, left),
        (Some((Token::OneInField, rest)), Some((letter, left))) => *letter != ':' && glob(rest, left),
        (Some((Token::ManyInField, rest)), _) => {
            let field = text.iter().take_while(|letter| **letter != ':').count();
            (0..=field).any(|skipped| glob(rest, &text[skipped..]))
        }
        (Some((Token::Letter(wanted), rest)), Some((found, left))) => wanted == found && glob(rest, left),
        (None, Some(_)) | (Some(_), None) => false,
    }
}
