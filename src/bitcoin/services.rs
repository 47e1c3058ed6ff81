//! What the service bits of a node mean (Core `protocol.h`, ServiceFlags, and those of other chains).

use std::borrow::Cow;

/// Whose names the bits have: chains gave some of them different ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Bitcoin, its test networks, and all chains that have no names of their own.
    #[default]
    Bitcoin,
    /// Litecoin (`protocol.h`).
    Litecoin,
    /// Bitcoin Cash and Bitcoin SV (Bitcoin Unlimited's `protocol.h`).
    BitcoinCash,
}

/// Names of bits.
type Names = &'static [(u32, &'static str)];

/// Bitcoin's: bits 1, 4 and 5 by others on its network (Bitcoin XT, Bitcoin Unlimited, Bitcoin ABC), 12 utreexo.
const BITCOIN: Names = &[
    (0, "NETWORK"),
    (1, "GETUTXO"),
    (2, "BLOOM"),
    (3, "WITNESS"),
    (4, "XTHIN"),
    (5, "BCH"),
    (6, "COMPACT_FILTERS"),
    (10, "NETWORK_LIMITED"),
    (11, "P2P_V2"),
    (12, "UTREEXO"),
];

const LITECOIN: Names = &[(23, "MWEB_LIGHT_CLIENT"), (24, "MWEB")];

const BITCOIN_CASH: Names = &[(6, "GRAPHENE"), (7, "WEAKBLOCKS"), (8, "CF"), (11, "EXTVERSION")];

/// Services as they are shown: hex, since many JSON readers round what is above 2⁵³.
pub fn hex(services: u64) -> String {
    format!("{services:#x}")
}

/// The name of a bit, where it has one.
pub fn bit_name(bit: u32, dialect: Dialect) -> Option<&'static str> {
    let own: Names = match dialect {
        Dialect::Bitcoin => &[],
        Dialect::Litecoin => LITECOIN,
        Dialect::BitcoinCash => BITCOIN_CASH,
    };
    own.iter().chain(BITCOIN).find(|(known, _)| *known == bit).map(|(_, name)| *name)
}

/// The names of the bits that are set, the lowest first; `bit N` where one has none.
pub fn names(services: u64, dialect: Dialect) -> Vec<Cow<'static, str>> {
    let set = (0..u64::BITS).filter(|bit| services >> bit & 1 == 1);
    let name = |bit| bit_name(bit, dialect).map_or_else(|| format!("bit {bit}").into(), Cow::from);
    set.map(name).collect()
}
