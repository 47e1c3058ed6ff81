//! `enode://KEY@HOST:TCP?discport=UDP` (the enode URL format).

use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::codec::key::PublicKey;
use crate::host::{At, Host, HostPortError, at, parse_host_port, parse_port};

/// The start of every enode URL.
pub const SCHEME: &str = "enode://";
const KEY_DIGITS: usize = 128;

/// A node's key and where it is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enode {
    /// The node's public key.
    pub key: PublicKey,
    /// Where it is.
    pub host: Host,
    /// TCP port; 0 is normal and means none.
    pub tcp: u16,
    /// UDP port: `discport` where given, else the TCP port; 0 means that it has no UDP endpoint.
    pub udp: u16,
}

/// What is wrong with a text that should be an enode URL. Columns are counted by the caller; [`At`] carries
/// the byte offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnodeError {
    /// The public key does not have 128 hex digits.
    KeyLength {
        /// Characters before the `@`.
        found: usize,
    },
    /// A character of the public key is no hex digit.
    KeyDigit(char),
    /// The public key is no point on secp256k1.
    KeyNotOnCurve,
    /// The host or the port is wrong, or not there.
    Place(HostPortError),
    /// There is a `discport` and it is not a port.
    DiscPort,
}

impl Enode {
    /// Reads an enode URL. Query keys other than the first `discport`, an empty `discport` and a
    /// fragment are ignored, as geth does.
    ///
    /// # Errors
    /// [`EnodeError`] with the byte offset at which it was found.
    pub fn parse(text: &str) -> Result<Self, At<EnodeError>> {
        let rest = text.strip_prefix(SCHEME).unwrap_or(text);
        let key_at = text.len() - rest.len();
        let (key_text, place) = match rest.split_once('@') {
            Some((key, place)) => (key, Some(place)),
            None => (rest, None),
        };
        let key = parse_key(key_text).map_err(|e| at(key_at + e.offset, e.what))?;
        let Some(place) = place else {
            return Err(at(text.len(), EnodeError::Place(HostPortError::MissingHost)));
        };
        let place_at = text.len() - place.len();
        let place = place.split('#').next().unwrap_or_default();
        let (place, query) = place.split_once('?').unwrap_or((place, ""));
        let mut query_at = place_at + place.len() + 1;
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, tcp) = parse_host_port(place)
            .map_err(|e| at(place_at + e.offset, EnodeError::Place(e.what)))?;
        let mut udp = tcp;
        for pair in query.split('&') {
            if let Some(value) = pair.strip_prefix("discport=") {
                if !value.is_empty() {
                    let value_at = query_at + "discport=".len();
                    udp = parse_port(value).map_err(|_| at(value_at, EnodeError::DiscPort))?;
                }
                // The first one counts.
                break;
            }
            query_at += pair.len() + 1;
        }
        Ok(Enode { key, host, tcp, udp })
    }
}

impl fmt::Display for Enode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Enode { key, host, tcp, udp } = self;
        write!(f, "{SCHEME}{key}@{host}:{tcp}")?;
        if udp != tcp {
            write!(f, "?discport={udp}")?;
        }
        Ok(())
    }
}

fn parse_key(text: &str) -> Result<PublicKey, At<EnodeError>> {
    if let Some((offset, digit)) = text.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
        return Err(at(offset, EnodeError::KeyDigit(digit)));
    }
    if text.len() != KEY_DIGITS {
        return Err(at(0, EnodeError::KeyLength { found: text.len() }));
    }
    let mut xy = [0; 64];
    HEXLOWER_PERMISSIVE
        .decode_mut(text.as_bytes(), &mut xy)
        .map_err(|_| at(0, EnodeError::KeyLength { found: text.len() }))?;
    PublicKey::from_xy(&xy).map_err(|_| at(0, EnodeError::KeyNotOnCurve))
}

#[cfg(test)]
mod tests {
    //! The query of an enode URL: which `discport` counts, and where a wrong one stands.

    use super::*;

    /// Reads the place of an enode; the offset of an error is from the start of the place.
    fn ports(place: &str) -> Result<(u16, u16), At<EnodeError>> {
        // The generator point is a public key, too.
        let key = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\
                   483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
        let text = format!("{SCHEME}{key}@{place}");
        let start = text.len() - place.len();
        let ports = Enode::parse(&text).map(|enode| (enode.tcp, enode.udp));
        ports.map_err(|e| at(e.offset - start, e.what))
    }

    #[test]
    fn the_first_discport_counts() {
        assert_eq!(ports("1.2.3.4:5?discport=6&discport=7"), Ok((5, 6)));
        assert_eq!(ports("1.2.3.4:5?discport=&discport=7"), Ok((5, 5)));
        assert_eq!(ports("1.2.3.4:5?a=b&discport=6&c"), Ok((5, 6)));
    }

    #[test]
    fn a_wrong_discport_is_found_where_it_stands() {
        assert_eq!(ports("1.2.3.4:5?discport=x"), Err(at(19, EnodeError::DiscPort)));
        assert_eq!(ports("1.2.3.4:5/?discport=x"), Err(at(20, EnodeError::DiscPort)));
        assert_eq!(ports("1.2.3.4:5/?a&discport=x"), Err(at(22, EnodeError::DiscPort)));
    }
}
