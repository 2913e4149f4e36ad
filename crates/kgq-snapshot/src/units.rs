//! Decimals as integers in units of 10⁻¹⁸, and their whole parts without the slow 128-bit division.

const ONE: i128 = 10_i128.pow(18);

/// The integer stored as a decimal. The payload is a multiple of 10¹⁸ = 2¹⁸·5¹⁸ and the quotient fits in 64 bits, so a shift
/// and a multiplication by the inverse of 5¹⁸ modulo 2⁶⁴ divide exactly, many times faster than the general division.
#[inline]
pub fn whole(payload: i128) -> i64 {
    const INVERSE: u64 = inverse(5_u64.pow(18));
    ((payload >> 18) as u64).wrapping_mul(INVERSE) as i64
}

/// The whole part of a number of units of 10⁻¹⁸, rounded down. Unless the quotient is too large, dividing as doubles is at
/// most one off and many times faster than the general division.
#[inline]
pub fn floor(units: i128) -> i128 {
    let near = (units as f64 / 1e18).floor();
    if near.abs() >= 1e15 {
        return units.div_euclid(ONE);
    }
    let near = i128::from(near as i64);
    let rest = units - near * ONE;
    near + i128::from(rest >= ONE) - i128::from(rest < 0)
}

/// The inverse of an odd number modulo 2⁶⁴, by Newton's method: each step doubles the number of correct bits.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut step = 0;
    while step < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_parts_are_rounded_down_whatever_their_size() {
        let whole =
            [0, 1, 2, 999, 1 << 31, 63_000_000_000, 999_999_999_999_999, 1_000_000_000_000_001, i64::MAX.into()];
        for whole in whole.into_iter().flat_map(|whole: i128| [whole, -whole]) {
            for units in [-ONE, -ONE / 2, -1, 0, 1, ONE / 2, ONE - 1, ONE].map(|rest| whole * ONE + rest) {
                assert_eq!(floor(units), units.div_euclid(ONE), "{units}");
            }
        }
        assert_eq!((floor(i128::MAX), floor(i128::MIN)), (i128::MAX.div_euclid(ONE), i128::MIN.div_euclid(ONE)));
    }
}
