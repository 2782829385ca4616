//! Canonical JSON.

use std::collections::BTreeSet;

use super::{Condition, Document, Principals, Selection, Statement};
use crate::operator::Operator;

pub(super) fn print_document(document: &Document) -> String {
    let mut out = String::from("{");
    if let Some(version) = document.version {
        write_member(&mut out, "Version");
        write_text(&mut out, version.as_str());
    }
    if let Some(id) = &document.id {
        write_member(&mut out, "Id");
        write_text(&mut out, id);
    }
    write_member(&mut out, "Statement");
    out.push('[');
    for (index, statement) in document.statements.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_statement(&mut out, statement, &Lists::new());
    }
    out.push_str("]}");
    out
}

pub(super) fn print_statement(statement: &Statement, lists: &Lists) -> String {
    let mut out = String::new();
    write_statement(&mut out, statement, lists);
    out
}

/// The keys of a condition whose values are a list though it may be of one. Canonical are values alone.
pub(crate) type Lists = BTreeSet<(Operator, String)>;

/// Writes a string literal.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn write_statement(out: &mut String, statement: &Statement, lists: &Lists) {
    out.push('{');
    if let Some(sid) = &statement.sid {
        write_member(out, "Sid");
        write_text(out, sid);
    }
    write_member(out, "Effect");
    write_text(out, statement.effect.as_str());
    if let Some(principals) = &statement.principals {
        write_member(out, named(principals, "Principal", "NotPrincipal"));
        write_principals(out, principals.listed());
    }
    write_member(out, named(&statement.actions, "Action", "NotAction"));
    write_list(out, statement.actions.listed());
    if let Some(resources) = &statement.resources {
        write_member(out, named(resources, "Resource", "NotResource"));
        write_list(out, resources.listed());
    }
    if !statement.condition.is_empty() {
        write_member(out, "Condition");
        write_condition(out, &statement.condition, lists);
    }
    out.push('}');
}

fn named<T>(selection: &Selection<T>, only: &'static str, except: &'static str) -> &'static str {
    match selection {
        Selection::Only(_) => only,
        Selection::Except(_) => except,
    }
}

fn write_principals(out: &mut String, principals: &Principals) {
    match principals {
        Principals::Anyone => write_text(out, "*"),
        Principals::Named(kinds) => {
            out.push('{');
            for (kind, names) in kinds {
                write_member(out, kind.as_str());
                write_list(out, names);
            }
            out.push('}');
        }
    }
}

fn write_condition(out: &mut String, condition: &Condition, lists: &Lists) {
    out.push('{');
    for (operator, keys) in condition {
        write_member(out, &operator.to_string());
        out.push('{');
        for (key, values) in keys {
            write_member(out, key);
            if lists.contains(&(*operator, key.clone())) {
                write_array(out, values);
            } else {
                write_list(out, values);
            }
        }
        out.push('}');
    }
    out.push('}');
}

fn write_list(out: &mut String, texts: &[String]) {
    match texts {
        [text] => write_text(out, text),
        _ => write_array(out, texts),
    }
}

fn write_array(out: &mut String, texts: &[String]) {
    out.push('[');
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(out, text);
    }
    out.push(']');
}

/// Writes a member's key; the comma too, unless it is the first.
fn write_member(out: &mut String, key: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    write_text(out, key);
    out.push(':');
}
