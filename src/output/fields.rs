//! `key=value` for all that the JSON line has: the same value is serialised, so that neither line can know something
//! that the other does not.

use std::fmt::{self, Display, Write};

use serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer,
};

use super::text::push_escaped;

/// Appends the fields of `line` to `out`, but for those named in `skipped`.
///
/// # Errors
/// None, but for a type that no report has.
pub fn append(
    line: &impl Serialize,
    skipped: &'static [&'static str],
    out: &mut String,
) -> fmt::Result {
    line.serialize(Value { out, object: Form::Line { skipped } })
}

/// The fields of `line`, each with its name, but for those named in `skipped`.
///
/// # Errors
/// As [`append`].
pub fn each(
    line: &impl Serialize,
    skipped: &'static [&'static str],
) -> Result<Vec<(String, String)>, fmt::Error> {
    let mut out = String::new();
    line.serialize(Value { out: &mut out, object: Form::Lines { skipped } })?;
    let named = |field: &str| Some((field.split_once('=')?.0.to_owned(), field.to_owned()));
    Ok(out.lines().filter_map(named).collect())
}

/// Appends a text as one word: in quotes, if it has what ends a word.
pub fn push_word(out: &mut String, v: &str) {
    let bare = !v.contains('=') || v.starts_with("enode:");
    // Without a look for an early end, as in `push_escaped`.
    let is_word = v.bytes().fold(true, |word, byte| word & (byte != b' ') & (byte != b'"'));
    if !v.is_empty() && is_word && bare {
        push_escaped(out, v);
        return;
    }
    out.push('"');
    for part in v.split_inclusive(['"', '\\']) {
        // What would end the quotes, or look as if it did not.
        let (text, special) = match part.strip_suffix(['"', '\\']) {
            Some(text) => (text, &part[text.len()..]),
            None => (part, ""),
        };
        push_escaped(out, text);
        if !special.is_empty() {
            out.push('\\');
            out.push_str(special);
        }
    }
    out.push('"');
}

/// How what has parts is written.
#[derive(Clone, Copy)]
enum Form {
    /// The line itself: fields with spaces between them.
    Line { skipped: &'static [&'static str] },
    /// The same with a line for each: no field has a line's end in it, that is escaped.
    Lines { skipped: &'static [&'static str] },
    /// A tagged object, such as a warning: its name, then the rest in parentheses.
    Object,
    /// Values with commas between them.
    List,
}

/// Writes one value: without spaces, unless it is quoted.
struct Value<'a> {
    out: &'a mut String,
    /// How it is written if it is an object: the outermost one is the line.
    object: Form,
}

/// Writes a value that has parts.
struct Parts<'a> {
    out: &'a mut String,
    form: Form,
    written: usize,
    /// Of a map: the key whose value comes next.
    key: String,
}

impl<'a> Value<'a> {
    fn bare(self, value: impl Display) -> fmt::Result {
        write!(self.out, "{value}")
    }

    fn parts(self, form: Form) -> Parts<'a> {
        Parts { out: self.out, form, written: 0, key: String::new() }
    }
}

impl Parts<'_> {
    fn part<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> fmt::Result {
        let (before, named) = match (self.form, self.written) {
            (Form::Line { skipped } | Form::Lines { skipped }, _) if skipped.contains(&key) => {
                return Ok(());
            }
            (Form::Line { .. }, 0) => ("  ", true),
            (Form::Line { .. }, _) => (" ", true),
            (Form::Lines { .. }, _) => ("\n", true),
            (Form::Object | Form::List, 0) => ("", false),
            (Form::Object, 1) => ("(", true),
            (Form::Object, _) => (",", true),
            (Form::List, _) => (",", false),
        };
        self.out.push_str(before);
        if named {
            self.out.push_str(key);
            self.out.push('=');
        }
        self.written += 1;
        value.serialize(Value { out: self.out, object: Form::Object })
    }

    fn close(self) -> fmt::Result {
        if matches!(self.form, Form::Object) && self.written > 1 {
            self.out.push(')');
        }
        Ok(())
    }
}

impl<'a> Serializer for Value<'a> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    fn serialize_bool(self, v: bool) -> fmt::Result {
        self.bare(v)
    }
    fn serialize_i8(self, v: i8) -> fmt::Result {
        self.bare(v)
    }
    fn serialize_i16(self, v: i16) -> fmt::Result {
        self.bare(v)
    }
    fn serialize_i32(self, v: i32) -> fmt::Result {
        self.bare(v)
    }
    fn serialize_i64(self, v: i64) -> fmt::Result {
        self.bare(v)
    }
    fn serialize_u8(self, v: u8) -> fmt::Result {
        self.bare(v)
    }
    fn serialize_u16(self, v: u16) -> fmt::Result {
        self.bare(v)
    }
    fn serialize_u32(self, v: u32) -> fmt::Result {
        self.bare(v)
    }
    fn serialize_u64(self, v: u64) -> fmt::Result {
        self.bare(v)
    }
    fn serialize_f32(self, v: f32) -> fmt::Result {
        self.serialize_f64(v.into())
    }
    fn serialize_f64(self, v: f64) -> fmt::Result {
        // With a point always, as JSON has it here.
        write!(self.out, "{v:?}")
    }
    fn serialize_char(self, v: char) -> fmt::Result {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> fmt::Result {
        push_word(self.out, v);
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> fmt::Result {
        Err(fmt::Error)
    }
    fn serialize_none(self) -> fmt::Result {
        self.bare("null")
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> fmt::Result {
        value.serialize(self)
    }
    fn serialize_unit(self) -> fmt::Result {
        self.bare("null")
    }
    fn serialize_unit_struct(self, _: &'static str) -> fmt::Result {
        self.bare("null")
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> fmt::Result {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> fmt::Result {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> fmt::Result {
        Err(fmt::Error)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, fmt::Error> {
        Ok(self.parts(Form::List))
    }
    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, fmt::Error> {
        Ok(self.parts(Form::List))
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, fmt::Error> {
        Err(fmt::Error)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, fmt::Error> {
        Err(fmt::Error)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, fmt::Error> {
        {
            let form = self.object;
            Ok(self.parts(form))
        }
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, fmt::Error> {
        {
            let form = self.object;
            Ok(self.parts(form))
        }
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, fmt::Error> {
        Err(fmt::Error)
    }
}

impl SerializeSeq for Parts<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.part("", value)
    }
    fn end(self) -> fmt::Result {
        self.close()
    }
}

impl SerializeTuple for Parts<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.part("", value)
    }
    fn end(self) -> fmt::Result {
        self.close()
    }
}

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> fmt::Result {
        self.key.clear();
        key.serialize(Value { out: &mut self.key, object: Form::Object })
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        let key = std::mem::take(&mut self.key);
        let written = self.part(&key, value);
        self.key = key;
        written
    }
    fn end(self) -> fmt::Result {
        self.close()
    }
}

impl SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> fmt::Result {
        self.part(key, value)
    }
    fn end(self) -> fmt::Result {
        self.close()
    }
}
