//! Ends the program cleanly if a mapped file was truncated: the system then has no bytes for the mapping, and raises SIGBUS.

/// Reports the truncated file and exits as for any unreadable file, instead of crashing. Temporary files remain, as after a
/// kill; the next writer removes them.
pub fn end_on_cut_files() {
    #[cfg(unix)]
    #[allow(unsafe_code, reason = "a handler of a signal is registered, and writes")]
    {
        const TEXT: &[u8] = b"error: a file was cut short while it was read: a snapshot was changed in its place\n  \
            hint: build the snapshot again; `kgq build` replaces it in one step, without disturbing anyone who reads the old one\n";
        let code = i32::from(kgq_syntax::error::Kind::Io.exit_code());
        let say_and_exit = move || {
            // SAFETY: `write` may be called in a handler; the bytes are static.
            let _ = unsafe { libc::write(libc::STDERR_FILENO, TEXT.as_ptr().cast(), TEXT.len()) };
            signal_hook::low_level::exit(code);
        };
        // SAFETY: the action calls `write` and `_exit` only, which are safe in a handler. Without it the program ends by the signal.
        let _ = unsafe { signal_hook::low_level::register(signal_hook::consts::SIGBUS, say_and_exit) };
    }
}
