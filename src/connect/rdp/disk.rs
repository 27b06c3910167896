//! The folder on a thread of its own: a slow disk holds up its own answers, not the
//! picture. One thread takes the server's requests in turn, so that those of a file stay
//! in order; what waits is bounded by the session, which listens to no more meanwhile.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use ironrdp_core::impl_as_any;
use ironrdp_pdu::PduResult;
use ironrdp_rdpdr::backend::RdpdrBackend;
use ironrdp_rdpdr::pdu::RdpdrPdu;
use ironrdp_rdpdr::pdu::efs::{
    AnyIoCtlCode, DecodedDeviceControlRequest, DeviceCloseResponse, DeviceControlRequest,
    DeviceIoRequest, DeviceIoResponse, NtStatus, ServerDeviceAnnounceResponse,
    ServerDriveIoRequest as Request,
};
use ironrdp_rdpdr::pdu::esc::{ScardCall, ScardIoCtlCode};
use ironrdp_svc::SvcMessage;
use tokio::sync::Notify;

/// Requests that may wait.
const ORDERS: usize = 128;
/// Bytes that may wait to be written.
const BYTES: usize = 8 << 20;
/// Bytes read that may wait to be sent.
const ANSWERS: usize = 4 << 20;

/// What the thread does.
enum Order {
    Io(Box<Request>),
    Control(Box<DecodedDeviceControlRequest<AnyIoCtlCode>>),
    Announced(ServerDeviceAnnounceResponse),
    /// The server has forgotten its handles.
    Reset,
}

#[derive(Default)]
struct State {
    orders: VecDeque<(Order, usize)>,
    /// Bytes of the orders.
    bytes: usize,
    answers: Vec<SvcMessage>,
    /// Bytes of the answers, at most.
    answered: usize,
    /// How often the server has begun anew: what was asked before is not answered.
    epoch: u64,
    /// The session is over.
    over: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// There are answers, or room for orders.
    done: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves the orders until the session is over.
    fn serve(&self, mut inner: impl RdpdrBackend) {
        while let Some((order, epoch)) = self.next() {
            let (answers, bytes) = carry_out(&mut inner, order);
            let mut state = self.state();
            if state.epoch == epoch && !answers.is_empty() {
                state.answers.extend(answers);
                state.answered += bytes;
            }
            drop(state);
            self.done.notify_one();
        }
    }

