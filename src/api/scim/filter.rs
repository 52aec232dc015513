//! The filters and the PATCH paths of SCIM 2.0: one syntax tree and its parser (RFC 7644, sections 3.4.2.2 and 3.5.2).
//!
//! The parser knows the grammar alone: which attributes exist, and which operators and values suit them, is for its
//! callers to say. Besides the grammar of the RFC it takes what clients send:
//!
//! - `emails[type eq "work"].value eq "x"`, which becomes `emails[type eq "work" and value eq "x"]`;
//! - bare words as text (`externalId eq jyoung`), up to white space, a bracket, a parenthesis or a quote;
//! - `true`, `false` and `null` in any case;
//! - `not` without parentheses, which then negates the next term alone;
//! - any white space where the RFC has one space, and none beside a bracket, a parenthesis or a quote;
//! - `$` in names, for `$ref` (RFC 7643, section 2.4).
//!
//! It takes less than the RFC in one point: brackets after a sub-attribute (`a.b[...]`) are refused, as a sub-attribute
//! has no sub-attributes of its own (RFC 7643, section 2.3.8).
//!
//! Time and memory are linear in the length of the text. The stack is bounded by [`MAX_DEPTH`].

use std::fmt;

/// How deep parentheses, brackets and `not` may be nested. `not (` is one level.
pub(crate) const MAX_DEPTH: usize = 64;

/// How many comparisons (`pr` is one too) a filter or a path may have, those in brackets included.
pub(crate) const MAX_TERMS: usize = 1024;

/// A filter (RFC 7644, section 3.4.2.2).
///
/// Its `Display` is a filter by the RFC's grammar that parses to the same tree, with one exception: a text of the form
/// `a[x or y].b eq 1` gains parentheses, so it may be one level too deep afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// `a or b or c`: two or more filters, one of which must match.
    Or(Vec<Filter>),
    /// `a and b and c`: two or more filters, all of which must match.
    And(Vec<Filter>),
    /// `not (a)`.
    Not(Box<Filter>),
    /// `title pr`: the attribute has a value that is not empty.
    Present(Attribute),
    /// `userName eq "x"`.
    Compare(Attribute, Operator, Value),
    /// `emails[type eq "work"]`: one element of the attribute matches the filter. The filter names sub-attributes and
    /// has no brackets itself. The attribute has no sub-attribute.
    Elements(Attribute, Box<Filter>),
}

/// The target of a PATCH operation (RFC 7644, section 3.5.2). Its `Display` parses to the same path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// All of a schema's attributes: only a URN, such as `urn:ietf:params:scim:schemas:core:2.0:User`.
    Schema(String),
    /// An attribute or its sub-attribute (`name.familyName`). With a filter, that of the elements that match
    /// (`members[value eq "x"]`, `emails[type eq "work"].value`).
    Attribute {
        /// The attribute. Its sub-attribute comes after the brackets, if there are any.
        attribute: Attribute,
        /// The filter in the brackets.
        filter: Option<Filter>,
    },
}

/// An attribute as a filter or a path names it (`attrPath` in RFC 7644, section 3.4.2.2), in the spelling of the text.
/// Names have no case (RFC 7643, section 2.1), so compare with [`Attribute::is`] and [`Attribute::is_of`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// The URN of its schema, if the text has it.
    pub(crate) schema: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// The name of its sub-attribute.
    pub(crate) sub: Option<String>,
}

impl Attribute {
    /// Whether this is the attribute of this name and, if there is one, this sub-attribute, in any case. The schema
    /// does not matter.
    pub(crate) fn is(&self, name: &str, sub: Option<&str>) -> bool {
        let same_sub = match (&self.sub, sub) {
            (Some(own), Some(sub)) => same_name(own, sub),
            (own, sub) => own.is_none() && sub.is_none(),
        };
        same_sub && same_name(&self.name, name)
    }

    /// Whether the attribute can be one of the schema with this URN: it has this URN, in any case, or none.
    pub(crate) fn is_of(&self, schema: &str) -> bool {
        self.schema.as_ref().is_none_or(|own| same_name(own, schema))
    }
}

/// Whether two names of attributes, or two URNs of schemas, are the same: they have no case (RFC 7643, section 2.1).
pub(crate) fn same_name(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// An operator between an attribute and a value (table 3 of RFC 7644).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

/// All operators and their spelling.
const OPERATORS: [(Operator, &str); 9] = [
    (Operator::Equal, "eq"),
    (Operator::NotEqual, "ne"),
    (Operator::Contains, "co"),
    (Operator::StartsWith, "sw"),
    (Operator::EndsWith, "ew"),
    (Operator::Greater, "gt"),
    (Operator::GreaterOrEqual, "ge"),
    (Operator::Less, "lt"),
    (Operator::LessOrEqual, "le"),
];

/// The value of a comparison (`compValue` in RFC 7644, section 3.4.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text, with its escapes resolved, or a bare word.
    Text(String),
    /// A number of JSON as the text spells it. For an attribute that holds text, it is a bare word like any other
    /// (`externalId eq 4711`).
    Number(String),
    /// `true` or `false`.
    Boolean(bool),
    /// `null`.
    Null,
}

/// Why a text is not a filter or not a path. Its `Display` is the sentence for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    /// What is wrong.
    pub(crate) problem: Problem,
    /// The character of the text where it is, counted from 1. One more than the text has if the text ends too early.
    pub(crate) position: usize,
}

/// What can be wrong with a filter or a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is something else, or nothing, in the place of an attribute.
    AttributeExpected,
    /// A name has a character that names do not have, or none at all.
    InvalidName,
    /// A colon comes after something that is not a URN.
    InvalidUrn,
    /// There is only the URN of a schema where an attribute must be.
    SchemaWithoutAttribute,
    /// A name has more than one dot.
    TooManySubAttributes,
    /// Brackets come after a sub-attribute.
    SubAttributeWithBrackets,
    /// Brackets are inside brackets.
    NestedBrackets,
    /// There is something else, or nothing, in the place of an operator.
    OperatorExpected,
    /// There is something else, or nothing, in the place of a value.
    ValueExpected,
    /// Text has no closing quote.
    UnendedText,
    /// Text has a control character that is not escaped.
    ControlCharacter,
    /// Text has an escape that JSON does not have.
    InvalidEscape,
    /// Text has one half of a surrogate pair.
    LoneSurrogate,
    /// A parenthesis is not closed where it must be.
    ParenthesisNotClosed,
    /// A bracket is not closed where it must be.
    BracketNotClosed,
    /// A filter goes on where it must end.
    EndOfFilterExpected,
    /// A path goes on where it must end.
    EndOfPathExpected,
    /// There are more levels than [`MAX_DEPTH`].
    TooDeep,
    /// There are more comparisons than [`MAX_TERMS`].
    TooManyTerms,
}

