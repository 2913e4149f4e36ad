//! Any change to a bundle is detected.
//!
//! `KGQ_BUNDLE_BITS=N` flips N bits of each bundle instead of a few hundred, or all bits if it has no more.

use super::needs;
use super::program;
use kgq_graph::request::bundle::unpack;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A copy of the project in the case `bundle-and-verify`.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let kind = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/kinds/bundle-and-verify");
    for name in ["kgq.toml", "people.ttl", "letter.txt"] {
        fs::copy(kind.join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// Bit positions below `all`, evenly spread: at least `wanted` of them, or all.
fn bits(all: usize, wanted: usize) -> impl Iterator<Item = usize> {
    let step = (all / wanted.max(1)).max(1);
    (0..all).step_by(step)
}

fn wanted(few: usize) -> usize {
    std::env::var("KGQ_BUNDLE_BITS").ok().and_then(|value| value.parse().ok()).unwrap_or(few).max(few)
}

const QUERY: &str = "SELECT ?who ?whom ?n ?b { ?who e:knows ?whom . ?whom e:age ?n ; e:met ?b }";

#[test]
fn every_flipped_bit_of_a_bundle_is_found() {
    let folder = project();
    let ran = program::run(folder.path(), &["bundle", QUERY, "--output", "a.zip"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    let bundle = fs::read(folder.path().join("a.zip")).unwrap();
    assert!(unpack(&bundle).is_ok());
    let mut looked_at = 0;
    for at in bits(bundle.len() * 8, wanted(700)) {
        let mut changed = bundle.clone();
        changed[at / 8] ^= 1 << (at % 8);
        assert!(unpack(&changed).is_err(), "bit {at} of {} may be another", bundle.len() * 8);
        looked_at += 1;
    }
    assert!(looked_at >= 700, "{looked_at}");
    for length in (0..bundle.len()).step_by(97) {
        assert!(unpack(&bundle[..length]).is_err(), "it may end after {length} bytes");
    }
    assert!(unpack(&[bundle.as_slice(), b"x"].concat()).is_err());
}

#[test]
fn every_flipped_bit_of_a_signature_is_found() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        return needs::absent_tool("ssh-keygen");
    }
    let folder = project();
    let key = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f", "key"])
        .current_dir(folder.path())
        .status();
    assert!(key.unwrap().success());
    let ran =
        program::run(folder.path(), &["bundle", "ASK { e:ada e:knows e:bob }", "--output", "a.zip", "--sign", "key"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
    let bundle = fs::read(folder.path().join("a.zip")).unwrap();
    let find = |text: &[u8]| bundle.windows(text.len()).position(|window| window == text).unwrap();
    let begin = find(b"-----BEGIN SSH SIGNATURE-----");
    let end = find(b"-----END SSH SIGNATURE-----") + b"-----END SSH SIGNATURE-----\n".len();
    let checksum = |bytes: &mut Vec<u8>| {
        // The archive's checksum would reveal the change, so it is corrected.
        let crc = crc32(&bytes[begin..end]).to_le_bytes();
        let header = begin - 30 - "checksums.txt.sig".len();
        bytes[header + 14..header + 18].copy_from_slice(&crc);
        let directory = bytes.windows(4).enumerate().filter(|(_, window)| *window == b"PK\x01\x02");
        let starts: Vec<usize> = directory.map(|(at, _)| at).collect();
        let own = starts.into_iter().find(|at| bytes[at + 46..].starts_with(b"checksums.txt.sig")).unwrap();
        bytes[own + 16..own + 20].copy_from_slice(&crc);
    };
    // No signature covers the version number of its format, so that bit is flipped too.
    let of_version = ("-----BEGIN SSH SIGNATURE-----\n".len() + "U1NIU0lHAAAAA".len()) * 8 + 4;
    for at in bits((end - begin) * 8, wanted(24).min(3_000)).chain([of_version]) {
        let mut changed = bundle.clone();
        changed[begin + at / 8] ^= 1 << (at % 8);
        checksum(&mut changed);
        fs::write(folder.path().join("b.zip"), &changed).unwrap();
        let ran = program::run(folder.path(), &["verify", "b.zip", "--alone"]);
        assert_eq!(ran.code, 1, "bit {at} of the signature may be another: {}", ran.text());
    }
    let ran = program::run(folder.path(), &["verify", "a.zip", "--alone"]);
    assert_eq!(ran.code, 0, "{}", ran.text());
}

/// CRC-32 as in ZIP (ISO 3309), in its simplest form.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
