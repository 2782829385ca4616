//! The managed permissions that a share made of a policy could have.

use futures_util::future::try_join_all;
use rampart_core::permission::customer::FeatureSet;
use rampart_core::permission::{CustomerPermission, PermissionName};
use rampart_core::policy_share::promote::{Candidate, managed_candidates};
use rampart_core::policy_share::read::statements_of;
use rampart_core::{AccountId, Region, TimestampMs};
use rampart_store::{PermissionCursor, Reader, StoreError};

use crate::app::App;

/// Permissions of its own that an account may have for a type, as far as they are looked at. AWS's quota is 10.
const OWN_MAX: u32 = 200;

/// The permissions for a type whose default versions have no parameters: the catalog's in its order,
/// then the owner's own. Two round trips.
pub(super) async fn candidates(
    reader: &Reader,
    app: &App,
    home: (AccountId, Region),
    resource_type: &str,
    now: TimestampMs,
) -> Result<Vec<Candidate>, StoreError> {
    let (owner, region) = home;
    let mut found = managed_candidates(app.catalog, resource_type);
    let start = PermissionCursor::START;
    let own = reader.permissions_of(owner, region, Some(resource_type), start, now, OWN_MAX).await?;
    let can_be_attached = |own: &&CustomerPermission| {
        own.feature_set == FeatureSet::Standard && !own.deprecated && own.default.parameters.is_empty()
    };
    let own: Vec<_> = own.iter().filter(can_be_attached).collect();
    let versions = own
        .iter()
        .map(|own| reader.permission_version(owner, region, &own.name, i64::from(own.default.number)));
    for (own, version) in own.iter().zip(try_join_all(versions).await?) {
        let Some(version) = version else { continue };
        if let Ok(allowed) = statements_of(&version.template) {
            let name = PermissionName::Customer(version.name);
            found.push(Candidate { name, id: Some(own.id), version: version.head.number, allowed });
        }
    }
    Ok(found)
}
