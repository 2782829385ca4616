//! What the caller's shares give of resources, loaded for the policies of a page. Each share is loaded once, however many
//! of the resources it holds.

use std::collections::{HashMap, HashSet};

use futures_util::future::{try_join, try_join_all};
use rampart_core::association::Standing;
use rampart_core::organization::Membership;
use rampart_core::organization::circle::basis_lasts;
use rampart_core::resource_policy::{Grant, document};
use rampart_core::{AssociationKind, AttachedPermission, Principal, Refusal, ShareArn, ShareId, TimestampMs};
use rampart_policy::{Document, Statement};
use rampart_store::{AssociationCursor, EffectiveEntity, HoldingShare, Reader, StoreError};

use super::effect::{circle, end_what_is_over};
use super::permission_text::statements_of;
use crate::app::{App, Call};
use crate::failure::Failure;

/// Shares that are loaded together.
const SHARES_AT_ONCE: usize = 32;
/// Rows of one query.
const ROWS_AT_ONCE: u32 = 1_000;

/// The shares of a page.
pub(super) struct ResourceGrants<'a> {
    reader: &'a Reader,
    app: &'a App,
    call: &'a Call,
    /// Whose grants alone are wanted.
    principal: Option<&'a Principal>,
    shares: HashMap<ShareId, Loaded>,
}

/// A share's contents, as far as policies need them.
struct Loaded {
    /// What each type's permission allows.
    allowed: Vec<(String, Vec<Statement>)>,
    principals: Vec<Principal>,
    sources: Vec<String>,
}

impl<'a> ResourceGrants<'a> {
    pub(super) fn new(
        reader: &'a Reader,
        app: &'a App,
        call: &'a Call,
        principal: Option<&'a Principal>,
    ) -> Self {
        Self { reader, app, call, principal, shares: HashMap::new() }
    }

    /// Refuses resources that no share of the caller holds. One round trip.
    pub(super) async fn check_shared(&self, arns: &[String]) -> Result<(), Failure> {
        let first = arns.iter().map(|arn| self.holding_page(arn, AssociationCursor::START, 1));
        let found = try_join_all(first).await?;
        match arns.iter().zip(found).find(|(_, shares)| shares.is_empty()) {
            Some((arn, _)) => Err(Refusal::SharedResourceNotFound { arn: arn.clone() }.into()),
            None => Ok(()),
        }
    }

    /// The shares in which the resource is effective, in the order in which it came into them.
    pub(super) async fn holding(&self, arn: &str) -> Result<Vec<HoldingShare>, Failure> {
        let (mut found, mut after) = (Vec::new(), AssociationCursor::START);
        loop {
            let rows = self.holding_page(arn, after, ROWS_AT_ONCE).await?;
            let at_end = rows.len() < size(ROWS_AT_ONCE);
            after = rows.last().map_or(after, |row| row.place);
            found.extend(rows.into_iter().filter(|row| row.since <= self.settled()));
            if at_end {
                return Ok(found);
            }
        }
    }

