//! A small HTTP server on this machine, as unreliable as asked.
#![allow(dead_code, reason = "each test program uses a part")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How a request is answered.
#[derive(Clone)]
pub enum Answer {
    /// The file, or the part of it that was asked for.
    File(Vec<u8>),
    /// As `File`, but the connection breaks after so many bytes of the body.
    Breaking(Vec<u8>, usize),
    /// The whole file, whatever part was asked for.
    Whole(Vec<u8>),
    /// A page, with this status.
    Page(&'static str, &'static str),
}

/// Answers requests one after another; the last answer again and again.
pub struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Begins to listen.
    pub fn new(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        let serve = move || {
            for (number, stream) in listener.incoming().enumerate() {
                let answer = &answers[number.min(answers.len() - 1)];
                answer_one(stream.unwrap(), answer, &log);
            }
        };
        std::thread::Builder::new().name("server".into()).spawn(serve).unwrap();
        Self { address, requests }
    }

    /// Address, ending in a slash.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// Path of each request so far, and the part of the file it asked for.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer_one(mut stream: TcpStream, answer: &Answer, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
    let mut from = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        let line = line.to_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse::<usize>().ok();
        }
    }
    log.lock().unwrap().push(from.map_or(path.clone(), |from| format!("{path} {from}-")));
    let close = "Connection: close\r\n\r\n";
    let part = |bytes: &[u8], from: Option<usize>| match from {
        None => (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{close}", bytes.len()), bytes.to_vec()),
        Some(from) if from >= bytes.len() => {
            (format!("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n{close}"), Vec::new())
        }
        Some(from) => {
            let (length, last, all) = (bytes.len() - from, bytes.len() - 1, bytes.len());
            let range = format!("Content-Length: {length}\r\nContent-Range: bytes {from}-{last}/{all}");
            (format!("HTTP/1.1 206 Partial Content\r\n{range}\r\n{close}"), bytes[from..].to_vec())
        }
    };
    let (head, body) = match answer {
        Answer::File(bytes) => part(bytes, from),
        Answer::Whole(bytes) => part(bytes, None),
        Answer::Breaking(bytes, after) => {
            let (head, mut body) = part(bytes, from);
            body.truncate(*after);
            (head, body)
        }
        Answer::Page(status, page) => {
            let length = page.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n{close}"
            );
            (head, page.as_bytes().to_vec())
        }
    };
    // A client that has read enough may be gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}