    /// Waits for the next, and until what was answered is on its way.
    fn next(&self) -> Option<(Order, u64)> {
        let mut state = self.state();
        loop {
            if state.over {
                return None;
            }
            if state.answered < ANSWERS
                && let Some((order, bytes)) = state.orders.pop_front()
            {
                state.bytes -= bytes;
                return Some((order, state.epoch));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What the folder answers, and at most how many bytes of files that holds.
fn carry_out(inner: &mut impl RdpdrBackend, order: Order) -> (Vec<SvcMessage>, usize) {
    let (header, bytes, answer) = match order {
        Order::Io(request) => {
            let header = header(&request).clone();
            let bytes = match &*request {
                Request::DeviceReadRequest(read) => read.length as usize,
                _ => 0,
            };
            (header, bytes, inner.handle_drive_io_request(*request))
        }
        Order::Control(request) => {
            let header = request.request.header.clone();
            (header, 0, inner.handle_drive_device_control(*request))
        }
        Order::Announced(answer) => {
            let _ = inner.handle_server_device_announce_response(answer);
            return (Vec::new(), 0);
        }
        Order::Reset => {
            let _ = inner.reset();
            return (Vec::new(), 0);
        }
    };
    // A server that is never answered waits for ever.
    (answer.unwrap_or_else(|_| vec![failed(header)]), bytes.min(ANSWERS))
}

fn failed(header: DeviceIoRequest) -> SvcMessage {
    let device_io_response = DeviceIoResponse::new(header, NtStatus::UNSUCCESSFUL);
    SvcMessage::from(RdpdrPdu::DeviceCloseResponse(DeviceCloseResponse { device_io_response }))
}

fn header(request: &Request) -> &DeviceIoRequest {
    match request {
        Request::ServerCreateDriveRequest(r) => &r.device_io_request,
        Request::ServerDriveQueryInformationRequest(r) => &r.device_io_request,
        Request::DeviceCloseRequest(r) => &r.device_io_request,
        Request::ServerDriveQueryDirectoryRequest(r) => &r.device_io_request,
        Request::ServerDriveNotifyChangeDirectoryRequest(r) => &r.device_io_request,
        Request::ServerDriveQueryVolumeInformationRequest(r) => &r.device_io_request,
        Request::DeviceControlRequest(r) => &r.header,
        Request::DeviceReadRequest(r) => &r.device_io_request,
        Request::DeviceWriteRequest(r) => &r.device_io_request,
        Request::DeviceFlushBuffersRequest(r) => &r.device_io_request,
        Request::ServerDriveSetInformationRequest(r) => &r.device_io_request,
        Request::ServerDriveLockControlRequest(r) => &r.device_io_request,
        Request::ServerDriveQuerySecurityRequest(r) => &r.device_io_request,
        Request::ServerDriveSetSecurityRequest(r) => &r.device_io_request,
    }
}

/// What the session knows of the thread.
#[derive(Clone)]
pub struct Pace(Arc<Shared>);

impl Pace {
    /// Waits until something was done.
    pub async fn done(&self) {
        self.0.done.notified().await;
    }

    /// Whether so much waits that the server is not to ask for more.
    pub fn full(&self) -> bool {
        let state = self.0.state();
        state.orders.len() >= ORDERS || state.bytes >= BYTES
    }
}

/// The way to the folder. Dropping it ends the thread once it is done with what it does.
pub struct Disk(Arc<Shared>);

impl_as_any!(Disk);

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.0.state().over = true;
        self.0.changed.notify_one();
    }
}

impl Disk {
    /// Has `inner` work on a thread of its own.
    ///
    /// # Errors
    /// There is no thread for it.
    pub fn new(inner: impl RdpdrBackend + 'static) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name("disk".into()).spawn(move || theirs.serve(inner))?;
        Ok(Self(shared))
    }

    /// For the session.
    pub fn pace(&self) -> Pace {
        Pace(Arc::clone(&self.0))
    }

    fn push(&self, order: Order) {
        let bytes = match &order {
            Order::Io(request) => match &**request {
                Request::DeviceWriteRequest(write) => write.write_data.len(),
                _ => 0,
            },
            _ => 0,
        };
        let mut state = self.0.state();
        state.bytes += bytes;
        state.orders.push_back((order, bytes));
        drop(state);
        self.0.changed.notify_one();
    }
}

impl RdpdrBackend for Disk {
    fn reset(&mut self) -> PduResult<()> {
        let mut state = self.0.state();
        state.epoch += 1;
        state.answers.clear();
        (state.answered, state.bytes) = (0, 0);
        state.orders.clear();
        drop(state);
        self.push(Order::Reset);
        Ok(())
    }

    fn handle_server_device_announce_response(
        &mut self,
        answer: ServerDeviceAnnounceResponse,
    ) -> PduResult<()> {
        self.push(Order::Announced(answer));
        Ok(())
    }

    fn handle_scard_call(
        &mut self,
        _: DeviceControlRequest<ScardIoCtlCode>,
        _: ScardCall,
    ) -> PduResult<Vec<SvcMessage>> {
        // There is no reader of cards.
        Ok(Vec::new())
    }

    fn handle_drive_io_request(&mut self, request: Request) -> PduResult<Vec<SvcMessage>> {
        self.push(Order::Io(Box::new(request)));
        Ok(Vec::new())
    }

    fn handle_drive_device_control(
        &mut self,
        request: DecodedDeviceControlRequest<AnyIoCtlCode>,
    ) -> PduResult<Vec<SvcMessage>> {
        self.push(Order::Control(Box::new(request)));
        Ok(Vec::new())
    }

    fn poll_deferred_messages(&mut self) -> PduResult<Vec<SvcMessage>> {
        let mut state = self.0.state();
        state.answered = 0;
        let answers = std::mem::take(&mut state.answers);
        drop(state);
        self.0.changed.notify_one();
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use ironrdp_rdpdr::pdu::efs::{
        DeviceCloseRequest, DeviceReadRequest, DeviceWriteRequest, MajorFunction, MinorFunction,
    };

    use super::*;

    /// A disk that does each thing when the test lets it.
    struct Slow {
        go: Mutex<Receiver<()>>,
        begun: Sender<u32>,
        did: Sender<u32>,
    }

    impl_as_any!(Slow);

    impl std::fmt::Debug for Slow {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Slow")
        }
    }

    impl RdpdrBackend for Slow {
        fn handle_server_device_announce_response(
            &mut self,
            _: ServerDeviceAnnounceResponse,
        ) -> PduResult<()> {
            Ok(())
        }
        fn handle_scard_call(
            &mut self,
            _: DeviceControlRequest<ScardIoCtlCode>,
            _: ScardCall,
        ) -> PduResult<Vec<SvcMessage>> {
            Ok(Vec::new())
        }
        fn handle_drive_io_request(&mut self, request: Request) -> PduResult<Vec<SvcMessage>> {
            let header = header(&request).clone();
            let _ = self.begun.send(header.completion_id);
            let _ = self.go.get_mut().expect("ours").recv();
            let _ = self.did.send(header.completion_id);
            match request {
                Request::DeviceCloseRequest(_) => Err(ironrdp_pdu::pdu_other_err!("broken")),
                _ => Ok(vec![failed(header)]),
            }
        }
    }

    /// It, what lets it go on, and what it began and what it did.
    fn disk() -> (Disk, Sender<()>, [Receiver<u32>; 2]) {
        let ((go, went), (begun, begins), (did, done)) = (channel(), channel(), channel());
        let disk = Disk::new(Slow { go: Mutex::new(went), begun, did }).expect("a thread");
        (disk, go, [begins, done])
    }

    fn io(n: u32) -> DeviceIoRequest {
        DeviceIoRequest {
            device_id: 1,
            file_id: 1,
            completion_id: n,
            major_function: MajorFunction::Write,
            minor_function: MinorFunction::from(0),
        }
    }

    fn write(n: u32, bytes: usize) -> Request {
        Request::DeviceWriteRequest(DeviceWriteRequest {
            device_io_request: io(n),
            offset: 0,
            write_data: vec![0; bytes],
        })
    }

    /// Answers that have come, once there are `count`.
    fn answers(disk: &mut Disk, count: usize) -> usize {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut all = 0;
        while all < count {
            runtime.block_on(disk.pace().done());
            all += disk.poll_deferred_messages().expect("it can").len();
        }
        all
    }

    #[test]
    fn a_slow_disk_is_not_waited_for_and_answers_in_turn() {
        let (mut disk, go, [_begins, done]) = disk();
        for n in 0..3 {
            let now = disk.handle_drive_io_request(write(n, 10)).expect("it takes it");
            assert!(now.is_empty());
        }
        assert!(disk.poll_deferred_messages().expect("it can").is_empty());
        for _ in 0..3 {
            go.send(()).expect("it works");
        }
        assert_eq!(answers(&mut disk, 3), 3);
        assert_eq!(done.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
        // What fails is answered as well.
        let close = DeviceCloseRequest { device_io_request: io(3) };
        disk.handle_drive_io_request(Request::DeviceCloseRequest(close)).expect("it takes it");
        go.send(()).expect("it works");
        assert_eq!(answers(&mut disk, 1), 1);
    }

    #[test]
    fn what_waits_is_bounded() {
        let (mut disk, go, [begins, done]) = disk();
        let pace = disk.pace();
        for n in 0..=ORDERS as u32 {
            disk.handle_drive_io_request(write(n, 0)).expect("it takes it");
        }
        // One of them is no longer waiting.
        assert_eq!(begins.recv(), Ok(0));
        assert!(pace.full());
        disk.reset().expect("it can");
        assert!(!pace.full(), "the server has forgotten them");
        disk.handle_drive_io_request(write(7, BYTES)).expect("it takes it");
        assert!(pace.full());
        drop(go);
        assert_eq!(answers(&mut disk, 1), 1, "what was asked before is not answered");
        // What was read and not yet sent holds the thread up.
        for n in 100..110 {
            let read = DeviceReadRequest { device_io_request: io(n), length: 1 << 20, offset: 0 };
            disk.handle_drive_io_request(Request::DeviceReadRequest(read)).expect("it takes it");
        }
        let four = done.iter().skip_while(|n| *n < 100).take(4).count();
        assert_eq!(four, 4);
        assert!(disk.0.state().orders.len() >= 5, "no more than one is read beyond");
        assert_eq!(answers(&mut disk, 10), 10);
    }
}
