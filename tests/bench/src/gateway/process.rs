//! The programs that take part: started on a core, waited for, ended when dropped.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal};

use super::free_port;

/// Where the proxy runs, and where all else does.
const PROXY_CORE: &str = "0";
pub(super) const OTHER_CORE: &str = "1";

/// The gateway's first client, whose secret is no secret here.
pub(super) const CLIENT: &str = "skc_bench";
pub(super) const SECRET: &str = "sks_a-secret-of-the-bench-and-of-nothing-else";

/// Ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An nginx, as one process.
pub(super) struct Nginx {
    process: Process,
    pub(super) port: u16,
}

impl Nginx {
    /// Answers each request with some JSON.
    pub(super) fn upstream(folder: &Path) -> Result<Self> {
        let body = format!("{{\"items\":\"{}\"}}", "x".repeat(500));
        let server = format!(
            "server {{ listen 127.0.0.1:PORT; keepalive_requests 1000000000; \
             default_type application/json; location / {{ return 200 '{body}'; }} }}"
        );
        Self::start(folder, "upstream", OTHER_CORE, &server)
    }

    /// Puts the header of a static map on each request.
    pub(super) fn peer(folder: &Path, upstream: u16, accounts: usize) -> Result<Self> {
        let mut map = "map_hash_max_size 1048576; map_hash_bucket_size 128; \
                       map $http_identifier $credential {\n"
            .to_owned();
        for nth in 0..accounts {
            writeln!(map, "user-{nth} \"Bearer token-{nth}\";")?;
        }
        let server = format!(
            "{map}}}\nupstream api {{ server 127.0.0.1:{upstream}; keepalive 64; \
             keepalive_requests 1000000000; }}\n\
             server {{ listen 127.0.0.1:PORT; keepalive_requests 1000000000; \
             underscores_in_headers on; \
             location /proxy/ {{ proxy_pass http://api/; proxy_http_version 1.1; \
             proxy_set_header Connection ''; proxy_set_header Authorization $credential; \
             proxy_set_header connection_name ''; proxy_set_header identifier ''; }} }}"
        );
        Self::start(folder, "peer", PROXY_CORE, &server)
    }

    fn start(folder: &Path, name: &str, core: &str, server: &str) -> Result<Self> {
        let port = free_port()?;
        let prefix = folder.join(name);
        std::fs::create_dir(&prefix)?;
        let config = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log crit;\n\
             events {{ worker_connections 4096; }}\n\
             http {{ access_log off; client_body_temp_path body; proxy_temp_path proxy; \
             fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n{}\n}}",
            server.replace("PORT", &port.to_string())
        );
        let file = prefix.join("nginx.conf");
        std::fs::write(&file, config)?;
        let child = Command::new("taskset")
            .args(["-c", core, "nginx", "-p"])
            .arg(&prefix)
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .context("starting nginx")?;
        let process = Process(child);
        wait_for(port).with_context(|| format!("nginx as {name}"))?;
        Ok(Self { process, port })
    }

    /// Its process id: `taskset` has become it.
    pub(super) fn id(&self) -> u32 {
        self.process.0.id()
    }
}

/// This program, as [`bare`](super::bare).
pub(super) struct Bare {
    process: Process,
    pub(super) port: u16,
}

impl Bare {
    pub(super) fn start(upstream: u16, accounts: usize) -> Result<Self> {
        let mut command = Command::new("taskset");
        command.args(["-c", PROXY_CORE]).arg(std::env::current_exe()?).arg("bare");
        command.args(["--upstream", &upstream.to_string(), "--accounts", &accounts.to_string()]);
        let (process, port) = listening(&mut command).context("the bare proxy")?;
        Ok(Self { process, port })
    }

    pub(super) fn id(&self) -> u32 {
        self.process.0.id()
    }
}

/// The gateway.
pub(crate) struct Countersign {
    process: Process,
    pub(crate) port: u16,
}

impl Countersign {
    /// On the proxies' core, with these settings.
    pub(super) fn start(program: &Path, folder: &Path, set: &[String]) -> Result<Self> {
        let mut command = Command::new("taskset");
        command.args(["-c", PROXY_CORE]).arg(program);
        let set = set.iter().flat_map(|pair| ["--set", pair]);
        Self::serving(&mut command, folder, set)
    }

    /// On whatever cores are free, with this authority beside the system's, and these settings.
    pub(crate) fn anywhere(
        program: &Path,
        folder: &Path,
        authority: &Path,
        set: &[&str],
    ) -> Result<Self> {
        let mut command = Command::new(program);
        let set = set.iter().flat_map(|&pair| ["--set", pair]).map(OsStr::new);
        let authority = [OsStr::new("--upstream-ca"), authority.as_os_str()];
        Self::serving(&mut command, folder, authority.into_iter().chain(set))
    }

    fn serving<A: AsRef<OsStr>>(
        command: &mut Command,
        folder: &Path,
        more: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        command.args(["serve", "--listen", "127.0.0.1:0", "--allow-upstream", "127.0.0.1/32"]);
        command.args(["--allow-http-upstream", "--data"]).arg(folder.join("data")).args(more);
        command.env("COUNTERSIGN_CLIENT_ID", CLIENT).env("COUNTERSIGN_CLIENT_SECRET", SECRET);
        let (process, port) = listening(command).context("the gateway")?;
        Ok(Self { process, port })
    }

    pub(super) fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// Asks it to end, and waits until it has ended well.
    pub(crate) fn end(mut self) -> Result<()> {
        rustix::process::kill_process(Pid::from_child(&self.process.0), Signal::TERM)?;
        let status = self.process.0.wait()?;
        ensure!(status.success(), "the gateway ended with {status}");
        Ok(())
    }
}

/// Starts a program that says where it listens, and waits until it has.
fn listening(command: &mut Command) -> Result<(Process, u16)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let output = child.stdout.take().context("its output")?;
    let process = Process(child);
    let ready = BufReader::new(output).lines().map_while(Result::ok);
    let address = ready.filter_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
    let address = { address }.next().context("it did not begin to listen")?;
    let port = address.rsplit(':').next().context("its port")?.parse()?;
    Ok((process, port))
}

/// Whether a program can be found.
pub(super) fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// How long the process has had a core.
pub(super) fn cpu(process: u32) -> Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in brackets may hold blanks; user and system time are the 14th and 15th field.
    let rest = text.rsplit_once(')').context("its name")?.1;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<u64, _>>()?;
    // USER_HZ, which is 100 on every Linux.
    Ok(Duration::from_millis(10 * ticks))
}

/// Bytes that it has in memory.
pub(super) fn resident(process: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}

fn wait_for(port: u16) -> Result<()> {
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    ensure!(false, "it does not listen");
    Ok(())
}
