//! Requests over several connections at once, each sending its next when it has its answer.
//!
//! The client is part of what is measured and shares the machine with the server, so it is as plain as it can be: the
//! requests are bytes that were made before, and of an answer it reads the status and as many bytes as it announces.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::measure::Volley;
use super::{BenchError, Result};

/// Requests as bytes, and the status that each of them must have.
pub struct Requests {
    /// The requests, in the order in which they are sent.
    pub bytes: Vec<Vec<u8>>,
    /// The status.
    pub expected: u16,
}

/// Writes a request down.
pub fn request(method: &str, path: &str, token: Option<&str>, more: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: bench\r\n");
    if let Some(token) = token {
        head.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    for (name, value) in more {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends everything over so many connections and waits for all answers.
///
/// # Errors
/// When a connection breaks, or an answer has another status than was expected.
pub fn fire(address: SocketAddr, connections: usize, requests: Requests) -> Result<Volley> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(BenchError::of)?;
    runtime.block_on(async move {
        let mut open = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await.map_err(BenchError::of)?;
            stream.set_nodelay(true).map_err(BenchError::of)?;
            open.push(stream);
        }
        let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
        let began = Instant::now();
        let all: Vec<_> =
            open.into_iter().map(|stream| tokio::spawn(one(stream, requests.clone(), next.clone()))).collect();
        let mut volley = Volley::default();
        for each in all {
            volley.each.extend(each.await.map_err(BenchError::of)??);
        }
        volley.wall = began.elapsed();
        Ok(volley)
    })
}

/// What one connection sends and waits for.
async fn one(
    mut stream: TcpStream,
    requests: Arc<Requests>,
    next: Arc<AtomicUsize>,
) -> Result<Vec<std::time::Duration>> {
    let (mut took, mut buffer) = (Vec::new(), Vec::with_capacity(64 * 1024));
    while let Some(bytes) = requests.bytes.get(next.fetch_add(1, Ordering::Relaxed)) {
        let began = Instant::now();
        stream.write_all(bytes).await.map_err(BenchError::of)?;
        let status = answer(&mut stream, &mut buffer).await?;
        took.push(began.elapsed());
        if status != requests.expected {
            let text = String::from_utf8_lossy(&buffer).into_owned();
            return Err(BenchError(format!("status {status} instead of {}: {text}", requests.expected)));
        }
    }
    Ok(took)
}

/// Reads one answer whole and returns its status; `buffer` holds it.
///
/// # Errors
/// When the connection breaks, or it cannot be seen where the answer ends.
pub async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<u16> {
    buffer.clear();
    let (mut head, mut whole) = (None, usize::MAX);
    while buffer.len() < whole {
        if stream.read_buf(buffer).await.map_err(BenchError::of)? == 0 {
            return Err(BenchError("the server closed the connection".into()));
        }
        if head.is_none()
            && let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n")
        {
            let (status, length) = read_head(&buffer[..end])?;
            (head, whole) = (Some(status), end + 4 + length);
        }
    }
    head.ok_or_else(|| BenchError("an answer without a head".into()))
}

/// The status and the length of the body.
fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let text = std::str::from_utf8(head).map_err(BenchError::of)?;
    let status = text.get(9..12).and_then(|digits| digits.parse().ok());
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    match (status, length) {
        (Some(status), Some(length)) => Ok((status, length)),
        (Some(status @ (204 | 304)), None) => Ok((status, 0)),
        _ => Err(BenchError(format!("an answer that says neither status nor length: {text}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_status_and_length() {
        assert_eq!(read_head(b"HTTP/1.1 201 Created\r\ncontent-length: 17\r\nx: y").expect("read"), (201, 17));
        assert_eq!(read_head(b"HTTP/1.1 304 Not Modified\r\nx: y").expect("read"), (304, 0));
        assert!(read_head(b"HTTP/1.1 200 OK\r\nx: y").is_err(), "its end could not be known");
        assert!(read_head(b"hello").is_err());
    }

    #[test]
    fn a_request_announces_its_body() {
        let bytes = request("POST", "/v1/x", Some("t"), &[("Idempotency-Key", "k")], b"{}");
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.starts_with("POST /v1/x HTTP/1.1\r\n"));
        assert!(text.contains("Authorization: Bearer t\r\n") && text.contains("Idempotency-Key: k\r\n"));
        assert!(text.ends_with("Content-Length: 2\r\n\r\n{}"));
    }
}
