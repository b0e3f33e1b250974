//! A Slurm cluster on this machine, in a folder of its own: one controller, nodes of one CPU each.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A running cluster; stopped when dropped.
pub struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts a cluster of nodes `n1`, `n2`, …, and waits until they take jobs.
    pub fn start(nodes: usize) -> Self {
        let mut cluster = Self { folder: tempfile::tempdir().unwrap(), daemons: Vec::new() };
        for name in ["state", "spool", "log", "run"] {
            std::fs::create_dir(cluster.path(name)).unwrap();
        }
        set_mode(&cluster.path("log"), 0o700);
        set_mode(&cluster.path("state"), 0o700);
        set_mode(cluster.folder.path(), 0o755);
        let mut key = [0; 1024];
        std::fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut key)).unwrap();
        std::fs::write(cluster.path("munge.key"), key).unwrap();
        set_mode(&cluster.path("munge.key"), 0o400);
        std::fs::write(cluster.conf(), cluster.configuration(nodes)).unwrap();
        if cluster.version() >= (23, 2) {
            // Later versions want cgroups otherwise, which containers may not hand out; earlier ones do not know this.
            std::fs::write(cluster.path("cgroup.conf"), "CgroupPlugin=disabled\n").unwrap();
        }
        let at = |name: &str| cluster.path(name).display().to_string();
        let munged = [
            "--foreground".to_owned(),
            "--force".to_owned(),
            format!("--key-file={}", at("munge.key")),
            format!("--socket={}", at("run/munge.socket")),
            format!("--pid-file={}", at("munged.pid")),
            format!("--log-file={}", at("log/munged.log")),
            format!("--seed-file={}", at("state/munge.seed")),
        ];
        cluster.daemon("munged", &munged, "");
        cluster.wait("munged does not start", |cluster| cluster.path("run/munge.socket").exists());
        cluster.daemon("slurmctld", &["-D".to_owned()], "");
        for number in 1..=nodes {
            let node = format!("n{number}");
            std::fs::create_dir(cluster.path(&format!("spool/{node}"))).unwrap();
            cluster.daemon("slurmd", &["-D".to_owned(), "-N".to_owned(), node.clone()], &node);
        }
        cluster.wait("the nodes do not come up", |cluster| {
            let states = cluster.ask("sinfo", &["-h", "-N", "-o", "%t"]);
            states.lines().count() == nodes && states.lines().all(|state| state == "idle")
        });
        cluster
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What `SLURM_CONF` has to be for this cluster.
    pub fn conf(&self) -> PathBuf {
        self.path("slurm.conf")
    }

    fn configuration(&self, nodes: usize) -> String {
        let host = first_line("hostname", "-s");
        let user = first_line("id", "-un");
        let folder = self.folder.path().display();
        // All are bound before one is let go, so that they differ.
        let sockets: Vec<TcpListener> =
            (0..=nodes).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = sockets.iter().map(|socket| socket.local_addr().unwrap().port()).collect();
        let mut text = format!(
            "ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
ReturnToService=2
MpiDefault=none
MailProg=/bin/true
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
SlurmctldTimeout=30
SlurmdTimeout=60
InactiveLimit=0
MinJobAge=600
KillWait=2
JobRequeue=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
",
            ports[0]
        );
        for (number, port) in ports.iter().enumerate().skip(1) {
            text += &format!(
                "NodeName=n{number} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 State=UNKNOWN\n"
            );
        }
        text + &format!("PartitionName=main Nodes=n[1-{nodes}] Default=YES MaxTime=INFINITE State=UP\n")
    }

    /// Starts a daemon in the foreground, as a child of this process.
    fn daemon(&mut self, program: &str, arguments: &[String], node: &str) {
        let log = std::fs::File::create(self.path(&format!("log/{program}{node}.out"))).unwrap();
        // Debian keeps daemons where users do not look for programs.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", path).env("SLURM_CONF", self.conf()).env(DAEMON_OF, node);
        // The folder of tests is gone when a daemon ends.
        command.current_dir("/");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap_or_else(|e| panic!("{program}: {e}; install slurm-wlm and munge"));
        self.daemons.push(child);
    }

    /// What a command of Slurm says; nothing if it fails.
    pub fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = command.args(arguments).env("SLURM_CONF", self.conf()).output();
        let output = output.unwrap_or_else(|e| panic!("{program}: {e}; install slurm-wlm and munge"));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Major and minor version of Slurm.
    fn version(&self) -> (u32, u32) {
        let text = self.ask("sbatch", &["--version"]);
        let number = text.split(' ').next_back().unwrap_or_default();
        let mut parts = number.split('.').map_while(|part| part.parse().ok());
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }

    /// Waits for something, or fails with what the daemons have logged.
    pub fn wait(&self, what_else: &str, mut there: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !there(self) {
            assert!(Instant::now() < end, "{what_else}: {}", self.logs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The ends of all logs.
    pub fn logs(&self) -> String {
        let mut text = self.ask("squeue", &["-l"]);
        for entry in std::fs::read_dir(self.path("log")).unwrap().flatten() {
            let log = std::fs::read(entry.path()).unwrap_or_default();
            let log = String::from_utf8_lossy(&log[log.len().saturating_sub(2000)..]).into_owned();
            text += &format!("\n== {}\n{log}", entry.file_name().display());
        }
        text
    }

    /// Node that a process runs on; none: on none of this cluster.
    pub fn node_of(&self, process: u64) -> Option<String> {
        let variables = self.variables(process)?;
        variables.get(DAEMON_OF).or_else(|| variables.get(NODE)).cloned()
    }

    /// The environment of a process of this cluster.
    fn variables(&self, process: u64) -> Option<BTreeMap<String, String>> {
        let variables = environment(process)?;
        variables.get("SLURM_CONF").is_some_and(|conf| Path::new(conf) == self.conf()).then_some(variables)
    }

    /// Kills everything that runs on a node at once, as a power cut does, and tells the controller.
    pub fn cut_power(&self, node: &str) {
        // The daemons first: they would report the end of the task.
        let is_daemon = |process| {
            self.variables(process).is_some_and(|all| all.get(DAEMON_OF).is_some_and(|of| of == node))
        };
        kill_all(is_daemon);
        kill_all(|process| self.node_of(process).as_deref() == Some(node));
        self.ask("scontrol", &["update", &format!("nodename={node}"), "state=down", "reason=test"]);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The daemons, and what they have started.
        kill_all(|process| self.variables(process).is_some());
        for daemon in &mut self.daemons {
            let _ = daemon.wait();
        }
    }
}

/// Variable of the daemons of a node, which those they start inherit. Slurm's own is not in that of `slurmstepd`.
const DAEMON_OF: &str = "TEST_NODE";
/// Slurm's variable with the name of the node, in every task.
const NODE: &str = "SLURMD_NODENAME";

/// The environment that a process was started with; none: it has ended, or belongs to another user.
fn environment(process: u64) -> Option<BTreeMap<String, String>> {
    let bytes = std::fs::read(format!("/proc/{process}/environ")).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    Some(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Kills processes until there are none: those that are being killed may start others.
fn kill_all(chosen: impl Fn(u64) -> bool) {
    for _ in 0..250 {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok());
        let found: Vec<String> = numbers.filter(|n| chosen(*n)).map(|n| n.to_string()).collect();
        if found.is_empty() {
            return;
        }
        // One that has ended meanwhile is no failure.
        let _ = Command::new("kill").arg("-KILL").args(&found).stderr(Stdio::null()).status();
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn first_line(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
