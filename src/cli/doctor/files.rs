//! Keys, disks, blobs.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Finding, bad, both, ok, warn};
use crate::app;
use crate::blobs::{DiskBlobs, space};
use crate::config::Config;
use crate::db::Conn;
use crate::features::restoration;
use crate::features::uploads::queries;
use crate::keys::Keys;
use crate::limits;

/// Whether the keys are there, closed to others, and those of the database.
pub fn keys(config: &Config, conn: Option<&mut Conn>) -> Vec<Finding> {
    let dir = &config.keys.dir;
    let known = conn.and_then(|conn| app::known_keys(conn).ok()).flatten();
    if !Keys::exist(dir) {
        let at = dir.display();
        let finding = if known.is_some() {
            bad(
                "keys",
                both(
                    format!("密钥目录 {at} 不存在,而数据库已用过密钥。"),
                    format!("the key directory {at} is missing, and the database has been used with one"),
                ),
                both(
                    "从其备份恢复。没有它,任何投标都无法开启。",
                    "Restore it from its copy: without it no sealed bid can be opened.",
                ),
            )
        } else {
            warn(
                "keys",
                both(format!("密钥目录 {at} 尚不存在。"), format!("there is no key directory {at} yet")),
                both(
                    "首次启动时会建立;随后立即另存一份。",
                    "The first start makes it; copy it at once, apart from the data.",
                ),
            )
        };
        return vec![finding];
    }
    let mut found = Vec::new();
    match Keys::load(dir) {
        Err(error) => found.push(bad(
            "keys",
            both(format!("密钥不可用:{error}"), format!("the keys cannot be used: {error}")),
            both("文件属于服务器用户,权限 0600。", "Give the files to the server's user, mode 0600."),
        )),
        Ok(keys) if known.as_ref().is_some_and(|known| *known != keys.fingerprint()) => found.push(bad(
            "keys",
            both("密钥不属于这个数据库。", "the keys are not those of this database"),
            both(
                "让 keys.dir 指向正确的目录;服务器不会用错误的密钥启动。",
                "Point keys.dir at the right directory; a server does not start with wrong keys.",
            ),
        )),
        Ok(_) => found.push(ok(
            "keys",
            "密钥齐全,且属于这个数据库。",
            "the keys are complete, closed to others, and fit the database",
        )),
    }
    if fs::metadata(dir).is_ok_and(|found| found.permissions().mode() & 0o077 != 0) {
        found.push(warn(
            "keys",
            both("其他用户可以进入密钥目录。", "other users can enter the key directory"),
            both(format!("chmod 700 {}", dir.display()), format!("chmod 700 {}", dir.display())),
        ));
    }
    found
}

/// Where we write.
pub fn disks(config: &Config) -> Vec<Finding> {
    let url = config.database_url();
    let mut places: Vec<(&str, PathBuf)> = vec![("storage.blobs", config.storage.blobs.clone())];
    if let Some(file) = url.file() {
        let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        places.insert(0, ("database.url", dir.to_owned()));
    }
    let mut found: Vec<Finding> = places.iter().map(|(name, dir)| disk(name, dir)).collect();
    let device = |path: &Path| {
        path.ancestors().find(|path| path.exists()).and_then(|path| fs::metadata(path).ok()).map(|found| found.dev())
    };
    if let [(_, database), (_, blobs)] = &places[..]
        && device(database) == device(blobs)
    {
        found.push(ok(
            "disk",
            "数据库与文件在同一文件系统:一处写满,两处皆停。",
            "database and files share one file system: when it is full, both stand still",
        ));
    }
    found
}

