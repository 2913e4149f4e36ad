//! Random numbers and identifiers: RAND, UUID, STRUUID, and labels of new blank nodes.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A generator seeded by the operating system: SipHash of a counter under a random key. Threads may share it.
#[derive(Debug, Default)]
pub struct Random {
    key: RandomState,
    second_key: RandomState,
    counter: AtomicU64,
}

impl Random {
    fn next(&self) -> u128 {
        let n = self.counter.fetch_add(1, Ordering::Relaxed);
        u128::from(self.key.hash_one(n)) << 64 | u128::from(self.second_key.hash_one(n))
    }

    /// Returns a double in [0, 1).
    pub fn unit(&self) -> f64 {
        // A double has 53 bits of precision.
        ((self.next() >> 75) as u64) as f64 / (1_u64 << 53) as f64
    }

    /// Returns the text of a random UUID (RFC 9562, version 4).
    pub fn uuid(&self) -> String {
        let bits = self.next() & !(0xF << 76) & !(0x3 << 62) | 4 << 76 | 0x2 << 62;
        let hex = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// Returns a label for a new blank node.
    pub fn label(&self) -> u128 {
        self.next()
    }

    /// Returns the label of the blank node that a name stands for in one solution.
    pub fn label_for(&self, solution: u64, name: &str) -> u128 {
        let key = (solution, name);
        u128::from(self.key.hash_one(key)) << 64 | u128::from(self.second_key.hash_one(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        let random = Random::default();
        for _ in 0..100 {
            let uuid = random.uuid();
            assert_eq!(uuid.len(), 36, "{uuid}");
            assert_eq!(&uuid[14..15], "4", "{uuid}");
            assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}");
        }
    }

    #[test]
    fn random_numbers_lie_between_zero_and_one_and_differ() {
        let random = Random::default();
        let numbers: Vec<f64> = (0..1000).map(|_| random.unit()).collect();
        assert!(numbers.iter().all(|n| (0.0..1.0).contains(n)));
        let mean = numbers.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
        assert_ne!(numbers[0], numbers[1]);
    }
}
