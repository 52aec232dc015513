//! Decimal numbers of any size, compared by their exact value.

/// The middle of the characters that encode the number of digits of an exponent.
const MIDDLE: u8 = b'A';

/// A decimal number, encoded as printable ASCII. The byte order of two encodings is the order of the numbers. `5`,
/// `5.0` and `50e-1` have the same encoding.
///
/// An encoding begins with the sign: `-`, `0` or `1`. If the number is not zero, these follow: a character for the
/// number of digits of the exponent, the exponent (the power of ten of the first digit), and the digits of the number
/// without leading and trailing zeros. The characters of a negative number and of a negative exponent are [reversed]. A
/// `~` ends a negative number: if one is a prefix of another, the longer one is less.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// Parses a decimal number with or without an exponent. In addition to JSON numbers it accepts a plus sign, leading
    /// zeros, and no digits before or after the point. `None` for any other text, and if the exponent does not fit in
    /// 32 bits (docs/ordercloud.md, section 6).
    pub fn parse(text: &str) -> Option<Self> {
        let spelled = Spelling::read(text)?;
        i32::try_from(spelled.exponent).is_ok().then(|| spelled.value())
    }

    /// The value of a JSON number, which is a finite double. A number near zero may have any exponent: one that does
    /// not fit in 64 bits counts as the nearest that does.
    pub fn from_json_number(spelling: &str) -> Self {
        Spelling::read(spelling).map_or_else(|| Self("0".to_owned()), Spelling::value)
    }

    /// The encoding, whose byte order is the order of the numbers.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The parts of a number in decimal notation.
struct Spelling<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    /// The exponent; if it does not fit in 64 bits, the nearest that does.
    exponent: i64,
}

impl<'a> Spelling<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = are_digits(whole) && are_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
        is_number.then_some(Self { negative: text.starts_with('-'), whole, fraction, exponent })
    }

    fn value(self) -> Decimal {
        let digits = [self.whole, self.fraction].concat();
        let significant = digits.trim_start_matches('0');
        // The power of ten of the first significant digit: the digits before the point but one, less the leading zeros.
        let shift = self.whole.len() as i64 - 1 - (digits.len() - significant.len()) as i64;
        let significant = significant.trim_end_matches('0');
        if significant.is_empty() {
            return Decimal("0".to_owned());
        }
        let magnitude = encode_exponent(self.exponent.saturating_add(shift)) + significant;
        Decimal(if self.negative { format!("-{}~", reversed(&magnitude)) } else { format!("1{magnitude}") })
    }
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let nearest = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    (!digits.is_empty() && are_digits(digits)).then(|| text.parse().unwrap_or(nearest))
}

/// The encoding of an exponent.
fn encode_exponent(exponent: i64) -> String {
    let digits = exponent.unsigned_abs().to_string();
    let text = format!("{}{digits}", char::from(MIDDLE + digits.len() as u8));
    if exponent < 0 { reversed(&text) } else { text }
}

/// The text with each character mirrored at [`MIDDLE`], which reverses the order of texts of the same length. Applied
/// twice, it returns the text itself.
fn reversed(text: &str) -> String {
    text.bytes().map(|byte| char::from(2 * MIDDLE - byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is no number"))
    }

    #[test]
    fn spellings_of_one_value_are_equal() {
        for same in [
            &["5", "5.0", "50e-1", "+5", "05", "5.", "0.5E+1", "5e0", "0.0005e4"][..],
            &["0", "-0", "0.0", "-0e5", ".0", "0e2147483647", "00"],
            &["-1200", "-1.2e3", "-12E2", "-0001200.000", "-120000e-2"],
            &["738529527931269425", "738529527931269425.0", "7385295279.31269425e8"],
            &[".05", "5e-2", "0.050"],
        ] {
            for text in same {
                assert_eq!(decimal(text), decimal(same[0]), "{text}");
            }
        }
    }

    #[test]
    fn values_are_in_order() {
        let ascending = [
            "-1e2147483647",
            "-738529527931269426",
            "-738529527931269425",
            "-1e10",
            "-123",
            "-12.5",
            "-12",
            "-10",
            "-9.99",
            "-1",
            "-0.5",
            "-0.05",
            "-1e-10",
            "-1e-2147483648",
            "0",
            "1e-2147483648",
            "1e-324",
            "1e-100",
            "9e-11",
            "1e-10",
            "0.049999",
            "0.05",
            "0.5",
            "0.9",
            "1",
            "1.0000000000000000000000000001",
            "9",
            "10",
            "12",
            "12.5",
            "123",
            "738529527931269424",
            "738529527931269425",
            "738529527931269425.5",
            "738529527931269426",
            "9007199254740993e3",
            "1e308",
            "1.7976931348623157e308",
            "1e309",
            "1e2147483647",
        ];
        // Compares every pair, not only neighbours.
        for (at, low) in ascending.iter().enumerate() {
            for high in &ascending[at + 1..] {
                assert!(decimal(low) < decimal(high), "{low} {high}");
            }
        }
    }

    #[test]
    fn numbers_are_plain() {
        for text in ["inf", "NaN", "", "1_0", "0x1", " 1", "1 ", "+", "-", ".", "e5", "1e", "1e+", "--1", "1.2.3", "१"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        for text in ["1e2147483648", "1e-2147483649", "0e99999999999999999999"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_body_may_have_any_exponent_near_zero() {
        let value = Decimal::from_json_number;
        assert_eq!(value("0e99999999999999999999"), value("0"));
        assert!(value("-1e-99999999999") < value("0") && value("0") < value("1e-99999999999"));
        assert!(value("1e-99999999999999999999999") <= value("1e-9223372036854775807"));
        assert!(value("1e-9223372036854775807") < value("1e-99999999999"));
        assert_eq!(value("1e-2147483648"), decimal("1e-2147483648"));
    }

    proptest! {
        #[test]
        fn integers_compare_as_integers(a: i128, b: i128, shift_a in 0..100_u32, shift_b in 0..100_u32) {
            let (a, b) = (a >> shift_a, b >> shift_b);
            prop_assert_eq!(decimal(&a.to_string()).cmp(&decimal(&b.to_string())), a.cmp(&b));
            let scaled = |number: i128| decimal(&format!("{number}e-20"));
            prop_assert_eq!(scaled(a).cmp(&scaled(b)), a.cmp(&b));
        }

        #[test]
        fn doubles_compare_as_doubles(a: f64, b: f64) {
            prop_assume!(a.is_finite() && b.is_finite());
            prop_assert_eq!(Some(decimal(&a.to_string()).cmp(&decimal(&format!("{b:e}")))), a.partial_cmp(&b));
        }

        #[test]
        fn texts_are_printable_and_short(number: i64) {
            let text = decimal(&number.to_string());
            prop_assert!(text.as_str().bytes().all(|byte| (b'!'..=b'~').contains(&byte) && !b"\"\\".contains(&byte)));
            prop_assert!(text.as_str().len() <= number.to_string().len() + 5);
        }
    }
}
