//! Replacing a permission in all shares that have it: a work in the background, step by step (reference §3.7, §10.30).

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PermissionName;
use super::attach::{Attachable, AttachedPermission};
use super::parameters::{Parameter, Values};
use crate::refusal::PermissionRefusal;
use crate::{Change, Decision, Refusal};

/// One row of `replace_work`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceWork {
    /// Whose shares.
    pub owner: AccountId,
    /// Where.
    pub region: Region,
    /// Its id.
    pub id: Uuid,
    /// What is replaced.
    pub from: PermissionName,
    /// Of that, one version alone.
    pub from_version: Option<u32>,
    /// By what.
    pub to: PermissionName,
    /// Tells it from a later one of its name; the catalog's permissions have none.
    pub to_id: Option<Uuid>,
    /// The version that was the default when the work began.
    pub to_version: u32,
    /// The values of that version's parameters, in every share.
    pub parameters: Vec<Parameter>,
    /// How far it is.
    pub state: WorkState,
    /// When it was asked for. Permissions that were attached later are left alone.
    pub created: TimestampMs,
    /// When its status last changed.
    pub updated: TimestampMs,
}

/// How far a work is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkState {
    /// Going on, after the attachment of that time and id.
    InProgress {
        /// The last one that was looked at.
        after: Option<(TimestampMs, Uuid)>,
    },
    /// All shares have the new permission.
    Completed,
    /// Broken off; what was replaced until then stays so.
    Failed {
        /// Why.
        message: String,
    },
}

impl WorkState {
    /// The wire's spelling.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::InProgress { .. } => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed { .. } => "FAILED",
        }
    }
}

/// Begins a work. `from_type` is the type of what is replaced.
pub fn decide_replace(
    from: (PermissionName, &str, Option<u32>),
    to: &Attachable,
    values: &Values,
    owner: (AccountId, Region),
    id: Uuid,
    now: TimestampMs,
) -> Result<Decision<ReplaceWork>, Refusal> {
    let (from, from_type, from_version) = from;
    to.check_attachable()?;
    if from_type != to.resource_type() {
        let to = to.resource_type().to_owned();
        return Err(PermissionRefusal::TypesDiffer { from: from_type.to_owned(), to }.into());
    }
    let (owner, region) = owner;
    let work = ReplaceWork {
        owner,
        region,
        id,
        from,
        from_version,
        to: to.name().clone(),
        to_id: to.id(),
        to_version: to.version(),
        parameters: to.bind(values)?,
        state: WorkState::InProgress { after: None },
        created: now,
        updated: now,
    };
    Ok(Decision { changes: vec![Change::ReplaceWorkStored(work.clone())], reply: work })
}

/// What one step of a work does: the next rows get the new permission, each at once, so that no share is ever between two.
/// `rows` are what follows the last one that was looked at; `at_end`: there are no more. `target_is_there` says whether
/// the version to attach still exists.
pub fn decide_step(
    work: &ReplaceWork,
    rows: &[(AttachedPermission, Uuid)],
    at_end: bool,
    target_is_there: bool,
    now: TimestampMs,
) -> Vec<Change> {
    let finished = |state| Change::ReplaceWorkStored(ReplaceWork { state, updated: now, ..work.clone() });
    if !target_is_there {
        let message = format!(
            "Version {} of permission {} has been deleted.",
            work.to_version,
            work.to.arn(work.owner, work.region)
        );
        return vec![finished(WorkState::Failed { message })];
    }
    let due = || rows.iter().take_while(|(row, _)| row.attached <= work.created);
    let mut changes: Vec<_> =
        due().filter(|(row, _)| !work.is_done(row)).map(|(row, _)| work.replaced(row, now)).collect();
    let last = due().last().map(|(row, id)| (row.attached, *id));
    changes.push(match last {
        Some(after) if !at_end && due().count() == rows.len() => {
            let state = WorkState::InProgress { after: Some(after) };
            Change::ReplaceWorkStored(ReplaceWork { state, ..work.clone() })
        }
        _ => finished(WorkState::Completed),
    });
    changes
}

impl ReplaceWork {
    /// When it ended, if it has.
    pub fn finished(&self) -> Option<TimestampMs> {
        (!matches!(self.state, WorkState::InProgress { .. })).then_some(self.updated)
    }

    fn is_done(&self, row: &AttachedPermission) -> bool {
        row.permission == self.to && row.version == self.to_version && row.parameters == self.parameters
    }

    fn replaced(&self, row: &AttachedPermission, now: TimestampMs) -> Change {
        Change::PermissionAttached(AttachedPermission {
            permission: self.to.clone(),
            permission_id: self.to_id,
            version: self.to_version,
            parameters: self.parameters.clone(),
            attached: now,
            ..row.clone()
        })
    }
}
