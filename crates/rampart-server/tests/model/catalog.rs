//! Types of resources, and what an account may have (reference §1.3, §4.5, §9).

/// What the reference's table says of a type (reference §4.5).
#[derive(Debug, PartialEq)]
pub(crate) struct Type {
    pub(crate) name: &'static str,
    /// How its ARNs end, up to a number.
    pub(crate) stem: &'static str,
    /// Of the fourteen whose invitations last seven days and which can be left.
    pub(crate) legacy: bool,
    fits: &'static [With],
    pub(crate) global: bool,
}

/// With whom not every type may be shared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum With {
    Identities,
    Services,
    Outsiders,
}

impl Type {
    pub(crate) fn fits(&self, with: With) -> bool {
        self.fits.contains(&with)
    }
}

pub(crate) const TYPES: [Type; 5] = [
    Type {
        name: "ec2:TransitGateway",
        stem: "transit-gateway/tgw-0",
        legacy: true,
        fits: &[With::Outsiders],
        global: false,
    },
    Type {
        name: "imagebuilder:Component",
        stem: "component/c/1.0.",
        legacy: false,
        fits: &[With::Identities, With::Outsiders],
        global: false,
    },
    Type {
        name: "acm-pca:CertificateAuthority",
        stem: "certificate-authority/00000000-0000-4000-8000-00000000000",
        legacy: false,
        fits: &[With::Identities, With::Services, With::Outsiders],
        global: false,
    },
    Type { name: "ec2:Subnet", stem: "subnet/subnet-0", legacy: true, fits: &[], global: false },
    Type {
        name: "networkmanager:CoreNetwork",
        stem: "core-network/core-network-0",
        legacy: false,
        fits: &[With::Identities, With::Outsiders],
        global: true,
    },
];

/// The Region of global resources (reference §1.3).
pub(crate) const GLOBAL_REGION: &str = "us-east-1";

/// What an account may have in a Region; small, so that sequences meet them.
pub(crate) struct Limits {
    pub(crate) shares: usize,
    pub(crate) resources_per_share: usize,
    pub(crate) principals_per_share: usize,
    pub(crate) resources: usize,
    pub(crate) principals: usize,
    pub(crate) pending_invitations: usize,
    pub(crate) accounts: usize,
}

pub(crate) const LIMITS: Limits = Limits {
    shares: 3,
    resources_per_share: 3,
    principals_per_share: 3,
    resources: 5,
    principals: 5,
    pending_invitations: 2,
    accounts: 5,
};
