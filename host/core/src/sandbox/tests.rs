//! What holds of a call whoever makes it.

use std::cell::Cell;
use std::pin::pin;

use futures_util::FutureExt as _;

use super::*;
use crate::contract::context;
use crate::contract::types::Refusal;
use crate::random::SystemRandom;
use crate::secret::Secret;

/// It may copy a body of a megabyte, and hundreds may wait.
#[tokio::test]
async fn what_a_call_is_made_with_is_copied_once_there_is_a_thread_for_it() {
    let sandbox = Sandbox::new(Limits::default(), None).unwrap();
    let guest = Guest::new("guest", b"", String::new(), Vec::new(), Arc::clone(&sandbox.plain));
    let (guest, moment) = (Arc::new(guest), Moment { now: 0, random: Arc::new(SystemRandom) });
    let all = u32::try_from(sandbox.plain.limits.concurrent_calls).unwrap();
    let taken = Arc::clone(&sandbox.plain.seats).acquire_many_owned(all).await.unwrap();
    let copied = Cell::new(false);
    let budget = Duration::from_secs(1);
    let masker = Masker::new([]);
    let mut call = pin!(sandbox.run(&guest, Function::Validate, budget, moment, &masker, || {
        copied.set(true);
        (Json::Null, |_: &mut Store<Call>| Ok(Vec::<Refusal>::new()))
    }));
    assert!(call.as_mut().now_or_never().is_none());
    assert!(!copied.get());
    drop(taken);
    assert!(call.await.unwrap().is_empty());
    assert!(copied.get());
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What others had a hand in makes no line of its own, and holds no secret.
#[tokio::test]
async fn a_guest_that_logs_a_lot_leaves_the_host_its_words() {
    let lines = Lines::default();
    let writer = lines.clone();
    let listening = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _listening = tracing::subscriber::set_default(listening);
    let sandbox = Sandbox::new(Limits::default(), None).unwrap();
    let guest = Guest::new("guest", b"", String::new(), Vec::new(), Arc::clone(&sandbox.plain));
    let secret = Secret::new("canary-of-the-account".to_owned());
    let masker = Masker::new([&secret]);
    let noise = vec![(Level::Debug, "x".to_owned()); 1000];
    guest.report(&host::Log { lines: noise, dropped: 0 }, &masker);
    guest.tell("an upstream says a\nforged line, canary-of-the-account", &masker);
    let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(told.contains("an upstream says a forged line"), "{told}");
    assert!(!told.contains("canary"), "{told}");
}

/// Its last lines may say why it broke.
#[tokio::test]
async fn what_a_call_logs_before_it_breaks_is_told_and_masked() {
    let lines = Lines::default();
    let writer = lines.clone();
    let listening = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _listening = tracing::subscriber::set_default(listening);
    let sandbox = Sandbox::new(Limits::default(), None).unwrap();
    let guest = Guest::new("guest", b"", String::new(), Vec::new(), Arc::clone(&sandbox.plain));
    let (guest, moment) = (Arc::new(guest), Moment { now: 0, random: Arc::new(SystemRandom) });
    let secret = Secret::new("canary-of-the-account".to_owned());
    let (masker, budget) = (Masker::new([&secret]), Duration::from_secs(1));
    let called = sandbox.run(&guest, Function::Validate, budget, moment, &masker, || {
        let operation = |store: &mut Store<Call>| {
            let line = "the last words, canary-of-the-account".to_owned();
            context::Host::log(store.data_mut(), Level::Warn, line)?;
            Err::<Vec<Refusal>, _>(wasmtime::Trap::UnreachableCodeReached.into())
        };
        (Json::Null, operation)
    });
    assert!(matches!(called.await, Err(CallError::Fault { .. })));
    let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(told.contains("the last words") && !told.contains("canary"), "{told}");
}