fn disk(name: &str, dir: &Path) -> Finding {
    if !dir.exists() {
        return warn(
            "disk",
            both(
                format!("{name}:目录 {} 尚不存在。", dir.display()),
                format!("{name}: the directory {} is not there yet", dir.display()),
            ),
            both("首次启动时会建立。", "The first start makes it."),
        );
    }
    let (space, fsync) = match space::of(dir).and_then(|space| Ok((space, fsync(dir)?))) {
        Ok(found) => found,
        Err(error) => {
            return bad(
                "disk",
                both(
                    format!("{name}:{} 不可写:{error}", dir.display()),
                    format!("{name}: {} cannot be written: {error}", dir.display()),
                ),
                both(
                    "交给服务器用户,检查磁盘与挂载。",
                    "Give it to the server's user; check the disk and how it is mounted.",
                ),
            );
        }
    };
    let (percent, ms) = (space.free_percent(), fsync.as_millis());
    let told = both(
        format!("{name}:剩余 {percent}%,落盘 {ms} 毫秒。"),
        format!("{name}: {percent} % free, an fsync takes {ms} ms"),
    );
    if percent < limits::DISK_CRITICAL_PERCENT {
        return bad(
            "disk",
            told,
            both("立即腾出空间;写满后不再受理投标。", "Make room now: when it is full, bids are turned away."),
        );
    }
    if percent < limits::DISK_LOW_PERCENT {
        return warn("disk", told, both("在下一个截止时间之前腾出空间。", "Make room before the next deadline."));
    }
    if fsync > Duration::from_millis(limits::FSYNC_SLOW_MS) {
        return warn(
            "disk",
            told,
            both(
                "磁盘落盘很慢;截止前的高峰会排队。",
                "Forcing to this disk is slow: the rush before a deadline will queue.",
            ),
        );
    }
    ok("disk", told.zh, told.en)
}

/// How long it takes to force a small file to the disk: the middle of five.
fn fsync(dir: &Path) -> io::Result<Duration> {
    let path = dir.join(format!(".doctor-{}", std::process::id()));
    let mut times = Vec::new();
    let measured = (|| {
        let mut file = File::options().write(true).create_new(true).open(&path)?;
        for _ in 0..5 {
            let began = Instant::now();
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            times.push(began.elapsed());
        }
        Ok(())
    })();
    let _ = fs::remove_file(&path);
    times.sort_unstable();
    measured.map(|()| times.get(2).copied().unwrap_or_default())
}

/// Whether the files are those of this platform, and a sample of them is what was uploaded.
pub fn blobs(config: &Config, conn: Option<&mut Conn>) -> Vec<Finding> {
    let dir = &config.storage.blobs;
    let Some(conn) = conn else { return Vec::new() };
    let Ok(Some(id)) = app::known_blobs(conn) else { return Vec::new() };
    let foreign = |error: String| {
        vec![bad(
            "blobs",
            both(format!("文件目录不可用:{error}"), format!("the directory of files cannot be used: {error}")),
            both(
                "让 storage.blobs 指向这个数据库的目录;检查挂载。",
                "Point storage.blobs at this database's directory; check that it is mounted.",
            ),
        )]
    };
    if !DiskBlobs::exist(dir) {
        return foreign(format!("{} has no identity", dir.display()));
    }
    let blobs = match DiskBlobs::open(dir, Some(&id)) {
        Ok((blobs, _)) => blobs,
        Err(error) => return foreign(error.to_string()),
    };
    let found = restoration::queries::found(conn, limits::DOCTOR_SAMPLE).unwrap_or_default();
    if !found.is_empty() {
        let named = found.join(", ");
        return vec![bad(
            "blobs",
            both(
                format!("服务器发现以下文件在存储中损坏:{named}"),
                format!("the server has found stored files damaged: {named}"),
            ),
            both(
                "平台已请其所有人补传;请从较早的备份取回,并检查磁盘。",
                "Their owners are asked to send them again. Fetch them from an older backup, and check the disk.",
            ),
        )];
    }
    // From somewhere in the middle, so that another sample is looked at each time.
    let from = format!("upl-{}", uuid::Uuid::new_v4());
    let sample = queries::whole(conn, &from, limits::DOCTOR_SAMPLE)
        .and_then(|rows| if rows.is_empty() { queries::whole(conn, "", limits::DOCTOR_SAMPLE) } else { Ok(rows) });
    let rows = sample.unwrap_or_default();
    let damaged =
        rows.iter().filter(|row| super::super::backup::prove(&blobs, &row.id, row.size(), &row.root).is_err()).count();
    if damaged > 0 {
        return vec![bad(
            "blobs",
            both(
                format!("抽查 {} 个文件,{damaged} 个损坏或丢失。", rows.len()),
                format!("of a sample of {} file(s), {damaged} are damaged or missing", rows.len()),
            ),
            both(
                "运行 `sealbid backup` 找出是哪些,从备份取回;检查磁盘。",
                "Find out which (`sealbid backup` names them), fetch them from an older backup, and check the disk.",
            ),
        )];
    }
    vec![ok(
        "blobs",
        "文件目录属于这个数据库,抽查无误。",
        "the directory of files belongs to this database, and a sample of files is whole",
    )]
}
