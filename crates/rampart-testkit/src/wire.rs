//! HTTP/1.1 as bytes on a socket: for what no client would send, and for sending it piece by piece.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Reply, tls};

/// How long a test waits for what must happen at once. Long: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What bytes go through, in clear text or not.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection to a server.
pub struct Wire {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

/// What the server did.
#[derive(Debug)]
pub enum Heard {
    /// It answered.
    Answer(Reply),
    /// It closed the connection, having sent nothing but these bytes.
    Closed(Vec<u8>),
}

impl Wire {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts connections");
        stream.set_nodelay(true).expect("a fresh socket takes options");
        Self { stream: Box::new(stream), read: Vec::new() }
    }

    /// Connects with TLS; gives the name of the certificate that the server showed.
    pub async fn connect_tls(address: SocketAddr) -> (Self, &'static str) {
        let stream = TcpStream::connect(address).await.expect("the server accepts connections");
        let shaken = timeout(PATIENCE, tls::connect(stream, &["http/1.1"])).await;
        let stream = shaken.expect("the server shakes hands in time").expect("the server speaks TLS");
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let name = tls::name_of(shown.expect("a server shows a certificate"));
        (Self { stream: Box::new(stream), read: Vec::new() }, name)
    }

    /// Sends bytes. A server that has closed already need not take them.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Waits for one answer, or for the end of the connection.
    pub async fn hear(&mut self) -> Heard {
        timeout(PATIENCE, self.hear_patiently()).await.expect("the server answers or closes in time")
    }

    /// Waits for an answer that must come.
    pub async fn answer(&mut self) -> Reply {
        match self.hear().await {
            Heard::Answer(reply) => reply,
            Heard::Closed(bytes) => panic!("closed after {:?}", String::from_utf8_lossy(&bytes)),
        }
    }

    /// Waits for the end of the connection.
    pub async fn closed(&mut self) -> Vec<u8> {
        let all = async { while self.fill().await {} };
        timeout(PATIENCE, all).await.expect("the server closes in time");
        std::mem::take(&mut self.read)
    }

    /// Whether anything, or the end, comes within this time.
    pub async fn stirs_within(&mut self, time: Duration) -> bool {
        timeout(time, self.fill()).await.is_ok()
    }

    async fn hear_patiently(&mut self) -> Heard {
        loop {
            if let Some((reply, length)) = parse(&self.read) {
                self.read.drain(..length);
                // An interim answer says only: go on.
                if reply.status >= 200 {
                    return Heard::Answer(reply);
                }
            } else if !self.fill().await {
                return Heard::Closed(std::mem::take(&mut self.read));
            }
        }
    }

    /// Reads more; false at the end.
    async fn fill(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.read).await, Ok(length) if length > 0)
    }
}

/// The bytes of a request. Its length is stated when it has a body, or a method that has one.
pub fn bytes_of(request: &Request<Bytes>) -> Vec<u8> {
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut bytes = format!("{} {path} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let framed =
        ["content-length", "transfer-encoding"].iter().any(|name| request.headers().contains_key(*name));
    if !framed {
        bytes.extend_from_slice(format!("content-length: {}\r\n", request.body().len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(request.body());
    bytes
}

/// One whole answer at the beginning of `bytes`, and its length.
fn parse(bytes: &[u8]) -> Option<(Reply, usize)> {
    let head_length = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_length]).expect("the server's heads are ASCII");
    let mut lines = head.lines();
    let status =
        lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().expect("a status is a number");
    let mut headers = HeaderMap::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').expect("a header has a colon");
        let name: HeaderName = name.parse().expect("the server sends header names");
        headers.append(name, HeaderValue::from_str(value.trim()).expect("the server sends header values"));
    }
    let length = headers.get("content-length").map_or(0, |value| {
        value.to_str().ok().and_then(|text| text.parse().ok()).expect("a length is a number")
    });
    let body = bytes.get(head_length..head_length + length)?;
    let text = String::from_utf8(body.to_vec()).expect("the server answers in UTF-8");
    Some((Reply::new(status, headers, text), head_length + length))
}
