//! Runs the program as a user would, and measures it.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The result of a run of the program.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; a signal that ended the program is negative.
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// Processor time, in user and system mode.
    pub cpu: Duration,
    /// Most memory held at once, in bytes.
    pub peak: u64,
}

impl Ran {
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("the output is UTF-8")
    }
}

/// The longest wall-clock time of any run, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends a signal to a child that is not yet waited for.
#[cfg(unix)]
#[allow(unsafe_code, reason = "a call of the C library")]
pub fn send(signal: i32, child: &Child) {
    // SAFETY: the number of a child that is not yet waited for is still its own.
    unsafe { libc::kill(i32::try_from(child.id()).unwrap(), signal) };
}

/// Copies a folder recursively.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A temporary folder whose files are in memory, where the system has such: syncing hundreds of files to a disk again and again
/// takes most of a test's time, and shows nothing unless the power fails.
pub fn folder_in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kgq"));
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_clear().env("HOME", folder);
    command
}

pub fn run(folder: &Path, arguments: &[impl AsRef<OsStr>]) -> Ran {
    finish(command(folder).args(arguments).spawn().unwrap())
}

/// Runs the program with this input on standard input.
pub fn run_with_input(folder: &Path, arguments: &[impl AsRef<OsStr>], input: Vec<u8>) -> Ran {
    let mut child = command(folder).args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that rejects its input early closes the pipe.
    thread::spawn(move || drop(stdin.write_all(&input)));
    finish(child)
}

/// The peak memory of a running process, in bytes. The system's figure for an ended one (`ru_maxrss`) is unusable: it includes
/// the memory of the test process that started the program. A new child has that memory too, until it executes the program.
fn memory_peak(process: i32) -> u64 {
    let program = std::fs::read_link(format!("/proc/{process}/exe"));
    if program.is_ok_and(|path| path == std::env::current_exe().unwrap()) {
        return 0;
    }
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

#[allow(unsafe_code, reason = "calls of the C library")]
pub fn finish(mut child: Child) -> Ran {
    fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).unwrap();
            bytes
        })
    }
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let process = i32::try_from(child.id()).unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let watcher = {
        let ended = Arc::clone(&ended);
        thread::spawn(move || {
            let (started, mut peak) = (Instant::now(), 0);
            while !ended.load(Ordering::Acquire) {
                peak = peak.max(memory_peak(process));
                thread::park_timeout(Duration::from_millis(3));
                if started.elapsed() > PATIENCE {
                    // SAFETY: a signal to a child that is not yet waited for: its number is still its own.
                    unsafe { libc::kill(process, libc::SIGKILL) };
                }
            }
            peak
        })
    };
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    let peak;
    // SAFETY: both pointers are to places of ours; `WNOWAIT` is not known to wait4, so this is the only wait.
    let usage = unsafe {
        let stopped = libc::waitid(
            libc::P_PID,
            libc::id_t::try_from(process).unwrap(),
            std::mem::MaybeUninit::zeroed().as_mut_ptr(),
            libc::WEXITED | libc::WNOWAIT,
        );
        assert_eq!(stopped, 0, "{}", std::io::Error::last_os_error());
        ended.store(true, Ordering::Release);
        watcher.thread().unpark();
        peak = watcher.join().unwrap();
        assert_eq!(libc::wait4(process, &mut status, 0, usage.as_mut_ptr()), process);
        usage.assume_init()
    };
    let time = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec.unsigned_abs()) + Duration::from_micros(t.tv_usec.unsigned_abs())
    };
    Ran {
        code: if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -libc::WTERMSIG(status) },
        stdout: stdout.join().unwrap(),
        stderr: String::from_utf8(stderr.join().unwrap()).expect("messages are UTF-8"),
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak,
    }
}
