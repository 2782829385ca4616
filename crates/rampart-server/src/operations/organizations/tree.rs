//! What stands where: parents, and what policies and tags can be on.

use rampart_core::organization::unit::Parent;
use rampart_core::organization::{Organization, ParentId, TargetId};
use rampart_store::{Reader, StoreError};

/// The root or the unit of that id.
pub(super) async fn parent(
    reader: &Reader,
    organization: &Organization,
    id: &ParentId,
) -> Result<Option<Parent>, StoreError> {
    if *id == organization.root {
        return Ok(Some(Parent::root(organization)));
    }
    if id.is_root() {
        return Ok(None);
    }
    Ok(reader.unit(organization.management, id).await?.as_ref().map(Parent::unit))
}

/// The name of a root, a unit or an account of the organization.
pub(super) async fn target_name(
    reader: &Reader,
    organization: &Organization,
    id: &TargetId,
) -> Result<Option<String>, StoreError> {
    let management = organization.management;
    Ok(match id {
        TargetId::Account(account) => reader.member(management, *account).await?.map(|member| member.name),
        TargetId::Parent(id) if *id == organization.root => Some(ROOT_NAME.to_owned()),
        TargetId::Parent(id) => reader.unit(management, id).await?.map(|unit| unit.name),
    })
}

/// What every root is called.
pub(super) const ROOT_NAME: &str = "Root";

/// What a target is, on the wire.
pub(super) fn target_type(id: &TargetId) -> &'static str {
    match id {
        TargetId::Account(_) => "ACCOUNT",
        TargetId::Parent(id) if id.is_root() => "ROOT",
        TargetId::Parent(_) => "ORGANIZATIONAL_UNIT",
    }
}
