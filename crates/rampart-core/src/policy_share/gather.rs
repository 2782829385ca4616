//! Gathers what a policy's statements give to each principal into grants that permissions can say.
//!
//! How a policy is cut into statements says nothing: what one principal may do under one condition is one statement, and
//! principals that may do the same are one grant.

use std::collections::HashMap;

use rampart_policy::document::Selection;
use rampart_policy::{Statement, same_grants};

use super::{PolicyGrant, alone};
use crate::Principal;

/// What one statement gives to one principal.
pub(super) struct Piece {
    pub(super) principal: Principal,
    /// In order.
    pub(super) sources: Vec<String>,
    pub(super) allowed: Statement,
}

/// The grants of a policy. `permissions` are the managed permissions of several statements: who is given all of one's
/// statements is given that permission; any other statement is a grant of its own.
pub(super) fn gather(pieces: Vec<Piece>, permissions: &[Vec<Statement>]) -> Vec<PolicyGrant> {
    let permissions: Vec<_> = permissions.iter().map(|permission| joined(permission)).collect();
    let mut grants: Vec<PolicyGrant> = Vec::new();
    for (principal, sources, statements) in by_principal(pieces) {
        for allowed in cut(joined(&statements), &permissions) {
            let same = |grant: &&mut PolicyGrant| grant.allowed == allowed && grant.sources == sources;
            match grants.iter_mut().find(same) {
                Some(grant) => grant.principals.push(principal.clone()),
                None => grants.push(PolicyGrant {
                    allowed,
                    principals: vec![principal.clone()],
                    sources: sources.clone(),
                }),
            }
        }
    }
    for grant in &mut grants {
        grant.principals.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    }
    grants
}

/// What each principal is given, in the order in which the policy names them.
fn by_principal(pieces: Vec<Piece>) -> Vec<(Principal, Vec<String>, Vec<Statement>)> {
    let mut places = HashMap::new();
    let mut found: Vec<(Principal, Vec<String>, Vec<Statement>)> = Vec::new();
    for Piece { principal, sources, allowed } in pieces {
        let key = (principal.as_str().to_owned(), sources.clone());
        let place = *places.entry(key).or_insert(found.len());
        match found.get_mut(place) {
            Some((_, _, statements)) => statements.push(allowed),
            None => found.push((principal, sources, vec![allowed])),
        }
    }
    found
}

/// Statements of the same condition as one, with the actions of all.
fn joined(statements: &[Statement]) -> Vec<Statement> {
    let mut joined: Vec<Statement> = Vec::new();
    for statement in statements {
        match joined.iter_mut().find(|other| other.condition == statement.condition) {
            Some(other) => {
                if let (Selection::Only(all), Selection::Only(more)) =
                    (&mut other.actions, &statement.actions)
                {
                    all.extend(more.iter().cloned());
                }
            }
            None => joined.push(statement.clone()),
        }
    }
    for statement in &mut joined {
        if let Selection::Only(actions) = &mut statement.actions {
            actions.sort_unstable();
            actions.dedup();
        }
    }
    joined
}

/// Cuts statements into what permissions say. Two permissions may have a statement in common.
fn cut(statements: Vec<Statement>, permissions: &[Vec<Statement>]) -> Vec<Vec<Statement>> {
    let mut is_said = vec![false; statements.len()];
    let mut cut: Vec<Vec<Statement>> = Vec::new();
    for permission in permissions {
        let place = |part: &Statement| {
            let part = alone(std::slice::from_ref(part));
            let is_part = |own: &Statement| same_grants(&alone(std::slice::from_ref(own)), &part);
            statements.iter().position(is_part)
        };
        let Some(places) = permission.iter().map(place).collect::<Option<Vec<_>>>() else { continue };
        let said: Vec<_> = places.iter().map(|place| statements[*place].clone()).collect();
        if !cut.contains(&said) {
            cut.push(said);
        }
        for place in places {
            is_said[place] = true;
        }
    }
    let rest = statements.into_iter().zip(is_said).filter(|(_, is_said)| !is_said);
    cut.extend(rest.map(|(statement, _)| vec![statement]));
    cut
}
