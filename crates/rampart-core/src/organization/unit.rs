//! Organizational units: their place in the tree, and their names. Units cannot be moved, so a path never changes.

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;
use serde::{Deserialize, Serialize};

use super::refusal::{Constraint, Fault};
use super::{Organization, OrganizationRefusal, ParentId};
use crate::limits::{UNIT_DEPTH_MAX, UNIT_NAME_CHARS_MAX};

/// A unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationalUnit {
    /// Whose organization it is in.
    pub management: AccountId,
    /// `ou-…`
    pub id: ParentId,
    /// What it stands in.
    pub parent: ParentId,
    /// Unique among its siblings.
    pub name: String,
    /// `o-…/r-…/ou-…/`, its own id last.
    pub path: String,
    /// When it was made.
    pub created: TimestampMs,
}

/// A parent that new units and accounts can stand in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its id.
    pub id: ParentId,
    /// Its path, its own id last.
    pub path: String,
}

impl Parent {
    /// The root.
    pub fn root(organization: &Organization) -> Self {
        Self { id: organization.root.clone(), path: organization.root_path() }
    }

    /// A unit.
    pub fn unit(unit: &OrganizationalUnit) -> Self {
        Self { id: unit.id.clone(), path: unit.path.clone() }
    }

    /// How many units deep it is: none for the root.
    fn depth(&self) -> usize {
        self.path.matches('/').count() - 2
    }
}

/// Refuses what is no unit's name.
pub fn check_unit_name(name: &str) -> Result<(), OrganizationRefusal> {
    let fault = match name.chars().count() {
        0 => Fault::TooShort { min: 1 },
        chars if chars > UNIT_NAME_CHARS_MAX => Fault::TooLong { max: UNIT_NAME_CHARS_MAX },
        _ => return Ok(()),
    };
    Err(OrganizationRefusal::Invalid { parameter: "Name", fault })
}

/// A new unit, and the organization that has it. `is_taken` says whether a sibling has that name.
pub fn decide_create_unit(
    organization: &Organization,
    parent: &Parent,
    name: &str,
    is_taken: bool,
    units_max: u32,
    random: [u8; 8],
    now: TimestampMs,
) -> Result<(Organization, OrganizationalUnit), OrganizationRefusal> {
    if parent.depth() >= UNIT_DEPTH_MAX {
        return Err(OrganizationRefusal::Constraint(Constraint::OrganizationalUnitDepth));
    }
    if is_taken {
        return Err(OrganizationRefusal::DuplicateOrganizationalUnit);
    }
    if organization.units >= units_max {
        return Err(OrganizationRefusal::Constraint(Constraint::OrganizationalUnitNumber {
            limit: units_max,
        }));
    }
    let id = organization.root.new_unit(random);
    let unit = OrganizationalUnit {
        management: organization.management,
        path: format!("{}{id}/", parent.path),
        id,
        parent: parent.id.clone(),
        name: name.to_owned(),
        created: now,
    };
    Ok((Organization { units: organization.units + 1, ..organization.clone() }, unit))
}

#[cfg(test)]
mod tests {
    use super::super::tests::organization;
    use super::*;

    fn create(
        organization: &Organization,
        parent: &Parent,
        is_taken: bool,
    ) -> Result<(Organization, OrganizationalUnit), OrganizationRefusal> {
        decide_create_unit(organization, parent, "unit", is_taken, 7, [1; 8], TimestampMs(2_000))
    }

    #[test]
    fn units_are_five_deep_at_the_most() {
        let mut organization = organization();
        let mut parent = Parent::root(&organization);
        for depth in 1..=5 {
            let (after, unit) = create(&organization, &parent, false).unwrap();
            assert_eq!(unit.path, format!("{}{}/", parent.path, unit.id), "{depth}");
            assert_eq!((unit.parent.clone(), after.units), (parent.id, depth));
            (organization, parent) = (after, Parent::unit(&unit));
        }
        let refused = create(&organization, &parent, false);
        assert_eq!(refused, Err(OrganizationRefusal::Constraint(Constraint::OrganizationalUnitDepth)));
    }

    #[test]
    fn siblings_have_names_of_their_own_and_there_is_a_limit() {
        let organization = organization();
        let root = Parent::root(&organization);
        assert_eq!(create(&organization, &root, true), Err(OrganizationRefusal::DuplicateOrganizationalUnit));
        let full = Organization { units: 7, ..organization };
        let refused = create(&full, &root, false);
        let constraint = Constraint::OrganizationalUnitNumber { limit: 7 };
        assert_eq!(refused, Err(OrganizationRefusal::Constraint(constraint)));
    }

    #[test]
    fn names_are_of_1_to_128_characters() {
        assert!(check_unit_name("é").is_ok() && check_unit_name(&"é".repeat(128)).is_ok());
        assert!(check_unit_name("").is_err() && check_unit_name(&"é".repeat(129)).is_err());
    }
}
