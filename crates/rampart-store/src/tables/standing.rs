//! `association` by where its rows stand: of many that are granted, the few that wait for an answer or have ended, each
//! along an index of its own. As all lists, these leave out what ended too long ago.

use crate::statement::Statement;

pub(super) static INVITED_OF_OWNER: Statement = Statement::new(
    "association.invited_of_owner",
    "SELECT a.owner, a.region, a.share_id, a.share_created_ms, a.association_id, a.entity, a.member, a.created_ms,
            a.standing, a.since_ms, a.deadline_ms, a.invitation_id, s.name, s.deleted_ms
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.owner = $2 AND a.region = $3 AND a.kind = $4
       AND (a.created_ms, a.association_id) > ($5, $6)
       AND a.standing = 0 AND a.deadline_ms > $7 AND (s.deleted_ms IS NULL OR s.deleted_ms > $8)
     ORDER BY a.created_ms, a.association_id LIMIT $9",
);
pub(super) static INVITED_OF_SHARE: Statement = Statement::new(
    "association.invited_of_share",
    "SELECT a.owner, a.region, a.share_id, a.share_created_ms, a.association_id, a.entity, a.member, a.created_ms,
            a.standing, a.since_ms, a.deadline_ms, a.invitation_id, s.name, s.deleted_ms
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.share_id = $2 AND a.kind = $3 AND (a.created_ms, a.association_id) > ($4, $5)
       AND a.standing = 0 AND a.deadline_ms > $6 AND (s.deleted_ms IS NULL OR s.deleted_ms > $7)
     ORDER BY a.created_ms, a.association_id LIMIT $8",
);
pub(super) static ENDED_OF_OWNER: Statement = Statement::new(
    "association.ended_of_owner",
    "SELECT a.owner, a.region, a.share_id, a.share_created_ms, a.association_id, a.entity, a.member, a.created_ms,
            a.standing, a.since_ms, a.deadline_ms, a.invitation_id, s.name, s.deleted_ms
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.owner = $2 AND a.region = $3 AND a.kind = $4
       AND (a.created_ms, a.association_id) > ($5, $6)
       AND a.standing = 2 AND a.since_ms > $7 AND (s.deleted_ms IS NULL OR s.deleted_ms > $8)
     ORDER BY a.created_ms, a.association_id LIMIT $9",
);
pub(super) static ENDED_OF_SHARE: Statement = Statement::new(
    "association.ended_of_share",
    "SELECT a.owner, a.region, a.share_id, a.share_created_ms, a.association_id, a.entity, a.member, a.created_ms,
            a.standing, a.since_ms, a.deadline_ms, a.invitation_id, s.name, s.deleted_ms
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.share_id = $2 AND a.kind = $3 AND (a.created_ms, a.association_id) > ($4, $5)
       AND a.standing = 2 AND a.since_ms > $6 AND (s.deleted_ms IS NULL OR s.deleted_ms > $7)
     ORDER BY a.created_ms, a.association_id LIMIT $8",
);

pub(crate) static STATEMENTS: &[&Statement] =
    &[&INVITED_OF_OWNER, &INVITED_OF_SHARE, &ENDED_OF_OWNER, &ENDED_OF_SHARE];
