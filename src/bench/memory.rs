//! How much memory a process has, as Linux tells it.

use std::fs;

/// The most memory that a process had at a time, in MB; `None` where the system does not tell.
pub fn peak_mb(pid: u32) -> Option<f64> {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmHWM")
}

/// The memory that this process has now, in MB.
pub fn now_mb() -> Option<f64> {
    field(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS")
}

/// Forgets the most that this process had so far; false where the system does not let it.
pub fn forget_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kb: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_in_megabytes() {
        let status = "Name:\tsealbid\nVmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\n";
        assert_eq!(field(status, "VmHWM"), Some(2.0));
        assert_eq!(field(status, "VmRSS"), Some(1.0));
        assert_eq!(field(status, "VmSwap"), None);
    }
}
