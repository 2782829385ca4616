//! What a list of the caller's own associations walks when it asks for a status.

use rampart_core::{AssociationKind, ShareArn};
use rampart_store::{AssociationScope, BasisScope, ShareCursor, ShareScope};

use super::contents_of::{Walk, own_scopes};
use crate::failure::Failure;

/// Deleted shares whose contents are walked beside what was ended by itself.
const DELETED_MAX: u32 = 16;

/// What holds all rows of a status, and as few others as there is an index for; nothing where no row can have it.
pub(super) async fn scopes_of_status<'a>(
    walk: &Walk<'_>,
    status: Option<&str>,
    entities: Option<&'a [String]>,
    shares: Option<&[ShareArn]>,
) -> Result<Vec<AssociationScope<'a>>, Failure> {
    let at_once = walk.app.timing().settle_delay_ms == 0;
    Ok(match status {
        // Without a delay nothing is ever on its way out, and only what waits for an answer is on its way in.
        Some("DISASSOCIATING") if at_once => Vec::new(),
        Some("ASSOCIATING") if at_once && entities.is_none() => of_each(shares, AssociationScope::Invited),
        Some("DISASSOCIATED") if entities.is_none() => match ended(walk, shares).await? {
            Some(scopes) => scopes,
            None => own_scopes(entities, shares),
        },
        None | Some("ASSOCIATED" | "ASSOCIATING" | "DISASSOCIATING" | "DISASSOCIATED") => {
            own_scopes(entities, shares)
        }
        // The others of the model are never had here.
        Some(_) => Vec::new(),
    })
}

fn of_each<'a>(
    shares: Option<&[ShareArn]>,
    scope: fn(Option<ShareArn>) -> AssociationScope<'a>,
) -> Vec<AssociationScope<'a>> {
    match shares {
        Some(shares) => shares.iter().map(|share| scope(Some(*share))).collect(),
        None => vec![scope(None)],
    }
}

/// Where all that has ended is: what was ended, the invitations that expired, and what is in deleted shares, if these are
/// few. Rows that rest on memberships end without being written: where there are any, all must be looked at.
async fn ended<'a>(
    walk: &Walk<'_>,
    shares: Option<&[ShareArn]>,
) -> Result<Option<Vec<AssociationScope<'a>>>, Failure> {
    let (reader, call) = (walk.reader, walk.call);
    if walk.kind == AssociationKind::Principal
        && !reader.based_associations(BasisScope::Owner(call.account), None, 1).await?.is_empty()
    {
        return Ok(None);
    }
    let (scope, start, timing) = (ShareScope::Deleted, ShareCursor::START, walk.app.timing());
    let limit = DELETED_MAX + 1;
    let deleted = reader.shares(scope, call.account, call.region, start, call.now, timing, limit).await?;
    if deleted.len() > usize::try_from(DELETED_MAX).expect("a small number fits") {
        return Ok(None);
    }
    let deleted = deleted.iter().map(rampart_core::ResourceShare::arn);
    let deleted = deleted.filter(|share| shares.is_none_or(|shares| shares.contains(share)));
    let mut scopes = of_each(shares, AssociationScope::Ended);
    scopes.extend(of_each(shares, AssociationScope::Invited));
    scopes.extend(deleted.map(AssociationScope::Share));
    Ok(Some(scopes))
}