impl Problem {
    /// The problem in plain English, to come after a colon.
    fn sentence(self) -> &'static str {
        match self {
            Self::AttributeExpected => "the name of an attribute is expected here.",
            Self::InvalidName => {
                "a name must begin with a letter and have only letters, digits, \"-\", \"_\" and \"$\"."
            }
            Self::InvalidUrn => "what comes before the last colon must be the URN of a schema.",
            Self::SchemaWithoutAttribute => "this URN names a schema; a colon and an attribute must follow it.",
            Self::TooManySubAttributes => "an attribute can have only one sub-attribute after it.",
            Self::SubAttributeWithBrackets => "brackets can follow an attribute, but not a sub-attribute.",
            Self::NestedBrackets => "brackets cannot be inside other brackets.",
            Self::OperatorExpected => "an operator is expected here: eq, ne, co, sw, ew, gt, ge, lt, le or pr.",
            Self::ValueExpected => {
                "a value is expected here: text in double quotes, a number, \"true\", \"false\" or \"null\"."
            }
            Self::UnendedText => "the text that begins here has no closing quote.",
            Self::ControlCharacter => "a control character in text must be written as an escape, such as \\u0009.",
            Self::InvalidEscape => "this is not an escape of JSON; a backslash itself is written as two.",
            Self::LoneSurrogate => "this escape is one half of a surrogate pair without the other half.",
            Self::ParenthesisNotClosed => "\"and\", \"or\" or a closing parenthesis is expected here.",
            Self::BracketNotClosed => "\"and\", \"or\" or a closing bracket is expected here.",
            Self::EndOfFilterExpected => "\"and\", \"or\" or the end of the filter is expected here.",
            Self::EndOfPathExpected => "the end of the path is expected here.",
            Self::TooDeep => "parentheses, brackets and \"not\" can be nested only 64 levels deep.",
            Self::TooManyTerms => "there can be only 1024 comparisons.",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "At character {}: {}", self.position, self.problem.sentence())
    }
}

impl std::error::Error for Error {}

/// Parses a filter, already decoded from the URL (RFC 7644, section 3.4.2.2). Fails if it is not one or exceeds a
/// limit: `invalidFilter`.
pub(crate) fn filter(text: &str) -> Result<Filter, Error> {
    let mut parser = Parser::new(text);
    let filter = parser.alternatives()?;
    parser.end(Problem::EndOfFilterExpected)?;
    Ok(filter)
}

/// Parses the path of a PATCH operation (RFC 7644, section 3.5.2). Fails if it is not one or exceeds a limit:
/// `invalidPath`.
///
/// A URN is a schema without an attribute if it ends in a version (`urn:scim:schemas:core:2.0`) or in one name after a
/// version (`urn:ietf:params:scim:schemas:core:2.0:User`). Otherwise its last part is an attribute: a caller that knows
/// a schema whose URN has no version compares the printed path with that URN.
pub(crate) fn path(text: &str) -> Result<Path, Error> {
    let mut parser = Parser::new(text);
    parser.skip_space();
    let word = parser.peek_word();
    let path = if is_schema(word) && !parser.text[parser.at + word.len()..].starts_with('[') {
        parser.at += word.len();
        Path::Schema(word.to_owned())
    } else {
        let (attribute, filter) = parser.target()?;
        Path::Attribute { attribute, filter }
    };
    parser.end(Problem::EndOfPathExpected)?;
    Ok(path)
}

