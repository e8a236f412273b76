//! What the system says of a process: its greatest memory, its time on the processor. Linux alone tells.

use std::path::{Path, PathBuf};

/// The kernel's clock ticks in a second, as /proc counts them (`USER_HZ`): 100 on every Linux.
const TICKS_A_SECOND: f64 = 100.0;

/// Starts the count of this process's greatest memory anew. Where the system cannot, the figure covers all it did.
pub fn forget_peak() {
    // `5` resets the peak, see proc(5); a refusal leaves a figure that is too great, never too small.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The greatest resident memory of this process in MB.
pub fn own_peak_mb() -> Option<f64> {
    peak_mb_in(Path::new("/proc/self"))
}

/// The greatest resident memory of a process in MB.
pub fn peak_mb(pid: u32) -> Option<f64> {
    peak_mb_in(&folder(pid))
}

/// Seconds that a process has spent on the processor, its own and the system's for it.
pub fn processor_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(folder(pid).join("stat")).ok()?;
    // the name stands in brackets and may hold anything; utime and stime are the 14th and 15th fields of the whole
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = |field: Option<&str>| field?.parse::<f64>().ok();
    Some((ticks(fields.next())? + ticks(fields.next())?) / TICKS_A_SECOND)
}

/// As [`processor_seconds`], of this process.
pub fn own_seconds() -> Option<f64> {
    processor_seconds(std::process::id())
}

fn folder(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

fn peak_mb_in(folder: &Path) -> Option<f64> {
    let status = std::fs::read_to_string(folder.join("status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1_024.0 / 1_000_000.0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_has_run() {
        forget_peak();
        assert!(own_peak_mb().expect("Linux tells") > 1.0);
        assert!(processor_seconds(std::process::id()).expect("Linux tells") >= 0.0);
        assert_eq!(processor_seconds(u32::MAX), None);
    }
}
