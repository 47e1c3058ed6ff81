//! A file of networks as TOML: which tables it has, and where everything stands in it.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Key, Mistake, Spot};
use crate::target::{Protocol, check_name};

/// A value, and where it stands.
pub type Value<'a> = Spanned<DeValue<'a>>;
/// A key, and where it stands.
pub type Name<'a> = Spanned<std::borrow::Cow<'a, str>>;

/// What a file says.
pub struct File<'a>(DeTable<'a>);

/// The table of a network.
pub struct Table<'a> {
    /// The network's name.
    pub name: &'a Name<'a>,
    keys: &'a DeTable<'a>,
    protocol: Protocol,
}

/// Says what is wrong with a key or a value.
pub fn wrong<T>(at: &Spanned<T>, mistake: Mistake) -> Spot {
    Spot { at: at.span().start, span: at.span(), mistake }
}

/// Reads TOML, and whose networks there are; those themselves are read by [`File::networks`].
///
/// # Errors
/// What is wrong, and where.
pub fn read(text: &str) -> Result<File<'_>, Spot> {
    let tables = DeTable::parse(text).map_err(|e| {
        let span = e.span().unwrap_or(text.len()..text.len());
        Spot { at: span.start, span, mistake: Mistake::Toml(e.message().to_owned()) }
    })?;
    let tables = tables.into_inner();
    let known = |key: &str| [Protocol::Ethereum, Protocol::Bitcoin].map(word).contains(&key);
    match tables.iter().find(|(key, value)| !known(key.get_ref()) || !value.get_ref().is_table()) {
        Some((key, _)) => Err(wrong(key, Mistake::NotANetwork)),
        None => Ok(File(tables)),
    }
}

impl File<'_> {
    /// A protocol's networks by their names, each of which a target can be; `read` makes them of their tables.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn networks<N>(
        &self,
        protocol: Protocol,
        read: impl Fn(&Table<'_>) -> Result<N, Spot>,
    ) -> Result<BTreeMap<String, N>, Spot> {
        let networks = self.0.get(word(protocol)).and_then(|value| value.get_ref().as_table());
        let network = |entry| {
            let table = table(protocol, entry)?;
            Ok((table.name.get_ref().to_string(), read(&table)?))
        };
        networks.into_iter().flatten().map(network).collect()
    }
}

fn table<'a>(
    protocol: Protocol,
    (name, value): (&'a Name<'a>, &'a Value<'a>),
) -> Result<Table<'a>, Spot> {
    let Some(keys) = value.get_ref().as_table() else {
        // What `[[ethereum.NAME]]` makes.
        let list = value.get_ref().as_array().filter(|list| !list.is_empty());
        let is_of_tables = list.is_some_and(|list| list.iter().all(|v| v.get_ref().is_table()));
        let what = if is_of_tables { Mistake::Brackets } else { Mistake::NoName };
        return Err(wrong(name, what(protocol)));
    };
    check_name(name.get_ref()).map_err(|bad| wrong(name, Mistake::Name(bad)))?;
    Ok(Table { name, keys, protocol })
}

impl<'a> Table<'a> {
    /// Its keys with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Name<'a>, &'a Value<'a>)> + use<'a> {
        self.keys.iter()
    }

    /// That it has no such key.
    pub fn unknown(&self, key: &Name<'_>, value: &Value<'_>) -> Spot {
        wrong(
            key,
            match value.get_ref() {
                DeValue::Table(_) => Mistake::Dot(self.protocol),
                _ => Mistake::UnknownKey(self.protocol),
            },
        )
    }

    /// That it lacks a key.
    pub fn missing(&self, key: Key) -> Spot {
        wrong(self.name, Mistake::Missing(key))
    }
}

/// The text that a value should be.
///
/// # Errors
/// [`Mistake::Value`].
pub fn text<'a>(value: &'a Value<'_>, key: Key) -> Result<&'a str, Spot> {
    value.get_ref().as_str().ok_or_else(|| wrong(value, Mistake::Value(key)))
}

/// The list that a value should be.
///
/// # Errors
/// [`Mistake::Value`].
pub fn list<'a>(value: &'a Value<'a>, key: Key) -> Result<&'a [Value<'a>], Spot> {
    let list = value.get_ref().as_array().ok_or_else(|| wrong(value, Mistake::Value(key)))?;
    Ok(list)
}

/// What the names of a protocol's networks stand below.
fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Ethereum => "ethereum",
        Protocol::Bitcoin => "bitcoin",
    }
}