/// A text and how far it is parsed.
struct Parser<'a> {
    text: &'a str,
    /// The index of the next byte.
    at: usize,
    /// The number of open levels.
    depth: usize,
    /// The number of comparisons so far.
    terms: usize,
    /// Whether a bracket is open.
    in_brackets: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, terms: 0, in_brackets: false }
    }

    /// Parses terms with `and` and `or` between them, of which `or` binds less.
    fn alternatives(&mut self) -> Result<Filter, Error> {
        let mut parts = vec![self.conjunction()?];
        while self.take_word("or") {
            parts.push(self.conjunction()?);
        }
        Ok(joined(parts, Filter::Or))
    }

    /// Parses terms with `and` between them.
    fn conjunction(&mut self) -> Result<Filter, Error> {
        let mut parts = vec![self.term()?];
        while self.take_word("and") {
            parts.push(self.term()?);
        }
        Ok(joined(parts, Filter::And))
    }

    /// Parses a group in parentheses, a term after `not`, a comparison or an attribute with brackets.
    fn term(&mut self) -> Result<Filter, Error> {
        let start = self.skip_space();
        if self.take('(') {
            return self.group(start, ')', Problem::ParenthesisNotClosed);
        }
        if self.take_word("not") {
            self.skip_space();
            if self.take('(') {
                let group = self.group(start, ')', Problem::ParenthesisNotClosed)?;
                return Ok(Filter::Not(Box::new(group)));
            }
            self.open(start)?;
            let term = self.term()?;
            self.depth -= 1;
            return Ok(Filter::Not(Box::new(term)));
        }
        let (mut attribute, filter) = self.target()?;
        let Some(filter) = filter else { return self.comparison(attribute, start) };
        let filter = match attribute.sub.take() {
            Some(name) => {
                let comparison = self.comparison(Attribute { schema: None, name, sub: None }, start)?;
                with_comparison(filter, comparison)
            }
            None => filter,
        };
        Ok(Filter::Elements(attribute, Box::new(filter)))
    }

    /// Parses a filter and the character that closes it. The one that opens it is read already; it is at `start`.
    fn group(&mut self, start: usize, close: char, not_closed: Problem) -> Result<Filter, Error> {
        self.open(start)?;
        let filter = self.alternatives()?;
        let end = self.skip_space();
        if !self.take(close) {
            return Err(self.error(not_closed, end));
        }
        self.depth -= 1;
        Ok(filter)
    }

    /// Opens a level. Fails if it is one too many.
    fn open(&mut self, start: usize) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(self.error(Problem::TooDeep, start)) } else { Ok(()) }
    }

    /// Parses an attribute, its filter in brackets if there is one, and the sub-attribute after that.
    fn target(&mut self) -> Result<(Attribute, Option<Filter>), Error> {
        let mut attribute = self.attribute()?;
        let start = self.at;
        if !self.take('[') {
            return Ok((attribute, None));
        }
        if self.in_brackets {
            return Err(self.error(Problem::NestedBrackets, start));
        }
        if attribute.sub.is_some() {
            return Err(self.error(Problem::SubAttributeWithBrackets, start));
        }
        self.in_brackets = true;
        let filter = self.group(start, ']', Problem::BracketNotClosed)?;
        self.in_brackets = false;
        if self.take('.') {
            let start = self.at;
            let word = self.word();
            attribute.sub = Some(self.name(word, start)?);
        }
        Ok((attribute, Some(filter)))
    }

    /// Parses an attribute with its schema and its sub-attribute, up to a bracket.
    fn attribute(&mut self) -> Result<Attribute, Error> {
        let start = self.skip_space();
        let word = self.word();
        if word.is_empty() || is_reserved(word) {
            return Err(self.error(Problem::AttributeExpected, start));
        }
        if is_schema(word) {
            return Err(self.error(Problem::SchemaWithoutAttribute, start));
        }
        let (schema, names) = match word.rsplit_once(':') {
            Some((schema, _)) if !is_uri(schema) => return Err(self.error(Problem::InvalidUrn, start)),
            Some((schema, names)) => (Some(schema.to_owned()), names),
            None => (None, word),
        };
        let names_start = self.at - names.len();
        Ok(match names.split_once('.') {
            Some((name, sub)) => Attribute {
                schema,
                name: self.name(name, names_start)?,
                sub: Some(self.name(sub, self.at - sub.len())?),
            },
            None => Attribute { schema, name: self.name(names, names_start)?, sub: None },
        })
    }

    /// The word as a name. Fails if it is not one; `start` is where it is.
    fn name(&self, word: &str, start: usize) -> Result<String, Error> {
        match word {
            _ if is_name(word) => Ok(word.to_owned()),
            _ if word.contains('.') => Err(self.error(Problem::TooManySubAttributes, start)),
            _ => Err(self.error(Problem::InvalidName, start)),
        }
    }

    /// Parses the operator and the value after an attribute. The term is at `start`.
    fn comparison(&mut self, attribute: Attribute, start: usize) -> Result<Filter, Error> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.error(Problem::TooManyTerms, start));
        }
        let operator_start = self.skip_space();
        let word = self.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(attribute));
        }
        match OPERATORS.iter().find(|(_, spelling)| spelling.eq_ignore_ascii_case(word)) {
            Some((operator, _)) => Ok(Filter::Compare(attribute, *operator, self.value()?)),
            None => Err(self.error(Problem::OperatorExpected, operator_start)),
        }
    }

    /// Parses a value. The words `and`, `or` and `not`, and words that begin with an apostrophe, need quotes.
    fn value(&mut self) -> Result<Value, Error> {
        let start = self.skip_space();
        if self.take('"') {
            return Ok(Value::Text(self.quoted(start)?));
        }
        let word = self.word();
        if word.is_empty() || word.starts_with('\'') || is_reserved(word) {
            return Err(self.error(Problem::ValueExpected, start));
        }
        Ok(match word {
            _ if word.eq_ignore_ascii_case("true") => Value::Boolean(true),
            _ if word.eq_ignore_ascii_case("false") => Value::Boolean(false),
            _ if word.eq_ignore_ascii_case("null") => Value::Null,
            _ if is_number(word) => Value::Number(word.to_owned()),
            _ => Value::Text(word.to_owned()),
        })
    }

    /// Parses the rest of a string of JSON (RFC 8259, section 7), after the quote at `start`.
    fn quoted(&mut self, start: usize) -> Result<String, Error> {
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.take_any() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escaped(at)?),
                Some(control) if control < ' ' => return Err(self.error(Problem::ControlCharacter, at)),
                Some(character) => text.push(character),
                None => return Err(self.error(Problem::UnendedText, start)),
            }
        }
    }

    /// Parses the rest of an escape, after the backslash at `start`.
    fn escaped(&mut self, start: usize) -> Result<char, Error> {
        Ok(match self.take_any() {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.escaped_code(start),
            _ => return Err(self.error(Problem::InvalidEscape, start)),
        })
    }

    /// Parses the digits of a `\u` escape at `start`, and the second escape of a surrogate pair.
    fn escaped_code(&mut self, start: usize) -> Result<char, Error> {
        let first = self.four_digits(start)?;
        let character = if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let second = self.four_digits(start)?;
            char::decode_utf16([first, second]).next().and_then(Result::ok)
        } else {
            char::from_u32(first.into())
        };
        character.ok_or_else(|| self.error(Problem::LoneSurrogate, start))
    }

    /// Parses four hexadecimal digits of the escape at `start`.
    fn four_digits(&mut self, start: usize) -> Result<u16, Error> {
        let digits = self.text[self.at..].get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.error(Problem::InvalidEscape, start))?;
        self.at += 4;
        Ok(code)
    }

    /// Fails with this problem unless only white space is left.
    fn end(&mut self, problem: Problem) -> Result<(), Error> {
        let at = self.skip_space();
        if at < self.text.len() { Err(self.error(problem, at)) } else { Ok(()) }
    }

    /// Moves past white space; gives the place of what follows.
    fn skip_space(&mut self) -> usize {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
        self.at
    }

    /// The characters up to white space, a bracket, a parenthesis, a quote or the end; there may be none.
    fn peek_word(&self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.find(|next: char| next.is_ascii_whitespace() || "()[]\"".contains(next));
        &rest[..end.unwrap_or(rest.len())]
    }

    /// Moves past the next word and gives it.
    fn word(&mut self) -> &'a str {
        let word = self.peek_word();
        self.at += word.len();
        word
    }

    /// Moves past white space and then past this word, in any case, if it is next. Gives whether it is.
    fn take_word(&mut self, word: &str) -> bool {
        self.skip_space();
        let next = self.peek_word().eq_ignore_ascii_case(word);
        self.at += if next { word.len() } else { 0 };
        next
    }

    /// Moves past this character if it is next. Gives whether it is.
    fn take(&mut self, character: char) -> bool {
        let next = self.text[self.at..].starts_with(character);
        self.at += if next { character.len_utf8() } else { 0 };
        next
    }

    /// Moves past the next character and gives it.
    fn take_any(&mut self) -> Option<char> {
        let next = self.text[self.at..].chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// The error for a problem at this byte.
    fn error(&self, problem: Problem, at: usize) -> Error {
        Error { problem, position: self.text[..at].chars().count() + 1 }
    }
}

/// The only part, or a node of all parts.
fn joined(mut parts: Vec<Filter>, node: fn(Vec<Filter>) -> Filter) -> Filter {
    if parts.len() == 1 { parts.remove(0) } else { node(parts) }
}

/// The filter that matches if both do, without an `and` in an `and`.
fn with_comparison(filter: Filter, comparison: Filter) -> Filter {
    let mut parts = match filter {
        Filter::And(parts) => parts,
        other => vec![other],
    };
    parts.push(comparison);
    Filter::And(parts)
}

/// Whether the word joins or negates terms, so that it is neither an attribute nor a bare value.
fn is_reserved(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// Whether the word is a name (`ATTRNAME` in RFC 7644, section 3.4.2.2, and `$`).
fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '$')
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte))
}

/// Whether the word is a scheme, a colon and more, in characters that a URI may have (RFC 3986, section 2).
fn is_uri(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic())
        && word.split_once(':').is_some_and(|(_, rest)| !rest.is_empty())
        && word.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

/// Whether the word is the URI of a schema without an attribute. See [`path`].
fn is_schema(word: &str) -> bool {
    let Some((rest, last)) = word.rsplit_once(':') else { return false };
    let after_version = rest.rsplit(':').next().is_some_and(is_version);
    is_uri(word) && (begins_with_version(last) || last.starts_with("//") || after_version && is_name(last))
}