    /// Loads those of the shares that are not loaded yet: a round trip for each 32, one more where there are service
    /// principals, and one for each further thousand principals of a share.
    pub(super) async fn load(&mut self, shares: impl Iterator<Item = ShareArn>) -> Result<(), Failure> {
        let mut seen = HashSet::new();
        let missing: Vec<_> =
            shares.filter(|share| !self.shares.contains_key(&share.id) && seen.insert(share.id)).collect();
        for group in missing.chunks(SHARES_AT_ONCE) {
            let loaded = try_join_all(group.iter().map(|share| self.load_one(*share))).await?;
            self.shares.extend(group.iter().map(|share| share.id).zip(loaded));
            // SQLite answers without waiting: others want their turn too.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Loads what the first resources of a list need, as far as one round trip goes.
    pub(super) async fn load_ahead(&mut self, held: &[Vec<HoldingShare>]) -> Result<(), Failure> {
        let shares: HashSet<ShareArn> =
            held.iter().flatten().map(|row| row.share).take(SHARES_AT_ONCE).collect();
        self.load(shares.into_iter()).await
    }

    /// The document of a resource whose shares are loaded.
    pub(super) fn document(&self, arn: &str, held: &[HoldingShare]) -> Option<Document> {
        document(arn, self.call.region.partition(), held.iter().filter_map(|row| self.grant(row)))
    }

    fn grant(&self, row: &HoldingShare) -> Option<Grant<'_>> {
        let share = self.shares.get(&row.share.id)?;
        let (_, allowed) =
            share.allowed.iter().find(|(resource_type, _)| *resource_type == row.resource_type)?;
        Some(Grant { allowed, principals: &share.principals, sources: &share.sources })
    }

    async fn holding_page(
        &self,
        arn: &str,
        after: AssociationCursor,
        limit: u32,
    ) -> Result<Vec<HoldingShare>, Failure> {
        Ok(self.reader.shares_holding(arn, self.call.account, self.call.region, after, limit).await?)
    }

    async fn load_one(&self, share: ShareArn) -> Result<Loaded, Failure> {
        let permissions = async { Ok(self.reader.share_permissions(share).await?) };
        let (permissions, principals) = try_join(permissions, self.principals(share)).await?;
        let has_services = principals.iter().any(|principal| matches!(principal, Principal::Service(_)));
        let sources =
            if has_services { self.entities(share, AssociationKind::Source).await? } else { Vec::new() };
        let allowed = permissions.into_iter().map(async |row: AttachedPermission| {
            let statements = statements_of(self.reader, self.app, &row).await?;
            Ok::<_, Failure>((row.resource_type, statements))
        });
        Ok(Loaded { allowed: try_join_all(allowed).await?, principals, sources })
    }

    /// The principals for whom the share is effective; of these the one that is asked for.
    async fn principals(&self, share: ShareArn) -> Result<Vec<Principal>, Failure> {
        let kind = AssociationKind::Principal;
        let Some(wanted) = self.principal else {
            let entities = self.entities(share, kind).await?;
            let partition = self.call.region.partition();
            // They were read when they were associated: none is left out here.
            return Ok(entities.iter().filter_map(|text| Principal::parse(text, partition).ok()).collect());
        };
        let row = self.reader.association(share, kind, wanted.as_str()).await?;
        let is_effective = |at: TimestampMs| at <= self.settled();
        let mut rows: Vec<_> = row.into_iter().collect();
        let membership = self.call.membership(self.reader).await?;
        end_what_is_over(self.reader, membership, rows.iter_mut(), self.call.now).await?;
        let granted = rows
            .first()
            .is_some_and(|row| matches!(row.standing, Standing::Granted { at, .. } if is_effective(at)));
        Ok(if granted { vec![wanted.clone()] } else { Vec::new() })
    }

    async fn entities(&self, share: ShareArn, kind: AssociationKind) -> Result<Vec<String>, Failure> {
        let (mut found, mut after) = (Vec::new(), AssociationCursor::START);
        loop {
            let rows =
                self.reader.effective_entities(share, kind, self.settled(), after, ROWS_AT_ONCE).await?;
            let at_end = rows.len() < size(ROWS_AT_ONCE);
            after = rows.last().map_or(after, |row| row.place);
            let membership = self.call.membership(self.reader).await?;
            found.extend(still_effective(self.reader, membership, rows).await?);
            if at_end {
                return Ok(found);
            }
        }
    }

    /// What was granted by then is effective now.
    fn settled(&self) -> TimestampMs {
        self.call.now.saturating_sub_ms(self.app.timing().settle_delay_ms)
    }
}

/// Leaves out what rests on memberships that are over.
pub(crate) async fn still_effective(
    reader: &Reader,
    owner: Option<&Membership>,
    rows: Vec<EffectiveEntity>,
) -> Result<Vec<String>, StoreError> {
    let based = rows.iter().filter(|row| row.basis.is_some());
    let accounts: Vec<_> = based.filter_map(|row| row.receiver).collect();
    let has_based = rows.iter().any(|row| row.basis.is_some());
    let circle = if has_based { circle(reader, owner, &accounts, &[]).await? } else { None };
    let lasts = |row: &EffectiveEntity| basis_lasts(row.basis.as_ref(), row.receiver, circle.as_ref());
    Ok(rows.into_iter().filter(lasts).map(|row| row.entity).collect())
}

fn size(limit: u32) -> usize {
    usize::try_from(limit).expect("a page size fits")
}
