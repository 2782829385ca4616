//! The policy that a resource has, with what became of the shares and permissions that were made of it.

use futures_util::future::{try_join, try_join_all, try_join4};
use rampart_core::association::Standing;
use rampart_core::permission::PermissionName;
use rampart_core::policy_share::read::POLICY_PRINCIPALS_MAX;
use rampart_core::policy_share::{PolicyGrant, PolicyShare, PolicyState};
use rampart_core::{Arn, AssociationKind, AttachedPermission, Principal, ResourceShare, ShareArn};
use rampart_store::{Abort, AssociationCursor, Reader, StoreError};

use crate::app::{App, Call};
use crate::operations::ram::permission_text::statements_of;
use crate::operations::ram::resource_grants::still_effective;

/// Loads it. Three round trips; one or two more where what was promoted is shared within an organization.
pub(super) async fn load(
    reader: &Reader,
    app: &App,
    call: &Call,
    resource: &str,
) -> Result<Option<PolicyState>, Abort> {
    let (owner, region) = (call.account, call.region);
    let Some(policy) = reader.resource_policy(owner, region, resource).await? else { return Ok(None) };
    let shares = policy.shares.iter().map(async |id| {
        let arn = ShareArn { owner, region, id: *id };
        let (share, attached) = try_join(reader.resource_share(arn), reader.share_permissions(arn)).await?;
        let Some(share) = share else { return Ok::<_, StoreError>(None) };
        let permission = async {
            let own = attached.iter().find_map(|row| match &row.permission {
                PermissionName::Customer(name) => Some(name),
                PermissionName::Managed(_) => None,
            });
            match own {
                Some(name) => reader.permission(owner, region, name).await,
                None => Ok(None),
            }
        };
        let (permission, gives) =
            try_join(permission, gives(reader, app, call, (&share, &attached), resource)).await?;
        Ok(Some(PolicyShare { share, permission, gives }))
    });
    let shares = try_join_all(shares).await?.into_iter().flatten().collect();
    Ok(Some(PolicyState { policy, shares }))
}

/// What a share gives of a resource. What was granted counts at once, whether or not that has settled.
async fn gives(
    reader: &Reader,
    app: &App,
    call: &Call,
    (share, attached): (&ResourceShare, &[AttachedPermission]),
    resource: &str,
) -> Result<Option<PolicyGrant>, StoreError> {
    let arn = share.arn();
    let parsed = Arn::parse(resource).ok();
    let resource_type = parsed.and_then(|arn| app.catalog.type_of(&arn));
    let of_type = attached.iter().find(|row| resource_type.is_some_and(|of| of.name == row.resource_type));
    let Some(attached) = of_type.filter(|_| share.deleted.is_none()) else { return Ok(None) };
    let (held, allowed, principals, mut sources) = try_join4(
        reader.association(arn, AssociationKind::Resource, resource),
        statements_of(reader, app, attached),
        entities(reader, call, arn, AssociationKind::Principal),
        entities(reader, call, arn, AssociationKind::Source),
    )
    .await?;
    if !held.is_some_and(|row| matches!(row.standing, Standing::Granted { .. })) {
        return Ok(None);
    }
    sources.sort_unstable();
    let partition = call.region.partition();
    // They were read when they were associated: none is left out here.
    let mut principals: Vec<_> =
        principals.iter().filter_map(|text| Principal::parse(text, partition).ok()).collect();
    principals.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    Ok(Some(PolicyGrant { allowed, principals, sources }))
}

/// What is effective in a share: one more than a policy names shows that the share gives more.
async fn entities(
    reader: &Reader,
    call: &Call,
    share: ShareArn,
    kind: AssociationKind,
) -> Result<Vec<String>, StoreError> {
    let limit = u32::try_from(POLICY_PRINCIPALS_MAX + 1).expect("a bound of rows fits");
    let start = AssociationCursor::START;
    let rows = reader.effective_entities(share, kind, call.now, start, limit).await?;
    let owner = if rows.iter().any(|row| row.basis.is_some()) {
        reader.membership(call.account).await?
    } else {
        None
    };
    still_effective(reader, owner.as_ref(), rows).await
}
