//! What the service bits of a node mean (Core `protocol.h`, ServiceFlags). Chains gave some of them names of their own.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Bitcoin's: bits 1, 4 and 5 by others on its network (Bitcoin XT, Bitcoin Unlimited, Bitcoin ABC), 12 utreexo.
const BITCOIN: &[(u32, &str)] = &[
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

/// The names that Bitcoin's bits have.
pub fn known() -> impl Iterator<Item = &'static str> {
    BITCOIN.iter().map(|(_, name)| *name)
}

/// Services as they are shown: hex, since many JSON readers round what is above 2⁵³.
pub fn hex(services: u64) -> String {
    format!("{services:#x}")
}

/// The names that a network gives to bits of its own, or in place of Bitcoin's.
pub type OwnNames = BTreeMap<u32, String>;

/// The name of a bit, where it has one.
pub fn bit_name(bit: u32, own: &OwnNames) -> Option<Cow<'static, str>> {
    let common = || BITCOIN.iter().find(|(known, _)| *known == bit).map(|(_, name)| *name);
    own.get(&bit).map(|name| name.clone().into()).or_else(|| common().map(Cow::from))
}

/// The bit of this name, whatever its case; `bit N` is one always.
pub fn bit_named(name: &str, own: &OwnNames) -> Option<u32> {
    let is_it = |bit: &u32| {
        let names = [Some(unnamed(*bit)), bit_name(*bit, own)];
        names.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(name))
    };
    (0..u64::BITS).find(is_it)
}

/// The names that several networks agree on; a bit for which they have different ones gets none.
pub fn agreed<'a>(networks: impl IntoIterator<Item = &'a OwnNames>) -> OwnNames {
    let mut networks = networks.into_iter();
    let Some(mut agreed) = networks.next().cloned() else { return OwnNames::new() };
    for own in networks {
        let bits: Vec<u32> = agreed.keys().chain(own.keys()).copied().collect();
        for bit in bits {
            let (ours, theirs) = (shown(bit, &agreed), shown(bit, own));
            let name = if ours == theirs { ours } else { unnamed(bit) };
            agreed.insert(bit, name.into_owned());
        }
    }
    agreed
}

/// The names of the bits that are set, the lowest first; `bit N` where one has none.
pub fn names(services: u64, own: &OwnNames) -> Vec<Cow<'static, str>> {
    (0..u64::BITS).filter(|bit| services >> bit & 1 == 1).map(|bit| shown(bit, own)).collect()
}

fn shown(bit: u32, own: &OwnNames) -> Cow<'static, str> {
    bit_name(bit, own).unwrap_or_else(|| unnamed(bit))
}

fn unnamed(bit: u32) -> Cow<'static, str> {
    format!("bit {bit}").into()
}
