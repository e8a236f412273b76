//! The server itself: connections, each with its limits, and an orderly end.
//!
//! 1. Who says nothing, or says it slowly, is let go after [`HEADER_LIMIT`]; what a whole answer may take is the
//!    router's business.
//! 2. At most [`MOST_CONNECTIONS`] are open at once; who comes then, or while the machine is busy, waits in the kernel's
//!    queue, which has room for [`QUEUE`]. Whoever finds it full is not heard, and tries again a second later.
//! 3. The end waits for open requests at most [`STOP_LIMIT`].

use super::peer::Peer;
use super::{Web, router};
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tokio::sync::Semaphore;

/// How long a request's header may take, and a connection may wait for its next one.
const HEADER_LIMIT: Duration = Duration::from_secs(15);
const MOST_CONNECTIONS: usize = 1024;
/// The system may have less room.
const QUEUE: u32 = 1024;
/// How long open requests may hold up the end.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How long to wait where the system gives no connection, such as when it is out of file handles.
const REST: Duration = Duration::from_millis(200);

/// Listens on an address and a port, of the addresses that a name has on the first that is free.
///
/// # Errors
/// When there is none.
pub async fn listen(place: &str) -> io::Result<TcpListener> {
    let mut refused = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    for address in lookup_host(place).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let bound = socket.and_then(|socket| {
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(QUEUE)
        });
        match bound {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Answers on `listener` until `stop` is ready; then finishes what is open, for at most [`STOP_LIMIT`].
pub async fn serve(listener: TcpListener, web: Web, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let service = TowerToHyperService::new(router(web));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT);
    let (graceful, permits) = (GracefulShutdown::new(), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
    let mut stop = pin!(stop);
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await.expect("nobody closes it");
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let service = service.clone();
        let with_peer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(Some(peer.ip())));
            service.call(request)
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), with_peer));
        tokio::spawn(async move {
            // A connection that breaks off is its owner's business.
            let _ = connection.await;
            drop(permit);
        });
    }
    if tokio::time::timeout(STOP_LIMIT, graceful.shutdown()).await.is_err() {
        tracing::warn!("open requests were cut off after {} seconds", STOP_LIMIT.as_secs());
    }
    Ok(())
}