/// Whether the text is a version such as `2.0`.
fn is_version(text: &str) -> bool {
    begins_with_version(text) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether the text begins with digits, a dot and a digit.
fn begins_with_version(text: &str) -> bool {
    let is_digit = |character: char| character.is_ascii_digit();
    let rest = text.trim_start_matches(is_digit);
    rest.len() < text.len() && rest.strip_prefix('.').is_some_and(|minor| minor.starts_with(is_digit))
}

/// Whether the word is a number of JSON (RFC 8259, section 6).
fn is_number(word: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(is_digits)
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(parts) => write_joined(f, parts, " or "),
            Self::And(parts) => write_joined(f, parts, " and "),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Present(attribute) => write!(f, "{attribute} pr"),
            Self::Compare(attribute, operator, value) => write!(f, "{attribute} {operator} {value}"),
            Self::Elements(attribute, filter) => write!(f, "{attribute}[{filter}]"),
        }
    }
}

/// Writes the parts with the word between them, and parentheses around those that would not stay one part.
fn write_joined(f: &mut fmt::Formatter<'_>, parts: &[Filter], word: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        match part {
            Filter::Or(_) => write!(f, "({part})")?,
            Filter::And(_) if word == " and " => write!(f, "({part})")?,
            _ => write!(f, "{part}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(urn) => f.write_str(urn),
            Self::Attribute { attribute, filter } => write_attribute(f, attribute, filter.as_ref()),
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_attribute(f, self, None)
    }
}

/// Writes the attribute, with the filter in brackets before the sub-attribute.
fn write_attribute(f: &mut fmt::Formatter<'_>, attribute: &Attribute, filter: Option<&Filter>) -> fmt::Result {
    if let Some(schema) = &attribute.schema {
        write!(f, "{schema}:")?;
    }
    f.write_str(&attribute.name)?;
    if let Some(filter) = filter {
        write!(f, "[{filter}]")?;
    }
    match &attribute.sub {
        Some(sub) => write!(f, ".{sub}"),
        None => Ok(()),
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spelling = OPERATORS.iter().find(|(operator, _)| operator == self).map_or("", |(_, spelling)| spelling);
        f.write_str(spelling)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_quoted(f, text),
            Self::Number(number) => f.write_str(number),
            Self::Boolean(boolean) => write!(f, "{boolean}"),
            Self::Null => f.write_str("null"),
        }
    }
}

