//! Configuration, clock, mail, backups.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::UNIX_EPOCH;

use super::{Finding, bad, both, ok, warn};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::db::{Conn, probe};
use crate::limits;
use crate::worker::mailer;

/// What is allowed and still deserves a second look.
pub fn configuration(config: &Config) -> Vec<Finding> {
    let mut found =
        vec![ok("config", "配置可读,且无矛盾。", "the configuration can be read and does not contradict itself")];
    let url = &config.server.public_url;
    let host = url.split_once("://").map_or("", |(_, rest)| rest);
    let here = ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host.starts_with(name));
    if here {
        found.push(warn(
            "config",
            both(format!("server.public_url 是本机地址({url})。"), format!("server.public_url is an address of this machine ({url})")),
            both(
                "正式使用前改为对外地址;回执会写明该地址,以后不要再改。",
                "Set the address by which the world knows the platform before real use: receipts name it, and it must not change later.",
            ),
        ));
    } else if url.starts_with("http://") {
        found.push(bad(
            "config",
            both(format!("server.public_url 未使用 https({url})。"), format!("server.public_url is not https ({url})")),
            both(
                "在代理上启用 TLS,并改为 https://。",
                "Let the proxy in front speak TLS and say https://: passwords travel to this address.",
            ),
        ));
    }
    for (name, address) in [("server.bind", &config.server.bind), ("metrics.bind", &config.metrics.bind)] {
        let public = address.parse::<SocketAddr>().is_ok_and(|address| !is_private(address.ip()));
        if public {
            found.push(warn(
                "config",
                both(
                    format!("{name}({address})不限于内网。"),
                    format!("{name} ({address}) is not confined to a private network"),
                ),
                both(
                    "只监听本机或内网地址,由代理对外。",
                    "Listen on this machine or a private network, with a TLS proxy in front.",
                ),
            ));
        }
    }
    found
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// Whether deadlines would be measured rightly.
pub fn clock(conn: Option<&mut Conn>) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(Ok(Some(theirs))) = conn.map(probe::clock_ms) {
        let offset = SystemClock.now().millis() - theirs;
        found.push(if offset.abs() <= 250 {
            ok(
                "clock",
                format!("与数据库时钟相差 {offset} 毫秒。"),
                format!("this clock and the database's differ by {offset} ms"),
            )
        } else {
            bad(
                "clock",
                both(
                    format!("与数据库时钟相差 {offset} 毫秒。"),
                    format!("this clock and the database's differ by {offset} ms"),
                ),
                both(
                    "校准两台机器的时钟(NTP);相差超过 250 毫秒时服务器不应受理投标。",
                    "Set both machines' clocks by NTP: beyond 250 ms a server must not take bids.",
                ),
            )
        });
    }
    found.push(match synchronised() {
        Some(true) => ok("clock", "系统报告时钟已同步。", "the system says that its clock is synchronised"),
        Some(false) => bad(
            "clock",
            both("系统报告时钟未同步。", "the system says that its clock is not synchronised"),
            both(
                "启用 systemd-timesyncd 或 chrony。截止时间以本机时钟为准。",
                "Enable systemd-timesyncd or chrony: deadlines are measured by this clock.",
            ),
        ),
        None => warn(
            "clock",
            both("无法得知时钟是否同步。", "it cannot be told whether this clock is synchronised"),
            both("请自行确认 NTP 正在运行。", "Make sure by yourself that NTP runs."),
        ),
    });
    found
}

/// What the system says of its clock, where it says anything.
fn synchronised() -> Option<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    let answer = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    if let Some(tracking) = answer("chronyc", &["-c", "tracking"]) {
        return Some(!tracking.trim_end().ends_with("Not synchronised"));
    }
    match answer("timedatectl", &["show", "--property=NTPSynchronized", "--value"])?.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Whether messages could leave.
pub fn mail(config: &Config) -> Finding {
    let files = config.mail.transport != "smtp";
    match mailer::probe(&config.mail) {
        Err(error) => bad(
            "mail",
            both(format!("邮件无法发出:{error}"), format!("no message could leave: {error}")),
            if files {
                both("使 mail.dir 可由服务器写入。", "Make mail.dir writable for the server.")
            } else {
                both(
                    "检查 mail.smtp_*、密码和网络;邮件会保留并重试。",
                    "Check mail.smtp_*, the password and the network; messages are kept and tried again.",
                )
            },
        ),
        Ok(()) if files => warn(
            "mail",
            both(
                "邮件写入文件,不会发送;涉密邮件一律不写。",
                "messages become files and reach nobody; those about sealed facts are withheld",
            ),
            both("正式使用前设置 mail.transport = \"smtp\"。", "Set mail.transport = \"smtp\" before real use."),
        ),
        Ok(()) => ok("mail", "邮件服务器可连接、可登录。", "the mail server greets us and lets us sign in"),
    }
}

/// Whether there is a recent backup.
pub fn backup(config: &Config) -> Finding {
    let marker = &config.backup.marker;
    let at = std::fs::metadata(marker).and_then(|file| file.modified()).ok();
    let at = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let hours = at.map(|at| (SystemClock.now().millis() / 1000 - i64::try_from(at.as_secs()).unwrap_or(0)) / 3600);
    match hours {
        Some(hours) if hours < limits::BACKUP_OLD_HOURS => {
            ok("backup", format!("最近一次备份在 {hours} 小时前。"), format!("the last backup is {hours} hour(s) old"))
        }
        found => {
            let (zh, en) = match found {
                Some(hours) => {
                    (format!("最近一次备份在 {hours} 小时前。"), format!("the last backup is {hours} hour(s) old"))
                }
                None => {
                    ("没有已知的备份。".to_owned(), format!("no backup is known ({} is missing)", marker.display()))
                }
            };
            warn(
                "backup",
                both(zh, en),
                both(
                    "每天至少备份一次,密钥目录另行保管。",
                    "Take one at least daily, and keep the key directory's copy apart from it; see docs/operations.md.",
                ),
            )
        }
    }
}
