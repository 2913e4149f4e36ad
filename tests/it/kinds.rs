//! Small inputs that once failed, each a folder of `tests/cases/kinds` named after its kind. The shell command in `cmd`, run in a
//! copy of the folder with `kgq` on the path, must print what `expected` holds and end with code 0. `KGQ_KINDS` is how many run, spread
//! over all; `KGQ_KIND=name` runs all whose names contain it.

use super::needs::absent_file;
use super::program;
use super::updates::number;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Whether a case's command must end with code 0.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    Zero,
    Any,
}

/// Describes how a case failed, if it did.
fn failure(case: &Path, code: Code) -> Option<String> {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(case.file_name().unwrap());
    program::copy_folder(case, &folder);
    let program = Path::new(env!("CARGO_BIN_EXE_kgq")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let ran = Command::new("bash")
        .arg("cmd")
        .current_dir(&folder)
        .env_clear()
        .envs([("PATH", path.as_str()), ("LC_ALL", "C.UTF-8")])
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let expected =
        fs::read_to_string(case.join("expected")).unwrap_or_else(|_| panic!("{} has no `expected`", case.display()));
    let printed = String::from_utf8_lossy(&ran.stdout);
    if printed == expected && (code == Code::Any || ran.status.success()) {
        return None;
    }
    let name = case.file_name().unwrap().display();
    let messages = String::from_utf8_lossy(&ran.stderr);
    Some(format!("{name} ({})\n--- expected\n{expected}--- printed\n{printed}--- messages\n{messages}", ran.status))
}

#[test]
fn every_kind_of_input_that_failed_is_answered_rightly() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/kinds");
    let wanted = std::env::var("KGQ_KIND").unwrap_or_default();
    let most = if wanted.is_empty() { number("KGQ_KINDS", 60) as usize } else { usize::MAX };
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    cases.retain(|case| case.file_name().unwrap().to_string_lossy().contains(&wanted));
    cases.sort();
    let cases: Vec<_> = cases.iter().step_by(cases.len().div_ceil(most).max(1)).collect();
    assert!(!cases.is_empty(), "no case is named like {wanted:?}");
    check(&cases, Code::Zero);
}

/// The cases of the trials as they were handed over. Their commands may end with another tool's code.
#[test]
fn every_case_of_the_trials_prints_what_it_should() {
    let folder = "../shared/cases";
    let Ok(entries) = fs::read_dir(folder) else { return absent_file(folder) };
    let mut cases: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    cases.retain(|case| case.join("cmd").exists() && case.join("expected").exists());
    assert!(!cases.is_empty(), "no case has a command");
    check(&cases.iter().collect::<Vec<_>>(), Code::Any);
}

/// Runs cases side by side.
fn check(cases: &[&PathBuf], code: Code) {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    failures.lock().unwrap().extend(failure(case, code));
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(failures.is_empty(), "{} of {} cases fail\n\n{}", failures.len(), cases.len(), failures.join("\n\n"));
}