/// Writes the text as a string of JSON (RFC 8259, section 7).
fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write;

    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
            _ => f.write_char(character)?,
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    /// The attribute of this name, with a sub-attribute after a dot.
    fn attribute(names: &str) -> Attribute {
        let (name, sub) = match names.split_once('.') {
            Some((name, sub)) => (name, Some(sub.to_owned())),
            None => (names, None),
        };
        Attribute { schema: None, name: name.to_owned(), sub }
    }

    /// The attribute of a schema.
    fn attribute_of(schema: &str, names: &str) -> Attribute {
        Attribute { schema: Some(schema.to_owned()), ..attribute(names) }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn number(text: &str) -> Value {
        Value::Number(text.to_owned())
    }

    fn compare(names: &str, operator: Operator, value: &str) -> Filter {
        Filter::Compare(attribute(names), operator, text(value))
    }

    fn equal(names: &str, value: &str) -> Filter {
        compare(names, Operator::Equal, value)
    }

    fn present(names: &str) -> Filter {
        Filter::Present(attribute(names))
    }

    fn or<const N: usize>(parts: [Filter; N]) -> Filter {
        Filter::Or(parts.into())
    }

    fn and<const N: usize>(parts: [Filter; N]) -> Filter {
        Filter::And(parts.into())
    }

    fn not(filter: Filter) -> Filter {
        Filter::Not(Box::new(filter))
    }

    fn elements(name: &str, filter: Filter) -> Filter {
        Filter::Elements(attribute(name), Box::new(filter))
    }

    fn path_of(attribute: Attribute, filter: Option<Filter>) -> Path {
        Path::Attribute { attribute, filter }
    }

    #[track_caller]
    fn parses<const N: usize>(rows: [(&str, Filter); N]) {
        for (text, tree) in rows {
            assert_eq!(filter(text).as_ref(), Ok(&tree), "{text}");
            assert_eq!(filter(&tree.to_string()).as_ref(), Ok(&tree), "{text} printed as {tree}");
        }
    }

    #[track_caller]
    fn parses_paths<const N: usize>(rows: [(&str, Path); N]) {
        for (text, target) in rows {
            assert_eq!(path(text).as_ref(), Ok(&target), "{text}");
            assert_eq!(path(&target.to_string()).as_ref(), Ok(&target), "{text} printed as {target}");
        }
    }

    #[test]
    fn every_filter_of_the_rfc() {
        use Operator::{Contains, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual, StartsWith};
        let time = "2011-05-13T04:42:34Z";
        parses([
            ("userName eq \"bjensen\"", equal("userName", "bjensen")),
            ("userName Eq \"john\"", equal("userName", "john")),
            ("Username eq \"john\"", equal("Username", "john")),
            ("name.familyName co \"O'Malley\"", compare("name.familyName", Contains, "O'Malley")),
            ("userName sw \"J\"", compare("userName", StartsWith, "J")),
            (
                "urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"J\"",
                Filter::Compare(attribute_of(USER, "userName"), StartsWith, text("J")),
            ),
            ("title pr", present("title")),
            ("meta.lastModified gt \"2011-05-13T04:42:34Z\"", compare("meta.lastModified", Greater, time)),
            ("meta.lastModified ge \"2011-05-13T04:42:34Z\"", compare("meta.lastModified", GreaterOrEqual, time)),
            ("meta.lastModified lt \"2011-05-13T04:42:34Z\"", compare("meta.lastModified", Less, time)),
            ("meta.lastModified le \"2011-05-13T04:42:34Z\"", compare("meta.lastModified", LessOrEqual, time)),
            ("title pr and userType eq \"Employee\"", and([present("title"), equal("userType", "Employee")])),
            ("title pr or userType eq \"Intern\"", or([present("title"), equal("userType", "Intern")])),
            (
                "\n schemas eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"",
                equal("schemas", ENTERPRISE),
            ),
            (
                "userType eq \"Employee\" and (emails co \"example.com\" or\n  emails.value co \"example.org\")",
                and([
                    equal("userType", "Employee"),
                    or([compare("emails", Contains, "example.com"), compare("emails.value", Contains, "example.org")]),
                ]),
            ),
            (
                "userType ne \"Employee\" and not (emails co \"example.com\" or\n  emails.value co \"example.org\")",
                and([
                    compare("userType", NotEqual, "Employee"),
                    not(or([
                        compare("emails", Contains, "example.com"),
                        compare("emails.value", Contains, "example.org"),
                    ])),
                ]),
            ),
            (
                "userType eq \"Employee\" and (emails.type eq \"work\")",
                and([equal("userType", "Employee"), equal("emails.type", "work")]),
            ),
            (
                "userType eq \"Employee\" and emails[type eq \"work\" and\n  value co \"@example.com\"]",
                and([
                    equal("userType", "Employee"),
                    elements("emails", and([equal("type", "work"), compare("value", Contains, "@example.com")])),
                ]),
            ),
            (
                "emails[type eq \"work\" and value co \"@example.com\"] or\n\
                 ims[type eq \"xmpp\" and value co \"@foo.com\"]",
                or([
                    elements("emails", and([equal("type", "work"), compare("value", Contains, "@example.com")])),
                    elements("ims", and([equal("type", "xmpp"), compare("value", Contains, "@foo.com")])),
                ]),
            ),
        ]);
    }

    #[test]
    fn every_path_of_the_rfc() {
        let id = "2819c223-7f76-453a-919d-413861904646";
        parses_paths([
            ("members", path_of(attribute("members"), None)),
            ("name.familyName", path_of(attribute("name.familyName"), None)),
            ("addresses[type eq \"work\"]", path_of(attribute("addresses"), Some(equal("type", "work")))),
            (
                "members[value eq \"2819c223-7f76-453a-919d-413861904646\"]",
                path_of(attribute("members"), Some(equal("value", id))),
            ),
            (
                "members[value eq \"2819c223-7f76-453a-919d-413861904646\"].displayName",
                path_of(attribute("members.displayName"), Some(equal("value", id))),
            ),
            (
                "emails[type eq \"work\" and value ew \"example.com\"]",
                path_of(
                    attribute("emails"),
                    Some(and([equal("type", "work"), compare("value", Operator::EndsWith, "example.com")])),
                ),
            ),
            (
                "addresses[type eq \"work\"].streetAddress",
                path_of(attribute("addresses.streetAddress"), Some(equal("type", "work"))),
            ),
        ]);
    }

    #[test]
    fn paths_that_clients_send() {
        parses_paths([
            ("emails[type eq \"work\"].value", path_of(attribute("emails.value"), Some(equal("type", "work")))),
            (
                "phoneNumbers[type eq \"mobile\"].value",
                path_of(attribute("phoneNumbers.value"), Some(equal("type", "mobile"))),
            ),
            ("roles[primary eq \"True\"].value", path_of(attribute("roles.value"), Some(equal("primary", "True")))),
            (
                "members[value eq \"g\" or value eq \"h\"]",
                path_of(attribute("members"), Some(or([equal("value", "g"), equal("value", "h")]))),
            ),
            ("members.$ref", path_of(attribute("members.$ref"), None)),
            (" userName ", path_of(attribute("userName"), None)),
            // Not the schema with an attribute: a colon is missing, so the URN is another one.
            ("urn:x:2.0:User.name", path_of(attribute_of("urn:x:2.0", "User.name"), None)),
            (&format!("{USER}:name.familyName"), path_of(attribute_of(USER, "name.familyName"), None)),
            (&format!("{ENTERPRISE}:employeeNumber"), path_of(attribute_of(ENTERPRISE, "employeeNumber"), None)),
            (&format!("{ENTERPRISE}:manager.value"), path_of(attribute_of(ENTERPRISE, "manager.value"), None)),
            (
                &format!("{USER}:emails[type eq \"work\"].value"),
                path_of(attribute_of(USER, "emails.value"), Some(equal("type", "work"))),
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department",
                path_of(attribute_of("urn:ietf:params:scim:schemas:extension:enterprise:2.0User", "department"), None),
            ),
        ]);
    }

    #[test]
    fn paths_that_are_a_schema() {
        let urns = [
            USER,
            ENTERPRISE,
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "urn:ietf:params:scim:schemas:extension:rollbook:2.0:Group",
            "URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
            "urn:scim:schemas:core:2.0",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
        ];
        for urn in urns {
            assert_eq!(path(urn), Ok(Path::Schema(urn.to_owned())));
            assert_eq!(path(&format!(" {urn} ")), Ok(Path::Schema(urn.to_owned())));
            let problem = filter(&format!("{urn} pr")).map_err(|error| error.problem);
            assert_eq!(problem, Err(Problem::SchemaWithoutAttribute), "{urn}");
        }
    }

    #[test]
    fn forms_that_clients_send() {
        use Operator::Equal;
        let work = || equal("type", "work");
        parses([
            ("emails[type eq \"work\"].value eq \"x\"", elements("emails", and([work(), equal("value", "x")]))),
            ("emails[type eq \"work\"].value pr", elements("emails", and([work(), present("value")]))),
            (
                "emails[type eq \"work\" and primary eq True].value eq \"x\"",
                elements(
                    "emails",
                    and([
                        work(),
                        Filter::Compare(attribute("primary"), Equal, Value::Boolean(true)),
                        equal("value", "x"),
                    ]),
                ),
            ),
            (
                "emails[type eq \"work\" or type eq \"home\"].value eq \"x\" and active eq \"true\"",
                and([
                    elements("emails", and([or([work(), equal("type", "home")]), equal("value", "x")])),
                    equal("active", "true"),
                ]),
            ),
            (
                &format!("{USER}:emails[type eq \"work\"].value eq \"x\""),
                Filter::Elements(attribute_of(USER, "emails"), Box::new(and([work(), equal("value", "x")]))),
            ),
            ("externalId eq jyoung", equal("externalId", "jyoung")),
            ("(externalId eq jyoung)", equal("externalId", "jyoung")),
            ("emails[value eq j.young+a@example.com]", elements("emails", equal("value", "j.young+a@example.com"))),
            ("externalId eq 2819c223-7f76-453a", equal("externalId", "2819c223-7f76-453a")),
            ("externalId eq CORP\\jyoung", equal("externalId", "CORP\\jyoung")),
            ("userName eq Zoë and title pr", and([equal("userName", "Zoë"), present("title")])),
            ("active eq True", Filter::Compare(attribute("active"), Equal, Value::Boolean(true))),
            ("active eq true", Filter::Compare(attribute("active"), Equal, Value::Boolean(true))),
            ("active eq FALSE", Filter::Compare(attribute("active"), Equal, Value::Boolean(false))),
            ("active eq \"False\"", equal("active", "False")),
            ("title eq NULL", Filter::Compare(attribute("title"), Equal, Value::Null)),
            ("title eq null", Filter::Compare(attribute("title"), Equal, Value::Null)),
            ("id eq \"g\" and members eq \"u\"", and([equal("id", "g"), equal("members", "u")])),
            (
                &format!("{USER}:name.familyName eq \"x\""),
                Filter::Compare(attribute_of(USER, "name.familyName"), Equal, text("x")),
            ),
            (
                &format!("{ENTERPRISE}:manager.value EQ \"u1\""),
                Filter::Compare(attribute_of(ENTERPRISE, "manager.value"), Equal, text("u1")),
            ),
            ("  userName\t eq\r\n\"x\"  ", equal("userName", "x")),
            ("userName eq\"x\"and(title pr)", and([equal("userName", "x"), present("title")])),
        ]);
    }

    #[test]
    fn operators_have_no_case() {
        for (operator, spelling) in OPERATORS {
            assert_eq!(operator.to_string(), spelling);
            let capital = format!("{}{}", spelling[..1].to_uppercase(), &spelling[1..]);
            for spelling in [spelling.to_owned(), spelling.to_uppercase(), capital] {
                assert_eq!(filter(&format!("a {spelling} \"x\"")), Ok(compare("a", operator, "x")), "{spelling}");
            }
        }
        for spelling in ["pr", "PR", "Pr", "pR"] {
            assert_eq!(filter(&format!("a {spelling}")), Ok(present("a")));
        }
        parses([
            ("a pr AND b pr", and([present("a"), present("b")])),
            ("a pr Or b pr", or([present("a"), present("b")])),
            ("NOT (a pr)", not(present("a"))),
        ]);
    }

    #[test]
    fn not_binds_before_and_and_that_before_or() {
        let (a, b, c, d) = (present("a"), present("b"), present("c"), present("d"));
        let rows = [
            ("a pr or b pr and c pr or d pr", or([a.clone(), and([b.clone(), c.clone()]), d.clone()])),
            ("a pr and b pr or c pr and d pr", or([and([a.clone(), b.clone()]), and([c.clone(), d.clone()])])),
            ("(a pr or b pr) and c pr", and([or([a.clone(), b.clone()]), c.clone()])),
            ("not (a pr) and b pr or c pr", or([and([not(a.clone()), b.clone()]), c.clone()])),
            ("not a pr and b pr", and([not(a.clone()), b.clone()])),
            ("not(a pr and b pr)", not(and([a.clone(), b.clone()]))),
            ("a pr and not b pr or c pr", or([and([a.clone(), not(b.clone())]), c.clone()])),
            ("not not (a pr)", not(not(a.clone()))),
            ("not e[a pr or not (b pr)]", not(elements("e", or([a.clone(), not(b.clone())])))),
            ("a pr and b pr and c pr", and([a.clone(), b.clone(), c.clone()])),
            ("(a pr and b pr) and c pr", and([and([a.clone(), b.clone()]), c.clone()])),
            ("a pr or (b pr or c pr)", or([a.clone(), or([b.clone(), c.clone()])])),
            ("(((a pr)) or ((b pr)))", or([a, b])),
            ("e[a pr and b pr or c pr and d pr]", elements("e", or([and([present("a"), present("b")]), and([c, d])]))),
        ];
        parses(rows);
    }

    #[test]
    fn values() {
        let rows = [
            ("\"\"", text("")),
            ("\"a b\"", text("a b")),
            (r#""\"\\\/\b\f\n\r\t""#, text("\"\\/\u{8}\u{c}\n\r\t")),
            (r#""O\u0027Malley""#, text("O'Malley")),
            (r#""\u00e9\u00E9""#, text("éé")),
            (r#""\ud83d\ude00\uD83D\uDE00""#, text("😀😀")),
            (r#""\u0000""#, text("\0")),
            ("\"é😀\u{7f}\"", text("é😀\u{7f}")),
            ("\"a) and (b]\"", text("a) and (b]")),
            ("\"true\"", text("true")),
            ("\"5\"", text("5")),
            ("0", number("0")),
            ("-0", number("-0")),
            ("5", number("5")),
            ("-12.50", number("-12.50")),
            ("1e400", number("1e400")),
            ("1.5E-7", number("1.5E-7")),
            ("1e+2", number("1e+2")),
            ("123456789012345678901234567890", number("123456789012345678901234567890")),
            ("007", text("007")),
            ("+5", text("+5")),
            ("5.", text("5.")),
            (".5", text(".5")),
            ("1e", text("1e")),
            ("1e+", text("1e+")),
            ("-", text("-")),
            ("2011-05-13T04:42:34Z", text("2011-05-13T04:42:34Z")),
            ("truely", text("truely")),
            ("eq", text("eq")),
            ("O'Malley", text("O'Malley")),
        ];
        for (spelling, value) in rows {
            parses([(&format!("a eq {spelling}"), Filter::Compare(attribute("a"), Operator::Equal, value))]);
        }
    }

    #[test]
    fn names_have_no_case() {
        assert!(
            attribute("userName").is("USERNAME", None) && attribute("Name.FamilyName").is("name", Some("familyname"))
        );
        assert!(!attribute("name").is("name", Some("familyName")) && !attribute("name.familyName").is("name", None));
        assert!(!attribute("name.familyName").is("name", Some("givenName")) && !attribute("name").is("names", None));
        assert!(attribute("userName").is_of(USER) && attribute_of(&USER.to_uppercase(), "userName").is_of(USER));
        assert!(!attribute_of(ENTERPRISE, "userName").is_of(USER));
        assert!(same_name("userName", "USERNAME") && !same_name("userName", "user_name"));
    }

    /// All problems, for the test that each has a text.
    const PROBLEMS: [Problem; 19] = [
        Problem::AttributeExpected,
        Problem::InvalidName,
        Problem::InvalidUrn,
        Problem::SchemaWithoutAttribute,
        Problem::TooManySubAttributes,
        Problem::SubAttributeWithBrackets,
        Problem::NestedBrackets,
        Problem::OperatorExpected,
        Problem::ValueExpected,
        Problem::UnendedText,
        Problem::ControlCharacter,
        Problem::InvalidEscape,
        Problem::LoneSurrogate,
        Problem::ParenthesisNotClosed,
        Problem::BracketNotClosed,
        Problem::EndOfFilterExpected,
        Problem::EndOfPathExpected,
        Problem::TooDeep,
        Problem::TooManyTerms,
    ];

    #[test]
    fn every_error_of_filters() {
        use Problem::*;
        let deep = format!("{}a pr{}", "(".repeat(65), ")".repeat(65));
        let long = format!("{}a pr", "a pr or ".repeat(1024));
        let rows = [
            ("", AttributeExpected, 1),
            ("  ", AttributeExpected, 3),
            ("()", AttributeExpected, 2),
            ("(", AttributeExpected, 2),
            ("a[]", AttributeExpected, 3),
            ("a pr and", AttributeExpected, 9),
            ("a pr or  or b pr", AttributeExpected, 10),
            ("and pr", AttributeExpected, 1),
            ("not", AttributeExpected, 4),
            ("not and", AttributeExpected, 5),
            ("\"a\" eq \"b\"", AttributeExpected, 1),
            (") or a pr", AttributeExpected, 1),
            ("1a pr", InvalidName, 1),
            ("a. pr", InvalidName, 3),
            (".a pr", InvalidName, 1),
            ("a.0b pr", InvalidName, 3),
            ("a,b pr", InvalidName, 1),
            ("ä pr", InvalidName, 1),
            ("e[a pr]. pr", InvalidName, 9),
            ("urn:x:y:User: pr", InvalidName, 14),
            ("urn:x:User:9a pr", InvalidName, 12),
            ("a:b pr", InvalidUrn, 1),
            (":b pr", InvalidUrn, 1),
            ("urn::b pr", InvalidUrn, 1),
            ("1:2:b pr", InvalidUrn, 1),
            ("urn:ü:b pr", InvalidUrn, 1),
            ("urn:x:2.0:User eq \"x\"", SchemaWithoutAttribute, 1),
            ("a pr or urn:x:2.0:User[a pr]", SchemaWithoutAttribute, 9),
            ("a.b.c pr", TooManySubAttributes, 3),
            ("e[a pr].b.c pr", TooManySubAttributes, 9),
            ("a.b[c pr]", SubAttributeWithBrackets, 4),
            ("a[b[c pr]]", NestedBrackets, 4),
            ("a[(b pr or c[d pr])]", NestedBrackets, 13),
            ("a", OperatorExpected, 2),
            ("a is \"x\"", OperatorExpected, 3),
            ("a \"x\"", OperatorExpected, 3),
            ("a = 5", OperatorExpected, 3),
            ("e [a pr]", OperatorExpected, 3),
            ("e[a pr].b", OperatorExpected, 10),
            ("éa", InvalidName, 1),
            ("a eq", ValueExpected, 5),
            ("a eq ", ValueExpected, 6),
            ("a eq and b pr", ValueExpected, 6),
            ("a eq OR", ValueExpected, 6),
            ("(a eq )", ValueExpected, 7),
            ("a eq 'x'", ValueExpected, 6),
            ("a eq [1]", ValueExpected, 6),
            ("a eq \"x", UnendedText, 6),
            ("b eq \"é\" or a eq \"", UnendedText, 18),
            ("a eq \"x\\\"", UnendedText, 6),
            ("a eq \"x\ty\"", ControlCharacter, 8),
            ("a eq \"\0\"", ControlCharacter, 7),
            (r#"a eq "x\y""#, InvalidEscape, 8),
            (r#"a eq "\u12""#, InvalidEscape, 7),
            (r#"a eq "\u+123""#, InvalidEscape, 7),
            (r#"a eq "\u12é9""#, InvalidEscape, 7),
            (r#"a eq "\ud83d\u12""#, InvalidEscape, 7),
            ("a eq \"x\\", InvalidEscape, 8),
            (r#"a eq "\ud83d""#, LoneSurrogate, 7),
            (r#"a eq "é\ude00""#, LoneSurrogate, 8),
            (r#"a eq "\ud83d\n""#, LoneSurrogate, 7),
            (r#"a eq "\ud83d\u0041""#, LoneSurrogate, 7),
            (r#"a eq "\ud83d\ud83d""#, LoneSurrogate, 7),
            ("(a pr", ParenthesisNotClosed, 6),
            ("(a pr]", ParenthesisNotClosed, 6),
            ("not (a pr b pr)", ParenthesisNotClosed, 11),
            ("a[b pr", BracketNotClosed, 7),
            ("a[b pr)", BracketNotClosed, 7),
            ("a pr)", EndOfFilterExpected, 5),
            ("a pr b pr", EndOfFilterExpected, 6),
            ("a pr \"x\"", EndOfFilterExpected, 6),
            ("a pr andb pr", EndOfFilterExpected, 6),
            ("a eq John Smith", EndOfFilterExpected, 11),
            ("a eq x\"y\"", EndOfFilterExpected, 7),
            ("e[a pr]x", EndOfFilterExpected, 8),
            ("e[a pr] eq 1", EndOfFilterExpected, 9),
            ("e[a pr] .b eq 1", EndOfFilterExpected, 9),
            (&deep, TooDeep, 65),
            (&long, TooManyTerms, 8193),
        ];
        for (text, problem, position) in rows {
            assert_eq!(filter(text), Err(Error { problem, position }), "{text}");
        }
        for problem in PROBLEMS {
            assert!(problem == EndOfPathExpected || rows.iter().any(|row| row.1 == problem), "{problem:?}");
        }
    }

    #[test]
    fn every_error_of_paths() {
        use Problem::*;
        let rows = [
            ("", AttributeExpected, 1),
            ("[a pr]", AttributeExpected, 1),
            ("members[]", AttributeExpected, 9),
            ("/members", InvalidName, 1),
            ("members.", InvalidName, 9),
            ("members[a pr].", InvalidName, 15),
            ("a:b", InvalidUrn, 1),
            ("urn:x:2.0:User[a pr]", SchemaWithoutAttribute, 1),
            ("name.given.name", TooManySubAttributes, 6),
            ("a.b[c pr]", SubAttributeWithBrackets, 4),
            ("a[b[c pr]]", NestedBrackets, 4),
            ("members[value \"g\"]", OperatorExpected, 15),
            ("members[value eq ]", ValueExpected, 18),
            ("members[value eq \"g]", UnendedText, 18),
            ("members[value eq \"g\"", BracketNotClosed, 21),
            ("members value", EndOfPathExpected, 9),
            ("schemas eq \"x\"", EndOfPathExpected, 9),
            ("emails[type eq \"work\"].value eq \"x\"", EndOfPathExpected, 30),
            ("members[value eq \"g\"]]", EndOfPathExpected, 22),
            ("urn:x:2.0:User name", EndOfPathExpected, 16),
            ("urn:x:2.0:User (", EndOfPathExpected, 16),
        ];
        for (text, problem, position) in rows {
            assert_eq!(path(text), Err(Error { problem, position }), "{text}");
        }
    }

    #[test]
    fn errors_are_sentences_with_the_position() {
        let error = filter("userName is \"x\"").unwrap_err();
        let sentence = "At character 10: an operator is expected here: eq, ne, co, sw, ew, gt, ge, lt, le or pr.";
        assert_eq!(error.to_string(), sentence);
        for problem in PROBLEMS {
            let sentence = problem.sentence();
            assert!(sentence.ends_with('.') && sentence.starts_with(|first: char| !first.is_uppercase()), "{sentence}");
        }
        assert!(Problem::TooDeep.sentence().contains(&MAX_DEPTH.to_string()));
        assert!(Problem::TooManyTerms.sentence().contains(&MAX_TERMS.to_string()));
    }

    /// A filter with this many levels of the opening text around `a pr`.
    fn nested(open: &str, levels: usize, close: &str) -> String {
        format!("{}a pr{}", open.repeat(levels), close.repeat(levels))
    }

    #[test]
    fn depth_ends_at_its_limit() {
        for (open, close) in [("(", ")"), ("not (", ")"), ("not ", ""), ("not(", ")"), ("( ", " )")] {
            let deepest = filter(&nested(open, MAX_DEPTH, close)).unwrap();
            assert_eq!(filter(&deepest.to_string()), Ok(deepest), "{open}");
            for levels in [MAX_DEPTH + 1, 100_000] {
                let position = open.len() * MAX_DEPTH + 1;
                let error = Error { problem: Problem::TooDeep, position };
                assert_eq!(filter(&nested(open, levels, close)), Err(error), "{open}");
                assert_eq!(filter(&open.repeat(levels)), Err(error), "{open}");
                let in_path = path(&format!("a[{}]", nested(open, levels, close))).map_err(|error| error.problem);
                assert_eq!(in_path, Err(Problem::TooDeep), "{open}");
            }
        }
        assert!(path(&format!("a[{}]", nested("(", MAX_DEPTH - 1, ")"))).is_ok());
        assert!(path(&format!("a[{}]", nested("(", MAX_DEPTH, ")"))).is_err());
        // Levels beside each other do not add up.
        assert!(filter(&format!("{}a pr", "(not (e[(a pr)])) and not a pr and ".repeat(400))).is_ok());
        let unclosed = ["a[", "a[(", "\"", "\\", ".", ":", "a.", "a:", "a eq ", "a pr or (", "[", ")", "é"];
        for text in unclosed {
            assert!(filter(&text.repeat(100_000)).is_err() && path(&text.repeat(100_000)).is_err(), "{text}");
        }
    }

    #[test]
    fn the_deepest_filter_needs_little_stack() {
        let text = nested("not (a pr or b pr and (", MAX_DEPTH / 2, "))");
        let parse = move || filter(&text).map(|tree| tree.clone() == tree && !tree.to_string().is_empty());
        let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(parse).unwrap();
        assert_eq!(thread.join().unwrap(), Ok(true));
    }

    #[test]
    fn terms_end_at_their_limit() {
        for (term, terms) in
            [("a pr", 1), ("a eq 1", 1), ("e[a pr]", 1), ("e[a pr].b eq 1", 2), ("not (a pr and b pr)", 2)]
        {
            for word in [" and ", " or "] {
                let fits = vec![term; MAX_TERMS / terms].join(word);
                let tree = filter(&fits).unwrap();
                assert_eq!(filter(&tree.to_string()), Ok(tree), "{term}");
                let problem = filter(&format!("{fits}{word}a pr")).map_err(|error| error.problem);
                assert_eq!(problem, Err(Problem::TooManyTerms), "{term}");
                let in_path = path(&format!("e[{}]", vec!["a pr"; MAX_TERMS + 1].join(word)));
                assert_eq!(in_path.map_err(|error| error.problem), Err(Problem::TooManyTerms));
            }
        }
    }

    #[test]
    fn long_texts_are_no_problem() {
        let long = "x".repeat(256 << 10);
        assert_eq!(filter(&format!("a eq \"{long}\"")), Ok(equal("a", &long)));
        assert_eq!(filter(&format!("a eq {long}")), Ok(equal("a", &long)));
        assert_eq!(filter(&format!("{long} pr")), Ok(present(&long)));
        let escapes = "\\u00e9".repeat(64 << 10);
        assert_eq!(filter(&format!("a eq \"{escapes}\"")), Ok(equal("a", &"é".repeat(64 << 10))));
        let spaces = " ".repeat(256 << 10);
        assert_eq!(filter(&format!("{spaces}a{spaces}pr{spaces}")), Ok(present("a")));
        let after_groups = format!("{} {long}", nested("(", MAX_DEPTH, ")"));
        assert_eq!(filter(&after_groups).map_err(|error| error.problem), Err(Problem::EndOfFilterExpected));
    }

    /// Pseudo-random numbers, the same in each run (xorshift64).
    struct Numbers(u64);

    impl Numbers {
        /// A number below the limit.
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).unwrap() % limit
        }

        fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
            choices[self.below(choices.len())]
        }

        fn attribute(&mut self) -> Attribute {
            let names =
                ["userName", "a", "$ref", "x-y_Z9", "emails.value", "name.familyName", "nothing", "order.and", "pr"];
            let mut attribute = attribute(self.choose(&names));
            let schemas =
                [None, None, Some(USER), Some(ENTERPRISE), Some("http://example.com/x?y=1"), Some("urn:x:1.0:a:b")];
            attribute.schema = self.choose(&schemas).map(str::to_owned);
            attribute
        }

        fn value(&mut self) -> Value {
            match self.below(8) {
                0 => Value::Null,
                1 => Value::Boolean(true),
                2 => Value::Boolean(false),
                3 => number(self.choose(&["0", "-1", "3.14", "1e9", "-0.0E-0"])),
                _ => {
                    let characters =
                        ['a', ' ', '"', '\\', '\0', '\n', '\u{1f}', '\u{7f}', 'é', '😀', '(', ']', '\'', 'u'];
                    let length = self.below(8);
                    Value::Text((0..length).map(|_| self.choose(&characters)).collect())
                }
            }
        }

        fn filter(&mut self, depth: usize, in_brackets: bool) -> Filter {
            let kinds = if depth == 0 { 3 } else { 9 };
            match self.below(kinds) {
                0 => Filter::Present(self.attribute()),
                1 | 2 => {
                    let operator = self.choose(&OPERATORS).0;
                    Filter::Compare(self.attribute(), operator, self.value())
                }
                3 | 4 => Filter::Or(self.parts(depth, in_brackets)),
                5 | 6 => Filter::And(self.parts(depth, in_brackets)),
                7 => not(self.filter(depth - 1, in_brackets)),
                _ if in_brackets => Filter::Present(self.attribute()),
                _ => {
                    let attribute = Attribute { sub: None, ..self.attribute() };
                    Filter::Elements(attribute, Box::new(self.filter(depth - 1, true)))
                }
            }
        }

        fn parts(&mut self, depth: usize, in_brackets: bool) -> Vec<Filter> {
            let count = 2 + self.below(3);
            (0..count).map(|_| self.filter(depth - 1, in_brackets)).collect()
        }
    }

    #[test]
    fn printed_filters_and_paths_parse_to_the_same_tree() {
        let mut numbers = Numbers(0x5eed);
        for _ in 0..2_000 {
            let depth = numbers.below(6);
            let tree = numbers.filter(depth, false);
            let printed = tree.to_string();
            assert_eq!(filter(&printed), Ok(tree), "{printed}");

            let filter = (numbers.below(2) == 0).then(|| numbers.filter(depth, true));
            let target = path_of(numbers.attribute(), filter);
            let printed = target.to_string();
            assert_eq!(path(&printed), Ok(target), "{printed}");
        }
    }

    #[test]
    fn no_text_panics() {
        let pieces = [
            "a",
            "emails",
            "name.x",
            "eq",
            "PR",
            "and",
            "or",
            "not",
            "(",
            ")",
            "[",
            "]",
            "].b",
            "\"",
            "\"x\"",
            "\\",
            "\\u",
            "d83d",
            " ",
            " ",
            " ",
            "\t",
            ".",
            ":",
            "urn:x:2.0:User",
            "urn:x:User:",
            "1",
            "-2.5e3",
            "true",
            "é",
            "😀",
            "'",
            "\0",
            "$",
            "a pr",
            "a eq 1",
            " and ",
            " or ",
            "not (",
        ];
        let mut numbers = Numbers(0xf11e);
        let mut parsed = 0;
        for _ in 0..50_000 {
            let length = numbers.below(12);
            let text: String = (0..length).map(|_| numbers.choose(&pieces)).collect();
            match filter(&text) {
                Ok(tree) => {
                    parsed += 1;
                    assert_eq!(filter(&tree.to_string()), Ok(tree), "{text}");
                }
                Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.position), "{text}"),
            }
            match path(&text) {
                Ok(target) => assert_eq!(path(&target.to_string()), Ok(target), "{text}"),
                Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.position), "{text}"),
            }
        }
        assert!(parsed > 200, "{parsed}");
    }
}
