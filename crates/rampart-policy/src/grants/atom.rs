//! Statements taken apart, each part in one spelling.

use std::collections::BTreeSet;

use super::ATOMS_MAX;
use super::cover::covers_pattern;
use crate::document::{Effect, PrincipalKind, Principals, Selection, Statement, Version};
use crate::evaluate::{Named, Operand, ResourcePattern};
use crate::operator::{Comparison, Operator, Quantifier};
use crate::pattern::{Pattern, Piece, Syntax};

/// A statement of one principal, one action and one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Atom {
    effect: Effect,
    principal: Part<Named>,
    action: Part<Pattern>,
    resource: Part<ResourcePattern>,
    tests: BTreeSet<Test>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part<T> {
    /// The element is absent.
    Absent,
    One(T),
    /// A list that is compared as a whole.
    Whole(BTreeSet<T>),
    Except(BTreeSet<T>),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    operator: Operator,
    key: String,
    operands: BTreeSet<Operand>,
}

impl Atom {
    /// Whether this applies wherever the other does, with the same effect.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.effect == other.effect
            && self.action.covers(&other.action, covers_pattern)
            && self.resource.covers(&other.resource, covers_resource)
            && self.principal.covers(&other.principal, covers_principal)
            && self.tests.is_subset(&other.tests)
    }
}

impl<T: PartialEq> Part<T> {
    fn covers(&self, other: &Self, covers: impl Fn(&T, &T) -> bool) -> bool {
        match (self, other) {
            (Self::One(one), Self::One(other)) => covers(one, other),
            _ => self == other,
        }
    }
}

/// A resource whose wildcards are bounded covers itself only: the comparison of patterns knows no fields.
fn covers_resource(one: &ResourcePattern, other: &ResourcePattern) -> bool {
    one == other || (!one.is_bounded() && covers_pattern(one.whole(), other.whole()))
}

fn covers_principal(one: &Named, other: &Named) -> bool {
    match one {
        Named::Anyone => true,
        Named::AnyService => matches!(other, Named::Service(_) | Named::AnyService),
        Named::AnyFederated => matches!(other, Named::Federated(_) | Named::AnyFederated),
        _ => one == other,
    }
}

/// Adds the atoms of a statement. None if they are too many, or the statement does not compile.
pub(super) fn take_apart(statement: &Statement, version: Version, atoms: &mut Vec<Atom>) -> Option<()> {
    let principals = match &statement.principals {
        None => vec![Part::Absent],
        Some(selection) => parts(selection, named)?,
    };
    let actions = parts(&statement.actions, |actions| {
        let parse = |text: &String| Pattern::parse(&text.to_ascii_lowercase(), Syntax::WILDCARDS);
        actions.iter().map(|text| parse(text).ok()).collect()
    })?;
    let resources = match &statement.resources {
        None => vec![Part::Absent],
        Some(selection) => join_variables(parts(selection, |resources| {
            resources.iter().map(|text| ResourcePattern::parse(text, version).ok()).collect()
        })?),
    };
    let tests = tests(statement, version)?;
    if principals.len() * actions.len() * resources.len() + atoms.len() > ATOMS_MAX {
        return None;
    }
    for principal in &principals {
        for action in &actions {
            for resource in &resources {
                atoms.push(Atom {
                    effect: statement.effect,
                    principal: principal.clone(),
                    action: action.clone(),
                    resource: resource.clone(),
                    tests: tests.clone(),
                });
            }
        }
    }
    Some(())
}

fn parts<S, T: Ord>(selection: &Selection<S>, read: impl Fn(&S) -> Option<Vec<T>>) -> Option<Vec<Part<T>>> {
    Some(match selection {
        Selection::Only(listed) => read(listed)?.into_iter().map(Part::One).collect(),
        Selection::Except(listed) => vec![Part::Except(read(listed)?.into_iter().collect())],
    })
}

/// Resources of a list with variables stay together: one variable without a value stops the whole statement.
fn join_variables(resources: Vec<Part<ResourcePattern>>) -> Vec<Part<ResourcePattern>> {
    let has_variables =
        |part: &Part<ResourcePattern>| matches!(part, Part::One(resource) if resource.whole().has_variables);
    if !resources.iter().any(has_variables) {
        return resources;
    }
    let listed = resources.into_iter().filter_map(|part| match part {
        Part::One(pattern) => Some(pattern),
        _ => None,
    });
    vec![Part::Whole(listed.collect())]
}

fn named(principals: &Principals) -> Option<Vec<Named>> {
    let Principals::Named(kinds) = principals else {
        return Some(vec![Named::Anyone]);
    };
    kinds.iter().flat_map(|(kind, names)| names.iter().map(|name| name_of(*kind, name))).collect()
}

/// Digits alone are the account in the partition `aws`.
fn name_of(kind: PrincipalKind, text: &str) -> Option<Named> {
    Some(match Named::parse(kind, text)? {
        Named::Account { partition: None, account } => {
            Named::Account { partition: Some("aws".into()), account }
        }
        named => named,
    })
}

fn tests(statement: &Statement, version: Version) -> Option<BTreeSet<Test>> {
    let mut tests = BTreeSet::new();
    for (operator, keys) in &statement.condition {
        for (key, values) in keys {
            let compile = |text: &String| Operand::compile(operator.comparison, text, version).ok();
            let operands: Option<BTreeSet<Operand>> = values.iter().map(compile).collect();
            let operands = without_covered(&operands?);
            tests.insert(Test { operator: normal(*operator, &operands), key: key.to_lowercase(), operands });
        }
    }
    Some(tests)
}

/// The one name of operators that do the same.
fn normal(operator: Operator, operands: &BTreeSet<Operand>) -> Operator {
    use Comparison as C;
    let is_plain_text = |operand: &Operand| matches!(operand, Operand::Text(pattern) if !pattern.pieces.iter().any(|p| matches!(p, Piece::Many | Piece::One)));
    let all_plain = operands.iter().all(is_plain_text);
    let comparison = match operator.comparison {
        C::ArnEquals => C::ArnLike,
        C::ArnNotEquals => C::ArnNotLike,
        C::StringLike if all_plain => C::StringEquals,
        C::StringNotLike if all_plain => C::StringNotEquals,
        other => other,
    };
    // These hold without the key anyway.
    let holds_anyway = match operator.quantifier {
        Quantifier::Plain => comparison.is_negated(),
        Quantifier::ForAllValues => true,
        Quantifier::ForAnyValue => false,
    };
    Operator { comparison, if_exists: operator.if_exists && !holds_anyway, ..operator }
}

/// Text values without those that another one covers. A value with variables stays: without its variable it counts.
fn without_covered(operands: &BTreeSet<Operand>) -> BTreeSet<Operand> {
    let is_covered = |operand: &Operand| {
        let Operand::Text(pattern) = operand else { return false };
        !pattern.has_variables
            && operands.iter().any(|other| {
                matches!(other, Operand::Text(wider) if other != operand && covers_pattern(wider, pattern))
            })
    };
    operands.iter().filter(|operand| !is_covered(operand)).cloned().collect()
}
