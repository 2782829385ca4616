//! Whether two policies grant the same.
//!
//! [`same_grants`] is exact in one direction: if it says true, every request is decided alike by both documents. It
//! says false when they differ and when it cannot tell. It sees through
//! * the order of statements, elements, actions, resources, principals, keys and values, and repetition;
//! * statements that are split or joined: each is taken apart into one principal, one action and one resource;
//! * the case of actions and condition keys, runs of wildcards, `arn:aws:iam::A:root` for `A`, `{"AWS": "*"}` for `"*"`;
//! * what another part already grants: `ec2:Describe*` covers `ec2:DescribeSubnets`, `*` covers every principal and
//!   resource, and a statement without a condition covers the same one with;
//! * spellings of conditions: `ArnEquals` and `ArnLike`, `StringLike` without wildcards, an `IfExists` that changes
//!   nothing, numbers, dates, addresses and booleans written differently, values that another value covers;
//! * `Sid`, `Id`, and `Version` where there is no policy variable.
//!
//! It does not see through `NotAction`, `NotResource` and `NotPrincipal` (equal as sets or different), Allow statements
//! that a Deny cancels, a wildcard that several others cover together, or different operators with the same meaning.
//! Lists of resources with policy variables are compared as wholes, since an unresolved variable concerns the list.

mod atom;
mod cover;

use atom::Atom;

use crate::document::{Condition, Document};
use crate::template::Template;

/// The most combinations of principal, action and resource that are compared; larger documents are the same only if
/// they are equal.
pub const ATOMS_MAX: usize = 4_096;

/// Whether two documents certainly decide every request alike.
pub fn same_grants(a: &Document, b: &Document) -> bool {
    if a.statements == b.statements && a.effective_version() == b.effective_version() {
        return true;
    }
    match (minimal(a), minimal(b)) {
        (Some(mut a), Some(mut b)) => {
            a.sort_unstable();
            b.sort_unstable();
            a == b
        }
        _ => false,
    }
}

/// Whether two templates certainly become permissions that grant the same, whatever values the parameters get.
/// Parameters are the same if their names are.
pub fn same_template_grants(a: &Template, b: &Template) -> bool {
    let (mut a, mut b) = (a.raw_document(), b.raw_document());
    if a.statements[0].condition == b.statements[0].condition {
        a.statements[0].condition = Condition::new();
        b.statements[0].condition = Condition::new();
    }
    same_grants(&a, &b)
}

/// The atoms of a document without those that another one covers. None if there are too many, or it does not compile.
fn minimal(document: &Document) -> Option<Vec<Atom>> {
    let mut atoms = Vec::new();
    for statement in &document.statements {
        atom::take_apart(statement, document.effective_version(), &mut atoms)?;
    }
    atoms.sort_unstable();
    atoms.dedup();
    let mut kept: Vec<Atom> = Vec::new();
    for atom in atoms {
        if kept.iter().any(|other| other.covers(&atom)) {
            continue;
        }
        kept.retain(|other| !atom.covers(other));
        kept.push(atom);
    }
    Some(kept)
}
