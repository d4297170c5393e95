//! The database: reachable, migrated, guarded.

use super::{Finding, bad, both, ok, warn};
use crate::config::Config;
use crate::db::{Conn, Mode, connection, migrate, probe};

/// Connects and looks around. The connection is given on where the schema is this program's.
pub fn open(config: &Config) -> (Option<Conn>, Vec<Finding>) {
    let url = config.database_url();
    if url.file().is_some_and(|file| !file.exists()) {
        let finding = warn(
            "database",
            both("尚无数据库文件。", "there is no database file yet"),
            both(
                "首次启动时会建立;若本应存在,检查 database.url。",
                "The first start makes it; if there should be one, check database.url.",
            ),
        );
        return (None, vec![finding]);
    }
    let mut conn = match connection::connect(&url, Mode::Read) {
        Ok(conn) => conn,
        Err(error) => {
            let finding = bad(
                "database",
                both(format!("数据库不可用:{error}"), format!("the database cannot be used: {error}")),
                both(
                    "检查 database.url、数据库服务和权限。",
                    "Check database.url, whether the database runs, and its rights.",
                ),
            );
            return (None, vec![finding]);
        }
    };
    let schema = schema(&mut conn);
    if schema.level != super::Level::Ok {
        return (None, vec![schema]);
    }
    let mut found = vec![schema];
    found.extend(settings(&mut conn));
    found.push(guards(&mut conn));
    found.extend(rights(&mut conn));
    (Some(conn), found)
}

fn unreadable(error: impl std::fmt::Display) -> Finding {
    bad(
        "database",
        both(format!("数据库无法读取:{error}"), format!("the database cannot be read: {error}")),
        both(
            "检查该角色的权限,必要时重新授权。",
            "Check this role's rights; `sealbid migrate --grant-to ROLE` grants them.",
        ),
    )
}

fn schema(conn: &mut Conn) -> Finding {
    match (migrate::pending(conn), migrate::unknown(conn)) {
        (Err(error), _) | (_, Err(error)) => unreadable(error),
        (Ok(missing), Ok(unknown)) if missing.is_empty() && unknown.is_empty() => {
            ok("database", "数据库可用,结构与程序一致。", "the database answers, and its schema is this program's")
        }
        (Ok(_), Ok(unknown)) if !unknown.is_empty() => bad(
            "database",
            both("数据库结构比程序新。", "the schema is newer than this program"),
            both("使用新版程序;不要用旧版启动。", "Use the newer program; do not start this one on it."),
        ),
        (Ok(missing), Ok(_)) => bad(
            "database",
            both(
                format!("缺少 {} 个迁移。", missing.len()),
                format!("the database lacks {} migration(s)", missing.len()),
            ),
            both(
                "先备份,再运行 `sealbid migrate`。",
                "Take a backup, then run `sealbid migrate`; an SQLite database is migrated at the start.",
            ),
        ),
    }
}

fn settings(conn: &mut Conn) -> Option<Finding> {
    match probe::unsafe_settings(conn) {
        Ok(settings) if settings.is_empty() => None,
        Ok(settings) => Some(bad(
            "database",
            both(format!("不安全的设置:{}", settings.join(", ")), format!("unsafe settings: {}", settings.join(", "))),
            both(
                "恢复默认值:断电时不得丢失已确认的投标。",
                "Set them back: what was acknowledged must outlive a power failure.",
            ),
        )),
        Err(error) => Some(unreadable(error)),
    }
}

fn guards(conn: &mut Conn) -> Finding {
    match probe::missing_guards(conn) {
        Ok(missing) if missing.is_empty() => {
            ok("guards", "所有表的守护触发器均存在并启用。", "every table's guards are there and switched on")
        }
        Ok(missing) => bad(
            "guards",
            both(
                format!("缺少或停用了 {} 个守护触发器:{}", missing.len(), missing.join(", ")),
                format!("{} guard(s) are missing or switched off: {}", missing.len(), missing.join(", ")),
            ),
            both(
                "停止服务器,查明何人所为,运行 `sealbid verify replay`,再从备份恢复。",
                "Stop the server, find out who did it, run `sealbid verify replay`, and restore from a backup if anything differs.",
            ),
        ),
        Err(error) => unreadable(error),
    }
}

fn rights(conn: &mut Conn) -> Vec<Finding> {
    let mut found = Vec::new();
    match probe::excessive_rights(conn) {
        Ok(rights) if rights.is_empty() => {}
        Ok(rights) => found.push(bad(
            "rights",
            both(
                format!("服务器的角色权限过大:{}", rights.join(", ")),
                format!("the server's role may do too much: {}", rights.join(", ")),
            ),
            both(
                "让服务器使用另一个角色,并运行 `sealbid migrate --grant-to 角色`。",
                "Let the server use a role that owns nothing, and run `sealbid migrate --grant-to ROLE` as the owner.",
            ),
        )),
        Err(error) => found.push(unreadable(error)),
    }
    if !probe::may_write(conn).unwrap_or(false) {
        found.push(bad(
            "rights",
            both("服务器的角色不能写入记录。", "the server's role may not add to the record"),
            both(
                "以属主身份运行 `sealbid migrate --grant-to 角色`。",
                "Run `sealbid migrate --grant-to ROLE` as the owner.",
            ),
        ));
    }
    found
}
