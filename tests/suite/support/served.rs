//! A server of a platform, on a port of its own, until it is stopped.

use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use sealbid::app::App;
use sealbid::http::server;

/// A server that runs.
pub struct Served {
    base: String,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    /// Starts a server and waits until it takes requests.
    pub fn start(app: Data<App>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = server::start(app, listener).expect("the server starts");
                tell.send(server.handle()).expect("the test waits for it");
                server.await.expect("the server ends well");
            });
        });
        Self { base, handle: told.recv().expect("the server started"), thread: Some(thread) }
    }

    /// Its address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Stops it at once; does nothing the second time.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        actix_web::rt::System::new().block_on(self.handle.stop(false));
        let ended = thread.join();
        assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}
