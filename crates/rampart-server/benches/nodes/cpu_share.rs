//! A bound on the processor time of a process: a control group of the kernel's (Linux). To make one takes root.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How often the bound begins anew.
const PERIOD_US: u32 = 20_000;
const ROOT: &str = "/sys/fs/cgroup";

/// A control group with one process in it. It goes with the value; a process that is left then is bounded no more.
pub(crate) struct CpuShare {
    group: PathBuf,
}

impl CpuShare {
    /// Gives the process `share` of a core's time and no more.
    pub(crate) fn limit(process: u32, share: f64) -> io::Result<Self> {
        let root = Path::new(ROOT);
        let is_unified = root.join("cgroup.controllers").exists();
        let parent = if is_unified { root.to_owned() } else { root.join("cpu") };
        let group = parent.join(format!("rampart-bench-{process}"));
        fs::create_dir(&group)?;
        let made = Self { group };
        let quota = (f64::from(PERIOD_US) * share).round();
        if is_unified {
            made.write("cpu.max", &format!("{quota} {PERIOD_US}"))?;
        } else {
            made.write("cpu.cfs_period_us", &PERIOD_US.to_string())?;
            made.write("cpu.cfs_quota_us", &quota.to_string())?;
        }
        made.write("cgroup.procs", &process.to_string())?;
        Ok(made)
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.group.join(file), text)
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        // A group goes when nobody is in it.
        let parent = self.group.parent().unwrap_or(Path::new(ROOT));
        let processes = fs::read_to_string(self.group.join("cgroup.procs")).unwrap_or_default();
        for process in processes.lines() {
            let _ = fs::write(parent.join("cgroup.procs"), process);
        }
        let _ = fs::remove_dir(&self.group);
    }
}
