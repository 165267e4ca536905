//! Whether a process that held a lease is dead for certain, so that nobody has to wait for its time
//! to run out.
//!
//! A killed run that is started again on the same machine should not wait half a minute for itself.
//! The kernel tells: a [`Mark`] names one process of one boot, and can be looked up by whoever runs on
//! the same kernel in the same pid namespace.
//!
//! ```text
//!   mark: boot id, pid namespace, pid, start time
//!     another boot or namespace     unknown: wait
//!     no such pid, or a zombie      dead
//!     another start time            dead: the number was given to somebody else
//!     else                          alive, or stopped: wait
//! ```
//! Where there is no `/proc`, nothing is ever certain.

use std::fs;

use serde::{Deserialize, Serialize};

/// One process, among all that ever ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    /// Of the kernel's run.
    boot: String,
    /// Of the pid namespace: `pid:[4026531836]`.
    namespace: String,
    pid: u32,
    /// In clock ticks since the boot.
    started: u64,
}

impl Mark {
    /// Of this process; `None` where the kernel does not tell.
    pub(super) fn own() -> Option<Self> {
        let pid = std::process::id();
        let (_, started) = status(pid)?;
        Some(Self {
            boot: boot()?,
            namespace: namespace()?,
            pid,
            started,
        })
    }

    /// Whether the process is dead beyond doubt.
    pub(super) fn is_dead(&self) -> bool {
        let same_kernel = boot().is_some_and(|boot| boot == self.boot);
        let same_namespace = namespace().is_some_and(|namespace| namespace == self.namespace);
        // Without our own entry there is nothing to conclude from the lack of another.
        if !same_kernel || !same_namespace || status(std::process::id()).is_none() {
            return false;
        }
        match status(self.pid) {
            None => true,
            Some((state, started)) => started != self.started || matches!(state, 'Z' | 'X'),
        }
    }
}

/// What people call the machine; `localhost` where the kernel does not tell.
pub(super) fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

fn boot() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

fn namespace() -> Option<String> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(link.to_str()?.to_owned())
}

/// The state of a process, and when it was started.
fn status(pid: u32) -> Option<(char, u64)> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields 3 and 22 of `proc_pid_stat(5)`; the second is the name, in parentheses, and may hold any.
fn parse(stat: &str) -> Option<(char, u64)> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn mark_of(pid: u32) -> Mark {
        Mark {
            pid,
            started: status(pid).unwrap().1,
            ..Mark::own().unwrap()
        }
    }

    #[test]
    fn the_status_of_a_process_with_a_strange_name_is_read() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(
            parse(&format!("7 (a) b) {rest}")),
            Some(('S', 4711)),
            "{rest}"
        );
        assert_eq!(parse("7 (a"), None);
    }

    #[test]
    fn this_process_is_alive() {
        assert!(!Mark::own().unwrap().is_dead());
    }

    #[test]
    fn a_process_that_was_killed_is_dead_also_before_its_parent_asks() {
        let mut child = Command::new("sleep")
            .arg("60")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mark = mark_of(child.id());
        assert!(!mark.is_dead());
        child.kill().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !mark.is_dead() {
            assert!(std::time::Instant::now() < deadline, "{mark:?}");
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(mark.is_dead());
    }

    #[test]
    fn a_pid_that_was_given_to_somebody_else_is_dead() {
        let mark = Mark {
            started: 1,
            ..Mark::own().unwrap()
        };
        assert!(mark.is_dead());
    }

    #[test]
    fn of_another_machine_or_container_nothing_is_certain() {
        let own = Mark::own().unwrap();
        let elsewhere = Mark {
            boot: "another".to_owned(),
            pid: u32::MAX,
            ..own.clone()
        };
        let contained = Mark {
            namespace: "pid:[1]".to_owned(),
            pid: u32::MAX,
            ..own
        };
        assert!(!elsewhere.is_dead() && !contained.is_dead());
    }
}
