//! Handshakes: an organization invites an account, which accepts or declines, unless it is cancelled or time is over.

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Partition};
use serde::{Deserialize, Serialize};

use super::{FeatureSet, HandshakeId, Organization, OrganizationId, OrganizationRefusal};
use crate::limits::{HANDSHAKE_KEPT_MS, HANDSHAKE_WINDOW_MS};
use crate::resource_share::Tag;

/// How a handshake was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandshakeAnswer {
    /// By the account: it joined.
    Accepted,
    /// By the account.
    Declined,
    /// By the organization.
    Canceled,
}

/// An invitation to an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// Whose organization invites.
    pub management: AccountId,
    /// `h-…`
    pub id: HandshakeId,
    /// The organization.
    pub organization: OrganizationId,
    /// What it was for when it invited.
    pub feature_set: FeatureSet,
    /// The account that is invited.
    pub target: AccountId,
    /// A message to it.
    pub notes: Option<String>,
    /// What the account is tagged with when it joins.
    pub tags: Vec<Tag>,
    /// When it was sent.
    pub requested: TimestampMs,
    /// How it was ended, and when.
    pub answer: Option<(HandshakeAnswer, TimestampMs)>,
}

impl Handshake {
    /// A new invitation.
    pub fn new(
        organization: &Organization,
        id: HandshakeId,
        target: AccountId,
        notes: Option<String>,
        tags: Vec<Tag>,
        now: TimestampMs,
    ) -> Self {
        Self {
            management: organization.management,
            id,
            organization: organization.id.clone(),
            feature_set: organization.feature_set,
            target,
            notes,
            tags,
            requested: now,
            answer: None,
        }
    }

    /// Its ARN.
    pub fn arn(&self, partition: Partition) -> String {
        let (partition, id, Self { management, organization, .. }) =
            (partition.as_str(), self.id.as_str(), self);
        format!("arn:{partition}:organizations::{management}:handshake/{organization}/invite/{id}")
    }

    /// Until when it can be answered.
    pub fn expires(&self) -> TimestampMs {
        self.requested.saturating_add_ms(HANDSHAKE_WINDOW_MS)
    }

    /// From when on it is not shown any more, by AWS's retention.
    pub fn forgotten(&self) -> TimestampMs {
        let end = self.answer.map_or_else(|| self.expires(), |(_, at)| at);
        end.saturating_add_ms(HANDSHAKE_KEPT_MS)
    }

    /// Whether it waits for an answer.
    pub fn is_open(&self, now: TimestampMs) -> bool {
        self.answer.is_none() && now < self.expires()
    }

    /// The word on the wire.
    pub fn state(&self, now: TimestampMs) -> &'static str {
        match self.answer {
            Some((HandshakeAnswer::Accepted, _)) => "ACCEPTED",
            Some((HandshakeAnswer::Declined, _)) => "DECLINED",
            Some((HandshakeAnswer::Canceled, _)) => "CANCELED",
            None if self.is_open(now) => "OPEN",
            None => "EXPIRED",
        }
    }
}

/// Rows say when a handshake is [`forgotten`](Handshake::forgotten). Those that say this or less are shown no more at
/// `now`, if they are kept for `kept_ms` after their end.
pub fn forgotten_by(now: TimestampMs, kept_ms: i64) -> TimestampMs {
    now.saturating_add_ms(HANDSHAKE_KEPT_MS).saturating_sub_ms(kept_ms)
}

/// Ends a handshake in one of the three ways.
pub fn decide_answer(
    handshake: &Handshake,
    answer: HandshakeAnswer,
    now: TimestampMs,
) -> Result<Handshake, OrganizationRefusal> {
    if handshake.is_open(now) {
        return Ok(Handshake { answer: Some((answer, now)), ..handshake.clone() });
    }
    match handshake.answer {
        Some((was, _)) if was == answer => Err(OrganizationRefusal::HandshakeAlreadyInState),
        _ => Err(OrganizationRefusal::HandshakeTransition),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::organization;
    use super::*;

    #[test]
    fn a_handshake_is_answered_once_and_in_time() {
        let (sent, target) = (TimestampMs(1_000), "222222222222".parse().unwrap());
        let open = Handshake::new(&organization(), HandshakeId::new([1; 32]), target, None, Vec::new(), sent);
        assert_eq!(open.state(sent), "OPEN");
        for (answer, state) in [
            (HandshakeAnswer::Accepted, "ACCEPTED"),
            (HandshakeAnswer::Declined, "DECLINED"),
            (HandshakeAnswer::Canceled, "CANCELED"),
        ] {
            let ended = decide_answer(&open, answer, sent).unwrap();
            assert_eq!(ended.state(open.expires()), state);
            let again = decide_answer(&ended, answer, sent);
            assert_eq!(again, Err(OrganizationRefusal::HandshakeAlreadyInState));
        }
        let declined = decide_answer(&open, HandshakeAnswer::Declined, sent).unwrap();
        let refused = decide_answer(&declined, HandshakeAnswer::Accepted, sent);
        assert_eq!(refused, Err(OrganizationRefusal::HandshakeTransition));
        let late = open.expires();
        assert_eq!(open.state(late), "EXPIRED");
        let refused = decide_answer(&open, HandshakeAnswer::Accepted, late);
        assert_eq!(refused, Err(OrganizationRefusal::HandshakeTransition));
        assert!(decide_answer(&open, HandshakeAnswer::Accepted, TimestampMs(late.0 - 1)).is_ok());
    }
}
